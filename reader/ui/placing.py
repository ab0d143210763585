"""Brings the topics pane from the library."""

from __future__ import annotations

from reader.store.rows import PlaceRows
from reader.ui.control import Controller, in_thread


class Placing(Controller):
    """Fetches what the topics pane shows: views, saved searches, topics, outlets, each with its counts."""

    def load(self) -> None:
        """Fetch the topics pane."""
        self.screen.work("places", self._load())

    def load_rest(self) -> None:
        """Fetch the whole topics pane, if only the first of its outlets are there."""
        if not self.screen.topics.whole:
            self.load()

    async def _load(self) -> None:
        await self.show()
        self.screen.searching.recount()

    async def show(self) -> None:
        """Fetch the topics pane, saved searches with the counts last known."""
        self._put(await self.fetch())

    async def fetch(self, most: int | None = None) -> PlaceRows:
        """What the topics pane shows; of topics and outlets the first *most*."""
        return await in_thread(self._rows, most)

    async def put_first(self, rows: PlaceRows) -> None:
        """Show *rows* in the topics pane, all there are if the place that is listed is not among them."""
        if not rows.whole and rows.find(self.screen.navigation.listing.place) is None:
            rows = await self.fetch()
        self._put(rows)

    def _put(self, rows: PlaceRows) -> None:
        self.screen.topics.set_places(rows, self.screen.navigation.listing.place)
        self.screen.everything = rows[0]
        self.screen.show_heads()

    def _rows(self, most: int | None = None) -> PlaceRows:
        views, *sections = self.library.places(self.screen.navigation.today, most).groups
        return PlaceRows([views, self.screen.searching.rows(), *sections])
