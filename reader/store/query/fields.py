"""The one table of the query language: the parser, the completion, ``?`` and the README are fed from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from reader.model import OUTCOMES
from reader.values import dataclass


class Kind(Enum):
    """What a field's value is, and so how it is parsed and compared."""

    TEXT = auto()
    NAME = auto()
    DOMAIN = auto()
    ADDRESS = auto()
    NUMBER = auto()
    TIME = auto()
    AFTER = auto()
    BEFORE = auto()
    AGE = auto()
    CHOICE = auto()
    SORT = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``choices`` maps a word allowed after the colon to its meaning."""

    name: str
    kind: Kind
    help: str
    example: str
    aliases: tuple[str, ...] = ()
    choices: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class HelpRow:
    """One line of help: what is typed, what it asks for, a working example."""

    syntax: str
    meaning: str
    example: str


STATES: Final[Mapping[str, str]] = {
    "read": "marked read",
    "unread": "not marked read",
    "starred": "starred",
    "published": "flagged for the site's front page",
    "unpublished": "flagged as not for the front page",
    "noted": "with a note of yours",
    "tagged": "with a tag of yours",
    "sealed": "with an encrypted payload",
    "story": "told in other pieces too",
    "hidden": "hidden, by a rule or newsfold mark",
}
LINK_GROUPS: Final[Mapping[str, str]] = {
    group: ", ".join(info.word for info in OUTCOMES.values() if info.group == group)
    for group in dict.fromkeys(info.group for info in OUTCOMES.values())
}
FEATURES: Final[Mapping[str, str]] = {
    "image": "a picture",
    "amp": "an AMP address",
    "body": "text of its own beyond the excerpt",
    "related": "related entries",
}
SORTS: Final[Mapping[str, str]] = {
    "best": "best match first",
    "newest": "newest first",
    "oldest": "oldest first",
    "updated": "latest update first",
    "heat": "hottest first",
    "quality": "best source first",
    "coverage": "most covered first",
    "title": "by title",
    "outlet": "by outlet",
}
_SORT_ALIASES: Final = {
    "rank": "best",
    "relevance": "best",
    "new": "newest",
    "date": "newest",
    "old": "oldest",
}

FIELDS: Final[tuple[Field, ...]] = (
    Field("title", Kind.TEXT, "words in the headline", "title:beta"),
    Field("excerpt", Kind.TEXT, "words in the excerpt", 'excerpt:"early access"'),
    Field("body", Kind.TEXT, "words in the article's own text", "body:patch*"),
    Field("related", Kind.TEXT, "words in the headlines of related entries", "related:delay"),
    Field("topic", Kind.NAME, "a topic with this in its name", 'topic:"power apps"', ("topics",)),
    Field("outlet", Kind.NAME, "an outlet with this in its name", "outlet:times", ("provider", "source")),
    Field(
        "domain", Kind.DOMAIN, "the outlet's domain, sub-domains too", "domain:bbc.co.uk", ("site", "host")
    ),
    Field("type", Kind.NAME, "article, video, download, profile, collection", "type:video"),
    Field("category", Kind.NAME, "the publisher's category", "category:stats"),
    Field("url", Kind.ADDRESS, "this within one of its addresses", "url:/2023/", ("address",)),
    Field("tag", Kind.NAME, "a tag of yours", "tag:later", ("tags",)),
    Field("note", Kind.NAME, "this in your note", "note:compare", ("notes",)),
    Field("key", Kind.ADDRESS, "this within the article's key", "key:file:"),
    Field("quality", Kind.NUMBER, "how good the source is", "quality>=60"),
    Field("heat", Kind.NUMBER, "how it trended; -1 has gone cold", "heat>0"),
    Field("coverage", Kind.NUMBER, "related texts, its own left out", "coverage>3"),
    Field("outlets", Kind.NUMBER, "outlets that tell its story", "outlets>5"),
    Field("texts", Kind.NUMBER, "different texts of its story", "texts>2"),
    Field("after", Kind.AFTER, "published in this year, month, day or later", "after:2023-01", ("since",)),
    Field("before", Kind.BEFORE, "published before this year, month, day", "before:2023-06-01", ("until",)),
    Field("age", Kind.AGE, "time since it was published: m h d w mo y", "age<36h"),
    Field("published", Kind.TIME, "published in, before or after this", "published:2023-06", ("date",)),
    Field("updated", Kind.TIME, "updated in, before or after this", "updated:>2020"),
    Field("is", Kind.CHOICE, "its state", "is:unread", choices=STATES),
    Field("link", Kind.CHOICE, "what asking its address last gave", "link:gone", ("links",), LINK_GROUPS),
    Field("has", Kind.CHOICE, "what it comes with", "has:image", choices=FEATURES),
    Field("sort", Kind.SORT, "the order of the list", "sort:heat", ("order",), SORTS),
)
BY_NAME: Final[Mapping[str, Field]] = {name: f for f in FIELDS for name in (f.name, *f.aliases)}

_TIMES: Final = "2023, 2023-06, 2023-06-11, 2023-06-11T08:30, today, yesterday, 7d (so long ago)"
_SYNTAX: Final = (
    HelpRow("two words", "articles with both words, anywhere, in any order", "diablo beta"),
    HelpRow('"a phrase"', "these words in this order", '"open beta"'),
    HelpRow("begin*", "words, or a phrase's last word, that begin so", "barb*"),
    HelpRow("-this", "articles without it; NOT this is the same", "diablo -beta"),
    HelpRow("this OR that", "either; binds less than a blank", "beta OR demo"),
    HelpRow("( )", "brackets group", "diablo (beta OR demo)"),
)


def help_rows() -> tuple[HelpRow, ...]:
    """The whole language, line by line, for ``?`` and the README."""
    rows = list(_SYNTAX)
    for field in FIELDS:
        names = " ".join(f"{name}{_sign(field)}" for name in (field.name, *field.aliases))
        rows.append(HelpRow(names, _meaning(field), field.example))
    return tuple(rows)


def _sign(field: Field) -> str:
    return {Kind.NUMBER: ">", Kind.AGE: "<"}.get(field.kind, ":")


def _meaning(field: Field) -> str:
    match field.kind:
        case Kind.NAME | Kind.DOMAIN | Kind.ADDRESS:
            return f"{field.help}; {field.name}=… the whole of it"
        case Kind.NUMBER:
            return f"{field.help}; with = < <= > >="
        case Kind.TIME:
            return f"{field.help}; with : < <= > >="
        case Kind.AFTER:
            return f"{field.help}: {_TIMES}"
        case Kind.CHOICE | Kind.SORT if field.choices:
            return f"{field.help}: {', '.join(field.choices)}"
    return field.help


def find_sort(word: str) -> str | None:
    """The sort of that name or alias, or None."""
    word = word.casefold()
    word = _SORT_ALIASES.get(word, word)
    return word if word in SORTS else None


def nearest(word: str, known: Mapping[str, object]) -> str:
    """The name in *known* most like *word*, or empty when none is like it."""
    import difflib

    found = difflib.get_close_matches(word[:32].casefold(), list(known), n=1, cutoff=0.6)
    return found[0] if found else ""
