"""Searching the library: which articles a query asks for, in order."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from reader.errors import SearchStopped, StoreError
from reader.store import library_schema as schema
from reader.store import sqlite
from reader.store.library_file import LibraryFile
from reader.store.names import Names
from reader.store.query.nodes import All, Complaint, FieldIs, Node, Or, Query, State, walk
from reader.store.query.parsing import parse
from reader.store.rows import BROKEN_OUTCOMES, EVERYTHING, Place, PlaceKind
from reader.store.search_sql import RARE, Condition, Index, Statement, compiled, expression
from reader.values import dataclass

RANKED: Final = 5_000
"""Ranking looks at so many of the newest matches; the others follow, newest first."""

_WEIGHTS: Final = (10.0, 5.0, 2.0, 1.0)  # title, excerpt, body, related
_BY_TIME: Final = ("newest", "oldest")
_PART: Final = 20_000  # articles from one end in which as many as a page are looked for first
_STORIES: Final = 4_000  # up to which the articles of all are looked up
_SCATTERED: Final = 50  # articles a section up to which all are sorted sooner than each one walked
_STEPS: Final = 2_000  # of SQLite's machine between two looks whether to go on

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found.

    ``ids`` are rowids in order, at most the limit; ``sort`` the order they
    really are in; ``ranked_among`` how many of the newest matches were ranked
    when there are more, else None.
    """

    ids: array[int]
    sort: str
    complaints: tuple[Complaint, ...] = ()
    ranked_among: int | None = None


class Searching(LibraryFile):
    """The searches of a library. They may be called from any thread.

    All take the same: *place* and *unread* to look only there (*today* is the
    epoch second at which the reader's day began), *within* to look only among
    those rowids, and *stop*, which is asked now and then and ends the search
    with SearchStopped. Hidden articles are found only by ``is:hidden``.
    """

    def search(
        self,
        query: Query | str,
        *,
        sort: str | None = None,
        limit: int | None = None,
        place: Place = EVERYTHING,
        today: int = 0,
        unread: bool = False,
        within: Sequence[int] | None = None,
        stop: Stop | None = None,
    ) -> SearchResult:
        """The articles that *query* asks for.

        In the order of *sort* (one of ``query.SORTS``), else the query's own,
        else by rank where words are looked for, else newest first.

        Raises:
            SearchStopped, StoreError.
        """
        asked = self._asked(query)
        with self._stoppable(stop) as db:
            wanted = sort or asked.sort or "best"
            order = "newest" if wanted == "best" else wanted
            if limit is not None and order in _BY_TIME and within is None and not unread:
                parts = self._alternatives(asked.root, place)  # none of them can be ranked
                if len(parts) > 1:
                    return SearchResult(self._merged(db, parts, order, limit), order, asked.complaints)
            statement = self._statement(asked, place, today, unread=unread, within=within)
            if wanted == "best" and statement.ranks:
                return self._ranked(db, statement, asked, limit)
            if limit is not None and order in _BY_TIME and statement.looks_words_up:
                part = self._statement(
                    asked, place, today, unread=unread, within=within, part=self._end(order, _PART)
                )
                ids = self._first(db, part, order, limit)
                if len(ids) == limit:
                    return SearchResult(ids, order, asked.complaints)
            return SearchResult(self._first(db, statement, order, limit), order, asked.complaints)

    def count(
        self,
        query: Query | str,
        *,
        at_most: int | None = None,
        place: Place = EVERYTHING,
        today: int = 0,
        unread: bool = False,
        within: Sequence[int] | None = None,
        stop: Stop | None = None,
    ) -> int:
        """How many articles *query* asks for; counting ends at *at_most*.

        Raises:
            SearchStopped, StoreError.
        """
        with self._stoppable(stop) as db:
            asked = self._asked(query)
            if within is None and (kept := self._kept(asked.root, place, unread=unread)) is not None:
                return kept if at_most is None else min(kept, at_most)
            found = self._statement(asked, place, today, unread=unread, within=within)
            if at_most is None:
                return int(db.execute(f"SELECT count(*) {found.joined('')}", found.values).fetchone()[0])
            if found.looks_words_up:
                end = self._end("newest", 4 * at_most)
                part = self._statement(asked, place, today, unread=unread, within=within, part=end)
                if self._up_to(db, part, at_most) == at_most:
                    return at_most
            return self._up_to(db, found, at_most)

    def _kept(self, root: Node, place: Place, *, unread: bool) -> int | None:
        """How many *root* asks for, where kept counters say it: all, one section, any outlets."""
        if place.kind not in (PlaceKind.ALL, PlaceKind.UNREAD):
            return None
        if isinstance(root, All):
            sections: Sequence[int] = [self._section("all", "")]
        elif isinstance(root, FieldIs) and root.field in ("topic", "outlet"):
            sections = self._meant(root)
            if len(sections) > 1 and root.field == "topic":  # articles may have several
                return None
        else:
            return None
        column = "unread" if unread or place.kind is PlaceKind.UNREAD else "total"
        return self._sum(column, json.dumps(list(sections)))

    def _sum(self, column: str, sections: str) -> int:
        """The sum of a counter of *sections*, a JSON array of their numbers."""
        asked = f"SELECT coalesce(sum({column}), 0) FROM section WHERE id IN (SELECT value FROM json_each(?))"
        return int(self._one(asked, (sections,))[0])

    @staticmethod
    def _up_to(db: sqlite.Connection, statement: Statement, at_most: int) -> int:
        inner = f"SELECT 1 {statement.joined('')} LIMIT ?"
        row = db.execute(f"SELECT count(*) FROM ({inner})", (*statement.values, at_most)).fetchone()
        return int(row[0])

    def values(self, field: str) -> list[str]:
        """The names that exist for a field of the query language: topics and outlets by their number."""
        if field in ("topic", "outlet"):
            order = "SELECT name FROM section WHERE kind = ? AND total > 0 ORDER BY total DESC, name"
            return [row[0] for row in self._all(order, (field,))]
        if field in ("type", "category", "domain"):
            return [value for value in self._distinct(field) if value]
        return []

    def newest(self, count: int) -> list[int]:
        """The rowids of the newest articles, hidden or not."""
        return [row[0] for row in self._all("SELECT id FROM article ORDER BY id DESC LIMIT ?", (count,))]

    def ids_of(self, keys: Sequence[str]) -> list[int]:
        """The rowids of every file of *keys*."""
        asked = "SELECT id FROM article WHERE key IN (SELECT value FROM json_each(?))"
        return [row[0] for row in self._all(asked, (json.dumps(list(keys)),))]

    # -- how ------------------------------------------------------------------

    @staticmethod
    def _asked(query: Query | str) -> Query:
        return parse(query, datetime.now(UTC)) if isinstance(query, str) else query

    @contextlib.contextmanager
    def _stoppable(self, stop: Stop | None) -> Iterator[sqlite.Connection]:
        db = self.db
        if stop is not None:
            db.set_progress_handler(stop, _STEPS)
        try:
            with sqlite.errors(self.path):
                try:
                    yield db
                except (sqlite3.OperationalError, StoreError) as error:
                    # What was asked besides has its errors translated already.
                    cause = error.__cause__ if isinstance(error, StoreError) else error
                    if getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
                        raise SearchStopped("the search was stopped") from None
                    raise
        finally:
            if stop is not None:
                db.set_progress_handler(None, 0)

    @staticmethod
    def _first(db: sqlite.Connection, statement: Statement, order: str, limit: int | None) -> array[int]:
        by = statement.order(order)
        query = f"SELECT {statement.id} AS id {statement.joined(by)} ORDER BY {by} LIMIT ?"
        return rowids(db, query, (*statement.values, -1 if limit is None else limit))

    def _end(self, order: str, size: int) -> str:
        """Of ``rowid``: whether it is among the first *size* of all articles in *order*, by time."""
        down, sign = (" DESC", ">=") if order == "newest" else ("", "<=")
        walk = f"SELECT id FROM article INDEXED BY article_facts ORDER BY id{down} LIMIT 1 OFFSET {size}"
        row = self.db.execute(walk).fetchone()
        return f"rowid {sign} {row[0]}" if row else ""

    def _few(self, query: str, values: tuple[object, ...]) -> bool:
        (count,) = self.db.execute(
            f"SELECT count(*) FROM ({query} LIMIT ?)", (*values, _STORIES + 1)
        ).fetchone()
        return bool(count <= _STORIES)

    def _statement(
        self,
        query: Query,
        place: Place,
        today: int,
        *,
        unread: bool,
        within: Sequence[int] | None,
        part: str = "",
    ) -> Statement:
        extra, section = self._of_place(place, today)
        if unread or place.kind is PlaceKind.UNREAD:
            extra.append(Condition("NOT a.read"))
        if within is not None:
            extra.append(Condition("{id} IN (SELECT value FROM json_each(?))", (json.dumps(list(within)),)))
        index = self._index()
        hidden = None if _shows_hidden(query.root) else self._hidden()
        return compiled(query.root, index, extra=extra, section=section, hidden=hidden, part=part)

    def _index(self) -> Index:
        return Index(self._meant, self._distinct, self._few, lambda: self.meta("shift"))

    def _alternatives(self, root: Node, place: Place) -> list[tuple[Node, int | None]]:
        """The parts of *root* of which any may be so, each with the number of its section if it asks for one.

        None where they are found as fast together, and where hidden articles are asked for.
        """
        if place != EVERYTHING or not isinstance(root, Or | FieldIs):
            return []
        if expression(root) is not None or _shows_hidden(root):
            return []
        found: list[tuple[Node, int | None]] = []
        for part in root.parts if isinstance(root, Or) else (root,):
            if isinstance(part, FieldIs) and part.field in ("topic", "outlet"):
                found += [(part, number) for number in self._meant(part)]
            else:
                found.append((part, None))
        return found

    def _merged(
        self, db: sqlite.Connection, parts: Sequence[tuple[Node, int | None]], order: str, limit: int
    ) -> array[int]:
        """The first of all *parts* by time: they are among the first of each, which is a short walk."""
        found: set[int] = set()
        sections = [section for _, section in parts if section is not None]
        numbers = json.dumps(sections)
        down = " DESC" * (order == "newest")
        if self._sum("total", numbers) < _SCATTERED * len(sections):
            # An article has one outlet, but may have several topics.
            twice = any(isinstance(part, FieldIs) and part.field == "topic" for part, _ in parts)
            all_of = "article AS id FROM placing WHERE section IN (SELECT value FROM json_each(?))"
            query = f"SELECT {'DISTINCT ' * twice}{all_of} ORDER BY article{down} LIMIT ?"
            found.update(rowids(db, query, (numbers, limit)))
            parts = [part for part in parts if part[1] is None]
        for root, section in parts:
            if section is not None:
                walk = f"SELECT article AS id FROM placing WHERE section = ? ORDER BY article{down} LIMIT ?"
                found.update(rowids(db, walk, (section, limit)))
                continue
            one = compiled(root, self._index(), extra=(), section=None, hidden=self._hidden())
            found.update(self._first(db, one, order, limit))
        return array("q", sorted(found, reverse=order == "newest")[:limit])

    def _of_place(self, place: Place, today: int) -> tuple[list[Condition], int | None]:
        match place.kind:
            case PlaceKind.STARRED:
                return [Condition(f"{{id}} IN ({RARE['starred']})")], None
            case PlaceKind.TODAY:
                return [Condition(f"{{id}} >= {schema.date_key(today)}")], None
            case PlaceKind.BROKEN:
                marks = ", ".join("?" * len(BROKEN_OUTCOMES))
                return [Condition(f"a.link <> '' AND a.link IN ({marks})", BROKEN_OUTCOMES)], None
            case PlaceKind.ALL | PlaceKind.UNREAD:
                return [], None
        return [], self._section(place.kind.value, place.name)

    def _ranked(
        self, db: sqlite.Connection, statement: Statement, asked: Query, limit: int | None
    ) -> SearchResult:
        weights = ", ".join(map(str, _WEIGHTS))
        newest = (
            f"SELECT fts.rowid AS id, bm25(fts, {weights}) AS rank {statement.joined('')}"
            " ORDER BY fts.rowid DESC LIMIT ?"
        )
        best = f"SELECT id FROM ({newest}) ORDER BY rank, id DESC LIMIT -1"
        ids = rowids(db, best, (*statement.values, RANKED + 1))
        if len(ids) <= RANKED:
            return SearchResult(ids[:limit], "best", asked.complaints)
        if limit is None or limit > len(ids):
            older = f"{statement.joined('')} AND fts.rowid < ? ORDER BY fts.rowid DESC LIMIT ?"
            room = -1 if limit is None else limit - len(ids)
            ids.extend(rowids(db, f"SELECT fts.rowid AS id {older}", (*statement.values, min(ids), room)))
        return SearchResult(ids[:limit], "best", asked.complaints, RANKED)

    def _meant(self, node: FieldIs) -> Sequence[int]:
        """The numbers of the topics or outlets that *node* asks for."""
        era = self._era  # another number, another file
        known = self._names.get((node.field, era)) or Names()
        # Sections are never taken out, so there are only new ones to look for.
        new = self._all(
            "SELECT id, name FROM section WHERE +kind = ? AND id > ? ORDER BY id", (node.field, known.last)
        )
        if new:
            known = Names(new, known)
            if not self.db.in_transaction:  # else they may be taken back
                self._names[node.field, era] = known
        return known.meant(node)

    def _hidden(self) -> int:
        """The section of the hidden, 0 while there are none."""
        row = self.db.execute(
            "SELECT id FROM section WHERE kind = 'hidden' AND name = '' AND total > 0"
        ).fetchone()
        return int(row[0]) if row else 0

    def _section(self, kind: str, name: str) -> int:
        row = self._one("SELECT id FROM section WHERE kind = ? AND name = ?", (kind, name))
        return int(row[0]) if row else -1

    def _distinct(self, column: str) -> list[str]:
        """The values of an indexed column of articles, each found by one step down the index."""
        rows = self._all(
            f"WITH RECURSIVE found(v) AS (SELECT min({column}) FROM article UNION ALL"
            f" SELECT (SELECT min({column}) FROM article WHERE {column} > v) FROM found WHERE v IS NOT NULL)"
            " SELECT v FROM found WHERE v IS NOT NULL"
        )
        return [row[0] for row in rows]


def _shows_hidden(root: Node) -> bool:
    return any(node == State("hidden") for node in walk(root))


def rowids(db: sqlite3.Connection, query: str, values: Sequence[object]) -> array[int]:
    """The ``id`` of every row of *query*, which has a limit, or else would lose its order.

    All in one step of SQLite's, during which other threads run: a step a row
    would make the screen wait for its turn again and again. As digits of two's
    complement, for a million of them hold the interpreter for 13 ms, as JSON for 90.
    """
    (digits,) = db.execute(f"SELECT group_concat(printf('%016X', id), '') FROM ({query})", values).fetchone()
    found = array("q", bytes.fromhex(digits or ""))
    if sys.byteorder == "little":
        found.byteswap()
    return found
