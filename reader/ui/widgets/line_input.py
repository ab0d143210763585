"""A line to type in that draws nothing a terminal could act on, whatever is pasted into it."""

from __future__ import annotations

from textual.widgets import Input

from reader.text import clean_block, inert


class LineInput(Input):
    """Textual's input, its value always inert, and nothing in it unseen."""

    def validate_value(self, value: str) -> str:
        return clean_block(inert(value))
