"""What was said of one key, said of another: an article came under another address, or was renamed."""

from __future__ import annotations

import functools
import itertools
import json
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence

from reader.store import sqlite
from reader.store.state_core import Change, Core, Edit, Plan
from reader.store.state_marks import HIDDEN, pack_tags, unpack_tags
from reader.store.state_schema import MARKS, SETTINGS, STORY_EDITS
from reader.store.state_table import Row, Value

_DONE = "followed"  # the step that was done last
_WIDTH = len(MARKS.columns)

Moves = Sequence[tuple[str, str]]
"""(old key, new key) of each file that comes under another key; one key may be there more than once."""


class Following(Core):
    """Marks and overrules of stories that go along."""

    def follow(self, moves: Moves, held: Collection[str], step: str) -> Change:
        """Say of each new key what was said of its old one.

        *held* are the keys that other files have, then as before: such an old
        key keeps its marks too, such a new one is given what both had. What was
        once said of a new key that no file has is newer, and stays; but not where
        its own file moves on (two that change places). The same *step* is done
        only once. It is nothing a reader did, so there is nothing to take back.
        """
        left = {old for old, _ in moves}.difference(held)
        sources: dict[str, list[str]] = {}
        for old, new in moves:
            sources.setdefault(new, []).append(old)

        def plan() -> Plan:
            done = SETTINGS.fetch(self._db, (_DONE,)).get(_DONE)
            if done is not None and done[1] == json.dumps(step):
                return "", ()
            SETTINGS.put(self._db, ((_DONE, json.dumps(step)),))
            stored = MARKS.fetch(self._db, {key for move in moves for key in move})
            rows = {str(key): row[:_WIDTH] for key, row in stored.items()}
            edits = []
            for new, olds in sources.items():
                if new in rows and new not in held and new not in left:
                    continue
                said = [rows[key] for key in ([new] if new in held else []) + olds if key in rows]
                blank = MARKS.blank(new)
                after = _together(new, said) if said else blank
                edits.append(Edit(MARKS, new, stored.get(new), rows.get(new, blank), after))
            return "marks followed an article", [*edits, *_overrules(self._db, moves)]

        with self._lock:
            change = self._change(plan, undoable=False)
            if change.keys:
                self.take_back_both(moves)
            return change

    def take_back_both(self, moves: Moves) -> None:
        """Have an undo of what was said of an old key take it back of the new one too.

        For who made the marks, where another process let them follow.
        """
        instead = _by_old(moves)
        with self._lock:
            undoable = [(change, [*edits, *_moved(edits, instead)]) for change, edits in self._undo]
            self._undo.clear()
            self._undo.extend(undoable)


def _together(key: str, said: Sequence[Row]) -> Row:
    """The marks of *key* that has those of several: what was said of any, hidden where all are."""
    flags = [int(row[1]) for row in said]
    some, every = functools.reduce(operator.or_, flags), functools.reduce(operator.and_, flags)
    notes = dict.fromkeys(str(row[2]) for row in said if row[2])
    tags = itertools.chain.from_iterable(unpack_tags(str(row[3])) for row in said)
    return (key, (some & ~HIDDEN) | (every & HIDDEN), "\n".join(notes), pack_tags(tags))


def _by_old(moves: Moves) -> dict[Value, list[Value]]:
    instead: dict[Value, list[Value]] = {}
    for old, new in moves:
        instead.setdefault(old, []).append(new)
    return instead


def _moved(edits: Iterable[Edit], instead: Mapping[Value, Sequence[Value]]) -> list[Edit]:
    """The same edits of the new keys."""

    def of(row: Row | None, key: Value) -> Row | None:
        return None if row is None else (key, *row[1:])

    return [
        Edit(MARKS, new, None, of(edit.before, new), of(edit.after, new))
        for edit in edits
        if edit.table is MARKS
        for new in instead.get(edit.key, ())
    ]


def _overrules(db: sqlite.Connection, moves: Moves) -> list[Edit]:
    """Overrules to be added, so that each that names an old key is given for its new ones too."""
    known = [row[1:4] for row in STORY_EDITS.rows(db.execute(f"{STORY_EDITS.select} ORDER BY id"))]
    number = db.execute("SELECT coalesce(max(id), 0) FROM story_edits").fetchone()[0]
    edits, instead, there = [], _by_old(moves), set(known)
    for kind, *keys in known:
        for new in itertools.product(*(instead.get(key, [key]) for key in keys)):
            if (kind, *new) not in there:
                there.add((kind, *new))
                number += 1
                edits.append(Edit(STORY_EDITS, number, None, None, (number, kind, *new)))
    return edits
