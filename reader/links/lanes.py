"""Whose turn it is: one lane a host, so that manners towards one never cost another.

A lane lets ``per_host`` requests run at once, starts them ``gap`` seconds
apart and stands still while its host wants peace; ``in_flight`` bounds all
lanes together. Of those that may start, the much longer lane goes first,
because the host with most to ask decides when a run ends; among about equals
the one that just got an answer, because its connection is still there.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from reader.links.judge import Verdict
from reader.links.policy import Policy

T = TypeVar("T")


class Lane(Generic[T]):
    """One host: who waits, who is under way, and what was learnt of the host in this run."""

    __slots__ = (
        *("active", "answered", "dead", "failures", "head_lies", "head_works", "host"),
        *("left_alone", "listed", "next_at", "strikes", "waiting"),
    )

    def __init__(self, host: str) -> None:
        self.host = host
        self.waiting: deque[T] = deque()
        self.active = 0
        self.next_at = 0.0
        self.listed = False
        self.strikes = 0
        """Answers in a row that asked for peace."""
        self.left_alone = False
        """It asked for a longer peace than this run waits for anybody."""
        self.head_lies = False
        """GET is asked at once: this host refuses HEAD, or answers it wrongly, and never did otherwise."""
        self.head_works = False
        """A HEAD was answered well here, so one that is refused is refused for itself."""
        self.failures: Counter[str] = Counter()
        """Requests in a row that reached nobody, by origin."""
        self.answered: set[str] = set()
        """Origins that answered once."""
        self.dead: dict[str, Verdict] = {}
        """The verdict of every further address of an origin that proved unreachable."""

    def pause(self, seconds: float) -> None:
        """Start nothing more for so long."""
        self.next_at = max(self.next_at, asyncio.get_running_loop().time() + seconds)


class Lanes(Generic[T]):
    """All hosts. *turn* is awaited for each item with its lane; *idle* is told of hosts with nothing left."""

    def __init__(
        self,
        policy: Policy,
        turn: Callable[[T, Lane[T]], Coroutine[Any, Any, None]],
        idle: Callable[[str], None],
    ) -> None:
        self._policy = policy
        self._turn = turn
        self._idle = idle
        self._lanes: dict[str, Lane[T]] = {}
        self._ready: list[tuple[int, int, Lane[T]]] = []
        self._listed = itertools.count(0, -1)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._over: asyncio.Future[None] | None = None

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._tasks)

    def put(self, host: str, item: T, *, first: bool = False) -> None:
        """Let *item* wait for its turn at *host*; *first* before all others there."""
        lane = self._lanes.get(host)
        if lane is None:
            lane = self._lanes[host] = Lane(host)
        if first:
            lane.waiting.appendleft(item)
        else:
            lane.waiting.append(item)
        self._waiting += 1
        if self._over is not None:  # before the run its length is not known: it would be listed as one of one
            self._list(lane)

    def put_later(self, host: str, item: T, seconds: float) -> None:
        """Let *item* wait for its turn at *host*, before all others, but not sooner than that."""
        self._waiting += 1
        asyncio.get_running_loop().call_later(seconds, self._back, host, item)

    def _back(self, host: str, item: T) -> None:
        self._waiting -= 1
        if self._over is not None:
            self.put(host, item, first=True)
            self._start_turns()

    def take_out(self, lane: Lane[T], wanted: Callable[[T], bool]) -> list[T]:
        """Remove and return those waiting in *lane* that are *wanted*."""
        out = [item for item in lane.waiting if wanted(item)]
        lane.waiting = deque(item for item in lane.waiting if not wanted(item))
        self._waiting -= len(out)
        return out

    async def run(self) -> None:
        """Give turns until nobody waits. An error in a turn ends the run with it."""
        self._over = asyncio.get_running_loop().create_future()
        for lane in self._lanes.values():
            self._list(lane)
        self._start_turns()
        await self._over

    async def aclose(self) -> None:
        """Cancel every turn under way and wait for its end."""
        for timer in self._timers.values():
            timer.cancel()
        self._ready.clear()
        self._over = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _list(self, lane: Lane[T]) -> None:
        """Put the lane among those that may start a turn, now or when its pause is over."""
        if lane.listed or not lane.waiting or lane.active >= self._policy.per_host:
            return
        lane.listed = True
        loop = asyncio.get_running_loop()
        if lane.next_at > loop.time():
            self._timers[lane.host] = loop.call_at(lane.next_at, self._wake, lane)
        else:
            heapq.heappush(self._ready, (-len(lane.waiting).bit_length(), next(self._listed), lane))

    def _wake(self, lane: Lane[T]) -> None:
        del self._timers[lane.host]
        lane.listed = False
        self._list(lane)
        self._start_turns()

    def _start_turns(self) -> None:
        if self._over is None or self._over.done():
            return
        loop = asyncio.get_running_loop()
        while len(self._tasks) < self._policy.in_flight and (turn := self._next_turn()) is not None:
            task = loop.create_task(self._take_turns(turn))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        if not self._tasks and not self._waiting:
            self._over.set_result(None)

    def _next_turn(self) -> tuple[T, Lane[T]] | None:
        """The one whose turn it is, no longer waiting; None when nobody may start now."""
        if self._over is None or self._over.done():
            return None
        loop = asyncio.get_running_loop()
        while self._ready:
            lane = heapq.heappop(self._ready)[2]
            lane.listed = False
            if not lane.waiting or lane.next_at > loop.time():  # emptied, or paused since it was listed
                self._list(lane)
                continue
            item = lane.waiting.popleft()
            self._waiting -= 1
            lane.active += 1
            lane.next_at = max(lane.next_at, loop.time() + self._policy.gap)
            self._list(lane)
            return item, lane
        return None

    async def _take_turns(self, turn: tuple[T, Lane[T]] | None) -> None:
        """One turn after the other while somebody may start: a task for each takes longer."""
        while turn is not None:
            lane = turn[1]
            await self._turn(*turn)
            lane.active -= 1
            if lane.waiting:
                self._list(lane)
            elif not lane.active:
                self._idle(lane.host)
            turn = self._next_turn()
            if self._ready:  # what ended may have let in more than one
                self._start_turns()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and self._over is not None and not self._over.done():
            self._over.set_exception(error)
        self._start_turns()
