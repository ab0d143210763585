"""``state.db``: what no file can give back, and how it is kept from being lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from reader.errors import StoreDamaged, StoreError
from reader.store import sqlite
from reader.store.backup import Safety
from reader.store.state_checks import Checks
from reader.store.state_core import NOTHING, Change, utc_now
from reader.store.state_exchange import Exchange
from reader.store.state_following import Following
from reader.store.state_marks import Marks
from reader.store.state_open import close_state, open_state, reopen_state
from reader.store.state_places import Places
from reader.store.state_searches import SavedRule, SavedSearch, Searches
from reader.store.state_stories import Headline, Stories, StoryEdit
from reader.store.state_upkeep import Upkeep

__all__ = [
    "NOTHING",
    "Change",
    "Headline",
    "SavedRule",
    "SavedSearch",
    "State",
    "StoryEdit",
    "utc_now",
]


class State(Marks, Following, Checks, Places, Searches, Stories, Upkeep, Exchange):
    """The reader's own words. Safe to share between threads; every method is short.

    Every write returns only when it is on the disk, and raises StoreBusy,
    StoreReadOnly, StoreDamaged or StoreError with nothing changed.
    """

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], datetime] = utc_now, mend: bool = True) -> State:
        """Open the state at *path*, making it when there is none.

        A damaged or missing file is put aside and its marks are restored;
        ``notice`` then says so. Where nothing can be written the state is
        opened in memory to be read, and ``read_only`` says why. *clock*
        gives the time, aware. Without *mend* nothing is put aside: it would be
        taken from the process that has it open, and is to do that itself.

        Raises:
            StoreBusy: another process is opening it.
            StoreNewer: a newer newsfold wrote it.
            StoreError: it is another program's file, or cannot be read.
            StoreDamaged: there is something to mend, and it is not to be.
        """
        safety = Safety(path)
        opened = open_state(path, safety, clock, mend=mend)
        state = cls(opened.db, safety, clock, opened.frozen)
        state.notice = opened.notice
        return state

    def mend(self) -> str:
        """Open the file anew when it was damaged or replaced; what came of it, in one sentence, or empty.

        Everything that can be undone can be still.

        Raises:
            StoreDamaged: what lies there now, with all beside it, is not this state.
            StoreBusy, StoreReadOnly, StoreNewer, StoreError; marks are refused on.
        """
        with self._lock:
            in_place = sqlite.file_identity(self.path) == self._db.identity
            if self._closed or self._frozen or (in_place and not self._safety.suspected()):
                return ""
            last = self._safety.journal.last()
            if last is None or last[0] != self._id:  # an archive of marks that is away, not one that is lost
                raise StoreDamaged(f"{self.path} was removed or replaced, and so was what lies beside it.")
            opened = reopen_state(self._db, self._safety, self._clock)
            self._db, self._frozen, self.read_only = opened.db, bool(opened.frozen), opened.frozen
            return opened.notice or f"{self.path} was opened anew."

    def close(self) -> None:
        """Back up when that is due, and close the file. Calling it again does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._wrote:
                with contextlib.suppress(StoreError):
                    self.tend()
            self._safety.journal.settle()
            close_state(self._db, self._safety, seal=self._wrote)
