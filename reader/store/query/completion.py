"""What could be typed next at the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reader.values import dataclass

from .canonical import quoted
from .fields import BY_NAME, FIELDS, Field, Kind
from .folding import fold
from .lexing import OPENING, Lexeme, lex
from .matching import stands_in
from .parsing import MAX_LENGTH

MAX_OFFERS: Final = 50
_REST_OF_NAME: Final = re.compile(r"[A-Za-z_]*:?")
_REST_OF_WORD: Final = re.compile(rf"[^\s(){OPENING}]*")
_NAME: Final = re.compile(r"[A-Za-z_]*")
_TIMES: Final = {
    "today": "since midnight",
    "yesterday": "the day before",
    "7d": "a week ago",
    "1mo": "30 days ago",
}


@dataclass(frozen=True, slots=True)
class Completion:
    """``text[start:end]`` is to become *insert*; *label* is shown, *meaning* beside it.

    Columns count characters from 0. The label may come from a file: clean it.
    """

    start: int
    end: int
    insert: str
    label: str
    meaning: str = ""


def complete(text: str, cursor: int, values: Mapping[str, Sequence[str]]) -> list[Completion]:
    """Offers for the term at *cursor*, best first, at most ``MAX_OFFERS``.

    *values* gives the names that exist for fields (topic, outlet, domain,
    type, category, tag), in the order they are to be offered. Never raises.
    """
    cursor = max(0, min(cursor, len(text), MAX_LENGTH))
    lexemes = lex(text[:cursor])
    last = lexemes[-1] if lexemes and lexemes[-1].end == cursor else None
    if last is None or last.kind in ("not", "("):
        return list(_names("", cursor, cursor))
    if last.kind != "term" or last.starred or (last.quoted and last.closed):
        return []
    if not last.name:
        if last.quoted or not _NAME.fullmatch(last.value):
            return []
        rest = _REST_OF_NAME.match(text, cursor)
        return list(_names(last.value, last.start, rest.end() if rest else cursor))
    field = BY_NAME.get(last.name.lower())
    if field is None:
        return []
    return _offers(field, last, _end(text, last), values)


def _names(begun: str, start: int, end: int) -> Iterator[Completion]:
    begun = begun.lower()
    for field in FIELDS:
        # An alias is only offered to who has begun to type it.
        names = (field.name,) if field.name.startswith(begun) else field.aliases
        for name in names:
            if name.startswith(begun):
                sign = {Kind.NUMBER: ">=", Kind.AGE: "<"}.get(field.kind, ":")
                yield Completion(start, end, name + sign, name + sign, field.help)


def _end(text: str, term: Lexeme) -> int:
    if term.quoted:
        return term.end + (text[term.end : term.end + 1] == '"')
    rest = _REST_OF_WORD.match(text, term.end)
    return rest.end() if rest else term.end


def _offers(field: Field, term: Lexeme, end: int, values: Mapping[str, Sequence[str]]) -> list[Completion]:
    known = field.choices
    if known is None and field.kind in (Kind.AFTER, Kind.BEFORE, Kind.TIME):
        known = _TIMES
    if known is None:
        known = dict.fromkeys(values.get(field.name, ()), "")
    wanted = fold(term.value).strip()
    begin: list[Completion] = []
    inside: list[Completion] = []
    for value, meaning in known.items():
        held = fold(value)
        offer = Completion(term.value_start, end, quoted(value), value, meaning)
        if held.startswith(wanted):
            begin.append(offer)
            if len(begin) == MAX_OFFERS:
                break
        elif stands_in(wanted, held, True):
            inside.append(offer)
    return (begin + inside)[:MAX_OFFERS]
