"""What a query means, said plainly: the naive filter that the SQL must agree with.

It works on words and plain lists, knows nothing of pairs, tables or SQL, and
is fast enough for the few hundred articles of a rule's trial.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from reader.values import dataclass

from .fields import BY_NAME, Kind
from .folding import COLUMNS, fold, is_continuous, words
from .nodes import All, And, Compare, FieldIs, Has, Link, Node, Not, Or, Phrase, State, Time, Word

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """All of an article that a query can ask for. Texts are exact, times aware; None is absent.

    ``related`` are the headlines of the related entries; ``urls`` every
    address of the article itself; ``published`` the front-page flag;
    ``story`` whether its story has other texts; ``link`` the group of its
    last check (``reader.model.OUTCOMES``).
    """

    key: str = ""
    title: str = ""
    excerpt: str = ""
    body: str = ""
    related: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    outlet: str = ""
    domain: str = ""
    type: str = ""
    category: str = ""
    urls: tuple[str, ...] = ()
    published_at: datetime | None = None
    updated_at: datetime | None = None
    quality: int | None = None
    heat: int | None = None
    coverage: int = 0
    outlets: int = 0
    texts: int = 0
    published: bool | None = None
    sealed: bool = False
    story: bool = False
    has_image: bool = False
    has_amp: bool = False
    read: bool = False
    starred: bool = False
    hidden: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    link: str = "unchecked"


def matches(node: Node, facts: Facts) -> bool:
    """Whether the article of *facts* is one that *node* asks for."""
    match node:
        case All():
            return True
        case And(parts):
            return all(matches(part, facts) for part in parts)
        case Or(parts):
            return any(matches(part, facts) for part in parts)
        case Not(part):
            return not matches(part, facts)
        case Word(text, prefix, field) | Phrase(text, prefix, field):
            wanted = words(text)
            columns = (field,) if field else COLUMNS
            found = [words(held) for column in columns for held in _texts(facts, column)]
            return any(contains_words(held, wanted, prefix) for held in found)
        case FieldIs(field):
            return any(value_matches(node, value) for value in _values(facts, field))
        case Compare(field, op, value):
            number = getattr(facts, field)
            return number is not None and _COMPARE[op](number, value)
        case Time(field, op, instant):
            moment = facts.published_at if field == "published" else facts.updated_at
            return moment is not None and _COMPARE[op](moment, instant)
        case State(flag):
            return _STATES[flag](facts)
        case Link(group):
            return facts.link == group
        case Has(what):
            return _FEATURES[what](facts)


def contains_words(held: Sequence[str], wanted: Sequence[str], prefix: bool = False) -> bool:
    """Whether *wanted* stand one after the other in *held* (both of ``folding.words``).

    A word must be the same, the last only begin so when *prefix*. A run of a
    script without blanks is found within a longer run; the first of several
    ends one, the last begins one.
    """
    size = len(wanted)
    if not size:
        return False
    starts = range(len(held) - size + 1)
    return any(
        all(fits(held[at + n], wanted[n], n == 0, n == size - 1, prefix) for n in range(size))
        for at in starts
    )


def fits(held: str, wanted: str, first: bool, last: bool, prefix: bool) -> bool:
    """Whether one word in a text is the *wanted* one, *first* and *last* of those looked for."""
    if not is_continuous(wanted):
        return held == wanted or (last and prefix and held.startswith(wanted))
    if first and last:
        return wanted in held
    if first:
        return held.endswith(wanted)
    return held.startswith(wanted) if last else held == wanted


def value_matches(node: FieldIs, value: str) -> bool:
    """Whether one *value* of the field is what *node* asks for.

    Case, diacritics and runs of blanks do not count. With ``exact`` the whole
    value, or its beginning with ``prefix``. Else: of a name the text as
    written, signs and all, where no word is cut, or only the last with
    ``prefix``; of an address any part; of a domain itself and what lies
    below it.
    """
    wanted, held = plain(node.text), plain(value)
    if node.exact:
        return held.startswith(wanted) if node.prefix else held == wanted
    kind = BY_NAME[node.field].kind
    if kind is Kind.ADDRESS:
        return wanted in held
    if kind is Kind.DOMAIN:
        inside = f".{held}" if node.prefix else f".{held}."
        return f".{wanted}" in inside if node.prefix else inside.endswith(f".{wanted}.")
    return stands_in(wanted, held, node.prefix)


def plain(text: str) -> str:
    """*text* as values of fields are compared: folded, runs of blanks as one."""
    return " ".join(fold(text).split())


def stands_in(wanted: str, held: str, prefix: bool) -> bool:
    """Whether folded *wanted* stands in folded *held* and cuts no word, or only the last if *prefix*."""
    at = held.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if not _cuts(held, at) and (prefix or not _cuts(held, end)):
            return True
        at = held.find(wanted, at + 1)
    return False


def _cuts(text: str, at: int) -> bool:
    """Whether a word goes on across *at*."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    return bool(words(before) and words(after)) and not (is_continuous(before) or is_continuous(after))


def _texts(facts: Facts, column: str) -> Sequence[str]:
    return facts.related if column == "related" else (getattr(facts, column),)


def _values(facts: Facts, field: str) -> Sequence[str]:
    several = {"topic": facts.topics, "tag": facts.tags, "url": facts.urls}
    values = several[field] if field in several else (getattr(facts, field),)
    return [value for value in values if value]


_STATES: Final[Mapping[str, Callable[[Facts], bool]]] = {
    "read": lambda f: f.read,
    "unread": lambda f: not f.read,
    "starred": lambda f: f.starred,
    "published": lambda f: f.published is True,
    "unpublished": lambda f: f.published is False,
    "noted": lambda f: bool(f.note),
    "tagged": lambda f: bool(f.tags),
    "sealed": lambda f: f.sealed,
    "story": lambda f: f.story,
    "hidden": lambda f: f.hidden,
}
_FEATURES: Final[Mapping[str, Callable[[Facts], bool]]] = {
    "image": lambda f: f.has_image,
    "amp": lambda f: f.has_amp,
    "body": lambda f: bool(f.body),
    "related": lambda f: bool(f.related),
}
