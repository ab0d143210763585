"""How text is made comparable, and what the full-text table is fed.

Folding is compatibility decomposition, case folding, and the removal of
diacritics, letter strokes, format characters and variation selectors. Signs
that are letters in their script stay: Indic vowel signs and viramas, kana
voicing marks, Thai vowels and tones.

A *word* is a run of letters, digits, private-use characters and the marks
that stayed; all else separates. A run in a script written without blanks
(Han, kana, Hangul, Bopomofo, Thai, Lao, Khmer, Myanmar) is a word of its own
and is found by any part of it: the table holds each of its characters with
the next one, and the last alone, so ``東京都`` is kept as ``東京 京都 都``.

What that costs: for 2.4 MB of made-up Chinese, drawn character by character,
the table took 3.9 MB, 1.6 times the text. SQLite's ``trigram`` took 7.1 MB,
does not find two characters, and for 2 MB of real English files took six
times what this does. Text in other scripts is stored as its plain words.

The table is declared with ``tokenize=ascii``, which only splits at ASCII
signs and blanks; all else has been done here. SQLite's own ``unicode61``
splits हिन्दी at its vowel signs, folds neither й nor ή, and takes a run
without blanks for one word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .nodes import Phrase, Word

TOKENIZER: Final = "ascii"
"""FTS5's tokenizer for text that has been through :func:`index_text`."""

COLUMNS: Final = ("title", "excerpt", "body", "related")
"""The columns of the full-text table, and no others: a word without a field is looked for in all."""

MAX_WORD: Final = 64
"""Characters of a word that count. Longer ones are encoded payloads, which would bloat the index."""

SIGNS: Final = "\u2019\u2018\u201c\u201d\u2013\u2014\u2026\u2022\xa0\xab\xbb\xae\xa9\xb0"
"""Quotes, dashes and the like: between two words each is what a blank is."""

_SEAM: Final = "¶"
"""Stands between joined texts. No word holds it, so no phrase runs across."""

# Letters that Unicode does not take apart although a reader would.
_STROKES: Final = {
    ord(letter): plain
    for letter, plain in {
        "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th",
    }.items()
}  # fmt: skip
_UNSEEN: Final = frozenset([0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0])
"""Joiners and fillers that are letters or marks by name only."""

_CONTINUOUS_RANGES: Final = (
    "\u0e01-\u0e3a\u0e40-\u0e5b\u0e81-\u0edf\u1000-\u109f\u1780-\u17d3\u17dc-\u17df"
    "\u1100-\u11ff\u3005-\u3007\u3021-\u302f\u3031-\u3035\u3038-\u303c\u3041-\u3096\u3099\u309a\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97c\uac00-\ud7fb\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003fffd"
)
_BEYOND_ASCII: Final = re.compile("[^\x00-\x7f]+")
_SPACED: Final = re.compile("[a-z0-9\x80-\U0010ffff]+")
_PIECE: Final = 128
"""Characters folded at once: the marks on one character are sorted, in the square of their number."""
_ASCII_BLANKS: Final = {c: " " for c in range(128) if not chr(c).isalnum()}
_ASCII_WORDS: Final = bytes(ord(chr(c).lower()) if c < 128 and chr(c).isalnum() else 0x20 for c in range(256))


# Their sets take milliseconds to compile, and mostly all text is ASCII.


@cache
def _continuous() -> re.Pattern[str]:
    return re.compile(f"[{_CONTINUOUS_RANGES}]")


@cache
def _runs() -> re.Pattern[str]:
    """Runs in scripts written without blanks, and runs of all else."""
    return re.compile(f"[{_CONTINUOUS_RANGES}]+|[^ {_CONTINUOUS_RANGES}]+")


class _Folding(dict[int, str | int | None]):
    """What a decomposed, case-folded character becomes; worked out once a character."""

    def __missing__(self, code: int) -> str | int | None:
        self[code] = result = self._work_out(code)
        return result

    @staticmethod
    def _work_out(code: int) -> str | int | None:
        if code in _STROKES:
            return _STROKES[code]
        char = chr(code)
        category = unicodedata.category(char)
        if (
            code in _UNSEEN
            or category in ("Cf", "Me")
            or 0xFE00 <= code <= 0xFE0F
            or 0xE0100 <= code <= 0xE01EF
        ):
            return None
        if category == "Cs":  # half a character: SQLite could not store it
            return 0xFFFD
        if category == "Mn":
            place = unicodedata.combining(char)
            # Accents above and below, Hebrew points and Arabic harakat; not viramas, voicing or vowels.
            if place >= 200 or 10 <= place <= 36 or place == 1:
                return None
        return code


class _Blanks(dict[int, str | int]):
    """A folded character that is part of a word becomes itself, any other a blank."""

    def __missing__(self, code: int) -> str | int:
        category = unicodedata.category(chr(code))
        self[code] = result = code if category[0] in "LNM" or category == "Co" else " "
        return result


_FOLDING: Final = _Folding()
_BLANKS: Final = _Blanks()


def fold(text: str) -> str:
    """*text* without case, diacritics and odd forms; signs and blanks as they were. Never raises."""
    # Folding never reaches across an ASCII character: no mark that stays joins one. Most text is ASCII.
    if text.isascii():
        return text.lower()
    if _dense(text):
        return "".join(map(_fold_piece, _pieces(text))).lower()
    return _BEYOND_ASCII.sub(_fold_run, text).lower()


def _dense(text: str) -> bool:
    """Whether so much of *text* is beyond ASCII that it is quicker to treat all of it alike."""
    return len(text) > _PIECE and len(text.encode("utf-8", "surrogatepass")) * 7 > len(text) * 8


def _fold_run(run: re.Match[str]) -> str:
    text = run[0]
    return _fold_piece(text) if len(text) <= _PIECE else "".join(map(_fold_piece, _pieces(text)))


def _pieces(text: str) -> Iterator[str]:
    """*text* cut before characters that join none before them, where there are such."""
    at = 0
    while len(text) - at > _PIECE:
        end = at + _PIECE
        while end > at + 1 and not _begins(text[end]):
            end -= 1
        if end == at + 1:
            end = at + _PIECE
        yield text[at:end]
        at = end
    yield text[at:]


def _begins(char: str) -> bool:
    # Hangul vowels and finals join what stands before them though they are no marks; so do a few vowel signs.
    return (
        not unicodedata.combining(char)
        and unicodedata.category(char)[0] != "M"
        and not "\u1160" <= char <= "\u11ff"
    )


@lru_cache(maxsize=4_096)
def _fold_piece(text: str) -> str:
    # One character may stand for eighteen; a run of such is cut.
    text = unicodedata.normalize("NFKD", text)[: 4 * len(text) + 64].casefold()
    text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFKD", text).translate(_FOLDING)
    return unicodedata.normalize("NFC", text)


def words(text: str) -> list[str]:
    """The words of *text*, folded, in order; a run of a script without blanks is one word."""
    return _split(text)[0]


def _split(text: str) -> tuple[list[str], bool]:
    """The words, and whether any is a run of a script without blanks."""
    if text.isascii():
        return [w[:MAX_WORD] for w in text.lower().translate(_ASCII_BLANKS).split()], False
    folded = fold(text)
    if _continuous().search(folded):
        found = _runs().findall(folded.translate(_BLANKS))
        return [w if is_continuous(w) else w[:MAX_WORD] for w in found], True
    if _dense(folded):
        return [w[:MAX_WORD] for w in folded.translate(_BLANKS).split()], False
    blanked = _BEYOND_ASCII.sub(lambda run: run[0].translate(_BLANKS), folded)
    return [w[:MAX_WORD] for w in _SPACED.findall(blanked)], False


def placed_words(folded: str) -> list[tuple[str, int]]:
    """The words of an already *folded* text, each with where it starts there."""
    return [
        (found[0] if is_continuous(found[0]) else found[0][:MAX_WORD], found.start())
        for found in _runs().finditer(folded.translate(_BLANKS))
    ]


def is_continuous(word: str) -> bool:
    """Whether *word*, out of :func:`words`, is of a script written without blanks."""
    return not word.isascii() and _continuous().match(word) is not None


def index_text(*texts: str) -> str:
    """What is put in the full-text table for *texts*, which no phrase runs across.

    Only folded words, pairs and blanks: safe to store whatever came in. Give
    the same texts again to take a row out of a contentless table.
    """
    return f" {_SEAM} ".join(
        [_ascii_words(text) if text.isascii() else " ".join(_stored(text)) for text in texts]
    )


def _ascii_words(text: str) -> str:
    """The words of *text*, in bytes, which is three times as fast as :func:`_stored`; blanks as they come."""
    blanked = text.encode().translate(_ASCII_WORDS)
    if _has_long(blanked):
        return b" ".join([word[:MAX_WORD] for word in blanked.split()]).decode()
    return blanked.decode()


def _has_long(blanked: bytes) -> bool:
    """Whether a word is longer than MAX_WORD."""
    at = 0
    while len(blanked) - at > MAX_WORD:
        at = blanked.rfind(b" ", at, at + MAX_WORD + 1) + 1
        if not at:
            return True
    return False


def _stored(text: str) -> list[str]:
    # Mostly all that is beyond ASCII are a few signs, which only part words.
    plain = text
    for sign in SIGNS:
        if sign in plain:
            plain = plain.replace(sign, " ")
    if plain.isascii():
        return [_ascii_words(plain)]
    found, any_run = _split(text)
    if not any_run:
        return found
    stored: list[str] = []
    for word in found:
        if is_continuous(word):
            stored += _pairs(word)
            stored.append(word[-1])
        else:
            stored.append(word)
    return stored


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def match_expression(text: str, prefix: bool = False, column: str | None = None) -> str:
    """An FTS5 expression for *text* as consecutive words, the last a beginning if *prefix*.

    Every term is quoted and holds nothing but word characters, so no text can
    raise or escape. Empty when *text* holds no word. *column* is one of
    :data:`COLUMNS`; None looks in all.
    """
    found = words(text)
    terms: list[str] = []
    for number, word in enumerate(found, 1):
        if not is_continuous(word):
            terms.append(word)
            continue
        # The last run may go on in the text, so its last character is not asked to stand alone.
        terms += _pairs(word)
        if number < len(found):
            terms.append(word[-1])
        elif len(word) == 1:
            terms.append(word)
            prefix = True
    if not terms:
        return ""
    expression = f'"{" ".join(terms)}"' + ("*" if prefix else "")
    return f"{column} : {expression}" if column else expression


def fts_terms(node: Word | Phrase) -> str:
    """The FTS5 expression for one word or phrase: safe whatever it holds, empty if it holds no word."""
    return match_expression(node.text, node.prefix, node.field)
