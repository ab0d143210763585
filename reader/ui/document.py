"""The article pane: blocks of text one below the other, of which only the visible lines are drawn."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.worker import Worker, WorkerState

from reader.text import inert
from reader.ui.layout import Block, Body, Column, Lines, Place, Rule
from reader.ui.render import BodyLines, render_body
from reader.ui.widgets.scrolling import TextPane

__all__ = ["Block", "Body", "Document", "Lines", "Rule"]

_DRAWN_WITHIN: Final = 0.1
"""Seconds for which the worker waits for the screen; it may be hidden, or gone."""
_SLICE: Final = 40_000
"""Lines of a long body found between two notes to the screen."""


class Document(TextPane, can_focus=True, inherit_bindings=False):
    """Shows blocks. Keys are the screen's business; the wheel, the scroll bar and clicks work here."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "document--title",
        "document--heading",
        "document--meta",
        "document--dim",
        "document--accent",
        "document--good",
        "document--bad",
        "document--badge",
        "document--hit",
        "document--link",
        "document--code",
        "document--quote",
        "document--rule",
        "document--current",
    }
    DEFAULT_CSS = """
    Document {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        & > .document--title { text-style: bold; }
        & > .document--heading { text-style: bold; }
        & > .document--badge { text-style: bold; }
        & > .document--link { text-style: underline; }
        & > .document--hit { text-style: bold underline; }
        & > .document--code { text-style: none; }
        & > .document--quote { text-style: italic; }
        & > .document--current { text-style: bold reverse; }
    }
    """

    class ItemChosen(Message):
        """A block with ``item`` was clicked."""

        def __init__(self, sender: Document, item: str) -> None:
            super().__init__()
            self.document = sender
            self.id = item

        @property
        def control(self) -> Document:
            return self.document

    class AddressChosen(Message):
        """An address listed below a body was clicked. It is one of ``Document.addresses``."""

        def __init__(self, sender: Document, address: str) -> None:
            super().__init__()
            self.document = sender
            self.address = address

        @property
        def control(self) -> Document:
            return self.document

    class _BodyGrew(Message):
        """From the worker: lines of the body in block ``index``, new or more."""

        def __init__(self, column: Column, index: int, lines: BodyLines) -> None:
            super().__init__()
            self.column, self.index, self.lines = column, index, lines

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Document._BodyGrew) and message.lines is self.lines

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id, classes=classes)
        self.current_item = ""
        self._blocks: tuple[Block, ...] = ()
        self._column = Column((), 0, self._style, {})
        self._styles: dict[str, Style] = {}
        self._strips: LRUCache[tuple[int, bool], Strip] = LRUCache(512)
        self._wanted: Place | None = None  # while lines above it are still to come
        self._drawn = threading.Event()  # what the worker told of last
        self._left_at = 0  # where we scrolled to on the way there; elsewhere: the reader has moved on

    # -- content ------------------------------------------------------------------

    def show(self, blocks: Sequence[Block], *, at: int = 0, keep: bool = False) -> None:
        """Show *blocks* from line *at*, or with *keep* from where the reader is.

        Where line *at* belongs to a body that is still being laid out, the
        place is reached when it is, unless the reader has scrolled meanwhile.
        """
        wanted = self._here() if keep else at
        self._blocks = tuple(blocks)
        if self._index_of(self.current_item) is None:
            self.current_item = ""
        self._lay_out(wanted, self._column.bodies)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses listed below the bodies as [1], [2], …, safe to open."""
        return self._column.addresses

    @property
    def line_count(self) -> int:
        """Lines known so far."""
        return self._column.count

    @property
    def items(self) -> tuple[str, ...]:
        """The ids of the blocks that can be chosen, in order."""
        return tuple(block.id for block in self._blocks if isinstance(block, Lines) and block.item)

    def line_of(self, block_id: str) -> int | None:
        """The first line of the block with that id; None when there is no such block, or no layout yet."""
        index = self._index_of(block_id)
        return self._column.span(index)[0] if index is not None and self._column.width else None

    def _index_of(self, block_id: str) -> int | None:
        if not block_id:
            return None
        return next((i for i, block in enumerate(self._blocks) if block.id == block_id), None)

    # -- moving ---------------------------------------------------------------------

    @property
    def at_end(self) -> bool:
        """Whether the last line is seen and no more are to come."""
        return round(self.scroll_y) >= self._last_top() and not self._column.unfinished

    def scroll_page(self, direction: int) -> bool:
        """A page down (1) or up (-1), one line kept; False when there is nowhere to go."""
        return self.scroll_lines(direction * max(1, self._height() - 1))

    def scroll_lines(self, lines: int) -> bool:
        """*lines* down, or up when negative; False when there is nowhere to go."""
        before = round(self.scroll_y)
        self.scroll_to_line(before + lines)
        return round(self.scroll_y) != before

    def scroll_to_line(self, line: int) -> None:
        """Put *line* at the top, as far as there is text below it."""
        self._wanted = None
        self._scroll_at_once(line)

    def focus_item(self, item: str) -> None:
        """Make *item* the current one, marked and in sight; an unknown or empty one: none is."""
        before, index = self._index_of(self.current_item), self._index_of(item)
        self.current_item = item if index is not None else ""
        if not self._column.width:
            return
        for changed in (before, index):
            if changed is not None:
                top, end = self._column.span(changed)
                self.refresh_lines(top, end - top)
        if index is None:
            return
        top, end = self._column.span(index)
        if top < self.scroll_y:
            self.scroll_to_line(top)
        elif end > self.scroll_y + self._height():
            self.scroll_to_line(min(top, end - self._height()))

    def _height(self) -> int:
        return self.scrollable_content_region.height

    def _last_top(self) -> int:
        return max(0, self._column.count - self._height())

    def _scroll_at_once(self, line: int) -> None:
        # By force: Textual learns only with the next frame that there is now something to scroll.
        self.scroll_to(y=max(0, min(line, self._last_top())), animate=False, immediate=True, force=True)
        self._left_at = round(self.scroll_y)

    # -- layout ---------------------------------------------------------------------

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._column.width:
            self._lay_out(self._here(), self._column.bodies)
        elif self._wanted is None:
            self._scroll_at_once(round(self.scroll_y))
        else:
            self._arrive(self._wanted)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
        if any(self._component(name) != style for name, style in self._styles.items()):
            self._styles = {}
            self._lay_out(self._here(), {})

    def on_unmount(self) -> None:
        self._column = Column((), 0, self._style, {})

    def _component(self, name: str) -> Style:
        if f"document--{name}" not in self.COMPONENT_CLASSES:
            return Style.null()
        return self.get_component_rich_style(f"document--{name}", partial=True)

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._component(name)
        return style

    def _here(self) -> Place:
        """The reader's place, such that it can be found again at another width."""
        row = round(self.scroll_y)
        if self._wanted is not None and row == self._left_at:
            return self._wanted
        return self._column.place_of(row)

    def _lay_out(self, wanted: Place, known: Mapping[Body, BodyLines]) -> None:
        width = self.scrollable_content_region.width
        if width <= 0 or not self.is_attached:  # the first size will bring us back
            self._wanted = wanted
            self._column = Column((), 0, self._style, {})
            return
        self._column = column = Column(self._blocks, width, self._style, known)
        self._measured()
        self._arrive(wanted)
        if waiting := column.waiting:
            work = partial(self._lay_bodies, column, waiting, column.body_styles(), wanted)
            self.run_worker(
                work, name="body", group="document-body", thread=True, exclusive=True, exit_on_error=False
            )

    def _measured(self, changed: int = 0) -> None:
        self._strips.clear()
        self.virtual_size = Size(self._column.width, self._column.count)
        if changed < self.scroll_y + self._height():  # else only the scroll bar has changed
            self.refresh()

    def _arrive(self, wanted: Place) -> None:
        """Go to the wanted place, or as near as there are lines; stop wanting it when all lines are known."""
        self._scroll_at_once(self._column.row_of(wanted))
        self._wanted = wanted if self._column.unfinished else None

    # -- bodies, in a worker ----------------------------------------------------------

    def _lay_bodies(
        self, column: Column, waiting: Sequence[tuple[int, str]], styles: Mapping[str, Style], wanted: Place
    ) -> None:
        for index, body in waiting:
            if column is not self._column:  # another article, another width, or gone
                return
            lines = render_body(body, column.width, styles)
            if isinstance(wanted, tuple) and wanted[0] == index:  # till then the lines of another width stay
                while not lines.complete and lines.row_at(wanted[1]) is None and column is self._column:
                    lines.extend(_SLICE)
            self.post_message(self._BodyGrew(column, index, lines))
            while not lines.complete and column is self._column:
                self._drawn.wait(_DRAWN_WITHIN)  # else both would want the interpreter, and a key wait for it
                self._drawn.clear()
                lines.extend(_SLICE)
                self.post_message(self._BodyGrew(column, index, lines))

    def on_document__body_grew(self, event: _BodyGrew) -> None:
        event.stop()
        if event.column is self._column:
            wanted = self._here()
            changed = self._column.set_body(event.index, event.lines)
            self._measured(changed)
            self._arrive(wanted)
        self.call_after_refresh(self._drawn.set)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A body that could not be laid out costs that body alone."""
        if event.worker.group == "document-body":
            event.stop()
            if event.state is WorkerState.ERROR:
                self._column.give_up_waiting("This body could not be laid out.")
                self._measured()

    # -- drawing ----------------------------------------------------------------------

    def line(self, row: int, width: int) -> Strip:
        base = self.base_style
        if not 0 <= row < self._column.count:
            return self.padded(Strip.blank(width, base))
        width = self._column.width
        laid, line = self._column.at(row)
        current = bool(laid.item) and laid.item == self.current_item
        strip = self._strips.get((row, current))
        if strip is None:
            segments = [Segment(inert(text), style) for text, style, _ in laid.row(line)]
            if laid.indent:
                segments.insert(0, Segment(("▸" if current and not line else "").ljust(laid.indent)))
            strip = Strip(segments)
            if current:
                strip = strip.adjust_cell_length(width).apply_style(self._style("current"))
            strip = self.padded(strip.apply_style(base).adjust_cell_length(width, base))
            self._strips[row, current] = strip
        return strip

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        row = self.scroll_offset.y + offset.y if offset is not None else -1
        if not 0 <= row < self._column.count:
            return
        laid, line = self._column.at(row)
        if laid.item:
            event.stop()
            self.post_message(self.ItemChosen(self, laid.item))
        elif laid.body is not None and (address := laid.body.address_at(line)):
            event.stop()
            self.post_message(self.AddressChosen(self, address))
