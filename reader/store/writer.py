"""Everything that changes ``library.db``, one transaction a call."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reader.address import MAX_ADDRESS, canonical
from reader.model import Article, LinkCheck, Mark, Problem, Provider, Related
from reader.store import indexing, sqlite
from reader.store import library_schema as schema
from reader.store.indexing import EXCERPT
from reader.store.library import Library
from reader.store.story_writer import next_era, note_coming, note_leaving
from reader.text import clean

_NO_MARK = Mark("")


@dataclass(slots=True)
class Batch:
    """What one transaction brings: articles and problems by path, paths to forget, folder times.

    ``arrived`` are the keys that the reader's rules are to look at.
    """

    articles: list[Article] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    folders: list[tuple[str, str, bytes]] = field(default_factory=list)
    gone_folders: list[tuple[str, str]] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.articles) + len(self.problems) + len(self.removed)


class Writer:
    """Writes to *library* from the calling thread."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._sections: dict[tuple[str, str], int] = {}
        self._next: dict[int, int] = {}
        self._shift = 0

    # -- files --------------------------------------------------------------

    def apply(
        self,
        batch: Batch,
        marks: Callable[[Iterable[str]], Mapping[str, Mark]],
        links: Callable[[Iterable[str]], Mapping[str, LinkCheck]],
    ) -> int:
        """Put *batch* in, whole or not at all; return how many problem files are gone or good again.

        *marks* and *links* answer what the reader's own store knows of keys and addresses.

        Raises:
            StoreError: nothing was changed.
        """
        marked = marks(a.key for a in batch.articles)
        checked = links(a.address for a in batch.articles if a.address)
        db = self.library.db
        with sqlite.write(db):
            sqlite.check_in_place(db)
            self._load_sections(db)
            self._shift = self.library.meta("shift")
            cleared = self._forget(db, [*batch.removed, *(a.path for a in batch.articles)])
            self._forget(db, [p.path for p in batch.problems])
            self._insert(db, batch.articles, marked, checked)
            note_coming(db, (a.key for a in batch.articles))
            if len(batch):
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

    def _load_sections(self, db: sqlite3.Connection) -> None:
        self._sections = {
            (kind, name): i for i, kind, name in db.execute("SELECT id, kind, name FROM section")
        }

    def _section(self, db: sqlite3.Connection, kind: str, name: str) -> int:
        number = self._sections.get((kind, name))
        if number is None:
            cursor = db.execute("INSERT INTO section(kind, name) VALUES (?, ?)", (kind, name))
            number = self._sections[kind, name] = int(cursor.lastrowid or 0)
        return number

    def _forget(self, db: sqlite3.Connection, paths: Sequence[str]) -> int:
        """Take out what stands at *paths*; how many were problems."""
        problems = 0
        for path in paths:
            row = db.execute("SELECT id, sections FROM article WHERE path = ?", (path,)).fetchone()
            told = db.execute("DELETE FROM problem WHERE path = ?", (path,)).rowcount
            if row is None:
                problems += told > 0
                continue
            note_leaving(db, row[0])
            _unplace(db, row[0], f"{row[1]} {self._hidden(db)}")
            indexing.take(db, row[0])
            db.execute("DELETE FROM mention WHERE article = ?", (row[0],))
            db.execute("DELETE FROM article WHERE id = ?", (row[0],))
        return problems

    def _insert(
        self,
        db: sqlite3.Connection,
        articles: Sequence[Article],
        marks: Mapping[str, Mark],
        links: Mapping[str, LinkCheck],
    ) -> None:
        rows: list[tuple[object, ...]] = []
        placings: list[tuple[int, int, bool, int | None, int | None, int]] = []
        mentions: list[tuple[object, ...]] = []
        warnings: list[tuple[object, ...]] = []
        texts: list[tuple[int, str, str, list[str], bytes | None]] = []
        taken: set[int] = set()
        for article in sorted(articles, key=lambda a: (_epoch(a.published_at) or 0, a.path)):
            mark = marks.get(article.key, _NO_MARK)
            link = links.get(article.address)
            number = self._free_id(db, schema.date_key(_epoch(article.published_at)), taken)
            sections = self._sections_of(db, article)
            coverage = len(article.related)
            row = _article_values(article)
            rows.append(
                (
                    number,
                    *row,
                    mark.read,
                    mark.starred,
                    mark.hidden,
                    link.outcome.value if link else "",
                    " ".join(map(str, sections)),
                    _other_addresses(article),
                )
            )
            placings.extend(
                (section, number, not mark.read, _fits(article.heat), _fits(article.quality), coverage)
                for section in ([self._hidden(db)] if mark.hidden else sections)
            )
            related = [_mention_values(r) for r in article.related]
            mentions.extend((number, n, *values) for n, values in enumerate(related))
            titles = [str(values[1]) for values in related]
            texts.append((number, str(row[2]), str(row[3]), titles, indexing.beyond(article)))
            warnings.extend((article.path, w.line, clean(w.field), clean(w.reason)) for w in article.warnings)
        db.executemany(f"INSERT INTO article VALUES ({','.join('?' * 23)})", rows)
        placings.sort()
        db.executemany("INSERT INTO placing VALUES (?, ?, ?, ?, ?, ?)", placings)
        db.executemany(f"INSERT INTO mention VALUES ({','.join('?' * 12)})", mentions)
        db.executemany("INSERT INTO problem VALUES (?, ?, ?, ?, 1)", warnings)
        db.executemany("INSERT INTO body VALUES (?, ?)", [(t[0], t[4]) for t in texts if t[4] is not None])
        indexing.put(db, texts)

    def _free_id(self, db: sqlite3.Connection, wanted: int, taken: set[int]) -> int:
        # Whole archives share one midnight: remember where the last search ended.
        number = self._next.get(wanted, wanted)
        while number in taken or db.execute("SELECT 1 FROM article WHERE id = ?", (number,)).fetchone():
            number += 1
        self._next[wanted] = number + 1
        taken.add(number)
        if wanted != schema.UNDATED:
            self._shift = max(self._shift, number - wanted)
        return number

    def _sections_of(self, db: sqlite3.Connection, article: Article) -> list[int]:
        wanted = {("all", "")}
        wanted |= {("topic", name) for topic in article.topics if (name := clean(topic, 200))}
        if outlet := outlet_name(article.provider):
            wanted.add(("outlet", outlet))
        if article.published is False:
            wanted.add(("unpublished", ""))
        return sorted(self._section(db, *w) for w in wanted)

    def _hidden(self, db: sqlite3.Connection) -> int:
        return self._section(db, "hidden", "")

    # -- what the reader's own store says -----------------------------------------

    def adopt(self, state: str, seq: int) -> None:
        """Make sure that marks are copied from the state of that id, whose newest change is *seq*.

        Marks copied from any other, or later than that, are put back to none.
        """
        number = int(state[:12], 16)
        if self.library.meta("state") == number and self.library.meta("marks_seq") <= seq:
            return
        db = self.library.db
        with sqlite.write(db):
            sqlite.check_in_place(db)
            self._load_sections(db)
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
        db = self.library.db
        with sqlite.write(db):
            sqlite.check_in_place(db)
            self._load_sections(db)
            for mark in marks:
                self._mark(db, mark)
            for _, check in checks:
                db.execute(
                    "UPDATE article SET link = ? WHERE url = ? AND key = ?",
                    (check.outcome.value, clean(check.address, MAX_ADDRESS), canonical(check.address)),
                )
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
        db.executemany(
            "INSERT INTO placing SELECT ?, id, ?, heat, quality, coverage FROM article WHERE id = ?",
            [(int(section), not mark.read, number) for section in enter.split()],
        )

    @staticmethod
    def _put_meta(db: sqlite3.Connection, name: str, value: int) -> None:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _bump(self, db: sqlite3.Connection) -> None:
        """Tell every open screen, in whatever process, that the index changed."""
        self._put_meta(db, "generation", self.library.meta("generation") + 1)


def outlet_name(provider: Provider) -> str:
    """The outlet as lists show it: its name, else its domain."""
    return clean(provider.name, 200) or clean(provider.domain, 200)


def _unplace(db: sqlite3.Connection, number: int, sections: str) -> None:
    db.executemany(
        "DELETE FROM placing WHERE section = ? AND article = ?",
        [(int(section), number) for section in sections.split()],
    )


def _epoch(when: datetime | None) -> int | None:
    return None if when is None else int(when.timestamp())


def _article_values(a: Article) -> tuple[object, ...]:
    flags = (
        (schema.HAS_IMAGE if a.images else 0)
        | (schema.HAS_AMP if a.amp_url or a.cdn_amp_url else 0)
        | (schema.HAS_BODY if a.body.strip() else 0)
        | (schema.SEALED if a.secured else 0)
        | (schema.HAS_RELATED if a.related else 0)
    )
    return (
        a.path,
        a.key,
        clean(a.title),
        clean(a.excerpt, EXCERPT),
        outlet_name(a.provider),
        clean(a.provider.domain, 200),
        clean(a.category, 200),
        clean(a.type, 200),
        _epoch(a.published_at),
        _epoch(a.updated_at),
        clean(a.address, MAX_ADDRESS),
        _fits(a.quality),
        _fits(a.heat),
        a.published,
        len(a.related),
        flags,
    )


def _mention_values(r: Related) -> tuple[object, ...]:
    return (
        r.key,
        clean(r.title),
        clean(r.excerpt, EXCERPT),
        outlet_name(r.provider),
        clean(r.provider.domain, 200),
        _epoch(r.published_at),
        _fits(r.quality),
        clean(r.type, 200),
        clean(r.address, MAX_ADDRESS),
        clean(r.amp_url or r.cdn_amp_url, MAX_ADDRESS),
    )


def _other_addresses(a: Article) -> str:
    """The addresses of *a* besides the one it is opened at, one a line."""
    found = dict.fromkeys((a.web_url, a.original_url, a.amp_url, a.cdn_amp_url))
    return "\n".join(clean(url, MAX_ADDRESS) for url in found if url and url != a.address)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _fits(number: int | None) -> int | None:
    """SQLite's integers have 64 bits; a publisher's need not."""
    return number if number is None or abs(number) < 1 << 62 else None
