"""Along the list: step by step, to the unread, and selecting on the way."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from reader.ui.control import Controller, Handler, in_thread
from reader.ui.places import Pane
from reader.ui.widgets.article_list import PAGE
from reader.ui.widgets.line_list import Move


class Stepping(Controller):
    """Goes from article to article."""

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "select": self.select,
            "select_all": self.select_all,
            "next_unread": lambda: self.step_unread(1),
            "prev_unread": lambda: self.step_unread(-1),
            "next": lambda: self.step(1),
            "prev": lambda: self.step(-1),
        }

    def select(self) -> None:
        """Select the row under the cursor and go on."""
        view = self.screen.list
        if view.count:
            view.toggle_selected(view.cursor)
            view.move(Move.DOWN)
            self.screen.show_heads()

    async def select_all(self) -> None:
        """Select the whole list, or nothing."""
        await self.screen.navigation.loaded()
        view = self.screen.list
        view.selected = set() if len(view.selected) == view.count else set(view.ids)
        view.redraw()
        self.screen.show_heads()

    def step(self, by: int) -> None:
        """To the next or previous article, reading it when the article pane is active."""
        view = self.screen.list
        if view.count:
            view.move(Move.DOWN if by > 0 else Move.UP)
            if self.screen.pane is Pane.ARTICLE:
                self.screen.reading.open_current()

    def step_unread(self, by: int) -> None:
        """To the nearest unread article below or above; the way wraps round."""
        self.screen.work("step", self._step_unread(by))

    async def _step_unread(self, by: int) -> None:
        view = self.screen.list
        while True:
            ids, cursor = view.ids, view.cursor
            found = await in_thread(self._next_unread, ids, cursor, by)
            if ids is view.ids and not self.screen.navigation.loading:
                break
            await self.screen.navigation.loaded()  # the list was fetched anew meanwhile
        if found is None:
            self.screen.say("nothing unread left in this list")
            return
        view.cursor = found
        if self.screen.pane is Pane.ARTICLE:
            self.screen.reading.open_current()

    def _next_unread(self, ids: array[int], cursor: int, by: int) -> int | None:
        """The nearest unread row below or above row *cursor*, else from the other end. Off the loop."""
        order = range(cursor + 1, len(ids)) if by > 0 else range(cursor - 1, -1, -1)
        rest = range(cursor) if by > 0 else range(len(ids) - 1, cursor, -1)
        found = self._first_unread(ids, order)
        return self._first_unread(ids, rest) if found is None else found

    def _first_unread(self, ids: array[int], order: range) -> int | None:
        for start in range(0, len(order), PAGE * 4):
            part = order[start : start + PAGE * 4]
            unread = self.screen.storying.unread([ids[i] for i in part])
            for index in part:
                if ids[index] in unread:
                    return index
        return None
