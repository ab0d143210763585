"""What can still be read of a page that cannot: the ladder, and the copy in the archive."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from datetime import UTC, datetime

from reader.errors import NotFound, SourceError
from reader.model import OUTCOMES, Article, LinkCheck, Outcome
from reader.store.rows import ArticleRow, PieceRow
from reader.text import clean
from reader.ui import human
from reader.ui.control import Controller, Handler, in_thread
from reader.ui.places import Pane
from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A page a key is for: ``row`` is its article, or the one whose coverage it is a ``piece`` of."""

    address: str
    title: str
    published: int | None
    row: ArticleRow
    piece: PieceRow | None


@dataclass(frozen=True, slots=True)
class _Rung:
    """A way to read on. ``archived``: to be looked up first."""

    why: str
    address: str
    archived: bool = False


class Rescue(Controller):
    """Offers other ways to read, and asks the archive when it is told to."""

    def handlers(self) -> Mapping[str, Handler]:
        self._stop: threading.Event | None = None
        self._offering = False
        return {"archived": self.archived}

    def page(self) -> Page | None:
        """The page a key is for now."""
        reading = self.screen.reading
        address, cited = reading.address(), reading.citation()
        listed = self.screen.pane is Pane.LIST
        row = self.screen.list.current if listed else reading.loaded.row if reading.loaded else None
        if not address or cited is None or row is None:
            return None
        return Page(address, cited[0], cited[3], row, None if listed else reading.piece_under_cursor())

    # -- the ladder ---------------------------------------------------------------

    async def offer(self, page: Page) -> bool:
        """Offer what can be read instead of *page*; False where it can be read, as far as is known."""
        from reader.ui.link_view import ladder_blocks
        from reader.ui.screens.choosing import ChoosingDialogue

        if self._offering:
            return True
        self._offering = True
        try:
            check = (await in_thread(self.state.checks, [page.address])).get(page.address)
            if check is None or OUTCOMES[check.outcome].readable:
                return False
            rungs = await in_thread(self._rungs, page, check)
            now = int(self.screen.now().timestamp())
            blocks = ladder_blocks(page.title, check, [(r.why, r.address) for r in rungs], now)
            dialogue = ChoosingDialogue("What can still be read", lambda _: blocks, "opens")
            chosen = await self.screen.app.push_screen_wait(dialogue)
        finally:
            self._offering = False
        if chosen:
            rung = rungs[int(chosen) - 1]
            if rung.archived:
                self._ask_archive(page)
            else:
                await self.screen.opening.open_now([rung.address])
        return True

    def _rungs(self, page: Page, check: LinkCheck) -> list[_Rung]:
        """Off the loop."""
        from reader import linkstate
        from reader.links.ladder import RungKind

        article = self._article(page)
        key, number = (page.piece.key, page.piece.article) if page.piece else (page.row.key, page.row.id)
        pieces = linkstate.tellings(self.library, self.state, number or page.row.id, key)
        rungs = [
            _Rung(rung.why, rung.address, rung.kind is RungKind.ARCHIVED)
            for rung in linkstate.rungs(article, pieces, self.state, self.session.settings.archive_url)
        ]
        own = article.address
        if own and own != page.address:  # one of its other addresses was asked for
            known = self.state.checks([own]).get(own)
            outcome = known.outcome if known else Outcome.UNCHECKED
            if OUTCOMES[outcome].readable:
                rungs.insert(0, _Rung(f"the article's own page: {OUTCOMES[outcome].word}", own))
        return [*rungs, _Rung(f"the page itself: {OUTCOMES[check.outcome].word}", page.address)]

    def _article(self, page: Page) -> Article:
        from reader.rereading import reread

        row, piece = page.row, page.piece
        if piece is not None:
            rows = self.library.rows([piece.article]) if piece.article is not None else []
            if not rows:
                when = _moment(piece.published)
                return Article(piece.key, "", piece.title, web_url=piece.url, published_at=when)
            row = rows[0]
        try:
            return reread(self.session.sources, row.path)
        except (NotFound, SourceError):
            when = _moment(row.published)
            return Article(row.key, row.path, row.title, web_url=row.url, published_at=when)

    # -- the archive --------------------------------------------------------------

    def archived(self) -> None:
        """Look up the copy nearest to the page's date and open it."""
        page = self.page()
        if page is None:
            self.screen.say("there is no address here to look up", bad=True)
            return
        self._ask_archive(page)

    def _ask_archive(self, page: Page) -> None:
        if self._stop is not None:
            self.screen.say(
                f"the archive is being asked already ({self.screen.key_of('stop')} stops)", bad=True
            )
            return
        self._stop = threading.Event()
        self.screen.work("browser-archive", self._archived(page, self._stop), exclusive=False)

    def stop(self) -> bool:
        """Stop asking the archive; False when nobody did."""
        if self._stop is None:
            return False
        self._stop.set()
        return True

    async def _archived(self, page: Page, stop: threading.Event) -> None:
        from reader import linkstate
        from reader.links.archive import archived

        policy, base = linkstate.policy(self.session.settings), self.session.settings.archive_url
        self.screen.say("")
        self.screen.show_task(f"asking the archive ({self.screen.key_of('stop')} stops) …")
        try:
            found = await in_thread(
                archived, page.address, _moment(page.published), policy, base, stop=stop.is_set
            )
        except asyncio.CancelledError:  # the program ends, and the thread would hold it
            stop.set()
            raise
        finally:
            self._stop = None
            self.screen.show_task("")
        if found.outcome is Outcome.ALIVE:
            if await self.screen.opening.open_now([found.snapshot]):
                taken = human.local(int(found.taken_at.timestamp())) if found.taken_at else "unknown date"
                self.screen.say(f"opening the copy of {taken}: {found.snapshot}")
        elif found.outcome is Outcome.MISSING:
            self.screen.say(f"there is no archived copy of {clean(page.address, 200)}", bad=True)
        elif stop.is_set():
            self.screen.say("stopped asking the archive")
        else:
            why = ": ".join(filter(None, (OUTCOMES[found.outcome].word, found.reason)))
            self.screen.say(f"the archive gave no answer: {why}", bad=True)


def _moment(epoch: int | None) -> datetime | None:
    if epoch is None:
        return None
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, OSError, ValueError):
        return None
