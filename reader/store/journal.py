"""The second copy of the marks: an append-only, checksummed file of every change.

One change is one line, ``<CRC-32 in hex> <JSON>``, in the newest file
``changes-<first change>.log`` of the folder beside ``state.db``; a new file is
begun with each backup, so that every backup with the files that follow it
gives the whole.

**Order.** The line is written and synced *before* the database commits, inside
its transaction; when the commit is refused the line is cut off again. So

* a mark that was shown stands in both, always;
* a change that stands here alone was asked for by the reader, in a process
  that died between the two steps: opening applies it;
* a change that was refused stands in neither. (A disk that fails both the
  commit and the cutting leaves its line here; it is cut off by the next change,
  or when the state is closed. Only when the disk fails until then, or the process
  dies before, the refused mark comes back at the next start.)
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from reader.errors import StoreDamaged, StoreReadOnly
from reader.store.state_table import Row, Value
from reader.values import dataclass

_PATTERN: Final = "changes-*.log"
_TAIL: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Record:
    """One change: rows as they are after it (without ``at``, ``seq``), and keys removed.

    ``prev`` is the change before; ``at`` is in microseconds since 1970.
    """

    seq: int
    prev: int
    at: int
    put: dict[str, list[Row]] = field(default_factory=dict)
    gone: dict[str, list[Value]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segment:
    """One file: which state it belongs to, the version of its tables, the change before its first."""

    path: Path
    id: str
    version: int
    prev: int


@dataclass(slots=True)
class Entry:
    """The journal's part of one transaction."""

    journal: Journal
    handle: int = -1
    size: int = 0

    def write(self, record: Record) -> None:
        """Append and sync *record*. Raises StoreReadOnly when the disk will not take it."""
        line = _line([record.seq, record.prev, record.at, record.put, record.gone])
        path = self.journal.newest()
        if path is None:
            raise StoreDamaged(f"The journal in {self.journal.folder} was removed while it was in use.")
        try:
            self.handle = self.journal.locked(path)
            self.size = os.fstat(self.handle).st_size
            if self.size and os.pread(self.handle, 1, self.size - 1) != b"\n":
                line = b"\n" + line  # a crash left half a line: it stays, and counts for nothing
            _write(self.handle, line)
            sync(self.handle)
        except OSError as error:
            raise StoreReadOnly(f"{path} cannot be written: {error.strerror}.") from error

    def take_back(self) -> None:
        """Cut the line off again: its commit was refused."""
        if self.handle >= 0:
            self.journal.cut(self.handle, self.size)

    def close(self) -> None:
        """Let other processes write."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1


class Journal:
    """The files of changes in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._uncut: tuple[int, int, int] | None = None
        """A refused line that the disk would not let be cut: the file's inode, where it begins and ends."""

    def locked(self, path: Path) -> int:
        """A handle of the file at *path*, which nobody else writes until it is closed. Raises OSError."""
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._cut_again(handle)
        except OSError:
            os.close(handle)
            raise
        return handle

    def cut(self, handle: int, size: int) -> None:
        """Cut a refused line off, or do so later when the disk will not have it now."""
        end = os.fstat(handle).st_size
        try:
            os.ftruncate(handle, size)
            sync(handle)
        except OSError:
            self._uncut = (os.fstat(handle).st_ino, size, end)

    def _cut_again(self, handle: int) -> None:
        if self._uncut is None:
            return
        inode, size, end = self._uncut
        stat = os.fstat(handle)
        # Behind what another process has written since, it has no number of its own, and counts for nothing.
        if stat.st_ino == inode and stat.st_size in (size, end):
            os.ftruncate(handle, size)
            sync(handle)
        self._uncut = None

    def settle(self) -> bool:
        """Try once more to cut off what was refused, before the file is read or left; whether it is gone."""
        path = self.newest() if self._uncut is not None else None
        if path is not None:
            with contextlib.suppress(OSError):
                os.close(self.locked(path))
        return self._uncut is None

    @contextlib.contextmanager
    def entry(self) -> Iterator[Entry]:
        """To be held around one transaction; takes the line back when that raises."""
        entry = Entry(self)
        try:
            yield entry
        except BaseException:
            entry.take_back()
            raise
        finally:
            entry.close()

    def files(self) -> list[Path]:
        """All files, oldest first."""
        return sorted(self.folder.glob(_PATTERN))

    def newest(self) -> Path | None:
        """The file that is written."""
        files = self.files()
        return files[-1] if files else None

    def begin(self, state_id: str, version: int, prev: int) -> None:
        """Start a new file whose first change follows change *prev*.

        To be called while no other process can write changes. Raises StoreReadOnly.
        """
        newest = self.newest()
        number = 1 + (int(newest.stem.rpartition("-")[2]) if newest else 0)
        path = self.folder / f"changes-{number:010d}.log"
        header = _line({"newsfold": "changes", "id": state_id, "version": version, "prev": prev})
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            # Written aside first: a file of this name always has its header.
            aside = path.with_suffix(".new")
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                _write(handle, header)
                sync(handle)
            finally:
                os.close(handle)
            aside.rename(path)
            sync_folder(self.folder)
        except OSError as error:
            raise StoreReadOnly(f"{path} cannot be written: {error.strerror}.") from error

    def segment(self, path: Path) -> Segment | None:
        """What the file says of itself, or None when its first line is damaged."""
        try:
            with path.open("rb") as file:
                said = _parsed(file.readline(1 << 12))
        except OSError:
            return None
        match said:
            case {"newsfold": "changes", "id": str(state_id), "version": int(version), "prev": int(prev)}:
                return Segment(path, state_id, version, prev)
        return None

    def last(self) -> tuple[str, int] | None:
        """(state id, number) of the newest change, by the end of the newest file.

        None when that file is missing or its sound part cannot be told.
        """
        path = self.newest()
        segment = self.segment(path) if path else None
        if path is None or segment is None:
            return None
        last = segment.prev
        for line in _lines_from_end(path):
            record = _record(line)
            if record is not None:
                last = record.seq
                break
        return segment.id, last

    def read(self, path: Path) -> Iterator[Record | None]:
        """The changes of one file in order; None for each damaged line (but a torn last one)."""
        try:
            with path.open("rb") as file:
                file.readline()
                for line in file:
                    record = _record(line)
                    if record is not None or line.endswith(b"\n"):
                        yield record
        except OSError:
            yield None

    def needed_but_damaged(self, path: Path, following: Path | None) -> int:
        """Damaged lines of a file without which its changes do not follow on each other.

        Half a line that a crash left, its commit never having happened, is not needed.
        """
        segment = self.segment(path)
        after = self.segment(following) if following else None
        reached = segment.prev if segment else 0
        needed = unsure = 0
        for record in self.read(path):
            if record is None:
                unsure += 1
                continue
            if record.prev > reached:
                needed += max(unsure, 1)
            reached, unsure = record.seq, 0
        if after is not None and after.prev > reached:
            needed += max(unsure, 1)
        return needed

    def drop_before(self, seq: int) -> None:
        """Remove files that hold nothing after change *seq*; never the newest one."""
        files = self.files()
        for path, following in itertools.pairwise(files):
            after = self.segment(following)
            if after is None or after.prev > seq:
                break
            path.unlink(missing_ok=True)


def _line(value: object) -> bytes:
    text = json.dumps(value, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _parsed(line: bytes) -> Any:
    """The JSON of one line, or None when it is not what was written."""
    text = line[9:].removesuffix(b"\n")
    try:
        if len(line) < 11 or int(line[:8], 16) != zlib.crc32(text):
            return None
        return json.loads(text)
    except ValueError:
        return None


def _record(line: bytes) -> Record | None:
    match _parsed(line):
        case [int(seq), int(prev), int(at), dict(put), dict(gone)]:
            rows = {table: [tuple(row) for row in some] for table, some in put.items()}
            return Record(seq, prev, at, rows, gone)
    return None


def _lines_from_end(path: Path) -> Iterator[bytes]:
    """The lines of a file, last one first, without its first (the header)."""
    with path.open("rb") as file:
        at = file.seek(0, os.SEEK_END)
        rest = b""
        while at:
            step = min(at, max(_TAIL, len(rest)))
            at = file.seek(at - step)
            pieces = (file.read(step) + rest).split(b"\n")
            rest = pieces[0]
            yield from (piece for piece in reversed(pieces[1:]) if piece)


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def sync(handle: int) -> None:
    """Hand a file's content to the disk itself, past the drive's cache where the system can."""
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        with contextlib.suppress(OSError):  # not every file system takes it
            fcntl.fcntl(handle, full)
            return
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Make renames in *folder* last."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
