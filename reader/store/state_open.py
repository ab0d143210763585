"""Opening ``state.db``: checked, put right, brought up to date, or read-only in memory.

What opening notices, always: a header or schema that is not ours, every
changed, lost or doubled row of the kept tables (marks, sources, searches,
stories), a database that is behind its journal. What only ``verify()``
notices: damage in link checks, settings and other tables that are not in the
journal, in pages that hold no row, in the journal and in the backups. Once
anything has noticed damage, the next opening checks the whole file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from reader.errors import StoreBusy, StoreDamaged, StoreError, StoreReadOnly
from reader.store import sqlite, state_check, state_repair, state_schema
from reader.store.backup import Safety, seal_of
from reader.store.journal import sync_folder
from reader.store.state_repair import Rebuilt
from reader.values import dataclass

_PATIENCE: Final = 30.0
"""Seconds to wait while another process opens, which may mean that it repairs."""

_live: Final[Counter[Path]] = Counter()
_live_lock: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection ready for use; ``frozen``: it is a copy in memory, and why."""

    db: sqlite.Connection
    notice: str = ""
    frozen: str = ""


def open_state(path: Path, safety: Safety, clock: Callable[[], datetime], *, mend: bool = True) -> Opened:
    """Open the state at *path*; without *mend* one that is whole, or none.

    Raises:
        StoreBusy, StoreNewer, StoreError (another program's file; it cannot be read)
        StoreDamaged: there is something to mend
    """
    try:
        if mend:
            safety.make()
        elif not safety.folder.is_dir():
            raise StoreDamaged(f"{path} was missing, with all that lies beside it.")
        with _alone(safety):
            opened = _open(path, safety, clock, mend=mend)
    except StoreReadOnly as error:
        opened = _frozen(path, safety, str(error))
    with _live_lock:
        _live[path.resolve()] += 1
    return opened


def reopen_state(db: sqlite.Connection, safety: Safety, clock: Callable[[], datetime]) -> Opened:
    """Open what lies at its path now in the place of *db*, which stays open when that fails.

    Raises as :func:`open_state` does.
    """
    path = safety.path.resolve()
    with _live_lock:
        _live[path] -= 1  # nobody reads or writes through it meanwhile: it holds no locks to be dropped
    try:
        opened = open_state(safety.path, safety, clock)
    except BaseException:
        with _live_lock:
            _live[path] += 1
        raise
    with contextlib.suppress(StoreError), sqlite.errors(db):
        db.close()  # of a file that was moved it leaves alone what lies at its path
    return opened


def close_state(db: sqlite.Connection, safety: Safety, *, seal: bool) -> None:
    """Close the file; *seal*: note its digest when it is sound and nobody else has it open."""
    with contextlib.suppress(StoreError), sqlite.errors(db):
        db.close()
    path = safety.path
    with _live_lock:
        _live[path.resolve()] -= 1
    if not seal:
        return
    with contextlib.suppress(OSError, StoreError):
        if path.with_name(path.name + "-wal").exists():
            return  # open elsewhere
        # What is on the disk is checked, not what this session believed of it.
        check = sqlite.connect_read_only(path)
        try:
            sound = not state_check.faults(check, whole=False)
        finally:
            check.close()
        if sound and not _open_here(path):
            (safety.folder / "sealed").write_text(seal_of(path), encoding="ascii")


def _open_here(path: Path) -> bool:
    """Whether this process has the file open: reading it by hand would drop SQLite's locks."""
    with _live_lock:
        return _live[path.resolve()] > 0


@contextlib.contextmanager
def _alone(safety: Safety) -> Iterator[None]:
    """Only one process opens or repairs a state at a time."""
    deadline = time.monotonic() + _PATIENCE
    try:
        handle = os.open(safety.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreReadOnly(f"{safety.folder} cannot be written: {error.strerror}.") from error
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreBusy(f"{safety.path} is being opened by another program; try again.") from None
                time.sleep(0.02)
            except OSError:
                break  # a file system without such locks
        yield
    finally:
        os.close(handle)


def _open(path: Path, safety: Safety, clock: Callable[[], datetime], *, mend: bool) -> Opened:
    db: sqlite.Connection | None = None
    notice = fault = ""
    if not path.exists() or not path.stat().st_size:
        if not safety.holds_anything():
            return Opened(_made(sqlite.connect(path), safety))
        fault = "was empty" if path.exists() else "was missing"
    else:
        db, found = _checked(path, safety)
        if db is not None and found == state_check.BLANK and not safety.holds_anything():
            return Opened(_made(db, safety))
        fault = f"was damaged ({found})" if found else ""
    if db is None or fault:
        if not mend:
            if db is not None:
                db.close()
            safety.suspect()
            raise StoreDamaged(f"{path} {fault.rstrip('.')}.")
        db, notice = _restored(path, safety, db, fault, clock())
    try:
        with sqlite.errors(db):
            if state_schema.version(db) < len(state_schema.MIGRATIONS):
                safety.back_up(clock())
                state_schema.migrate(db)
            brought_back = _settle(db, safety, clock())
    except BaseException:
        db.close()
        raise
    safety.trust()
    return Opened(db, notice or brought_back)


def _made(db: sqlite.Connection, safety: Safety) -> sqlite.Connection:
    """Turn an empty database into a state."""
    try:
        with contextlib.suppress(OSError):
            safety.path.chmod(0o600)
        state_schema.migrate(db)
        with sqlite.write(db):
            safety.journal.begin(state_schema.get_meta(db, "id"), state_schema.version(db), 0)
    except BaseException:
        db.close()
        raise
    return db


def _checked(path: Path, safety: Safety) -> tuple[sqlite.Connection | None, str]:
    """A connection to the file, if it takes one, and what is wrong with it, or empty.

    Raises:
        StoreNewer, StoreBusy, StoreReadOnly, StoreError
    """
    alone = not _open_here(path)
    fault = state_check.header_fault(path) if alone else ""
    if fault:
        return None, fault
    suspected = safety.suspected()
    sealed = alone and not suspected and _sealed(path, safety)
    try:
        db = sqlite.connect(path)
    except StoreDamaged as error:
        return None, state_check.brief(error)
    try:
        faults = [] if sealed else state_check.faults(db, whole=suspected)
        if not faults and state_repair.cut_off(db, safety):
            faults = ["it is older than its journal"]
    except BaseException:
        db.close()
        raise
    return db, faults[0] if faults else ""


def _sealed(path: Path, safety: Safety) -> bool:
    """Whether the file is, bit for bit, one that was checked after it was closed."""
    try:
        wal = path.with_name(path.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            return False
        return (safety.folder / "sealed").read_text(encoding="ascii") == seal_of(path)
    except (OSError, ValueError):
        return False


def _restored(
    path: Path, safety: Safety, old: sqlite.Connection | None, fault: str, now: datetime
) -> tuple[sqlite.Connection, str]:
    """Put a rebuilt state in the place of a damaged one; a connection, and what to tell the reader.

    The new file is whole on the disk before the old one is renamed.
    """
    existed = path.exists()
    try:
        rebuilt = state_repair.rebuild(safety, path if existed else None)
        try:
            aside = state_repair.written(rebuilt.db, path)
            # Even without a file its log may be left; the new file must not meet it.
            kept = state_repair.quarantine(path, now)
            aside.rename(path)
            sync_folder(path.parent)
            notice = _told(rebuilt, fault, kept if existed else None)
        finally:
            rebuilt.db.close()
        for left in path.parent.glob(f"{path.name}.new-*"):
            left.unlink(missing_ok=True)  # of repairs that were cut off
    except OSError as error:
        raise StoreReadOnly(f"{path} cannot be replaced: {error.strerror}.") from error
    finally:
        if old is not None:
            old.close()
    return sqlite.connect(path), notice


def _told(rebuilt: Rebuilt, fault: str, kept: Path | None) -> str:
    """What happened, in one sentence."""
    count = rebuilt.count()
    marks = f"{count:,} mark{'' if count == 1 else 's'}"
    source = "the journal"
    if rebuilt.base is not None:
        source = f"the backup of {rebuilt.base.at:%Y-%m-%d %H:%M} UTC and the journal"
    found = f"The file of your marks {fault.rstrip('.')}"
    aside = f"it was kept as {kept.name}, and " if kept else ""
    if rebuilt.whole:
        return f"{found}; {aside}all {marks} were restored from {source}."
    return f"{found}; {aside}{marks} were restored from {source}, but the newest may be missing."


def _settle(db: sqlite.Connection, safety: Safety, now: datetime) -> str:
    """Make file and journal agree; what to tell the reader when changes had been lost."""
    journal = safety.journal
    state_id = state_schema.get_meta(db, "id")
    version = state_schema.version(db)
    if journal.last() == (state_id, int(state_schema.get_meta(db, "seq"))) and _current(safety, version):
        return ""
    with sqlite.write(db):  # so that nobody adds a change meanwhile
        seq = int(state_schema.get_meta(db, "seq"))
        last = journal.last()
        if last is None or last[0] != state_id or last[1] < seq or not _current(safety, version):
            if seq:
                safety.back_up(now)
            journal.begin(state_id, version, seq)
            return ""
    if last[1] == seq:
        return ""
    whole = state_repair.replay(db, safety)
    missing = int(state_schema.get_meta(db, "seq")) - seq
    if missing <= 1 and whole:
        return ""  # a process was stopped between journal and commit; the reader had seen nothing yet
    return f"The file of your marks was behind its journal: {missing:,} changes were brought back."


def _current(safety: Safety, version: int) -> bool:
    newest = safety.journal.newest()
    segment = safety.journal.segment(newest) if newest else None
    return segment is not None and segment.version == version


def _frozen(path: Path, safety: Safety, reason: str) -> Opened:
    """The state as it can be read, in memory, because nothing can be written.

    Raises:
        StoreNewer, StoreError
    """
    notice = fault = ""
    db: sqlite.Connection | None = None
    if not path.exists() or not path.stat().st_size:
        fault = "was missing" if safety.holds_anything() else ""
        db = None if fault else state_repair.memory(path)
    else:
        fault = state_check.header_fault(path) if not _open_here(path) else ""
        if not fault:
            db = state_repair.loaded(path, path)
            faults = state_check.faults(db, whole=False)
            fault = faults[0] if faults else ""
        fault = f"was damaged ({fault})" if fault else ""
    if db is None or fault:
        if db is not None:
            db.close()
        rebuilt = state_repair.rebuild(safety, path if path.exists() else None)
        db, notice = rebuilt.db, _told(rebuilt, fault, None)
    else:
        state_schema.migrate(db)
        state_repair.replay(db, safety)
    return Opened(db, notice, reason)
