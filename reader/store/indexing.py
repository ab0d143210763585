"""What an article gives the full-text table, and how the same is given again to take it out.

Titles, excerpts as kept and the titles of related entries can be read back
from their tables. Words of bodies, and of excerpts longer than what is kept,
cannot: they lie compressed in ``body``, only for articles that have any.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from reader.htmltext import unescape
from reader.model import Article
from reader.store import listing
from reader.store.query.folding import index_text
from reader.text import clean

if TYPE_CHECKING:
    import sqlite3

EXCERPT: Final = 1_000
"""Characters of an excerpt kept in the index; the file keeps the rest."""

MAX_INDEXED: Final = 65_536
"""Characters of a body, of an excerpt and of all related titles that can be found.

Making words of more would take longer than a key may wait."""

_SHORT: Final = 8_192  # bytes

Words = tuple[str, str]
"""Of an excerpt and of a body."""

_UNSEEN: Final = re.compile(r"<!--|<(script|style)\b", re.IGNORECASE)
_UNSEEN_END: Final = {
    "": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")

_PUT: Final = "INSERT INTO fts(rowid, title, excerpt, body, related) VALUES (?, ?, ?, ?, ?)"
_TAKE: Final = "INSERT INTO fts(fts, rowid, title, excerpt, body, related) VALUES ('delete', ?, ?, ?, ?, ?)"


def readable(text: str) -> str:
    """*text* with HTML's names for characters replaced: what a reader would look for."""
    return unescape(text)


def body_text(body: str) -> str:
    """What of a Markdown or HTML body can be found: its beginning, without tags, scripts and comments."""
    if len(body) > MAX_INDEXED:
        body = body[:MAX_INDEXED]
    if "<" in body:
        body = _TAG.sub(" ", _seen(body))
    return readable(body)


def _seen(body: str) -> str:
    """*body* without comments, scripts and styles; one that never ends is text, and looked for but once."""
    kept: list[str] = []
    unended: set[str] = set()
    at = 0
    for opened in _UNSEEN.finditer(body):
        kind = (opened[1] or "").lower()
        if opened.start() < at or kind in unended:
            continue
        ended = _UNSEEN_END[kind].search(body, opened.end())
        if ended is None:
            unended.add(kind)
            continue
        kept.append(body[at : opened.start()])
        at = ended.end()
    kept.append(body[at:])
    return " ".join(kept)


def beyond(article: Article) -> Words | None:
    """The words of *article* that ``body`` is to keep: excerpt's and body's; None when neither needs it."""
    long = len(article.excerpt) > EXCERPT
    if not long and not article.body.strip():
        return None
    excerpt = article.excerpt[:MAX_INDEXED] if long else clean(article.excerpt, EXCERPT)
    return index_text(readable(excerpt)), index_text(body_text(article.body))


def packed(words: Words) -> bytes:
    """*words* as ``body`` keeps them."""
    data = "\n".join(words).encode()
    # Most are short, and what is made ready for each is as large as the window.
    window = 15 if len(data) > _SHORT else 13
    deflate = zlib.compressobj(3, zlib.DEFLATED, window, window - 7)
    return deflate.compress(data) + deflate.flush()


def unpacked(kept: bytes) -> Words:
    """What :func:`packed` was given."""
    excerpt, _, body = zlib.decompress(kept).decode().partition("\n")
    return excerpt, body


def put(
    db: sqlite3.Connection,
    rows: Sequence[tuple[int, str, str, str, str]],
    before: Mapping[int, tuple[str, str, str, str]],
) -> None:
    """Index articles: rowid and :func:`columns`, in the order of rowids, or a part is written for each.

    *before* is what some gave until now.
    """
    if not before:
        db.executemany(_PUT, rows)
        return
    for row in rows:
        if (old := before.get(row[0])) is not None:
            db.execute(_TAKE, (row[0], *old))
        db.execute(_PUT, row)


def take(db: sqlite3.Connection, number: int) -> None:
    """Take article *number* out of the index; its rows must still be there. Best in the order of rowids."""
    title, excerpt, z = db.execute(
        "SELECT title, excerpt, z FROM article LEFT JOIN body ON body.id = article.id WHERE article.id = ?",
        (number,),
    ).fetchone()
    titles = [entry[listing.TITLE] for entry in listing.of(db, number)]
    db.execute(_TAKE, (number, *columns(title, excerpt, titles, None if z is None else unpacked(z))))
    db.execute("DELETE FROM body WHERE id = ?", (number,))


def columns(
    title: str, excerpt: str, related: Iterable[str], beyond: Words | None
) -> tuple[str, str, str, str]:
    """What is indexed of an article: title and excerpt as kept, titles of related entries, what is beyond."""
    return title_words(title), *text_words(excerpt, beyond), related_words(related)


def title_words(title: str) -> str:
    """What is indexed of a title."""
    return index_text(readable(title))


def text_words(excerpt: str, beyond: Words | None) -> Words:
    """What is indexed of an excerpt and a body: what is *beyond* what is kept of them, else the excerpt."""
    return beyond or (index_text(readable(excerpt)), "")


def related_words(titles: Iterable[str]) -> str:
    """What is indexed of the titles of related entries."""
    return index_text(*map(readable, _within(titles)))


def _within(titles: Iterable[str]) -> Iterator[str]:
    left = MAX_INDEXED
    for title in titles:
        left -= len(title)
        if left < 0:
            return
        yield title
