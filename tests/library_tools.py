"""For the tests of the index: everything in it, to compare two of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from reader.store import listing


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything in a library but rowids and how often it was written."""
    db = sqlite3.connect(path)
    try:
        section = "(SELECT kind || '/' || name FROM section s WHERE s.id = p.section)"
        return {
            "articles": db.execute(
                "SELECT path, key, title, excerpt, outlet, domain, category, type, published, updated, url,"
                " quality, heat, front, coverage, flags, read, starred, hidden, link FROM article"
                " ORDER BY path"
            ).fetchall(),
            "stories": db.execute(
                "SELECT s.key, p.key, p.n, p.text, p.title, p.outlet, p.published, p.inside, s.pieces,"
                " s.outlets, s.texts, s.new_pieces, (SELECT path FROM article a WHERE a.id = s.lead)"
                " FROM piece p JOIN story s ON s.id = p.story ORDER BY p.key"
            ).fetchall(),
            "told": db.execute(
                "SELECT a.path, s.key FROM telling t JOIN article a ON a.id = t.article"
                " JOIN story s ON s.id = t.story ORDER BY a.path"
            ).fetchall(),
            "unfolded": db.execute("SELECT name FROM unfolded").fetchall(),
            "placings": db.execute(
                f"SELECT {section}, a.path, p.unread, p.heat, p.quality, p.coverage"
                " FROM placing p JOIN article a ON a.id = p.article ORDER BY 1, 2"
            ).fetchall(),
            "sections": db.execute(
                "SELECT kind, name, total, unread FROM section WHERE total ORDER BY kind, name"
            ).fetchall(),
            "mentions": [
                (path, listing.unpack(packed))
                for path, packed in db.execute(
                    "SELECT a.path, m.z FROM mention m JOIN article a ON a.id = m.article ORDER BY 1"
                )
            ],
            "listed": db.execute(
                "SELECT l.key, a.path FROM listed l JOIN article a ON a.id = l.article ORDER BY 1, 2"
            ).fetchall(),
            "problems": db.execute("SELECT * FROM problem ORDER BY path, line, field, reason").fetchall(),
            "stray": db.execute(
                "SELECT count(*) FROM placing WHERE article NOT IN (SELECT id FROM article)"
                " UNION ALL SELECT count(*) FROM mention WHERE article NOT IN (SELECT id FROM article)"
                " UNION ALL SELECT count(*) FROM listed WHERE article NOT IN (SELECT article FROM mention)"
            ).fetchall(),
        }
    finally:
        db.close()
