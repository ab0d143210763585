"""HTML to Markdown-ish text, in one pass and in linear time. Standard library only.

The tokeniser is our own: ``html.parser`` goes back over the rest of the text at
every unfinished comment, tag or declaration, which a stranger's file can make
take minutes. Entities are the standard library's.

What comes out is still untrusted: it holds whatever characters the page held
(``&#8238;`` too), so it is cleaned by whoever shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlsplit

_MAX_INDENT: Final = 8
"""Levels of lists and quotes that are shown; deeper ones stay at this one."""
_MAX_STYLES: Final = 6
"""Emphasis and links within one another that are kept."""
_MAX_TAG: Final = 65_536
"""Characters of a tag whose attributes are read (a data: picture is one long attribute)."""
_PIECE: Final = 32_768
"""Characters after which :func:`iter_markdown` hands out what it has."""

_BLOCKS: Final = frozenset(
    {
        "address",
        "article",
        "aside",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
    }
    | {"figcaption", "figure", "footer", "form", "header", "html", "legend", "main", "menu", "nav", "option"}
    | {"p", "section", "select", "summary", "tbody", "tfoot", "thead", "audio", "video"}
)
_HEADINGS: Final = {f"h{n}": "#" * n for n in range(1, 7)}
_EMPHASIS: Final = {"strong": "**", "b": "**", "em": "*", "i": "*", "s": "~~", "del": "~~", "strike": "~~"}
_DROPPED: Final = frozenset(
    {"head", "math", "noembed", "noframes", "object", "script", "style", "svg", "template"}
)
_EMBEDS: Final = {"iframe": "embedded page", "embed": "embedded", "video": "video", "audio": "audio"}

_TAG_BEGIN: Final = re.compile(r"<(?=[a-zA-Z/!?])")
_NAME: Final = re.compile(r"[a-zA-Z][^\s/>]*")
_ATTRIBUTE: Final = re.compile(r"""([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?""")
_TAG_END: Final = re.compile(r"""[^"'>]*(?:(?:"[^"]*"|'[^']*')[^"'>]*)*>""")
_HUGE_NUMBER: Final = re.compile(r"&#(?:[xX][0-9a-fA-F]{20,}|[0-9]{20,});?")
_BLANKS: Final = re.compile(r"[ \t\n\r\f]+")
_SPECIAL: Final = re.compile(r"[\\`*\[\]]|<(?=[a-zA-Z/!?])|(?<!\w)_|_(?!\w)|~(?=~)|&(?=#?\w{1,32};)")
_BAR: Final = re.compile(r"(?<!\\)\|")
_LINE_START: Final = re.compile(r"(?m)^(?=(?:[-+>#=|]|~~~))|^(\d{1,9})(?=[.)](?:\s|$))")
_HTML: Final = re.compile(
    r"</?(?:p|div|span|br|ul|ol|li|h[1-6]|table|tr|td|a|img|strong|em|b|i|pre|code|blockquote|iframe|section|"
    r"article|figure|html|body|font|hr)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_FIRST_TAG: Final = re.compile(r"\s*(?:<!doctype\b|<!--|<[a-z][a-z0-9]*(?:\s|/?>))", re.IGNORECASE)


def looks_like_html(body: str) -> bool:
    """Whether *body* is HTML rather than Markdown with a tag here and there."""
    if "<" not in body:
        return False
    head = body[:20_000]
    if _FIRST_TAG.match(head):
        # Markdown may open with a tag too; paragraphs without tags give it away.
        return len(_HTML.findall(head)) > head.count("\n\n") and not re.search(r"(?m)^#{1,6} |^```", head)
    return len(_HTML.findall(head)) > 3 * (head.count("\n\n") + 1)


def unescape(text: str) -> str:
    """*text* with its entities resolved. Unlike :func:`html.unescape` it never raises."""
    if "&" not in text:
        return text
    # Python refuses to read numbers of thousands of digits; no character has one of twenty.
    import html  # its table of names takes as long to load as this module

    return html.unescape(_HUGE_NUMBER.sub("\ufffd", text) if "&#" in text else text)


def unescape_excerpt(excerpt: str) -> str:
    """*excerpt* with its entities resolved, those escaped twice or thrice included."""
    for _ in range(3):
        plain = unescape(excerpt)
        if plain == excerpt:
            break
        excerpt = plain
    return excerpt


def attributes(tag: str) -> dict[str, str]:
    """The attributes in the text of one tag: names in lower case, the first of a name, entities resolved."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(tag[:_MAX_TAG]):
        found.setdefault(name.lower(), unescape(double or single or bare))
    return found


def web_address(address: str) -> str:
    """*address* when it is an absolute http(s) one, spelled so that it can stand in ``(…)``; else empty."""
    address = address.strip()
    if address.startswith("//"):
        address = "https:" + address
    if len(address) > 4096 or not address.lower().startswith(("http://", "https://")):
        return ""
    try:
        if not urlsplit(address).hostname:
            return ""
    except ValueError:
        return ""
    # A lone surrogate has no UTF-8; it is no part of an address either.
    return quote(address.encode("utf-8", "replace"), safe="/?#=&+%:;,@~!$'[]*")


def to_markdown(text: str) -> str:
    """The HTML *text* as Markdown. Never raises; time and memory grow with the length of *text* alone."""
    return "".join(iter_markdown(text)).strip("\n")


def iter_markdown(text: str) -> Iterator[str]:
    """As :func:`to_markdown`, in pieces of about 32 thousand characters or none, each ending with a line."""
    writer, begun = _Writer(), False
    for count, (kind, value, rest) in enumerate(_tokens(text), 1):
        if kind == "text":
            writer.text(unescape(value))
        elif kind == "open":
            writer.open(value, rest)
        else:
            writer.close(value)
        # A small first piece: something is seen sooner. By count: so that a caller can give up.
        if writer.size > (_PIECE if begun else _PIECE // 8) or count % 8192 == 0:
            piece = writer.take()
            begun = begun or bool(piece)
            yield piece
    writer.end_block()
    yield writer.take()


def _tokens(text: str) -> Iterator[tuple[str, str, str]]:
    """``("text", raw, "")``, ``("open", name, attributes)``, ``("close", name, "")``; no dropped elements."""
    position, size = 0, len(text)
    last_gt, last_comment = text.rfind(">"), text.rfind("-->")
    patience = 64  # tags with odd quotes that may cost a look through the whole tag limit
    while position < size:
        found = _TAG_BEGIN.search(text, position) if position <= last_gt else None
        if found is None:
            yield from (("text", text[at : at + _PIECE], "") for at in range(position, size, _PIECE))
            return
        begin = found.start()
        if begin > position:
            yield "text", text[position:begin], ""
        position = begin + 1
        mark = text[position : position + 1]
        if mark == "!" or mark == "?":
            if text.startswith("--", position + 1) and begin + 4 <= last_comment:
                position = text.find("-->", begin + 4) + 3
            elif begin < last_gt:
                position = text.find(">", begin) + 1
            else:
                yield "text", text[begin:], ""
                return
            continue
        name = _NAME.match(text, position + (mark == "/"), position + 64)
        if name is None or begin > last_gt:  # </3, or the text ends within the tag
            yield "text", text[begin:position], ""
            continue
        end = _TAG_END.match(text, name.end(), min(size, name.end() + _MAX_TAG)) if patience else None
        if end is None:
            patience -= patience > 0
            after = text.find(">", name.end()) + 1
        else:
            after = end.end()
        tag = name[0].lower()
        position = after
        if mark == "/":
            yield "close", tag, ""
        elif tag in _DROPPED:
            position = _skip(text, tag, after)
        else:
            yield "open", tag, text[name.end() : after - 1]


def _skip(text: str, tag: str, position: int) -> int:
    if text[position - 2 : position - 1] == "/" and tag in ("svg", "math", "object"):
        return position
    closing = re.compile(f"</{tag}[^>]{{0,100}}>", re.IGNORECASE).search(text, position)
    return closing.end() if closing else len(text)


class _Writer:
    """Puts the pieces together: one paragraph, item, heading or cell at a time."""

    def __init__(self) -> None:
        self.size = 0
        self._out: list[str] = []
        self._line: list[str] = []
        self._held = 0  # characters of text in _line, about
        self._styles: list[tuple[str, str, int]] = []  # tag, what closes it, place in _line
        self._levels: list[tuple[str, int]] = []  # ul, ol or quote; number of the last item
        self._marker = ""  # of an item whose text has not come yet
        self._heading = ""
        self._pre = 0
        self._tight = False  # the last block was an item of the list we are in
        self._table = 0
        self._cells: list[str] | None = None
        self._in_cell = False
        self._columns = 0

    def take(self) -> str:
        """What has been written since the last call."""
        piece = "".join(self._out)
        self._out, self.size = [], 0
        return piece

    # -- what comes in

    def text(self, value: str) -> None:
        if self._pre:
            self._line.append(value)
            return
        value = _SPECIAL.sub(r"\\\g<0>", _BLANKS.sub(" ", value))
        if value:
            self._line.append(value)
            self._held += len(value)
            if self._held > _PIECE and self._cells is None:  # a paragraph without end
                self.end_block()

    def open(self, tag: str, rest: str) -> None:
        if tag == "br":
            self._line.append("\n")
        elif tag == "pre":
            self.end_block()
            self._pre += 1
        elif self._pre:
            return
        elif tag in _EMPHASIS or tag == "code":
            self._begin_style(tag, _EMPHASIS.get(tag, "`"))
        elif tag == "a":
            url = web_address(attributes(rest).get("href", ""))
            self._begin_style(tag, f"]({url})" if url else "")
        elif tag == "img":
            self._image(attributes(rest))
        elif tag in _EMBEDS:
            self._embed(tag, attributes(rest))
        elif tag == "hr":
            self.end_block()
            self._write("---", "---")
        else:
            self._open_block(tag, rest)

    def close(self, tag: str) -> None:
        if tag == "pre" and self._pre:
            self._pre -= 1
            if not self._pre:
                self._end_pre()
        elif self._pre:
            return
        elif tag in _EMPHASIS or tag in ("code", "a"):
            self._end_style(tag)
        elif tag in ("ul", "ol", "blockquote"):
            self.end_block()
            self._leave("quote" if tag == "blockquote" else tag)
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag == "table":
            self._end_row()
            self._table = max(0, self._table - 1)
            if not self._table:
                self._put("\n")
        elif tag in _BLOCKS or tag in _HEADINGS or tag == "li":
            self.end_block()

    # -- blocks

    def _open_block(self, tag: str, rest: str) -> None:
        if tag in ("ul", "ol", "blockquote"):
            self.end_block()
            start = attributes(rest).get("start", "1") if tag == "ol" else "1"
            number = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1
            # Levels too deep to show are still counted, so that they are left again.
            self._levels.append(("quote" if tag == "blockquote" else tag, number - 1))
            self._tight = self._tight and tag != "blockquote"
        elif tag == "li":
            self.end_block()
            self._marker = self._next_marker()
        elif tag in _HEADINGS:
            self.end_block()
            self._heading = _HEADINGS[tag] + " "
        elif tag == "table":
            self.end_block()
            self._table += 1
            if self._table == 1:
                self._columns = 0
        elif tag == "tr":
            self._end_row()
            if self._table == 1:
                self._cells = []
        elif tag in ("td", "th"):
            self._begin_cell()
        elif tag in _BLOCKS:
            self.end_block()

    def _next_marker(self) -> str:
        for index in range(len(self._levels) - 1, max(-1, len(self._levels) - 1 - _MAX_INDENT), -1):
            kind, number = self._levels[index]
            if kind == "ol":
                self._levels[index] = (kind, number + 1)
                return f"{number + 1}. "
            if kind == "ul":
                break
        return "- "

    def _leave(self, kind: str) -> None:
        # Only a level near the top is looked for: a stray end tag must not cost a walk through all of them.
        for index in range(len(self._levels) - 1, max(-1, len(self._levels) - 1 - _MAX_INDENT), -1):
            if self._levels[index][0] == kind:
                del self._levels[index:]
                break
        self._tight = self._tight and bool(self._levels)
        if not self._levels and self._out:
            self._put("\n") if not self._out[-1].endswith("\n\n") else None

    def end_block(self) -> None:
        """Write the paragraph, item or heading that has been gathered."""
        if self._cells is not None or self._table > 1:  # in a row everything is one line
            self._line.append(" ")
            return
        text = self._gathered()
        if not text:
            return
        heading, self._heading = self._heading, ""
        if heading:
            text = heading + text.replace("\n", " ")
        else:
            text = _LINE_START.sub(lambda m: (m[1] or "") + "\\", text)
        self._write(text.replace("\n", "  \n"), text)

    def _gathered(self) -> str:
        self._held = 0
        while self._styles:
            self._end_style(self._styles[-1][0])
        if not self._line:
            return ""
        text = _BLANKS.sub(_break_or_blank, "".join(self._line)).strip()
        self._line = []
        return text

    def _write(self, text: str, plain: str) -> None:
        """One block with its prefixes; items of a list follow one another without a gap."""
        if not plain:
            return
        quotes, indent = self._prefix()
        marker, self._marker = self._marker, ""
        if marker and self._tight and self._out and self._out[-1].endswith("\n\n"):
            self._out[-1] = self._out[-1][:-1]
        first = quotes + indent[: len(indent) - len(marker)] + marker if marker else quotes + indent
        rest = quotes + indent
        lines = text.split("\n")
        block = "\n".join([first + lines[0], *(rest + line for line in lines[1:])])
        self._put(block.rstrip() + "\n\n")
        self._tight = bool(self._levels)

    def _prefix(self) -> tuple[str, str]:
        quotes, indent = "", ""
        for kind, number in self._levels[:_MAX_INDENT]:
            if kind == "quote":
                quotes += "> "
            else:
                indent += " " * (len(f"{max(number, 1)}. ") if kind == "ol" else 2)
        return quotes, indent

    def _end_pre(self) -> None:
        code = "".join(self._line).strip("\n")
        self._line, self._styles = [], []
        if self._cells is not None or self._table > 1:
            self._line = [" ", _SPECIAL.sub(r"\\\g<0>", _BLANKS.sub(" ", code)), " "]
            return
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
        self._write(f"{fence}\n{code}\n{fence}", code)

    def _put(self, text: str) -> None:
        self._out.append(text)
        self.size += len(text)

    # -- emphasis, links, pictures

    def _begin_style(self, tag: str, closing: str) -> None:
        if len(self._styles) < _MAX_STYLES and all(open_tag != tag for open_tag, _, _ in self._styles):
            self._styles.append((tag, closing, len(self._line)))

    def _end_style(self, tag: str) -> None:
        if all(open_tag != tag for open_tag, _, _ in self._styles):
            return
        while self._styles:
            open_tag, closing, place = self._styles.pop()
            inner = "".join(self._line[place:])
            del self._line[place:]
            core = inner.strip()
            if closing and core and "\n\n" not in core:
                opening = "[" if closing.startswith("]") else closing
                if opening == "[" and core.replace("\\", "") == closing[2:-1]:
                    opening, core, closing = "<", closing[2:-1], ">"
                if closing == "`":
                    core = re.sub(r"\\(?=[\\`*\[\]<_~&])", "", core).replace("`", "'")
                lead = inner[: len(inner) - len(inner.lstrip())]
                inner = f"{lead}{opening}{core}{closing}{inner[len(inner.rstrip()) :]}"
            elif closing.startswith("](") and not core:
                inner = f"<{closing[2:-1]}>"
            if inner:
                self._line.append(inner)
            if open_tag == tag:
                return

    def _image(self, named: dict[str, str]) -> None:
        alt = _SPECIAL.sub(r"\\\g<0>", _BLANKS.sub(" ", named.get("alt") or named.get("title") or "")).strip()
        url = web_address(named.get("src", ""))
        self._line.append(f"![{alt}]({url})" if url else alt)

    def _embed(self, tag: str, named: dict[str, str]) -> None:
        self.end_block()
        if url := web_address(named.get("src", "")):
            what = _SPECIAL.sub(r"\\\g<0>", _BLANKS.sub(" ", named.get("title", ""))).strip() or _EMBEDS[tag]
            self._line.append(f"[{what}]({url})")
            self.end_block()

    # -- tables

    def _begin_cell(self) -> None:
        self._end_cell()
        if self._table == 1:
            self._in_cell = self._cells is not None

    def _end_cell(self) -> None:
        if not self._in_cell or self._table != 1 or self._cells is None:
            self._line.append(" ")
            return
        self._in_cell = False
        self._cells.append(_BAR.sub(r"\\|", self._gathered().replace("\n", " ")))

    def _end_row(self) -> None:
        if self._table > 1:
            self._line.append(" ")
            return
        if self._cells is None:
            return
        self._in_cell = self._in_cell or any(map(str.strip, self._line))  # text beside the cells is one more
        self._end_cell()
        self._line = []
        cells, self._cells = self._cells, None
        if not any(cells):
            return
        if not self._columns:
            self._columns = len(cells)
            if self._columns == 1:  # a table for layout's sake
                self._columns = 0
                self._write(cells[0], cells[0])
                return
            self._put("| " + " | ".join(cells) + " |\n" + "|" + " --- |" * self._columns + "\n")
            return
        if len(cells) > self._columns:  # no cell is lost where a row is too long
            cells = [*cells[: self._columns - 1], " ".join(cells[self._columns - 1 :])]
        self._put("| " + " | ".join(cells + [""] * (self._columns - len(cells))) + " |\n")


def _break_or_blank(match: re.Match[str]) -> str:
    return "\n" if "\n" in match[0] else " "
