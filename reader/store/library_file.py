"""Opening, building and rebuilding ``library.db``.

Nothing here is ever the only copy of anything, so what is damaged or of
another version is thrown away; but never what is only busy or unwritable.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reader.errors import StoreBusy, StoreDamaged, StoreError, StoreReadOnly
from reader.store import library_schema as schema
from reader.store import search_sql, sqlite
from reader.store.names import Names

_NEEDED = (
    "meta", "folder", "article", "mention", "listed", "section", "placing", "problem", "fts", "body",
    "arrived", "remark", "story", "piece", "telling", "alias", "unfolded", "overrule",
)  # fmt: skip


_PAGE = 8_192  # bytes: of the usual half a first load of 50,000 files takes an eighth longer to write


class LibraryFile:
    """One index, and a connection to it for every thread that asks."""

    def __init__(self, path: Path) -> None:
        """Open or create the index at *path*; a damaged or older one is rebuilt empty.

        Raises:
            StoreError: when no database can be made there.
        """
        self.path = path
        self.rebuilt = False
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._era = 0
        self._names: dict[tuple[str, int], Names] = {}
        self._identity: tuple[int, int] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreReadOnly(f"{path.parent} cannot be made: {error.strerror}.") from error
        if not self._usable():
            with self._building():
                if not self._usable():
                    self.rebuilt = path.exists()
                    self._build()
        self._identity = sqlite.file_identity(path)

    @property
    def _mark(self) -> Path:
        """Beside an index in doubt."""
        return self.path.with_name(self.path.name + ".doubted")

    def doubt(self, error: StoreError) -> bool:
        """Have whoever opens the index next begin it anew, if *error* tells of damage; whether it does."""
        words = str(error)
        ours = isinstance(error, StoreDamaged) and (str(self.path) in words or "library index" in words)
        if ours:
            with contextlib.suppress(OSError):
                self._mark.touch()
        return ours

    def _usable(self) -> bool:
        if not self.path.exists() or self._mark.exists():
            return False
        try:
            with sqlite.errors(self.path):
                version = self.db.execute("PRAGMA user_version").fetchone()[0]
                identity = self.db.execute("PRAGMA application_id").fetchone()[0]
                if (version, identity) != (schema.VERSION, schema.APPLICATION_ID):
                    return False
                for table in _NEEDED:  # the schema, and a page of each
                    self.db.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
            return True
        except (StoreBusy, StoreReadOnly):
            raise
        except StoreError:
            return False

    @contextlib.contextmanager
    def _building(self) -> Iterator[None]:
        """Let one process at a time look whether there is something to build, and build it."""
        try:
            file = self.path.with_name(self.path.name + ".lock").open("ab")
        except OSError as error:
            raise StoreReadOnly(f"{self.path} cannot be written: {error.strerror}.") from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _build(self) -> None:
        self._forget_connections()
        try:
            for suffix in (*sqlite.SIDE_FILES, ""):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._mark.unlink(missing_ok=True)
        except OSError as error:
            raise StoreReadOnly(f"{self.path} cannot be replaced: {error.strerror}.") from error
        with sqlite.write(self.db):
            sqlite.run_script(self.db, schema.TABLES + schema.INDEXES)
            self.db.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
            self.db.execute(f"PRAGMA user_version={schema.VERSION}")

    @property
    def db(self) -> sqlite.Connection:
        """This thread's connection."""
        db: sqlite.Connection | None = getattr(self._local, "db", None)
        if db is None or self._local.era != self._era:
            self._drop_own()
            era = self._era
            db = sqlite.connect(self.path, synchronous="NORMAL", page_size=_PAGE)
            db.create_function("holds", -1, _holds, deterministic=True)
            search_sql.register(db)
            self._local.db, self._local.era = db, era
            with self._lock:
                self._connections.append(db)
        return db

    def write_much(self) -> None:
        """Let this thread's connection keep as much as one that writes thousands of rows has a use for."""
        self._one(f"PRAGMA cache_size=-{sqlite.WRITERS_CACHE_KB}")

    def _forget_connections(self) -> None:
        """Make every thread open anew; each closes its own, as it may be in the middle of a query."""
        self._era += 1
        self._names.clear()
        self._drop_own()

    def _drop_own(self) -> None:
        db: sqlite.Connection | None = getattr(self._local, "db", None)
        if db is not None:
            self._local.db = None
            with self._lock:
                self._connections.remove(db)
            with contextlib.suppress(sqlite3.Error):
                db.close()

    def rest(self) -> None:
        """Close this thread's connection until it asks for something again."""
        self._drop_own()

    def close(self) -> None:
        """Close every thread's connection, none of which may be in use."""
        with self._lock:
            for db in self._connections:
                with contextlib.suppress(sqlite3.Error):
                    db.close()
            self._connections.clear()
        self._local = threading.local()

    def rebuild(self) -> None:
        """Throw the index away and begin an empty one; one that another process began meanwhile is taken.

        Raises:
            StoreError: when no database can be made there.
        """
        held: sqlite.Connection | None = getattr(self._local, "db", None)
        ours = held.identity if held else sqlite.file_identity(self.path)
        self._forget_connections()
        with self._building():
            if sqlite.file_identity(self.path) == ours or not self._usable():
                self._build()
        self._identity = sqlite.file_identity(self.path)
        self.rebuilt = True

    def follow(self) -> None:
        """Go over to the index that another process has begun in the place of this one, if it has.

        Raises:
            StoreError: it cannot be opened.
        """
        now = sqlite.file_identity(self.path)
        if now is None or now == self._identity:
            return
        with self._building():  # not before it is whole
            self._identity = sqlite.file_identity(self.path)
            self._forget_connections()

    def _all(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        with sqlite.errors(self.path):
            return self.db.execute(query, values).fetchall()

    def _one(self, query: str, values: Sequence[object] = ()) -> Any:
        with sqlite.errors(self.path):
            return self.db.execute(query, values).fetchone()

    def meta(self, name: str) -> int:
        """A number kept under *name*, 0 where there is none."""
        row = self._one("SELECT value FROM meta WHERE name = ?", (name,))
        return int(row[0]) if row else 0

    def check(self) -> None:
        """Look through the whole file.

        Raises:
            StoreDamaged: with SQLite's first complaint.
        """
        answer = self._one("PRAGMA quick_check(1)")[0]
        if answer != "ok":
            raise StoreDamaged(f"the library index is damaged: {answer}")


def _holds(word: str, *texts: str) -> bool:
    """Whether *word*, case folded, stands in one of *texts*: what LIKE does for ASCII alone."""
    return any(word in text.casefold() for text in texts)
