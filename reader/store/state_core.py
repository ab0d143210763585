"""What every part of the state stands on: one connection, one lock, one way to write.

Rows of kept tables are written by :meth:`Core._change` alone: inside one
IMMEDIATE transaction it finds out what is to change, writes rows, sums and
totals, puts the change into the journal and commits. It returns only when the
change is on the disk twice.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from reader.digests import sha256
from reader.errors import StoreDamaged, StoreNewer, StoreReadOnly
from reader.store import sqlite, state_schema
from reader.store.backup import Safety
from reader.store.journal import Record
from reader.store.state_table import Row, Table, Value
from reader.values import dataclass

UNDO_DEPTH: Final = 1_000
"""Changes a session can take back."""

NOTHING: Final = "nothing changed"
"""The label of a change that found nothing to do."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def micros(when: datetime | None) -> int:
    """Microseconds since 1970; 0 stands for None."""
    return 0 if when is None else (when - _EPOCH) // timedelta(microseconds=1)


def moment(stored: Value) -> datetime | None:
    """The time that :func:`micros` was given."""
    return _EPOCH + timedelta(microseconds=int(stored)) if stored else None


@dataclass(frozen=True, slots=True)
class Change:
    """What a write did: in words (``read 37 articles``), the keys whose value it changed, its number.

    A write that found nothing to do has no keys.
    """

    label: str
    keys: tuple[str, ...]
    seq: int


class Edit(NamedTuple):
    """One row of a kept table: as stored, its columns before and after; None: no such row.

    A tuple, because "all read" makes 50,000 at once.
    """

    table: Table
    key: Value
    stored: Row | None
    before: Row | None
    after: Row | None


Told = tuple[str, Value, Row | None, Row | None]
"""An edit as one process tells it to another: name of the table, key, columns before and after."""

Plan = tuple[str, Sequence[Edit]]
"""What a change is called, and its edits."""


class Core:
    """The connection and what guards it. :class:`reader.store.state.State` adds the methods."""

    notice: str
    """One sentence when something happened to the marks at opening, else empty."""
    read_only: str
    """Why marks cannot be kept at present, or empty."""

    def __init__(
        self, db: sqlite.Connection, safety: Safety, clock: Callable[[], datetime], frozen: str = ""
    ) -> None:
        self.notice = ""
        self.read_only = frozen
        self._frozen = bool(frozen)
        self._db = db
        self._safety = safety
        self._clock = clock
        self._lock = threading.RLock()
        self._undo: deque[tuple[Change, Sequence[Edit]]] = deque(maxlen=UNDO_DEPTH)
        with sqlite.errors(db):
            self._id = state_schema.get_meta(db, "id")
        self._wrote = False
        self._closed = False

    @property
    def path(self) -> Path:
        """Where the state lies."""
        return self._safety.path

    @property
    def frozen(self) -> bool:
        """Whether it is a copy in memory, because nothing can be written there."""
        return self._frozen

    @property
    def id(self) -> str:
        """The state's own number, 32 hex digits: who keeps a copy of its content can tell whose it is.

        Another one when marks were lost in a repair: the copy must be made anew then.
        """
        with self._reading() as db:
            losses = state_schema.get_meta(db, "losses")
        if losses == "0":
            return self._id
        return sha256(f"{self._id}-{losses}".encode()).hexdigest()[:32]

    # -- guards -----------------------------------------------------------

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite.Connection]:
        with self._lock:
            try:
                with sqlite.errors(self._db):
                    yield self._db
            except StoreDamaged:
                self._safety.suspect()
                raise

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite.Connection]:
        with self._lock:
            if self._frozen:
                raise StoreReadOnly(self.read_only)
            try:
                sqlite.check_in_place(self._db)
                yield self._db
            except StoreReadOnly as error:
                self.read_only = str(error)
                raise
            except StoreDamaged:
                self._safety.suspect()
                raise
            self._wrote = True
            self.read_only = ""

    @contextlib.contextmanager
    def _plain_write(self) -> Iterator[sqlite.Connection]:
        """A transaction over tables that are not in the journal."""
        with self._writing() as db, sqlite.write(db):
            self._check_version(db)
            yield db

    @staticmethod
    def _check_version(db: sqlite.Connection) -> None:
        # A newer newsfold may have opened the file, and changed its tables, since we did.
        if state_schema.version(db) > len(state_schema.MIGRATIONS):
            raise StoreNewer("A newer newsfold has taken over these marks; please restart.")

    # -- kept rows --------------------------------------------------------

    def _change(self, plan: Callable[[], Plan], *, undoable: bool = True) -> Change:
        """Do what *plan*, called inside the transaction, wants done.

        Raises:
            StoreBusy, StoreReadOnly, StoreDamaged, StoreError; nothing was changed then.
        """
        with self._writing() as db:
            with self._safety.journal.entry() as entry, sqlite.write(db):
                self._check_version(db)
                label, wanted = plan()
                edits = [edit for edit in wanted if edit.before != edit.after]
                seq = int(state_schema.get_meta(db, "seq"))
                if not edits:
                    return Change(NOTHING, (), seq)
                if self._safety.journal.newest() is None:  # somebody tidied up
                    self._safety.journal.begin(self._id, state_schema.version(db), seq)
                record = make_record(edits, seq, micros(self._clock()))
                store(db, edits, record)
                entry.write(record)
            change = Change(label, tuple(str(edit.key) for edit in edits), record.seq)
            if undoable:
                self._undo.append((change, edits))
            return change

    def _edits(self, table: Table, keys: Sequence[Value], to: Callable[[Row], Row]) -> list[Edit]:
        """Edits that turn the rows of *keys* into what *to* makes of them; absent rows only if blank."""
        stored = table.fetch(self._db, keys)
        edits = []
        width = len(table.columns)
        for key in dict.fromkeys(keys):
            row = stored.get(key)
            before = table.blank(key) if row is None else row[:width]
            if before is not None:
                edits.append(Edit(table, key, row, before, to(before)))
        return edits

    def edits_of(self, change: Change) -> list[Told]:
        """What *change*, made here and not taken back, did: for who is to be able to take it back, too."""
        with self._lock:
            found = next((edits for known, edits in self._undo if known.seq == change.seq), ())
            return [(edit.table.name, edit.key, edit.before, edit.after) for edit in found]

    def learn(self, change: Change, told: Iterable[Told]) -> None:
        """Be able to take back a *change* that another process made, as if it were one of this session."""
        tables = {table.name: table for table in state_schema.TABLES}
        edits = [Edit(tables[name], key, None, before, after) for name, key, before, after in told]
        with self._lock:
            known = [*self._undo, (change, edits)]
            self._undo.clear()
            self._undo.extend(sorted(known, key=lambda one: one[0].seq))

    def undo(self) -> Change | None:
        """Take back this session's newest change not yet taken back; None when there is none.

        Only values that are still what the change made them: what another
        process has changed since stays. ``keys`` names what was really put back.

        Raises:
            StoreBusy, StoreReadOnly, StoreDamaged, StoreError; it can be tried again then.
        """
        with self._lock:
            if not self._undo:
                return None
            change, edits = self._undo[-1]
            done = self._change(lambda: (f"undid: {change.label}", self._reverse(edits)), undoable=False)
            self._undo.pop()
            return done

    def _reverse(self, edits: Sequence[Edit]) -> list[Edit]:
        by_table: dict[str, list[Value]] = defaultdict(list)
        for edit in edits:
            by_table[edit.table.name].append(edit.key)
        tables = {edit.table.name: edit.table for edit in edits}
        now = {name: tables[name].fetch(self._db, keys) for name, keys in by_table.items()}
        back = []
        for edit in edits:
            stored = now[edit.table.name].get(edit.key)
            width = len(edit.table.columns)
            current = edit.table.blank(edit.key) if stored is None else stored[:width]
            if current == edit.after:
                wanted = edit.before
            elif edit.before is None or edit.after is None or current is None:
                wanted = current
            else:
                wanted = _field_by_field(edit.table, current, edit.before, edit.after)
            back.append(Edit(edit.table, edit.key, stored, current, wanted))
        return back

    def seq(self) -> int:
        """The number of the newest change of a mark, source, search, rule or story."""
        with self._reading() as db:
            return int(state_schema.get_meta(db, "seq"))

    def data_version(self) -> int:
        """A number that changes when another process (or State) has written."""
        with self._reading() as db:
            return int(db.execute("PRAGMA data_version").fetchone()[0])


def _field_by_field(table: Table, current: Row, before: Row, after: Row) -> Row:
    """*current* with what *after* had changed of *before* put back, where it still is so."""
    wanted: list[Value] = []
    for column, value, was, made in zip(table.columns, current, before, after, strict=True):
        if column in table.bits:
            changed = (int(was) ^ int(made)) & ~(int(value) ^ int(made))
            wanted.append(int(value) ^ changed)
        else:
            wanted.append(was if value == made else value)
    return tuple(wanted)


def make_record(edits: Sequence[Edit], prev: int, at: int) -> Record:
    """The journal's line for *edits*, following change *prev*."""
    put: dict[str, list[Row]] = defaultdict(list)
    gone: dict[str, list[Value]] = defaultdict(list)
    for edit in edits:
        if edit.after is None:
            gone[edit.table.name].append(edit.key)
        else:
            put[edit.table.name].append(edit.after)
    return Record(prev + 1, prev, at, dict(put), dict(gone))


def store(db: sqlite.Connection, edits: Sequence[Edit], record: Record) -> None:
    """Write what *record* says, with sums and totals. Inside a transaction."""
    for table in state_schema.TABLES:
        mine = [edit.stored for edit in edits if edit.table.name == table.name]
        if not mine:
            continue
        count = int(state_schema.get_meta(db, f"count:{table.name}"))
        total = int(state_schema.get_meta(db, f"total:{table.name}"))
        old = [int(row[-1]) for row in mine if row is not None]
        rows = [(*row, record.at, record.seq) for row in record.put.get(table.name, ())]
        gone = record.gone.get(table.name, ())
        total += table.put(db, rows) - sum(old)
        table.delete(db, gone)
        count += len(rows) - len(old)
        state_schema.put_meta(db, {f"count:{table.name}": count, f"total:{table.name}": total})
    state_schema.put_meta(db, {"seq": record.seq})
