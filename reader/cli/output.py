"""What is printed: clean, cut to the terminal's width where there is one, never half understood.

Text that comes from files is cleaned here, at the last moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from reader.errors import NewsfoldError
from reader.text import clean, clean_block, inert

if TYPE_CHECKING:
    from reader.model import JsonValue

SCHEMA: Final = 1
"""The number in every JSON document; it rises when a reader of the old ones would be misled."""


class OutputError(NewsfoldError):
    """The output cannot be written: a full disk, mostly."""


def prepare_streams() -> None:
    """Make the standard streams safe to use, however newsfold was started."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # Started with it closed: the next file opened, a database say, would take its place.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 - lives as long as the program
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # replaced by somebody who runs us inside a program
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def abandon_output() -> None:
    """Nobody reads on: let what is still in the buffers go nowhere, silently."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class Output:
    """Standard output."""

    def __init__(self) -> None:
        self.tty = sys.stdout.isatty()
        self.width = max(20, shutil.get_terminal_size().columns) if self.tty else 0
        """Cells; 0 when nothing is to be cut."""

    def raw(self, text: str) -> None:
        """Write *text* as it is; only for what cannot hold a control character.

        Raises:
            BrokenPipeError: nobody reads on.
            OutputError: it cannot be written.
        """
        try:
            sys.stdout.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"the output cannot be written: {error.strerror}") from error

    def exact(self, data: bytes) -> None:
        """Write *data* as it is, to what is no terminal. Raises as :meth:`raw` does."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"the output cannot be written: {error.strerror}") from error

    def flush(self) -> None:
        """Have everything written. Raises as :meth:`raw` does."""
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            abandon_output()
            raise OutputError(f"the output cannot be written: {error.strerror}") from error

    def line(self, text: str = "") -> None:
        """One line, cleaned, cut to the terminal's width."""
        text = clean(text, 1 << 20)
        self.raw((fit(text, self.width) if self.tty else text) + "\n")

    def columns(self, columns: Iterable[tuple[str, int]]) -> None:
        """One line of (text, cells): in columns on a terminal, else in full with tabs between.

        A column of 0 cells takes what is left; of -1 cells is left out on a terminal, and is
        a path or a key mostly: each blank of it stays.
        """
        if not self.tty:
            told = [inert(text) if cells < 0 else clean(text, 1 << 16) for text, cells in columns]
            self.raw("\t".join(told) + "\n")
            return
        cleaned = [(clean(text, 1 << 16), cells) for text, cells in columns]
        from rich.cells import set_cell_size

        shown = [(text, cells) for text, cells in cleaned if cells >= 0]
        row = "  ".join(set_cell_size(fit(text, cells), cells) if cells else text for text, cells in shown)
        self.raw(fit(row, self.width).rstrip() + "\n")

    def block(self, text: str, indent: str = "") -> None:
        """Many lines, cleaned; on a terminal wrapped to at most 100 cells."""
        for line in clean_block(text).split("\n"):
            for part in wrap(line, min(self.width, 100) - len(indent)) if self.tty else [line]:
                self.raw(f"{indent}{part}".rstrip() + "\n")


def fit(text: str, cells: int) -> str:
    """*text* cut to *cells* with an ellipsis where it is longer."""
    if len(text) * 2 <= cells:
        return text
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= cells else set_cell_size(text, cells - 1).rstrip() + "…"


def wrap(line: str, cells: int) -> list[str]:
    """*line* in parts of at most *cells*, broken at blanks where there are any."""
    from rich.cells import cell_len, chop_cells

    if cell_len(line) <= cells:
        return [line]
    parts: list[str] = []
    part, used = "", 0
    for word in line.split(" "):
        size = cell_len(word)
        if part and used + 1 + size > cells:
            parts.append(part)
            part, used = "", 0
        if size > cells:
            *whole, word = chop_cells(word, cells)
            parts.extend(whole)
            size = cell_len(word)
        part, used = (f"{part} {word}", used + 1 + size) if part else (word, size)
    return [*parts, part]


def say(text: str) -> None:
    """One clean line on standard error, after the program's name."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"newsfold: {clean(text, 4_000)}\n")
        sys.stderr.flush()


def dump(value: JsonValue) -> str:
    """*value* as JSON in ASCII, exact."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


def document(out: Output, name: str, items: Iterable[JsonValue], more: Mapping[str, JsonValue]) -> None:
    """Write one JSON document with *items* under *name*, each as it comes; *more* is read at the end."""
    out.raw(f'{{"schema": {SCHEMA}, {dump(name)}: [')
    comma = ""
    for item in items:
        out.raw(f"{comma}\n{dump(item)}")
        comma = ","
    out.raw("\n]" if comma else "]")
    for key, value in more.items():
        out.raw(f", {dump(key)}: {dump(value)}")
    out.raw("}\n")
