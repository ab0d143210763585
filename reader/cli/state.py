"""``state``: what no file can give back, backed up, brought back, carried elsewhere, checked."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Final

from reader.cli.output import Output, say
from reader.config import Locations
from reader.errors import StoreError, UsageError
from reader.store.state import State

_FAULTS: Final = 1  # the exit code of verify when something is wrong


def state(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold state backup|backups|restore|export|import|verify``."""
    path = Path(args.file) if args.file else None
    store = State.open(locations.state_db)
    try:
        for notice in (store.notice, store.read_only):
            if notice:
                say(notice)
        return _DO[args.what](store, path, out)
    finally:
        store.close()


def _backup(store: State, path: Path | None, out: Output) -> int:
    out.line(os.fspath(store.backup(path)))
    return 0


def _backups(store: State, path: Path | None, out: Output) -> int:
    if path is not None:
        raise UsageError("state backups takes no file")
    for backup in store.backups():
        out.line(os.fspath(backup))
    return 0


def _restore(store: State, path: Path | None, out: Output) -> int:
    if path is None:
        backups = store.backups()
        if not backups:
            raise StoreError("there is no backup yet")
        path = backups[0]
    change = store.restore(path)
    out.line(f"{change.label}; the state before it is the newest backup: {store.backups()[0]}")
    return 0


def _export(store: State, path: Path | None, out: Output) -> int:
    if path is None:
        store.export(_Stream(out))
        return 0
    try:
        with path.open("x", encoding="ascii") as stream:
            lines = store.export(stream)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    out.line(f"{lines:,} lines written to {path}")
    return 0


class _Stream:
    """What is written to it goes to *out*."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def write(self, text: str) -> int:
        self._out.raw(text)
        return len(text)


def _import(store: State, path: Path | None, out: Output) -> int:
    if path is None:
        change = store.import_(sys.stdin)
    else:
        try:
            with path.open(encoding="ascii", errors="surrogateescape") as stream:
                change = store.import_(stream)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
    out.line(change.label)
    return 0


def _verify(store: State, path: Path | None, out: Output) -> int:
    if path is not None:
        raise UsageError("state verify takes no file")
    faults = store.verify()
    for fault in faults:
        out.line(fault)
    if not faults:
        out.line("every mark, backup and line of the journal is what was written")
    return _FAULTS if faults else 0


_DO: Final[dict[str, Callable[[State, Path | None, Output], int]]] = {
    "backup": _backup,
    "backups": _backups,
    "restore": _restore,
    "export": _export,
    "import": _import,
    "verify": _verify,
}
