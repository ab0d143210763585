"""The real program under a real pseudo-terminal: keys in, screen out."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte
from ptyprocess import PtyProcess

NAMED = {
    "enter": "\r",
    "esc": "\x1b[27u",  # as terminals say it that were asked: a bare ESC may be read as one with the next key
    "tab": "\t",
    "space": " ",
    "down": "\x1b[B",
    "up": "\x1b[A",
    "backspace": "\x7f",
}
PATIENCE = 60.0
"""Seconds after which something that should come is given up: a bound, never a measure."""
_MOVES = re.compile(rb"(?=\x1b\[\d+;\d+H)")
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP.*?\x1b\\")


class _Screen(pyte.Screen):
    def report_device_attributes(self, *args: object, **kwargs: object) -> None: ...
    def report_device_status(self, *args: object, **kwargs: object) -> None: ...


class Terminal:
    """*command* in a terminal of *size* (columns, rows); ``raw`` is every byte it sent."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        size: tuple[int, int] = (120, 36),
        cwd: Path = Path("/"),
    ) -> None:
        self.screen = _Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.stood = False
        ours = {
            k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")
        }  # they overrule a terminal's size
        full = {**ours, "TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        self.child = PtyProcess.spawn(list(command), dimensions=(size[1], size[0]), env=full, cwd=str(cwd))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.child.isalive():
            self.child.kill(signal.SIGKILL)
            self.child.wait()
        self.child.close(force=True)

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, seconds: float, words: str = "") -> bool:
        """Take what comes within *seconds*; False when the program has closed the terminal.

        Where *words* stood on the screen at any moment of it, ``stood`` says so: what is
        shown and replaced within one read has been shown.
        """
        ready, _, _ = select.select([self.child.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.child.fd, 65_536)
        except OSError:
            return False
        self.raw += data
        drawn = _UNKNOWN_TO_PYTE.sub(b"", data)
        for piece in _MOVES.split(drawn) if words else [drawn]:
            self.screen.dirty.clear()
            self._stream.feed(piece)
            if words and not self.stood:
                self.stood = any(words in self._line(number) for number in self.screen.dirty)
        return bool(data)

    def _line(self, number: int) -> str:
        line = self.screen.buffer[number]
        return "".join(line[column].data for column in range(self.screen.columns))

    def settle(self, quiet: float = 0.4, limit: float = 10.0) -> None:
        """Read until nothing has come for *quiet* seconds: no sign that a slow program is done."""
        end = time.monotonic() + limit
        before = -1
        while time.monotonic() < end and len(self.raw) != before:
            before = len(self.raw)
            if not self.read(quiet):
                return

    def wait_for(self, words: str, limit: float = PATIENCE) -> None:
        """Read until *words* have stood on the screen, or fail with what stands there instead."""
        end = time.monotonic() + limit
        self.stood = words in self.text
        while not self.stood:
            if time.monotonic() > end or not self.read(0.2, words):
                raise AssertionError(f"{words!r} never came; the screen says:\n{self.text}")

    def wait_without(self, words: str, limit: float = PATIENCE) -> None:
        """Read until *words* no longer stand on the screen."""
        end = time.monotonic() + limit
        while words in self.text:
            if time.monotonic() > end or not self.read(0.2):
                raise AssertionError(f"{words!r} never went; the screen says:\n{self.text}")

    def press(self, *keys: str) -> None:
        """Send keys: names of NAMED, ``ctrl+x``, or the text itself."""
        for key in keys:
            data = NAMED.get(key) or (chr(ord(key[5:].upper()) & 31) if key.startswith("ctrl+") else key)
            os.write(self.child.fd, data.encode())
            self.read(0.05)

    def wait_end(self, limit: float = PATIENCE) -> int:
        """Read until the program has ended and all it sent is read; its exit code, or minus its signal."""
        end = time.monotonic() + limit
        while self.read(0.1) and self.child.isalive():
            if time.monotonic() > end:
                raise AssertionError(f"it would not end; the screen says:\n{self.text}")
        while self.child.isalive():
            if time.monotonic() > end:
                raise AssertionError(f"it would not end; the screen says:\n{self.text}")
            time.sleep(0.02)
        before = -1
        while len(self.raw) != before:
            before = len(self.raw)
            self.read(0)
        return self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0)
