"""The state as JSON lines, to be kept elsewhere or merged into another one.

The first line is ``{"newsfold": "state", "schema": 1, "exported_at": …}``;
every other one is ``{<kind>: {…}}``. Times are ISO 8601 in UTC.

Importing merges, and never takes away:

* marks: a star or tag on either side stays; read and hidden are taken from
  the side changed last; of two different notes both stay, the older below.
* sources, searches, rules, overrules of stories: added unless they are there.
* settings: only those not set here. Link answers: the newer one; histories,
  headlines and what was seen of stories: both sides'.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

from reader.errors import UsageError
from reader.model import Outcome
from reader.store import state_schema
from reader.store.state_core import Change, Core, Edit, Plan, micros, moment
from reader.store.state_marks import pack_tags, unpack_tags
from reader.store.state_schema import (
    CHECK_HISTORY,
    CHECKS,
    HEADLINES,
    MARKS,
    RULES,
    SEARCHES,
    SETTINGS,
    SOURCES,
    STORY_EDITS,
    STORY_SEEN,
)
from reader.store.state_table import Row, Table, Value
from reader.values import dataclass

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

SCHEMA: Final = 1

_TIMES: Final = frozenset({"checked_at", "first_dead", "last_alive", "seen_at", "changed_at"})
_WHOLE: Final = frozenset({"status", "elapsed_ms"})
_FLAGS: Final = {"read": 1, "starred": 2, "hidden": 4}


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of line: its table and the columns that go out."""

    name: str
    table: Table
    columns: tuple[str, ...]


_KINDS: Final = (
    _Kind("source", SOURCES, ("path",)),
    _Kind("search", SEARCHES, ("name", "query")),
    _Kind("rule", RULES, ("name", "query", "action", "enabled")),
    _Kind("story", STORY_EDITS, ("kind", "key", "other")),
    _Kind("setting", SETTINGS, ("name", "value")),
    _Kind("check", CHECKS, CHECKS.columns[:-1]),
    _Kind("answer", CHECK_HISTORY, CHECK_HISTORY.columns),
    _Kind("seen", STORY_SEEN, ("story", "keys")),
    _Kind("headline", HEADLINES, HEADLINES.columns),
)
_BY_NAME: Final = {kind.name: kind for kind in _KINDS}


class Exchange(Core):
    """Export and import."""

    def export(self, stream: SupportsWrite[str]) -> int:
        """Write everything to *stream*, ASCII only; the number of lines after the first."""
        lines = 0
        header = {"newsfold": "state", "schema": SCHEMA, "exported_at": _iso(micros(self._clock()))}
        stream.write(json.dumps(header) + "\n")
        with self._reading() as db:
            for line in _lines(db):
                stream.write(json.dumps(line) + "\n")
                lines += 1
        return lines

    def import_(self, stream: TextIO) -> Change:
        """Merge what :meth:`export` wrote into this state, all of it or nothing.

        One change: ``undo`` takes back marks, sources, searches, rules and stories.

        Raises:
            UsageError: it is no such text; says in which line.
            StoreBusy, StoreReadOnly, StoreDamaged, StoreError
        """
        read = _parsed(stream)
        return self._change(lambda: self._merged(read))

    def _merged(self, read: _Read) -> Plan:
        edits: list[Edit] = []
        if read.marks:
            stored = MARKS.fetch(self._db, read.marks)
            for key, theirs in read.marks.items():
                mine = stored.get(key)
                before = (key, 0, "", "") if mine is None else mine[:4]
                after = _merge(before, int(mine[4]) if mine else 0, theirs)
                edits.append(Edit(MARKS, key, mine, before, after))
        for kind in (_BY_NAME[name] for name in ("source", "search", "rule", "story")):
            edits += self._additions(kind, read.rows[kind.name])
        self._merge_plain(read)
        return f"imported {len(read.marks):,} mark{'' if len(read.marks) == 1 else 's'}", edits

    def _additions(self, kind: _Kind, rows: list[Row]) -> Iterator[Edit]:
        table = kind.table
        have = list(table.rows(self._db.execute(table.select)))
        at = [table.columns.index(column) for column in kind.columns]
        known = {tuple(row[index] for index in at) for row in have}
        place_at = table.columns.index("place") if "place" in table.columns else 0
        number = max((int(row[0]) for row in have if isinstance(row[0], int)), default=0)
        place = max((int(row[place_at]) for row in have if place_at), default=0)
        for row in dict.fromkeys(rows):
            if row not in known:
                number, place = number + 1, place + 1
                values = {"id": number, "place": place, **dict(zip(kind.columns, row, strict=True))}
                new = tuple(values[column] for column in table.columns)
                yield Edit(table, new[0], None, None, new)

    def _merge_plain(self, read: _Read) -> None:
        db = self._db
        SETTINGS.add_missing(db, read.rows["setting"])
        CHECK_HISTORY.add_missing(db, read.rows["answer"])
        HEADLINES.add_missing(db, read.rows["headline"])
        seen = STORY_SEEN.fetch(db, (row[0] for row in read.rows["seen"]))
        for story, keys in read.rows["seen"]:
            both = set(json.loads(str(keys)))
            both.update(json.loads(str(seen[story][1])) if story in seen else ())
            STORY_SEEN.put(db, ((story, json.dumps(sorted(both))),))
        known = CHECKS.fetch(db, (row[0] for row in read.rows["check"]))
        seq = int(state_schema.get_meta(db, "checks_seq"))
        for row in read.rows["check"]:
            if row[0] not in known or int(known[row[0]][2]) < int(row[2]):
                seq += 1
                CHECKS.put(db, ((*row, seq),))
        state_schema.put_meta(db, {"checks_seq": seq})


@dataclass(slots=True)
class _Read:
    """What an import holds: marks (columns and time) by key, rows of every other kind."""

    marks: dict[str, Row] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=lambda: {kind.name: [] for kind in _KINDS})


def _merge(mine: Row, my_time: int, theirs: Row) -> Row:
    key, flags, note, tags = mine
    _, their_flags, their_note, their_tags, their_time = theirs
    newer = int(their_time) > my_time
    star = (int(flags) | int(their_flags)) & _FLAGS["starred"]
    rest = int(their_flags if newer else flags) & ~_FLAGS["starred"]
    notes = (str(their_note), str(note)) if newer else (str(note), str(their_note))
    merged = notes[0]
    if notes[1] and notes[1] not in merged:
        merged = f"{merged}\n\n{notes[1]}" if merged else notes[1]
    all_tags = pack_tags((*unpack_tags(str(tags)), *unpack_tags(str(their_tags))))
    return (key, rest | star, merged, all_tags)


def _lines(db: sqlite3.Connection) -> Iterator[dict[str, object]]:
    for row in MARKS.rows(db.execute(f"{MARKS.select} ORDER BY key")):
        key, flags, note, tags, at = row[:5]
        mark: dict[str, object] = {"key": key}
        mark.update((name, bool(int(flags) & bit)) for name, bit in _FLAGS.items())
        mark.update(note=note, tags=list(unpack_tags(str(tags))), changed_at=_iso(int(at)))
        yield {"mark": mark}
    for kind in _KINDS:
        order = "place, " if "place" in kind.table.columns else ""
        first = ", ".join(kind.table.columns[: kind.table.keys])
        for row in kind.table.rows(db.execute(f"{kind.table.select} ORDER BY {order}{first}")):
            values = dict(zip(kind.table.stored, row, strict=False))
            yield {kind.name: {column: _out(column, values[column]) for column in kind.columns}}


def _out(column: str, value: Value) -> object:
    if column in _TIMES:
        return _iso(int(value))
    if column == "enabled":
        return bool(value)
    if column in ("value", "keys"):
        return json.loads(str(value))
    return value


def _iso(stored: int) -> str | None:
    when = moment(stored)
    return when.isoformat() if when else None


# -- reading ------------------------------------------------------------------


def _parsed(stream: TextIO) -> _Read:
    read = _Read()
    number = 0
    try:
        for number, line in enumerate(stream, 1):
            if number == 1:
                _check_header(json.loads(line))
            elif line.strip():
                _take(read, json.loads(line))
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"Line {max(number, 1)} is no exported state: {reason}.") from error
    if not number:
        raise UsageError("There is no exported state: nothing was read.")
    return read


def _check_header(said: Any) -> None:
    if not isinstance(said, dict) or said.get("newsfold") != "state":
        raise ValueError("its first line does not say so")
    if said.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {said.get('schema')!r}, and this newsfold reads {SCHEMA}")


def _take(read: _Read, said: Any) -> None:
    if not isinstance(said, dict) or len(said) != 1:
        raise ValueError("one kind of thing is expected")
    [(name, values)] = said.items()
    if not isinstance(values, Mapping):
        raise ValueError(f"{name} must be an object")
    if name == "mark":
        flags = sum(bit for flag, bit in _FLAGS.items() if _boolean(values[flag]))
        tags = pack_tags(map(_text, values["tags"]))
        key = _text(values["key"])
        read.marks[key] = (key, flags, _text(values["note"]), tags, _time(values["changed_at"]))
    elif name in _BY_NAME:
        kind = _BY_NAME[name]
        row = tuple(_in(column, values[column]) for column in kind.columns)
        if name == "story" and row[0] not in ("split", "join"):
            raise ValueError(f"a story cannot be {row[0]!r}")
        read.rows[name].append(row)
    else:
        raise ValueError(f"{name!r} is not known")


def _in(column: str, value: Any) -> Value:
    reader: Callable[[Any], Value] = _text
    if column in ("checked_at", "seen_at") and not value:
        raise ValueError(f"{column} is missing")
    if column in _TIMES:
        reader = _time
    elif column in _WHOLE:
        reader = _whole
    elif column == "enabled":
        reader = _boolean
    elif column == "outcome":
        reader = _outcome
    elif column == "keys":
        reader = _texts
    elif column == "value":
        reader = json.dumps
    return reader(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text is expected instead of {value!r}")
    return value


def _texts(value: Any) -> str:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return json.dumps(sorted(map(_text, value)))


def _boolean(value: Any) -> int:
    if not isinstance(value, bool):
        raise TypeError(f"true or false is expected instead of {value!r}")
    return int(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise TypeError(f"a whole number is expected instead of {value!r}")
    return value


def _outcome(value: Any) -> str:
    return Outcome(value).value


def _time(value: Any) -> int:
    if value is None:
        return 0
    when = datetime.fromisoformat(_text(value))
    return micros(when if when.tzinfo else when.replace(tzinfo=UTC))
