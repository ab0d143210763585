"""Whether a ``state.db`` is what was written, from its bytes up to its totals."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from reader.errors import StoreDamaged, StoreError, StoreNewer
from reader.store import sqlite, state_schema
from reader.store.state_table import Table

BLANK: Final = "it holds nothing"
"""The fault of a file whose making was cut off."""

_MAGIC: Final = b"SQLite format 3\0"


def header_fault(path: Path) -> str:
    """What is wrong with the first bytes of the file, or empty.

    A flipped bit here can make SQLite take the file for a read-only one.
    Not to be called while this process has the file open: closing it would
    drop SQLite's locks.
    """
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return ""  # connecting will say it better
    if not head:
        return ""
    if len(head) < 100 or not head.startswith(_MAGIC):
        return "it is not a SQLite file"
    if head[18] not in (1, 2) or head[19] not in (1, 2) or head[21:24] != b"\x40\x20\x20":
        return "its header is not one that SQLite writes"
    return ""


def faults(db: sqlite3.Connection, *, whole: bool) -> list[str]:
    """Everything found wrong with the state in *db*, each in a few words.

    Not *whole*: schema, and every row, count and total of the kept tables
    (marks, sources, searches, stories). *whole*: every row of every table and
    SQLite's ``integrity_check`` too.

    Raises:
        StoreNewer: it is of a newer newsfold.
        StoreError: it is a sound database of some other program; or busy.
    """
    try:
        with sqlite.read(db):
            return _identity_faults(db) or _content_faults(db, whole=whole)
    except StoreDamaged as error:
        return [brief(error)]


def brief(error: StoreDamaged) -> str:
    """What SQLite found, without the path that :class:`StoreDamaged` names."""
    return f"SQLite says: {error.__cause__}" if error.__cause__ else str(error)


def _identity_faults(db: sqlite3.Connection) -> list[str]:
    names = {name for kind, name, _ in state_schema.shape(db) if kind == "table"}
    identity = int(db.execute("PRAGMA application_id").fetchone()[0])
    if not names and not identity:
        return [BLANK]
    if not {"meta", "marks"} <= names:
        if identity == state_schema.APPLICATION_ID:
            return ["its tables are gone"]
        name = getattr(db, "path", "This")
        raise StoreError(f"{name} is another program's database.")
    if identity != state_schema.APPLICATION_ID:
        return ["its header does not say whose it is"]
    stated = state_schema.get_meta(db, "version", "")
    version = state_schema.version(db)
    if stated != str(version):
        return ["its header and content speak of different versions"]
    if version > len(state_schema.MIGRATIONS):
        raise StoreNewer(state_schema.NEWER)
    if state_schema.shape(db) != state_schema.expected_shape(version):
        return ["its tables are not declared as they were"]
    return []


def _content_faults(db: sqlite3.Connection, *, whole: bool) -> list[str]:
    found = []
    version = state_schema.version(db)
    if whole:
        said = [str(row[0]) for row in db.execute("PRAGMA integrity_check(10)")]
        if said != ["ok"]:
            found.append(f"SQLite finds: {said[0]}")
    newest = 0
    for table in state_schema.TABLES:
        if table.since > version or not (whole or table.kept or table is state_schema.META):
            continue
        found += _table_faults(db, table)
        if table.kept:
            newest = max(newest, db.execute(f"SELECT coalesce(max(seq), 0) FROM {table.name}").fetchone()[0])
    if not found and newest > int(state_schema.get_meta(db, "seq")):
        found.append("its newest change is not counted")
    return found


def _table_faults(db: sqlite3.Connection, table: Table) -> list[str]:
    count, total, bad = table.scan(db)
    if bad:
        return [f"{bad} of {count} rows of {table.name} are not what was written"]
    if table.kept:
        expected = state_schema.get_meta(db, f"count:{table.name}")
        if expected != str(count):
            return [f"{table.name} holds {count} rows instead of {expected}"]
        if state_schema.get_meta(db, f"total:{table.name}") != str(total):
            return [f"rows of {table.name} are not the ones that were written"]
    return []
