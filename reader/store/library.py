"""``library.db``: a disposable index of the files, rebuilt on any doubt.

One :class:`Library` may be shared by threads: each gets a connection of its
own. Nothing here is ever the only copy of anything.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reader.errors import NotFound, StoreDamaged, StoreError
from reader.model import Outcome
from reader.store import library_schema as schema
from reader.store import sqlite
from reader.store.rows import (
    BROKEN_OUTCOMES,
    EVERYTHING,
    VIEWS,
    ArticleRow,
    CoverageRow,
    Place,
    PlaceKind,
    PlaceRow,
    ProblemRow,
    Sort,
)

_ROW = (
    "id, path, key, title, outlet, published, type, quality, heat, front, coverage, flags, read, starred,"
    " link, url, excerpt"
)
_ORDER = {
    Sort.NEWEST: "article DESC",
    Sort.OLDEST: "article",
    Sort.HEAT: "heat IS NULL, heat DESC, article DESC",
    Sort.QUALITY: "quality IS NULL, quality DESC, article DESC",
    Sort.COVERAGE: "coverage DESC, article DESC",
}
_SECTION_KINDS = {PlaceKind.ALL, PlaceKind.UNREAD, PlaceKind.UNPUBLISHED, PlaceKind.TOPIC, PlaceKind.OUTLET}
_CHUNK = 500  # bound variables in one statement


class Library:
    """The index of one set of sources."""

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
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self._usable():
            self.rebuilt = path.exists()
            self._build()

    def _usable(self) -> bool:
        if not self.path.exists():
            return False
        try:
            db = self.db
            version = db.execute("PRAGMA user_version").fetchone()[0]
            identity = db.execute("PRAGMA application_id").fetchone()[0]
            if (version, identity) != (schema.VERSION, schema.APPLICATION_ID):
                return False
            # Reads the schema and one page of each table that every start needs.
            db.execute("SELECT * FROM section LIMIT 1").fetchone()
            db.execute("SELECT * FROM article LIMIT 1").fetchone()
            return True
        except (StoreError, sqlite3.DatabaseError):
            return False

    def _build(self) -> None:
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        db = self.db
        with sqlite.write(db):
            for statement in schema.TABLES.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
            db.execute(f"PRAGMA user_version={schema.VERSION}")
        with sqlite.write(db):
            sqlite.run_script(db, schema.INDEXES)

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite.connect(self.path, synchronous="NORMAL")
            self._local.db = db
            with self._lock:
                self._connections.append(db)
        return db

    def close(self) -> None:
        """Close every thread's connection; the library can be used again afterwards."""
        with self._lock:
            for db in self._connections:
                with contextlib.suppress(sqlite3.Error):
                    db.close()
            self._connections.clear()
        self._local = threading.local()

    def rebuild(self) -> None:
        """Throw the index away and begin an empty one."""
        self._build()
        self.rebuilt = True

    # -- places -----------------------------------------------------------

    def places(self, today: int) -> list[PlaceRow]:
        """Views, then topics, then outlets (most articles first), with their counters.

        *today* is the epoch second at which the reader's day began.
        """
        sections = {
            (kind, name): (total, unread)
            for kind, name, total, unread in self.db.execute(
                "SELECT kind, name, total, unread FROM section WHERE total > 0"
            )
        }
        everything = sections.get(("all", ""), (0, 0))
        counts = {
            PlaceKind.ALL: everything,
            PlaceKind.UNREAD: (everything[1], everything[1]),
            PlaceKind.UNPUBLISHED: sections.get(("unpublished", ""), (0, 0)),
            PlaceKind.STARRED: self._count("article", "starred AND NOT hidden"),
            PlaceKind.BROKEN: self._count(
                "article", f"link IN ({','.join('?' * len(BROKEN_OUTCOMES))}) AND NOT hidden", BROKEN_OUTCOMES
            ),
            PlaceKind.TODAY: self._count("article", "id >= ? AND NOT hidden", (schema.date_key(today),)),
        }
        rows = [PlaceRow(Place(kind), *counts[kind]) for kind in VIEWS]
        for kind in (PlaceKind.TOPIC, PlaceKind.OUTLET):
            group = [
                PlaceRow(Place(kind, name), total, unread)
                for (k, name), (total, unread) in sections.items()
                if k == kind.value
            ]
            rows.extend(sorted(group, key=lambda r: (-r.total, r.place.name.casefold())))
        return rows

    def _count(self, table: str, where: str, values: Sequence[object] = ()) -> tuple[int, int]:
        row = self.db.execute(
            f"SELECT count(*), coalesce(sum(NOT read), 0) FROM {table} WHERE {where}",
            tuple(values),
        ).fetchone()
        return row[0], row[1]

    def ids(
        self,
        place: Place = EVERYTHING,
        sort: Sort = Sort.NEWEST,
        *,
        today: int = 0,
        narrow: str = "",
    ) -> array[int]:
        """The rowids of the articles in *place*, in order: what a list holds.

        ``narrow`` keeps those in whose title, outlet or excerpt every one of
        its words stands, whatever their case.
        """
        source, values = self._source(place, today)
        order = _ORDER.get(sort, "")
        where, more = self._narrow(narrow)
        if where or sort is Sort.OUTLET:
            if sort is Sort.OUTLET:
                order = "a.outlet = '', a.outlet COLLATE NOCASE, p.article DESC"
            else:
                order = order.replace("article", "p.article").replace("heat", "p.heat")
                order = order.replace("quality", "p.quality").replace("coverage", "p.coverage")
            query = (
                f"SELECT p.article FROM ({source}) p JOIN article a ON a.id = p.article"
                f"{' WHERE ' + where if where else ''} ORDER BY {order}"
            )
        else:
            query = f"SELECT article FROM ({source}) ORDER BY {order}"
        return array("q", (row[0] for row in self.db.execute(query, (*values, *more))))

    @staticmethod
    def _source(place: Place, today: int) -> tuple[str, tuple[object, ...]]:
        """A select giving article, heat, quality, coverage for *place*, and its values."""
        if place.kind in _SECTION_KINDS:
            kind = "all" if place.kind is PlaceKind.UNREAD else place.kind.value
            unread = " AND unread" if place.kind is PlaceKind.UNREAD else ""
            return (
                "SELECT article, heat, quality, coverage FROM placing"
                f" WHERE section = (SELECT id FROM section WHERE kind = ? AND name = ?){unread}",
                (kind, place.name),
            )
        columns = "SELECT id AS article, heat, quality, coverage FROM article WHERE NOT hidden AND "
        if place.kind is PlaceKind.STARRED:
            return columns + "starred", ()
        if place.kind is PlaceKind.TODAY:
            return columns + "id >= ?", (schema.date_key(today),)
        marks = ",".join("?" * len(BROKEN_OUTCOMES))
        return columns + f"link IN ({marks})", BROKEN_OUTCOMES

    @staticmethod
    def _narrow(narrow: str) -> tuple[str, list[str]]:
        words = narrow.split()
        clause = "(a.title LIKE ? ESCAPE '\\' OR a.outlet LIKE ? ESCAPE '\\' OR a.excerpt LIKE ? ESCAPE '\\')"
        values: list[str] = []
        for word in words:
            escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            values += [f"%{escaped}%"] * 3
        return " AND ".join([clause] * len(words)), values

    # -- rows ------------------------------------------------------------------

    def rows(self, ids: Sequence[int]) -> list[ArticleRow]:
        """The rows of *ids*, in that order; those that are gone are left out."""
        found: dict[int, ArticleRow] = {}
        for chunk in _chunks(ids):
            for row in self.db.execute(
                f"SELECT {_ROW} FROM article WHERE id IN ({','.join('?' * len(chunk))})",
                chunk,
            ):
                found[row[0]] = _article_row(row)
        return [found[i] for i in ids if i in found]

    def by_key(self, key: str) -> list[ArticleRow]:
        """Every file's row under *key*, newest first."""
        rows = self.db.execute(f"SELECT {_ROW} FROM article WHERE key = ? ORDER BY id DESC", (key,))
        return [_article_row(row) for row in rows]

    def find(self, key: str) -> ArticleRow:
        """The row of *key*: a key, or the path of a file, or the end of one that is the only such.

        Raises:
            NotFound: when none or several fit.
        """
        if rows := self.by_key(key):
            return rows[0]
        ending = "%/" + key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = [
            _article_row(row)
            for row in self.db.execute(
                f"SELECT {_ROW} FROM article WHERE path = ? OR path LIKE ? ESCAPE '\\' LIMIT 2",
                (key, ending),
            )
        ]
        if len(rows) == 1:
            return rows[0]
        raise NotFound(f"{'several articles have' if rows else 'no article has'} the key or path {key}")

    def coverage(self, article: int) -> list[CoverageRow]:
        """The pieces *article* lists and those that list it, earliest first, one a key."""
        own = self.db.execute("SELECT key FROM article WHERE id = ?", (article,)).fetchone()
        if own is None:
            return []
        pieces: dict[object, CoverageRow] = {}
        for row in self.db.execute(
            "SELECT m.key, m.title, m.excerpt, m.outlet, m.published, m.quality, m.type, m.url,"
            " a.id, a.read, a.link, m.n FROM mention m"
            " LEFT JOIN article a ON m.key <> '' AND a.key = m.key"
            " WHERE m.article = ? ORDER BY m.n, a.id DESC",
            (article,),
        ):
            key = row[0] or ("mention", row[11])
            if row[0] != own[0]:
                pieces.setdefault(key, _coverage_row(row[:11], listed_by=False))
        for row in self.db.execute(
            "SELECT a.key, a.title, a.excerpt, a.outlet, a.published, a.quality, a.type, a.url,"
            " a.id, a.read, a.link FROM mention m JOIN article a ON a.id = m.article"
            " WHERE m.key = ? AND m.key <> '' ORDER BY a.id DESC",
            (own[0],),
        ):
            if row[0] != own[0]:
                pieces.setdefault(row[0], _coverage_row(row, listed_by=True))
        return sorted(pieces.values(), key=lambda p: (p.published is None, p.published or 0))

    def problems(self) -> list[ProblemRow]:
        """Files that gave no article, then fields that gave no value, by path and line."""
        return [
            ProblemRow(path, line, field, reason, bool(warning))
            for path, line, field, reason, warning in self.db.execute(
                "SELECT path, line, field, reason, warning FROM problem ORDER BY warning, path, line"
            )
        ]

    def problem_count(self) -> int:
        """How many files gave no article."""
        count: int = self.db.execute("SELECT count(*) FROM problem WHERE NOT warning").fetchone()[0]
        return count

    def total(self) -> int:
        """How many articles there are."""
        row = self.db.execute("SELECT total FROM section WHERE kind = 'all'").fetchone()
        return row[0] if row else 0

    # -- meta ------------------------------------------------------------

    def meta(self, name: str) -> int:
        """A number kept under *name*, 0 where there is none."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def folders(self, source: str) -> dict[str, bytes]:
        """The packed file times of each folder of *source*, as the last run left them."""
        return dict(self.db.execute("SELECT path, stats FROM folder WHERE source = ?", (source,)))

    def sources(self) -> list[str]:
        """The names of the sources that the index knows folders of."""
        return [row[0] for row in self.db.execute("SELECT DISTINCT source FROM folder")]

    def paths_below(self, source: str) -> list[str]:
        """The paths of every article and problem file of *source*."""
        prefix = source + "/"
        return [
            row[0]
            for row in self.db.execute(
                "SELECT path FROM article WHERE path >= ?1 AND path < ?2"
                " UNION SELECT path FROM problem WHERE path >= ?1 AND path < ?2",
                (prefix, source + "0"),  # "0" is the character after "/"
            )
        ]

    def keys_of(self, paths: Sequence[str]) -> dict[str, str]:
        """The key that stands at each of *paths*; those unknown are left out."""
        found: dict[str, str] = {}
        for start in range(0, len(paths), _CHUNK):
            chunk = paths[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            found.update(self.db.execute(f"SELECT path, key FROM article WHERE path IN ({marks})", chunk))
        return found

    def check(self) -> None:
        """Look through the whole file.

        Raises:
            StoreDamaged: with SQLite's first complaint.
        """
        answer = self.db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if answer != "ok":
            raise StoreDamaged(f"the library index is damaged: {answer}")


def _article_row(row: tuple[object, ...]) -> ArticleRow:
    values = list(row)
    values[9] = None if row[9] is None else bool(row[9])
    values[12], values[13] = bool(row[12]), bool(row[13])
    values[14] = Outcome(row[14]) if row[14] else None
    return ArticleRow(*values)  # type: ignore[arg-type]


def _coverage_row(row: Sequence[object], *, listed_by: bool) -> CoverageRow:
    *values, article, read, link = row
    return CoverageRow(
        *values,  # type: ignore[arg-type]
        article=article,  # type: ignore[arg-type]
        read=bool(read),
        link=Outcome(link) if link else None,
        listed_by=listed_by,
    )


def _chunks(values: Iterable[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
