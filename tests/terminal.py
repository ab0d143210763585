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
    "esc": "\x1b",
    "tab": "\t",
    "space": " ",
    "down": "\x1b[B",
    "up": "\x1b[A",
    "backspace": "\x7f",
}
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

    def read(self, seconds: float) -> bool:
        """Take what comes within *seconds*; False when the program has closed the terminal."""
        ready, _, _ = select.select([self.child.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.child.fd, 65_536)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
        return bool(data)

    def settle(self, quiet: float = 0.4, limit: float = 10.0) -> None:
        """Read until nothing has come for *quiet* seconds."""
        end = time.monotonic() + limit
        before = -1
        while time.monotonic() < end and len(self.raw) != before:
            before = len(self.raw)
            if not self.read(quiet):
                return

    def wait_for(self, words: str, limit: float = 30.0) -> None:
        """Read until *words* stand on the screen, or fail with what stands there instead."""
        end = time.monotonic() + limit
        while words not in self.text:
            if time.monotonic() > end or not self.read(0.2):
                raise AssertionError(f"{words!r} never came; the screen says:\n{self.text}")

    def press(self, *keys: str) -> None:
        """Send keys: names of NAMED, ``ctrl+x``, or the text itself."""
        for key in keys:
            data = NAMED.get(key) or (chr(ord(key[5:].upper()) & 31) if key.startswith("ctrl+") else key)
            os.write(self.child.fd, data.encode())
            self.read(0.05)

    def wait_end(self, limit: float = 10.0) -> int:
        """Read until the program ends; its exit code, or minus the signal that ended it."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if not self.read(0.1) or not self.child.isalive():
                break
        while self.child.isalive():
            if time.monotonic() > end:
                raise AssertionError(f"it would not end; the screen says:\n{self.text}")
            time.sleep(0.02)
        return self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0)
