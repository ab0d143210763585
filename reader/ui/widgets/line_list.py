"""A list that draws only what is seen: the line API, so that a million rows cost what forty do."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from reader.text import inert
from reader.ui.widgets.scrolling import TextPane

_KEPT = 192
"""Rows kept as they were drawn: more than any terminal shows."""


class Move(StrEnum):
    """The ways a cursor goes."""

    DOWN = "down"
    UP = "up"
    TOP = "top"
    BOTTOM = "bottom"
    HALF_DOWN = "half_down"
    HALF_UP = "half_up"
    PAGE_DOWN = "page_down"
    PAGE_UP = "page_up"


class LineList(TextPane, can_focus=False, inherit_bindings=False):
    """Rows of one height with a cursor. Subclasses say what one row looks like.

    It never takes the focus: the screen hands every key to the pane that is ``active``.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line-list--row",
        "line-list--cursor",
        "line-list--resting",
        "line-list--dim",
        "line-list--accent",
        "line-list--good",
        "line-list--bad",
        "line-list--hit",
    }

    cursor: reactive[int] = reactive(0, init=False, repaint=False)
    active: reactive[bool] = reactive(False, init=False, repaint=False)

    class CursorMoved(Message):
        """The cursor stands on another row, or another row under it."""

        def __init__(self, sender: LineList, index: int, before: int) -> None:
            super().__init__()
            self.list = sender
            self.index = index
            self.before = before

        @property
        def control(self) -> LineList:
            return self.list

    class Chosen(Message):
        """A row was clicked; ``again`` when the cursor stood on it already."""

        def __init__(self, sender: LineList, index: int, *, again: bool) -> None:
            super().__init__()
            self.list = sender
            self.index = index
            self.again = again

        @property
        def control(self) -> LineList:
            return self.list

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.row_height = 1
        self.when_empty = ""
        self._count = 0
        self._reach = 0
        self._strips: LRUCache[tuple[int, int, bool, bool], list[Strip]] = LRUCache(_KEPT)
        self._styles: dict[str, Style] = {}

    # -- what subclasses say ----------------------------------------------------

    def render_row(self, index: int, width: int) -> list[list[Segment]]:
        """The segments of each line of row *index*; widths are cut and padded by the caller."""
        raise NotImplementedError

    def can_rest(self, index: int) -> bool:
        """Whether the cursor may stand on row *index* (a heading says no)."""
        del index
        return True

    # -- content ------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._count

    def set_count(self, count: int, cursor: int = 0, *, of: int = 0) -> None:
        """Take *count* rows, the cursor on *cursor*; everything is drawn anew.

        They are the first *of* so many, where there are more: the scroll bar is that of all.
        """
        self._count, self._reach = count, of
        self._strips.clear()
        self._resize()
        self.set_reactive(LineList.cursor, max(0, min(cursor, count - 1)))
        self.show_cursor()
        self.refresh()

    def set_more(self, count: int) -> None:
        """Take *count* rows, of which those that were there are the first."""
        self._count, self._reach = count, 0
        self._resize()

    def redraw(self, index: int | None = None) -> None:
        """Draw row *index* anew, or all of them."""
        if index is None:
            self._strips.clear()
            self.refresh()
            return
        for key in [k for k in self._strips.keys() if k[0] == index]:  # noqa: SIM118 - an LRUCache
            self._strips.discard(key)
        self._refresh_row(index)

    def _resize(self) -> None:
        rows = max(self._count, self._reach)
        self.virtual_size = Size(max(1, self.size.width), rows * self.row_height)

    def set_row_height(self, height: int) -> None:
        """Rows take *height* lines from now on."""
        if height != self.row_height:
            self.row_height = height
            self._strips.clear()
            self._resize()
            self.show_cursor()
            self.refresh()

    def on_resize(self) -> None:
        self._resize()
        self.call_after_refresh(self.show_cursor)

    # -- styles ----------------------------------------------------------------

    def style_of(self, name: str) -> Style:
        """The style of a component class, kept until styles change."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"line-list--{name}", partial=True)
        return style

    def notify_style_update(self) -> None:
        self._styles = {}
        self._strips.clear()
        super().notify_style_update()

    # -- drawing --------------------------------------------------------------

    def line(self, row: int, width: int) -> Strip:
        index, part = divmod(row, self.row_height)
        if not 0 <= index < self._count:
            base = self.base_style
            if self._count == 0 and row == 1 and self.when_empty:
                words = Segment(f"  {inert(self.when_empty)}", self.style_of("dim"))
                return Strip([words]).apply_style(base).adjust_cell_length(width, base)
            return Strip.blank(width, base)
        current = index == self.cursor
        key = (index, width, current, current and self.active)
        strips = self._strips.get(key)
        if strips is None:
            strips = self._strips[key] = self._draw(index, width, current=current)
        return strips[part] if part < len(strips) else Strip.blank(width, self.base_style)

    def _draw(self, index: int, width: int, *, current: bool) -> list[Strip]:
        base, over = self.base_style, self._cursor_style() if current else None
        strips = []
        for segments in self.render_row(index, width):
            safe = [Segment(inert(text), style) for text, style, _ in segments]
            strip = Strip(safe).apply_style(base).adjust_cell_length(width, base)
            strips.append(strip if over is None else _laid_over(strip, over))
        return strips

    def _cursor_style(self) -> Style:
        if self.app.no_color:
            return Style(reverse=True) if self.active else Style(underline=True)
        return self.style_of("cursor") if self.active else self.style_of("resting")

    def _refresh_row(self, index: int) -> None:
        top = index * self.row_height - self.scroll_offset.y
        self.refresh(Region(0, top, self.size.width, self.row_height))

    # -- the cursor ------------------------------------------------------------

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self._count - 1))

    def watch_cursor(self, before: int, after: int) -> None:
        self._refresh_row(before)
        self._refresh_row(after)
        self.show_cursor()
        self.post_message(self.CursorMoved(self, after, before))

    def watch_active(self) -> None:
        self._refresh_row(self.cursor)

    def show_cursor(self) -> None:
        """Scroll so that the cursor is seen."""
        height = self.scrollable_content_region.height
        if not height or not self._count:
            return
        top, end = self.cursor * self.row_height, (self.cursor + 1) * self.row_height
        offset = self.scroll_offset.y
        if top < offset:
            self.scroll_to(y=top, animate=False, force=True, immediate=True)
        elif end > offset + height:
            self.scroll_to(y=end - height, animate=False, force=True, immediate=True)

    @property
    def top(self) -> int:
        """The first row in sight."""
        return int(self.scroll_offset.y) // self.row_height

    def show_from(self, row: int) -> None:
        """Have *row* first in sight, as far as the cursor stays in sight and rows fill the pane."""
        self._scroll_top(row)
        self.call_after_refresh(self._scroll_top, row)  # the pane may be about to grow

    def _scroll_top(self, row: int) -> None:
        self.scroll_to(y=row * self.row_height, animate=False, force=True, immediate=True)
        self.show_cursor()

    def move(self, move: Move) -> None:
        """Move the cursor."""
        if not self._count:
            return
        page = max(1, self.scrollable_content_region.height // self.row_height)
        step = {
            Move.DOWN: 1,
            Move.UP: -1,
            Move.HALF_DOWN: max(1, page // 2),
            Move.HALF_UP: -max(1, page // 2),
            Move.PAGE_DOWN: max(1, page - 1),
            Move.PAGE_UP: -max(1, page - 1),
            Move.TOP: -self._count,
            Move.BOTTOM: self._count,
        }[move]
        self.cursor = self._resting(self.cursor + step, 1 if step > 0 else -1)

    def _resting(self, wanted: int, direction: int) -> int:
        """The nearest row to *wanted* where the cursor may stand, looking ahead first."""
        wanted = max(0, min(wanted, self._count - 1))
        for towards in (direction, -direction):
            index = wanted
            while 0 <= index < self._count:
                if self.can_rest(index):
                    return index
                index += towards
        return self.cursor

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = (offset.y + self.scroll_offset.y) // self.row_height
        if not 0 <= index < self._count or not self.can_rest(index):
            return
        event.stop()
        again = index == self.cursor and self.active
        self.cursor = index
        self.post_message(self.Chosen(self, index, again=again))


def _laid_over(strip: Strip, over: Style) -> Strip:
    return Strip(
        [Segment(text, (style or Style()) + over, control) for text, style, control in strip],
        strip.cell_length,
    )
