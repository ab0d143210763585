"""Styled text for the article pane and for pages: cleaned, never parsed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.text import Text

from reader.text import clean_block

DIM: Final = "dim"
STRONG: Final = "badge"
ACCENT: Final = "accent"
GOOD: Final = "good"
BAD: Final = "bad"
TITLE: Final = "title"
LEAD: Final = "lead"
HIT: Final = "hit"


def styled(*pieces: tuple[str, str] | str) -> Text:
    """Text of (text, style) pieces; the text is cleaned and never parsed."""
    text = Text()
    for piece in pieces:
        words, style = (piece, "") if isinstance(piece, str) else piece
        text.append(clean_block(words).replace("\n", " "), style or None)
    return text


def lit(words: str, style: str, spans: Iterable[tuple[int, int]]) -> Text:
    """Clean *words* in one style, with what was looked for lit up at *spans*."""
    text = styled((words, style))
    for start, end in spans:
        text.stylize(HIT, start, end)
    return text


def below(head: Text, more: Text) -> Text:
    """*more* on the line below *head*."""
    return Text("\n").join([head, more])
