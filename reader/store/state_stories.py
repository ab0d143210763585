"""Stories: the reader's overrules, what was seen of each, and headlines as they were."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from reader.errors import UsageError
from reader.store import sqlite
from reader.store.state_core import Change, Core, Edit, Plan, micros, moment
from reader.store.state_schema import HEADLINES, STORY_EDITS, STORY_SEEN
from reader.values import dataclass

HEADLINES_KEPT: Final = 20
"""Headlines remembered of one article."""

_PRUNE: Final = """
DELETE FROM headlines WHERE key=?1 AND seen_at <= (
    SELECT seen_at FROM headlines WHERE key=?1 ORDER BY seen_at DESC LIMIT 1 OFFSET ?2)
"""


@dataclass(frozen=True, slots=True)
class StoryEdit:
    """``split``: *key* is no part of the story it was put in; ``join``: *key* and *other* tell one story."""

    kind: str
    key: str
    other: str
    seq: int


@dataclass(frozen=True, slots=True)
class Headline:
    """How an article's headline and excerpt read when they were seen."""

    title: str
    excerpt: str
    seen_at: datetime


class Stories(Core):
    """Overrules are in the journal; what was seen is in backups only."""

    def story_edits(self) -> list[StoryEdit]:
        """Every overrule, oldest first."""
        with self._reading() as db:
            rows = db.execute(f"{STORY_EDITS.select} ORDER BY id")
            edits = list(STORY_EDITS.rows(rows))
        return [StoryEdit(str(row[1]), str(row[2]), str(row[3]), int(row[5])) for row in edits]

    def overrules(self) -> list[tuple[int, str, str, str]]:
        """The same as the library keeps them, numbered from 0: number, kind, key, other."""
        return [(number, e.kind, e.key, e.other) for number, e in enumerate(self.story_edits())]

    def add_story_edit(self, kind: str, key: str, other: str = "") -> Change:
        """Add an overrule: ``split`` *key* off its story, or ``join`` *key* and *other*.

        ``Change.keys`` holds the overrule's number as text. Raises UsageError for another kind.
        """
        if kind not in ("split", "join") or not key or (kind == "join" and not other):
            raise UsageError(f"A story can be split at a key or two keys joined, not {kind!r}.")

        def plan() -> Plan:
            number = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM story_edits").fetchone()[0]
            label = "split a story" if kind == "split" else "joined two stories"
            return label, (Edit(STORY_EDITS, number, None, None, (number, kind, key, other)),)

        return self._change(plan)

    def story_seen(self, key: str) -> frozenset[str]:
        """The articles of a story that had been seen when it was last looked at."""
        with self._reading() as db:
            row = STORY_SEEN.fetch(db, (key,)).get(key)
        return frozenset(json.loads(str(row[1]))) if row else frozenset()

    def stories_seen(self, keys: Iterable[str]) -> dict[str, frozenset[str]]:
        """What :meth:`story_seen` gives, for those of *keys* under which anything was."""
        with self._reading() as db:
            rows = STORY_SEEN.fetch(db, keys)
        return {str(key): frozenset(json.loads(str(row[1]))) for key, row in rows.items()}

    def set_story_seen(self, key: str, keys: Iterable[str]) -> None:
        """Remember which articles of a story have been seen."""
        with self._plain_write() as db:
            STORY_SEEN.put(db, ((key, json.dumps(sorted(set(keys)))),))

    def headline_history(self, key: str) -> list[Headline]:
        """How an article's headline read, oldest first."""
        with self._reading() as db:
            rows = db.execute(f"{HEADLINES.select} WHERE key=? ORDER BY seen_at", (sqlite.bind(key),))
            return [_headline(row[2], row[3], row[1]) for row in HEADLINES.rows(rows)]

    def headline_keys(self) -> frozenset[str]:
        """The keys of the articles that headlines are remembered of."""
        with self._reading() as db:
            rows = db.execute("SELECT DISTINCT key FROM headlines")
            return frozenset(sqlite.unbind(row[0]) for row in rows)

    def record_headlines(self, items: Iterable[tuple[str, Headline]]) -> None:
        """Remember (key, headline) pairs that differ from the newest one known of their key."""
        with self._plain_write() as db:
            changed = []
            for key, seen in items:
                query = f"{HEADLINES.select} WHERE key=? ORDER BY seen_at DESC LIMIT 1"
                known = next(HEADLINES.rows(db.execute(query, (sqlite.bind(key),))), None)
                if known is None or known[2:4] != (seen.title, seen.excerpt):
                    HEADLINES.put(db, ((key, micros(seen.seen_at), seen.title, seen.excerpt),))
                    changed.append(key)
            db.executemany(_PRUNE, ((sqlite.bind(key), HEADLINES_KEPT) for key in changed))


def _headline(title: object, excerpt: object, seen_at: str | int) -> Headline:
    when = moment(seen_at)
    assert when is not None, "every headline has a time"
    return Headline(str(title), str(excerpt), when)
