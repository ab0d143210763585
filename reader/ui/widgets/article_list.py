"""The list of articles: it holds ids, and pages the rows it shows."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.message import Message

from reader.model import OUTCOMES, Outcome
from reader.store.query.highlight import hits
from reader.store.query.nodes import ALL, Node
from reader.store.rows import ArticleRow, StoryRow
from reader.ui import human
from reader.ui.widgets.line_list import LineList
from reader.ui.widgets.lines import ellipsed, fit

PAGE = 64
"""Rows fetched together."""

_ONE_LINE_FROM = 96  # cells: below, a title would be cut too short beside its outlet
_OUTLET_CELLS = 18
_TYPE_GLYPHS = {"video": "▶", "download": "⇩", "profile": "☺", "collection": "❏", "forum": "❏"}


class ArticleList(LineList):
    """Rows of articles; the screen fetches pages when :class:`PagesWanted` says so."""

    class PagesWanted(Message):
        """Rows that are about to be seen are not there yet. ``pages`` are numbers of :data:`PAGE` rows."""

        def __init__(self, sender: ArticleList, pages: tuple[int, ...]) -> None:
            super().__init__()
            self.list = sender
            self.pages = pages

        @property
        def control(self) -> ArticleList:
            return self.list

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.ids: array[int] = array("q")
        self.now = 0
        self.selected: set[int] = set()
        self.hits: Node = ALL
        self._rows: LRUCache[int, list[ArticleRow | None]] = LRUCache(64)
        self._asked: set[int] = set()

    # -- content ------------------------------------------------------------

    def set_ids(
        self, ids: array[int], cursor: int, rows: Mapping[int, Sequence[ArticleRow]], *, of: int = 0
    ) -> None:
        """Show *ids*, the first *of* so many, the cursor on *cursor*; *rows* are pages already fetched."""
        self.ids = ids
        self.selected &= set(ids) if self.selected else set()
        self._rows.clear()
        self._asked.clear()
        for page, found in rows.items():
            self._put(page, found)
        self.set_count(len(ids), cursor, of=of)

    def grow(self, ids: array[int]) -> None:
        """Show *ids*, which begin as those that are shown; nothing in sight changes."""
        self.ids = ids
        self._asked.clear()
        self.set_more(len(ids))

    def put_pages(self, rows: Mapping[int, Sequence[ArticleRow]], ids: array[int]) -> None:
        """Take fetched pages, unless they were of other *ids*."""
        if ids is not self.ids:
            return
        for page, found in rows.items():
            self._put(page, found)
            self._asked.discard(page)
        self._strips.clear()
        self.refresh()

    def _put(self, page: int, found: Iterable[ArticleRow]) -> None:
        by_id = {row.id: row for row in found}
        ids = self.ids[page * PAGE : (page + 1) * PAGE]
        self._rows.discard(page)  # Textual's cache keeps the value it has
        self._rows[page] = [by_id.get(i) for i in ids]

    def drop_row(self, index: int) -> None:
        """Take row *index* out; the cursor stays on its row."""
        cursor = self.cursor - (1 if index < self.cursor else 0)
        ids = array("q", self.ids)
        del ids[index]
        kept = {
            page: [r for r in rows if r is not None]
            for page in list(self._rows.keys())
            if (rows := self._rows[page])
        }
        rows_by_id = {r.id: r for rows in kept.values() for r in rows}
        pages = {}
        for page in kept:
            wanted = ids[page * PAGE : (page + 1) * PAGE]
            if wanted and all(i in rows_by_id for i in wanted):
                pages[page] = [rows_by_id[i] for i in wanted]
        offset = self.scroll_offset.y
        self.set_ids(ids, cursor, pages)
        self.scroll_to(y=offset, animate=False, force=True, immediate=True)
        self.show_cursor()

    def row(self, index: int) -> ArticleRow | None:
        """Row *index*, None while it is not fetched."""
        page = self._rows.get(index // PAGE)
        offset = index % PAGE
        return page[offset] if page is not None and offset < len(page) else None

    @property
    def current(self) -> ArticleRow | None:
        """The row under the cursor."""
        return self.row(self.cursor) if self.count else None

    def seen_pages(self) -> list[int]:
        """The pages in sight."""
        if not self.count:
            return []
        top = self.scroll_offset.y // self.row_height
        height = max(1, self.size.height // self.row_height)
        last = min(self.count - 1, top + height)
        return list(range(top // PAGE, last // PAGE + 1))

    def forget_rows(self) -> None:
        """Rows have changed: ask for those in sight again, drawing the old ones meanwhile."""
        seen = set(self.seen_pages())
        for page in list(self._rows.keys()):
            if page not in seen:
                self._rows.discard(page)
        self._asked.clear()
        self._want(sorted(seen))

    def _want(self, pages: Sequence[int]) -> None:
        new = tuple(p for p in pages if p not in self._asked)
        if new:
            self._asked.update(new)
            self.post_message(self.PagesWanted(self, new))

    def toggle_selected(self, index: int) -> None:
        """Select row *index*, or no longer."""
        self.selected ^= {self.ids[index]}
        self.redraw(index)

    # -- drawing ------------------------------------------------------------

    def on_resize(self) -> None:
        self.set_row_height(1 if self.size.width >= _ONE_LINE_FROM else 2)
        super().on_resize()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        pages = self.seen_pages()
        if pages:
            around = (*pages, pages[-1] + 1, pages[0] - 1)
            last = (self.count - 1) // PAGE
            self._want([p for p in around if 0 <= p <= last and self._rows.get(p) is None])

    def render_row(self, index: int, width: int) -> list[list[Segment]]:
        row = self.row(index)
        if row is None:
            self._want([index // PAGE])
            return [[Segment("  …", self.style_of("dim"))]]
        dim, accent = self.style_of("dim"), self.style_of("accent")
        head = [self._mark(row), Segment("★" if row.starred else " ", accent)]
        title = self._title(row)
        facts = self._facts(row)
        if self.row_height == 1:
            outlet = fit(row.outlet, _OUTLET_CELLS)
            cells = Segment.adjust_line_length([Segment(outlet, dim)], _OUTLET_CELLS, dim)
            return [
                ellipsed([*head, Segment(" "), *facts, Segment("  "), *cells, Segment("  "), *title], width)
            ]
        return [
            ellipsed([*head, Segment(" "), *title], width),
            ellipsed([Segment("  "), *facts, Segment("  "), Segment(row.outlet, dim)], width),
        ]

    def _mark(self, row: ArticleRow) -> Segment:
        if row.id in self.selected:
            return Segment("◆", self.style_of("hit"))
        return Segment(" ") if row.read else Segment("●", self.style_of("accent"))

    def _title(self, row: ArticleRow) -> list[Segment]:
        style = self.style_of("row") if not row.read else self.style_of("dim")
        glyph = _TYPE_GLYPHS.get(row.type)
        lead = [Segment(glyph + " ", self.style_of("dim"))] if glyph else []
        text = row.title or "(untitled)"
        spans = hits(self.hits, text, "title")
        return [*lead, *highlighted(text, spans, style, self.style_of("hit"))]

    def _facts(self, row: ArticleRow) -> list[Segment]:
        dim = self.style_of("dim")
        link = row.link if row.link is not None and row.link is not Outcome.UNCHECKED else None
        info = OUTCOMES[link] if link else None
        tone = "good" if info and info.readable else "bad"
        coverage, width = (_others(row.story), 12) if row.story else (f"+{min(row.coverage, 999)}", 5)
        coverage = coverage if row.story or row.coverage else ""
        quality = f"q{row.quality}" if row.quality is not None else ""
        return [
            Segment(f"{human.age(row.published, self.now):>4}", dim),
            Segment(f"{coverage:>{width}}", self.style_of("accent") if coverage else dim),
            Segment(f"{quality[:5]:>5} ", dim),
            Segment(info.glyph if info else " ", self.style_of(tone)),
            Segment("◌" if row.front is False else " ", dim),
            *([Segment(f"  {told}", self.style_of("hit"))] if row.story and (told := row.story.news) else ()),
        ]


def _others(story: StoryRow) -> str:
    """The outlets of a story besides the one whose piece stands for it."""
    count = min(story.outlets - 1, 999)
    return f"+{count} outlet{'s' * (count > 1)}" if count > 0 else ""


def highlighted(text: str, spans: Sequence[tuple[int, int]], style: Style, hit: Style) -> list[Segment]:
    """*text* as segments, its *spans* in the style *hit*."""
    segments, begin = [], 0
    for start, end in spans:
        segments += [Segment(text[begin:start], style), Segment(text[start:end], hit)]
        begin = end
    return [segment for segment in [*segments, Segment(text[begin:], style)] if segment.text]
