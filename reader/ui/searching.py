"""The query line, saved searches, rules and mutes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reader.errors import SearchStopped, UsageError
from reader.store.query.parsing import MAX_LENGTH, complaint, parse
from reader.store.rows import Place, PlaceKind, PlaceRow
from reader.store.state import Change, SavedSearch
from reader.store.tallying import tally
from reader.text import clean
from reader.ui.control import Controller, Handler, in_thread
from reader.ui.places import Pane
from reader.ui.widgets.query_line import QueryLine

if TYPE_CHECKING:
    from reader.store.query.completion import Completion

_DEBOUNCE = 0.12  # seconds after the last letter before what is typed is counted
_RECOUNT = 0.4  # seconds after a change before saved searches are counted again
_MANY = 10_000  # articles up to which what is typed is counted
_SOON = 0.08  # seconds after which it is told how many are found so far
_HISTORY = 100
_REMEMBERED = "queries"
_NAMES = ("topic", "outlet", "domain", "type", "category")


class Searching(Controller):
    """Asks, counts while asking, and keeps what was asked."""

    def handlers(self) -> Mapping[str, Handler]:
        self.line = QueryLine(self)
        self.saved: list[SavedSearch] = []
        self._counts: dict[str, tuple[int, int]] = {}
        self._names: dict[str, Sequence[str]] = {}
        self._stop = threading.Event()
        return {"query": self.ask, "searches": self.list_searches, "mute": self.mute}

    # -- the line --------------------------------------------------------------

    def ask(self) -> None:
        """Open the query line, with the query that is listed."""
        self.screen.work("query", self._ask())

    async def _ask(self) -> None:
        self._names, history = await in_thread(self._known)
        place = self.screen.navigation.listing.place
        self.screen.set_zen(False)
        listed = place.name if place.kind is PlaceKind.SEARCH else ""
        self.line.open(clean(listed, MAX_LENGTH), history)

    def _known(self) -> tuple[dict[str, Sequence[str]], list[str]]:
        names: dict[str, Sequence[str]] = {field: self.library.values(field) for field in _NAMES}
        names["tag"] = [tag for tag, _ in self.state.tags()]
        kept = self.state.get(_REMEMBERED)
        texts = kept if isinstance(kept, list) else []
        return names, [clean(text, MAX_LENGTH) for text in texts if isinstance(text, str)]

    def offers(self, text: str, cursor: int) -> Sequence[Completion]:
        """What could be typed next."""
        from reader.store.query.completion import complete

        return complete(text, cursor, self._names)

    def typed(self, text: str) -> None:
        """Count what *text* finds, once it rests for a moment."""
        self._stop.set()
        self._stop = threading.Event()
        self.screen.work("count", self._tell(text, self._stop))

    async def _tell(self, text: str, stop: threading.Event) -> None:
        query = parse(text, self.screen.now())
        self.line.tell("…", query.complaints)
        await asyncio.sleep(_DEBOUNCE)
        try:
            count, known = await in_thread(
                tally, self.library, query, at_most=_MANY + 1, seconds=_SOON, stop=stop.is_set
            )
            if not known:
                self.line.tell(f"{count:,} articles or more …" if count > 1 else "…", query.complaints)
                count = await in_thread(self.library.count, query, at_most=_MANY + 1, stop=stop.is_set)
        except SearchStopped:
            return
        told = f"more than {_MANY:,} articles" if count > _MANY else f"{count:,} article{'s' * (count != 1)}"
        self.line.tell(told, query.complaints)

    def left(self) -> None:
        """Close the line; nothing has changed."""
        self._stop.set()
        self.line.close()

    def done(self, text: str) -> None:
        """List what *text* finds."""
        self.left()
        if text.strip():
            self.screen.work("history", in_history(self, text))
            self.screen.navigation.go_to(Place(PlaceKind.SEARCH, text.strip()))

    def remember(self, text: str) -> None:
        """Keep *text* for the line's history. Called off the loop."""
        kept = [text.strip(), *(other for other in self._known()[1] if other != text.strip())]
        self.state.put(_REMEMBERED, kept[:_HISTORY])

    # -- saved searches ----------------------------------------------------------

    def save(self, text: str) -> None:
        """Ask for a name and keep the query under it."""
        if text.strip():
            self.screen.work("prompt", self._save(text.strip()))

    async def _save(self, text: str) -> None:
        from reader.ui.screens.prompt import Prompt

        wrong = complaint(text, self.screen.now())
        hint = wrong or f"it is listed among the topics: {clean(text, 200)}"
        name = await self.screen.app.push_screen_wait(Prompt("Name of this search", "", hint=hint))
        if name and name.strip():
            self.left()
            self.screen.marking.keep(lambda: self.state.add_search(name.strip(), text))
            self.screen.navigation.go_to(Place(PlaceKind.SEARCH, text))

    def list_searches(self) -> None:
        """All saved searches and rules, to be opened, renamed, moved, removed."""
        self.screen.work("prompt", self._list_searches())

    async def _list_searches(self) -> None:
        from reader.ui.screens.searches import SearchesScreen

        chosen = await self.screen.app.push_screen_wait(
            SearchesScreen(self.state, self.library, self.screen.now())
        )
        self.screen.marking.changed()
        if chosen is not None:
            self.screen.navigation.go_to(Place(PlaceKind.SEARCH, chosen))

    def rows(self) -> list[PlaceRow]:
        """Saved searches for the topics pane, with the counts last known. Called off the loop."""
        self.saved = self.state.searches()
        return [
            PlaceRow(
                Place(PlaceKind.SEARCH, search.query), *self._counts.get(search.query, (0, 0)), search.name
            )
            for search in self.saved
        ]

    def name_of(self, query: str) -> str:
        """The name that *query* is saved under, else the query itself."""
        return next((s.name for s in self.saved if s.query == query), f"= {query}")

    def recount(self) -> None:
        """Count the saved searches again, soon."""
        if self.saved:
            self.screen.work("search-counts", self._recount())

    async def _recount(self) -> None:
        await asyncio.sleep(_RECOUNT)
        counts = await in_thread(self._count_all, [s.query for s in self.saved])
        if counts != self._counts:
            self._counts = counts
            await self.screen.placing.show()

    def _count_all(self, queries: Sequence[str]) -> dict[str, tuple[int, int]]:
        now = self.screen.now()
        counts = {}
        for text in queries:
            query = parse(text, now)
            counts[text] = (self.library.count(query), self.library.count(query, unread=True))
        return counts

    # -- rules -------------------------------------------------------------------

    def make_rule(self, text: str) -> None:
        """Ask what is to be done with what *text* finds from now on."""
        self.screen.work("prompt", self._make_rule(text.strip()))

    async def _make_rule(self, text: str) -> None:
        from reader import rules
        from reader.ui.screens.prompt import Prompt

        now = self.screen.now()
        trial = await in_thread(rules.try_rule, self.library, text, now)
        hint = f"{trial}. One of: {', '.join(rules.ACTIONS)}"
        title = "What is done with new articles like these"
        wanted = await self.screen.app.push_screen_wait(Prompt(title, "", hint=hint))
        if wanted is not None:
            self.left()
            rules.action(wanted)  # said before anything is kept
            self.screen.marking.keep(lambda: rules.add(self.state, text, text, wanted, now))

    def mute(self) -> None:
        """Hide from now on what comes of the topic or outlet under the cursor, or of the article's outlet."""
        self.screen.work("prompt", self._mute())

    async def _mute(self) -> None:
        from reader import rules

        place = self.screen.topics.place if self.screen.pane is Pane.TOPICS else await self._outlet()
        if place is None:
            raise UsageError("there is no outlet here to be muted")
        change = await in_thread(rules.mute, self.state, place)
        undo = self.screen.key_of("undo")
        self.screen.say(f"new articles of {clean(place.name, 60)} will be hidden; {undo} takes it back")
        await in_thread(self._note, change)

    def _note(self, _: Change) -> None:
        self.screen.refreshing.note_own_change()

    async def _outlet(self) -> Place | None:
        rows = await in_thread(self.library.rows, self.screen.marking.here())
        return Place(PlaceKind.OUTLET, rows[0].outlet) if rows and rows[0].outlet else None


async def in_history(searching: Searching, text: str) -> None:
    """Keep *text* for the next time."""
    await in_thread(searching.remember, text)
