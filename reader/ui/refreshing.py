"""Keeping up: with the files, with other copies of the program, with the day."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reader.errors import StoreBusy, StoreReadOnly
from reader.progress import Progress, Report
from reader.syncing import sync
from reader.ui.control import Controller, Handler, in_thread

if TYPE_CHECKING:
    from reader.refresher import Refresher
    from reader.store.checking import DailyCheck

_POLL = 1.5  # seconds between looks at what other copies of the program did
_TEND_AFTER = 20.0  # seconds: the daily backup never stands in the way of a start
_CHECK_AFTER = 30.0  # nor does the daily look for damage in the index
_MERGE_AFTER = 5.0  # seconds without a run over the files
_POLL_LOADING = 0.5
_ROWS_A_SECOND = 10_000  # of those listed, fetched anew while files are read
_POLL_EMPTY = 0.1  # while there is nothing to read yet


class Refreshing(Controller):
    """Has the files looked at by a process of its own, and notices changes from elsewhere."""

    def handlers(self) -> Mapping[str, Handler]:
        self._run: Refresher | None = None
        self._generation = -1
        self._told = 0.0
        self._not_before = 0.0
        self._version = -1  # of the state, when its marks and checks were last copied
        self._polling = False
        self._left = False
        self._check: DailyCheck | None = None
        self._day = self._minute = 0
        return {"refresh": self.refresh}

    def start(self) -> None:
        """Begin to look around."""
        self.screen.set_interval(_POLL, self.poll)
        if self.session.sources:
            # What is known already is drawn first.
            self.screen.call_after_refresh(self.refresh, quiet=True)
        self.screen.set_timer(_TEND_AFTER, lambda: self.screen.work("tend", in_thread(self.state.tend)))
        self.screen.set_timer(_CHECK_AFTER, lambda: self.screen.work("check", self._look_for_damage()))

    async def _look_for_damage(self) -> None:
        from reader.store.checking import DailyCheck

        self._check = DailyCheck(self.library)
        await in_thread(self._check.run)

    def _merge(self) -> None:
        """Make the full-text index quicker to look words up in, while nothing else is to be done."""
        from reader.store.merging import merge

        with contextlib.suppress(StoreBusy, StoreReadOnly):  # another time
            merge(self.library, lambda: self.running or self._left)

    @property
    def shown(self) -> int:
        """The generation of the index that the screen shows, negative before that is known."""
        return self._generation

    @property
    def running(self) -> bool:
        """Whether files are being read."""
        return self._run is not None

    @property
    def pid(self) -> int | None:
        """The process that reads them, if one does."""
        return self._run.pid if self._run is not None else None

    def refresh(self, *, quiet: bool = False) -> None:
        """Look for new, changed and deleted files, unless that is being done."""
        if self._run is not None:
            self.screen.say("already looking for changes")
            return
        self._run = self.session.refresher()
        self._run.progress = self._progress
        self.screen.work("ingest", self._ingest(self._run, quiet=quiet), exclusive=False)

    def stop(self) -> bool:
        """Stop a run; False when there was none."""
        if self._run is None:
            return False
        self._run.stop()
        return True

    def leave(self) -> None:
        """Nobody waits any more for a run that nobody will see."""
        self._left = True
        if self._check is not None:
            self._check.stop()
        if self._run is not None:
            self._run.leave()

    def _progress(self, progress: Progress) -> None:
        """From the run's thread: show how far it is, a few times a second."""
        now = time.monotonic()
        if progress.total and now - self._told > 0.2:
            self._told = now
            self.screen.task_news(str(progress))

    async def _ingest(self, run: Refresher, *, quiet: bool) -> None:
        if self._generation < 0:  # of what was listed a moment ago
            self._generation = await in_thread(self.library.meta, "generation")
        watch = self.screen.set_interval(_POLL_LOADING, self.poll)
        self.screen.work("first-page", self._show_first_page())
        try:
            report = await in_thread(run.run)
        except asyncio.CancelledError:  # the program ends, and the thread would hold it to the end of the run
            run.leave()
            raise
        finally:
            self._run = None
            watch.stop()
            self.screen.show_task("")
        if report.touched or self._generation < 0:
            self._generation = await in_thread(self._catch_up)
            self.screen.navigation.reload()
            self.screen.navigation.at_first = False
        self.screen.set_timer(_MERGE_AFTER, lambda: self.screen.work("merge", in_thread(self._merge)))
        if run.notice:
            self.screen.say(run.notice, bad=True)
        elif report.unreadable:
            path, reason = report.unreadable[0]
            self.screen.say(f"{path}: {reason}", bad=True)
        elif not quiet or report.touched:
            self.screen.say(summary(report), polite=quiet)

    async def _show_first_page(self) -> None:
        while self.running and not self.screen.list.count:
            self.poll()
            await asyncio.sleep(_POLL_EMPTY)

    def note_own_change(self) -> None:
        """What this screen just wrote, it shows already. Called off the loop."""
        self._generation = self.library.meta("generation")

    def poll(self) -> None:
        """See whether library or marks changed, here or elsewhere, or a day began; one look at a time."""
        if not self._polling:
            self._polling = True
            self.screen.work("poll", self._poll(), exclusive=False)

    async def _poll(self) -> None:
        try:
            generation = await in_thread(self._catch_up)
        finally:
            self._polling = False
        self._look_at_the_clock()
        if generation != self._generation and not (self.running and time.monotonic() < self._not_before):
            first, self._generation = self._generation < 0, generation
            # A long list that grows is not fetched anew all the time.
            self._not_before = time.monotonic() + self.screen.list.count / _ROWS_A_SECOND
            if not first:
                self.screen.navigation.reload()

    def _look_at_the_clock(self) -> None:
        """Ages grow and a new day begins though nothing happens."""
        day, minute = self.screen.navigation.today, int(self.screen.now().timestamp()) // 60
        if self._day not in (0, day):
            self.screen.navigation.reload()
        elif self._minute not in (0, minute):
            self.screen.list.now = minute * 60
            self.screen.list.redraw()
        self._day, self._minute = day, minute

    def _catch_up(self) -> int:
        self.library.follow()
        version = self.state.data_version()  # another process wrote; what we write, we copy at once
        if version != self._version or self.state.seq() > self.library.meta("marks_seq"):
            sync(self.library, self.state)
            self._version = version
        return self.library.meta("generation")


def summary(report: Report) -> str:
    """A run in one line."""
    counts = {
        "new": report.added,
        "changed": report.changed,
        "moved": report.moved,
        "gone": report.removed,
    }
    parts = [f"{count:,} {word}" for word, count in counts.items() if count]
    if report.problems:
        parts.append(f"{report.problems:,} could not be read (E lists them)")
    stopped = "stopped: " if report.stopped else ""
    ruled = f"; rules: {', '.join(report.ruled)}" if report.ruled else ""
    return f"{stopped}{report.files:,} files: {', '.join(parts) or 'nothing new'}{ruled}"
