"""Where in a text a query's words stand, for the list and the article to show."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .folding import fold, is_continuous, placed_words, words
from .matching import fits
from .nodes import Node, Phrase, Word, walk

MAX_TEXT: Final = 20_000
"""Characters of a text that are looked at."""


def hits(node: Node, text: str, column: str) -> list[tuple[int, int]]:
    """The spans of *text* that *node* looks for in *column*, in order, none overlapping.

    Spans are of *text* as given, so give it as it will be shown. What is
    negated is not looked for. Empty where folding cannot be traced back.
    """
    wanted = [
        (words(part.text), part.prefix)
        for part in walk(node, positive_only=True)
        if isinstance(part, Word | Phrase) and part.field in (None, column)
    ]
    traced = _trace(text[:MAX_TEXT]) if wanted else None
    if traced is None:
        return []
    folded, origins = traced
    held = placed_words(folded)
    found = [span for terms, prefix in wanted for span in _spans(held, terms, prefix)]
    return _merged([(origins[start], origins[end - 1], end) for start, end in found], origins)


def _trace(text: str) -> tuple[str, list[int]] | None:
    """*text* folded, and for each folded character where its cluster starts; the text's length last."""
    if text.isascii():
        return text.lower(), list(range(len(text) + 1))
    starts = [n for n, char in enumerate(text) if n == 0 or not _goes_on(char)]
    pieces = [fold(text[a:b]) for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    folded = "".join(pieces)
    if folded != fold(text):
        return None
    origins = [start for start, piece in zip(starts, pieces, strict=True) for _ in piece]
    return folded, [*origins, len(text)]


def _goes_on(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" or char in "\uff9e\uff9f" or "\u1160" <= char <= "\u11ff"


def _spans(held: list[tuple[str, int]], wanted: list[str], prefix: bool) -> list[tuple[int, int]]:
    size = len(wanted)
    if not size:
        return []
    if size == 1 and is_continuous(wanted[0]):
        return [
            (start + m.start(), start + m.start() + len(wanted[0]))
            for word, start in held
            for m in re.finditer(f"(?={re.escape(wanted[0])})", word)
        ]
    spans = []
    for at in range(len(held) - size + 1):
        some = held[at : at + size]
        if all(fits(some[n][0], wanted[n], n == 0, n == size - 1, prefix) for n in range(size)):
            start, end = some[0][1], some[-1][1] + len(some[-1][0])
            if is_continuous(wanted[0]):
                start += len(some[0][0]) - len(wanted[0])
            if is_continuous(wanted[-1]) and size > 1:
                end = some[-1][1] + len(wanted[-1])
            spans.append((start, end))
    return spans


def _merged(found: list[tuple[int, int, int]], origins: list[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, last, end in sorted(found):
        # A cluster shows whole: the span ends where the next cluster starts.
        while end < len(origins) - 1 and origins[end] == last:
            end += 1
        stop = origins[end]
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
        else:
            spans.append((start, stop))
    return spans
