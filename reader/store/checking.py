"""The index looked through for damage once a day: what SQLite meets by itself is not all there can be.

A page half lost may give a list that is short, and no error. Of 50,000 articles
a look through the whole file takes half a second of a thread that holds up no
other, and as many reads as the file has pages: see the caller for when.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import Final

from reader.errors import StoreDamaged
from reader.store import sqlite
from reader.store.library_file import LibraryFile

_EVERY: Final = 86_400.0  # seconds


class DailyCheck:
    """One look at *library*; it may be stopped from any thread."""

    def __init__(self, library: LibraryFile) -> None:
        self._library = library
        self._db: sqlite3.Connection | None = None
        self._stopped = False

    def run(self, now: float | None = None) -> bool:
        """Look through it, unless that was done within a day of *now* (epoch seconds); whether it was done.

        Raises:
            StoreDamaged: with SQLite's first complaint.
            StoreError: it cannot be read.
        """
        now = time.time() if now is None else now
        path = self._library.path
        done = path.with_name(path.name + ".checked")
        with contextlib.suppress(OSError):
            if abs(now - done.stat().st_mtime) < _EVERY:
                return False
        answer = None
        # A connection of its own: stopping it stops nobody's search.
        with sqlite.errors(path), contextlib.closing(sqlite.connect_read_only(path)) as self._db:
            try:
                if not self._stopped:
                    answer = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            except sqlite3.OperationalError:
                if not self._stopped:
                    raise
        if answer is None:
            return False
        if answer != "ok":
            raise StoreDamaged(f"the library index is damaged: {answer}")
        with contextlib.suppress(OSError):
            done.touch()
            os.utime(done, (now, now))
        return True

    def stop(self) -> None:
        """End it at once; it is looked through another time."""
        self._stopped = True
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):  # it is closed already
                self._db.interrupt()
