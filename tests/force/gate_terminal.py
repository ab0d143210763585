"""newsfold in a pseudo-terminal, started by a fork of a process that has loaded it, and what it draws there."""

# ruff: noqa: E501
from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gate_files import MARK, Words
from sequences import kinds, tokens, words

from reader.__main__ import main as newsfold

PATIENCE: Final = 60.0
"""Seconds after which something that should come is given up: a bound, never a measure."""
SHORT: Final = 3.0
"""The same where nothing is cleaned: a screen in ruins may never show what is waited for."""
QUIET: Final = 0.6
"""Seconds without a frame after which a page is taken to have ended, where what is wanted has not come."""
_ASKS_FOR_FRAMES: Final = b"\x1b[?2026$p"
_FRAMES_ARE_KNOWN: Final = b"\x1b[?2026;2$y"
_END: Final = b"\x1b[?2026l"

Wanted = set[tuple[str, int]]


class Stuck(Exception):
    """What was waited for never came."""


class Run:
    """One run of the program. ``seen`` has the numbers drawn, by screen and field; ``found`` the sequences."""

    def __init__(
        self,
        home: Path,
        arguments: Sequence[str],
        size: tuple[int, int],
        *,
        lenient: bool = False,
    ) -> None:
        self.lenient = lenient
        self.screen = "start"
        self.seen: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self.found: dict[str, set[str]] = defaultdict(set)
        self.fresh = ""
        self.frames = 0
        self.bytes = 0
        self._rest = bytearray()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            _become(home, arguments, size)

    # -- what comes

    def read(self, seconds: float) -> bool:
        """Take what comes within *seconds*; False when there is no more to come."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.terminal, 1 << 18)
        except OSError:
            return False
        if _ASKS_FOR_FRAMES in data:
            os.write(self.terminal, _FRAMES_ARE_KNOWN)
        self.bytes += len(data)
        self._rest += data
        end = self._rest.rfind(_END)
        if end >= 0:
            self.frames += self._rest.count(_END)
            self._take(bytes(self._rest[: end + len(_END)]))
            del self._rest[: end + len(_END)]
        return bool(data)

    def _take(self, data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        plain = words(text)
        self.fresh += plain
        self.found[self.screen] |= tokens(text)
        self.seen[self.screen].update((m[1], int(m[2])) for m in MARK.finditer(plain))

    def kinds(self) -> dict[str, set[str]]:
        """By screen, the kinds of sequences that came."""
        return {screen: kinds(found) for screen, found in self.found.items()}

    def rest(self) -> bytes:
        """What came and was no whole frame; it is forgotten."""
        data = bytes(self._rest)
        self._rest.clear()
        return data

    # -- waiting for it

    def wait(self, true: Callable[[], object], what: str) -> None:
        """Read until *true* says so; a lenient run is content with having waited."""
        end = time.monotonic() + (SHORT if self.lenient else PATIENCE)
        while not true():
            late, gone = time.monotonic() > end, not self.read(0.5)
            if late or gone:
                self._take(bytes(self._rest))
                self._rest.clear()
                if self.lenient and not gone:
                    return
                raise Stuck(f"{self.screen}: {what} never came; last was drawn:\n{self.fresh[-3000:]}")

    def until(self, *wanted: str) -> None:
        """Read until all of *wanted* were drawn since the last key."""
        self.wait(lambda: all(text in self.fresh for text in wanted), repr(wanted))

    def press(self, keys: str, *wanted: str) -> None:
        """Send *keys*; read until all of *wanted* were drawn."""
        self.fresh = ""
        data = keys.encode("utf-8", "replace")
        while data:  # a terminal holds but four thousand bytes
            data = data[os.write(self.terminal, data[:2_000]) :]
            self.read(0)
        if wanted:
            self.until(*wanted)

    def frame(self, limit: float = QUIET) -> bool:
        """Read until a frame has come; False when none does within *limit*."""
        before, end = self.frames, time.monotonic() + limit
        while self.frames == before and time.monotonic() < end and self.read(0.05):
            pass
        return self.frames != before

    def page(self, wanted: Wanted, down: str = "\x06", up: str = "\x02") -> Wanted:
        """Page down and up again until all of *wanted* is drawn; what never was."""
        for key in (down, up, down, up):
            while wanted - self.seen[self.screen]:
                self.press(key)
                if not self.frame():
                    break
        return wanted - self.seen[self.screen]

    def on(self, screen: str) -> None:
        """What is drawn from now on is of *screen*."""
        self.screen = screen

    def escape(self, said: str) -> None:
        """Press Escape and read until *said* is drawn: a key at once would make one key of both."""
        self.press("\x1b", said)

    # -- its end

    def leave(self, keys: str = "\x03") -> int:
        """Press *keys* to have it end by itself; its exit code."""
        self.press(keys)
        return self.end()

    def end(self) -> int:
        end = time.monotonic() + (SHORT if self.lenient else PATIENCE)
        while self.read(0.5):
            if time.monotonic() > end:
                raise Stuck(f"{self.screen}: it would not end:\n{self.fresh[-3000:]}")
        self._take(bytes(self._rest))
        self._rest.clear()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.terminal)
            self.pid = 0


def _become(home: Path, arguments: Sequence[str], size: tuple[int, int]) -> None:
    """In the child: run the program, and nothing of this script ever after."""
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    environment(home)
    for number, name in enumerate(("stdin", "stdout", "stderr")):  # this script's may be a file
        stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = ["newsfold", *arguments]
    code = 1
    try:
        code = newsfold()
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # noqa: BLE001 - as the interpreter would
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def environment(home: Path) -> None:
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", HOME=str(home), TZ="UTC")
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        os.environ[f"NEWSFOLD_{name}_DIR"] = str(home / name.lower())
    for name in ("COLUMNS", "LINES", "NO_COLOR", "BROWSER"):
        os.environ.pop(name, None)


@dataclass
class Drawn:
    """What all runs of a group drew. A lenient one goes on where the screen is in ruins."""

    words: Words
    lenient: bool = False
    seen: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    missed: dict[str, Wanted] = field(default_factory=dict)
    bytes: int = 0
    frames: int = 0
    stuck: str = ""

    @contextmanager
    def run(self, home: Path, arguments: Iterable[str], size: tuple[int, int]) -> Iterator[Run]:
        """A run of the program, what it draws added to what was drawn; killed in the end, if it still lives."""
        run = Run(home, list(arguments), size, lenient=self.lenient)
        try:
            yield run
        finally:
            run.kill()
            for screen, pairs in run.seen.items():
                self.seen.setdefault(screen, set()).update(pairs)
            for screen, kinds in run.kinds().items():
                self.kinds.setdefault(screen, set()).update(kinds)
            self.bytes += run.bytes
            self.frames += run.frames

    def page(self, run: Run, want: Wanted, down: str = "\x06", up: str = "\x02") -> None:
        """Page through until all of *want* was drawn; what never was is told in the end."""
        left = run.page(want, down, up)
        if left:
            self.missed.setdefault(run.screen, set()).update(left)


def wanted(fields: Iterable[str], numbers: Iterable[int]) -> Wanted:
    """Every field with every number."""
    numbers = list(numbers)
    return {(field, number) for field in fields for number in numbers}


def counts(seen: Mapping[str, set[tuple[str, int]]]) -> dict[str, dict[str, int]]:
    """By screen and field how many different numbers were drawn."""
    told: dict[str, dict[str, int]] = {}
    for screen, pairs in seen.items():
        told[screen] = dict(Counter(name for name, _ in pairs))
    return told
