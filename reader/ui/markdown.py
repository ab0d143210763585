"""Markdown laid out by Rich, over tokens in which no address is a link and no text is markup."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Final

from markdown_it import MarkdownIt
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

_DEEP: Final = 16
"""Nesting of Markdown tokens beyond which nothing sensible fits; markdown-it would drop text from 20."""


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


def render_markdown(text: str, width: int, styles: Mapping[str, Style]) -> RenderedLines | None:
    """The lines of the clean Markdown *text*; None when it is nested too deep to be laid out."""
    parser = MarkdownIt().enable("strikethrough").enable("table")
    tokens = parser.parse(text)
    depth = max((token.level for token in tokens), default=0)
    if depth > _DEEP or width - 2 * depth < NARROW // 2:
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
