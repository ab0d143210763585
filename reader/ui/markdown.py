"""Markdown laid out by Rich, over tokens in which no address is a link and no text is markup."""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore, block, inline, normalize, text_join
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, HorizontalRule, Markdown, MarkdownElement, TableElement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from rich.theme import Theme

from reader.browser import safe_address
from reader.errors import BrowserError
from reader.htmltext import attributes, to_markdown
from reader.text import clean_block
from reader.ui.render import NARROW, PLAIN, Row

_Env = MutableMapping[str, Any]

_DEEP: Final = 16
"""Nesting of Markdown tokens beyond which nothing sensible fits; markdown-it would drop text from 20."""


_TURN: Final = 300
"""Lines laid out in one go, in some hundredth of a second: the interpreter is not for us alone."""


class _Block(NamedTuple):
    """What became of one block of the text, paragraph or list: its lines here and there."""

    first: int
    rows: int
    begin: int
    end: int


class RenderedLines:
    """Lines of Markdown, laid out block by block of the text. Implements BodyLines.

    The blocks of the whole text are found at once, which is quick, and give
    the meaning of references; what stands in them is parsed and laid out when
    its turn comes. A block's lines come together, so places between them stay.
    """

    def __init__(
        self, tokens: Sequence[Token], parser: MarkdownIt, env: _Env, width: int, styles: Mapping[str, Style]
    ) -> None:
        self.width = width
        self.complete = False
        self._numbers = _Numbers()
        self._link = styles.get("link")
        self._rows: list[Row] = []
        self._blocks: list[_Block] = []
        self._listed: dict[int, str] = {}
        self._coming: list[Row] = []  # of the block that is being laid out
        self._begun: tuple[int, int] = (0, 0)  # its lines in the text, and those of the next
        self._next: tuple[int, int] | None = None
        self._laying = _laid_out(_Body(self._inlined(tokens, parser, env)), width, styles)

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self._numbers.addresses)

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Row:
        return self._rows[index]

    def address_at(self, index: int) -> str:
        return self._listed.get(index, "")

    def place(self, index: int) -> float:
        at = max(0, bisect_right(self._blocks, index, key=lambda block: block.first) - 1)
        block = self._blocks[at]
        part = min(1.0, (index - block.first) / max(1, block.rows))
        return block.begin + part * (block.end - block.begin)

    def row_at(self, place: float) -> int | None:
        if not self.complete and (not self._blocks or place >= self._blocks[-1].end):
            return None
        at = max(0, bisect_right(self._blocks, place, key=lambda block: block.begin) - 1)
        if not self._blocks:
            return 0
        block = self._blocks[at]
        part = (place - block.begin) / max(1, block.end - block.begin)
        row = min(round(part * block.rows), max(0, block.rows - 1))
        return min(block.first + row, max(0, len(self) - 1))

    def extend(self, rows: int) -> None:
        wanted = len(self) + min(rows, _TURN)
        while not self.complete and len(self) < wanted:
            line = next(self._laying, None)
            if line is None:
                self._finish()
                return
            if self._next is not None:  # this line is the first of another block
                self._publish()
                self._begun, self._next = self._next, None
            self._coming.append(line)

    def _inlined(self, tokens: Sequence[Token], parser: MarkdownIt, env: _Env) -> Iterator[Token]:
        """*tokens* with what stands in them, no more of them parsed than are taken."""
        group: list[Token] = []
        for token in tokens:
            group.append(token)
            if token.level == 0 and token.nesting <= 0:
                state = StateCore("", parser, env, group)
                inline(state)
                text_join(state)
                if group[0].map:
                    begin, end = group[0].map
                    self._next = (begin, end)
                yield from self._numbers.rewrite(group, parser)
                group = []

    def _publish(self) -> None:
        """Show the lines of a block, the blank ones at its end with the next."""
        kept = len(self._coming)
        while kept and not self._coming[kept - 1]:
            kept -= 1
        first = len(self._rows)
        self._rows += self._coming[:kept]
        self._blocks.append(_Block(first, kept, *self._begun))
        del self._coming[:kept]

    def _finish(self) -> None:
        self._publish()
        last = self._begun[1]
        if self._numbers.addresses:
            first = len(self._rows)
            rows: list[Row] = [[]]
            for number, address in enumerate(self._numbers.addresses, 1):
                entry = f"[{number}] {address}"
                for start in range(0, len(entry), self.width):  # they are ASCII: characters are cells
                    self._listed[first + len(rows)] = address
                    rows.append([Segment(entry[start : start + self.width], self._link)])
            self._rows += rows
            self._blocks.append(_Block(first, len(rows), last, last + 1))
        self.complete = True


def render_markdown(text: str, width: int, styles: Mapping[str, Style]) -> RenderedLines | None:
    """The clean Markdown *text*, no line of it laid out; None when it is nested too deep to be."""
    parser = MarkdownIt().enable("strikethrough").enable("table")
    env: _Env = {}
    state = StateCore(text, parser, env)
    normalize(state)
    block(state)
    depth = max((token.level for token in state.tokens), default=0)
    if depth > _DEEP or width - 2 * depth < NARROW // 2:
        return None
    return RenderedLines(state.tokens, parser, env, width, styles)


def _laid_out(document: Markdown, width: int, styles: Mapping[str, Style]) -> Iterator[Row]:
    """The lines of *document*, each when it is asked for."""
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
    segments = console.render(document, console.options.update(width=width, height=None))
    for line in Segment.split_and_crop_lines(segments, width, pad=False, include_new_lines=False):
        # Rich measures stray joiners otherwise than it wraps them: cut what is a cell too wide.
        yield _without_end(Segment.adjust_line_length(line, width, pad=False))


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

    def __init__(self, tokens: Iterable[Token]) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = tokens  # type: ignore[assignment] # Rich only goes through them
