"""The measuring tools of the tests of the terminal measure: nothing hostile would pass them unseen."""

from __future__ import annotations

import re

from hostile_text import BIDI, strings
from sequences import sequences

from reader.text import clean, clean_block, inert

BENIGN = b"\x1b[?2026h\x1b[1;1H\x1b[0;1;38;2;1;2;3;48;2;4;5;6mwords\x1b[0m\x1b[?2026l"
_HARM = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029{BIDI}]")


def test_numbers_of_colours_and_places_are_left_out() -> None:
    assert sequences(BENIGN) == {
        "csi \\x1b[ '?2026h'", "csi \\x1b[ '?2026l'", "CSI n;nH", "SGR 0", "SGR 1", "SGR 38;2", "SGR 48;2",
    }  # fmt: skip
    assert sequences(b"\x1b[7;9H\x1b[38;2;9;9;9m") <= sequences(BENIGN)


def test_more_than_a_thousand_strings() -> None:
    assert len(strings()) >= 1_000


def test_each_harmful_string_would_be_seen() -> None:
    unseen = []
    for text in strings():
        raw = BENIGN[:20] + text.encode("utf-8", "surrogatepass") + BENIGN[20:]
        if _HARM.search(text) and not sequences(raw) - sequences(BENIGN):
            unseen.append(text)
    # A place or an end of colours, in the very words of the screen itself: the tag of pwn tells these.
    assert [text for text in unseen if "pwn" not in text] == []


def test_cleaned_they_are_words() -> None:
    for text in strings():
        assert _HARM.search(inert(text)) is None, ascii(text[:60])
        for safe in (clean(text), clean_block(text).replace("\n", " ")):
            assert sequences(safe.encode()) == set(), ascii(text[:60])
