"""A pane whose text is longer or shorter from one moment to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.geometry import Region, Size, Spacing
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip


class TextPane(ScrollView, can_focus=False, inherit_bindings=False):
    """A scroll view by the line, without border, outline, hatch, tint or opacity of its own.

    Of a new length only the scroll bar is told: Textual would lay out the whole
    screen anew, but no pane of ours has its size from its text, and a bar that
    comes or goes asks for a layout by itself.
    """

    virtual_size = Reactive(Size(0, 0), layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id, classes=classes)
        self._styles_cache = _PlainLines()
        self._base = Style.null()

    def watch_virtual_size(self, size: Size) -> None:
        self._scroll_update(size)

    @property
    def base_style(self) -> Style:
        """What lies below all text. Looked up once for all lines that are drawn together."""
        return self._base

    def render_lines(self, crop: Region) -> list[Strip]:
        self._base = self.rich_style
        return super().render_lines(crop)


class _PlainLines(StylesCache):
    """Keeps drawn lines as Textual does; there is only padding around them, which is quickly done."""

    def render_line(
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Spacing,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        *others: Any,
    ) -> Strip:
        del styles, others
        top, right, bottom, left = padding
        inner = self.get_inner_outer(base_background, background)[0].rich_style
        if not top <= y < size.height - bottom:
            return Strip.blank(size.width, inner)
        strip = render_content_line(y - top)
        if left or right:
            strip = strip.adjust_cell_length(content_size.width, inner)
            strip = Strip([Segment(" " * left, inner), *strip, Segment(" " * right, inner)])
        return strip.adjust_cell_length(size.width, inner)
