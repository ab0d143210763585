"""Everything a file or the network says passes here before a terminal sees it.

======================================================  =========================
characters                                              become
======================================================  =========================
C0 controls but tab and newline; ESC; DEL               their control picture, ␛
C1 controls, lone surrogates, noncharacters             U+FFFD
tab                                                     blanks
newline, CR, VT, FF, NEL, U+2028, U+2029                blank; in a block: newline
bidi embeddings, overrides, isolates and marks          nothing
zero-width space, word joiner, BOM, soft hyphen,        nothing
invisible operators, tag characters, Hangul fillers,
interlinear annotation, Mongolian vowel separator
braille blank, no-break and other odd spaces            blank
the fifth and later combining mark on one character     nothing
======================================================  =========================

Right-to-left scripts, ZWJ, ZWNJ and variation selectors stay: text is
unreadable without them. Nothing returned is ever to be parsed as markup.
Standard library only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

LINE_LIMIT: Final = 2_000
"""Characters kept of one line of untrusted text."""

_BLANK = " "
_ODD_SPACES = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2800\u3164"
)


def _table(newline: str) -> dict[int, str]:
    def to(what: str, codes: Iterable[int]) -> dict[int, str]:
        return dict.fromkeys(codes, what)

    table = {c: chr(0x2400 + c) for c in range(0x20)}
    table[0x7F] = "\u2421"
    table |= to("\ufffd", [*range(0x80, 0xA0), *range(0xFDD0, 0xFDF0)])
    table |= to("\ufffd", [plane * 0x10000 + end for plane in range(17) for end in (0xFFFE, 0xFFFF)])
    table |= to("", [0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0xFEFF, 0xFFA0])
    table |= to("", [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070)])
    table |= to("", [*range(0xFFF9, 0xFFFC), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE0080)])
    table |= to(_BLANK, map(ord, _ODD_SPACES))
    table |= to(newline, [0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029])
    table[0x09] = _BLANK if newline == _BLANK else "    "
    return table


_LINE_TABLE: Final = _table(_BLANK)
_BLOCK_TABLE: Final = _table("\n")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # 2,048 of them in two tables would take 250 KB
# What is translated, and combining marks: most text has none of it.
_SUSPECT: Final = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u0300-\u036f\u0483-\u0489\u0591-\u109f"
    "\u115f\u1160\u135d-\u135f\u1680\u1700-\u18af\u1920-\u1cff\u1dc0-\u1dff\u2000-\u200b\u200e-\u200f\u2028-\u202f"
    "\u205f-\u206f\u20d0-\u20f0\u2800\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\u302a-\u302f\u3099-\u309a\u3164\ua66f-\uabff\ud800-\udfff"
    "\ufb1e\ufdd0-\ufdef\ufe00-\ufe2f\ufeff\uffa0\ufff9-\uffff\U00010000-\U0010ffff]"
)
_HARMFUL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_RUN: Final = re.compile(r" {2,}")
_MAX_MARKS: Final = 4


def _translated(value: str, table: dict[int, str]) -> str:
    return _SURROGATE.sub("\ufffd", value).translate(table)


def clean(value: str, limit: int = LINE_LIMIT) -> str:
    """One line safe to print: see the table above; blanks folded, at most *limit* characters."""
    if len(value) > limit * 4:
        value = value[: limit * 4]
    # Printable ASCII, which most is, is told at a glance.
    if not (value.isascii() and value.isprintable()) and _SUSPECT.search(value):
        value = _cap_marks(_translated(value, _LINE_TABLE))
    value = value.strip()
    if "  " in value:
        value = _RUN.sub(_BLANK, value)
    return value if len(value) <= limit else value[: limit - 1] + "…"


def clean_block(value: str) -> str:
    """Many lines safe to print: as :func:`clean`, but newlines, indents and blanks stay."""
    if "\r" in value:
        value = value.replace("\r\n", "\n")
    if _SUSPECT.search(value):
        value = _cap_marks(_translated(value, _BLOCK_TABLE))
    return value


def inert(value: str) -> str:
    """*value* with what a terminal could act on taken out, its blanks as they are.

    The last gate before the screen, for text that was cleaned where it came in.
    """
    return _translated(value, _LINE_TABLE) if _HARMFUL.search(value) else value


def _cap_marks(value: str) -> str:
    # Text has many characters but few different ones.
    if value.isascii() or not any(unicodedata.category(char) in ("Mn", "Me") for char in set(value)):
        return value
    kept: list[str] = []
    run = 0
    for char in value:
        if unicodedata.category(char) in ("Mn", "Me"):
            run += 1
            if run > _MAX_MARKS:
                continue
        else:
            run = 0
        kept.append(char)
    return "".join(kept) if len(kept) != len(value) else value
