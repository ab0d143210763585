"""Link status, when the reader asks for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reader.address import host_of
from reader.model import OUTCOMES, Outcome
from reader.store.rows import Place, PlaceKind
from reader.syncing import sync
from reader.ui.control import Controller, Handler, in_thread

if TYPE_CHECKING:
    from reader.links import Checker, Progress, Report
    from reader.linkstate import Health


class Linking(Controller):
    """Runs the checker on a thread of its own and shows what it finds."""

    def handlers(self) -> Mapping[str, Handler]:
        self._checker: Checker | None = None
        return {"check": self.check, "check_all": self.check_all, "health": self.health}

    async def check(self) -> None:
        """Ask for every address of the article; always anew."""
        addresses = await self.screen.reading.own_addresses()
        if not addresses:
            self.screen.say("there is no address here to check", bad=True)
            return
        self._start(addresses, force=True)

    def check_all(self) -> None:
        """Ask for the address of every article in the list whose answer is stale."""
        self.screen.work("prompt", self._check_all())

    async def _check_all(self) -> None:
        from reader.ui.screens.prompt import Question

        ids = self.screen.navigation.whole()
        addresses = await in_thread(lambda: self.library.addresses(ids()))
        if not addresses:
            self.screen.say("there is nothing here to check", bad=True)
            return
        if len(addresses) > self.session.settings.check_without_asking:
            hosts = Counter(map(host_of, addresses))
            host, most = hosts.most_common(1)[0]
            question = Question(
                "Check them all?",
                f"{len(addresses):,} addresses on {len(hosts):,} hosts would be asked,"
                f" {most:,} of them on {host}.",
                {"y": "ask them"},
            )
            if await self.screen.app.push_screen_wait(question) != "y":
                return
        self._start(addresses, force=False)

    def health(self) -> None:
        """How the links of the whole archive fare."""
        self.screen.work("prompt", self._health())

    async def _health(self) -> None:
        from reader.ui.link_view import health_page
        from reader.ui.screens.choosing import ChoosingScreen

        found = await in_thread(self._known)
        leave = self.screen.keymap.keys["health"]
        page = ChoosingScreen("Links", lambda width: health_page(found, width), "lists those articles", leave)
        query = await self.screen.app.push_screen_wait(page)
        if query:
            self.screen.navigation.go_to(Place(PlaceKind.SEARCH, query))

    def _known(self) -> Health:
        """What is known of all links, answers of this moment too. Off the loop."""
        from reader import linkstate

        sync(self.library, self.state)
        return linkstate.health(self.library, self.state)

    def _start(self, addresses: Sequence[str], *, force: bool) -> None:
        if self._checker is not None:
            self.screen.say(f"links are being checked already ({self.screen.key_of('stop')} stops)", bad=True)
            return
        from reader import linkstate  # nothing of the network is imported before it is asked for
        from reader.links import Checker

        policy = linkstate.policy(self.session.settings)
        self._checker = Checker(
            policy, known=self.state.checks, keep=self.state.record_checks, clock=self.screen.now
        )
        self.screen.work("links", self._check(self._checker, addresses, force=force), exclusive=False)

    @property
    def running(self) -> bool:
        """Whether addresses are being asked."""
        return self._checker is not None

    def stop(self) -> bool:
        """Stop a run; False when there was none."""
        if self._checker is None:
            return False
        self._checker.cancel()
        return True

    async def _check(self, checker: Checker, addresses: Sequence[str], *, force: bool) -> None:
        self.screen.say("")  # the line is wanted
        self.screen.show_task(f"checking {len(addresses):,} address{'es' if len(addresses) > 1 else ''} …")
        try:
            report = await in_thread(checker.check, addresses, force=force, on_progress=self._progress)
        except asyncio.CancelledError:  # the program ends: the thread would ask on, and hold it
            checker.cancel()
            raise
        finally:
            self._checker = None
            self.screen.show_task("")
        await in_thread(self._copy)
        self.screen.marking.changed()
        self.screen.say(_summary(report))

    def _copy(self) -> None:
        sync(self.library, self.state)
        self.screen.refreshing.note_own_change()

    def _progress(self, progress: Progress) -> None:
        """From the checker's thread."""
        left = f", {progress.left}" if progress.left else ""
        counts = _counts(progress.by_outcome)
        text = f"checking {progress.done:,} of {progress.total:,}, {progress.rate_per_s:.0f} a second{left}"
        self.screen.task_news(f"{text}{': ' if counts else ''}{counts}")


def _counts(by_outcome: Mapping[Outcome, int]) -> str:
    ordered = sorted(by_outcome.items(), key=lambda pair: -pair[1])
    return ", ".join(
        f"{count:,} {OUTCOMES[outcome].glyph} {OUTCOMES[outcome].word}" for outcome, count in ordered
    )


def _summary(report: Report) -> str:
    counts = _counts(report.by_outcome) or "nothing asked"
    fresh = f"; {len(report.fresh):,} known already" if report.fresh else ""
    stopped = "stopped: " if report.cancelled else ""
    return f"{stopped}{counts}{fresh}"
