"""A pane whose text is longer or shorter from one moment to the next."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.style import Style as Ground


class TextPane(ScrollView, can_focus=False, inherit_bindings=False):
    """A scroll view by the line, without border, outline, hatch, tint or opacity of its own.

    ``line`` gives whole lines, from the pane's left edge to its scroll bar, and keeps
    them: what a line was turned into for the terminal is kept with it, so that
    scrolling by a row draws one.

    Of a new length only the scroll bar is told: Textual would lay out the whole
    screen anew, but no pane of ours has its size from its text, and a bar that
    comes or goes asks for a layout by itself.
    """

    virtual_size = Reactive(Size(0, 0), layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id, classes=classes)
        self._ground: tuple[Style, Style, Color] | None = None

    def watch_virtual_size(self, size: Size) -> None:
        self._scroll_update(size)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            if thumb(bar, bar.position) == thumb(bar, new_value):
                bar.set_reactive(ScrollBar.position, new_value)  # nothing of it would be seen
            else:
                bar.position = new_value
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def notify_style_update(self) -> None:
        self._ground = None
        super().notify_style_update()

    @property
    def base_style(self) -> Style:
        """What lies below all text."""
        return self._grounds()[0]

    def _grounds(self) -> tuple[Style, Style, Color]:
        """Below the text, below the padding, and as Textual's filters want it. Kept until styles change."""
        if self._ground is None:
            below, background = self.background_colors
            self._ground = self.rich_style, Ground(background=below + background).rich_style, background
        return self._ground

    def padded(self, strip: Strip) -> Strip:
        """*strip* between the pane's paddings."""
        _, right, _, left = self.styles.padding
        if not left and not right:
            return strip
        inner = self._grounds()[1]
        pieces = [Segment(" " * left, inner), *strip, Segment(" " * right, inner)]
        return Strip(pieces, strip.cell_length + left + right)

    def line(self, row: int, width: int) -> Strip:
        """Row *row* of the text, which may be behind its end: *width* cells and the padding."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        left, width = self.styles.padding.left, self.scrollable_content_region.width
        return self.line(y + self.scroll_offset.y, width).crop(left, left + width)

    def render_lines(self, crop: Region) -> list[Strip]:
        _, inner, background = self._grounds()
        top, _, bottom, _ = self.styles.padding
        begin, end = crop.column_span
        below = self.region.height - bottom
        filters = self.get_line_filters()
        width, first = self.scrollable_content_region.width, self.scroll_offset.y - top
        strips = []
        for y in crop.line_range:
            strip = self.line(first + y, width) if top <= y < below else Strip.blank(end, inner)
            for known in filters:
                strip = strip.apply_filter(known, background)
            if begin or strip.cell_length != end:
                strip = strip.adjust_cell_length(max(end, strip.cell_length), inner).crop(begin, end)
            strips.append(strip)
        return strips


def thumb(bar: ScrollBar, position: float) -> int | None:
    """Where the thumb of *bar* begins, in eighths of a cell, as Textual draws it; None without a thumb."""
    size, whole, seen = bar.size.height, bar.window_virtual_size, bar.window_size
    if not size or not 0 < seen < whole or size == whole:
        return None
    length = max(1, seen / (whole / size))
    return int((size - length) * (int(position * 8) / 8 / (whole - seen)) * 8)
