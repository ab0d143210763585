"""The article pane: what it shows, its coverage, and when an article counts as read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from textual.timer import Timer

from reader.text import clean
from reader.ui.aiming import Aiming, Loaded
from reader.ui.article_view import Page, article_page, mention_page
from reader.ui.control import Handler, in_thread
from reader.ui.places import Pane, Shown
from reader.ui.widgets.line_list import Move
from reader.values import dataclass

_SOON = 0.004  # seconds between two looks whether an article is there
_PREVIEW_DELAY = 0.04  # seconds: a held-down j draws only the articles it rests on


@dataclass(frozen=True, slots=True)
class _Coming:
    """What is being fetched for the article pane, and how it is to stand there."""

    shown: Shown
    scroll: int = 0
    item: str = ""
    keep: bool = False


class Reading(Aiming):
    """Shows articles and pieces of coverage."""

    def handlers(self) -> Mapping[str, Handler]:
        self.shown = None
        self.loaded = None
        self._coming: _Coming | None = None
        self._dwell: Timer | None = None
        self._waiting_row = False
        self._gone = False
        self._pane = Pane.LIST
        return {
            "space": self.read_on,
            "next_piece": lambda: self.step_piece(1),
            "prev_piece": lambda: self.step_piece(-1),
            "fields": self.show_fields,
        }

    # -- what is shown ------------------------------------------------------------

    async def arrived(self) -> None:
        """Wait until the article that is on its way is drawn."""
        while self._coming is not None:
            await asyncio.sleep(_SOON)

    def preview(self, delay: float = _PREVIEW_DELAY) -> None:
        """Show the article under the cursor, once the cursor rests."""
        row = self.screen.list.current
        if row is None:
            self._waiting_row = self.screen.list.count > 0
            if not self._waiting_row:
                self._clear()
            return
        self._waiting_row = False
        if not self._stands(row.id):
            self.show(Shown(row.id, row.key), delay=delay)

    def row_arrived(self) -> None:
        """Rows were fetched: the one under the cursor may be among them."""
        if self._waiting_row:
            self.preview()

    def open_current(self) -> None:
        """Go into the article under the cursor."""
        view = self.screen.list
        if not view.count:
            return
        row = view.current
        number = view.ids[view.cursor]
        if not self._stands(number):
            self.show(Shown(number, row.key if row else ""))
        self.screen.show_pane(Pane.ARTICLE)

    def _stands(self, number: int) -> bool:
        """Whether the article pane shows article *number*, or soon will."""
        shown = self._coming.shown if self._coming is not None else self.shown
        return shown is not None and shown.article == number and shown.mention is None

    def show(
        self, shown: Shown, *, scroll: int = 0, item: str = "", delay: float = 0.0, keep: bool = False
    ) -> None:
        """Show *shown*, scrolled by *scroll* lines, *item* current; with *keep* from where one is."""
        self._coming = _Coming(shown, scroll, item, keep)
        self.screen.work("article", self._show(self._coming, delay))

    async def _show(self, coming: _Coming, delay: float) -> None:
        try:
            if delay:
                await asyncio.sleep(delay)
            loaded = await in_thread(self._load, coming.shown)
        finally:
            if self._coming is coming:
                self._coming = None
        self._gone = loaded is None
        if loaded is None:
            if self.screen.pane is Pane.ARTICLE and self.screen.list.count:
                self.screen.say("that article has gone from the library", bad=True)
            else:
                self._let_go()
            return
        shown = Shown(loaded.row.id, loaded.row.key, coming.shown.mention)
        another, self.shown, self.loaded = shown != self.shown, shown, loaded
        self._draw(coming)
        # Drawn again, it is what it was: a mark made by hand stays. Its file may have got another date.
        if not coming.keep or (another and self._dwell is not None):
            self._start_dwell()

    def draw_again(self) -> None:
        """The same, drawn otherwise."""
        if self.loaded is not None and self.shown is not None:
            self._draw(_Coming(self.shown, keep=True))

    def _draw(self, coming: _Coming) -> None:
        page = self._page()
        document = self.screen.document
        if not coming.keep:
            document.current_item = coming.item  # as it was, in sight or not
        document.show(page.blocks, at=coming.scroll, keep=coming.keep)
        self.screen.show_heads()

    def _page(self) -> Page:
        assert self.loaded is not None and self.shown is not None
        now = int(self.screen.now().timestamp())
        if self.shown.mention is not None:
            return mention_page(self.shown.mention, self.loaded, now)
        unfolded, query = self.screen.storying.unfolded, self.screen.navigation.found.query
        return article_page(self.loaded, now, self.screen.key_of, unfolded, query)

    def _clear(self) -> None:
        self.shown = self.loaded = self._coming = None
        self.screen.workers.cancel_group(self.screen, "article")
        self.screen.document.show(())
        self.screen.show_heads()

    def marks_changed(self) -> None:
        """Marks or link states changed: draw again what stands, where it stands."""
        if (coming := self._coming) is not None:
            self.show(coming.shown, scroll=coming.scroll, item=coming.item, keep=coming.keep)
        elif self.shown is not None:
            self.show(self.shown, keep=True)

    # -- heads --------------------------------------------------------------------

    @property
    def head(self) -> str:
        """What stands above the article."""
        if self.loaded is None or self.shown is None:
            return "Article"
        if self.shown.mention is not None:
            return f"Mentioned: {self.shown.mention.outlet or 'unknown outlet'}"
        return self.loaded.row.outlet or "Article"

    @property
    def position(self) -> list[tuple[str, str]]:
        """How far down the article one is."""
        document = self.screen.document
        height, total = document.size.height, document.virtual_size.height
        if self.loaded is None or total <= height or not height:
            return []
        part = round(100 * document.scroll_offset.y / (total - height))
        return [(f"{min(100, part)}% ", "dim")]

    # -- reading ------------------------------------------------------------------

    def pane_changed(self) -> None:
        """Another pane became active."""
        if self._gone and self.screen.pane is not Pane.ARTICLE:
            self._let_go()
        if self.screen.pane is not self._pane:
            self._pane = self.screen.pane
            self._start_dwell()

    def _let_go(self) -> None:
        """What is shown is no more: show the article under the cursor instead."""
        self._gone = False
        self._clear()
        self.preview()

    def stop_dwell(self) -> None:
        """What is shown does not count as read by being looked at, until it is opened again."""
        if self._dwell is not None:
            self._dwell.stop()
            self._dwell = None

    def _start_dwell(self) -> None:
        self.stop_dwell()
        shown = self.shown
        if self.screen.pane is not Pane.ARTICLE or shown is None or shown.mention is not None:
            return
        if self.loaded is not None and self._unseen(self.loaded):
            dwell = max(0.001, self.session.settings.dwell)  # Textual has no timer of nothing
            self._dwell = self.screen.set_timer(dwell, lambda: self._dwelt(shown))

    def _unseen(self, loaded: Loaded) -> bool:
        """Whether there is anything in it that reading it would mark."""
        return not loaded.mark.read or self.screen.storying.has_news(loaded.telling)

    def _dwelt(self, shown: Shown) -> None:
        self._dwell = None
        if self.shown == shown and self.screen.pane is Pane.ARTICLE and shown.key:
            self.screen.marking.mark_read(shown.article)

    def scroll(self, move: Move) -> None:
        """Scroll the article."""
        document = self.screen.document
        height = max(1, document.size.height)
        steps = {
            Move.DOWN: 1,
            Move.UP: -1,
            Move.HALF_DOWN: height // 2,
            Move.HALF_UP: -(height // 2),
            Move.PAGE_DOWN: height - 2,
            Move.PAGE_UP: -(height - 2),
            Move.TOP: -document.line_count,
            Move.BOTTOM: document.line_count,
        }
        document.scroll_lines(steps[move])
        self.screen.show_heads()

    def read_on(self) -> None:
        """Scroll a page; at the end, on to the next unread article."""
        screen = self.screen
        if screen.pane is not Pane.ARTICLE:
            self.open_current()
        elif screen.document.scroll_page(1):
            screen.show_heads()
        else:
            self.screen.work("finish", self._finish_and_go_on())

    async def _finish_and_go_on(self) -> None:
        """Who read to the end has read it, however fast."""
        if (
            self.shown is not None
            and self.shown.mention is None
            and self.loaded
            and self._unseen(self.loaded)
        ):
            await self.screen.marking.read_to_the_end(self.shown.article)
        self.screen.stepping.step_unread(1)

    # -- coverage -----------------------------------------------------------------

    def step_piece(self, by: int) -> None:
        """To the next or previous piece of coverage of what is shown."""
        if self.loaded is None or not self.loaded.coverage or (self.shown and self.shown.mention):
            self.screen.say("no coverage here")
            return
        items = [item for item in self.screen.document.items if item.startswith(("piece:", "text:"))]
        current, last = self.screen.document.current_item, len(items) - 1
        index = items.index(current) + by if current in items else (0 if by > 0 else last)
        if self.screen.pane is not Pane.ARTICLE:
            self.screen.show_pane(Pane.ARTICLE)
        self.screen.document.focus_item(items[max(0, min(index, last))])
        self.screen.show_heads()

    def enter_item(self) -> None:
        """Go into the piece under the cursor; without one, to the first."""
        item = self.screen.document.current_item
        if self.shown is not None and self.shown.mention is not None:
            self.screen.opening.open_one()
        elif not item:
            self.step_piece(1)
        elif item.startswith("address:"):
            self.screen.opening.open_one()
        else:
            self.item_clicked(item)

    def item_clicked(self, item: str) -> None:
        """Go into *item*: a piece of coverage, or an address."""
        piece = self._piece(item)
        if item.startswith("text:"):
            self.screen.storying.unfold_item(item)
            return
        if piece is None or self.loaded is None:
            self.screen.document.focus_item(item)
            return
        self.screen.document.current_item = item  # where one comes back to; nothing is scrolled for it
        self.screen.navigation.push()
        if piece.article is not None:
            self.show(Shown(piece.article, piece.key))
        else:
            self.show(Shown(self.loaded.row.id, self.loaded.row.key, piece))

    async def show_fields(self) -> None:
        """Every field of the file, as written."""
        from reader.ui.screens.pages import TextPage, fields_page

        loaded = await self.current()
        if loaded is None or loaded.article is None:
            self.screen.say(loaded.missing if loaded else "no article here", bad=True)
            return
        self.screen.app.push_screen(TextPage(clean(loaded.article.path), fields_page(loaded.article)))
