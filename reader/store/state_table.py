"""Rows of ``state.db`` that can tell whether they are still what was written.

Every row carries in ``sum`` the CRC-32 of its other columns, because SQLite
itself notices only some of the bits that rot (364 of 500 single flips passed
its quick check). Columns hold text or integers, never NULL; text that is not
valid Unicode is kept as bytes (:func:`reader.store.sqlite.bind`).
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from reader.errors import StoreDamaged
from reader.store.sqlite import bind, chunks, marks_for, unbind

Value = str | int
Row = tuple[Value, ...]
"""The values of a table's ``columns``, the key first."""


@dataclass(frozen=True)
class Table:
    """One table: its columns, the ``keys`` first ones being its primary key.

    A *kept* table is also in the journal: its rows carry besides ``columns``
    when (``at``, microseconds since 1970) and by which change (``seq``) they
    were last written, and have a single key column.

    ``since`` is the version of the schema that brought the table; ``default``
    is what an absent row's other columns stand for, where it stands for
    anything; ``bits`` are columns of which each bit is a value by itself.
    """

    name: str
    columns: tuple[str, ...]
    keys: int = 1
    kept: bool = False
    since: int = 1
    default: Row | None = None
    bits: tuple[str, ...] = ()

    @cached_property
    def stored(self) -> tuple[str, ...]:
        """All columns but ``sum``."""
        return (*self.columns, "at", "seq") if self.kept else self.columns

    @cached_property
    def select(self) -> str:
        """A query for whole rows, ``sum`` last, to be continued with WHERE or ORDER BY."""
        return f"SELECT {', '.join(self.stored)}, sum FROM {self.name}"

    @cached_property
    def _insert(self) -> str:
        marks = ", ".join("?" * (len(self.stored) + 1))
        return f"INSERT OR REPLACE INTO {self.name}({', '.join(self.stored)}, sum) VALUES({marks})"

    @cached_property
    def sums(self) -> str:
        """A query for every row's ``sum`` and the bytes it should be the sum of."""
        joined = "||x'1f'||".join(self.stored)
        return f"SELECT sum, CAST({joined} AS BLOB) FROM {self.name}"

    def blank(self, key: Value) -> Row | None:
        """The columns of an absent row."""
        return None if self.default is None else (key, *self.default)

    def put(self, db: sqlite3.Connection, rows: Iterable[Row]) -> int:
        """Write whole rows (every column of ``stored``); return the total of their sums."""
        total = 0

        def bound() -> Iterator[tuple[str | bytes | int, ...]]:
            nonlocal total
            for row in rows:
                text = "\x1f".join(map(str, row))
                try:
                    number = zlib.crc32(text.encode())
                except UnicodeEncodeError:
                    number = row_sum(row)
                    yield (*(bind(v) if isinstance(v, str) else v for v in row), number)
                else:
                    yield (*row, number)
                total += number

        db.executemany(self._insert, bound())
        return total

    def add_missing(self, db: sqlite3.Connection, rows: Iterable[Row]) -> None:
        """Write those whole rows whose key is not there yet."""
        where = " AND ".join(f"{column}=?" for column in self.columns[: self.keys])
        query = f"SELECT 1 FROM {self.name} WHERE {where}"

        def known(row: Row) -> bool:
            key = [bind(v) if isinstance(v, str) else v for v in row[: self.keys]]
            return db.execute(query, key).fetchone() is not None

        self.put(db, [row for row in rows if not known(row)])

    def fetch(self, db: sqlite3.Connection, keys: Iterable[Value]) -> dict[Value, Row]:
        """Whole rows, ``sum`` last, by their (first) key column; absent ones are left out."""
        found: dict[Value, Row] = {}
        wanted = [bind(key) if isinstance(key, str) else key for key in keys]
        # Thousands are asked for where nothing was ever said; none where an older file has no such table.
        if not wanted or db.execute(f"SELECT 1 FROM {self.name} LIMIT 1").fetchone() is None:
            return found
        for part in chunks(wanted):
            query = f"{self.select} WHERE {self.columns[0]} IN ({marks_for(part)})"
            for row in self.rows(db.execute(query, part)):
                found[row[0]] = row
        return found

    def delete(self, db: sqlite3.Connection, keys: Iterable[Value]) -> None:
        """Remove the rows of these (first) key columns."""
        db.executemany(
            f"DELETE FROM {self.name} WHERE {self.columns[0]}=?",
            ((bind(key) if isinstance(key, str) else key,) for key in keys),
        )

    @staticmethod
    def rows(cursor: Iterable[Sequence[str | bytes | int]]) -> Iterator[Row]:
        """What a query of :attr:`select` gave, with text as it was put in."""
        for row in cursor:
            yield tuple([unbind(v) if isinstance(v, bytes) else v for v in row])

    def scan(self, db: sqlite3.Connection) -> tuple[int, int, int]:
        """Check every row: (rows, total of their sums, rows that are not what was written)."""
        count = total = bad = 0
        crc = zlib.crc32
        for number, content in db.execute(self.sums):
            count += 1
            if content is None or crc(content) != number:
                bad += 1
            else:
                total += number
        return count, total, bad + self._mistyped(db)

    def _mistyped(self, db: sqlite3.Connection) -> int:
        """Rows with text turned into bytes: one bit, which no sum of the content can see."""
        odd = " OR ".join(f"typeof({column})='blob'" for column in self.columns)
        bad = 0
        for row in db.execute(f"{self.select} WHERE {odd}"):
            bad += any(isinstance(v, bytes) and not _needs_bytes(v) for v in row)
        return bad

    def sound_rows(self, db: sqlite3.Connection) -> Iterator[Row]:
        """The rows that are what was written, as far as a damaged file gives them out."""
        for row in self.rows(db.execute(self.select)):
            if all(isinstance(v, str | int) for v in row) and row_sum(row[:-1]) == row[-1]:
                yield row[:-1]


def _needs_bytes(value: bytes) -> bool:
    """Whether *value* is text that :func:`bind` turns into bytes."""
    try:
        return bind(unbind(value)) == value
    except StoreDamaged:
        return False


def row_sum(row: Sequence[Value]) -> int:
    """The checksum of a row without its ``sum``."""
    return zlib.crc32("\x1f".join(map(str, row)).encode("utf-8", "surrogatepass"))
