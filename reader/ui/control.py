"""What the controllers of the main screen share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from reader.ui.screens.main import MainScreen

P = ParamSpec("P")
T = TypeVar("T")

Handler = Callable[[], Awaitable[None] | None]


class Controller:
    """A part of the main screen's behaviour: some commands and the state that goes with them."""

    def __init__(self, screen: MainScreen) -> None:
        self.screen = screen
        self.session = screen.session
        self.library = screen.session.library
        self.state = screen.session.state

    def handlers(self) -> Mapping[str, Handler]:
        """Command id -> what it does."""
        raise NotImplementedError


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a short synchronous call off the event loop."""
    return await asyncio.to_thread(call, *args, **kwargs)
