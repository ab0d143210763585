"""The orders of a place's articles, and the first or the last of them without looking at all.

By time is a walk along the place. By heat, quality and coverage all articles
have an index each; a big place has enough of the first along it, a small one
is sorted, and the kept counters say which it is. By outlet the outlets are
walked by name. Where such a walk meets too few of the place, it is sorted.
"""

from __future__ import annotations

import contextlib
import sqlite3
from array import array
from collections.abc import Container, Mapping
from itertools import islice
from typing import Final

from reader.store import library_schema as schema
from reader.store import sqlite
from reader.store.library_stories import Shelf
from reader.store.rows import BROKEN_OUTCOMES, EVERYTHING, Place, PlaceKind, Sort
from reader.store.search import Stop, rowids
from reader.values import dataclass

_SECTION_KINDS: Final = {
    PlaceKind.ALL,
    PlaceKind.UNREAD,
    PlaceKind.UNPUBLISHED,
    PlaceKind.TOPIC,
    PlaceKind.OUTLET,
}
_ORDER: Final[Mapping[Sort, tuple[str, ...]]] = {
    Sort.NEWEST: ("p.article DESC",),
    Sort.OLDEST: ("p.article",),
    Sort.HEAT: ("p.heat DESC", "p.article DESC"),  # those without come last
    Sort.QUALITY: ("p.quality DESC", "p.article DESC"),
    Sort.COVERAGE: ("p.coverage DESC", "p.article DESC"),
    Sort.OUTLET: ("a.outlet = ''", "a.outlet COLLATE NOCASE", "p.article DESC"),
}
_NUMBERS: Final = (Sort.HEAT, Sort.QUALITY, Sort.COVERAGE)
_NARROWED: Final = ("title", "outlet", "excerpt")

_FEW: Final = 50_000
"""Articles of a place that is no section from which they are sorted."""
_PATIENCE: Final = 20_000
"""Articles of other places that a walk passes before the place is sorted: some 20 ms of them."""
_SORTED: Final = dict.fromkeys(_NUMBERS, 12.0) | {Sort.OUTLET: 0.5}
"""How many articles are sorted in the time in which one is looked for in a place."""


@dataclass(frozen=True, slots=True)
class _Room:
    """A place that is a section: its number, its articles that count, whether all do; and all there are."""

    section: int
    size: int
    whole: bool
    unread: bool
    everything: int

    def has(self, article: str) -> str:
        """Whether *article* stands in it."""
        unread = " AND unread" * self.unread
        return (
            f"EXISTS (SELECT 1 FROM placing WHERE section = {self.section} AND article = {article}{unread})"
        )

    def passed(self, limit: int) -> int:
        """Articles that a walk along all of them passes before it has *limit* of these."""
        return limit * self.everything // max(1, self.size)


class Ordering(Shelf):
    """The lists of a library."""

    def ids(
        self,
        place: Place = EVERYTHING,
        sort: Sort = Sort.NEWEST,
        *,
        today: int = 0,
        narrow: str = "",
        unread: bool = False,
        limit: int | None = None,
        last: bool = False,
        stop: Stop | None = None,
    ) -> array[int]:
        """The rowids of the articles in *place*, in order: what a list holds.

        At most *limit*, the first or with ``last`` the last. ``narrow`` keeps
        those in whose title, outlet or excerpt every one of its words stands,
        whatever their case; ``unread`` those not read.

        Raises:
            SearchStopped: *stop* said so.
            StoreError
        """
        unread = unread or place.kind is PlaceKind.UNREAD
        if sort is Sort.OUTLET and place.kind is PlaceKind.OUTLET:
            sort = Sort.NEWEST
        where, values = _narrowed(narrow)
        with contextlib.ExitStack() as during:
            db = during.enter_context(self._stoppable(stop))
            during.enter_context(sqlite.read(db))
            if limit is None:
                during.enter_context(sqlite.in_passing(db))
            found = None if where else self._walked(db, place, sort, limit, unread=unread, last=last)
            if found is None:
                by = _order(sort, last=last)
                source, of_place = _source(place, today, sort, unread=unread)
                article = " JOIN article a ON a.id = p.article" * (bool(where) or sort is Sort.OUTLET)
                query = f"SELECT p.article AS id FROM ({source}) p{article}{where} ORDER BY {by} LIMIT ?"
                found = rowids(db, query, (*of_place, *values, -1 if limit is None else limit))
        if last:
            found.reverse()
        return found

    def _walked(
        self, db: sqlite3.Connection, place: Place, sort: Sort, limit: int | None, *, unread: bool, last: bool
    ) -> array[int] | None:
        """As :meth:`ids`, backwards for the *last*; None where the place had better be sorted."""
        if sort not in _SORTED:
            return None
        if place.kind not in _SECTION_KINDS:
            few = sort is Sort.OUTLET and place.kind is not PlaceKind.TODAY and limit is not None
            return self._few_by_outlet(db, place, limit or 0, unread=unread, last=last) if few else None
        kind = "all" if place.kind is PlaceKind.UNREAD else place.kind.value
        row = db.execute(
            "SELECT p.id, p.total, p.unread, a.total FROM section p JOIN section a ON a.kind = 'all'"
            " WHERE p.kind = ? AND p.name = ?",
            (kind, place.name),
        ).fetchone()
        if row is None:
            return array("q")
        room = _Room(row[0], row[2] if unread else row[1], kind == "all", unread, row[3])
        untested = room.whole and (not unread or sort is Sort.OUTLET)
        if not untested and (limit is None or room.passed(limit) * _SORTED[sort] > room.size):
            return None
        if sort is Sort.OUTLET:
            return self._by_outlet(db, room, limit, last=last)
        by = _order(sort, last=last).replace("p.article", "p.id")
        index = f"article p INDEXED BY article_{sort.value} WHERE NOT hidden"
        ordered = f"SELECT id FROM {index} ORDER BY {by} LIMIT ?"
        if limit is None or untested:
            return rowids(db, ordered, (-1 if limit is None else limit,))
        patience = max(_PATIENCE, 3 * room.passed(limit))
        found = rowids(
            db, f"SELECT id FROM ({ordered}) p WHERE {room.has('p.id')} LIMIT ?", (patience, limit)
        )
        return found if len(found) == min(limit, room.size) else None

    def _few_by_outlet(
        self, db: sqlite3.Connection, place: Place, limit: int, *, unread: bool, last: bool
    ) -> array[int] | None:
        """The same of a place that is no section, but has few articles."""
        source, values = _source(place, 0, Sort.OUTLET, unread=unread)
        ids = rowids(db, f"SELECT article AS id FROM ({source}) LIMIT ?", (*values, _FEW))
        everything = db.execute("SELECT total FROM section WHERE kind = 'all'").fetchone()
        room = _Room(0, len(ids), whole=False, unread=False, everything=everything[0] if everything else 0)
        if len(ids) == _FEW or room.passed(limit) * _SORTED[Sort.OUTLET] > room.size:
            return None
        return self._by_outlet(db, room, limit, last=last, members=set(ids))

    def _by_outlet(
        self,
        db: sqlite3.Connection,
        room: _Room,
        limit: int | None,
        *,
        last: bool,
        members: Container[int] | None = None,
    ) -> array[int] | None:
        """Outlet by outlet, those of none at the end; None where too many are passed."""
        groups: list[tuple[str, int]] = db.execute(
            "SELECT group_concat(id), sum(total) FROM section WHERE kind = 'outlet' AND total > 0"
            f" GROUP BY name COLLATE NOCASE ORDER BY name COLLATE NOCASE{' DESC' * last}"
        ).fetchall()
        unread = " AND unread" * (room.whole and room.unread)
        walks = [(f"placing p WHERE section IN ({ids}){unread}", total, room.whole) for ids, total in groups]
        nameless = "SELECT id AS article FROM article INDEXED BY article_nameless"
        none = f"({nameless} WHERE outlet = '' AND NOT hidden) p WHERE 1"
        rest = room.everything - sum(total for _, total in groups)
        walks.insert(0 if last else len(walks), (none, rest, room.whole and not room.unread))
        found = array("q")
        patience = room.everything if limit is None else max(_PATIENCE, 3 * room.passed(limit))
        for walk, total, all_there in walks:
            more = -1 if limit is None else limit - len(found)
            if not more:
                break
            ordered = f"SELECT article AS id FROM {walk} ORDER BY article{' DESC' * (not last)} LIMIT ?"
            if all_there:
                found.extend(rowids(db, ordered, (more,)))
                continue
            if members is not None:
                met = (number for number in rowids(db, ordered, (patience,)) if number in members)
                found.extend(islice(met, more))
            else:
                tested = f"SELECT id FROM ({ordered}) p WHERE {room.has('id')} LIMIT ?"
                found.extend(rowids(db, tested, (patience, more)))
            patience -= total
            if patience < 0 and limit is not None and len(found) < limit:
                return None
        return found


def _order(sort: Sort, *, last: bool) -> str:
    terms = _ORDER[sort]
    if last:
        terms = tuple(t.removesuffix(" DESC") if t.endswith(" DESC") else f"{t} DESC" for t in terms)
    return ", ".join(terms)


def _source(place: Place, today: int, sort: Sort, *, unread: bool) -> tuple[str, tuple[object, ...]]:
    """A select giving the articles of *place*, with the number that *sort* goes by, and its values."""
    number = f", {sort.value}" if sort in _NUMBERS else ""
    if place.kind in _SECTION_KINDS:
        kind = "all" if place.kind is PlaceKind.UNREAD else place.kind.value
        return (
            f"SELECT article{number} FROM placing WHERE section = (SELECT id FROM section"
            f" WHERE kind = ? AND name = ?){' AND unread' * unread}",
            (kind, place.name),
        )
    shown = f"NOT l.hidden{' AND NOT l.read' * unread}"
    if place.kind is PlaceKind.TODAY:
        day = f"article l INDEXED BY article_facts WHERE id >= ? AND {shown}"
        return f"SELECT id AS article{number} FROM {day}", (schema.date_key(today),)
    # Left to itself SQLite looks at the rows, which are twenty times as wide.
    of = f"SELECT id AS article{number} FROM article l INDEXED BY"
    if place.kind is PlaceKind.STARRED:
        return f"{of} article_starred WHERE l.starred AND {shown}", ()
    broken = f"l.link <> '' AND l.link IN ({','.join('?' * len(BROKEN_OUTCOMES))})"
    return f"{of} article_link WHERE {broken} AND {shown}", BROKEN_OUTCOMES


def _narrowed(narrow: str) -> tuple[str, list[str]]:
    """A WHERE that keeps the articles ``a`` with every word of *narrow*, and its values."""
    clauses: list[str] = []
    values: list[str] = []
    for word in narrow.split():
        if word.isascii():
            clauses.append("(" + " OR ".join(f"a.{c} LIKE ? ESCAPE '\\'" for c in _NARROWED) + ")")
            values += [f"%{escaped(word)}%"] * len(_NARROWED)
        else:  # LIKE knows the case of ASCII letters alone
            clauses.append(f"holds(?, {', '.join('a.' + c for c in _NARROWED)})")
            values.append(word.casefold())
    return " WHERE " * bool(clauses) + " AND ".join(clauses), values


def escaped(word: str) -> str:
    """*word* with what LIKE would read as a sign of its own made plain."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
