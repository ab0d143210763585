"""Styled text for the article pane and for pages: cleaned, never parsed."""

from __future__ import annotations

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


def styled(*pieces: tuple[str, str] | str) -> Text:
    """Text of (text, style) pieces; the text is cleaned and never parsed."""
    text = Text()
    for piece in pieces:
        words, style = (piece, "") if isinstance(piece, str) else piece
        text.append(clean_block(words).replace("\n", " "), style or None)
    return text


def below(head: Text, more: Text) -> Text:
    """*more* on the line below *head*."""
    return Text("\n").join([head, more])
