"""Text to tree. Whatever is not understood is complained of; everything else still runs."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from . import times
from .fields import BY_NAME, Field, Kind, find_sort, nearest
from .folding import fold, words
from .lexing import Lexeme, lex
from .nodes import (
    And,
    Compare,
    Complaint,
    FieldIs,
    Has,
    Link,
    Node,
    Phrase,
    Query,
    State,
    Time,
    Word,
    all_of,
    any_of,
    negated,
)

MAX_LENGTH: Final = 4096
"""Characters of a query that are read."""
MAX_TERMS: Final = 200
"""Terms that are run: SQLite bounds how deep an expression may be."""
MAX_DEPTH: Final = 16
"""Brackets within brackets; SQLite's own parser stops at about thirty."""
_BIGGEST: Final = 2**63 - 1
_KEPT: Final = 64
_KNOWN: Final[dict[str, Query]] = {}
"""Queries understood before that say the same at any time: a list asks its own again and again."""


def parse(text: str, now: datetime, zone: tzinfo | None = None) -> Query:
    """Understand *text* as far as it goes. Never raises, whatever *text* holds.

    *now* is an aware instant that spans and ``today`` count from; *zone* gives
    the local days, None is the machine's own. The tree holds absolute times,
    so what is saved for later is the text.
    """
    if (known := _KNOWN.get(text)) is not None:
        return known
    complaints: list[Complaint] = []
    if len(text) > MAX_LENGTH:
        reason = f"too long: only the first {MAX_LENGTH:,} characters are read"
        complaints.append(Complaint(MAX_LENGTH, len(text) - MAX_LENGTH, reason))
    lexemes = lex(text[:MAX_LENGTH])
    parser = _Parser(lexemes, _Terms(now, zone, complaints))
    root = all_of(part for part in [parser.query()] if part)
    complaints.sort(key=lambda c: c.column)
    query = Query(root, parser.terms.sort, tuple(complaints), text)
    if not parser.terms.of_now and len(text) <= MAX_LENGTH:
        if len(_KNOWN) >= _KEPT:
            _KNOWN.clear()
        _KNOWN[text] = query
    return query


def complaint(text: str, now: datetime) -> str:
    """What is wrong first with the query *text*, as ``column 9: why``; empty where nothing is."""
    found = parse(text, now).complaints
    return f"column {found[0].column + 1}: {found[0].reason}" if found else ""


class _Parser:
    """Recursive descent over or, and, not and brackets, never deeper than ``MAX_DEPTH``."""

    def __init__(self, lexemes: list[Lexeme], terms: _Terms) -> None:
        self.terms = terms
        self._lexemes = lexemes
        self._place = 0
        self._depth = 0
        self._skipped = 0

    def query(self) -> Node | None:
        return self._either()

    def _peek(self) -> Lexeme | None:
        return self._lexemes[self._place] if self._place < len(self._lexemes) else None

    def _complain(self, at: Lexeme, reason: str) -> None:
        self.terms.complain(at.start, at.end - at.start, reason)

    def _either(self) -> Node | None:
        parts: list[Node] = []
        last: Lexeme | None = None
        while True:
            before = self._place
            part = self._every()
            if part:
                parts.append(part)
            following = self._peek()
            sign = following if following and following.kind == "or" else None
            if self._place == before and (at := last or sign):
                self._complain(at, "OR needs something on both sides")
            if not sign:
                return any_of(parts) if parts else None
            last = sign
            self._place += 1

    def _every(self) -> Node | None:
        parts: list[Node] = []
        while lexeme := self._peek():
            if lexeme.kind == "or" or (lexeme.kind == ")" and self._depth and not self._skipped):
                break
            if lexeme.kind == ")":
                if self._skipped:
                    self._skipped -= 1
                else:
                    self._complain(lexeme, "this bracket was never opened")
                self._place += 1
            elif lexeme.kind == "and":
                self._place += 1
            elif part := self._unary():
                parts.append(part)
        return all_of(parts) if parts else None

    def _unary(self) -> Node | None:
        sign: Lexeme | None = None
        negative = False
        while (lexeme := self._peek()) and lexeme.kind == "not":
            sign, negative = lexeme, not negative
            self._place += 1
        if sign and (lexeme is None or lexeme.kind in (")", "or", "and")):
            self._complain(sign, "nothing follows that could be left out")
            return None
        if lexeme is None:
            return None
        self._place += 1
        if lexeme.kind == "(":
            part = self._brackets(lexeme)
        else:
            part = self.terms.term(lexeme, sign is not None)
            if negative and isinstance(part, And) and self._depth == MAX_DEPTH:
                self._complain(lexeme, "too deep in brackets to be left out")  # it stands for two terms
                return None
        return negated(part) if part and negative else part

    def _brackets(self, opening: Lexeme) -> Node | None:
        if self._depth == MAX_DEPTH:
            if not self._skipped:
                self._complain(opening, f"more than {MAX_DEPTH} brackets within each other: not grouped")
            self._skipped += 1
            return None
        self._depth += 1
        first = self._place
        part = self._either()
        self._depth -= 1
        if self._peek() is None:
            self._complain(opening, "this bracket is never closed")
        elif self._place == first:
            self._complain(opening, "nothing between the brackets")
        self._place += 1
        return part


class _Terms:
    """One term to one node, or a complaint and None."""

    def __init__(self, now: datetime, zone: tzinfo | None, complaints: list[Complaint]) -> None:
        self.sort: str | None = None
        self.of_now = False
        """Whether a term was met that says another thing at another time."""
        self._now = now
        self._zone = zone
        self._complaints = complaints
        self._count = 0

    def complain(self, column: int, length: int, reason: str, suggestion: str = "") -> None:
        self._complaints.append(Complaint(column, length, reason, suggestion))

    def term(self, lexeme: Lexeme, negated: bool) -> Node | None:
        self._count += 1
        if self._count > MAX_TERMS:
            if self._count == MAX_TERMS + 1:
                reason = f"only the first {MAX_TERMS} terms are run"
                self.complain(lexeme.start, lexeme.end - lexeme.start, reason)
            return None
        if not lexeme.closed:
            self.complain(lexeme.value_start, 1, "this quote is never closed")
        if not lexeme.name:
            return self._text(lexeme, None)
        field = BY_NAME.get(lexeme.name.lower())
        if not field:
            return self._unknown(lexeme)
        if not lexeme.value.strip():
            self._bad(lexeme, f"nothing after {lexeme.name}{lexeme.op}")
            return None
        if field.kind is Kind.SORT:
            self._sort(lexeme, negated)
            return None
        return self._field(field, lexeme)

    def _bad(self, lexeme: Lexeme, reason: str, suggestion: str = "") -> None:
        self.complain(lexeme.start, lexeme.end - lexeme.start, reason, suggestion)

    def _text(self, lexeme: Lexeme, field: str | None) -> Node | None:
        if not words(lexeme.value):
            self._bad(lexeme, "no letter or digit to look for")
            return None
        make = Phrase if lexeme.quoted else Word
        return make(lexeme.value, lexeme.starred, field)

    def _unknown(self, lexeme: Lexeme) -> Node | None:
        literal = f"{lexeme.name}{lexeme.op}{lexeme.value}"
        if lexeme.name.lower() in ("http", "https") and lexeme.value.startswith("//"):
            return FieldIs("url", " ".join(literal.split()))
        if lexeme.value:  # a bare "Exclusive:" is a word of a headline
            near = nearest(lexeme.name, BY_NAME)
            hint = f"; did you mean {near}{lexeme.op}?" if near else ""
            self.complain(lexeme.start, len(lexeme.name), f"no field is called {lexeme.name}{hint}", near)
        make = Phrase if lexeme.quoted else Word
        return make(literal, lexeme.starred)

    def _field(self, field: Field, lexeme: Lexeme) -> Node | None:
        match field.kind:
            case Kind.TEXT:
                self._only_colon(field, lexeme, (":",))
                return self._text(lexeme, field.name)
            case Kind.NAME | Kind.DOMAIN | Kind.ADDRESS:
                return self._value(field, lexeme)
            case Kind.NUMBER:
                return self._number(field, lexeme)
            case Kind.AGE:
                return self._age(lexeme)
            case Kind.CHOICE:
                return self._choice(field, lexeme)
        return self._time(field, lexeme)

    def _only_colon(self, field: Field, lexeme: Lexeme, allowed: tuple[str, ...] = (":", "=")) -> None:
        if lexeme.op not in allowed:
            column = lexeme.start + len(lexeme.name)
            reason = f"{field.name} goes with a colon; read as one"
            self.complain(column, len(lexeme.op), reason, ":")

    def _value(self, field: Field, lexeme: Lexeme) -> Node | None:
        self._only_colon(field, lexeme, (":", "=", ":="))
        text = " ".join(lexeme.value.split())
        if not fold(text).strip():
            self._bad(lexeme, f"nothing after {lexeme.name}{lexeme.op}")
            return None
        exact = lexeme.op in ("=", ":=")
        # An address is looked for within: a star behind it asks for nothing more.
        prefix = lexeme.starred and (exact or field.kind is not Kind.ADDRESS)
        return FieldIs(field.name, text, exact, prefix)

    def _number(self, field: Field, lexeme: Lexeme) -> Node | None:
        digits = lexeme.value.removeprefix("-").removeprefix("+")
        if not (digits.isascii() and digits.isdecimal()) or lexeme.starred:
            self._bad(lexeme, f"{field.name} is compared with a whole number, as in {field.example}")
            return None
        value = int(digits[:20]) if len(digits) < 20 else _BIGGEST
        value = min(value, _BIGGEST) * (-1 if lexeme.value[0] == "-" else 1)
        return Compare(field.name, lexeme.op.removeprefix(":") or "=", value)

    def _age(self, lexeme: Lexeme) -> Node | None:
        self.of_now = True
        length = times.span(lexeme.value)
        if length is None:
            self._bad(lexeme, "age is a number and m, h, d, w, mo or y, as in age<36h")
            return None
        op = lexeme.op.removeprefix(":")
        if op in ("", "="):
            column = lexeme.start + len(lexeme.name)
            self.complain(column, len(lexeme.op), "age goes with < or >; read as <", "<")
            op = "<"
        turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]
        return Time("published", turned, times.ago(length, self._now))

    def _time(self, field: Field, lexeme: Lexeme) -> Node | None:
        self.of_now = True
        found = None if lexeme.starred else times.period(lexeme.value, self._now, self._zone)
        if found is None:
            shapes = "2023, 2023-06, 2023-06-11, today, 7d"
            self._bad(lexeme, f"{field.name} needs a time, such as {shapes}")
            return None
        start, end = found
        if field.kind is not Kind.TIME:
            self._only_colon(field, lexeme)
            return Time("published", ">=" if field.kind is Kind.AFTER else "<", start)
        op = lexeme.op.removeprefix(":") or "="
        if start == end:
            if op == "=":
                upper = times.ago(times.ZERO, self._now) if times.span(lexeme.value) is not None else end
                return all_of([Time(field.name, ">=", start), Time(field.name, "<=", upper)])
            return Time(field.name, op, start)
        match op:
            case ">":
                return Time(field.name, ">=", end)
            case "<=":
                return Time(field.name, "<", end)
            case "=":
                return all_of([Time(field.name, ">=", start), Time(field.name, "<", end)])
        return Time(field.name, op, start)

    def _choice(self, field: Field, lexeme: Lexeme) -> Node | None:
        choices = field.choices or {}
        self._only_colon(field, lexeme)
        word = lexeme.value.strip().casefold()
        if word not in choices or lexeme.starred:
            near = nearest(word, choices)
            hint = f"; did you mean {near}?" if near else f": {', '.join(choices)}"
            length = lexeme.end - lexeme.value_start
            self.complain(lexeme.value_start, length, f"{field.name}: knows no {word}{hint}", near)
            return None
        if field.name == "is":
            return State(word)
        return Link(word) if field.name == "link" else Has(word)

    def _sort(self, lexeme: Lexeme, negated: bool) -> None:
        found = find_sort(lexeme.value.strip())
        if not found or negated or lexeme.starred:
            choices = BY_NAME["sort"].choices or {}
            near = nearest(lexeme.value, choices)
            hint = f"; did you mean {near}?" if near else f": {', '.join(choices)}"
            reason = "an order cannot be left out" if negated else f"sort: knows no {lexeme.value}{hint}"
            self._bad(lexeme, reason)
            return
        self._only_colon(BY_NAME["sort"], lexeme)
        if self.sort:
            self._bad(lexeme, "a second order: the last one counts")
        self.sort = found
