"""What a reader has said of articles: read, starred, hidden, tags, a note."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from reader.model import Mark
from reader.store import sqlite
from reader.store.state_core import Change, Core, Plan, moment
from reader.store.state_schema import MARKS
from reader.store.state_table import Row

_READ: Final = 1
_STARRED: Final = 2
HIDDEN: Final = 4


class Marks(Core):
    """The marks of the state. An absent key has all defaults."""

    def mark(self, key: str) -> Mark:
        """What was said of one key."""
        return self.marks((key,)).get(key) or Mark(key)

    def marks(self, keys: Iterable[str]) -> dict[str, Mark]:
        """What was said of these keys; those of which nothing ever was are left out."""
        with self._reading() as db:
            return {str(key): _mark(row) for key, row in MARKS.fetch(db, keys).items()}

    def changed_since(self, seq: int) -> list[Mark]:
        """All marks with a change after number *seq*, by ``seq``, then key; the newest value of each.

        Includes marks that were put back to all defaults.
        """
        with self._reading() as db:
            rows = db.execute(f"{MARKS.select} WHERE seq>? ORDER BY seq, key", (seq,))
            return [_mark(row) for row in MARKS.rows(rows)]

    def set_read(self, keys: Sequence[str], read: bool) -> Change:
        """Mark articles read or unread."""
        return self._flag(keys, _READ, read, "read" if read else "unread")

    def set_starred(self, keys: Sequence[str], starred: bool) -> Change:
        """Star articles or take their stars away."""
        return self._flag(keys, _STARRED, starred, "starred" if starred else "unstarred")

    def set_hidden(self, keys: Sequence[str], hidden: bool) -> Change:
        """Hide articles or show them again."""
        return self._flag(keys, HIDDEN, hidden, "hid" if hidden else "showed")

    def set_tags(self, key: str, tags: Sequence[str]) -> Change:
        """Give an article exactly these tags; blank ones and repetitions are dropped."""
        wanted = pack_tags(tags)
        return self._marks_change((key,), lambda row: (*row[:3], wanted), "tagged" if wanted else "untagged")

    def add_tags(self, keys: Sequence[str], tags: Sequence[str]) -> Change:
        """Give articles these tags beside those they have."""

        def to(row: Row) -> Row:
            return (*row[:3], pack_tags((*unpack_tags(str(row[3])), *tags)))

        return self._marks_change(keys, to, "tagged")

    def set_note(self, key: str, note: str) -> Change:
        """Put *note* on an article; the empty note removes it."""
        return self._marks_change(
            (key,), lambda row: (*row[:2], note, row[3]), "noted" if note else "removed the note of"
        )

    def tags(self) -> list[tuple[str, int]]:
        """Every tag in use with its number of articles, most used first."""
        with self._reading() as db:
            rows = db.execute("SELECT tags FROM marks WHERE tags<>''")
            counts = Counter(tag for row in rows for tag in unpack_tags(sqlite.unbind(row[0])))
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    def _flag(self, keys: Sequence[str], bit: int, on: bool, verb: str) -> Change:
        def to(row: Row) -> Row:
            flags = int(row[1])
            return (row[0], flags | bit if on else flags & ~bit, *row[2:])

        return self._marks_change(keys, to, verb)

    def _marks_change(self, keys: Sequence[str], to: Callable[[Row], Row], verb: str) -> Change:
        def plan() -> Plan:
            edits = self._edits(MARKS, keys, to)
            count = sum(edit.before != edit.after for edit in edits)
            return f"{verb} {count:,} article{'' if count == 1 else 's'}", edits

        return self._change(plan)


def _mark(row: Row) -> Mark:
    key, flags, note, tags, at, seq = row[:6]
    bits = int(flags)
    return Mark(
        str(key),
        bool(bits & _READ),
        bool(bits & _STARRED),
        bool(bits & HIDDEN),
        str(note),
        unpack_tags(str(tags)),
        int(seq),
        moment(at),
    )


def pack_tags(tags: Iterable[str]) -> str:
    """Tags as they are stored: a JSON list, or empty."""
    clean = list(dict.fromkeys(tag for tag in map(str.strip, tags) if tag))
    return json.dumps(clean) if clean else ""


def unpack_tags(stored: str) -> tuple[str, ...]:
    """The tags that :func:`pack_tags` was given."""
    return tuple(json.loads(stored)) if stored else ()
