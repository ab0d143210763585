"""The folder ``state.db.safety``: the journal, the backups, and what is known of the file's health.

A backup is ``backup-<time>-<newest change>-<SHA-256, 16 hex digits>.db``, a
whole database that was checked row by row before it counted. Kept are the
newest three, the newest of each of the last four days that have one, and of
each of the last four weeks.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reader.digests import blake2b, sha256
from reader.errors import StoreDamaged, StoreReadOnly
from reader.store import sqlite, state_check, state_schema
from reader.store.journal import Journal, sync, sync_folder
from reader.values import dataclass

if TYPE_CHECKING:
    import hashlib

RECENT: Final = 3
DAILY: Final = 4
WEEKLY: Final = 4
EVERY: Final = timedelta(hours=20)
"""A backup is due when the newest is older than this and something has changed."""

_NAME: Final = re.compile(r"backup-(\d{8}T\d{6})Z-(\d+)-([0-9a-f]{16})\.db")
_STALE: Final = 3_600  # seconds; nobody is still writing such a file
_STAMP: Final = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup: when it was made, and the newest change in it."""

    path: Path
    at: datetime
    seq: int
    digest: str

    def sound(self) -> bool:
        """Whether the file is, byte for byte, the one that was made."""
        try:
            return file_digest(self.path).startswith(self.digest)
        except OSError:
            return False


def stamp(at: datetime) -> str:
    """A time as it stands in file names."""
    return at.astimezone(UTC).strftime(_STAMP) + "Z"


def file_digest(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    return _digest(path, sha256())


def seal_of(path: Path) -> str:
    """A digest of a file, sooner made: every start and every end makes one. Raises OSError."""
    return _digest(path, blake2b(digest_size=32))


def _digest(path: Path, digest: hashlib._Hash | hashlib.blake2b) -> str:
    with path.open("rb", buffering=0) as file:
        while data := file.read(1 << 16):
            digest.update(data)
    return digest.hexdigest()


class Safety:
    """Everything beside ``state.db`` that lets its content come back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path.with_name(path.name + ".safety")
        self.journal = Journal(self.folder)

    def make(self) -> None:
        """Create the folder. Raises StoreReadOnly."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreReadOnly(f"{self.folder} cannot be made: {error.strerror}.") from error

    def holds_anything(self) -> bool:
        """Whether there is anything a lost state could be brought back from."""
        last = self.journal.last()
        return bool(self.backups()) or (last is not None and last[1] > 0) or len(self.journal.files()) > 1

    # -- suspicion --------------------------------------------------------

    def suspect(self) -> None:
        """Remember that the file must be checked whole at the next opening."""
        with contextlib.suppress(OSError):
            (self.folder / "suspect").touch(mode=0o600)

    def suspected(self) -> bool:
        """Whether damage was seen since the file was last checked whole."""
        return (self.folder / "suspect").exists()

    def trust(self) -> None:
        """The file has been checked whole."""
        with contextlib.suppress(OSError):
            (self.folder / "suspect").unlink(missing_ok=True)

    # -- backups ----------------------------------------------------------

    def backups(self) -> list[Backup]:
        """All backups on the rota, newest first."""
        found = []
        for path in self.folder.glob("backup-*.db"):
            named = _NAME.fullmatch(path.name)
            if named:
                at = datetime.strptime(named[1], _STAMP).replace(tzinfo=UTC)
                found.append(Backup(path, at, int(named[2]), named[3]))
        return sorted(found, key=lambda backup: (backup.seq, backup.at), reverse=True)

    def due(self, seq: int, now: datetime) -> bool:
        """Whether a backup of a state whose newest change is *seq* should be made."""
        backups = self.backups()
        if not backups:
            return seq > 0
        newest = max(backup.at for backup in backups)
        return backups[0].seq != seq and not (now - EVERY < newest <= now)

    def copy(self, to: Path) -> int:
        """Write a checked copy of the live state to *to*, which must not exist; return its newest change.

        Raises:
            StoreDamaged: the state is not sound; nothing was written.
            StoreReadOnly, StoreBusy, StoreError
        """
        aside = to.with_name(f".{to.name}.{os.urandom(4).hex()}")
        try:
            live = sqlite.connect_read_only(self.path)
            try:
                with sqlite.errors(aside):
                    live.execute("PRAGMA query_only=OFF")  # else it may not even write elsewhere
                    live.execute("VACUUM INTO ?", (os.fspath(aside),))
            finally:
                live.close()
            aside.chmod(0o600)
            made = sqlite.connect_read_only(aside, immutable=True)
            try:
                faults = state_check.faults(made, whole=True)
                if faults:
                    raise StoreDamaged(f"{self.path} is damaged ({faults[0]}); it was not backed up.")
                seq = int(state_schema.get_meta(made, "seq"))
            finally:
                made.close()
            handle = os.open(aside, os.O_RDONLY | os.O_CLOEXEC)
            try:
                sync(handle)
            finally:
                os.close(handle)
            # A link never replaces what is there, as a rename would.
            os.link(aside, to)
            sync_folder(to.parent)
        except OSError as error:
            raise StoreReadOnly(f"{to} cannot be written: {error.strerror}.") from error
        finally:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
        return seq

    def back_up(self, now: datetime) -> Path:
        """Put a new backup on the rota and drop those past it. Raises as :meth:`copy` does."""
        self.make()
        raw = self.folder / f"new-{os.urandom(6).hex()}.db"
        seq = self.copy(raw)
        try:
            final = self.folder / f"backup-{stamp(now)}-{seq}-{file_digest(raw)[:16]}.db"
            raw.rename(final)
            sync_folder(self.folder)
        except OSError as error:
            raise StoreReadOnly(f"{self.folder} cannot be written: {error.strerror}.") from error
        self.prune()
        return final

    def prune(self) -> None:
        """Drop backups past the rota, and the journal's files that only they needed."""
        backups = sorted(self.backups(), key=lambda backup: (backup.at, backup.seq), reverse=True)
        keep = {backup.path for backup in backups[:RECENT]}
        days: dict[str, Path] = {}
        weeks: dict[str, Path] = {}
        for backup in backups:
            days.setdefault(backup.at.strftime("%Y-%j"), backup.path)
            weeks.setdefault(backup.at.strftime("%G-%V"), backup.path)
        keep.update(list(days.values())[:DAILY])
        keep.update(list(weeks.values())[:WEEKLY])
        with contextlib.suppress(OSError):
            for backup in backups:
                if backup.path not in keep:
                    backup.path.unlink(missing_ok=True)
            for cut_off in (*self.folder.glob("new-*"), *self.folder.glob(".*new-*")):
                if time.time() - cut_off.stat().st_mtime > _STALE:
                    cut_off.unlink(missing_ok=True)
            left = self.backups()
            if left:
                self.journal.drop_before(left[-1].seq)
