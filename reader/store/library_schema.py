"""The tables of ``library.db``: a disposable index of the files.

An article's rowid is a date key: minutes since 1970 shifted left by six, plus
the second, then the next free number. So "newest first" is a reverse walk of
any rowid-ordered index, without a sort. Articles without a date lie below all
others. Every article stands in several *sections* (all, its topics, its
outlet, unpublished); ``placing`` holds one row for each with what a list is
sorted and filtered by. The sections' counters are kept with them, by triggers
where placings change or go, by the writer for the many that come, so that
nothing shown is ever counted by scanning. What a list of all may be sorted by has
an index of its own: see ``ordering``.

``fts`` is the full-text index, contentless, its rowids those of ``article``;
``body`` keeps the indexed words that the other tables do not hold, because a
row is only taken out of a contentless index by giving it the same words again.
Its prefix indexes cost a fifth of the file and bring the first page for one
letter of 20,000 articles from 24 ms to 0.1.
``mention`` holds what an article lists, ``listed`` who lists a key: see ``listing``.
``remark`` copies the reader's notes and tags, whatever article they are on.
``arrived`` are the new articles that the reader's rules have not looked at yet.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from reader.store.query.folding import COLUMNS, TOKENIZER

_UNICODE: Final = int("".join(f"{int(part):02}" for part in unicodedata.unidata_version.split(".")[:2]))

VERSION: Final = 7 * 10_000 + _UNICODE
"""Another number in the file's ``user_version`` means: rebuild.

Another Python's Unicode may fold words otherwise, so that it could not take out what this one put in.
"""

APPLICATION_ID: Final = 0x6E666C62  # "nflb"

UNDATED: Final = -(1 << 52)
"""Where the rowids of undated articles begin."""

_UNWRITTEN: Final = 8_000_000
"""Bytes of words that a transaction keeps in memory. By default each million became a part, to be merged."""

_PARTS: Final = 160
"""Parts of the full text that are left until they are merged at once. With the usual 16, a load of 50,000
articles merged some on its way, for a file a third larger; all are made one after it: see ``merging``."""

PLAIN: Final = "plain_addresses"
"""In ``meta``: 1 while all addresses that ever stood here are ASCII, which are compared in half the time."""

PREFIXES: Final = 3
"""Up to so many letters of a word's beginning are indexed like words."""

TABLES: Final = f"""
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('{PLAIN}', 1);
CREATE TABLE folder(
    source TEXT NOT NULL, path TEXT NOT NULL, stats BLOB NOT NULL,
    PRIMARY KEY(source, path)
) WITHOUT ROWID;
CREATE TABLE article(
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    outlet TEXT NOT NULL,
    domain TEXT NOT NULL,
    category TEXT NOT NULL,
    type TEXT NOT NULL,
    published INTEGER,
    updated INTEGER,
    url TEXT NOT NULL,
    quality INTEGER,
    heat INTEGER,
    front INTEGER,
    coverage INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    read INTEGER NOT NULL,
    starred INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    link TEXT NOT NULL,
    sections TEXT NOT NULL,
    urls TEXT NOT NULL
);
CREATE TABLE mention(article INTEGER PRIMARY KEY, z BLOB NOT NULL);
CREATE TABLE listed(
    key INTEGER NOT NULL, article INTEGER NOT NULL, PRIMARY KEY(key, article)
) WITHOUT ROWID;
CREATE TABLE section(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
    total INTEGER NOT NULL DEFAULT 0, unread INTEGER NOT NULL DEFAULT 0,
    UNIQUE(kind, name)
);
CREATE TABLE placing(
    section INTEGER NOT NULL, article INTEGER NOT NULL, unread INTEGER NOT NULL,
    heat INTEGER, quality INTEGER, coverage INTEGER NOT NULL,
    PRIMARY KEY(section, article)
) WITHOUT ROWID;
CREATE TABLE problem(
    path TEXT NOT NULL, line INTEGER NOT NULL, field TEXT NOT NULL, reason TEXT NOT NULL,
    warning INTEGER NOT NULL
);
CREATE VIRTUAL TABLE fts USING fts5({", ".join(COLUMNS)}, content='', tokenize='{TOKENIZER}',
    prefix='{" ".join(map(str, range(1, PREFIXES + 1)))}');
INSERT INTO fts(fts, rank) VALUES ('hashsize', {_UNWRITTEN});
INSERT INTO fts(fts, rank) VALUES ('crisismerge', {_PARTS});
CREATE TABLE body(id INTEGER PRIMARY KEY, z BLOB NOT NULL);
CREATE TABLE arrived(key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE remark(key TEXT PRIMARY KEY, note TEXT NOT NULL, tags TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE story(
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, lead INTEGER, pieces INTEGER NOT NULL,
    outlets INTEGER NOT NULL, texts INTEGER NOT NULL, first INTEGER, last INTEGER,
    new_pieces INTEGER NOT NULL, new_outlets INTEGER NOT NULL
);
CREATE TABLE piece(
    key TEXT NOT NULL, story INTEGER NOT NULL, n INTEGER NOT NULL, text INTEGER NOT NULL,
    title TEXT NOT NULL, excerpt TEXT NOT NULL, outlet TEXT NOT NULL, domain TEXT NOT NULL,
    published INTEGER, quality INTEGER, type TEXT NOT NULL, url TEXT NOT NULL, amp INTEGER NOT NULL,
    inside INTEGER NOT NULL
);
CREATE TABLE telling(article INTEGER PRIMARY KEY, story INTEGER NOT NULL, rank INTEGER NOT NULL);
CREATE TABLE alias(article INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY(article, name)) WITHOUT ROWID;
CREATE TABLE unfolded(name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE overrule(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, other TEXT NOT NULL);
"""

FACTS: Final = frozenset(
    {
        "id",
        "published",
        "updated",
        "quality",
        "heat",
        "coverage",
        "front",
        "flags",
        "read",
        "starred",
        "hidden",
    }
)
"""What searches ask of articles without a look at their rows, which are twenty times as wide."""

_FACTS: Final = ", ".join(sorted(FACTS, key=lambda column: (column != "id", column)))

_SORTED: Final = "heat, quality, coverage"

INDEXES: Final = f"""
CREATE UNIQUE INDEX IF NOT EXISTS article_path ON article(path);
CREATE INDEX IF NOT EXISTS article_key ON article(key);
CREATE INDEX IF NOT EXISTS article_starred ON article(id, read, hidden, {_SORTED}) WHERE starred;
CREATE INDEX IF NOT EXISTS article_link ON article(link, id, read, hidden, {_SORTED}) WHERE link <> '';
CREATE INDEX IF NOT EXISTS article_hidden ON article(id) WHERE hidden;
CREATE INDEX IF NOT EXISTS article_domain ON article(domain);
CREATE INDEX IF NOT EXISTS article_type ON article(type);
CREATE INDEX IF NOT EXISTS article_category ON article(category);
CREATE INDEX IF NOT EXISTS article_facts ON article({_FACTS});
CREATE INDEX IF NOT EXISTS article_heat ON article(heat) WHERE NOT hidden;
CREATE INDEX IF NOT EXISTS article_quality ON article(quality) WHERE NOT hidden;
CREATE INDEX IF NOT EXISTS article_coverage ON article(coverage) WHERE NOT hidden;
CREATE INDEX IF NOT EXISTS article_nameless ON article(id) WHERE outlet = '' AND NOT hidden;
CREATE INDEX IF NOT EXISTS placing_unread ON placing(section, article, unread) WHERE unread;
CREATE UNIQUE INDEX IF NOT EXISTS piece_key ON piece(key);
CREATE INDEX IF NOT EXISTS piece_story ON piece(story, n);
CREATE INDEX IF NOT EXISTS story_last ON story(last, id);
CREATE INDEX IF NOT EXISTS story_outlets ON story(outlets, texts, pieces);
CREATE INDEX IF NOT EXISTS story_new ON story(lead) WHERE new_pieces;
CREATE INDEX IF NOT EXISTS telling_story ON telling(story, rank, article);
CREATE INDEX IF NOT EXISTS alias_name ON alias(name);
CREATE INDEX IF NOT EXISTS problem_path ON problem(path);
CREATE TRIGGER IF NOT EXISTS placing_out AFTER DELETE ON placing BEGIN
    UPDATE section SET total = total - 1, unread = unread - old.unread WHERE id = old.section;
END;
CREATE TRIGGER IF NOT EXISTS placing_read AFTER UPDATE OF unread ON placing
WHEN old.unread <> new.unread BEGIN
    UPDATE section SET unread = unread + new.unread - old.unread WHERE id = new.section;
END;
"""

HAS_IMAGE: Final = 1
HAS_AMP: Final = 2
HAS_BODY: Final = 4
SEALED: Final = 8
HAS_RELATED: Final = 16


def date_key(epoch: int | None) -> int:
    """The wanted rowid for a time in epoch seconds; ``UNDATED`` for None."""
    if epoch is None:
        return UNDATED
    minute, second = divmod(epoch, 60)
    return (minute << 6) | second
