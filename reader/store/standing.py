"""What stands in the index at a path, to see how much of it a file read anew would change.

A checkout, ``touch`` or ``rsync`` brings many files that say what they said;
a new heat or a longer body leaves an article's story as it is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reader.model import Mark
from reader.store import library_schema as schema
from reader.store.preparing import Prepared

_VALUES: Final = (
    "path, key, title, excerpt, outlet, domain, category, type, published, updated, url, quality, heat,"
    " front, coverage, flags"
)
_UNTOLD: Final = {6, 12, 13, 15}  # category, heat, front and flags are nothing to a story, but for one flag


_PLACED: Final = (11, 12, 14)  # quality, heat, coverage: what lists are sorted by


@dataclass(frozen=True, slots=True)
class Stays:
    """Which rows of an article stay when it is replaced; its rowid always does."""

    id: int
    story: bool
    placings: bool
    mentions: bool
    words: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The rows of one article."""

    id: int
    values: tuple[Any, ...]
    urls: str
    sections: str
    read: bool
    hidden: bool
    mentions: bytes
    beyond: bytes | None
    warnings: list[tuple[Any, ...]]

    def is_all_of(self, article: Prepared, sections: str | None) -> bool:
        """Whether *article*, of these *sections*, would change nothing."""
        return (
            self.values == article.values
            and (self.urls, self.sections, self.beyond) == (article.urls, sections, article.beyond)
            and self.mentions == article.mentions
            and self.warnings == list(article.warnings)
        )

    def stays(self, article: Prepared, sections: str | None, mark: Mark) -> Stays | None:
        """What can stay when *article*, so marked, takes its place; None where it moves in time."""
        if schema.date_key(self.values[8]) != schema.date_key(article.published):
            return None
        mentions = self.mentions == article.mentions
        new: tuple[Any, ...] = article.values
        return Stays(
            self.id,
            story=self.tells_as(article, sections),
            placings=self.sections == sections
            and (self.read, self.hidden) == (mark.read, mark.hidden)
            and _part(self.values, _PLACED) == _part(new, _PLACED),
            mentions=mentions,
            words=mentions and self.beyond == article.beyond and self.values[2:4] == new[2:4],
        )

    def tells_as(self, article: Prepared, sections: str | None) -> bool:
        """Whether *article* would leave its story as it is."""
        new: tuple[Any, ...] = article.values
        return (
            (self.values[15] ^ new[15]) & schema.HAS_AMP == 0
            and self.sections == sections
            and self.mentions == article.mentions
            and all(a == b for n, (a, b) in enumerate(zip(self.values, new, strict=True)) if n not in _UNTOLD)
        )


def _part(values: Sequence[Any], places: Iterable[int]) -> list[Any]:
    return [values[place] for place in places]


def at(db: sqlite3.Connection, paths: Iterable[str]) -> dict[str, Standing]:
    """What stands at those of *paths* at which there is an article."""
    found: dict[str, Standing] = {}
    for path in among(db, "SELECT path FROM article WHERE path IN", paths):
        number, urls, sections, read, hidden, *values = db.execute(
            f"SELECT id, urls, sections, read, hidden, {_VALUES} FROM article WHERE path = ?", (path,)
        ).fetchone()
        mentions = db.execute("SELECT z FROM mention WHERE article = ?", (number,)).fetchone()
        beyond = db.execute("SELECT z FROM body WHERE id = ?", (number,)).fetchone()
        warnings = db.execute(
            "SELECT line, field, reason FROM problem WHERE path = ? AND warning ORDER BY rowid", (path,)
        ).fetchall()
        found[path] = Standing(
            number,
            tuple(values),
            urls,
            sections,
            bool(read),
            bool(hidden),
            mentions[0] if mentions else b"",
            beyond[0] if beyond else None,
            warnings,
        )
    return found


def places(article: Prepared, sections: Mapping[tuple[str, str], int]) -> str | None:
    """The numbers of an article's sections as they are kept; None when one is new."""
    numbers = [sections.get(section) for section in article.sections]
    return None if None in numbers else " ".join(map(str, sorted(n for n in numbers if n is not None)))


def among(db: sqlite3.Connection, query: str, values: Iterable[object]) -> Sequence[Any]:
    """The first column of what *query*, which ends in ``IN``, gives for *values*."""
    asked = json.dumps(list(values))
    return [row[0] for row in db.execute(f"{query} (SELECT value FROM json_each(?))", (asked,))]
