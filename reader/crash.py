"""Errors nobody foresaw: one clean line for the reader, the details in a log. Standard library only."""

from __future__ import annotations

import errno
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from reader import __version__
from reader.text import clean, clean_block

if TYPE_CHECKING:
    from pathlib import Path

_NO_TERMINAL: Final = (errno.EIO, errno.EPIPE, errno.ENXIO)
"""What the thread that writes to a terminal meets when that is gone: no fault, and nobody to tell."""
_MAX_LOG: Final = 1_000_000  # bytes; a log beyond is begun anew


def report(error: BaseException, log: Path) -> str:
    """Write the details of *error* to *log*; returns the line to show, the log named in it."""
    what = clean(f"{type(error).__name__}: {error}", 300)
    try:
        write_log(log, _details(error))
    except OSError as failure:
        return f"something went wrong inside newsfold: {what} (no log: {failure.strerror})"
    return f"something went wrong inside newsfold: {what}; details are in {clean(str(log))}"


@contextmanager
def watched(log: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """While it lasts, an error that ends a thread is one line for *tell*, called on that thread.

    What the interpreter can raise nowhere, in a destructor say, goes to the log
    alone. Else both would be printed as they are, over whatever is on the screen.
    """
    threads, unraisable = threading.excepthook, sys.unraisablehook

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if isinstance(args.exc_value, OSError) and args.exc_value.errno in _NO_TERMINAL:
            return
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            tell(report(args.exc_value, log))

    def nowhere(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            with suppress(OSError):
                write_log(log, _details(args.exc_value))

    threading.excepthook, sys.unraisablehook = in_thread, nowhere
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = threads, unraisable


def _details(error: BaseException) -> str:
    import traceback  # seldom wanted

    return "".join(traceback.format_exception(error))


def write_log(path: Path, details: str) -> None:
    """Add *details* to the log at *path*.

    Raises:
        OSError: it cannot be written.
    """
    from datetime import UTC, datetime

    path.parent.mkdir(parents=True, exist_ok=True)
    begin = not path.exists() or path.stat().st_size > _MAX_LOG
    with path.open("w" if begin else "a", encoding="utf-8", errors="backslashreplace") as log:
        path.chmod(0o600)
        log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z newsfold {__version__}\n")
        log.write(clean_block(details) + "\n")
