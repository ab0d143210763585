"""The last frame of the screen, kept for the next start: readable before Textual is even imported.

What the reader left is painted as it was while the program loads, and the
program's own first frame, which says the same in the same cells, is drawn over
it. It is painted only where nothing could have changed: same index, same marks,
same place, same terminal, same settings, same version. Any doubt, and there is none.
Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from reader import __version__
from reader.digests import sha256
from reader.errors import NewsfoldError
from reader.text import inert
from reader.values import dataclass

if TYPE_CHECKING:
    from reader.session import Session

_MAX_BYTES: Final = 1_000_000
_STYLE: Final = re.compile(r"[0-9;]*")
_ASKED: Final = ("TERM", "COLORTERM", "NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM")
_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?2026h"
_LEAVE: Final = "\x1b[0m\x1b[?25h\x1b[?1049l"

Rows = Sequence[Sequence[tuple[str, str]]]
"""Lines from the top, each as pieces of text with the numbers of its SGR sequence."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What was on a screen of so many columns and lines, and what it depended on."""

    stamp: str
    rows: Rows

    def save(self, path: Path) -> None:
        """Write it, whole or not at all. Raises OSError."""
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(json.dumps([self.stamp, self.rows]), encoding="utf-8")
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Frame | None:
        """What :meth:`save` wrote; None where there is nothing of the kind."""
        try:
            with path.open("rb") as file:
                stamp, rows = json.loads(file.read(_MAX_BYTES))
            return cls(str(stamp), [[(str(text), str(style)) for text, style in row] for row in rows])
        except (OSError, ValueError, TypeError):
            return None

    def painted(self) -> str:
        """As it is sent to the terminal: no text in it can act on it, and no style but colours."""
        lines = []
        for number, row in enumerate(self.rows, 1):
            pieces = (f"\x1b[0;{style}m{inert(text)}" for text, style in row if _STYLE.fullmatch(style))
            lines.append(f"\x1b[{number};1H{''.join(pieces)}\x1b[0m")
        return f"{_ENTER}{''.join(lines)}\x1b[?2026l"


def path_of(session: Session) -> Path:
    """Where the frame of these folders is kept: beside their index, as easily replaced."""
    return session.library.path.with_suffix(".frame")


def stamp(session: Session, size: tuple[int, int], generation: int, place: object) -> str:
    """All that a frame of *size* (columns, lines) depends on, in one word.

    *generation* is that of the index, *place* the reading place as the state keeps it.

    Raises:
        NewsfoldError: a store cannot be read.
    """
    depends = [
        __version__,
        size,
        [(source.name, os.fsdecode(source.root)) for source in session.sources],
        generation,
        place,
        session.state.id,
        session.state.seq(),
        repr(session.settings),
        [os.environ.get(name) for name in _ASKED],
    ]
    return sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


class Ahead:
    """From here on the last frame is on the screen, until the program draws or an error ends it.

    Keys pressed meanwhile wait for the program; a signal leaves the terminal as
    it was. ``painted`` says whether there was a frame that could be shown.
    """

    def __init__(self, session: Session) -> None:
        self.painted = False
        self._text = _showable(session)
        self._before: list[Any] | None = None
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if self._text:
            with contextlib.suppress(OSError, termios.error):
                self._begin(self._text)
        return self

    def _begin(self, text: str) -> None:
        self._before = termios.tcgetattr(0)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            self._handlers[number] = signal.signal(number, _leave)
        quiet = termios.tcgetattr(0)
        quiet[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.IXOFF)
        quiet[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        termios.tcsetattr(0, termios.TCSANOW, quiet)
        self.painted = True
        os.write(2, text.encode())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is None:
            return
        if kind is not None and self.painted:  # the program never came, or not to its end
            with contextlib.suppress(OSError):
                os.write(2, _LEAVE.encode())
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSANOW, self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


def _showable(session: Session) -> str:
    """What is to be painted, nothing where a doubt remains."""
    if not session.sources or session.complaints or session.state.notice or session.state.read_only:
        return ""
    if os.environ.get("TERM", "dumb") == "dumb" or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return ""
    with contextlib.suppress(OSError, NewsfoldError):
        kept = Frame.load(path_of(session))
        columns, lines = os.get_terminal_size(2)
        if kept is None:
            return ""
        generation, place = session.library.meta("generation"), session.state.get(session.place_name)
        if kept.stamp == stamp(session, (columns, lines), generation, place):
            return kept.painted()
    return ""


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
