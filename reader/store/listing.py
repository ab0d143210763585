"""An article's related entries as the index keeps them: all in one packed value, and a number for each key.

In rows of their own they took more than a third of the file: the entries of
one article repeat each other's words and addresses, which packs well. Who
lists a key is found by the key's number; two keys might share one (48 bits,
which a stranger can contrive), so what is found is looked at once more.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from reader.digests import blake2b
from reader.errors import StoreDamaged

if TYPE_CHECKING:
    import sqlite3

Entry = tuple[Any, ...]
"""Key, title, excerpt, outlet, domain, published, quality, type, address, AMP address."""

KEY: Final = 0
TITLE: Final = 1
WIDTH: Final = 10

_WINDOW: Final = -13  # 8 KB and no header: most lists are shorter, and less is made ready for each
_LEVEL: Final = 1  # others take a fifth longer and save a fiftieth
_MEMORY: Final = 5  # KB for a short list instead of 150, which leave the processor's cache to the rest
_SHORT: Final = 700
"""Bytes below which a list is kept as it is: packing takes as long as for more, and saves a third."""
_SUM: Final = 4
_ENTRY: Final = "\x1e"  # before each entry
_PLAIN: Final = b"\x1e"  # nothing packed begins so: these bits name no kind of block
_FIELD: Final = "\x1f"
_SAME: Final = "\x1d"


def pack(entries: Sequence[Entry]) -> bytes:
    """*entries* as one value; the same give the same."""
    if not entries:
        return b""
    data = _written(entries).encode()
    if len(data) < _SHORT and data[:1] == _PLAIN:
        return zlib.crc32(data).to_bytes(_SUM, "little") + data
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY)
    return zlib.crc32(data).to_bytes(_SUM, "little") + deflate.compress(data) + deflate.flush()


def _written(entries: Sequence[Entry]) -> str:
    # As an address most entries have their key. Cleaned text has none of the marks; what has them is JSON.
    same = 0
    lines = [""]
    for key, title, excerpt, outlet, domain, published, quality, kind, address, amp in entries:
        if address == key:
            address = _SAME
            same += 1
        when = "" if published is None else str(published)
        worth = "" if quality is None else str(quality)
        lines.append(_FIELD.join((key, title, excerpt, outlet, domain, when, worth, kind, address, amp)))
    text = _ENTRY.join(lines)
    counts = (text.count(_ENTRY), text.count(_FIELD), text.count(_SAME))
    if counts == (len(entries), (WIDTH - 1) * len(entries), same):
        return text
    told = [[*e[:8], 0 if e[8] == e[KEY] else e[8], e[9]] for e in entries]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _read(text: str) -> list[Entry]:
    if not text.startswith(_ENTRY):
        return [(*e[:8], e[KEY] if e[8] == 0 else e[8], e[9]) for e in json.loads(text)]
    found: list[Entry] = []
    for line in text[1:].split(_ENTRY):
        key, title, excerpt, outlet, domain, when, worth, kind, address, amp = line.split(_FIELD)
        published, quality = int(when) if when else None, int(worth) if worth else None
        url = key if address == _SAME else address
        found.append((key, title, excerpt, outlet, domain, published, quality, kind, url, amp))
    return found


def unpack(packed: bytes) -> list[Entry]:
    """What :func:`pack` was given.

    Raises:
        StoreDamaged: it cannot be that.
    """
    if not packed:
        return []
    try:
        data = packed[_SUM:]
        if data[:1] != _PLAIN:
            data = zlib.decompress(data, _WINDOW)
        if zlib.crc32(data) != int.from_bytes(packed[:_SUM], "little"):
            raise ValueError
        return _read(data.decode())
    except (zlib.error, ValueError, TypeError, IndexError) as error:
        raise StoreDamaged("the library index is damaged: an article's related entries") from error


def number(key: str) -> int:
    """The number under which *key* is found."""
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest, "big", signed=True)


def numbers(entries: Iterable[Entry]) -> set[int]:
    """The numbers of the keys of *entries*, those without left out."""
    return {number(e[KEY]) for e in entries if e[KEY]}


def of(db: sqlite3.Connection, article: int) -> list[Entry]:
    """The related entries of *article*, in its order."""
    row = db.execute("SELECT z FROM mention WHERE article = ?", (article,)).fetchone()
    return unpack(row[0]) if row else []


def put(db: sqlite3.Connection, rows: Sequence[tuple[int, bytes, Iterable[int]]]) -> None:
    """Keep what articles list: rowid, packed entries, numbers of their keys."""
    db.executemany("INSERT INTO mention VALUES (?, ?)", [row[:2] for row in rows])
    ties = sorted((key, article) for article, _, keys in rows for key in keys)
    db.executemany("INSERT INTO listed VALUES (?, ?)", ties)


def take(db: sqlite3.Connection, article: int) -> None:
    """Forget what *article* lists."""
    ties = [(key, article) for key in numbers(of(db, article))]
    db.executemany("DELETE FROM listed WHERE key = ? AND article = ?", ties)
    db.execute("DELETE FROM mention WHERE article = ?", (article,))
