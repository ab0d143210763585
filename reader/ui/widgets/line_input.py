"""A line to type in that draws nothing a terminal could act on, whatever is pasted into it."""

from __future__ import annotations

from textual.widgets import Input

from reader.text import inert


class LineInput(Input):
    """Textual's input, its value always inert."""

    def validate_value(self, value: str) -> str:
        return inert(value)
