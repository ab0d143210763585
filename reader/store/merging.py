"""The full-text index written anew as one part, bit by bit, when many batches have left it in several.

A word is looked up in every part. Of 50,000 articles that are loaded at once
nine remain, and searches and counts take a third longer than in one. Making
it one is a second of work, so that nobody waits for it: see the caller.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Final

from reader.store import sqlite
from reader.store.library_file import LibraryFile

_SMALL: Final = 256
"""Pages of all parts but the largest (4 KB each) up to which they stay; also up to a quarter of that."""
_SLICE: Final = 100
"""Pages written in one transaction, some hundredths of a second: others want to write, too."""


USUAL: Final = 4
NEVER: Final = 0


def merge_meanwhile(db: sqlite3.Connection, parts: int) -> None:
    """From now on merge so many parts of one size whenever rows are put in; NEVER: sixteen, at once.

    What a load would merge on its way is merged anew after it: a twelfth of its writing, and of the file.

    Raises:
        StoreError: as :func:`reader.store.sqlite.write` does.
    """
    with sqlite.write(db):
        db.execute("INSERT INTO fts(fts, rank) VALUES ('automerge', ?)", (parts,))


def parts(library: LibraryFile) -> list[int]:
    """The pages of each part, the largest last."""
    rows = library.db.execute("SELECT max(pgno) / 2 AS pages FROM fts_idx GROUP BY segid ORDER BY pages")
    return [row[0] for row in rows]


def merge(library: LibraryFile, stop: Callable[[], bool], *, small: int = _SMALL) -> bool:
    """Make the parts one, if together they are more than *small*; whether it was done to the end.

    Slice by slice, with as long a rest after each; *stop* is asked between
    them. What is done is done: the next call goes on from there.

    Raises:
        StoreError: as :func:`reader.store.sqlite.write` does.
    """
    with sqlite.errors(library.path):
        sizes = parts(library)
        scattered = sum(sizes[:-1])
        if scattered <= small or scattered <= sizes[-1] // 4:
            return False
        db = library.db
        pages = -_SLICE  # below zero: of all parts, however few they are on their level
        while not stop():
            begun, before = time.monotonic(), db.total_changes
            with sqlite.write(db):
                db.execute("INSERT INTO fts(fts, rank) VALUES ('merge', ?)", (pages,))
            if db.total_changes - before < 2:  # nothing but the command itself
                return True
            pages = _SLICE
            time.sleep(time.monotonic() - begun)
        return False
