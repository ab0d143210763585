"""An article's body as lines of a terminal: Markdown up to a size, wrapped plain text beyond it.

No link of a body becomes a terminal hyperlink and no text of it is read as
markup. Addresses are numbered and listed below, as text browsers do, and only
those :func:`reader.browser.safe_address` lets through.
"""

from __future__ import annotations

import io
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.cells import get_character_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, HorizontalRule, Markdown, MarkdownElement, TableElement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from rich.theme import Theme

from reader.browser import safe_address
from reader.errors import BrowserError
from reader.htmltext import attributes, iter_markdown, looks_like_html, to_markdown
from reader.text import clean_block

MARKDOWN_LIMIT: Final = 64 * 1024
"""Characters of a body that are laid out as Markdown; a longer one is wrapped as it stands."""
LINE_LIMIT: Final = 3_000
"""Lines of the same: many short ones cost more than their size."""
_BRACKETS: Final = 4_000
"""Opening brackets of the same: markdown-it looks for the end of each in all the rest of its paragraph."""
_DEEP: Final = 16
"""Nesting of Markdown tokens beyond which nothing sensible fits; markdown-it would drop text from 20."""
_NARROW: Final = 16
_PIECE: Final = 32_768
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
        """Find about *rows* more lines. Call it in one thread only; others may read meanwhile."""
        ...


def render_body(body: str, width: int, styles: Mapping[str, Style] = PLAIN) -> BodyLines:
    """The exact *body* (Markdown or HTML) as cleaned lines of *width* cells. Call it in a worker.

    Returns at once (some milliseconds) for a body beyond :data:`MARKDOWN_LIMIT`,
    with its first lines known and the rest left to ``extend``.
    """
    width = max(2, width)
    is_html = looks_like_html(body)
    if len(body) <= MARKDOWN_LIMIT:
        text = clean_block(to_markdown(body) if is_html else body)
        rendered = _render_markdown(text, width, styles) if _affordable(text, width) else None
        if rendered is not None:
            return rendered
        pieces: Iterator[str] = iter((text,))
    else:
        pieces = map(clean_block, iter_markdown(body) if is_html else _pieces(body))
    lines = WrappedLines(pieces, width)
    lines.extend(_FIRST_ROWS)
    return lines


def _affordable(text: str, width: int) -> bool:
    small = len(text) <= MARKDOWN_LIMIT and text.count("\n") <= LINE_LIMIT
    return small and text.count("[") <= _BRACKETS and width >= _NARROW


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


# -- Markdown ----------------------------------------------------------------


class RenderedLines:
    """Lines of laid out Markdown. Implements BodyLines; always complete."""

    complete = True

    def __init__(
        self, rows: list[Row], width: int, addresses: Sequence[str], listed: Mapping[int, str]
    ) -> None:
        self.width = width
        self.addresses = tuple(addresses)
        self._rows = rows
        self._listed = listed

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Row:
        return self._rows[index]

    def address_at(self, index: int) -> str:
        return self._listed.get(index, "")

    def place(self, index: int) -> float:
        return index / max(1, len(self._rows))

    def row_at(self, place: float) -> int | None:
        return min(round(place * len(self._rows)), max(0, len(self._rows) - 1))

    def extend(self, rows: int) -> None:
        del rows


def _render_markdown(text: str, width: int, styles: Mapping[str, Style]) -> RenderedLines | None:
    """The lines of the clean Markdown *text*; None when it is nested too deep to be laid out."""
    parser = MarkdownIt().enable("strikethrough").enable("table")
    tokens = parser.parse(text)
    depth = max((token.level for token in tokens), default=0)
    if depth > _DEEP or width - 2 * depth < _NARROW // 2:
        return None
    numbers = _Numbers()
    document = _Body(numbers.rewrite(tokens, parser))
    console = Console(
        file=io.StringIO(),
        width=width,
        color_system="truecolor",
        force_terminal=True,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        theme=_theme(styles),
    )
    options = console.options.update(width=width, height=None)
    lines = console.render_lines(document, options, pad=False)
    # Rich measures stray joiners otherwise than it wraps them: cut what is a cell too wide.
    rows = [_without_end(Segment.adjust_line_length(line, width, pad=False)) for line in lines]
    while rows and not any(segment.text.strip() for segment in rows[-1]):
        rows.pop()
    listed: dict[int, str] = {}
    if numbers.addresses:
        rows.append([])
    for number, address in enumerate(numbers.addresses, 1):
        entry = f"[{number}] {address}"
        for start in range(0, len(entry), width):  # the addresses are ASCII: characters are cells
            listed[len(rows)] = address
            rows.append([Segment(entry[start : start + width], styles.get("link"))])
    return RenderedLines(rows, width, numbers.addresses, listed)


def _without_end(line: list[Segment]) -> Row:
    while line and not line[-1].text.strip():
        line.pop()
    return line


def _theme(styles: Mapping[str, Style]) -> Theme:
    def of(name: str) -> Style:
        return styles.get(name) or PLAIN[name]

    heading, quiet = of("heading"), of("dim")
    return Theme(
        {
            **{f"markdown.h{level}": heading for level in range(1, 7)},
            "markdown.h1": heading + Style(underline=True),
            "markdown.u": of("link"),
            "markdown.code": of("code"),
            "markdown.code_block": of("code"),
            "markdown.block_quote": of("quote"),
            "markdown.em": Style(italic=True),
            "markdown.strong": Style(bold=True),
            "markdown.s": Style(strike=True),
            "markdown.hr": quiet,
            "markdown.item.bullet": quiet,
            "markdown.item.number": quiet,
            "markdown.table.border": quiet,
            "markdown.table.header": Style(bold=True),
        }
    )


class _Numbers:
    """Turns links and pictures of a token stream into text with a number, and keeps the addresses."""

    _bare = re.compile(r"https?://[^\s<>\"'`\[\]{}|\\^]+", re.IGNORECASE)

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self._number: dict[str, int] = {}

    def of(self, address: str) -> int:
        """The number of *address*, or 0 when it is none that may be opened."""
        try:
            safe = safe_address(address)
        except BrowserError:
            return 0
        if safe not in self._number:
            self.addresses.append(safe)
            self._number[safe] = len(self.addresses)
        return self._number[safe]

    def rewrite(self, tokens: Sequence[Token], parser: MarkdownIt | None) -> list[Token]:
        """*tokens* with HTML turned to text. Entities may bring new characters: text is cleaned."""
        kept: list[Token] = []
        for token in tokens:
            if token.type == "html_block":
                if parser is not None:
                    kept += self.rewrite(parser.parse(to_markdown(token.content)), None)
                continue
            token.content = clean_block(token.content)
            token.info = ""  # no colouring: a stranger would choose the program that reads the code
            if token.type == "inline" and token.children:
                token.children = self._inline(token.children)
            kept.append(token)
        return kept

    def _inline(self, children: Sequence[Token]) -> list[Token]:
        kept: list[Token] = []
        open_links: list[tuple[bool, int]] = []  # written in HTML?, number
        for token in children:
            kind, opens, closes = token.type, token.type == "link_open", token.type == "link_close"
            if kind == "html_inline":
                tag = token.content.lower()
                opens = tag.startswith("<a ")
                closes = tag.startswith("</a") and bool(open_links) and open_links[-1][0]
                if tag.startswith("<br"):
                    kept.append(Token("hardbreak", "br", 0))
                elif tag.startswith("<img"):
                    named = attributes(token.content)
                    kept += self._picture(named.get("alt") or named.get("title", ""), named.get("src", ""))
            if opens:
                href = token.attrs.get("href") or attributes(token.content).get("href", "")
                open_links.append((kind == "html_inline", self.of(str(href))))
                kept.append(Token("u_open", "u", 1))
            elif closes:
                in_html = kind == "html_inline"
                while open_links:  # an <a> left open in a link of Markdown ends with it
                    written_in_html, number = open_links.pop()
                    kept += [Token("u_close", "u", -1), *self._note(number)]
                    if written_in_html == in_html:
                        break
            elif kind == "image":
                alt = "".join(child.content for child in token.children or ())
                kept += self._picture(alt, str(token.attrs.get("src", "")))
            elif kind != "html_inline":
                token.content = clean_block(token.content)
                kept += [token] if kind != "text" or open_links else self._addresses_in(token)
        kept += [Token("u_close", "u", -1) for _ in open_links]
        return kept

    def _addresses_in(self, token: Token) -> list[Token]:
        kept, position = [], 0
        for found in self._bare.finditer(token.content):
            address = found[0].rstrip(".,;:!?)*_")
            if number := self.of(address):
                end = found.start() + len(address)
                kept += [_text(token.content[position:end]), *self._note(number)]
                position = end
        return [*kept, _text(token.content[position:])] if kept else [token]

    def _picture(self, alt: str, source: str) -> list[Token]:
        return [_text(f"[image: {clean_block(alt)}]" if alt else "[image]"), *self._note(self.of(source))]

    def _note(self, number: int) -> list[Token]:
        return [_text(f" [{number}]")] if number else []


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


class _Heading(Heading):
    """All headings on the left: lines are read there."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console, options
        yield self.text


class _Code(CodeBlock):
    """Code as it stands, indented, folded where it is too wide; coloured by nobody."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = Text(str(self.text).rstrip(), style="markdown.code_block", overflow="fold", justify="left")
        inner = options.update(width=max(1, options.max_width - 2))
        for line in console.render_lines(text, inner, pad=False):
            yield Segment("  ")
            yield from line
            yield Segment("\n")


class _Table(TableElement):
    """A table, or one line a row where its columns would not fit."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = [self.header.row] if self.header is not None and self.header.row is not None else []
        columns = len(rows[0].cells) if rows else 0
        if columns * 8 <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        for row in [*rows, *(self.body.rows if self.body is not None else ())]:
            yield Text(" | ").join(cell.content for cell in row.cells)


class _Rule(HorizontalRule):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("─" * options.max_width, style=console.get_style("markdown.hr"))


class _Body(Markdown):
    """Rich's Markdown over tokens of our own."""

    inlines = Markdown.inlines | {"u"}
    elements: dict[str, type[MarkdownElement]] = {  # type: ignore[misc] # noqa: RUF012 - as in the class above
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "table_open": _Table,
        "hr": _Rule,
    }

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = tokens
