"""One-line widgets: masthead, pane heads, status line, key bar. None of them parses markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from reader.text import clean

Piece = tuple[str, str]
"""Text and the name of a component class: plain, dim, accent, good, bad."""


class TextLine(Widget):
    """One line of styled text on the left and some on the right; the left gives way."""

    COMPONENT_CLASSES = {"line--plain", "line--dim", "line--accent", "line--good", "line--bad", "line--key"}  # noqa: RUF012
    DEFAULT_CSS = "TextLine { height: 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._left: tuple[Piece, ...] = ()
        self._right: tuple[Piece, ...] = ()

    def set_text(self, left: Sequence[Piece] | str, right: Sequence[Piece] | str = ()) -> None:
        """Show *left* and *right*; a bare string is plain. Text is cleaned here once more."""
        new = (_pieces(left), _pieces(right))
        if new != (self._left, self._right):
            self._left, self._right = new
            self.refresh()

    @property
    def text(self) -> str:
        """What stands there, for tests and for those who copy it."""
        return "".join(t for t, _ in self._left + self._right)

    def render_line(self, y: int) -> Strip:
        del y  # there is one
        width = self.size.width
        base = self.rich_style
        right = self._segments(self._right)
        right_cells = sum(cell_len(s.text) for s in right)
        left = self._segments(self._left)
        wanted = sum(cell_len(s.text) for s in left)
        if wanted and wanted + right_cells + 1 > width and right_cells > width // 4:
            right, right_cells = [], 0  # no room for both
        elif right_cells > width:
            right, right_cells = ellipsed(right, width), width
        room = width - right_cells
        strip = Strip(left)
        if strip.cell_length > room and room > 1:
            strip = Strip(ellipsed(left, room))
        strip = Strip([*strip.adjust_cell_length(max(0, room)), *right])
        return strip.apply_style(base).adjust_cell_length(width, base)

    def _segments(self, pieces: Sequence[Piece]) -> list[Segment]:
        return [
            Segment(text, self.get_component_rich_style(f"line--{style}", partial=True))
            for text, style in pieces
        ]


def _pieces(value: Sequence[Piece] | str) -> tuple[Piece, ...]:
    if isinstance(value, str):
        value = ((value, "plain"),)
    return tuple((_keep_ends(text), style) for text, style in value)


def _keep_ends(text: str) -> str:
    """Clean, but the blanks that part one piece from the next stay."""
    body = clean(text)
    lead = " " * (len(text) - len(text.lstrip(" ")))
    tail = " " * (len(text) - len(text.rstrip(" "))) if body else ""
    return lead + body + tail


def fit(text: str, cells: int) -> str:
    """*text* cut to at most *cells* cells, with an ellipsis where it was cut."""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, max(0, cells - 1)).rstrip() + "…" if cells > 0 else ""


def ellipsed(segments: Sequence[Segment], cells: int) -> list[Segment]:
    """*segments* cut to at most *cells* cells, with an ellipsis where they were cut."""
    if sum(cell_len(segment.text) for segment in segments) <= cells:
        return list(segments)
    return [*Segment.adjust_line_length(list(segments), max(0, cells - 1), pad=False), Segment("…")]
