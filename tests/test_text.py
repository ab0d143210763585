"""The table of :mod:`reader.text`, code point by code point, and what holds for every string."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hostile_text import BIDI, strings
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reader.text import LINE_LIMIT, clean, clean_block, inert

GONE = "gone"
NEWLINE = "newline"
# The table as the documentation has it, in code points: (first, last, what becomes of them in a line).
TABLE: list[tuple[int, int, str]] = [
    (0x00, 0x08, "picture"),
    (0x09, 0x09, "tab"),
    (0x0A, 0x0D, NEWLINE),
    (0x0E, 0x1F, "picture"),
    (0x7F, 0x7F, "\u2421"),
    (0x80, 0x84, "\ufffd"),
    (0x85, 0x85, NEWLINE),
    (0x86, 0x9F, "\ufffd"),
    (0xA0, 0xA0, " "),
    (0xAD, 0xAD, GONE),
    (0x034F, 0x034F, GONE),
    (0x061C, 0x061C, GONE),
    (0x115F, 0x1160, GONE),
    (0x1680, 0x1680, " "),
    (0x17B4, 0x17B5, GONE),
    (0x180E, 0x180E, GONE),
    (0x2000, 0x200A, " "),
    (0x200B, 0x200B, GONE),
    (0x200E, 0x200F, GONE),
    (0x2028, 0x2029, NEWLINE),
    (0x202A, 0x202E, GONE),
    (0x202F, 0x202F, " "),
    (0x205F, 0x205F, " "),
    (0x2060, 0x206F, GONE),
    (0x2800, 0x2800, " "),
    (0x3164, 0x3164, " "),
    (0xD800, 0xDFFF, "\ufffd"),
    (0xFDD0, 0xFDEF, "\ufffd"),
    (0xFEFF, 0xFEFF, GONE),
    (0xFFA0, 0xFFA0, GONE),
    (0xFFF9, 0xFFFB, GONE),
    *((plane * 0x10000 + 0xFFFE, plane * 0x10000 + 0xFFFF, "\ufffd") for plane in range(17)),
    (0x1D173, 0x1D17A, GONE),
    (0xE0000, 0xE007F, GONE),
]


def expected() -> dict[int, tuple[str, str]]:
    """What each code point of the table becomes in a line and in a block; all others stay."""
    found = {}
    for first, last, what in TABLE:
        for code in range(first, last + 1):
            if what == "picture":
                line = block = chr(0x2400 + code)
            elif what == "tab":
                line, block = " ", "    "
            elif what == NEWLINE:
                line, block = " ", "\n"
            else:
                line = block = "" if what == GONE else what
            found[code] = (line, block)
    return found


EXPECTED = expected()


def test_every_code_point_in_a_line_and_in_a_block() -> None:
    # Those of the table one by one, as one may hide another; those that stay in tens.
    stay = [code for code in range(sys.maxunicode + 1) if code not in EXPECTED]
    texts = [*map(chr, EXPECTED), *("b a".join(map(chr, stay[n : n + 64])) for n in range(0, len(stay), 64))]
    wrong = []
    for text in texts:
        line, block = EXPECTED[ord(text)] if len(text) == 1 else (text, text)
        if clean_block(f"a{text}b") != f"a{block}b" or clean(f"a{text}b") != f"a{line}b":
            wrong.append(ascii(text))
    assert wrong == []


def test_the_last_gate_stops_what_a_terminal_could_act_on() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        acts = unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in BIDI
        assert inert(f" a{char}  b ") == (f" a{EXPECTED[code][0]}  b " if acts else f" a{char}  b "), hex(
            code
        )


def test_every_combining_mark_is_capped() -> None:
    for code in range(sys.maxunicode + 1):
        mark = chr(code)
        if code not in EXPECTED and unicodedata.category(mark) in ("Mn", "Me"):
            assert clean("a" + mark * 50) == clean_block("a" + mark * 50) == "a" + mark * 4, hex(code)
            assert clean(f"a{mark}b" * 9) == f"a{mark}b" * 9, hex(code)


def test_marks_of_several_kinds_are_counted_together() -> None:
    assert clean("e\u0301\u0300\u20dd\u0eb1\u0302\u200b\u0303") == "e\u0301\u0300\u20dd\u0eb1"


def test_length_is_capped() -> None:
    assert clean("x" * LINE_LIMIT) == "x" * LINE_LIMIT
    assert clean("x" * (LINE_LIMIT + 1)) == "x" * (LINE_LIMIT - 1) + "…"
    assert clean("x" * 10_000_000) == clean("x" * (LINE_LIMIT + 1))
    assert clean("abcdef", 4) == "abc…"
    assert len(clean("\x1b" * 10_000)) == LINE_LIMIT


def test_blanks_are_folded_in_a_line_and_kept_in_a_block() -> None:
    assert clean("  a \t b\n\n c  ") == "a b c"
    assert clean_block("  a\r\n\tb\rc\x0bd\u2028e  ") == "  a\n    b\nc\nd\ne  "
    assert inert("  a  ") == "  a  "


@pytest.mark.parametrize(
    "text",
    [
        "مرحبا بالعالم، كيف الحال؟",
        "מִקְרָא בְּעִבְרִית",
        "می‌خواهم",  # a ZWNJ that Persian cannot do without
        "क्‍ष",  # a ZWJ that Devanagari cannot do without
        "ສະບາຍດີ ຊາວໂລກ",
        "สวัสดีชาวโลก",
        "བོད་སྐད",
        "Việt Nam, Ñandú, Å",
        "👩‍👩‍👧 🏳️‍🌈 1️⃣ 🇪🇺 👍🏽",
        "漢字かな交じり文、한국어",
        "½ → ∞ “quotes” – dashes…",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert clean(text) == text
    assert clean_block(text) == text
    assert inert(text) == text


def test_markup_is_left_to_those_who_must_not_parse_it() -> None:
    for text in ("[red]a[/red]", "[@click=app.quit]a[/]", "\\[b]", "**a** <b>b</b> &#27;", "%s {0}"):
        assert clean(text) == clean_block(text) == inert(text) == text


# -- what holds for every string -----------------------------------------------

_ALLOWED = re.compile(
    "[" + "".join(f"\\U{code:08x}" for code, (line, _) in EXPECTED.items() if line != chr(code)) + "]"
)
_ALL_TABLE = st.characters(exclude_categories=()) | st.sampled_from([chr(code) for code in EXPECTED])
_TEXTS = st.text(_ALL_TABLE, max_size=60) | st.sampled_from(strings())


def longest_run(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        longest = max(longest, run)
    return longest


def assert_line(text: str) -> None:
    once = clean(text)
    assert _ALLOWED.search(once) is None
    assert longest_run(once) <= 4
    assert len(once) <= LINE_LIMIT
    assert once == once.strip()
    assert clean(once) == once
    assert inert(once) == once
    assert clean_block(once) == once


def assert_block(text: str) -> None:
    once = clean_block(text)
    assert _ALLOWED.search(once.replace("\n", "")) is None
    assert longest_run(once) <= 4
    assert clean_block(once) == once
    assert sum(map(len, once.split("\n"))) <= 4 * len(text)


@given(_TEXTS, st.integers(1, 40))
@settings(max_examples=400, deadline=None)
@example("a\u0301\u0301\u0301\u0301\u200b\u0301", 3)
@example(" \u3000\u2028 ", 1)
def test_any_text(text: str, limit: int) -> None:
    assert_line(text)
    assert_block(text)
    short = clean(text, limit)
    assert len(short) <= limit
    assert clean(short, limit) == short
    assert not re.search(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029{BIDI}]", inert(text))
    assert inert(inert(text)) == inert(text)


def test_every_hostile_string() -> None:
    for text in strings():
        assert_line(text)
        assert_block(text)
