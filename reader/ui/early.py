"""Keys pressed before there are rows: on the frame that was kept, or on nothing. None is lost.

They wait until the list is there and are then handled one after the other, each
where the one before has led: the text of a note goes into its prompt.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual import events

if TYPE_CHECKING:
    from textual.worker import Worker

    from reader.ui.screens.main import MainScreen

_TURN: Final = 2.0
"""Seconds at most for what one key asked for, until the next has its turn."""
_MOMENT: Final = 0.01
_PATIENCE: Final = 10.0
"""Seconds after which keys wait no longer, though the store has given no row."""


class Early:
    """The keys that wait on *screen*."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._keys: list[events.Key] = []
        self._latest = time.monotonic() + _PATIENCE
        self._waits = True
        self.asked: Worker[None] | None = None
        """The work that was begun last."""

    def takes(self, event: events.Key, command: str) -> bool:
        """Keep *event* for later, if it has to wait; *command* is what it would run."""
        if not self._waits or time.monotonic() > self._latest:
            return False
        # Who sees nothing for long may go; not before what was asked for first.
        if command == "quit" and not (self._keys and self._screen.newsfold.held):
            return False
        self._keys.append(event)
        return True

    def arrived(self) -> None:
        """The list is there, or will not come."""
        if self._keys:
            self._screen.work("early", self._replay())
        else:
            self._waits = False

    async def _replay(self) -> None:
        screen = self._screen
        while self._keys:
            event = self._keys.pop(0)
            self.asked = None
            if screen.listens:
                screen.handle(event)
                await self._until(_over(self.asked, screen))
            else:
                screen.app.post_message(events.Key(event.key, event.character))
                await asyncio.sleep(_MOMENT)
                if event.key in ("enter", "escape"):  # what was asked for goes, mostly
                    await self._until(lambda: screen.listens)
        self._waits = False

    @staticmethod
    async def _until(true: Callable[[], bool]) -> None:
        end = time.monotonic() + _TURN
        while not true() and time.monotonic() < end:
            await asyncio.sleep(_MOMENT)


def _over(asked: Worker[None] | None, screen: MainScreen) -> Callable[[], bool]:
    """Tells whether what was *asked* is done, or asks for the next keys itself."""
    return lambda: asked is None or asked.is_finished or not screen.listens
