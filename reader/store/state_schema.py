"""The tables of ``state.db`` and the way from one version of them to the next.

``user_version`` counts the migrations a file has seen; ``meta`` repeats it,
with the file's own id, the number of the newest change and, for each kept
table, how many rows it holds and the total of their sums. So a row that is
lost whole is noticed as well as one that is changed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from typing import Final

from reader.errors import StoreNewer
from reader.store import sqlite
from reader.store.state_table import Table

APPLICATION_ID: Final = 0x6E667374  # "nfst"

META: Final = Table("meta", ("name", "value"))
MARKS: Final = Table(
    "marks", ("key", "flags", "note", "tags"), kept=True, default=(0, "", ""), bits=("flags",)
)
SOURCES: Final = Table("sources", ("path", "place"), kept=True)
SETTINGS: Final = Table("settings", ("name", "value"))
CHECKS: Final = Table(
    "checks",
    (
        "address", "outcome", "checked_at", "status", "target", "reason",
        "elapsed_ms", "first_dead", "last_alive", "seq",
    ),
)  # fmt: skip
CHECK_HISTORY: Final = Table(
    "check_history", ("address", "checked_at", "outcome", "status", "target", "reason", "elapsed_ms"), keys=2
)
SEARCHES: Final = Table("searches", ("id", "name", "query", "place"), kept=True, since=2)
RULES: Final = Table("rules", ("id", "name", "query", "action", "enabled", "place"), kept=True, since=2)
STORY_EDITS: Final = Table("story_edits", ("id", "kind", "key", "other"), kept=True, since=2)
STORY_SEEN: Final = Table("story_seen", ("story", "keys"), since=2)
HEADLINES: Final = Table("headlines", ("key", "seen_at", "title", "excerpt"), keys=2, since=2)

TABLES: Final = (
    META, MARKS, SOURCES, SETTINGS, CHECKS, CHECK_HISTORY,
    SEARCHES, RULES, STORY_EDITS, STORY_SEEN, HEADLINES,
)  # fmt: skip

NEWER: Final = "These marks were written by a newer newsfold; please update this one."

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta(
        name TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE marks(
        key TEXT PRIMARY KEY, flags INTEGER NOT NULL, note TEXT NOT NULL, tags TEXT NOT NULL,
        at INTEGER NOT NULL, seq INTEGER NOT NULL, sum INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE sources(
        path TEXT PRIMARY KEY, place INTEGER NOT NULL,
        at INTEGER NOT NULL, seq INTEGER NOT NULL, sum INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE settings(
        name TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE checks(
        address TEXT PRIMARY KEY, outcome TEXT NOT NULL, checked_at INTEGER NOT NULL,
        status INTEGER NOT NULL, target TEXT NOT NULL, reason TEXT NOT NULL,
        elapsed_ms INTEGER NOT NULL, first_dead INTEGER NOT NULL, last_alive INTEGER NOT NULL,
        seq INTEGER NOT NULL, sum INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE check_history(
        address TEXT NOT NULL, checked_at INTEGER NOT NULL, outcome TEXT NOT NULL,
        status INTEGER NOT NULL, target TEXT NOT NULL, reason TEXT NOT NULL,
        elapsed_ms INTEGER NOT NULL, sum INTEGER NOT NULL,
        PRIMARY KEY(address, checked_at)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE searches(
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, query TEXT NOT NULL, place INTEGER NOT NULL,
        at INTEGER NOT NULL, seq INTEGER NOT NULL, sum INTEGER NOT NULL
    );
    CREATE TABLE rules(
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, query TEXT NOT NULL, action TEXT NOT NULL,
        enabled INTEGER NOT NULL, place INTEGER NOT NULL,
        at INTEGER NOT NULL, seq INTEGER NOT NULL, sum INTEGER NOT NULL
    );
    CREATE TABLE story_edits(
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, other TEXT NOT NULL,
        at INTEGER NOT NULL, seq INTEGER NOT NULL, sum INTEGER NOT NULL
    );
    CREATE TABLE story_seen(
        story TEXT PRIMARY KEY, keys TEXT NOT NULL, sum INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE headlines(
        key TEXT NOT NULL, seen_at INTEGER NOT NULL, title TEXT NOT NULL, excerpt TEXT NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY(key, seen_at)
    ) WITHOUT ROWID;
    """,
)
"""Each runs in one transaction. Only ever add to the end of it."""


def version(db: sqlite3.Connection) -> int:
    """The version of the tables in *db*; 0 for an empty file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def get_meta(db: sqlite3.Connection, name: str, default: str = "0") -> str:
    """A value of ``meta``."""
    row = db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
    return default if row is None else str(row[0])


def put_meta(db: sqlite3.Connection, values: Mapping[str, str | int]) -> None:
    """Write values of ``meta``."""
    META.put(db, ((name, str(value)) for name, value in values.items()))


def migrate(db: sqlite3.Connection, to: int | None = None) -> None:
    """Bring the tables of *db* to version *to* (the newest), one transaction a step.

    Raises:
        StoreNewer: they are beyond that.
    """
    wanted = len(MIGRATIONS) if to is None else to
    if wanted > len(MIGRATIONS):
        raise StoreNewer(NEWER)
    while True:
        with sqlite.write(db):
            # Read inside the transaction: another process may be doing the same.
            now = version(db)
            if now > wanted:
                raise StoreNewer(NEWER)
            if now == wanted:
                return
            sqlite.run_script(db, MIGRATIONS[now])
            if now == 0:
                db.execute(f"PRAGMA application_id={APPLICATION_ID}")
                put_meta(db, {"id": os.urandom(16).hex(), "seq": 0})
            put_meta(db, {"version": now + 1})
            db.execute(f"PRAGMA user_version={now + 1}")


def shape(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Every table and index as it was declared."""
    query = "SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name"
    return [(str(kind), str(name), str(sql)) for kind, name, sql in db.execute(query)]


def expected_shape(of_version: int) -> list[tuple[str, str, str]]:
    """What :func:`shape` says of an undamaged file of that version."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(db, of_version)
        return shape(db)
    finally:
        db.close()
