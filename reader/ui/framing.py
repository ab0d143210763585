"""The frame that is kept for the next start: taken when the reader leaves, from what is on the screen."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from rich.console import COLOR_SYSTEMS
from textual.strip import Strip

from reader import frame
from reader.errors import NewsfoldError
from reader.frame import Frame
from reader.ui.steady import steady

if TYPE_CHECKING:
    from reader.ui.screens.main import MainScreen

_BESIDE: Final = frozenset({"ingest", "tend", "check", "merge", "poll", "first-page", "search-counts"})
"""Work that changes nothing on the screen unless the index changes with it."""
_SGR: Final = re.compile(r"\x1b\[([0-9;]*)m")


def keep(screen: MainScreen) -> None:
    """Keep what *screen* shows, if the next start will show the same; else keep nothing."""
    path = frame.path_of(screen.session)
    with contextlib.suppress(OSError, NewsfoldError):
        if not _lasts(screen):
            path.unlink(missing_ok=True)
            return
        rows = [_row(screen, strip) for strip in screen._compositor.render_strips()]
        top = screen.query_one("#status").region.y
        if 0 <= top < len(rows):  # what was said is not said again
            rows[top] = [(" " * screen.size.width, rows[top][0][1])]
        Frame(frame.stamp(screen.session, (screen.size.width, screen.size.height)), rows).save(path)


def _lasts(screen: MainScreen) -> bool:
    """Whether all that is on the screen is what a start brings back."""
    navigation = screen.navigation
    return (
        screen.is_current
        and screen.app.focused is None
        and not screen.has_class("-zen")
        and not (navigation.loading or navigation.listing.narrow or screen.list.selected)
        and screen.refreshing.is_up_to_date()
        and not any(worker.is_running and worker.group not in _BESIDE for worker in screen.app.workers)
    )


def _row(screen: MainScreen, strip: Strip) -> list[tuple[str, str]]:
    system = COLOR_SYSTEMS.get(screen.app.console.color_system or "")
    pieces = []
    for text, style, control in strip:
        if text and not control:
            sent = _SGR.match(style.render("x", color_system=system)) if style else None
            pieces.append((steady(text), sent[1] if sent else ""))
    return pieces
