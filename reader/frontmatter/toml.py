"""Front matter between ``+++`` lines: TOML, by way of the standard library."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any, Final

from reader.model import JsonValue
from reader.text import clean

from .tree import Fault, Fields, Lines, Tree
from .values import plain

MAX_TOML: Final = 32_768
"""Characters; the parser is pure Python and this takes it some 30 ms."""
MAX_DEPTH: Final = 64

# A key of very many parts makes the parser copy for minutes.
_LONG_KEY: Final = re.compile(
    r"""(?<![\w-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}"""
)
_KEY: Final = re.compile(r"""[ \t]*+\[*+[ \t]*+["']?+([^\s.\]=\"']++)""")
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def parse(text: str, first_line: int = 2) -> Tree | Fault:
    """The tree of the TOML in *text*; never raises. Times become ISO text, numbers keep their text."""
    if len(text) > MAX_TOML:
        return Fault(first_line, f"TOML front matter longer than {MAX_TOML // 1024} KiB")
    if long := _LONG_KEY.search(text):
        return Fault(first_line + text.count("\n", 0, long.start()), "a key of very many parts")
    import tomllib

    try:
        loaded = tomllib.loads(text, parse_float=_Float)
    except RecursionError:
        return Fault(first_line, f"nested more than {MAX_DEPTH} deep")
    except ValueError as error:
        return _fault(str(error), text, first_line)
    root = _json(loaded, 0)
    if not isinstance(root, dict):
        return Fault(first_line, f"nested more than {MAX_DEPTH} deep")
    return Tree(root, lambda: (root, _lines(root, text, first_line)))


class _Float(str):
    """A float's own text on its way through the parser."""

    __slots__ = ()


class _TooDeep:
    pass


def _fault(message: str, text: str, first_line: int) -> Fault:
    place = _PLACE.search(message)
    lines = max(text.count("\n"), 1)
    line = first_line + (min(int(place[1]), lines) if place and place[1] else lines) - 1
    return Fault(line, f"the TOML is broken: {clean(_PLACE.sub('', message), 120)}")


def _json(value: Any, depth: int) -> JsonValue | _TooDeep:
    """*value* as JSON, or _TooDeep."""
    if depth > MAX_DEPTH:
        return _TooDeep()
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        made = {key: _json(inner, depth + 1) for key, inner in pairs}
        if any(isinstance(inner, _TooDeep) for inner in made.values()):
            return _TooDeep()
        return made if isinstance(value, dict) else list(made.values())
    if isinstance(value, _Float):
        return plain(str(value))
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 10**18 else _digits(value)
    return value


def _digits(value: int) -> str:
    # Beyond some thousand digits Python refuses the decimal form.
    return str(value) if value.bit_length() < 10_000 else hex(value)


def _lines(root: Fields, text: str, first_line: int) -> Lines:
    """The lines of the top-level keys; what lies deeper is reported at its key."""
    lines: Lines = dict.fromkeys([(id(root), key) for key in root], first_line)
    seen: set[str] = set()
    for number, row in enumerate(text.split("\n"), first_line):
        found = _KEY.match(row)
        if found and (key := found[1]) in root and key not in seen:
            seen.add(key)
            lines[id(root), key] = number
    return lines
