"""Bringing the marks back: newest sound backup, the journal after it, what the damaged file still gives.

Nothing here changes or removes a damaged file; it is renamed, and read from a copy.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from reader.errors import StoreDamaged, StoreError, StoreReadOnly
from reader.store import sqlite, state_check, state_schema
from reader.store.backup import Backup, Safety, stamp
from reader.store.journal import Record, sync, sync_folder
from reader.store.state_core import Edit, store
from reader.store.state_schema import CHECKS, SETTINGS
from reader.store.state_table import Row, Table, Value
from reader.values import dataclass

_SALVAGE_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A state put together again, in memory; ``whole``: the journal had no gap."""

    db: sqlite.Connection
    base: Backup | None
    whole: bool
    salvaged: int = 0

    def count(self) -> int:
        """Marks in it."""
        return int(self.db.execute("SELECT count(*) FROM marks").fetchone()[0])


def memory(path: Path) -> sqlite.Connection:
    """An empty database in memory that stands for the one at *path*."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=sqlite.Connection)
    db.path = path
    return db


def loaded(source: Path, name: Path) -> sqlite.Connection:
    """The database at *source* in memory, whatever may or may not be written beside it.

    Raises:
        StoreDamaged, StoreError
    """
    db = memory(name)
    try:
        with sqlite.errors(source), _readable(source) as live:
            live.backup(db)
    except BaseException:
        db.close()
        raise
    return db


@contextlib.contextmanager
def _readable(source: Path) -> Iterator[sqlite.Connection]:
    """A connection to read *source* by; where SQLite cannot lock or log beside it, to a copy."""
    wal = source.with_name(source.name + "-wal")
    try:
        db = sqlite.connect_read_only(source)
    except StoreReadOnly:
        if not wal.exists() or not wal.stat().st_size:
            db = sqlite.connect_read_only(source, immutable=True)
        else:
            with _copied(source) as copy:
                db = sqlite.connect(copy)
                try:
                    yield db
                finally:
                    db.close()
            return
    try:
        yield db
    finally:
        db.close()


@contextlib.contextmanager
def _copied(source: Path) -> Iterator[Path]:
    """A copy of a database with its log, for as long as the block runs."""
    try:
        with tempfile.TemporaryDirectory(prefix="newsfold-") as folder:
            copy = Path(folder) / "copy.db"
            shutil.copyfile(source, copy)
            wal = source.with_name(source.name + "-wal")
            if wal.exists():
                shutil.copyfile(wal, copy.with_name("copy.db-wal"))
            yield copy
    except OSError as error:
        raise StoreError(f"{source} cannot be read: {error.strerror}.") from error


def apply(db: sqlite.Connection, record: Record) -> None:
    """Do what one line of the journal says. Inside a transaction."""
    edits: list[Edit] = []
    for table in state_schema.TABLES:
        put = record.put.get(table.name, [])
        gone = record.gone.get(table.name, [])
        stored = table.fetch(db, [row[0] for row in put] + gone)
        edits += (Edit(table, row[0], stored.get(row[0]), None, row) for row in put)
        edits += (Edit(table, key, stored.get(key), None, None) for key in gone if key in stored)
    store(db, edits, record)


def replay(db: sqlite.Connection, safety: Safety, until: int | None = None) -> bool:
    """Apply every change of the journal that *db* does not have; whether none was missing between.

    Raises:
        StoreNewer: the journal is of a newer newsfold.
        StoreBusy, StoreReadOnly, StoreDamaged, StoreError
    """
    with sqlite.errors(db):
        state_id = state_schema.get_meta(db, "id", "")
        newest = max(
            (part.version for part in map(safety.journal.segment, safety.journal.files()) if part), default=0
        )
        if newest > state_schema.version(db):
            state_schema.migrate(db, newest)
    with sqlite.write(db):
        current = int(state_schema.get_meta(db, "seq"))
        records, whole = _chain(safety, state_id, current)
        for record in reversed(records):
            if until is None or record.seq <= until:
                apply(db, record)
    return whole


def cut_off(db: sqlite.Connection, safety: Safety) -> bool:
    """Whether *db* is older than what the journal can bring it forward from: it takes a backup, too."""
    with sqlite.errors(db):
        state_id = state_schema.get_meta(db, "id", "")
        current = int(state_schema.get_meta(db, "seq"))
    last = safety.journal.last()
    if last is None or last[0] != state_id or last[1] <= current:
        return False
    return not _chain(safety, state_id, current)[1]


def _chain(safety: Safety, state_id: str, current: int) -> tuple[list[Record], bool]:
    """The changes after *current*, newest first, and whether they follow on it without a gap.

    Read from the end: each change names the one before it, so a line whose
    commit never happened, and whose number was given again, is left out.
    """
    records: list[Record] = []
    expected: int | None = None
    whole = True
    for path in reversed(safety.journal.files()):
        segment = safety.journal.segment(path)
        if segment is not None and segment.id != state_id:
            continue
        lines = list(safety.journal.read(path))
        if expected is None and lines and lines[-1] is None:
            whole = False  # the newest change of all may be lost
        for record in reversed(lines):
            if record is None or (expected is not None and record.seq > expected):
                continue
            if record.seq <= current:
                return records, whole and expected in (None, record.seq, current)
            whole = whole and expected in (None, record.seq)
            records.append(record)
            expected = record.prev
        if segment is not None:
            whole = whole and (expected is None or expected == segment.prev)
            expected = segment.prev if expected is None else min(expected, segment.prev)
        if expected is not None and expected <= current:
            break
    return records, whole and (expected is None or expected <= current)


def rebuild(safety: Safety, damaged: Path | None, until: int | None = None) -> Rebuilt:
    """Put the state together from backup and journal, and add what *damaged* still gives.

    *until*: leave out changes after that number. Raises StoreNewer, StoreReadOnly, StoreError.
    """
    db, base = _base(safety, until)
    try:
        whole = replay(db, safety, until)
        salvaged = 0
        if base is None and not _from_the_beginning(safety):
            whole = False
        if damaged is not None:
            salvaged = _salvage(db, damaged, whole=whole)
        state_schema.migrate(db)
        if not whole:
            # Numbers that were given before must not be given again for something else.
            with sqlite.write(db):
                seq = int(state_schema.get_meta(db, "seq")) + 1_000_000
                lossy = int(state_schema.get_meta(db, "losses")) + 1
                state_schema.put_meta(db, {"seq": seq, "losses": lossy})
    except BaseException:
        db.close()
        raise
    return Rebuilt(db, base, whole, salvaged)


def _base(safety: Safety, until: int | None) -> tuple[sqlite.Connection, Backup | None]:
    """The newest sound backup in memory, or an empty state that continues the journal's."""
    last = safety.journal.last()
    for backup in safety.backups():
        if (until is not None and backup.seq > until) or not backup.sound():
            continue
        with contextlib.suppress(StoreDamaged, StoreReadOnly):
            db = loaded(backup.path, safety.path)
            if not state_check.faults(db, whole=True) and (
                last is None or last[0] == state_schema.get_meta(db, "id")
            ):
                return db, backup
            db.close()
    db = memory(safety.path)
    segments = [safety.journal.segment(path) for path in safety.journal.files()]
    known = [segment for segment in segments if segment is not None]
    state_schema.migrate(db, known[0].version if known else None)
    if known:
        with sqlite.write(db):
            state_schema.put_meta(db, {"id": known[-1].id})
    return db, None


def _from_the_beginning(safety: Safety) -> bool:
    files = safety.journal.files()
    first = safety.journal.segment(files[0]) if files else None
    return first is not None and first.prev == 0


def _salvage(db: sqlite.Connection, damaged: Path, *, whole: bool) -> int:
    """Add to *db* the sound rows of a damaged file that are newer than its own; how many.

    *whole*: nothing is missing in *db* up to its newest change.
    """
    added = 0
    with contextlib.suppress(StoreError), _copied(damaged) as copy:
        source = sqlite.connect(copy)
        try:
            deadline = time.monotonic() + _SALVAGE_SECONDS
            source.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
            for table in state_schema.TABLES:
                if table is state_schema.META or table.since > state_schema.version(db):
                    continue
                with contextlib.suppress(StoreError):
                    added += _salvage_table(db, source, table, whole=whole)
        finally:
            with contextlib.suppress(sqlite3.Error):
                source.close()
    return added


def _salvage_table(db: sqlite.Connection, source: sqlite.Connection, table: Table, *, whole: bool) -> int:
    rows: list[Row] = []
    # What was read before the damage stopped it still counts.
    with contextlib.suppress(StoreError), sqlite.errors(source):
        rows.extend(table.sound_rows(source))
    if not table.kept:
        if table is CHECKS:
            known = table.fetch(db, (row[0] for row in rows))
            rows = [row for row in rows if row[0] not in known or int(known[row[0]][2]) < int(row[2])]
        with sqlite.write(db):
            table.put(db, rows)
            if table is CHECKS:
                newest = max([int(state_schema.get_meta(db, "checks_seq")), *(int(row[-1]) for row in rows)])
                state_schema.put_meta(db, {"checks_seq": newest})
        return len(rows) if table is not SETTINGS else 0
    with sqlite.errors(db):
        seq = int(state_schema.get_meta(db, "seq"))
        known = {} if whole else table.fetch(db, (row[0] for row in rows))
    newer: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        # The journal is always ahead of the file: a newer row means that the journal's end is lost.
        if int(row[-1]) > seq or not (whole or (row[0] in known and int(known[row[0]][-2]) >= int(row[-1]))):
            newer.setdefault((int(row[-1]), int(row[-2])), []).append(row[: len(table.columns)])
    for (number, at), some in sorted(newer.items()):
        with sqlite.write(db):
            before = int(state_schema.get_meta(db, "seq"))
            apply(db, Record(number, before, at, {table.name: some}))
            state_schema.put_meta(db, {"seq": max(number, before)})
    return sum(map(len, newer.values()))


def quarantine(path: Path, now: datetime) -> Path:
    """Rename the file at *path* and SQLite's files beside it; where it lies now. Raises StoreReadOnly.

    A connection to it may be open: SQLite notices the move, and neither
    writes into the file nor removes its log when that is closed.
    """
    to = path.with_name(f"{path.name}.damaged-{stamp(now)}")
    if any(to.with_name(to.name + end).exists() for end in ("", *sqlite.SIDE_FILES)):
        to = to.with_name(f"{to.name}-{os.urandom(3).hex()}")
    try:
        for end in ("", *sqlite.SIDE_FILES):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + end).rename(to.with_name(to.name + end))
        sync_folder(path.parent)
    except OSError as error:
        raise StoreReadOnly(f"{path} cannot be put aside: {error.strerror}.") from error
    return to


def written(db: sqlite.Connection, path: Path) -> Path:
    """Write *db* whole to a new file beside *path*, to be renamed to it. Raises StoreReadOnly, StoreError."""
    aside = path.with_name(f"{path.name}.new-{os.urandom(4).hex()}")
    try:
        with sqlite.errors(aside):
            file = sqlite3.connect(aside, isolation_level=None)
            try:
                db.backup(file)
            finally:
                file.close()
        aside.chmod(0o600)
        with aside.open("rb+") as handle:
            sync(handle.fileno())
    except (OSError, StoreError) as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        if isinstance(error, StoreError):
            raise
        raise StoreReadOnly(f"{path} cannot be written: {error.strerror}.") from error
    return aside


def rows_of(db: sqlite.Connection) -> Iterator[tuple[str, dict[Value, Row]]]:
    """Every kept table with its rows, for comparing two states."""
    for table in state_schema.TABLES:
        if table.kept:
            with sqlite.errors(db):
                yield table.name, {row[0]: row for row in table.rows(db.execute(table.select))}
