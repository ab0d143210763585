"""Places, lists and the way back."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping
from dataclasses import replace

from reader.store.rows import ArticleRow, Place, PlaceKind, Sort
from reader.ui import human
from reader.ui.commands import MOVE_OF
from reader.ui.control import Controller, Handler, in_thread
from reader.ui.places import PANES, Listing, Location, Pane, Shown, from_json, to_json
from reader.ui.widgets.article_list import PAGE
from reader.ui.widgets.line_list import Move

_TRAIL = 200
"""How many places the way back remembers."""

_DEBOUNCE = 0.12  # seconds after the last letter before the list is narrowed


class Navigation(Controller):
    """Moves between panes and places; loads the list."""

    listing: Listing
    trail: list[Location]

    def handlers(self) -> Mapping[str, Handler]:
        self.listing = Listing(sort=Sort(self.session.settings.sort))
        self.trail = []
        self._before_narrow: Location | None = None
        moves = {name: (lambda move=move: self.move(move)) for name, move in MOVE_OF.items()}
        return {
            **moves,
            "right": lambda: self.sideways(1),
            "left": lambda: self.sideways(-1),
            "enter": self.enter,
            "back": self.back,
            "narrow": self.start_narrow,
            "sort": self.next_sort,
            "unread_only": self.toggle_unread_only,
        }

    # -- loading ------------------------------------------------------------------

    @property
    def today(self) -> int:
        """The epoch second at which the reader's day began."""
        return human.day_start(self.screen.now())

    def load(self, cursor: int | None = None, *, near: int = 0, preview: bool = True) -> None:
        """Fetch the list, the cursor on the article *cursor*, else on row *near*."""
        self.screen.work("list", self._load(cursor, near, preview=preview))

    async def _load(
        self, cursor: int | None, near: int, *, preview: bool = True, hold: bool = False
    ) -> None:
        listing = self.listing
        ids = await in_thread(
            self.library.ids,
            listing.place,
            listing.sort,
            today=self.today,
            narrow=listing.narrow,
            unread=listing.unread_only,
        )
        index = near
        if cursor is not None:
            try:
                index = ids.index(cursor)
            except ValueError:
                index = near
                there = await in_thread(self.library.rows, [cursor])
                if hold and self.hides_read and there:
                    ids.insert(min(near, len(ids)), cursor)  # just read: it stays until the cursor leaves it
        index = max(0, min(index, len(ids) - 1))
        pages = await in_thread(self._pages, ids, (index // PAGE, index // PAGE + 1, index // PAGE - 1))
        view = self.screen.list
        view.now = int(self.screen.now().timestamp())
        view.hits = tuple(word.casefold() for word in listing.narrow.split())
        view.when_empty = _why_empty(listing)
        view.set_ids(ids, index, pages)
        self.screen.show_heads()
        if preview:
            self.screen.reading.preview()

    def _pages(self, ids: array[int], pages: tuple[int, ...]) -> dict[int, list[ArticleRow]]:
        last = (len(ids) - 1) // PAGE
        return {p: self.library.rows(ids[p * PAGE : (p + 1) * PAGE]) for p in pages if 0 <= p <= last}

    def fetch_pages(self, pages: tuple[int, ...]) -> None:
        """Bring rows that the list is about to show."""
        self.screen.work(f"pages-{pages[0]}", self._fetch(pages))

    async def _fetch(self, pages: tuple[int, ...]) -> None:
        ids = self.screen.list.ids
        rows = await in_thread(self._pages, ids, pages)
        self.screen.list.put_pages(rows, ids)
        self.screen.reading.row_arrived()

    def load_places(self) -> None:
        """Fetch the topics pane."""
        self.screen.work("places", self._load_places())

    async def _load_places(self) -> None:
        rows = await in_thread(self.library.places, self.today)
        self.screen.topics.set_places(rows, self.listing.place)
        self.screen.counts = {r.place: (r.unread, r.total) for r in rows}
        self.screen.show_heads()

    def reload(self) -> None:
        """The library changed: fetch everything again, standing still."""
        self.load_places()
        view = self.screen.list
        cursor = view.ids[view.cursor] if view.count else None
        job = self._load(cursor, view.cursor, preview=view.count == 0, hold=True)
        self.screen.work("list", job)

    # -- panes ------------------------------------------------------------------

    def move(self, move: Move) -> None:
        """Move in the pane that is active."""
        pane = self.screen.pane
        if pane is Pane.TOPICS:
            self.screen.topics.move(move)
        elif pane is Pane.LIST:
            self.screen.list.move(move)
        else:
            self.screen.reading.scroll(move)

    def sideways(self, step: int) -> None:
        """To the pane beside; a drawer closes behind."""
        index = PANES.index(self.screen.pane) + step
        if 0 <= index < len(PANES):
            if PANES[index] is Pane.ARTICLE:
                self.screen.reading.open_current()
            else:
                self.screen.show_pane(PANES[index])

    def enter(self) -> None:
        """Go in: what that means depends on the pane."""
        pane = self.screen.pane
        if pane is Pane.TOPICS:
            place = self.screen.topics.place
            if place is not None:
                self.go_to(place)
        elif pane is Pane.LIST:
            self.screen.reading.open_current()
        else:
            self.screen.reading.enter_item()

    def go_to(self, place: Place) -> None:
        """List *place*."""
        if place != self.listing.place or self.listing.narrow:
            self.push()
            self.listing = replace(self.listing, place=place, narrow="")
            self.screen.list.selected.clear()
            self.load()
        self.screen.show_pane(Pane.LIST)

    # -- the way back --------------------------------------------------------------

    def here(self) -> Location:
        """Where the reader is now."""
        screen = self.screen
        cursor = screen.list.ids[screen.list.cursor] if screen.list.count else None
        return Location(
            self.listing,
            screen.pane,
            cursor,
            screen.reading.shown,
            int(screen.document.scroll_offset.y),
            screen.document.current_item,
        )

    def push(self) -> None:
        """Remember this place for the way back."""
        self.trail.append(self.here())
        del self.trail[:-_TRAIL]

    async def back(self) -> None:
        """Go back one step: out of a narrowed list, along the trail, else one pane to the left."""
        screen = self.screen
        if screen.has_class("-zen"):
            screen.set_zen(False)
        elif screen.pane is Pane.ARTICLE and self.trail and self.trail[-1].pane is Pane.ARTICLE:
            await self.restore(self.trail.pop())
        elif screen.pane is Pane.ARTICLE:
            screen.show_pane(Pane.LIST)
        elif self.listing.narrow:
            await self.stop_narrow(keep=False)
        elif screen.list.selected:
            screen.list.selected.clear()
            screen.list.redraw()
        elif self.trail:
            await self.restore(self.trail.pop())
        elif screen.pane is Pane.LIST:
            screen.show_pane(Pane.TOPICS)

    async def restore(self, location: Location) -> None:
        """Be at *location* again."""
        same = location.listing == self.listing
        self.listing = location.listing
        view = self.screen.list
        if (
            not same
            or location.cursor is None
            or not (view.count and view.ids[view.cursor] == location.cursor)
        ):
            await self._load(location.cursor, 0, preview=False)
        if location.shown is not None:
            self.screen.reading.show(location.shown, scroll=location.scroll, item=location.item)
        else:
            self.screen.reading.preview()
        self.screen.show_pane(location.pane)
        self.load_places()

    # -- narrowing ------------------------------------------------------------------

    def start_narrow(self) -> None:
        """Open the line that narrows the list."""
        if self._before_narrow is None:
            self._before_narrow = self.here()
        if self.screen.pane is Pane.TOPICS or (self.screen.pane is Pane.ARTICLE and self.screen.is_small):
            self.screen.show_pane(Pane.LIST)
        self.screen.open_input(self.listing.narrow)

    def narrow(self, text: str) -> None:
        """Narrow to *text*, once it rests for a moment."""
        self.screen.work("list", self._narrow(text))

    async def _narrow(self, text: str) -> None:
        await asyncio.sleep(_DEBOUNCE)
        self.listing = replace(self.listing, narrow=text.strip())
        await self._load(None, 0)

    async def stop_narrow(self, *, keep: bool) -> None:
        """Close the line; keep the narrowed list, or be exactly where one was before."""
        self.screen.close_input()
        before, self._before_narrow = self._before_narrow, None
        if keep and self.listing.narrow:
            self._before_narrow = before
            self.screen.show_pane(Pane.LIST)
        elif before is not None:
            await self.restore(replace(before, listing=replace(before.listing, narrow="")))

    # -- the list ------------------------------------------------------------------

    def next_sort(self) -> None:
        """The next order of the list; the article under the cursor stays."""
        orders = list(Sort)
        sort = orders[(orders.index(self.listing.sort) + 1) % len(orders)]
        self.listing = replace(self.listing, sort=sort)
        view = self.screen.list
        self.load(view.ids[view.cursor] if view.count and view.cursor else None)
        self.screen.say(
            f"sorted by {sort.value}" if sort not in (Sort.NEWEST, Sort.OLDEST) else f"{sort.value} first"
        )

    def toggle_unread_only(self) -> None:
        """Show only the unread of the list, or all again."""
        self.listing = replace(self.listing, unread_only=not self.listing.unread_only)
        view = self.screen.list
        self.load(view.ids[view.cursor] if view.count else None, near=0)
        self.screen.say("unread only" if self.listing.unread_only else "read and unread")

    @property
    def hides_read(self) -> bool:
        """Whether a read article has no place in this list."""
        return self.listing.unread_only or self.listing.place.kind is PlaceKind.UNREAD

    def left_row(self, index: int) -> None:
        """The cursor left row *index*: a list of the unread lets go of what was read meanwhile."""
        row = self.screen.list.row(index)
        if row is not None and row.read and self.hides_read:
            self.screen.list.drop_row(index)
            self.screen.show_heads()

    # -- the next start ------------------------------------------------------------------

    async def restore_last(self) -> None:
        """Begin where the last session ended."""
        saved = await in_thread(self.state.get, self._memory)
        location, key = from_json(saved, self.listing)
        self.listing = location.listing
        rows = await in_thread(self.library.by_key, key) if key else []
        cursor = rows[0].id if rows else None
        await self._load(cursor, 0, preview=False)
        if location.pane is Pane.ARTICLE and rows:
            self.screen.reading.show(Shown(rows[0].id, key), scroll=location.scroll)
            self.screen.show_pane(Pane.ARTICLE)
        else:
            self.screen.reading.preview()
            self.screen.show_pane(Pane.LIST if location.pane is Pane.ARTICLE else location.pane)

    @property
    def _memory(self) -> str:
        return "place:" + self.library.path.stem

    def save_place(self) -> None:
        """Keep the place for the next start. Synchronous and short: it runs at the very end."""
        row = self.screen.list.current
        self.state.put(self._memory, to_json(self.here(), row.key if row else ""))


def _why_empty(listing: Listing) -> str:
    """What an empty list says."""
    if listing.narrow:
        return "nothing here has these words"
    if listing.unread_only or listing.place.kind is PlaceKind.UNREAD:
        return "nothing unread here"
    words = {
        PlaceKind.STARRED: "nothing starred yet",
        PlaceKind.TODAY: "nothing from today",
        PlaceKind.BROKEN: "no broken links known: links are only asked when you say so",
    }
    return words.get(listing.place.kind, "nothing here")
