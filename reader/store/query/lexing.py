"""A query's characters as lexemes with their places. Linear in the text; never raises."""

from __future__ import annotations

import re
from typing import Final

from reader.values import dataclass

OPENING: Final = '"“”„'
_CURLY: Final = re.compile(r'[^"“”]*')
_STRAIGHT: Final = re.compile(r'(?:[^"\\]|\\["\\]|\\)*')
_BARE: Final = re.compile(rf"[^\s(){OPENING}]*")
_HEAD: Final = re.compile(r"([A-Za-z_]+)(:[<>]=|:[<>=]|[<>]=|[:<>=])")
_ESCAPE: Final = re.compile(r'\\(["\\])')
_BLANKS: Final = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Lexeme:
    """``kind`` is one of ``( ) not and or term``; ``text[start:end]`` is what was typed.

    A term has a *name* and *op* when it looks like a field, its *value*
    without quotes and stars, where that value starts, and whether it was
    *quoted*, *starred*, and the quote *closed*.
    """

    kind: str
    start: int
    end: int
    name: str = ""
    op: str = ""
    value: str = ""
    value_start: int = 0
    quoted: bool = False
    starred: bool = False
    closed: bool = True


def lex(text: str) -> list[Lexeme]:
    """All lexemes of *text* in order."""
    found: list[Lexeme] = []
    place = _skip(text, 0)
    while place < len(text):
        lexeme = _next(text, place)
        found.append(lexeme)
        place = _skip(text, lexeme.end)
    return found


def escaped(value: str) -> str:
    """*value* in straight quotes, as :func:`lex` reads it back."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _skip(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


def _next(text: str, place: int) -> Lexeme:
    char = text[place]
    if char in "()":
        return Lexeme(char, place, place + 1)
    if char == "-" and place + 1 < len(text) and not (text[place + 1].isspace() or text[place + 1] == ")"):
        return Lexeme("not", place, place + 1)
    head = _HEAD.match(text, place)
    start = head.end() if head else place
    name, op = (head[1], head[2]) if head else ("", "")
    if start < len(text) and text[start] in OPENING:
        return _quoted(text, place, start, name, op)
    bare = _BARE.match(text, start)
    end = bare.end() if bare else start
    word = text[start:end]
    if not name and word in ("OR", "AND", "NOT"):
        return Lexeme(word.lower(), place, end)
    value = word.rstrip("*")
    return Lexeme("term", place, end, name, op, value, start, starred=value != word)


def _quoted(text: str, place: int, start: int, name: str, op: str) -> Lexeme:
    straight = text[start] == '"'
    inner = (_STRAIGHT if straight else _CURLY).match(text, start + 1)
    end = inner.end() if inner else start + 1
    value = text[start + 1 : end]
    if straight:
        value = _ESCAPE.sub(r"\1", value)
    closed = end < len(text)
    end += closed
    stars = len(text[end:]) - len(text[end:].lstrip("*"))
    return Lexeme("term", place, end + stars, name, op, value, start, True, stars > 0, closed)
