"""What the screen is measured beside: the least Textual app with a line-API list of so many rows.

It imports nothing of ours and nothing of the benchmark.
"""

from __future__ import annotations

import sys

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

ROWS = int(sys.argv[1])


class Lines(ScrollView, can_focus=True):
    BINDINGS = [("j", "step(1)", ""), ("k", "step(-1)", "")]  # noqa: RUF012
    cursor = 0

    def on_mount(self) -> None:
        self.virtual_size = Size(80, ROWS)
        self.focus()

    def action_step(self, by: int) -> None:
        before, self.cursor = self.cursor, max(0, min(ROWS - 1, self.cursor + by))
        top = self.scroll_offset.y
        for index in (before, self.cursor):
            self.refresh(Region(0, index - top, self.size.width, 1))
        if not top <= self.cursor < top + self.size.height:
            self.scroll_to(y=self.cursor - (self.size.height - 1 if by > 0 else 0), animate=False)

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        style = Style(reverse=index == self.cursor)
        text = f"row {index} of a plain list, as long as a title of the usual length would be"
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Lines()


if __name__ == "__main__":
    Bare().run()
