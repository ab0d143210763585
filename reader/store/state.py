"""``state.db``: what no file can give back, and how it is kept from being lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from reader.store import sqlite, state_schema
from reader.store.backup import Safety
from reader.store.state_checks import Checks
from reader.store.state_core import Change, utc_now
from reader.store.state_marks import Marks
from reader.store.state_places import Places

__all__ = ["Change", "State", "utc_now"]


class State(Marks, Checks, Places):
    """The reader's own words. Safe to share between threads; every method is short.

    Every write returns only when it is on the disk, and raises StoreBusy,
    StoreReadOnly, StoreDamaged or StoreError with nothing changed.
    """

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], datetime] = utc_now) -> State:
        """Open the state at *path*, making it when there is none."""
        safety = Safety(path)
        safety.make()
        db = sqlite.connect(path)
        state_schema.migrate(db)
        state = cls(db, safety, clock)
        if safety.journal.newest() is None:
            safety.journal.begin(state._id, state_schema.version(db), state.seq())
        return state

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
