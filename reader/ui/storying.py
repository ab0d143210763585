"""Stories on the screen: lists of them, one on a page, its best source, and the reader's overrules."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from reader import coverage
from reader.coverage import Telling
from reader.store.rows import EVERYTHING, ArticleRow, PieceRow, PlaceKind, Sort
from reader.store.state import Change
from reader.ui.control import Controller, Handler, in_thread
from reader.ui.places import Listing, Pane
from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class _Offer:
    """The best source that was named last: a second press opens it."""

    story: str
    address: str


class Storying(Controller):
    """What is about whole stories."""

    def handlers(self) -> Mapping[str, Handler]:
        self.unfolded: frozenset[str] = frozenset()
        self._offer: _Offer | None = None
        self._joining = ""
        return {
            "stories": self.toggle_stories,
            "story": self.show_story,
            "differences": self.show_differences,
            "best": self.best,
            "unfold": self.unfold,
            "split": self.split,
            "join": self.join,
        }

    # -- lists, all called off the loop -------------------------------------------

    def ids(
        self,
        listing: Listing,
        today: int,
        limit: int | None = None,
        stop: Callable[[], bool] | None = None,
        *,
        last: bool = False,
    ) -> array[int]:
        """The rowids that *listing* holds: articles, at most *limit*, or *last*, or leads of stories."""
        fresh = listing.unread_only or listing.place.kind is PlaceKind.UNREAD
        if not listing.stories:
            return self.library.ids(
                listing.place,
                listing.sort,
                today=today,
                narrow=listing.narrow,
                unread=listing.unread_only,
                limit=limit,
                last=last,
                stop=stop,
            )
        place = EVERYTHING if listing.place.kind is PlaceKind.UNREAD else listing.place
        ids = self.library.ids(place, listing.sort, today=today, narrow=listing.narrow)
        leads = self.library.leads(ids, fresh=fresh)
        return self.library.by_outlets(leads) if listing.sort is Sort.COVERAGE else leads

    def rows(self, listing: Listing, ids: Sequence[int]) -> list[ArticleRow]:
        """The rows of *ids*; of a story: read when nothing in it is new."""
        rows = self.library.rows(ids)
        if not listing.stories:
            return rows
        stories = self.library.stories_of([row.id for row in rows])
        return [
            row._replace(story=stories[row.id], read=not stories[row.id].is_new) if row.id in stories else row
            for row in rows
        ]

    def unread(self, ids: Sequence[int]) -> set[int]:
        """Those of *ids* that are not read, or whose story has anything new."""
        return self.library.fresh(ids) if self._stories else self.library.unread(ids)

    def stands_for(self, article: int) -> list[int]:
        """The rows that may stand for *article* in the list."""
        return [article, *(self.library.leads([article]) if self._stories else ())]

    @property
    def _stories(self) -> bool:
        return self.screen.navigation.listing.stories

    # -- marks, called off the loop ------------------------------------------------

    def keys(self, ids: Sequence[int]) -> list[str]:
        """The keys that a mark on the rows *ids* is for: in a list of stories those of every piece."""
        rows = self.library.rows(ids)
        told = self.library.telling([row.id for row in rows]) if self._stories else {}
        return list(dict.fromkeys(key for row in rows for key in told.get(row.id, (row.key,))))

    def read(self, ids: Sequence[int]) -> Change:
        """Read: each of *ids*, or in a list of stories all of their pieces; one change."""
        change = self.state.set_read(self.keys(ids), True)
        coverage.look(self.library, self.state, ids)
        return change

    def all_read(self, ids: Sequence[int]) -> Change:
        """The same for a whole list."""
        if self._stories:
            return self.read(ids)
        return self.state.set_read(self.library.unread_keys(ids), True)

    # -- the article pane ------------------------------------------------------------

    def around(self, row: ArticleRow) -> tuple[Telling | None, tuple[PieceRow, ...]]:
        """The story of *row*, and every other piece the pane lists: of it, then of others. Off the loop."""
        telling = coverage.tell(self.library, self.state, row.key)
        if telling is None:
            return None, tuple(coverage.listed(self.library, row.id))
        others = coverage.beside(self.library, row.id, telling.pieces)
        return telling, (*(p for p in telling.pieces if p.key != row.key), *others)

    def has_news(self, telling: Telling | None) -> bool:
        """Whether looking at it is still to be noted."""
        if telling is None:
            return False
        return bool(telling.row.new_pieces or (self._stories and telling.row.unread))

    def unfold(self) -> None:
        """Unfold the same texts under the cursor, else all; or fold them again."""
        loaded = self.screen.reading.loaded
        item = self.screen.document.current_item
        if loaded is None or loaded.telling is None:
            self.screen.say("no story here")
            return
        groups = {group.keys[0] for group in loaded.telling.groups if len(group.keys) > 1}
        if not groups:
            self.screen.say("every piece here has a text of its own")
            return
        wanted = {item.removeprefix("text:")} if item.startswith("text:") else groups
        self.unfolded = self.unfolded - wanted if wanted <= self.unfolded else self.unfolded | wanted
        self.screen.reading.draw_again()

    def unfold_item(self, item: str) -> None:
        """The same for one text that was gone into."""
        self.screen.document.focus_item(item)
        self.unfold()

    # -- a list of stories --------------------------------------------------------------

    def toggle_stories(self) -> None:
        """Rows are stories, or articles again; the cursor stays on what it was on."""
        navigation, view = self.screen.navigation, self.screen.list
        listing = navigation.listing
        navigation.listing = replace(listing, stories=not listing.stories)
        view.selected.clear()
        navigation.load(view.ids[view.cursor] if view.count else None)
        self.screen.say("one row a story" if not listing.stories else "one row an article")

    # -- pages ---------------------------------------------------------------------------

    async def _current(self) -> Telling | None:
        loaded = await self.screen.reading.current()
        if loaded is None or loaded.telling is None:
            self.screen.say("no story here yet" if loaded else "no article here", bad=True)
            return None
        return loaded.telling

    async def show_story(self) -> None:
        """The story on a page of its own."""
        from reader.ui.coverage_view import story_page
        from reader.ui.screens.pages import TextPage

        if (telling := await self._current()) is not None:
            self.screen.app.push_screen(TextPage("Story", lambda width: story_page(telling, width)))

    async def show_differences(self) -> None:
        """How the outlets' headlines differ."""
        from reader.ui.coverage_view import differences_page
        from reader.ui.screens.pages import TextPage

        if (telling := await self._current()) is not None:
            self.screen.app.push_screen(TextPage("Headlines", lambda _: differences_page(telling)))

    # -- the best source --------------------------------------------------------------------

    def before(self, command: str) -> str:
        """What *command* means now: a best source that was just named is what is opened."""
        if self._offer is not None and command == "open":
            return "best"
        if command != "best":
            self._offer = None
        return command

    async def best(self) -> None:
        """Name the best source and why; the second time open it."""
        from reader.ui.coverage_view import best_line

        telling = await self._current()
        best = telling.best() if telling is not None else None
        if telling is None:
            return
        if best is None:
            self.screen.say("no piece of this story gives an address", bad=True)
            return
        address = next(piece.url for piece in telling.pieces if piece.key == best.key)
        offer = _Offer(telling.row.key, address)
        if offer == self._offer:
            self._offer = None
            self.screen.opening.open_these([address])
            return
        self._offer = offer
        keys = " or ".join(dict.fromkeys((self.screen.key_of("best"), self.screen.key_of("open"))))
        outlet, why = best_line(telling, best)
        self.screen.say(f"best source {outlet} ({keys} opens it): {why}")

    # -- overrules -----------------------------------------------------------------------------

    async def _piece(self) -> tuple[str, Telling] | None:
        """The key of the piece that is meant, and its story."""
        telling = await self._current()
        if telling is None:
            return None
        reading = self.screen.reading
        piece = reading.piece_under_cursor() if self.screen.pane is Pane.ARTICLE else None
        if piece is None:
            loaded = await reading.current()
            return (loaded.row.key, telling) if loaded is not None else None
        if piece.story != telling.row.id and piece.story:
            other = await in_thread(coverage.tell, self.library, self.state, piece.key)
            return (piece.key, other) if other is not None else None
        return piece.key, telling

    async def split(self) -> None:
        """Take a piece out of its story."""
        found = await self._piece()
        if found is None:
            return
        key, telling = found
        if len(telling.pieces) < 2:
            self.screen.say("this piece is a story by itself")
            return
        self._overrule(lambda: self.state.add_story_edit("split", key))

    async def join(self) -> None:
        """Join two stories: this one and the one selected, or the one the key is pressed on next."""
        found = await self._piece()
        if found is None:
            return
        key, telling = found
        known = {piece.key for piece in telling.pieces}
        other = await in_thread(self._selected_key, known) or self._joining
        if not other:
            self._joining = key
            hint = self.screen.key_of("join")
            self.screen.say(f"to be joined: go to the other story and press {hint} again")
            return
        self._joining = ""
        if other in known:
            self.screen.say("that is the same story already")
            return
        self.screen.list.selected.clear()
        self._overrule(lambda: self.state.add_story_edit("join", other, key))

    def _selected_key(self, known: Iterable[str]) -> str:
        """The key of the one selected row that is of another story."""
        selected = list(self.screen.list.selected)
        rows = [row for row in self.library.rows(selected) if row.key not in set(known)]
        return rows[0].key if len(rows) == 1 else ""

    def _overrule(self, change: Callable[[], Change]) -> None:
        self.screen.marking.keep(change)
