"""Stories into ``library.db``, and the notes of what has changed since they were made."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from reader.store import listing, sqlite
from reader.store.library import Library
from reader.values import dataclass

Overrule = tuple[int, str, str, str]
"""Number, kind, key, other."""


@dataclass(frozen=True, slots=True)
class NewPiece:
    """A piece to be written; ``text`` numbers the texts of its story, ``inside``: it is in the library."""

    key: str
    text: int
    title: str
    excerpt: str
    outlet: str
    domain: str
    published: int | None
    quality: int | None
    type: str
    url: str
    has_amp: bool
    inside: bool


@dataclass(frozen=True, slots=True)
class NewStory:
    """A story to be written: its pieces by time, and the keys of those in the library, the lead first."""

    key: str
    pieces: Sequence[NewPiece]
    leads: Sequence[str]
    outlets: int
    texts: int
    new_pieces: int = 0
    new_outlets: int = 0


def note_leaving(db: sqlite3.Connection, article: int) -> None:
    """*article* is about to be taken out: what it was tied to must be looked at again."""
    for names in (
        "SELECT key FROM article WHERE id = ?",
        "SELECT name FROM alias WHERE article = ?",
    ):
        db.execute(f"INSERT OR IGNORE INTO unfolded {names}", (article,))
    note_coming(db, filter(None, (entry[listing.KEY] for entry in listing.of(db, article))))
    db.execute("DELETE FROM alias WHERE article = ?", (article,))
    # By way of its story: there is no index of leads.
    db.execute(
        "UPDATE story SET lead = NULL WHERE lead = ?1"
        " AND id IN (SELECT story FROM telling WHERE article = ?1)",
        (article,),
    )
    db.execute("DELETE FROM telling WHERE article = ?", (article,))


def note_coming(db: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Articles with these keys were put in."""
    db.executemany("INSERT OR IGNORE INTO unfolded VALUES (?)", ((key,) for key in keys))


def next_era(db: sqlite3.Connection) -> None:
    """Articles or stories change: what was read of them before is of the past."""
    db.execute("INSERT INTO meta VALUES ('era', 1) ON CONFLICT(name) DO UPDATE SET value = value + 1")


class StoryWriter:
    """Writes stories to *library* from the calling thread, one transaction a call.

    Raises StoreError from every method, nothing changed then.
    """

    def __init__(self, library: Library) -> None:
        self.library = library

    def weigh(self, weights: Mapping[str, Mapping[str, float]], total: int) -> None:
        """Keep the weights of words, made of *total* articles.

        When they are others than before, or the first, every article is to be looked at.
        """
        value = json.dumps(weights, sort_keys=True)
        db = self.library.db
        with sqlite.write(db):
            sqlite.check_in_place(db)
            before = db.execute("SELECT value FROM meta WHERE name = 'vocabulary'").fetchone()
            if before is None or before[0] != value or not self.library.meta("weighed"):
                db.execute("INSERT OR REPLACE INTO meta VALUES ('vocabulary', ?)", (value,))
                db.execute("INSERT OR IGNORE INTO unfolded SELECT key FROM article")
                next_era(db)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('weighed', ?)", (total,))

    def alias(self, rows: Iterable[tuple[int, str]], era: int) -> bool:
        """Keep (article, name) for the names articles have besides keys; *era* as for :meth:`put`."""
        db = self.library.db
        with sqlite.write(db):
            sqlite.check_in_place(db)
            if self.library.meta("era") != era:
                return False
            db.executemany("INSERT OR IGNORE INTO alias VALUES (?, ?)", rows)
        return True

    def overrule(self, edits: Sequence[Overrule], names: Iterable[str]) -> None:
        """From now on *edits* are in force; *names*, of what came or went, are to be looked at again."""
        db = self.library.db
        with sqlite.write(db):
            sqlite.check_in_place(db)
            note_coming(db, names)
            db.execute("DELETE FROM overrule")
            db.executemany("INSERT INTO overrule VALUES (?, ?, ?, ?)", edits)
            next_era(db)

    def put(self, dropped: Collection[str], stories: Sequence[NewStory], era: int) -> bool:
        """Put *stories* in the place of all that had a piece of the keys *dropped*.

        *era* is ``library.meta("era")`` from before what they were made of was
        read; False, and nothing done, when articles have changed since.
        """
        db = self.library.db
        with sqlite.write(db):
            sqlite.check_in_place(db)
            if self.library.meta("era") != era:
                return False
            keys = [(key,) for key in dropped]
            db.execute("CREATE TEMP TABLE IF NOT EXISTS leaving(key TEXT PRIMARY KEY) WITHOUT ROWID")
            db.execute("DELETE FROM leaving")
            db.executemany("INSERT OR IGNORE INTO leaving VALUES (?)", keys)
            gone = db.execute(
                "SELECT DISTINCT story FROM piece WHERE key IN (SELECT key FROM leaving)"
            ).fetchall()
            for table in ("piece", "telling"):
                db.executemany(f"DELETE FROM {table} WHERE story = ?", gone)
            db.executemany("DELETE FROM story WHERE id = ?", gone)
            self._insert(db, stories)
            db.execute("DELETE FROM unfolded WHERE name IN (SELECT key FROM leaving)")
            db.execute("DELETE FROM leaving")
            next_era(db)
            db.execute(
                "INSERT INTO meta VALUES ('generation', 1) ON CONFLICT(name) DO UPDATE SET value = value + 1"
            )
        return True

    @staticmethod
    def _insert(db: sqlite3.Connection, stories: Sequence[NewStory]) -> None:
        number = db.execute("SELECT coalesce(max(id), 0) FROM story").fetchone()[0]
        told: list[tuple[int, int, int]] = []
        rows: list[tuple[object, ...]] = []
        pieces: list[tuple[object, ...]] = []
        for story in stories:
            number += 1
            articles = [
                article
                for key in story.leads
                for (article,) in db.execute("SELECT id FROM article WHERE key = ? ORDER BY id DESC", (key,))
            ]
            told += [(article, number, rank) for rank, article in enumerate(articles)]
            times = [piece.published for piece in story.pieces if piece.published is not None]
            rows.append(
                (
                    number,
                    story.key,
                    articles[0] if articles else None,
                    len(story.pieces),
                    story.outlets,
                    story.texts,
                    min(times, default=None),
                    max(times, default=None),
                    story.new_pieces,
                    story.new_outlets,
                )
            )
            pieces += [
                (p.key, number, n, p.text, p.title, p.excerpt, p.outlet, p.domain, p.published, p.quality,
                 p.type, p.url, p.has_amp, p.inside)
                for n, p in enumerate(story.pieces)
            ]  # fmt: skip
        db.executemany(f"INSERT INTO story VALUES ({','.join('?' * 10)})", rows)
        db.executemany(f"INSERT INTO piece VALUES ({','.join('?' * 14)})", pieces)
        db.executemany("INSERT OR REPLACE INTO telling VALUES (?, ?, ?)", told)

    def looked(self, stories: Collection[int]) -> None:
        """The reader has seen all there is of *stories*."""
        db = self.library.db
        with sqlite.write(db):
            sqlite.check_in_place(db)
            done = db.executemany(
                "UPDATE story SET new_pieces = 0, new_outlets = 0 WHERE id = ? AND new_pieces",
                [(story,) for story in stories],
            ).rowcount
            if done > 0:
                db.execute(
                    "INSERT INTO meta VALUES ('generation', 1)"
                    " ON CONFLICT(name) DO UPDATE SET value = value + 1"
                )
