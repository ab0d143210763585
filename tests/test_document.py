"""Bodies as lines, and the widget that shows them, through the real widget and its real strips."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from reader.ui.document import Block, Body, Document, Lines, Rule
from reader.ui.render import LINE_LIMIT, MARKDOWN_LIMIT, BodyLines, WrappedLines, render_body, wrap_offsets

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

MARKDOWN = """# Head *x*

Some [link](https://example.org/a_b) and [script](javascript:alert) `code`<br>next. ![alt](http://p.example/i.png)
<a href="https://h.example">in HTML</a> https://bare.example/x.

> a quote that is long enough to be wrapped over lines

1. one
2. two
   - nested

```python
def f(x):
    return x
```

| A | B |
|---|--:|
| 1 | [2](https://example.org/a_b) |

---

<div><p>HTML <b>block</b></p></div>

end [bold]markup[/] [@click=app.quit]x[/]
"""


def texts(lines: BodyLines) -> list[str]:
    while not lines.complete:
        lines.extend(10_000)
    return ["".join(segment.text for segment in lines.row(index)) for index in range(len(lines))]


def wrapped(text: str, width: int) -> list[str]:
    starts = [*wrap_offsets(text, width), len(text)]
    return [text[a:b] for a, b in pairwise(starts)]


# -- bodies


def test_markdown_is_laid_out() -> None:
    shown = texts(render_body(MARKDOWN, 60))
    for line in [
        "Head x",
        "▌ a quote that is long enough to be wrapped over lines",
        " 1 one",
        "    • nested",
        "  def f(x):",
        "      return x",
        " 1  2 [1]",
        "─" * 60,
        "HTML block",
        "end [bold]markup[/] [@click=app.quit]x[/]",
    ]:
        assert line in [row.rstrip() for row in shown], line


def test_links_are_numbered_and_listed() -> None:
    lines = render_body(MARKDOWN, 60)
    shown = " ".join(" ".join(texts(lines)).split())
    assert "Some link [1] and [script](javascript:alert) code" in shown
    assert "[image: alt] [2]" in shown and "in HTML [3]" in shown and "https://bare.example/x [4]." in shown
    assert lines.addresses == (
        "https://example.org/a_b",
        "http://p.example/i.png",
        "https://h.example/",
        "https://bare.example/x",
    )
    listed = [lines.address_at(index) for index in range(len(lines))]
    assert [address for address in listed if address] == list(lines.addresses)
    assert texts(lines)[listed.index("https://h.example/")] == "[3] https://h.example/"


def test_a_long_address_is_listed_whole() -> None:
    address = "https://example.org/" + "a" * 100
    lines = render_body(f"[x]({address})", 40)
    rows = [text for index, text in enumerate(texts(lines)) if lines.address_at(index) == address]
    assert "".join(rows) == f"[1] {address}" and len(rows) == 4


def test_html_is_laid_out() -> None:
    lines = render_body("<h2>Head</h2><p>one <a href='https://example.org/'>two</a><ul><li>three</ul>", 60)
    assert [text.rstrip() for text in texts(lines) if text.strip()] == [
        "Head",
        "one two [1]",
        " • three",
        "[1] https://example.org/",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "> " * 30 + "deep in quotes",
        "\n".join("  " * depth + "- deep" for depth in range(30)) + " in lists",
        "|" + "cell|" * 60 + "\n|" + "-|" * 60 + "\n|" + "deep|" * 60,
        "x " * MARKDOWN_LIMIT + " deep",
        "\n".join(["deep"] * (LINE_LIMIT + 5)),
        "<p>deep</p>\n" * 10_000,
        "[" * 5_000 + " deep",
    ],
    ids=["quotes", "lists", "columns", "long", "lines", "html", "brackets"],
)
@pytest.mark.parametrize("width", [2, 9, 20, 80], ids=str)
def test_nothing_is_lost_where_it_does_not_fit(body: str, width: int) -> None:
    lines = render_body(body, width)
    together = "".join(texts(lines)).replace(" ", "").replace("▌", "").replace("•", "")
    assert together.count("deep") == body.count("deep")
    assert all(cell_len(text) <= width for text in texts(lines))


def test_no_body_is_no_lines() -> None:
    assert len(render_body("", 80)) == 0
    assert texts(render_body(" \n\n", 80)) == []


PIECES = [
    *(
        "*",
        "**",
        "_",
        "`",
        "```",
        "~~",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](http://a.example/x)",
        "> ",
        "- ",
        "1. ",
        "# ",
    ),
    *(
        "|",
        "|-|-|",
        "\n",
        "\n\n",
        " ",
        "\t",
        "a",
        "word ",
        "漢字",
        "é",
        "👩\u200d👩\u200d👧",
        "⚠️",
        "\u0301",
        "العربية ",
    ),
    *(
        "\x1b[31m",
        "\x1b]0;t\x07",
        "\x9b1m",
        "\x90",
        "\u202e",
        "\u2066",
        "\x00",
        "\r",
        "\x7f",
        "\ud800",
        "\u2028",
    ),
    *(
        "<b>",
        "</b>",
        "<br>",
        "<a href=https://h.example>",
        "</a>",
        "<img src=http://i.example>",
        "<div>",
        "<!--",
    ),
    *(
        "&#8238;",
        "&#27;",
        "&#x9b;",
        "&amp;",
        "&#x2028;",
        "http://u.example/x ",
        "---\n",
        "\\",
        "x" * 50,
        "[x]: /y\n",
    ),
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=50).map("".join), st.sampled_from([2, 7, 16, 24, 80]))
def test_no_body_reaches_the_terminal_as_more_than_text(body: str, width: int) -> None:
    lines = render_body(body, width)
    for index, text in enumerate(texts(lines)):
        assert not CONTROL.search(text)
        row = lines.row(index)
        assert Segment.get_line_length(list(row)) <= width
        assert all(segment.style is None or not (segment.style.link or segment.style.meta) for segment in row)
        assert all(segment.control is None for segment in row)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("one\n\ntwo\n", 9, ["one", "", "two"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("a  bbbb", 4, ["a", "bbbb"]),
        ("漢字漢字", 4, ["漢字", "漢字"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("ab 漢字 cd", 6, ["ab 漢", "字 cd"]),
        ("éé éé", 4, ["éé", "éé"]),
        ("e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]),
        ("x 👩\u200d👩\u200d👧 y", 6, ["x", "👩\u200d👩\u200d👧", "y"]),
    ],
)
def test_wrapping(text: str, width: int, lines: list[str]) -> None:
    assert [line.rstrip(" \n") for line in wrapped(text, width)] == lines


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab  \n漢é\u0301👧\ufe0f⚠"), max_size=80), st.integers(2, 12))
def test_wrapping_keeps_every_character_in_the_width(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    assert all(cell_len(line.rstrip(" \n")) <= width for line in lines)


@given(st.text(st.sampled_from("ab \n"), max_size=60))
def test_lines_that_fit_begin_after_each_newline(text: str) -> None:
    starts = [0, *(m.end() for m in re.finditer("\n", text))]
    assert [*wrap_offsets(text, 60)] == [start for start in starts if start < len(text)]


def test_places_survive_another_width() -> None:
    body = "".join(
        f"Paragraph {n} of some length, so that it is wrapped here and not there.\n" for n in range(3000)
    )
    narrow, wide = render_body(body, 30), render_body(body, 90)
    for lines in (narrow, wide):
        assert isinstance(lines, WrappedLines)
        texts(lines)
    for row in (0, 1, 500, 4000, len(narrow) - 1):
        again = wide.row_at(narrow.place(row))
        assert again is not None and wide.place(again) <= narrow.place(row) < wide.place(again) + 91


def test_long_markdown_is_laid_out_bit_by_bit() -> None:
    body = "".join(
        f"Some *words* of paragraph {n}, and [a link][late].\n\n- one of {n}\n\n" for n in range(300)
    )
    lines = render_body(body + "\n[late]: https://example.org/late\n", 40)
    known = len(lines)
    assert not lines.complete and known < 200
    head = ["".join(segment.text for segment in lines.row(row)) for row in range(known)]
    assert " ".join(" ".join(head).split()).startswith("Some words of paragraph 0, and a link [1].")
    assert lines.row_at(lines.place(known - 1)) == known - 1 and lines.row_at(1e9) is None
    places = [lines.place(row) for row in range(known)]
    whole = texts(lines)
    assert lines.complete and whole[:known] == head and whole[-1] == "[1] https://example.org/late"
    assert places == [lines.place(row) for row in range(known)]
    assert [lines.row_at(lines.place(row)) for row in range(len(lines))] == list(range(len(lines)))
    wide = render_body(body, 90)
    there = texts(wide)
    for row, text in enumerate(whole):
        if number := re.search(r"one of (\d+)", text):
            again = wide.row_at(lines.place(row))
            assert again is not None and there[again].rstrip().endswith(number[0])


# -- the widget


class Reading(App[None]):
    CSS = "Document { padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield Document(id="article")

    def on_document_item_chosen(self, event: Document.ItemChosen) -> None:
        self.chosen.append(event.id)

    def on_document_address_chosen(self, event: Document.AddressChosen) -> None:
        self.chosen.append(event.address)

    @property
    def document(self) -> Document:
        return self.query_one(Document)


def screen(app: Reading) -> list[str]:
    return [app.document.render_line(y).text for y in range(app.document.scrollable_content_region.height)]


async def settle(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.pause()


def article(body: str = MARKDOWN) -> list[Block]:
    return [
        Lines(
            Text("A headline long enough to be wrapped, 漢字漢字漢字漢字漢字漢字漢字", style="title"),
            id="head",
        ),
        Lines(Text.assemble(("Outlet", "meta"), " · ", ("5 h", "dim"), (" odd", "no-such-style"))),
        Body(body, id="body"),
        Rule("Coverage (9)", id="coverage"),
        *(
            Lines(Text(f"Item {n}, told by another outlet at length"), id=f"item-{n}", item=True)
            for n in range(9)
        ),
    ]


@pytest.mark.parametrize("size", [(20, 8), (40, 20), (80, 24), (200, 50)])
async def test_every_line_has_the_width(size: tuple[int, int]) -> None:
    app = Reading()
    async with app.run_test(size=size) as pilot:
        app.document.show(article())
        await settle(pilot)
        document = app.document
        assert document.virtual_size.height == document.line_count
        seen: list[str] = []
        while True:
            for y in range(document.scrollable_content_region.height):
                strip = document.render_line(y)
                assert strip.cell_length == cell_len(strip.text) == document.scrollable_content_region.width
                seen.append(strip.text.strip())
            if not document.scroll_page(1):
                break
        assert document.at_end
        assert any("A headline" in line for line in seen) and any("── Cov" in line for line in seen)


async def test_paging_comes_to_an_end_and_back() -> None:
    app = Reading()
    async with app.run_test(size=(40, 12)) as pilot:
        document = app.document
        document.show(article())
        await settle(pilot)
        pages = 0
        while document.scroll_page(1):
            pages += 1
        assert pages >= 3 and document.at_end and not document.scroll_page(1)
        assert document.scroll_offset.y == document.line_count - 12
        while document.scroll_page(-1):
            pages -= 1
        assert pages == 0 and not document.at_end and document.scroll_offset.y == 0


async def test_a_short_text_is_at_its_end() -> None:
    app = Reading()
    async with app.run_test(size=(40, 12)) as pilot:
        app.document.show([Lines(Text("short"))])
        await settle(pilot)
        assert app.document.at_end and not app.document.scroll_page(1)


async def test_the_current_item_is_marked_and_in_sight() -> None:
    app = Reading()
    async with app.run_test(size=(40, 12)) as pilot:
        document = app.document
        document.show(article())
        await settle(pilot)
        assert document.items == tuple(f"item-{n}" for n in range(9))
        document.focus_item("item-7")
        await pilot.pause()
        marked = [line for line in screen(app) if line.startswith("▸ ")]
        assert len(marked) == 1 and "Item 7" in marked[0]
        row = document.line_of("item-7")
        assert row is not None
        strip = document.render_line(row - document.scroll_offset.y)
        assert all(segment.style is not None and segment.style.reverse for segment in strip)
        document.focus_item("item-0")
        await pilot.pause()
        assert document.current_item == "item-0"
        assert any(line.startswith("▸ Item 0") for line in screen(app))
        document.focus_item("none such")
        assert document.current_item == "" and not any("▸" in line for line in screen(app))
        assert document.line_of("none such") is None


async def test_clicks_choose() -> None:
    app = Reading()
    async with app.run_test(size=(60, 60)) as pilot:
        document = app.document
        document.show(article())
        await settle(pilot)
        lines = screen(app)
        for y, line in enumerate(lines):
            if line.startswith(("  Item 3", "[3] https://h")):
                await pilot.click(Document, offset=(5, y))
        await pilot.click(Document, offset=(5, 0))
        await pilot.click(Document, offset=(5, 55))
        assert sorted(app.chosen) == ["https://h.example/", "item-3"]
        assert set(document.addresses) >= {"https://h.example/"}


HOSTILE = (
    "\x1b]0;owned\x07\x1b[31m\x9b2J\x90q\u202eevil\u2066 \x00\x08 "
    "[@click=app.quit]quit[/] [/] [bold]b[/] \ud800\r\x7f"
)


async def test_hostile_text_in_every_block_stays_text() -> None:
    app = Reading()
    blocks: list[Block] = [
        Lines(Text(HOSTILE + "\n" + HOSTILE, style="title"), id=HOSTILE),
        Lines(Text.assemble((HOSTILE, "dim"), HOSTILE), item=True, id="item"),
        Rule(HOSTILE),
        Body(HOSTILE),
        Body(f"<p>{HOSTILE}</p><a href='https://example.org/{HOSTILE}'>{HOSTILE}</a>"),
        Body(HOSTILE * 3000),
        Lines(Text(HOSTILE * 3000)),
    ]
    async with app.run_test(size=(60, 24)) as pilot:
        document = app.document
        document.show(blocks)
        await settle(pilot)
        document.focus_item("item")
        assert document.line_count > 500
        while True:
            for y in range(24):
                strip = document.render_line(y)
                assert not CONTROL.search(strip.text)
                assert strip.cell_length == document.scrollable_content_region.width
                assert all(not (s.style and (s.style.link or s.style.meta)) for s in strip)
            if not document.scroll_page(1):
                break
        assert "[@click=app.quit]quit[/]" in "".join(texts(render_body(HOSTILE, 200)))


async def test_many_blocks_and_long_bodies_are_drawn_by_the_line() -> None:
    app = Reading()
    async with app.run_test(size=(80, 24)) as pilot:
        document = app.document
        document.show([Lines(Text(f"line {n}"), id=str(n)) for n in range(50_000)])
        await settle(pilot)
        assert document.line_count == 50_000
        document.scroll_to_line(33_333)
        assert screen(app)[0].rstrip() == "line 33333"
        assert document.line_of("49999") == 49_999

        document.show([Body("".join(f"row {n} 漢\n" for n in range(200_000))), Rule("end", id="end")])
        await settle(pilot)
        assert document.line_count == 200_001 and document.line_of("end") == 200_000
        document.scroll_to_line(123_456)
        assert screen(app)[0].rstrip() == "row 123456 漢"


LONG = "".join(
    f"Paragraph {n} is long enough to be wrapped at one width and not at another.\n\n" for n in range(1400)
)


@pytest.mark.parametrize("size", [len(LONG), 30_000, 3_000])
async def test_the_place_survives_another_width(size: int) -> None:
    body = LONG[:size]
    app = Reading()
    async with app.run_test(size=(100, 12)) as pilot:
        document = app.document
        document.show(article(body))
        await settle(pilot)
        document.scroll_to_line(document.line_count // 2)
        number = next(int(found[1]) for line in screen(app) if (found := re.match(r"Paragraph (\d+)", line)))
        await pilot.resize_terminal(40, 12)
        await settle(pilot)
        shown = [int(found[1]) for line in screen(app) if (found := re.match(r"Paragraph (\d+)", line))]
        assert min(abs(n - number) for n in shown) <= 1 + len(body) // 10_000


async def test_a_place_below_a_long_body_is_reached_when_it_is_laid_out() -> None:
    app = Reading()
    async with app.run_test(size=(60, 12)) as pilot:
        document = app.document
        document.show(article(LONG), at=4_000)
        await settle(pilot)
        assert document.scroll_offset.y == 4_000
        before = screen(app)
        document.show(article(LONG), keep=True)  # as when a link state has come
        await settle(pilot)
        assert document.scroll_offset.y == 4_000 and screen(app) == before
        document.show(article(LONG))
        await settle(pilot)
        assert document.scroll_offset.y == 0


async def test_the_reader_s_own_scrolling_wins_over_a_place_still_to_come() -> None:
    app = Reading()
    async with app.run_test(size=(60, 12)) as pilot:
        document = app.document
        document.show(article(LONG), at=4_000)
        document.scroll_to_line(1)
        await settle(pilot)
        assert document.scroll_offset.y == 1


async def test_another_article_before_the_first_was_laid_out() -> None:
    app = Reading()
    async with app.run_test(size=(60, 12)) as pilot:
        document = app.document
        for n in range(5):
            document.show([Body(f"Article {n}. " + LONG)])
            await pilot.pause()
        await settle(pilot)
        assert screen(app)[0].startswith("Article 4.")
        document.show(())
        await settle(pilot)
        assert document.line_count == 0 and not any(line.strip() for line in screen(app)) and document.at_end


async def test_a_body_that_cannot_be_laid_out_costs_that_body(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> BodyLines:
        raise ValueError("as a library's bug would")

    app = Reading()
    async with app.run_test(size=(60, 40)) as pilot:
        monkeypatch.setattr("reader.ui.document.render_body", broken)
        app.document.show(article(LONG))
        with pytest.raises(Exception, match="bug"):
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        lines = screen(app)
        assert any("could not be laid out" in line for line in lines) and any(
            "Item 8" in line for line in lines
        )


async def test_text_is_readable_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Reading()
    async with app.run_test(size=(60, 40)) as pilot:
        document = app.document
        document.show(article())
        await settle(pilot)
        document.focus_item("item-1")

        def styled(line: str, want: Callable[[Segment], bool]) -> bool:
            y = next(y for y, text in enumerate(screen(app)) if line in text)
            return any(want(segment) for segment in document.render_line(y) if segment.text.strip())

        assert styled("A headline", lambda s: bool(s.style and s.style.bold))
        assert styled("Head x", lambda s: bool(s.style and s.style.bold))
        assert styled("Some link", lambda s: bool(s.style and s.style.underline) and s.text == "link")
        assert styled("Item 1", lambda s: bool(s.style and s.style.reverse))
