"""The article pane: blocks of text one below the other, of which only the visible lines are drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Span, Text
from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.worker import Worker, WorkerState

from reader.text import clean, clean_block, inert
from reader.ui.render import BodyLines, Row, WrappedLines, render_body

_AT_ONCE: Final = 4_096
"""Characters of a body that are laid out without a worker: that takes a few milliseconds."""
_SLICE: Final = 20_000
"""Lines of a long body found between two notes to the screen."""
_LONG_TEXT: Final = 65_536
"""Characters of a Lines block beyond which it loses its styles for speed."""
_GUTTER: Final = 2
"""Cells before a block that can be chosen; the mark of the chosen one stands there."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Styled text, wrapped to the width. A span's style may be the name of a component class.

    ``id`` names the block; with ``item`` it can be chosen: it is set in by two
    cells, answers a click and can be the current item.
    """

    text: Text
    id: str = ""
    item: bool = False
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across, with a title in it or without."""

    title: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """An article's exact body, Markdown or HTML; laid out in a worker where it is long."""

    body: str
    id: str = ""


Block = Lines | Rule | Body

_Place = int | tuple[int, float] | None
"""Where to scroll to: a line, or a block and a place in it."""


@dataclass(slots=True)
class _Laid:
    """A block at one width: its rows, or a body's lines. ``waits``: a worker will bring better ones."""

    block: Block
    rows: list[Row] = field(default_factory=list)
    body: BodyLines | None = None
    indent: int = 0
    waits: bool = False

    @property
    def unfinished(self) -> bool:
        return self.waits or (self.body is not None and not self.body.complete)

    def __len__(self) -> int:
        return len(self.rows) if self.body is None else len(self.body)

    def row(self, index: int) -> Row:
        return self.rows[index] if self.body is None else self.body.row(index)

    def place(self, index: int) -> float:
        if self.body is not None:
            return self.body.place(index)
        return index / max(1, len(self.rows))

    def row_at(self, place: float) -> int | None:
        if self.body is not None:
            return self.body.row_at(place)
        return min(round(place * len(self.rows)), max(0, len(self.rows) - 1))


class Document(ScrollView, can_focus=True, inherit_bindings=False):
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
        "document--link",
        "document--code",
        "document--quote",
        "document--rule",
        "document--current",
    }
    DEFAULT_CSS = """
    Document {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .document--title { text-style: bold; }
        & > .document--heading { text-style: bold; }
        & > .document--badge { text-style: bold; }
        & > .document--link { text-style: underline; }
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

        def __init__(self, layout: int, index: int, lines: BodyLines) -> None:
            super().__init__()
            self.layout, self.index, self.lines = layout, index, lines

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Document._BodyGrew) and message.lines is self.lines

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id, classes=classes)
        self.current_item = ""
        self._blocks: tuple[Block, ...] = ()
        self._laid: list[_Laid] = []
        self._first: list[int] = []  # row at which a block begins
        self._count = 0
        self._width = 0
        self._layout = 0  # rises with every new layout: what a worker brings for an old one is dropped
        self._strips: LRUCache[tuple[int, bool], Strip] = LRUCache(512)
        self._styles: dict[str, Style] = {}
        self._wanted: _Place = None  # while lines above it are still to come
        self._left_at = 0  # where we scrolled to on the way there; elsewhere: the reader has moved on
        self._ruler = Console(width=80, color_system=None, legacy_windows=False, markup=False, emoji=False)

    # -- content ------------------------------------------------------------------

    def show(self, blocks: Sequence[Block], *, at: int = 0, keep: bool = False) -> None:
        """Show *blocks* from line *at*, or with *keep* from where the reader is.

        Where line *at* belongs to a body that is still being laid out, the
        place is reached when it is, unless the reader has scrolled meanwhile.
        """
        wanted = self._here() if keep else at
        reusable = {
            laid.block: laid.body
            for laid in self._laid
            if isinstance(laid.block, Body)
            and laid.body is not None
            and laid.body.complete
            and not laid.waits
        }
        self._blocks = tuple(blocks)
        if not any(block.id == self.current_item for block in self._blocks):
            self.current_item = ""
        self._lay_out(wanted, reusable)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses listed below the bodies as [1], [2], …, safe to open."""
        return tuple(a for laid in self._laid if laid.body is not None for a in laid.body.addresses)

    @property
    def line_count(self) -> int:
        """Lines known so far."""
        return self._count

    @property
    def items(self) -> tuple[str, ...]:
        """The ids of the blocks that can be chosen, in order."""
        return tuple(block.id for block in self._blocks if isinstance(block, Lines) and block.item)

    def line_of(self, block_id: str) -> int | None:
        """The first line of the block with that id; None when there is no such block, or no layout yet."""
        index = self._index_of(block_id)
        return self._first[index] if index is not None and index < len(self._first) else None

    def _index_of(self, block_id: str) -> int | None:
        return (
            next((i for i, block in enumerate(self._blocks) if block.id == block_id), None)
            if block_id
            else None
        )

    # -- moving ---------------------------------------------------------------------

    @property
    def at_end(self) -> bool:
        """Whether the last line is seen and no more are to come."""
        unfinished = any(laid.unfinished for laid in self._laid)
        return round(self.scroll_y) >= self._last_top() and not unfinished

    def scroll_page(self, direction: int) -> bool:
        """A page down (1) or up (-1), one line kept; False when there is nowhere to go."""
        return self.scroll_lines(direction * max(1, self._height() - 1))

    def scroll_lines(self, lines: int) -> bool:
        """*lines* down, or up when negative; False when there is nowhere to go."""
        before = round(self.scroll_y)
        self._go(before + lines)
        return round(self.scroll_y) != before

    def scroll_to_line(self, line: int) -> None:
        """Put *line* at the top, as far as there is text below it."""
        self._go(line)

    def focus_item(self, item: str) -> None:
        """Make *item* the current one, marked and in sight; an unknown or empty one: none is."""
        for block_id in {self.current_item, item}:
            index = self._index_of(block_id)
            if index is not None and index < len(self._laid):
                self.refresh_lines(self._first[index], len(self._laid[index]))
        index = self._index_of(item)
        self.current_item = item if index is not None else ""
        if index is None or index >= len(self._laid):
            return
        top, end = self._first[index], self._first[index] + len(self._laid[index])
        if top < self.scroll_y:
            self._go(top)
        elif end > self.scroll_y + self._height():
            self._go(min(top, end - self._height()))

    def _height(self) -> int:
        return self.scrollable_content_region.height

    def _last_top(self) -> int:
        return max(0, self._count - self._height())

    def _go(self, line: int) -> None:
        self._wanted = None
        self._scroll_at_once(line)

    def _scroll_at_once(self, line: int) -> None:
        self.scroll_to(y=max(0, min(line, self._last_top())), animate=False, immediate=True)
        self._left_at = round(self.scroll_y)

    # -- layout ---------------------------------------------------------------------

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        if width != self._width:
            self._lay_out(self._here(), {})
        else:
            self._scroll_at_once(round(self.scroll_y))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        styles = {name: self._component(name) for name in self._styles}
        if styles != self._styles:
            self._styles = {}
            self._lay_out(self._here(), {})
        self._strips.clear()

    def on_unmount(self) -> None:
        self._layout += 1

    def _component(self, name: str) -> Style:
        return self.get_component_rich_style(f"document--{name}", partial=True)

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._component(name)
        return style

    def _here(self) -> _Place:
        """The reader's place, such that it can be found again at another width."""
        if self._wanted is not None and not self._has_moved():
            return self._wanted
        row = round(self.scroll_y)
        if not 0 < row < self._count:
            return 0
        index = self._block_at(row)
        return index, self._laid[index].place(row - self._first[index])

    def _has_moved(self) -> bool:
        return round(self.scroll_y) != self._left_at

    def _block_at(self, row: int) -> int:
        return bisect_right(self._first, row) - 1

    def _lay_out(self, wanted: _Place, reusable: dict[Body, BodyLines]) -> None:
        self._wanted = wanted
        self._layout += 1
        self._width = width = self.scrollable_content_region.width
        if width <= 0 or not self.is_attached:
            self._width = 0  # the first size will bring us back
            return
        old = {laid.block: laid.body for laid in self._laid if isinstance(laid.block, Body) and laid.body}
        self._laid = [self._lay(block, reusable, old) for block in self._blocks]
        self._measure()
        self._arrive()
        waiting = [(i, laid.block) for i, laid in enumerate(self._laid) if laid.waits]
        if waiting:
            work = partial(self._lay_bodies, self._layout, width, self._body_styles(), waiting)
            self.run_worker(
                work, name="body", group="document-body", thread=True, exclusive=True, exit_on_error=False
            )

    def _lay(self, block: Block, reusable: dict[Body, BodyLines], old: dict[Body, BodyLines]) -> _Laid:
        if isinstance(block, Rule):
            return _Laid(block, [self._rule(block)])
        if isinstance(block, Lines):
            return self._lay_lines(block)
        if not block.body:
            return _Laid(block)
        if (lines := reusable.get(block)) is not None and lines.width == self._width:
            return _Laid(block, body=lines)
        if len(block.body) <= _AT_ONCE:
            return _Laid(block, body=render_body(block.body, self._width, self._body_styles()))
        # Until the worker is done: its lines at the old width, else a sign of life.
        if (lines := old.get(block)) is not None:
            return _Laid(block, body=lines, waits=True)
        return _Laid(block, [[Segment("…", self._style("dim"))]], waits=True)

    def _lay_lines(self, block: Lines) -> _Laid:
        indent = block.indent + (_GUTTER if block.item else 0)
        width = max(2, self._width - indent)
        if len(block.text) > _LONG_TEXT:
            lines = WrappedLines(
                iter([clean_block(block.text.plain)]), width, self._resolve(block.text.style)
            )
            lines.extend(len(block.text))
            return _Laid(block, body=lines, indent=indent)
        rows: list[Row] = []
        for line in block.text.split("\n", allow_blank=True):
            plain = inert(line.plain)
            if plain != line.plain:  # it should have been cleaned; what styles it had is the lesser loss
                line = Text(plain, style=line.style)
            if not line.spans and cell_len(plain) <= width:
                rows.append([Segment(plain, self._resolve(line.style))])
                continue
            line = Text(
                plain,
                style=self._resolve(line.style),
                spans=[Span(start, end, self._resolve(style)) for start, end, style in line.spans],
            )
            rows += [
                list(part.render(self._ruler)) for part in line.wrap(self._ruler, width, overflow="fold")
            ]
        return _Laid(block, rows, indent=indent)

    def _resolve(self, style: str | Style) -> Style:
        """The style of a component class by its short name; an unknown name has none."""
        if isinstance(style, Style):
            return style
        return self._style(style) if f"document--{style}" in self.COMPONENT_CLASSES else Style.null()

    def _rule(self, block: Rule) -> Row:
        title = clean(block.title)
        if not title:
            return [Segment("─" * self._width, self._style("rule"))]
        title = f" {set_cell_size(title, min(cell_len(title), max(1, self._width - 6)))} "
        rest = max(0, self._width - 2 - cell_len(title))
        rule = self._style("rule")
        return [Segment("──", rule), Segment(title, self._style("heading")), Segment("─" * rest, rule)]

    def _body_styles(self) -> dict[str, Style]:
        return {name: self._style(name) for name in ("heading", "link", "code", "quote", "dim")}

    def _measure(self) -> None:
        self._first, row = [], 0
        for laid in self._laid:
            self._first.append(row)
            row += len(laid)
        self._count = row
        self._strips.clear()
        self.virtual_size = Size(self._width, self._count)
        self.refresh()

    def _arrive(self) -> None:
        """Go to the wanted place, or as near as there are lines; stop wanting it when all lines are known."""
        wanted = self._wanted
        if wanted is None:
            return
        if isinstance(wanted, int):
            row = wanted
        elif wanted[0] < len(self._laid):
            found = self._laid[wanted[0]].row_at(wanted[1])
            row = self._first[wanted[0]] + (found if found is not None else len(self._laid[wanted[0]]))
        else:
            row = 0
        self._scroll_at_once(row)
        if not any(laid.unfinished for laid in self._laid):
            self._wanted = None

    # -- bodies, in a worker ----------------------------------------------------------

    def _lay_bodies(
        self, layout: int, width: int, styles: dict[str, Style], waiting: Sequence[tuple[int, Block]]
    ) -> None:
        for index, block in waiting:
            if layout != self._layout or not isinstance(block, Body):
                continue
            lines = render_body(block.body, width, styles)
            self.post_message(self._BodyGrew(layout, index, lines))
            while not lines.complete and layout == self._layout:
                lines.extend(_SLICE)
                self.post_message(self._BodyGrew(layout, index, lines))

    def on_document__body_grew(self, event: _BodyGrew) -> None:
        event.stop()
        if event.layout != self._layout:
            return
        self._wanted = self._here()
        self._laid[event.index] = _Laid(self._blocks[event.index], body=event.lines)
        self._measure()
        self._arrive()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A body that could not be laid out costs that body alone."""
        if event.worker.group != "document-body":
            return
        event.stop()
        if event.state is not WorkerState.ERROR:
            return
        for index, laid in enumerate(self._laid):
            if laid.waits:
                sorry = Segment("This body could not be laid out.", self._style("bad"))
                self._laid[index] = _Laid(laid.block, [[sorry]])
        self._measure()

    # -- drawing ----------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        base = self.rich_style
        if not 0 <= row < self._count:
            return Strip.blank(self._width, base)
        index = self._block_at(row)
        laid = self._laid[index]
        current = isinstance(laid.block, Lines) and laid.block.item and laid.block.id == self.current_item
        strip = self._strips.get((row, current))
        if strip is None:
            line = row - self._first[index]
            segments = [Segment(inert(text), style) for text, style, _ in laid.row(line)]
            if laid.indent:
                segments.insert(0, Segment(("▸" if current and not line else "").ljust(laid.indent)))
            strip = Strip(segments)
            if current:
                strip = strip.adjust_cell_length(self._width).apply_style(self._style("current"))
            strip = strip.apply_style(base).adjust_cell_length(self._width, base)
            self._strips[row, current] = strip
        return strip

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        row = self.scroll_offset.y + offset.y if offset is not None else -1
        if not 0 <= row < self._count:
            return
        index = self._block_at(row)
        laid = self._laid[index]
        if isinstance(laid.block, Lines) and laid.block.item:
            event.stop()
            self.post_message(self.ItemChosen(self, laid.block.id))
        elif laid.body is not None and (address := laid.body.address_at(row - self._first[index])):
            event.stop()
            self.post_message(self.AddressChosen(self, address))
