"""Searching the library: which articles a query asks for, in order."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

from reader.errors import SearchStopped, StoreError
from reader.store import library_schema as schema
from reader.store import sqlite
from reader.store.library_names import LibraryNames
from reader.store.planning import Step, Steps, planned
from reader.store.query.nodes import All, And, Complaint, FieldIs, Node, Or, Query, State, all_of
from reader.store.query.nodes import walk as nodes_of
from reader.store.query.parsing import parse
from reader.store.rows import BROKEN_OUTCOMES, EVERYTHING, Place, PlaceKind
from reader.store.search_sql import (
    WORDS,
    Both,
    Condition,
    Index,
    Statement,
    compiled,
    expression,
    of_both,
    ranks,
)
from reader.store.vocabulary import named
from reader.values import dataclass

RANKED: Final = 5_000
"""Ranking looks at so many of the newest matches; the others follow, newest first."""
RANKED_CLOSELY: Final = 2_000
"""The same where each match takes longer: words beside each other, or more asked for than words."""
RANKED_RARELY: Final = 1_000
"""The same where few matches are wanted: starred, tagged, of a link that is gone, of a large story."""

_WEIGHTS: Final = (10.0, 5.0, 2.0, 1.0)  # title, excerpt, body, related
_BY_TIME: Final = ("newest", "oldest")
_PART: Final = 20_000  # articles from one end in which as many as a page are looked for first
_STORIES: Final = 4_000  # up to which the articles of all are looked up
_SCATTERED: Final = 50  # articles a section up to which all are sorted sooner than each one walked
_LOOK: Final = 6  # articles of a section that are walked past in the time in which one is looked for in it
_BESIDE: Final = re.compile(r'"\w+ \w')
_STEPS: Final = 2_000  # of SQLite's machine between two looks whether to go on

Stop = Callable[[], bool]
_Parts: TypeAlias = "Sequence[tuple[Node, int | None]]"
"""Parts of a query of which any may be so, each with the number of its section if it asks for one."""


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


class _Asking(NamedTuple):
    """What is asked for, further conditions, a section to look in, that of the hidden: see ``compiled``."""

    root: Node
    extra: Sequence[Condition]
    section: int | None
    hidden: int | None


class Searching(LibraryNames):
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
            if wanted == "best" and ranks(asked.root):
                asking = self._asking(asked, place, today, unread=unread, within=within)
                return self._ranked(db, self._statement(asking), asked, limit)
            order = "newest" if wanted == "best" else wanted

            def plan() -> tuple[_Parts, Steps]:
                look = named(db, asked)
                if limit is not None and order in _BY_TIME and within is None and not unread:
                    parts = self._alternatives(look.root, place)
                    if len(parts) > 1:
                        return parts, ()
                asking = self._asking(look, place, today, unread=unread, within=within)
                return (), self._listing(asking, order, all_of_it=limit is None)

            key = (order, limit is None, asked.root, place, today, unread)
            parts, steps = planned(db, key, plan) if within is None else plan()
            if parts and limit is not None:
                return SearchResult(self._merged(db, parts, order, limit), order, asked.complaints)
            return SearchResult(_first(db, steps, limit), order, asked.complaints)

    def count(
        self,
        query: Query | str,
        *,
        at_most: int | None = None,
        among: int | None = None,
        place: Place = EVERYTHING,
        today: int = 0,
        unread: bool = False,
        within: Sequence[int] | None = None,
        stop: Stop | None = None,
    ) -> int:
        """How many articles *query* asks for, *among* so many of the newest; counting ends at *at_most*.

        Raises:
            SearchStopped, StoreError.
        """
        asked = self._asked(query)
        with self._stoppable(stop) as db:

            def plan() -> Steps:
                look = named(db, asked)
                whole = within is None and among is None
                if whole and (kept := self._kept(look.root, place, unread=unread)) is not None:
                    return (kept,)
                asking = self._asking(look, place, today, unread=unread, within=within)
                return self._counting(asking, at_most, among)

            key = ("count", at_most, among, asked.root, place, today, unread)
            number = 0
            for select, values in planned(db, key, plan) if within is None else plan():
                number = int(db.execute(select, values).fetchone()[0])
                if at_most is not None and number >= at_most:
                    return at_most
            return number

    def _counting(self, asking: _Asking, at_most: int | None, among: int | None) -> Steps:
        """Selects of how many are found, up to *at_most*, *among* so many of the newest."""
        if among is not None and (end := self._end("newest", among)):
            return (_up_to(self._statement(asking, end), -1 if at_most is None else at_most),)
        found = self._walk(asking, all_of_it=True)
        if at_most is None:
            return ((f"SELECT count(*) FROM ({found.each()})", found.values),)
        steps = [_up_to(found, at_most)]
        if found.looks_words_up and (end := self._end("newest", 4 * at_most)):
            steps.insert(0, _up_to(self._statement(asking, end), at_most))
        return steps

    def _kept(self, root: Node, place: Place, *, unread: bool) -> Step | None:
        """A select of how many *root* asks for, where kept counters say it: all, one section, any outlets."""
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
        return _sum(column, json.dumps(list(sections)))

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

    def _end(self, order: str, size: int) -> str:
        """Of ``rowid``: whether it is among the first *size* of all articles in *order*, by time."""
        down, sign = (" DESC", ">=") if order == "newest" else ("", "<=")
        walk = f"SELECT id FROM article INDEXED BY article_facts ORDER BY id{down} LIMIT 1 OFFSET {size - 1}"
        row = self.db.execute(walk).fetchone()
        return f"rowid {sign} {row[0]}" if row else ""

    def _few(self, query: str, values: tuple[object, ...]) -> bool:
        (count,) = self.db.execute(
            f"SELECT count(*) FROM ({query} LIMIT ?)", (*values, _STORIES + 1)
        ).fetchone()
        return bool(count <= _STORIES)

    def _asking(
        self, query: Query, place: Place, today: int, *, unread: bool, within: Sequence[int] | None
    ) -> _Asking:
        root, extra, section = self._of_place(query.root, place, today)
        if unread or place.kind is PlaceKind.UNREAD:
            extra.append(Condition("NOT a.read"))
        if within is not None:
            extra.append(Condition("{id} IN (SELECT value FROM json_each(?))", (json.dumps(list(within)),)))
        hidden = None if _shows_hidden(root) else self._hidden()
        return _Asking(root, extra, section, hidden)

    def _statement(self, asking: _Asking, part: str = "") -> Statement:
        root, extra, section, hidden = asking
        return compiled(root, self._index(), extra=extra, section=section, hidden=hidden, part=part)

    def _walk(self, asking: _Asking, *, all_of_it: bool) -> Statement | Both:
        """As a statement, for what is wanted by time or counted; two together where that is quicker."""
        root, extra, section, hidden = asking
        if section is not None or isinstance(root, And):
            both = of_both(root, self._index(), extra=extra, section=section, hidden=hidden)
            if both and (both.section is None or (all_of_it and self._has_many(both.one, both.section))):
                return both
        return self._statement(asking)

    def _listing(self, asking: _Asking, order: str, *, all_of_it: bool) -> Steps:
        """Selects of what is found, in *order*."""
        by_time = order in _BY_TIME
        walk = self._walk(asking, all_of_it=all_of_it) if by_time else self._statement(asking)
        steps = [_listed(walk, order)]
        if not all_of_it and by_time and walk.looks_words_up and (end := self._end(order, _PART)):
            steps.insert(0, _listed(self._statement(asking, end), order))
        return steps

    def _has_many(self, words: Statement, section: int) -> bool:
        """Whether to look for each article with *words* in *section* takes longer than to walk along that."""
        enough = int(self._one(*_sum("total", f"[{section}]"))[0]) // _LOOK
        return int(self._one(*_up_to(words, enough))[0]) == enough

    def _index(self) -> Index:
        shift, plain = (lambda: self.meta("shift")), (lambda: self.meta(schema.PLAIN) == 1)
        return Index(self._meant, self._distinct, self._few, shift, plain)

    def _alternatives(self, root: Node, place: Place) -> _Parts:
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

    def _merged(self, db: sqlite.Connection, parts: _Parts, order: str, limit: int) -> array[int]:
        """The first of all *parts* by time: they are among the first of each, which is a short walk."""
        found: set[int] = set()
        sections = [section for _, section in parts if section is not None]
        numbers, many = json.dumps(sections), _SCATTERED * len(sections)
        down = " DESC" * (order == "newest")
        # As a join: of "IN" SQLite sorts the numbers first, which takes as long again.
        placed = "FROM json_each(?) CROSS JOIN placing ON section = value"
        (count,) = db.execute(f"SELECT count(*) FROM (SELECT 1 {placed} LIMIT ?)", (numbers, many)).fetchone()
        if count < many:
            # An article has one outlet, but may have several topics.
            twice = any(isinstance(part, FieldIs) and part.field == "topic" for part, _ in parts)
            query = f"SELECT {'DISTINCT ' * twice}article AS id {placed} ORDER BY article{down} LIMIT ?"
            found.update(rowids(db, query, (numbers, limit)))
            parts = [part for part in parts if part[1] is None]
        for root, section in parts:
            if section is not None:
                walk = f"SELECT article AS id FROM placing WHERE section = ? ORDER BY article{down} LIMIT ?"
                found.update(rowids(db, walk, (section, limit)))
                continue
            one = compiled(root, self._index(), extra=(), section=None, hidden=self._hidden())
            found.update(_first(db, (_listed(one, order),), limit))
        return array("q", sorted(found, reverse=order == "newest")[:limit])

    def _of_place(self, root: Node, place: Place, today: int) -> tuple[Node, list[Condition], int | None]:
        """*root*, further conditions and a section: what is asked for of *place*."""
        match place.kind:
            case PlaceKind.STARRED:
                return all_of((root, State("starred"))), [], None
            case PlaceKind.TODAY:
                return root, [Condition(f"{{id}} >= {schema.date_key(today)}")], None
            case PlaceKind.BROKEN:
                marks = ", ".join("?" * len(BROKEN_OUTCOMES))
                return root, [Condition(f"a.link <> '' AND a.link IN ({marks})", BROKEN_OUTCOMES)], None
            case PlaceKind.ALL | PlaceKind.UNREAD:
                return root, [], None
        return root, [], self._section(place.kind.value, place.name)

    def _ranked(
        self, db: sqlite.Connection, statement: Statement, asked: Query, limit: int | None
    ) -> SearchResult:
        weights = ", ".join(map(str, _WEIGHTS))
        newest = (
            f"SELECT fts.rowid AS id, bm25(fts, {weights}) AS rank {statement.joined('')}"
            " ORDER BY fts.rowid DESC LIMIT ?"
        )
        most = RANKED
        if statement.walks_past_most:
            most = RANKED_RARELY
        elif statement.where != WORDS or _BESIDE.search(str(statement.values[0])):
            most = RANKED_CLOSELY
        best = f"SELECT id FROM ({newest}) ORDER BY rank, id DESC LIMIT -1"
        ids = rowids(db, best, (*statement.values, most + 1))
        if len(ids) <= most:
            return SearchResult(ids[:limit], "best", asked.complaints)
        if limit is None or limit > len(ids):
            older = f"{statement.joined('')} AND fts.rowid < ? ORDER BY fts.rowid DESC LIMIT ?"
            room = -1 if limit is None else limit - len(ids)
            ids.extend(rowids(db, f"SELECT fts.rowid AS id {older}", (*statement.values, min(ids), room)))
        return SearchResult(ids[:limit], "best", asked.complaints, most)


def _listed(statement: Statement | Both, order: str) -> Step:
    """What *statement* finds in *order*; how many are wanted is said last."""
    return f"{statement.listed(order)} LIMIT ?", statement.values


def _first(db: sqlite3.Connection, steps: Steps, limit: int | None) -> array[int]:
    """The first that the selects *steps* find, which are to be told *limit*."""
    found = array("q")
    for select, values in steps:
        found = rowids(db, select, (*values, -1 if limit is None else limit))
        if len(found) == limit:
            break
    return found


def _up_to(statement: Statement | Both, at_most: int) -> Step:
    return f"SELECT count(*) FROM ({statement.each()} LIMIT ?)", (*statement.values, at_most)


def _sum(column: str, sections: str) -> Step:
    """The sum of a counter of *sections*, a JSON array of their numbers."""
    asked = f"SELECT coalesce(sum({column}), 0) FROM json_each(?) CROSS JOIN section s ON s.id = value"
    return asked, (sections,)


def _shows_hidden(root: Node) -> bool:
    return any(node == State("hidden") for node in nodes_of(root))


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
