"""How both databases are opened, written and spoken of when they fail.

Transactions are begun by hand (:func:`write`, always IMMEDIATE: of plain
``BEGIN`` under eight writers nearly all failed, of these none). Errors of
:mod:`sqlite3` become our own (:func:`errors`), so that nobody outside the
store has to know it.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import sys
import time
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

from reader.errors import StoreBusy, StoreDamaged, StoreError, StoreReadOnly

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a statement waits for another process before it is refused."""

CACHE_KB, WRITERS_CACHE_KB = 1_200, 2_000
"""What a connection keeps of its file. The system keeps all of it anyway: for reading, less is as fast."""

_PASSING_CACHE_KB: Final = 200
_CHUNK: Final = 500  # bound variables in one statement

SIDE_FILES: Final = ("-wal", "-shm")
"""What SQLite keeps beside a database, by the end of its name."""


class Connection(sqlite3.Connection):
    """A connection that knows its file, for messages and for :func:`check_in_place`; plans: ``planning``."""

    path: Path
    identity: tuple[int, int] | None = None
    plans: dict[Hashable, Any]
    plans_of: tuple[int, int] | None = None


def connect(
    path: Path,
    *,
    synchronous: Literal["FULL", "NORMAL"] = "FULL",
    busy_seconds: float | None = None,
    page_size: int | None = None,
) -> Connection:
    """Open *path* for reading and writing, making the file when it is not there (*page_size* in bytes).

    WAL, no implicit transactions, usable from any thread (one at a time).

    Raises:
        StoreBusy, StoreReadOnly, StoreDamaged, StoreError
    """
    if busy_seconds is None:
        busy_seconds = BUSY_SECONDS
    with errors(path):
        db = sqlite3.connect(
            path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, factory=Connection
        )
        db.path = path
        try:
            if page_size is not None:
                db.execute(f"PRAGMA page_size={page_size}")  # does nothing to a file that has pages
            _prepare(db, synchronous, busy_seconds)
        except BaseException:
            db.close()
            raise
    return db


def connect_read_only(path: Path, *, immutable: bool = False) -> Connection:
    """Open *path* for reading only. *immutable*: the caller knows that nobody writes it.

    Raises:
        StoreBusy, StoreReadOnly (it cannot be opened like this), StoreDamaged, StoreError
    """
    mode = "mode=ro&immutable=1" if immutable else "mode=ro"
    with errors(path):
        db = sqlite3.connect(
            f"file:{quote(str(path).encode(errors='surrogateescape'))}?{mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        db.path = path
        try:
            db.execute("PRAGMA query_only=ON")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            db.close()
            raise
        db.identity = file_identity(path)
    return db


def _prepare(db: Connection, synchronous: str, busy_seconds: float) -> None:
    # Two processes turning one new file into WAL can meet a deadlock that
    # SQLite reports at once instead of waiting: wait here.
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise StoreReadOnly(f"{db.path} cannot be written: its folder takes no write-ahead log.")
    db.execute(f"PRAGMA synchronous={synchronous}")
    db.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    db.execute("PRAGMA trusted_schema=OFF")
    db.execute("PRAGMA cell_size_check=ON")
    if sys.platform == "darwin":
        # Apple's fsync leaves data in the drive's cache; only F_FULLFSYNC does not.
        full = "ON" if synchronous == "FULL" else "OFF"
        db.execute(f"PRAGMA fullfsync={full}")
        db.execute(f"PRAGMA checkpoint_fullfsync={full}")
    db.identity = file_identity(db.path)


def file_identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of *path*, or None when it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def check_in_place(db: Connection) -> None:
    """Raise StoreDamaged when the open file is no longer the one at its path.

    SQLite itself writes happily into an unlinked file; everything would be
    lost at closing.
    """
    if file_identity(db.path) != db.identity:
        raise StoreDamaged(f"{db.path} was removed or replaced while it was open.")


@contextlib.contextmanager
def write(db: sqlite3.Connection) -> Iterator[None]:
    """One IMMEDIATE transaction: committed at the end, rolled back on any exception.

    Raises:
        StoreBusy (another process held the file for five seconds),
        StoreReadOnly, StoreDamaged, StoreError; nothing was changed then.
    """
    with errors(db):
        _begin(db)
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            # Some errors have rolled back already; a damaged file may not even do that.
            if db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise


def _begin(db: sqlite3.Connection) -> None:
    # SQLite's own waiting backs off to ten tries a second, and starves beside
    # a process that writes without pause: the file is free for moments only.
    deadline = time.monotonic() + BUSY_SECONDS
    waits = int(db.execute("PRAGMA busy_timeout").fetchone()[0])
    db.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(random.uniform(0.001, 0.006))  # noqa: S311 - only so that waiters do not march in step
    finally:
        db.execute(f"PRAGMA busy_timeout={waits}")


@contextlib.contextmanager
def read(db: sqlite3.Connection) -> Iterator[None]:
    """One consistent view for several queries. Raises as :func:`write` does."""
    with errors(db):
        db.execute("BEGIN")
        try:
            yield
        finally:
            if db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")


@contextlib.contextmanager
def in_passing(db: sqlite3.Connection) -> Iterator[None]:
    """Keep no more of the file than a walk needs, until the end: what is met once is not worth its room."""
    (kept,) = db.execute("PRAGMA cache_size").fetchone()
    db.execute(f"PRAGMA cache_size=-{_PASSING_CACHE_KB}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA cache_size={kept}")


def run_script(db: sqlite3.Connection, script: str) -> None:
    """Run every statement of *script* inside the transaction that is open.

    (``executescript`` would commit it first.) Statements may hold ``;`` within
    triggers and strings.
    """
    statement = ""
    for line in script.splitlines(keepends=True):
        # Several short statements may share a line.
        for piece in line.replace(";", ";\0").split("\0"):
            statement += piece
            if statement.strip() and sqlite3.complete_statement(statement):
                db.execute(statement)
                statement = ""
    if statement.strip():
        db.execute(statement)


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """*values* in lists that fit one statement."""
    chunk: list[T] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def marks_for(chunk: Sequence[object]) -> str:
    """As many question marks as *chunk* has values."""
    return ",".join("?" * len(chunk))


def bind(text: str) -> str | bytes:
    """*text* as SQLite can hold it: strings with lone surrogates (odd file names) as bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def unbind(value: str | bytes) -> str:
    """The text that :func:`bind` was given. Raises StoreDamaged when it cannot be that."""
    if isinstance(value, str):
        return value
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise StoreDamaged("The database is damaged: it holds text that is not UTF-8.") from None


@contextlib.contextmanager
def errors(where: sqlite3.Connection | Path) -> Iterator[None]:
    """Turn every :class:`sqlite3.Error` inside into one of our StoreErrors."""
    path = where if isinstance(where, Path) else getattr(where, "path", None)
    try:
        yield
    except UnicodeDecodeError as error:
        # What the module raises when SQLite's message quotes a damaged name.
        raise StoreDamaged(
            f"{path or 'The database'} is damaged: it holds text that is not UTF-8."
        ) from error
    except sqlite3.Error as error:
        raise translated(error, path) from error


def _code(error: sqlite3.Error) -> int:
    """The primary result code, 0 when the error is not SQLite's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


_READ_FAULTS: Final = {
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_FSTAT,
    sqlite3.SQLITE_IOERR_ACCESS,
    sqlite3.SQLITE_IOERR_NOMEM,
}
_DAMAGE_FAULTS: Final = {
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
    sqlite3.SQLITE_READONLY_DBMOVED,
}


def translated(error: sqlite3.Error, path: Path | None = None) -> StoreError:
    """The StoreError that says what *error* means for the reader."""
    name = str(path) if path else "The database"
    extended = int(getattr(error, "sqlite_errorcode", 0))
    code = extended & 0xFF
    said = str(error)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or extended in _DAMAGE_FAULTS:
        return StoreDamaged(f"{name} is damaged: {said}.")
    if code == sqlite3.SQLITE_ERROR and ("unsupported file format" in said or "malformed" in said):
        return StoreDamaged(f"{name} is damaged: {said}.")
    if code == 0 and "decode" in said:  # raised by the Python module while reading text
        return StoreDamaged(f"{name} is damaged: it holds text that is not UTF-8.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return StoreBusy(f"{name} is in use by another program; try again.")
    if code == sqlite3.SQLITE_FULL:
        return StoreReadOnly(f"{name} cannot be written: the disk is full.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreReadOnly(f"{name} cannot be written: {said}.")
    if code == sqlite3.SQLITE_IOERR and extended not in _READ_FAULTS:
        return StoreReadOnly(f"{name} cannot be written: {said}.")
    return StoreError(f"{name}: {said}.")
