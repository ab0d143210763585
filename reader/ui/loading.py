"""Brings the list from the library."""

from __future__ import annotations

import asyncio
import contextlib
from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from operator import neg
from typing import TYPE_CHECKING

from reader.errors import SearchStopped
from reader.store.rows import ArticleRow, PlaceKind, Sort
from reader.ui import human
from reader.ui.asking import Found, ends, find, question
from reader.ui.control import Controller, in_thread
from reader.ui.places import Listing, Pane
from reader.ui.widgets.article_list import PAGE
from reader.ui.widgets.line_list import Move
from reader.values import dataclass

if TYPE_CHECKING:
    from reader.ui.screens.main import MainScreen


HEAD = 3 * PAGE
"""Rows that a long list is shown with at once, while the others are still fetched."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a list that is being fetched is to stand.

    On the article ``cursor``, or the one with its ``key`` where the file came to
    be read anew; else on row ``near``. ``top`` is the first row in sight. With
    ``standing`` the list is the one that is there, and the cursor's row stays in it.
    """

    cursor: int | None = None
    near: int = 0
    top: int | None = None
    preview: bool = True
    standing: bool = False
    key: str = ""


class Loading(Controller):
    """Fetches what the list shows. The latest load begun is the one that is shown."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.listing = Listing(sort=Sort(self.session.settings.sort))
        self._aim: Aim | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._first = asyncio.Event()
        self._loads = 0
        self.growing = False
        """Whether only the head of the list is there yet."""
        self.wants_end = False
        """Whether the last move was to the end: of the whole, when that is there."""
        self._at_end = False
        """Whether what is there of a growing list are its last rows, not its first."""
        self._stood: int | None = None
        self.at_first = False
        """Whether a library is filled for the first time, and the reader has not moved yet: the top stays."""
        self.found = Found(array("q"), self.listing.sort.value)

    @property
    def today(self) -> int:
        """The epoch second at which the reader's day began."""
        return human.day_start(self.screen.now())

    def load(self, cursor: int | None = None, *, near: int = 0, preview: bool = True) -> None:
        """Fetch the list, the cursor on the article *cursor*, else on row *near*."""
        self._start_load(Aim(cursor, near, preview=preview))

    def _start_load(self, aim: Aim) -> None:
        # Not exclusive: a load is never cancelled half-way, the latest one begun is shown.
        self.screen.work("list", self.load_now(aim), exclusive=False)

    @property
    def loading(self) -> bool:
        """Whether a list is being fetched, or the rest of one."""
        return self._aim is not None or self.growing

    async def loaded(self) -> None:
        """Wait until no list is being fetched."""
        await self._idle.wait()

    async def load_shown(self, aim: Aim) -> None:
        """Fetch the list as :meth:`load_now` does, but wait no longer than until it looks as it will."""
        self._first.clear()
        rest = asyncio.ensure_future(self.load_now(aim))
        first = asyncio.ensure_future(self._first.wait())
        try:
            await asyncio.wait((rest, first), return_when=asyncio.FIRST_COMPLETED)
        finally:
            first.cancel()
        if rest.done() or self.found.total is None:  # else head and scroll bar do not know it yet
            await rest
        else:
            self.screen.work("list", _all_of(rest), exclusive=False)

    async def load_now(self, aim: Aim) -> None:
        """Fetch the list and show it where *aim* says, unless another load begins meanwhile."""
        self._loads += 1
        mine, self._aim, self.growing = self._loads, aim, False
        self._at_end = False
        self._idle.clear()
        listing, old = self.listing, self.screen.list.ids
        try:
            with contextlib.suppress(SearchStopped):
                head = await in_thread(self._fetch_head, listing, aim, old, mine)
                if mine != self._loads:
                    return
                if head is not None:
                    self._aim, self.wants_end = None, False
                    self.growing = len(head[0].ids) == HEAD
                    self._show(aim, *head)
                    self._first.set()
                    if not self.growing:
                        return
                whole = await in_thread(self._fetch_list, listing, aim, old, mine)
                if mine == self._loads:
                    self._aim = None
                    if head is None:
                        self._show(*self._caught_up(aim, *whole, old))
                    else:
                        await self._grow(whole[0], mine)
        finally:
            if mine == self._loads:
                self._aim, self.growing = None, False
                self._idle.set()

    def _caught_up(
        self, aim: Aim, found: Found, index: int, pages: dict[int, list[ArticleRow]], old: array[int]
    ) -> tuple[Aim, Found, int, dict[int, list[ArticleRow]]]:
        """What to show of a list that stood while it was fetched: one may have moved in it meanwhile."""
        view = self.screen.list
        if aim.standing and view.ids is old and view.count:
            here = view.ids[view.cursor]
            if here != aim.cursor and here in found.ids:
                aim, index = replace(aim, cursor=here, top=view.top), found.ids.index(here)
        return aim, found, index, pages

    def _show(self, aim: Aim, found: Found, index: int, pages: dict[int, list[ArticleRow]]) -> None:
        view, ids = self.screen.list, found.ids
        self.found = found
        view.now = int(self.screen.now().timestamp())
        view.hits = found.query
        view.when_empty = _why_empty(self.listing)
        view.set_ids(ids, index, pages, of=(found.total or 0) if found.part == "first" else 0)
        if aim.top is not None:
            view.show_from(aim.top)
        self._stood = ids[index] if ids else None
        self.screen.show_heads()
        moved = aim.standing and self._stood != aim.cursor and self.screen.pane is not Pane.ARTICLE
        if aim.preview or moved or not ids:
            self.screen.reading.preview()

    async def _grow(self, found: Found, load: int) -> None:
        """The whole of a list is there, whose first or last rows are shown."""
        view, ids = self.screen.list, found.ids
        if self._at_end:
            page = (len(ids) - view.count + view.cursor) // PAGE
            pages = await in_thread(self._pages, ids, (page, page + 1, page - 1))
            if load != self._loads:
                return
        before = len(ids) - view.count if self._at_end else 0
        if ids[before : before + view.count] != view.ids:  # something came or went meanwhile
            self.reload()
        elif self._at_end:
            aim = Aim(top=before + view.top, preview=False)
            self._show(aim, found, before + view.cursor, pages)
        else:
            self.found = found
            view.grow(ids)
        if self.wants_end:
            view.move(Move.BOTTOM)
        self.screen.show_heads()

    def turns(self, move: Move) -> bool:
        """Whether *move* leads out of the rows that are there of a growing list; those there are fetched."""
        self.wants_end = move is Move.BOTTOM
        if not self.growing or move is not (Move.TOP if self._at_end else Move.BOTTOM):
            return False
        if self._at_end:
            self.load()
        elif self.screen.list.selected or not ends(self.listing, self.found):
            return False
        else:
            self.screen.work("end", self._show_end(self._loads))
        return True

    async def _show_end(self, load: int) -> None:
        with contextlib.suppress(SearchStopped):
            shown = await in_thread(self._fetch_end, self.listing, load, self.found.sort)
            if load == self._loads and self.growing and self.wants_end:
                self._at_end = True
                self._show(Aim(), *shown)

    def whole(self) -> Callable[[], array[int]]:
        """What gives, off the loop, the whole of the list that is shown now, though it may still grow."""
        ids, listing = self.screen.list.ids, self.listing
        return (lambda: self._find(listing, None).ids) if self.growing else lambda: ids

    def _fetch_head(
        self, listing: Listing, aim: Aim, old: array[int], load: int
    ) -> tuple[Found, int, dict[int, list[ArticleRow]]] | None:
        """As :meth:`_fetch_list`, of the list's first rows; None where these would not do. Off the loop."""
        if listing.stories or aim.standing or aim.near >= HEAD - PAGE:
            return None
        found = self._find(listing, load, HEAD)
        if len(found.ids) < HEAD:
            return self._placed(found, aim, old)
        if aim.cursor is not None and aim.cursor not in found.ids[:-PAGE]:
            return None
        return self._placed(replace(found, part="first", total=self._total(listing)), aim, old)

    def _fetch_end(
        self, listing: Listing, load: int, sort: str
    ) -> tuple[Found, int, dict[int, list[ArticleRow]]]:
        """The same of its last rows, the cursor on the last. *sort* is the order that the list is in."""
        found = self._find(listing, load, HEAD, last=sort)
        found = replace(found, part="last", total=self._total(listing))
        return self._placed(found, Aim(near=HEAD), found.ids)

    def _total(self, listing: Listing) -> int | None:
        """How long *listing* is, where it need not be counted."""
        if listing.narrow:
            return None
        return self.library.kept_total(listing.place, unread=listing.unread_only)

    def _fetch_list(
        self, listing: Listing, aim: Aim, old: array[int], load: int
    ) -> tuple[Found, int, dict[int, list[ArticleRow]]]:
        """What is listed, the row to stand on, and the pages around it. Called off the loop."""
        return self._placed(self._find(listing, load), aim, old)

    def _placed(
        self, found: Found, aim: Aim, old: array[int]
    ) -> tuple[Found, int, dict[int, list[ArticleRow]]]:
        ids = found.ids
        index = self._place_in(ids, aim, old)
        index = max(0, min(index, len(ids) - 1))
        return found, index, self._pages(ids, (index // PAGE, index // PAGE + 1, index // PAGE - 1))

    def _find(self, listing: Listing, load: int | None, limit: int | None = None, *, last: str = "") -> Found:
        """What *listing* holds, at most *limit*, with *last* the last in that order.

        Given up when a load other than *load* is begun.
        """

        def stop() -> bool:
            return load is not None and load != self._loads

        asked = question(listing, self.screen.now(), lambda: self.library.values("outlet"))
        if asked is None:
            ids = self.screen.storying.ids(listing, self.today, limit, stop, last=bool(last))
            return Found(ids, listing.sort.value)
        found = find(self.library, listing, asked, today=self.today, limit=limit, last=last, stop=stop)
        return replace(found, ids=self.library.leads(found.ids)) if listing.stories else found

    def _place_in(self, ids: array[int], aim: Aim, old: array[int]) -> int:
        """The row for *aim*; the article one stands on is put back where the list would let go of it."""
        if aim.cursor is None:
            return aim.near
        wanted = [
            *self.screen.storying.stands_for(aim.cursor),
            *(row.id for row in (self.library.by_key(aim.key) if aim.key else ())),
        ]
        for number in wanted:
            if number in ids:
                return ids.index(number)
        if not aim.standing or not self.lets_go or not self.library.rows([aim.cursor]):
            return aim.near
        index = self._between(ids, aim, old)
        ids.insert(index, aim.cursor)
        return index

    def _between(self, ids: array[int], aim: Aim, old: array[int]) -> int:
        """Where in *ids* the article belongs that one stood on in *old*, by what stood beside it there."""
        known = set(ids)
        below = next((i for i in old[aim.near + 1 :] if i in known), None)
        if below is not None:
            return ids.index(below)
        above = next((i for i in reversed(old[: aim.near]) if i in known), None)
        if above is not None:
            return ids.index(above) + 1
        by_time = self.listing.sort is Sort.NEWEST and not self.listing.stories
        if by_time and aim.cursor is not None:  # as nothing is left that stood beside it
            return bisect_left(ids, -aim.cursor, key=neg)
        return 0

    def _pages(self, ids: array[int], pages: tuple[int, ...]) -> dict[int, list[ArticleRow]]:
        last = (len(ids) - 1) // PAGE
        rows, listing = self.screen.storying.rows, self.listing
        return {p: rows(listing, ids[p * PAGE : (p + 1) * PAGE]) for p in pages if 0 <= p <= last}

    def fetch_pages(self, pages: tuple[int, ...]) -> None:
        """Bring rows that the list is about to show."""
        self.screen.work(f"pages-{pages[0]}", self._fetch(pages))

    async def _fetch(self, pages: tuple[int, ...]) -> None:
        ids = self.screen.list.ids
        rows = await in_thread(self._pages, ids, pages)
        self.screen.list.put_pages(rows, ids)
        self.screen.reading.row_arrived()

    def reload(self) -> None:
        """The library changed: fetch everything again, standing still."""
        self.screen.placing.load()
        view = self.screen.list
        if self._aim is not None:
            self._start_load(self._aim)
        elif self.at_first and view.cursor == 0 and self.screen.pane is not Pane.ARTICLE:
            self.load()
        elif view.count:
            row = view.current
            top = None if self._at_end else view.top
            aim = Aim(view.ids[view.cursor], view.cursor, top, preview=False, standing=True)
            self._start_load(replace(aim, key=row.key if row else ""))
        else:
            self.load()
        self.screen.reading.marks_changed()

    @property
    def lets_go(self) -> bool:
        """Whether a mark can take an article out of this list."""
        kinds = (PlaceKind.UNREAD, PlaceKind.STARRED)
        return self.listing.unread_only or self.listing.place.kind in kinds

    def cursor_moved(self) -> None:
        """The list lets go of the row that was left, where a mark took it out meanwhile."""
        self.at_first = False
        view = self.screen.list
        left, self._stood = self._stood, view.ids[view.cursor] if view.count else None
        if left is None or left == self._stood or not self.lets_go or left not in view.ids:
            return
        index = view.ids.index(left)
        row = view.row(index)
        starred = self.listing.place.kind is PlaceKind.STARRED
        if row is not None and ((row.read and self._hides_read) or (starred and not row.starred)):
            view.drop_row(index)

    @property
    def _hides_read(self) -> bool:
        return self.listing.unread_only or self.listing.place.kind is PlaceKind.UNREAD


async def _all_of(load: asyncio.Future[None]) -> None:
    await load


def _why_empty(listing: Listing) -> str:
    """What an empty list says."""
    if listing.narrow:
        return "nothing here has these words"
    if listing.place.kind is PlaceKind.SEARCH:
        return "nothing is found"
    if listing.unread_only or listing.place.kind is PlaceKind.UNREAD:
        return "nothing unread here"
    words = {
        PlaceKind.STARRED: "nothing starred yet",
        PlaceKind.TODAY: "nothing from today",
        PlaceKind.BROKEN: "no broken links known: links are only asked when you say so",
    }
    return words.get(listing.place.kind, "nothing here")
