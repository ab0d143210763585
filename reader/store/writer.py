"""Everything that changes ``library.db``, one transaction a call."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from reader.address import MAX_ADDRESS, canonical
from reader.errors import StoreError
from reader.model import Article, LinkCheck, Mark, Problem
from reader.store import indexing, listing, merging, sqlite, standing
from reader.store import library_schema as schema
from reader.store.library import Library
from reader.store.preparing import Prepared, prepare
from reader.store.sectioning import Sections
from reader.store.standing import Columns, Row, Standing, Stays
from reader.store.story_writer import next_era, note_coming, note_leaving
from reader.text import clean

_NO_MARK = Mark("")
_Placing = tuple[
    int, int, bool, int | None, int | None, int
]  # section, article, unread, what it is sorted by
_NOTHING: Final = Stays(
    Standing(0, (), b"", None, []), story=False, placings=False, mentions=False, words=False, warnings=False
)
_LOADING: Final = {"cache_size": -3_000, "wal_autocheckpoint": 8_000}  # KB; pages
"""More memory saves nothing: what does not fit is written to the log, and read from there."""


@dataclass(slots=True)
class Batch:
    """What one transaction brings: articles and problems by path, paths to forget, folder times.

    ``arrived`` are the keys that the reader's rules are to look at.
    """

    articles: list[Article | Prepared] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    folders: list[tuple[str, str, bytes]] = field(default_factory=list)
    gone_folders: list[tuple[str, str]] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    weight: int = 0
    """Characters of text taken in by :meth:`add`."""

    def __len__(self) -> int:
        return len(self.articles) + len(self.problems) + len(self.removed)

    def add(self, found: Prepared | Problem) -> None:
        """Take in what a file gave."""
        if isinstance(found, Problem):
            self.problems.append(found)
        else:
            self.articles.append(found)
            self.weight += found.weight


class Writer:
    """Writes to *library* from the calling thread."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._sections = Sections()
        self._next: dict[int, int] = {}
        self._shift = 0

    # -- files --------------------------------------------------------------

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        """Meanwhile much is written: more is kept in memory and less often copied out of the log.

        The full-text index is left in as many parts as come, which are made one later: see ``merging``.
        """
        db = self.library.db
        merging.merge_meanwhile(db, merging.NEVER)
        with sqlite.errors(db):
            before = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in _LOADING]
            for name, value in _LOADING.items():
                db.execute(f"PRAGMA {name}={value}")
        try:
            yield
        finally:
            if db is self.library.db:  # else it was begun anew
                with contextlib.suppress(StoreError):  # it may be what ended this
                    merging.merge_meanwhile(db, merging.USUAL)
                with sqlite.errors(db):
                    for name, value in zip(_LOADING, before, strict=True):
                        db.execute(f"PRAGMA {name}={value}")

    def apply(
        self,
        batch: Batch,
        marks: Callable[[Iterable[str]], Mapping[str, Mark]],
        links: Callable[[Iterable[str]], Mapping[str, LinkCheck]],
    ) -> int:
        """Put *batch* in, whole or not at all; return how many problem files are gone or good again.

        *marks* and *links* answer what the reader's own store knows of keys and addresses. They are
        asked while nobody else can write: a mark made and copied between the answer and the writing
        would be overwritten here, and never be copied again.

        Raises:
            StoreError: nothing was changed.
        """
        articles = [a if isinstance(a, Prepared) else prepare(a) for a in batch.articles]
        with self.writing() as db:
            marked = marks(a.key for a in articles)
            checked = links(a.address for a in articles if a.address)
            self._shift = self.library.meta("shift")
            self._sections.find(db, (section for a in articles for section in a.sections))
            articles, stays = self._changes(db, articles, batch, marked)
            moving = (a.path for a in articles if a.path not in stays)
            hidden = self._hidden(db)
            cleared = _forget(db, [*batch.removed, *moving], hidden)
            _loosen(db, stays.values(), hidden)
            _forget(db, [p.path for p in batch.problems], hidden)
            self._insert(db, articles, marked, checked, stays)
            if self.library.meta("weighed"):  # before that, whoever weighs the words takes all there are
                note_coming(db, (a.key for a in articles if not stays.get(a.path, _NOTHING).story))
            if articles or batch.removed or batch.problems:
                next_era(db)
            db.executemany(
                "INSERT INTO problem VALUES (?, ?, '', ?, 0)",
                [(p.path, p.line, clean(p.reason)) for p in batch.problems],
            )
            db.executemany(
                "DELETE FROM folder WHERE source = ? AND path = ?",
                batch.gone_folders,
            )
            db.executemany("INSERT OR REPLACE INTO folder VALUES (?, ?, ?)", batch.folders)
            db.executemany("INSERT OR IGNORE INTO arrived VALUES (?)", [(key,) for key in batch.arrived])
            # The farthest that a rowid lies behind its time: searches by time need to know.
            self._put_meta(db, "shift", self._shift)
            if not all(a.plain for a in articles):
                self._put_meta(db, schema.PLAIN, 0)
            self._bump(db)
        return cleared

    def looked_at(self, keys: Sequence[str]) -> None:
        """The reader's rules have looked at the articles of *keys*."""
        with sqlite.write(self.library.db):
            self.library.db.executemany("DELETE FROM arrived WHERE key = ?", [(key,) for key in keys])

    def note(self, name: str, value: int) -> None:
        """Keep a number under *name*."""
        with sqlite.write(self.library.db):
            self._put_meta(self.library.db, name, value)

    def _changes(
        self, db: sqlite3.Connection, articles: list[Prepared], batch: Batch, marks: Mapping[str, Mark]
    ) -> tuple[list[Prepared], dict[str, Stays]]:
        """Those of *articles* that change anything, and by path what stays of those before them."""
        there = standing.at(db, (a.path for a in articles))
        for path in (*batch.removed, *(p.path for p in batch.problems)):
            there.pop(path, None)
        changing: list[Prepared] = []
        stays: dict[str, Stays] = {}
        for article in articles:
            if (old := there.get(article.path)) is not None:
                places = standing.places(article, self._sections.numbers)
                if old.is_all_of(article, places):
                    continue
                if (rows := old.stays(article, places, marks.get(article.key, _NO_MARK))) is not None:
                    stays[article.path] = rows
            changing.append(article)
        return changing, stays

    def _insert(
        self,
        db: sqlite3.Connection,
        articles: Sequence[Prepared],
        marks: Mapping[str, Mark],
        links: Mapping[str, LinkCheck],
        stays: Mapping[str, Stays],
    ) -> None:
        rows: list[tuple[object, ...]] = []
        changes: list[tuple[Standing, Row]] = []
        placings: list[_Placing] = []
        mentions: list[tuple[int, bytes, tuple[int, ...]]] = []
        texts: list[tuple[int, str, str, str, str]] = []
        before: dict[int, Columns] = {}
        beyond: list[tuple[int, bytes]] = []
        warnings: list[tuple[object, ...]] = []
        numbers = self._free_ids(db, articles, {path: kept.old.id for path, kept in stays.items()})
        self._sections.add(db, (section for article in articles for section in article.sections))
        known = self._sections.numbers
        for number, article in sorted(zip(numbers, articles, strict=True), key=itemgetter(0)):
            mark = marks.get(article.key, _NO_MARK)
            link = links.get(article.address)
            outcome = link.outcome.value if link else ""
            sections = sorted([known[section] for section in article.sections])
            places = " ".join(map(str, sections))
            row = (*article.values, mark.read, mark.starred, mark.hidden, outcome, places, article.urls)
            if (kept := stays.get(article.path, _NOTHING)) is _NOTHING:
                rows.append((number, *row))
            else:
                changes.append((kept.old, row))
            if not kept.placings:
                shown = (number, not mark.read, article.heat, article.quality, article.coverage)
                placings += [
                    (section, *shown) for section in ([self._hidden(db)] if mark.hidden else sections)
                ]
            if article.mentions and not kept.mentions:
                mentions.append((number, article.mentions, article.listed))
            if not kept.words:
                texts.append((number, *article.columns))
                if kept is not _NOTHING:
                    before[number] = kept.old.columns(article)
                if article.beyond is not None:
                    beyond.append((number, article.beyond))
            if article.warnings and not kept.warnings:
                warnings.extend((article.path, *warning) for warning in article.warnings)
        db.executemany(f"INSERT INTO article VALUES ({','.join('?' * 23)})", rows)
        standing.change(db, changes)
        _place(db, placings)
        listing.put(db, mentions)
        db.executemany("INSERT INTO problem VALUES (?, ?, ?, ?, 1)", warnings)
        db.executemany("INSERT INTO body VALUES (?, ?)", beyond)
        indexing.put(db, texts, before)

    def _free_ids(
        self, db: sqlite3.Connection, articles: Sequence[Prepared], kept: Mapping[str, int]
    ) -> list[int]:
        """A rowid for each of *articles*: the one *kept* by its path, or of its second, by path."""
        wanted = [schema.date_key(article.published) for article in articles]
        # Whole archives share one midnight: remember where the last search ended.
        starts = {want: self._next.get(want, want) for want in wanted}
        taken = set(standing.among(db, "SELECT id FROM article WHERE id IN", starts.values()))
        taken.update(kept.values())
        found = [0] * len(articles)
        for at in sorted(range(len(articles)), key=lambda at: (wanted[at], articles[at].path)):
            if (old := kept.get(articles[at].path)) is not None:
                found[at] = old
                continue
            want = wanted[at]
            number = starts[want]
            while number in taken or (
                # only the first of each second was asked for above
                number != want and db.execute("SELECT 1 FROM article WHERE id = ?", (number,)).fetchone()
            ):
                number += 1
            starts[want] = number + 1
            if number != want:  # few share a second; of all others there is nothing to remember
                self._next[want] = number + 1
            taken.add(number)
            found[at] = number
            if want != schema.UNDATED:
                self._shift = max(self._shift, number - want)
        return found

    def _hidden(self, db: sqlite3.Connection) -> int:
        return self._sections.number(db, ("hidden", ""))

    # -- what the reader's own store says -----------------------------------------

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction for all that is written inside; a part of one that is open already.

        Raises:
            StoreError: nothing was changed.
        """
        db = self.library.db
        if db.in_transaction:
            yield db
            return
        with sqlite.write(db):
            sqlite.check_in_place(db)
            self._sections.begin(db)
            yield db
            others = self._sections.ending(db)
        self._sections.ended(db, others)

    def copied_to(self, seq: int) -> None:
        """Every change of the marks up to *seq* is copied."""
        with self.writing() as db:
            self._put_meta(db, "marks_seq", seq)

    def adopt(self, state: str, seq: int) -> None:
        """Make sure that marks are copied from the state of that id, whose newest change is *seq*.

        Marks copied from any other, or later than that, are put back to none.
        """
        number = int(state[:12], 16)
        if self.library.meta("state") == number and self.library.meta("marks_seq") <= seq:
            return
        with self.writing() as db:
            for article, sections in db.execute("SELECT id, sections FROM article WHERE hidden").fetchall():
                self._hide(db, article, sections, _NO_MARK)
            db.execute("UPDATE placing SET unread = 1 WHERE NOT unread")
            db.execute("DELETE FROM remark")
            db.execute(
                "UPDATE article SET read = 0, starred = 0, hidden = 0, link = ''"
                " WHERE read OR starred OR hidden OR link <> ''"
            )
            for name, value in (("state", number), ("marks_seq", 0), ("checks_seq", 0)):
                self._put_meta(db, name, value)
            self._bump(db)

    def sync(self, marks: Sequence[Mark], checks: Sequence[tuple[int, LinkCheck]]) -> None:
        """Copy marks and link states in; both carry the number up to which the copy is now true."""
        if not marks and not checks:
            return
        with self.writing() as db:
            for mark in marks:
                self._mark(db, mark)
            for _, check in checks:
                key = canonical(check.address)
                # What is no http(s) address is no key either; the range keeps to the index.
                keyed = "key = ?" if key else "key >= 'file:' AND key < 'file;' AND ? = ''"
                values = (check.outcome.value, clean(check.address, MAX_ADDRESS), key)
                db.execute(f"UPDATE article SET link = ? WHERE url = ? AND {keyed}", values)
            if marks:
                self._put_meta(db, "marks_seq", marks[-1].seq)
            if checks:
                self._put_meta(db, "checks_seq", checks[-1][0])
            self._bump(db)

    def _mark(self, db: sqlite3.Connection, mark: Mark) -> None:
        if mark.note or mark.tags:
            values = (mark.key, _storable(mark.note), _storable("\n".join(mark.tags)))
            db.execute("INSERT OR REPLACE INTO remark VALUES (?, ?, ?)", values)
        else:
            db.execute("DELETE FROM remark WHERE key = ?", (mark.key,))
        for number, read, hidden, sections in db.execute(
            "SELECT id, read, hidden, sections FROM article WHERE key = ?", (mark.key,)
        ).fetchall():
            if bool(hidden) != mark.hidden:
                self._hide(db, number, sections, mark)
            elif bool(read) != mark.read:
                places = str(self._hidden(db)) if hidden else sections
                db.executemany(
                    "UPDATE placing SET unread = ? WHERE section = ? AND article = ?",
                    [(not mark.read, int(section), number) for section in places.split()],
                )
            db.execute(
                "UPDATE article SET read = ?, starred = ?, hidden = ? WHERE id = ?",
                (mark.read, mark.starred, mark.hidden, number),
            )

    def _hide(self, db: sqlite3.Connection, number: int, sections: str, mark: Mark) -> None:
        """A hidden article stands in the section of the hidden alone; ``sections`` keeps the others."""
        hidden = str(self._hidden(db))
        leave, enter = (sections, hidden) if mark.hidden else (hidden, sections)
        _unplace(db, number, leave)
        values = db.execute("SELECT heat, quality, coverage FROM article WHERE id = ?", (number,)).fetchone()
        _place(db, [(int(section), number, not mark.read, *values) for section in enter.split()])

    @staticmethod
    def _put_meta(db: sqlite3.Connection, name: str, value: int) -> None:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _bump(self, db: sqlite3.Connection) -> None:
        """Tell every open screen, in whatever process, that the index changed."""
        self._put_meta(db, "generation", self.library.meta("generation") + 1)


def _place(db: sqlite3.Connection, placings: Sequence[_Placing]) -> None:
    """Put rows in and count them. A trigger would count each by a search of its own."""
    db.executemany("INSERT INTO placing VALUES (?, ?, ?, ?, ?, ?)", sorted(placings, key=itemgetter(0, 1)))
    total = Counter(row[0] for row in placings)
    unread = Counter(row[0] for row in placings if row[2])
    db.executemany(
        "UPDATE section SET total = total + ?, unread = unread + ? WHERE id = ?",
        [(count, unread[section], section) for section, count in total.items()],
    )


def _unplace(db: sqlite3.Connection, number: int, sections: str) -> None:
    db.executemany(
        "DELETE FROM placing WHERE section = ? AND article = ?",
        [(int(section), number) for section in sections.split()],
    )


def _forget(db: sqlite3.Connection, paths: Sequence[str], hidden: int) -> int:
    """Take out what stands at *paths*; how many were problems."""
    problems = set(standing.among(db, "SELECT path FROM problem WHERE path IN", paths))
    db.executemany("DELETE FROM problem WHERE path = ?", [(path,) for path in problems])
    for number in sorted(standing.among(db, "SELECT id FROM article WHERE path IN", paths)):
        path, sections = db.execute("SELECT path, sections FROM article WHERE id = ?", (number,)).fetchone()
        problems.discard(path)
        note_leaving(db, number)
        _unplace(db, number, f"{sections} {hidden}")
        indexing.take(db, number)
        listing.take(db, number)
        db.execute("DELETE FROM article WHERE id = ?", (number,))
    return len(problems)


def _loosen(db: sqlite3.Connection, stays: Iterable[Stays], hidden: int) -> None:
    """Take out what does not stay of articles that are replaced at their place."""
    for rows in stays:
        old = rows.old
        if not rows.story:
            note_leaving(db, old.id)
        if not rows.placings:
            _unplace(db, old.id, f"{old.sections} {hidden}")
        if not rows.mentions:
            listing.take(db, old.id)
        if not rows.words and old.beyond is not None:
            db.execute("DELETE FROM body WHERE id = ?", (old.id,))
        if not rows.warnings:
            db.execute("DELETE FROM problem WHERE path = ?", (old.row[0],))


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
