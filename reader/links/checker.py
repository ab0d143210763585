"""Runs checks on a thread and event loop of their own, results kept as they come."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from reader.address import host_of
from reader.errors import LinkError
from reader.links.guard import Resolve, system_resolve
from reader.links.policy import Policy, Progress, Report, is_stale, with_history
from reader.model import LinkCheck, Outcome
from reader.text import clean

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from reader.links.judge import Verdict

Known = Callable[[Sequence[str]], Mapping[str, LinkCheck]]
Result = tuple[str, "Verdict | None", float]
"""An address, its verdict (None: put off), the seconds its requests took."""
Keep = Callable[[Sequence[LinkCheck]], None]

_ASKED_AT_ONCE: Final = 500
"""Addresses per call of ``known``."""
_BATCH: Final = 64
_BATCH_SECONDS: Final = 0.2
"""Results are handed to ``keep`` when so many wait, or after so long."""


def utc_now() -> datetime:
    """The time of day, aware, in UTC."""
    return datetime.now(UTC)


class _Tally:
    """The counts of one run, for its progress and its report."""

    def __init__(self, fresh: tuple[LinkCheck, ...], todo: Mapping[str, LinkCheck | None]) -> None:
        self.fresh = fresh
        self.todo = todo
        self.hosts = len({host_of(address) for address in todo})
        self.batch: list[Result] = []
        """Results that have come and are not kept yet."""
        self.kept: list[LinkCheck] = []
        self.put_off: list[str] = []
        self.by_outcome: Counter[Outcome] = Counter()
        self.started = time.monotonic()

    def take(self, checks: Sequence[LinkCheck]) -> None:
        """Count the batch, whose *checks* are kept now."""
        self.kept += checks
        self.by_outcome.update(check.outcome for check in checks)
        self.put_off += [address for address, verdict, _ in self.batch if verdict is None]
        self.batch.clear()

    def progress(self, in_flight: int, *, finished: bool = False) -> Progress:
        done, gone_by = len(self.kept), time.monotonic() - self.started
        rate = done / gone_by if gone_by > 0 else 0.0
        left = len(self.todo) - done - len(self.put_off)
        eta = 0.0 if not left else left / rate if rate else None
        counts = MappingProxyType(dict(self.by_outcome))
        total, fresh, put_off = len(self.todo), len(self.fresh), len(self.put_off)
        return Progress(done, total, in_flight, rate, eta, counts, fresh, put_off, self.hosts, finished)

    def report(self, requests: int, *, cancelled: bool) -> Report:
        seen = {check.address for check in self.kept} | set(self.put_off)
        return Report(
            checks=tuple(self.kept),
            fresh=self.fresh,
            put_off=tuple(self.put_off),
            unasked=tuple(address for address in self.todo if address not in seen),
            by_outcome=MappingProxyType(dict(self.by_outcome)),
            requests=requests,
            hosts=self.hosts,
            elapsed_s=time.monotonic() - self.started,
            cancelled=cancelled,
        )


class _Run(threading.Thread):
    """The event loop's thread; its results are fetched with :meth:`next_results`."""

    def __init__(self, policy: Policy, addresses: Iterable[str], resolve: Resolve) -> None:
        super().__init__(name="links", daemon=True)
        self.error: BaseException | None = None
        self.requests = 0
        self.in_flight = 0
        self._results: deque[Result] = deque()
        # Waking the other thread for each result would cost a tenth of the run. And an interrupt
        # may fall into any step of Python in an event's wait, and leave its lock held for ever.
        self._enough: SimpleQueue[None] = SimpleQueue()
        self._over = False
        self._policy = policy
        self._addresses = addresses
        self._resolve = resolve
        self._ending = threading.Event()
        self._loop: AbstractEventLoop | None = None
        self._wake: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End soon; thread-safe."""
        with self._lock:
            self._ending.set()
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wake)

    def next_results(self, batch: list[Result]) -> bool:
        """Add what came in the next moment to *batch*; True when nothing more will."""
        with contextlib.suppress(Empty):
            self._enough.get(timeout=_BATCH_SECONDS)
        over = self._over
        while self._results:
            batch.append(self._results.popleft())
        return over

    def run(self) -> None:
        import asyncio  # with httpx behind it: only when something is to be asked

        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits for us
            self.error = error
        finally:
            self._over = True
            self._enough.put(None)

    async def _main(self) -> None:
        import asyncio

        from reader.links.engine import Engine

        def done(address: str, verdict: Verdict | None, seconds: float) -> None:
            self.in_flight = engine.in_flight
            self._results.append((address, verdict, seconds))
            if len(self._results) == _BATCH:
                self._enough.put(None)

        engine = Engine(self._policy, done, self._resolve)
        for address in self._addresses:
            engine.add(address)
        work = asyncio.ensure_future(engine.run())
        with self._lock:
            self._loop, self._wake = asyncio.get_running_loop(), work.cancel
            if self._ending.is_set():
                work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            if not self._ending.is_set():
                raise
        finally:
            with self._lock:
                self._loop = None
            await engine.aclose()
            self.requests, self.in_flight = engine.requests, 0


class Checker:
    """Checks addresses and hands the results on.

    *known* gives what is known of some addresses, *keep* makes results
    durable; both are called, like *on_progress*, on the thread that called
    :meth:`check`. *clock* gives aware times. *resolve* stands in for the
    system's resolver.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        known: Known,
        keep: Keep,
        clock: Callable[[], datetime] = utc_now,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._policy = policy
        self._known = known
        self._keep = keep
        self._clock = clock
        self._resolve = resolve
        self._busy = threading.Lock()
        self._cancelled = threading.Event()
        self._run: _Run | None = None

    def check(
        self,
        addresses: Iterable[str],
        *,
        force: bool = False,
        lifetime: timedelta | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Report:
        """Ask every one of *addresses* once whose known result is stale, all with *force*.

        *lifetime* replaces the lifetimes by outcome. Blocks until done or
        cancelled, so call it from a thread. Each result has gone through *keep*
        before *on_progress* counts it; whatever ends the run, finished results
        are kept. Errors of *keep* and *known* pass through. :exc:`LinkError`
        when a check is already running.
        """
        if not self._busy.acquire(blocking=False):
            raise LinkError("a check is already running")
        try:
            self._cancelled.clear()
            tally = self._plan(addresses, force=force, lifetime=lifetime)
            run = self._run = _Run(self._policy, list(tally.todo), self._resolve)
            if self._cancelled.is_set() or not tally.todo:
                return tally.report(0, cancelled=self._cancelled.is_set())
            run.start()
            try:
                self._gather(run, tally, on_progress)
            except KeyboardInterrupt:
                run.stop()
                self._gather(run, tally, None)
                raise
            finally:
                run.stop()
                run.join()
            if run.error is not None:
                raise run.error
            report = tally.report(run.requests, cancelled=self._cancelled.is_set())
            if on_progress is not None:
                on_progress(tally.progress(0, finished=True))
            return report
        finally:
            self._run = None
            self._busy.release()

    def cancel(self) -> None:
        """End the running check, if there is one, keeping its finished results; thread-safe."""
        self._cancelled.set()
        if (run := self._run) is not None:
            run.stop()

    def _plan(self, addresses: Iterable[str], *, force: bool, lifetime: timedelta | None) -> _Tally:
        now = self._clock()
        todo: dict[str, LinkCheck | None] = {}
        fresh: list[LinkCheck] = []
        unique = iter(dict.fromkeys(addresses))
        while some := list(islice(unique, _ASKED_AT_ONCE)):
            known = self._known(some)
            for address in some:
                check = known.get(address)
                if check is None or force or is_stale(check, now, lifetime) or self._allows(check):
                    todo[address] = check
                else:
                    fresh.append(check)
        return _Tally(tuple(fresh), todo)

    def _allows(self, check: LinkCheck) -> bool:
        """Whether what was not asked may be asked this time."""
        return check.outcome is Outcome.REFUSED and self._policy.allow_private

    def _gather(self, run: _Run, tally: _Tally, on_progress: Callable[[Progress], None] | None) -> None:
        over = False
        while not over:
            over = run.next_results(tally.batch)
            checks = [self._settled(tally, *item) for item in tally.batch if item[1] is not None]
            if telling := [check for check in checks if not _says_nothing(check, tally.todo[check.address])]:
                self._keep(telling)
            tally.take(checks)
            if on_progress is not None:
                on_progress(tally.progress(run.in_flight))

    def _settled(self, tally: _Tally, address: str, verdict: Verdict | None, seconds: float) -> LinkCheck:
        assert verdict is not None
        check = LinkCheck(
            address=address,
            outcome=verdict.outcome,
            checked_at=self._clock(),
            status=verdict.status,
            target=clean(verdict.target),
            reason=clean(verdict.reason, 300),
            elapsed_ms=round(seconds * 1000),
        )
        return with_history(check, tally.todo[address])


def _says_nothing(check: LinkCheck, before: LinkCheck | None) -> bool:
    """Whether the page was not asked for, while it once was: what it answered then still is all there is."""
    refused = check.outcome is Outcome.REFUSED and not (check.status or check.target)
    return refused and before is not None and before.outcome is not Outcome.REFUSED
