"""The frame that is kept for the next start, from what is on the screen.

It is taken when the reader leaves, and whenever nothing was drawn for a moment:
a program that is killed leaves one too. With it goes the reading place, as both
must be of one moment.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from rich.console import COLOR_SYSTEMS
from textual.strip import Strip

from reader import frame
from reader.errors import NewsfoldError
from reader.frame import Frame
from reader.ui.control import in_thread
from reader.ui.steady import steady
from reader.values import dataclass

if TYPE_CHECKING:
    from reader.ui.app import NewsfoldApp
    from reader.ui.screens.main import MainScreen

AT_REST: Final = 1.0
"""Seconds between two looks whether something was drawn."""
_BESIDE: Final = frozenset(
    {"ingest", "tend", "check", "merge", "poll", "first-page", "search-counts", "frame"}
)
"""Work that changes nothing on the screen unless the index changes with it."""
_SGR: Final = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True, slots=True)
class _Shot:
    """What was on the screen, and where one was; ``drawn``: how often something had been drawn."""

    strips: Sequence[Strip]
    status: int
    size: tuple[int, int]
    colors: str
    generation: int
    place: dict[str, Any]
    drawn: int

    def rows(self) -> frame.Rows:
        rows = [_row(strip, self.colors) for strip in self.strips]
        if 0 <= self.status < len(rows):  # what was said is not said again
            rows[self.status] = [(" " * self.size[0], rows[self.status][0][1])]
        return rows


class Keeping:
    """Keeps the frame of the main screen."""

    def __init__(self, screen: MainScreen) -> None:
        self.screen = screen
        self.session = screen.session
        self._seen = self._taken = -1
        self._left = False
        self._lock = threading.Lock()

    @property
    def _drawn(self) -> int:
        return cast("NewsfoldApp", self.screen.app).drawn

    def look(self) -> None:
        """Take the frame if it is another than the last, and nothing was drawn since the last look."""
        drawn = self._drawn
        rests, self._seen = drawn == self._seen, drawn
        if rests and drawn != self._taken and (shot := self._shot()) is not None:
            self._taken = drawn
            self.screen.work("frame", in_thread(self._keep_resting, shot), exclusive=False)

    def leave(self) -> None:
        """Keep what the reader leaves; the place is that of this moment. Synchronous and short."""
        with self._lock:
            self._left = True
        self.screen.navigation.leaving = self.screen.navigation.place()
        if (shot := self._shot()) is not None:
            with contextlib.suppress(OSError, NewsfoldError):
                self._save(shot)

    def _shot(self) -> _Shot | None:
        """What is on the screen, None where a start would not bring it back."""
        screen = self.screen
        navigation, place = screen.navigation, screen.navigation.place()
        lasts = (
            screen.is_current
            and screen.app.focused is None
            and not screen.has_class("-zen")
            and not (navigation.loading or navigation.listing.narrow or screen.list.selected)
            and not any(worker.is_running and worker.group not in _BESIDE for worker in screen.app.workers)
        )
        if not lasts or place is None:
            return None
        return _Shot(
            screen._compositor.render_strips(),
            screen.query_one("#status").region.y,
            (screen.size.width, screen.size.height),
            screen.app.console.color_system or "",
            screen.refreshing.shown,
            place,
            self._drawn,
        )

    def _keep_resting(self, shot: _Shot) -> None:
        with self._lock, contextlib.suppress(OSError, NewsfoldError):
            if not self._left:
                state, name = self.session.state, self.session.place_name
                if state.get(name) != shot.place:
                    state.put(name, shot.place)
                self._save(shot)

    def _save(self, shot: _Shot) -> None:
        """Write the frame, if the screen showed the index and the marks as they are."""
        library, state = self.session.library, self.session.state
        stamp = frame.stamp(self.session, shot.size, shot.generation, shot.place)
        if self.screen.refreshing.running and state.seq() > library.meta("marks_seq"):
            return  # rules have marked what is not listed as marked yet
        if shot.generation == library.meta("generation") and shot.drawn == self._drawn:
            Frame(stamp, shot.rows()).save(frame.path_of(self.session))


def _row(strip: Strip, colors: str) -> list[tuple[str, str]]:
    system = COLOR_SYSTEMS.get(colors)
    pieces = []
    for text, style, control in strip:
        if text and not control:
            sent = _SGR.match(style.render("x", color_system=system)) if style else None
            pieces.append((steady(text), sent[1] if sent else ""))
    return pieces
