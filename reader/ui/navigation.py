"""Places, lists and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reader.store.query.parsing import complaint
from reader.store.rows import EVERYTHING, Place, PlaceKind, Sort
from reader.ui.commands import MOVE_OF
from reader.ui.control import Handler, in_thread
from reader.ui.loading import Aim, Loading
from reader.ui.places import PANES, Listing, Location, Pane, Shown, from_json, to_json
from reader.ui.widgets.line_list import Move

_TRAIL = 200
"""How many places the way back remembers."""

_DEBOUNCE = 0.12  # seconds after the last letter before the list is narrowed


class Navigation(Loading):
    """Moves between panes and places, and back."""

    trail: list[Location]

    def handlers(self) -> Mapping[str, Handler]:
        self.trail = []
        self._before_narrow: Location | None = None
        self._restored = False
        self.leaving: dict[str, Any] | None = None
        """The place that was left, when the screen is being closed."""
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

    # -- panes ------------------------------------------------------------------

    def move(self, move: Move) -> None:
        """Move in the pane that is active."""
        pane = self.screen.pane
        self.wants_end = False
        if pane is Pane.TOPICS:
            self.screen.topics.move(move)
        elif pane is Pane.LIST:
            if not self.turns(move):
                self.screen.list.move(move)
        else:
            self.screen.reading.scroll(move)

    def sideways(self, step: int) -> None:
        """To the pane beside; a drawer closes behind."""
        index = PANES.index(self.screen.pane) + step
        if 0 <= index < len(PANES):
            if PANES[index] is Pane.ARTICLE:
                self.screen.reading.open_current()
                return
            while self.trail and self.trail[-1].pane is Pane.ARTICLE:
                self.trail.pop()  # that reading is over: the way back leads out of the list, not into it
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
            self._before_narrow = None
            self.listing = replace(self.listing, place=place, narrow="", own_order=True)
            self.screen.list.selected.clear()
            self.load()
        self.screen.show_pane(Pane.LIST)
        if place.kind is PlaceKind.SEARCH:
            self.complain(place.name)

    def complain(self, text: str) -> None:
        """Say what is wrong with the query *text*, if anything is."""
        if reason := complaint(text, self.screen.now()):
            self.screen.say(reason, bad=True)

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
            screen.list.top,
            self._before_narrow,
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
        elif screen.pane is Pane.ARTICLE or (screen.pane is Pane.TOPICS and screen.has_class("-medium")):
            screen.show_pane(Pane.LIST)  # out of the article, or the drawer closed
        elif self.listing.narrow:
            await self.stop_narrow()
        elif screen.list.selected:
            screen.list.selected.clear()
            screen.list.redraw()
        elif self.trail:
            await self.restore(self.trail.pop())
        elif screen.pane is Pane.LIST:
            screen.show_pane(Pane.TOPICS)

    async def restore(self, location: Location) -> None:
        """Be at *location* again."""
        self._before_narrow = location.before
        same = location.listing == self.listing and not self.loading
        self.listing = location.listing
        view = self.screen.list
        if same and location.cursor is not None and view.count and view.ids[view.cursor] == location.cursor:
            view.show_from(location.top)
        else:
            await self.load_now(Aim(location.cursor, top=location.top, preview=False))
        if location.shown is not None:
            self.screen.reading.show(location.shown, scroll=location.scroll, item=location.item)
        else:
            self.screen.reading.preview()
        self.screen.show_pane(location.pane)
        self.screen.placing.load()

    # -- narrowing ------------------------------------------------------------------

    def start_narrow(self) -> None:
        """Open the line that narrows the list."""
        if self._before_narrow is None:
            self._before_narrow = self.here()
        self.screen.set_zen(False)
        if self.screen.pane is Pane.TOPICS or (self.screen.pane is Pane.ARTICLE and self.screen.is_small):
            self.screen.show_pane(Pane.LIST)
        self.screen.open_input(self.listing.narrow)

    def narrow(self, text: str) -> None:
        """Narrow to *text*, once it rests for a moment."""
        self.screen.work("narrow", self._narrow(text, _DEBOUNCE))

    async def _narrow(self, text: str, rest: float) -> None:
        await asyncio.sleep(rest)
        text = text.strip()
        if text != self.listing.narrow:
            self.listing = replace(self.listing, narrow=text)
            await self.load_now(Aim())

    def keep_narrow(self, text: str) -> None:
        """Close the line and keep the list narrowed to *text*."""
        self.screen.close_input()
        if not text.strip():
            self._before_narrow = None
        self.screen.work("narrow", self._narrow(text, 0))
        self.complain(text)

    async def stop_narrow(self) -> None:
        """Close the line and be exactly where one was before."""
        self.screen.workers.cancel_group(self.screen, "narrow")
        self.screen.close_input()
        before, self._before_narrow = self._before_narrow, None
        if before is None:
            before = self.here()
        await self.restore(replace(before, listing=replace(before.listing, narrow=""), before=None))

    # -- the list ------------------------------------------------------------------

    def next_sort(self) -> None:
        """The next order of the list; the article under the cursor stays."""
        orders = list(Sort)
        sort, asked = self.listing.sort, self.listing.place.kind is PlaceKind.SEARCH
        if asked and (not self.listing.own_order and sort is orders[-1]):
            self.listing = replace(self.listing, own_order=True)
            self.load()
            self.screen.say("sorted as the query says, else best match first")
            return
        if not asked or not self.listing.own_order:
            sort = orders[(orders.index(sort) + 1) % len(orders)]
        self.listing = replace(self.listing, sort=sort, own_order=not asked)
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

    # -- the next start ------------------------------------------------------------------

    async def restore_last(self) -> None:
        """Begin where the last session ended."""
        saved = await in_thread(self.state.get, self.session.place_name)
        location, key, shown = from_json(saved, self.listing)
        await in_thread(self._find_again, location.listing)
        rows = await in_thread(self.library.by_key, key) if key else []
        await self.load_shown(Aim(rows[0].id if rows else None, top=location.top, preview=False))
        self.at_first = self.session.begun is not None or not await in_thread(self.library.total)
        rows = await in_thread(self.library.by_key, shown) if shown else []
        if location.pane is Pane.ARTICLE and rows:
            self.screen.reading.show(Shown(rows[0].id, shown), scroll=location.scroll)
            self.screen.show_pane(Pane.ARTICLE)
        else:
            self.screen.reading.preview(delay=0)
            self.screen.show_pane(Pane.LIST if location.pane is Pane.ARTICLE else location.pane)
        self._restored = True

    def _find_again(self, listing: Listing) -> None:
        """List what was listed, unless there is nothing of it any more in a library that holds something."""
        lasting = listing.place.kind not in (PlaceKind.TOPIC, PlaceKind.OUTLET)
        if lasting or not self.library.total() or self.library.ids(listing.place, limit=1):
            self.listing = listing
        else:
            self.listing = replace(listing, place=EVERYTHING)

    def place(self) -> dict[str, Any] | None:
        """Where one is, for the next start; None before the last place was come back to."""
        if not self._restored:
            return None
        row = self.screen.list.current
        return to_json(self.here(), row.key if row else "")

    def save_place(self) -> None:
        """Keep the place for the next start. Synchronous and short: it runs at the very end."""
        if (place := self.leaving or self.place()) is not None:
            self.state.put(self.session.place_name, place)
