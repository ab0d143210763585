"""What every way of using newsfold stands on: places, settings, open folders and both databases."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reader import assets, config
from reader.config import Locations, Settings
from reader.digests import sha256
from reader.errors import NewsfoldError, SourceError, StoreBusy, StoreError, StoreReadOnly
from reader.sources import Source, name_sources, real_folder
from reader.store.library import Library
from reader.store.state import State

if TYPE_CHECKING:
    from reader.refresher import Refresher

_NAMES = "source names"
"""What each folder is called, in the state."""
_UNUSED_DAYS = 60
"""An index of folders not opened for so long is removed; opening them builds it again."""


def utc_now() -> datetime:
    """The time of day, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Session:
    """One run of the program. Close it, or use it with ``with``.

    ``complaints`` are lines about settings and folders that the reader should
    see, not yet clean. With no ``sources`` nothing was ever opened.
    """

    locations: Locations
    settings: Settings
    sources: list[Source]
    library: Library
    state: State
    complaints: list[str] = field(default_factory=list)
    sample: bool = False
    begun: Refresher | None = None
    """The first look at the files, where it was begun before there was a screen to follow it."""
    clock: Callable[[], datetime] = utc_now

    @property
    def place_name(self) -> str:
        """What the state keeps the reading place in these folders under."""
        return f"place:{self.library.path.stem}"

    def refresher(self) -> Refresher:
        """A run over the files in a process of its own: the one that has begun, or a new one."""
        from reader.refresher import Refresher

        run, self.begun = self.begun, None
        return run or Refresher(self.library, self.state, self.sources, self.locations.log_file)

    def begin(self) -> None:
        """Begin to read at once what a screen would have nothing to show without."""
        if self.sources and not self.library.kept():
            self.begun = self.refresher()
            self.begun.begin()

    def close(self) -> None:
        """Close both databases; no thread may be using them."""
        if self.begun is not None:  # there came to be no screen
            self.begun.leave()
            with contextlib.suppress(NewsfoldError):
                self.begun.run()
            self.begun = None
        self.library.close()
        self.state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, StoreError):
            self.library.doubt(error)
        self.close()


def open_session(
    locations: Locations, folders: Sequence[Path] = (), *, sample: bool = False, remember: bool = False
) -> Session:
    """Open *folders*, or the sample, or with neither the folders that are remembered.

    With *remember* the folders are kept for the next time. A remembered folder
    that is not there now stays open with what is known of it, and is
    complained of.

    Raises:
        SourceError: one of *folders* is missing or is none.
        StoreError: a database cannot be opened.
    """
    loaded = config.load(locations.config_file)
    complaints = list(loaded.complaints)
    roots = [real_folder(folder) for folder in ([assets.sample()] if sample else folders)]
    state = State.open(locations.state_db)
    try:
        if not roots:
            roots = _remembered(state, complaints)
        elif remember and not sample:
            for root in roots:
                state.add_source(root)
        sources = _named(state, roots)
        library = Library(library_path(locations, sources))
    except BaseException:
        state.close()
        raise
    remove_unused(locations.cache, library.path)
    return Session(locations, loaded.settings, sources, library, state, complaints, sample)


def _named(state: State, roots: Sequence[Path]) -> list[Source]:
    """The sources of *roots*, each called as it always was: the keys of articles without an address say so.

    The name of a folder that is no longer there, perhaps because it was moved, is free again.
    """
    kept = state.get(_NAMES)
    names = {Path(path): str(name) for path, name in kept.items()} if isinstance(kept, dict) else {}
    known = {path: name for path, name in names.items() if path in roots or path.is_dir()}
    if not known:  # as they were called before names were kept
        known = {source.root: source.name for source in name_sources(state.sources()) if source.root.is_dir()}
    sources = name_sources(roots, known)
    known |= {source.root: source.name for source in sources}
    if known != names:
        with contextlib.suppress(StoreBusy, StoreReadOnly):
            state.put(_NAMES, {os.fspath(path): name for path, name in known.items()})
    return sources


def _remembered(state: State, complaints: list[str]) -> list[Path]:
    roots = []
    for path in state.sources():
        try:
            roots.append(real_folder(path))
        except SourceError as error:
            complaints.append(str(error))
            roots.append(path)
    return roots


def library_path(locations: Locations, sources: Sequence[Source]) -> Path:
    """Where the index of these folders lies: one for each set and each state, so that counters are exact."""
    paths = b"\0".join(map(os.fsencode, [locations.data, *sorted(source.root for source in sources)]))
    return locations.cache / f"library-{sha256(paths).hexdigest()[:16]}.db"


def remove_unused(cache: Path, used: Path, now: float | None = None) -> None:
    """Remove indexes of folders that were not opened for a long time; *used* is noted as opened.

    *now* is in epoch seconds. What cannot be removed stays.
    """
    now = time.time() if now is None else now
    for lock in cache.glob("library-*.db.lock"):
        database = lock.with_name(lock.name.removesuffix(".lock"))
        with contextlib.suppress(OSError):
            if database == used:
                os.utime(lock, (now, now))
            elif now - lock.stat().st_mtime > _UNUSED_DAYS * 86_400:
                for suffix in ("", "-wal", "-shm", ".doubted", ".checked", ".lock"):
                    database.with_name(database.name + suffix).unlink(missing_ok=True)
                database.with_suffix(".frame").unlink(missing_ok=True)
