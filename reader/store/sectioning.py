"""The numbers of the sections that articles stand in, remembered between transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

Section = tuple[str, str]
"""Kind and name."""

_Version = tuple[sqlite3.Connection, int, int]
_FEW: Final = 2_000  # up to which each is asked for


class Sections:
    """What is known of the table ``section``: an archive has thousands, a change needs few."""

    def __init__(self) -> None:
        self._numbers: dict[Section, int] = {}
        self._all = False
        self._seen: _Version | None = None

    @property
    def numbers(self) -> Mapping[Section, int]:
        """Of those that were asked for until now."""
        return self._numbers

    def begin(self, db: sqlite3.Connection) -> None:
        """A transaction has begun: what is known is forgotten, unless nobody else has written since."""
        seen, self._seen = self._seen, None  # until this is written
        if seen != _version(db):
            self._numbers, self._all = {}, False

    def ending(self, db: sqlite3.Connection) -> int:
        """What :meth:`ended` is to be told; asked before the commit, when nobody else can write."""
        return _version(db)[1]

    def ended(self, db: sqlite3.Connection, others: int) -> None:
        """The transaction is committed, *others* as it was before that."""
        # The full-text index writes its words, and counts them, in the commit.
        self._seen = (db, others, db.total_changes)

    def find(self, db: sqlite3.Connection, wanted: Iterable[Section]) -> None:
        """Know the numbers of those of *wanted* that there are."""
        if self._all:
            return
        asked = [section for section in dict.fromkeys(wanted) if section not in self._numbers]
        if len(asked) > _FEW:
            every = db.execute("SELECT id, kind, name FROM section")
            self._numbers, self._all = {(kind, name): i for i, kind, name in every}, True
            return
        for section in asked:
            found = db.execute("SELECT id FROM section WHERE kind = ? AND name = ?", section).fetchone()
            if found is not None:
                self._numbers[section] = found[0]

    def number(self, db: sqlite3.Connection, section: Section) -> int:
        """That of *section*, which is made if there is none."""
        self.find(db, [section])
        self.add(db, [section])
        return self._numbers[section]

    def add(self, db: sqlite3.Connection, wanted: Iterable[Section]) -> None:
        """Make those of *wanted* that :meth:`find` did not find, all at once."""
        known = self._numbers
        new = dict.fromkeys([section for section in wanted if section not in known])
        if new:
            last = db.execute("SELECT coalesce(max(id), 0) FROM section").fetchone()[0]
            numbered = dict(zip(new, range(last + 1, last + 1 + len(new)), strict=True))
            db.executemany(
                "INSERT INTO section(id, kind, name) VALUES (?, ?, ?)",
                [(number, *section) for section, number in numbered.items()],
            )
            known.update(numbered)


def _version(db: sqlite3.Connection) -> _Version:
    """Another after each change, by whatever connection. The same before and after one's own commit."""
    return db, int(db.execute("PRAGMA data_version").fetchone()[0]), db.total_changes
