r"""The YAML that programs write, read line by line: the fast way for nearly every real file.

What is read here (all else gives None, and the whole file goes to
:mod:`.events`, which is the judge: for every text read here it makes the same
tree, with the same lines, unless it is one too long for its bounds)::

    text   = line*                      at most MAX_LINES, each ended by \n
    line   = nothing at all
           | blanks key ":"             null, or what the deeper lines hold
           | blanks key ": " scalar
           | blanks "- " key ":"        a map in a list; its further keys stand
           | blanks "- " key ": " scalar          below its first
           | blanks "- " scalar
           | blanks "-"                 null
    key    = [A-Za-z_] [A-Za-z0-9_-]{0,63}, once in its map
    scalar = '"' text without " or \, or with \" \\ \n \r \t '"'
           | "'" text, ' doubled "'"
           | "~" | plain
    plain  = text that starts with no YAML indicator and no blank ("-" before a
             digit may start it), holds no ": " and no " #", and ends in
             neither ":" nor a blank

Lines of one map stand in one column, the 128th at most, those of a map within it further right;
the dashes of a list stand in one column, that of its key or further right. A
key has a scalar or deeper lines, never both. Blanks are spaces; blanks may end a
line that has no scalar. No control characters (tab among them), no NEL, U+2028,
U+2029, byte order mark, U+FFFE or U+FFFF; nothing but UTF-8; at most MAX_DEPTH
maps and lists in each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from reader.model import JsonValue

from .tree import Fields, Lines, Tree
from .values import plain

MAX_LINES: Final = 12_800
"""A file with a thousand related articles has 12,000. The other way gives up at fewer."""
MAX_LOCATED: Final = 4_000
"""What a warning is about is looked for in so many lines; further down it gets the line of what it is in."""
MAX_DEPTH: Final = 60
MAX_ESCAPED: Final = 65_536

_CONTROLS: Final = bytes(code for code in range(0x20) if code != 0x0A) + b"\x7f"
_C1_FIRST: Final = b"\xc2"
_C1: Final = re.compile(rb"\xc2[\x80-\x9f]")

_HEAD: Final = re.compile(r"( {0,128})(- )?(?:([A-Za-z_][A-Za-z0-9_-]{0,63}): )?")
_INDICATORS: Final = frozenset(" -?:,[]{}#&*!|>'\"%@`")
_DIGITS: Final = frozenset("0123456789")
_ESCAPED: Final = re.compile(r'(?:[^"\\]|\\["\\nrt])*')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}

# A level says column and kind in one number: 2 * column for the dashes of a
# list, 2 * column + 1 for the keys of a map.
_Head = tuple[int, int, str | None]
"""Level of the line; level of the map that starts after its dash, or 0; key."""
_Entry = tuple[int, int, str | None, JsonValue, str | None]
"""A head, the value, and the key once more if deeper lines may give the value."""

# The same keys and short lines stand in every file: looked up, not read again.
_MEMO: Final = 4_096
_heads: dict[str, _Head] = {}
_entries: dict[str, _Entry] = {}
_SHORT: Final = 20


def parse(front: bytes, first_line: int = 2) -> Tree | None:
    """The tree of what stands between the fences, or None when it is not of this grammar."""
    size = len(front)
    if len(front.translate(None, _CONTROLS)) != size:
        return None
    if size >= MAX_LINES and front.count(b"\n") >= MAX_LINES:  # a shorter one need not be counted
        return None
    try:
        text = front.decode()
    except UnicodeDecodeError:
        return None
    if not text.isascii() and (
        (_C1_FIRST in front and _C1.search(front))
        or "\u2028" in text
        or "\u2029" in text
        or "\ufeff" in text
        or "\ufffe" in text
        or "\uffff" in text
    ):
        return None
    rows = text.split("\n")
    escapes = "\\" in text
    root = _read(rows, escapes)
    if root is None:
        return None

    def locate() -> tuple[Fields, Lines]:
        notes = _Notes(first_line)
        return _read(notes.follow(rows[:MAX_LOCATED]), escapes, notes) or {}, notes.lines

    return Tree(root, locate)


class _Notes:
    """Where each part stands, noted only when someone asks: it costs."""

    __slots__ = ("lines", "number")

    def __init__(self, first_line: int) -> None:
        self.lines: Lines = {}
        self.number = first_line - 1

    def follow(self, rows: Iterable[str]) -> Iterator[str]:
        for row in rows:
            self.number += 1
            yield row

    def part(self, here: Any, step: Any) -> None:
        self.lines[id(here), step] = self.number


def _read(rows: Iterable[str], escapes: bool, notes: _Notes | None = None) -> Fields | None:
    """The root map of the lines in *rows*, or None. *escapes*: whether there is a backslash in any.

    One long function, for it runs once for every line of every file and a call
    for each would cost a tenth of the whole.
    """
    root: Fields = {}
    # A map where level is odd, a list where it is even.
    here: Any = root
    level = 1
    pending: str | None = None
    value: JsonValue
    stack: list[tuple[int, Any]] = []
    heads, entries = _heads.get, _entries.get
    for line in rows:
        if (entry := entries(line)) is not None:
            # Short, and in some file before: two lines of three.
            code, item, key, value, bare = entry
        elif not line:
            continue
        elif (
            line[-1] == '"'
            and len(parts := line.split('"', 3)) == 3
            and (head := heads(parts[0]) or _head(parts[0]))
        ):
            # A quotation with none within.
            code, item, key = head
            bare = None
            value = parts[1]
            if escapes and "\\" in value:
                value = _unescape(value)
                if value is None:
                    return None
        elif (
            line[-1] == "Z"
            and (head := heads(line[:-20]))
            and " " not in (value := line[-20:])
            and value[0] in _DIGITS
        ):
            # A time, which is new in every file.
            code, item, key = head
            bare = None
        elif (entry := _entry(line)) is not None:
            code, item, key, value, bare = entry
        else:
            return None
        if code != level:
            if pending is not None and (code > level or (code == level - 1)):
                # Deeper, or a list whose dashes stand below their key.
                stack.append((level, here))
                if len(stack) >= MAX_DEPTH:
                    return None
                here[pending] = here = {} if code & 1 else []
                level = code
            else:
                while code < level and stack:
                    level, here = stack.pop()
                if code == level + 1 and stack and stack[-1][0] == code:
                    level, here = stack.pop()
                if code != level:
                    return None
        if notes is not None:
            notes.part(here, len(here) if key is None or item else key)
        if item:
            stack.append((level, here))
            opened: Fields = {}
            here.append(opened)
            here, level = opened, item
            if notes is not None:
                notes.part(here, key)
        elif key is None:
            here.append(value)
            pending = None
            continue
        elif key in here:
            return None
        here[key] = value
        pending = bare
    return root


def _head(start: str) -> _Head | None:
    """What stands before a value: blanks, a dash or not, a key with its colon or (after a dash) none."""
    match = _HEAD.fullmatch(start)
    if match is None:
        return None
    column, dash, key = len(match[1]), match[2], match[3]
    if dash:
        head: _Head = (2 * column, 2 * column + 5 if key else 0, key)
    elif key:
        head = (2 * column + 1, 0, key)
    else:
        return None
    if len(_heads) >= _MEMO:
        _heads.clear()
    _heads[start] = head
    return head


def _entry(line: str) -> _Entry | None:
    """What any line says, or None when it is none of this grammar."""
    start, colon, text = line.partition(": ")
    if colon or line[-1] == ":":
        start = start + ": " if colon else line + " "
    else:
        start, dash, text = line.partition("-")
        if dash and text[:1] in ("", " "):
            start, text = start + "- ", text[1:]
    head = _heads.get(start) or _head(start)
    if head is None:
        return None
    value, bare = None, None
    if not text.strip(" "):
        bare = head[2]
    elif text[0] in "\"'":
        value = _quoted(text)
        if value is None:
            return None
    elif text != "~":
        if text[0] in _INDICATORS and not (text[0] == "-" and text[1:2] in _DIGITS):
            return None
        if text[-1] in ": " or ": " in text or " #" in text:
            return None
        value = plain(text)
    entry = (*head, value, bare)
    if len(text) < _SHORT:
        if len(_entries) >= _MEMO:
            _entries.clear()
        _entries[line] = entry
    return entry


def _quoted(text: str) -> str | None:
    inner = text[1:-1]
    if len(text) < 2 or text[0] != text[-1]:
        return None
    if text[0] == '"':
        return _unescape(inner)
    return None if "'" in inner.replace("''", "") else inner.replace("''", "'")


def _unescape(text: str) -> str | None:
    rest = text.replace('\\"', "")
    if "\\" not in rest and '"' not in rest:
        return text.replace('\\"', '"')
    if len(text) > MAX_ESCAPED or not _ESCAPED.fullmatch(text):
        return None
    return _ESCAPE.sub(lambda match: _ESCAPES[match[1]], text)
