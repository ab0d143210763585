"""Blocks of an article one below the other, at one width. No widget: lines in, lines out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Span, Text

from reader.text import clean, clean_block, inert
from reader.ui.render import BodyLines, Row, WrappedLines, render_body
from reader.values import dataclass

_AT_ONCE: Final = 4_096
"""Characters of a body that are laid out at once, in milliseconds; longer ones wait for a worker."""
_LONG_TEXT: Final = 65_536
"""Characters of a Lines block beyond which it loses its styles for speed."""
_GUTTER: Final = 2
"""Cells before a block that can be chosen; the mark of the chosen one stands there."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Styled text, wrapped to the width. A span's style may be the short name of a component class.

    ``id`` names the block; with ``item`` it can be chosen: it is set in by two
    cells, answers a click and can be the current item. ``indent`` sets all lines
    in, ``hang`` those that a wrapped line goes on in.
    """

    text: Text
    id: str = ""
    item: bool = False
    indent: int = 0
    hang: int = 0


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

Place = int | tuple[int, float]
"""Where to scroll to: a line, or a block and a place in it that another width keeps."""

StyleOf = Callable[[str], Style]
"""The style of a short name: title, heading, meta, dim, link, code, …; an empty one for an unknown name."""

# Only for Text.wrap, which asks one for the styles of names: ours are resolved before.
_RULER: Final = Console(width=80, color_system=None, legacy_windows=False, markup=False, emoji=False)


@dataclass(slots=True)
class Laid:
    """A block at one width: its rows, or a body's lines. ``waits``: a worker will bring better ones."""

    block: Block
    rows: list[Row] = field(default_factory=list)
    body: BodyLines | None = None
    indent: int = 0
    waits: bool = False

    @property
    def item(self) -> str:
        """The block's id where it can be chosen, else empty."""
        return self.block.id if isinstance(self.block, Lines) and self.block.item else ""

    @property
    def unfinished(self) -> bool:
        """Whether lines are still to come."""
        return self.waits or (self.body is not None and not self.body.complete)

    def __len__(self) -> int:
        return len(self.rows) if self.body is None else len(self.body)

    def row(self, index: int) -> Row:
        """Line *index* without its indent."""
        return self.rows[index] if self.body is None else self.body.row(index)

    def place(self, index: int) -> float:
        """Where in the block line *index* begins."""
        return self.body.place(index) if self.body is not None else index / max(1, len(self.rows))

    def row_at(self, place: float) -> int:
        """The line that shows *place*, or one past the lines known so far."""
        if self.body is None:
            return min(round(place * len(self.rows)), max(0, len(self.rows) - 1))
        found = self.body.row_at(place)
        return len(self) if found is None else found


class Column:
    """All blocks at *width* cells.

    *known* gives lines of bodies from before: taken over where they are
    complete and of this width, else shown until a worker has new ones.
    """

    def __init__(
        self, blocks: Sequence[Block], width: int, style_of: StyleOf, known: Mapping[Body, BodyLines]
    ) -> None:
        self.width = width
        self._style_of = style_of
        self._laid = [self._lay(block, known) for block in blocks]
        self._first: list[int] = []
        self.count = 0
        self._measure()

    def _measure(self) -> None:
        self._first, row = [], 0
        for laid in self._laid:
            self._first.append(row)
            row += len(laid)
        self.count = row

    # -- what is where

    def at(self, row: int) -> tuple[Laid, int]:
        """The block that line *row* (``0 <= row < count``) belongs to, and which of its lines that is."""
        index = bisect_right(self._first, row) - 1
        return self._laid[index], row - self._first[index]

    def span(self, index: int) -> tuple[int, int]:
        """The lines of block *index*: first, and one past the last."""
        return self._first[index], self._first[index] + len(self._laid[index])

    def place_of(self, row: int) -> Place:
        """The place line *row* begins at; the top for lines there are not."""
        if not 0 < row < self.count:
            return 0
        index = bisect_right(self._first, row) - 1
        return index, self._laid[index].place(row - self._first[index])

    def row_of(self, place: Place) -> int:
        """The line at *place*, as near as there are lines."""
        if isinstance(place, int):
            return place
        index, within = place
        return self._first[index] + self._laid[index].row_at(within) if index < len(self._laid) else 0

    @property
    def unfinished(self) -> bool:
        """Whether lines are still to come."""
        return any(laid.unfinished for laid in self._laid)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses listed below the bodies."""
        return tuple(a for laid in self._laid if laid.body is not None for a in laid.body.addresses)

    # -- bodies

    @property
    def waiting(self) -> list[tuple[int, str]]:
        """The bodies a worker is to lay out: number of the block, exact text."""
        return [
            (index, laid.block.body)
            for index, laid in enumerate(self._laid)
            if laid.waits and isinstance(laid.block, Body)
        ]

    @property
    def bodies(self) -> dict[Body, BodyLines]:
        """The lines of bodies, to be taken over by the next column."""
        return {laid.block: laid.body for laid in self._laid if isinstance(laid.block, Body) and laid.body}

    def set_body(self, index: int, lines: BodyLines) -> int:
        """Take *lines* (new ones, or the same and more) for block *index*; gives the first line changed."""
        first = self._first[index]
        if lines is self._laid[index].body:  # lines that were there stay
            first = self._first[index + 1] if index + 1 < len(self._first) else self.count
        self._laid[index] = Laid(self._laid[index].block, body=lines)
        self._measure()
        return first

    def give_up_waiting(self, reason: str) -> None:
        """Put *reason* where bodies, or lines of them, are still waited for."""
        for index, laid in enumerate(self._laid):
            if laid.unfinished:
                self._laid[index] = Laid(laid.block, [[Segment(clean(reason), self._style_of("bad"))]])
        self._measure()

    def body_styles(self) -> dict[str, Style]:
        """The styles :func:`reader.ui.render.render_body` asks for."""
        return {name: self._style_of(name) for name in ("heading", "link", "code", "quote", "dim")}

    # -- laying out

    def _lay(self, block: Block, known: Mapping[Body, BodyLines]) -> Laid:
        if isinstance(block, Rule):
            return Laid(block, [self._rule(block)])
        if isinstance(block, Lines):
            return self._lay_lines(block)
        if not block.body:
            return Laid(block)
        lines = known.get(block)
        if lines is not None and lines.width == self.width and lines.complete:
            return Laid(block, body=lines)
        if len(block.body) <= _AT_ONCE:
            lines = render_body(block.body, self.width, self.body_styles())
            while not lines.complete:
                lines.extend(_AT_ONCE)
            return Laid(block, body=lines)
        if lines is not None:
            return Laid(block, body=lines, waits=True)
        return Laid(block, [[Segment("…", self._style_of("dim"))]], waits=True)

    def _lay_lines(self, block: Lines) -> Laid:
        indent = min(block.indent + (_GUTTER if block.item else 0), max(0, self.width - 2))
        width = max(2, self.width - indent)
        if len(block.text) > _LONG_TEXT:
            lines = WrappedLines(
                iter([clean_block(block.text.plain)]), width, self._resolve(block.text.style)
            )
            lines.extend(len(block.text))
            return Laid(block, body=lines, indent=indent)
        rows: list[Row] = []
        text = block.text
        for line in text.split("\n", allow_blank=True) if "\n" in text.plain else [text]:
            plain = inert(line.plain)
            # A line that was not cleaned before loses its styles: their places no longer hold.
            spans = line.spans if plain == line.plain else []
            base = self._resolve(line.style)
            if not spans and cell_len(plain) <= width:
                rows.append([Segment(plain, base)])
                continue
            resolved = [Span(start, end, self._resolve(style)) for start, end, style in spans]
            whole = Text(plain, style=base, spans=resolved)
            rows += _wrapped(whole, width, min(block.hang, width // 2))
        return Laid(block, rows, indent=indent)

    def _resolve(self, style: str | Style) -> Style:
        return style if isinstance(style, Style) else self._style_of(style)

    def _rule(self, block: Rule) -> Row:
        rule, title = self._style_of("rule"), clean(block.title)
        if not title or self.width < 8:
            return [Segment("─" * self.width, rule)]
        room = self.width - 6
        title = title if cell_len(title) <= room else set_cell_size(title, room - 1).rstrip() + "…"
        title = f" {title} "
        rest = self.width - 2 - cell_len(title)
        return [Segment("──", rule), Segment(title, self._style_of("heading")), Segment("─" * rest, rule)]


def _wrapped(text: Text, width: int, hang: int) -> list[Row]:
    """*text* in lines of *width* cells, all but the first set in by *hang*."""
    parts = text.wrap(_RULER, width, overflow="fold")
    if len(parts) < 2 or not hang:
        return [_drawn(part) for part in parts]
    begun = len(parts[0].plain)
    begun += len(text.plain[begun:]) - len(text.plain[begun:].lstrip(" "))
    rest = text[begun:].wrap(_RULER, width - hang, overflow="fold")
    return [_drawn(parts[0]), *([Segment(" " * hang), *_drawn(part)] for part in rest)]


def _drawn(line: Text) -> list[Segment]:
    """*line* in segments; Rich leaves the base style out where a line has no spans."""
    base = line.style if isinstance(line.style, Style) else None
    return [Segment(text, base if style is None else style) for text, style, _ in line.render(_RULER)]
