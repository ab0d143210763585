"""An article's body as lines of a terminal: Markdown up to a size, wrapped plain text beyond it.

No link of a body becomes a terminal hyperlink and no text of it is read as
markup. Addresses are numbered and listed below, as text browsers do, and only
those :func:`reader.browser.safe_address` lets through.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, Protocol

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style

from reader.htmltext import iter_markdown, looks_like_html, to_markdown
from reader.text import clean_block

MARKDOWN_LIMIT: Final = 64 * 1024
"""Characters of a body that are laid out as Markdown; a longer one is wrapped as it stands."""
LINE_LIMIT: Final = 3_000
"""Lines of the same: many short ones cost more than their size."""
_BRACKETS: Final = 4_000
"""Opening brackets of the same: markdown-it looks for the end of each in all the rest of its paragraph."""
NARROW: Final = 16
"""Cells below which Markdown is not laid out."""
_PIECE: Final = 16_384
_FIRST_ROWS: Final = 60
"""Lines found before anything is shown: about a screen."""
_MANY: Final = 64
"""Pieces of text looked at in one go, whether they held lines or not."""

Row = Sequence[Segment]

PLAIN: Final[Mapping[str, Style]] = {
    "heading": Style(bold=True),
    "link": Style(underline=True),
    "code": Style(dim=True),
    "quote": Style(italic=True),
    "dim": Style(dim=True),
}
"""Styles that need no colour."""


class BodyLines(Protocol):
    """Lines of a body at one width, in cells. ``len()`` is how many are known so far.

    ``places`` survive another width: a number that grows along the text.
    """

    @property
    def width(self) -> int: ...
    @property
    def complete(self) -> bool:
        """Whether all lines are known."""
        ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses listed as [1], [2], …"""
        ...

    def __len__(self) -> int: ...
    def row(self, index: int) -> Row:
        """Line *index*, at most ``width`` cells, without padding."""
        ...

    def address_at(self, index: int) -> str:
        """The address that line *index* lists, or empty."""
        ...

    def place(self, index: int) -> float:
        """Where in the text line *index* begins."""
        ...

    def row_at(self, place: float) -> int | None:
        """The line that shows *place*; None when it is not known yet."""
        ...

    def extend(self, rows: int) -> None:
        """Find about *rows* more lines, fewer where each takes its time.

        Call it in one thread only; others may read meanwhile.
        """
        ...


def render_body(body: str, width: int, styles: Mapping[str, Style] = PLAIN) -> BodyLines:
    """The exact *body* (Markdown or HTML) as cleaned lines of *width* cells. Call it in a worker.

    Returns soon (some milliseconds), with the first lines known and the rest left to ``extend``.
    """
    width = max(2, width)
    is_html = looks_like_html(body)
    if len(body) <= MARKDOWN_LIMIT:
        text = clean_block(to_markdown(body) if is_html else body)
        if _affordable(text, width):
            from reader.ui.markdown import render_markdown  # most articles of an archive have no body

            rendered = render_markdown(text, width, styles)
            if rendered is not None:
                rendered.extend(_FIRST_ROWS)
                return rendered
        pieces: Iterator[str] = iter((text,))
    else:
        pieces = map(clean_block, iter_markdown(body) if is_html else _pieces(body))
    lines = WrappedLines(pieces, width)
    lines.extend(_FIRST_ROWS)
    return lines


def _affordable(text: str, width: int) -> bool:
    small = len(text) <= MARKDOWN_LIMIT and text.count("\n") <= LINE_LIMIT
    return small and text.count("[") <= _BRACKETS and width >= NARROW


def _pieces(body: str) -> Iterator[str]:
    position, size = 0, len(body)
    while position < size:
        # A small first piece: something is seen sooner.
        end = min(position + (_PIECE if position else _PIECE // 8), size)
        if end < size:
            end = body.rfind("\n", position, end) + 1 or body.rfind(" ", position, end) + 1 or end
        yield body[position:end]
        position = end


# -- plain text --------------------------------------------------------------


class WrappedLines:
    """Plain text, wrapped piece by piece; per line it keeps four bytes. Implements BodyLines."""

    def __init__(self, pieces: Iterator[str], width: int, style: Style | None = None) -> None:
        self.width = width
        self.complete = False
        self.addresses: tuple[str, ...] = ()
        self._source = pieces
        self._style = style
        self._pieces: list[str] = []
        self._breaks: list[array[int]] = []
        self._first: list[int] = []  # line at which a piece begins
        self._begin: list[int] = []  # character at which a piece begins
        self._count = 0
        self._characters = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, rows: int) -> None:
        wanted = self._count + rows
        for _ in range(_MANY):
            if self._count >= wanted:
                return
            piece = next(self._source, None)
            if piece is None:
                self.complete = True
                return
            if not piece:
                continue
            breaks = wrap_offsets(piece, self.width)
            self._pieces.append(piece)
            self._breaks.append(breaks)
            self._begin.append(self._characters)
            self._first.append(self._count)
            self._characters += len(piece)
            self._count += len(breaks)  # last: from here on the new lines may be read

    def _find(self, index: int) -> tuple[int, int]:
        piece = bisect_right(self._first, index) - 1
        # A piece without lines begins where the next does; bisect_right goes past it.
        return piece, index - self._first[piece]

    def row(self, index: int) -> Row:
        piece, line = self._find(index)
        breaks, text = self._breaks[piece], self._pieces[piece]
        end = breaks[line + 1] if line + 1 < len(breaks) else len(text)
        return [Segment(text[breaks[line] : end].rstrip(" \n"), self._style)]

    def address_at(self, index: int) -> str:
        del index
        return ""

    def place(self, index: int) -> float:
        piece, line = self._find(index)
        return self._begin[piece] + self._breaks[piece][line]

    def row_at(self, place: float) -> int | None:
        if place >= self._characters:
            return max(0, self._count - 1) if self.complete else None
        piece = bisect_right(self._begin, place) - 1
        line = bisect_right(self._breaks[piece], place - self._begin[piece]) - 1
        return self._first[piece] + max(0, line)


def wrap_offsets(text: str, width: int) -> array[int]:
    """Where each line of *text* begins when it is wrapped to *width* cells.

    A line ends before the next one's first character, blanks and newline at
    its end not shown. Wraps at blanks and after wide characters, else
    anywhere between two characters that do not join.
    """
    starts = array("I")
    position, size = 0, len(text)
    narrow = text.isascii()
    if narrow:
        # A step of Python for each of millions of lines would hold every key back.
        lengths = list(map(len, text.split("\n")))
        if max(lengths) <= width:
            starts.extend([0, *accumulate(map((1).__add__, lengths))])
            while starts and starts[-1] >= size:  # behind the end, where no line begins
                starts.pop()
            return starts
    while position < size:
        end = text.find("\n", position)
        if end < 0:
            end = size
        starts.append(position)
        if end - position > width or not narrow:
            if narrow:
                _wrap_narrow(text, position, end, width, starts)
            elif (end - position) * 2 > width:  # shorter lines fit whatever they hold
                _wrap_wide(text, position, end, width, starts)
        position = end + 1
    return starts


def _wrap_narrow(text: str, position: int, end: int, width: int, starts: array[int]) -> None:
    while end - position > width:
        blank = text.rfind(" ", position, position + width + 1)
        if blank > position and not text[position:blank].isspace():
            position = blank + 1
            while position < end and text[position] == " ":
                position += 1
        else:
            position += width
        if position < end:
            starts.append(position)


def _wrap_wide(text: str, position: int, end: int, width: int, starts: array[int]) -> None:
    used = used_there = 0  # cells of this line, and of it up to where it may break
    start = may_break = position
    wide = joined = False
    for index in range(position, end):
        char = text[index]
        if char == " ":
            used += 1
            may_break, used_there, wide, joined = index + 1, used, False, False
            continue
        # A variation selector may widen the character before it; it and marks stay with that one.
        cells = 1 if char == "\ufe0f" else get_character_cell_size(char)
        base = cells > 0 and char != "\ufe0f"
        if base and not joined and (wide or cells == 2):
            may_break, used_there = index, used
        if used + cells > width:
            if may_break > start:
                start, used = may_break, used - used_there
                starts.append(start)
            if used + cells > width and index > start:
                start, used = index, 0
                starts.append(start)
            may_break, used_there = start, 0
        used += cells
        if char == "\u200d":
            joined = True
        elif base:
            wide, joined = cells == 2, False
