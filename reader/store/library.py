"""``library.db``: a disposable index of the files, rebuilt on any doubt.

One :class:`Library` may be shared by threads: each gets a connection of its
own. Nothing here is ever the only copy of anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reader.errors import NotFound
from reader.model import Outcome
from reader.store import library_schema as schema
from reader.store import listing, sqlite
from reader.store.ordering import Ordering, escaped
from reader.store.rows import (
    BROKEN_OUTCOMES,
    VIEWS,
    ArticleRow,
    CoverageRow,
    Place,
    PlaceKind,
    PlaceRow,
    PlaceRows,
    ProblemRow,
    SectionRows,
)

_ROW = (
    "id, path, key, title, outlet, published, type, quality, heat, front, coverage, flags, read, starred,"
    " link, url, excerpt"
)
_OUTCOMES = {o.value: o for o in Outcome}


class Library(Ordering):
    """The index of one set of sources."""

    # -- places -----------------------------------------------------------

    def places(self, today: int, most: int | None = None) -> PlaceRows:
        """Views, then topics, then outlets (most articles first), with their counters: three groups.

        *today* is the epoch second at which the reader's day began; of topics and
        outlets only the first *most* are told, and how many there are.
        """
        everything = self._counters("all")
        counts = {
            PlaceKind.ALL: everything,
            PlaceKind.UNREAD: (everything[1], everything[1]),
            PlaceKind.UNPUBLISHED: self._counters("unpublished"),
            PlaceKind.STARRED: self._count("article INDEXED BY article_starred", "starred AND NOT hidden"),
            PlaceKind.BROKEN: self._count(
                "article INDEXED BY article_link",
                f"link <> '' AND link IN ({','.join('?' * len(BROKEN_OUTCOMES))}) AND NOT hidden",
                BROKEN_OUTCOMES,
            ),
            PlaceKind.TODAY: self._since(schema.date_key(today)),
        }
        views = [PlaceRow(Place(kind), *counts[kind]) for kind in VIEWS]
        sections = (self._sections(kind, most) for kind in (PlaceKind.TOPIC, PlaceKind.OUTLET))
        return PlaceRows([views, *sections])

    def _sections(self, kind: PlaceKind, most: int | None) -> SectionRows:
        where, count = "FROM section WHERE kind = ? AND total > 0", 0
        if most is not None:
            (count,) = self._one(f"SELECT count(*) {where}", (kind.value,))
        order = "ORDER BY total DESC, name COLLATE NOCASE, name LIMIT ?"
        with sqlite.errors(self.path):
            rows = self.db.execute(
                f"SELECT name, total, unread {where} {order}", (kind.value, -1 if most is None else most)
            )
            return SectionRows(kind, rows, count)

    def kept_total(self, place: Place, *, unread: bool = False) -> int | None:
        """How many articles, or *unread* ones, *place* has; None where no counter is kept of that."""
        unread = unread or place.kind is PlaceKind.UNREAD
        kind = PlaceKind.ALL if place.kind is PlaceKind.UNREAD else place.kind
        if kind not in (PlaceKind.ALL, PlaceKind.UNPUBLISHED, PlaceKind.TOPIC, PlaceKind.OUTLET):
            return None
        row = self._one(
            "SELECT total, unread FROM section WHERE kind = ? AND name = ?", (kind.value, place.name)
        )
        return int(row[1 if unread else 0]) if row else 0

    def _counters(self, kind: str) -> tuple[int, int]:
        """The counters of a section that is the only one of its kind: total, unread."""
        return self._one("SELECT total, unread FROM section WHERE kind = ?", (kind,)) or (0, 0)

    def _since(self, first: int) -> tuple[int, int]:
        where = "section = (SELECT id FROM section WHERE kind = 'all') AND article >= ?"
        total = self._one(f"SELECT count(*) FROM placing WHERE {where}", (first,))
        unread = self._one(f"SELECT count(*) FROM placing WHERE {where} AND unread", (first,))
        return total[0], unread[0]

    def _count(self, table: str, where: str, values: Sequence[object] = ()) -> tuple[int, int]:
        row = self._one(f"SELECT count(*), coalesce(sum(NOT read), 0) FROM {table} WHERE {where}", values)
        return row[0], row[1]

    # -- rows ------------------------------------------------------------------

    def rows(self, ids: Sequence[int]) -> list[ArticleRow]:
        """The rows of *ids*, in that order; those that are gone are left out."""
        found: dict[int, ArticleRow] = {}
        for chunk in sqlite.chunks(ids):
            for row in self._all(
                f"SELECT {_ROW} FROM article WHERE id IN ({sqlite.marks_for(chunk)})",
                chunk,
            ):
                found[row[0]] = _article_row(row)
        return [found[i] for i in ids if i in found]

    def unread(self, ids: Sequence[int]) -> set[int]:
        """Those of *ids* that are not read."""
        found: set[int] = set()
        for chunk in sqlite.chunks(ids):
            marks = sqlite.marks_for(chunk)
            found.update(
                row[0]
                for row in self._all(f"SELECT id FROM article WHERE id IN ({marks}) AND NOT read", chunk)
            )
        return found

    def addresses(self, ids: Sequence[int]) -> list[str]:
        """The addresses of *ids*, each once, in order; articles without one are left out."""
        return list(dict.fromkeys(row.url for row in self.rows(ids) if row.url))

    def link_facts(self) -> list[tuple[int | None, str, str]]:
        """(published, outlet, outcome or ``""``) of each article with an address, by time."""
        return self._all("SELECT published, outlet, link FROM article WHERE url <> '' ORDER BY id DESC")

    def file_addresses(self) -> Iterator[tuple[str, list[str]]]:
        """(path, its addresses, AMP and original ones too) of each article that has any, by path."""
        asked = "SELECT path, url, urls FROM article WHERE url <> '' OR urls <> '' ORDER BY path"
        for path, url, others in self._all(asked):
            yield path, list(dict.fromkeys(filter(None, (url, *others.split("\n")))))

    def unread_keys(self, ids: Sequence[int]) -> list[str]:
        """The keys of those of *ids* that are not read, each once."""
        keys: dict[str, None] = {}
        for chunk in sqlite.chunks(ids):
            marks = sqlite.marks_for(chunk)
            for (key,) in self._all(f"SELECT key FROM article WHERE id IN ({marks}) AND NOT read", chunk):
                keys[key] = None
        return list(keys)

    def by_key(self, key: str) -> list[ArticleRow]:
        """Every file's row under *key*, newest first."""
        rows = self._all(f"SELECT {_ROW} FROM article WHERE key = ? ORDER BY id DESC", (key,))
        return [_article_row(row) for row in rows]

    def at(self, path: str) -> ArticleRow | None:
        """The row of the file at *path*."""
        row = self._one(f"SELECT {_ROW} FROM article WHERE path = ?", (path,))
        return _article_row(row) if row else None

    def find(self, key: str) -> ArticleRow:
        """The row of *key*: a key, or the path of a file, or the end of one path alone (whole names first).

        Of several files with that key, the newest.

        Raises:
            NotFound: when none or several fit.
        """
        if rows := self.by_key(key):
            return rows[0]
        if row := self.at(key):
            return row
        found: list[Any] = []
        for start in ("%/", "%") if key else ():
            found = found or self._all(
                f"SELECT {_ROW} FROM article WHERE path LIKE ? ESCAPE '\\' LIMIT 2", (start + escaped(key),)
            )
        if len(found) == 1:
            return _article_row(found[0])
        raise NotFound(f"{'several articles have' if found else 'no article has'} the key or path {key}")

    def coverage(self, article: int) -> list[CoverageRow]:
        """The pieces *article* lists and those that list it, earliest first, one a key."""
        own = self._one("SELECT key FROM article WHERE id = ?", (article,))
        if own is None:
            return []
        pieces: dict[object, CoverageRow] = {}
        with sqlite.errors(self.path):
            entries = listing.of(self.db, article)
        inside = self._newest([entry[listing.KEY] for entry in entries])
        for n, (key, title, excerpt, outlet, _, published, quality, kind, url, _) in enumerate(entries):
            if key != own[0]:
                row = (key, title, excerpt, outlet, published, quality, kind, url)
                more = inside.get(key, (None, None, None))
                pieces.setdefault(key or ("mention", n), _coverage_row((*row, *more), listed_by=False))
        for chunk in sqlite.chunks(sorted(self.listing([own[0]]), reverse=True)):
            for row in self._all(
                "SELECT key, title, excerpt, outlet, published, quality, type, url, id, read, link"
                f" FROM article WHERE id IN ({sqlite.marks_for(chunk)}) ORDER BY id DESC",
                chunk,
            ):
                if row[0] != own[0]:
                    pieces.setdefault(row[0], _coverage_row(row, listed_by=True))
        return sorted(pieces.values(), key=lambda p: (p.published is None, p.published or 0))

    def _newest(self, keys: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        """Rowid, mark and link of the newest article of each of *keys*."""
        rows = self._all(
            "SELECT key, id, read, link FROM article"
            " WHERE key IN (SELECT value FROM json_each(?)) AND key <> '' ORDER BY id",
            (json.dumps(keys),),
        )
        return {row[0]: row[1:] for row in rows}

    def problems(self) -> list[ProblemRow]:
        """Files that gave no article, then fields that gave no value, by path and line."""
        return [
            ProblemRow(path, line, field, reason, bool(warning))
            for path, line, field, reason, warning in self._all(
                "SELECT path, line, field, reason, warning FROM problem ORDER BY warning, path, line"
            )
        ]

    def problem_count(self) -> int:
        """How many files gave no article."""
        count: int = self._one("SELECT count(*) FROM problem WHERE NOT warning")[0]
        return count

    def total(self) -> int:
        """How many articles there are."""
        row = self._one("SELECT total FROM section WHERE kind = 'all'")
        return row[0] if row else 0

    # -- what an ingest asks ---------------------------------------------------

    def folders(self, source: str) -> dict[str, bytes]:
        """The packed file times of each folder of *source*, as the last run left them."""
        return dict(self._all("SELECT path, stats FROM folder WHERE source = ?", (source,)))

    def sources(self) -> list[str]:
        """The names of the sources that the index knows folders of."""
        return [row[0] for row in self._all("SELECT DISTINCT source FROM folder")]

    def paths_below(self, source: str) -> list[str]:
        """The paths of every article and problem file of *source*."""
        prefix = source + "/"
        return [
            row[0]
            for row in self._all(
                "SELECT path FROM article WHERE path >= ?1 AND path < ?2"
                " UNION SELECT path FROM problem WHERE path >= ?1 AND path < ?2",
                (prefix, source + "0"),  # "0" is the character after "/"
            )
        ]

    def keys_of(self, paths: Sequence[str]) -> dict[str, str]:
        """The key that stands at each of *paths*; those unknown are left out."""
        found: dict[str, str] = {}
        for chunk in sqlite.chunks(paths):
            marks = sqlite.marks_for(chunk)
            found.update(self._all(f"SELECT path, key FROM article WHERE path IN ({marks})", chunk))
        return found

    def paths_of(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """(path, key) of each file that has one of *keys*."""
        asked = "SELECT path, key FROM article WHERE key IN"
        parts = [self._all(f"{asked} ({sqlite.marks_for(chunk)})", chunk) for chunk in sqlite.chunks(keys)]
        return [row for part in parts for row in part]

    def identities(self, paths: Iterable[str]) -> dict[str, tuple[str, str, str, int | None]]:
        """(key, title, excerpt, when published) of the articles at *paths*, by path."""
        asked = "SELECT path, key, title, excerpt, published FROM article WHERE path IN"
        parts = [self._all(f"{asked} ({sqlite.marks_for(chunk)})", chunk) for chunk in sqlite.chunks(paths)]
        return {path: (key, *told) for part in parts for path, key, *told in part}

    def known_keys(self, keys: Iterable[str]) -> set[str]:
        """Those of *keys* that an article has."""
        rows = self._all(
            "SELECT DISTINCT key FROM article WHERE key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        return {row[0] for row in rows}

    def arrived(self) -> list[str]:
        """The keys of new articles that the reader's rules have not looked at."""
        return [row[0] for row in self._all("SELECT key FROM arrived ORDER BY key")]


def _article_row(row: Sequence[Any]) -> ArticleRow:
    values = list(row)
    values[9] = None if row[9] is None else row[9] != 0
    values[12], values[13] = row[12] != 0, row[13] != 0
    values[14] = _OUTCOMES.get(row[14])
    return ArticleRow(*values)


def _coverage_row(row: Sequence[Any], *, listed_by: bool) -> CoverageRow:
    values = [*row[:9], bool(row[9]), _OUTCOMES.get(row[10]), listed_by]
    return CoverageRow(*values)
