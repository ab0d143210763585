"""What stands in the index at a path, to see how much of it a file read anew would change.

A checkout, ``touch`` or ``rsync`` brings many files that say what they said;
a new heat or a longer body leaves an article's story as it is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reader.model import Mark
from reader.store import indexing, listing
from reader.store import library_schema as schema
from reader.store.preparing import Prepared
from reader.values import dataclass

_ROW: Final = (
    "path", "key", "title", "excerpt", "outlet", "domain", "category", "type", "published", "updated", "url",
    "quality", "heat", "front", "coverage", "flags",
    "read", "starred", "hidden", "link", "sections", "urls",
)  # fmt: skip
_VALUES: Final = 16  # of them are what a file says, as in Prepared
_TITLE, _EXCERPT, _PUBLISHED, _FLAGS = 2, 3, 8, 15
_UNTOLD: Final = {6, 12, 13, 15}  # category, heat, front and flags are nothing to a story, but for one flag
_PLACED: Final = (11, 12, 14)  # quality, heat, coverage: what lists are sorted by

Row = tuple[Any, ...]
"""An article's columns but its id."""
Columns = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Stays:
    """Which rows of an article stay when it is replaced at its place."""

    old: Standing
    story: bool
    placings: bool
    mentions: bool
    words: bool
    warnings: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The rows of one article."""

    id: int
    row: Row
    mentions: bytes
    beyond: bytes | None
    warnings: list[tuple[Any, ...]]

    @property
    def values(self) -> Row:
        """What its file said."""
        return self.row[:_VALUES]

    @property
    def sections(self) -> str:
        """The numbers of its sections."""
        return str(self.row[20])

    def is_all_of(self, article: Prepared, sections: str | None) -> bool:
        """Whether *article*, of these *sections*, would change nothing."""
        return (
            self.values == article.values
            and (self.row[21], self.sections, self.beyond) == (article.urls, sections, article.beyond)
            and self.mentions == article.mentions
            and self.warnings == list(article.warnings)
        )

    def stays(self, article: Prepared, sections: str | None, mark: Mark) -> Stays | None:
        """What can stay when *article*, so marked, takes its place; None where it moves in time."""
        old, new = self.row, article.values
        if schema.date_key(old[_PUBLISHED]) != schema.date_key(article.published):
            return None
        mentions = self.mentions == article.mentions
        return Stays(
            self,
            story=self.tells_as(article, sections),
            placings=self.sections == sections
            and (old[16], old[18]) == (mark.read, mark.hidden)
            and _part(old, _PLACED) == _part(new, _PLACED),
            mentions=mentions,
            words=mentions and self.beyond == article.beyond and old[2:4] == new[2:4],
            warnings=self.warnings == list(article.warnings),
        )

    def tells_as(self, article: Prepared, sections: str | None) -> bool:
        """Whether *article* would leave its story as it is."""
        new: Row = article.values
        return (
            (self.row[_FLAGS] ^ new[_FLAGS]) & schema.HAS_AMP == 0
            and self.sections == sections
            and self.mentions == article.mentions
            and all(a == b for n, (a, b) in enumerate(zip(self.values, new, strict=True)) if n not in _UNTOLD)
        )

    def columns(self, article: Prepared) -> Columns:
        """What it gave the full-text index. What *article* says like it is not made into words again."""
        old, new = self.row, article.values
        title, words, body, related = article.columns
        if old[_TITLE] != new[_TITLE]:
            title = indexing.title_words(old[_TITLE])
        if self.beyond != article.beyond or old[_EXCERPT] != new[_EXCERPT]:
            kept = None if self.beyond is None else indexing.unpacked(self.beyond)
            words, body = indexing.text_words(old[_EXCERPT], kept)
        if self.mentions != article.mentions:
            related = indexing.related_words(e[listing.TITLE] for e in listing.unpack(self.mentions))
        return title, words, body, related


def _part(values: Sequence[Any], places: Iterable[int]) -> list[Any]:
    return [values[place] for place in places]


def at(db: sqlite3.Connection, paths: Iterable[str]) -> dict[str, Standing]:
    """What stands at those of *paths* at which there is an article."""
    asked = json.dumps(list(paths))
    columns = ", ".join(f"a.{name}" for name in _ROW)
    found = {
        path: Standing(number, (path, *row), mentions or b"", beyond, [])
        for number, mentions, beyond, path, *row in db.execute(
            f"SELECT a.id, m.z, b.z, {columns} FROM json_each(?) j CROSS JOIN article a ON a.path = j.value"
            " LEFT JOIN mention m ON m.article = a.id LEFT JOIN body b ON b.id = a.id",
            (asked,),
        )
    }
    if found:
        for path, *warning in db.execute(
            "SELECT path, line, field, reason FROM problem"
            " WHERE warning AND path IN (SELECT value FROM json_each(?)) ORDER BY rowid",
            (asked,),
        ):
            if path in found:
                found[path].warnings.append(tuple(warning))
    return found


def change(db: sqlite3.Connection, rows: Iterable[tuple[Standing, Row]]) -> None:
    """Make each row say what it is to; a column that stays costs nothing, nor do the indexes of it."""
    for old, new in rows:
        changed = [n for n, (a, b) in enumerate(zip(old.row, new, strict=True)) if a != b]
        if changed:
            sets = ", ".join(f"{_ROW[n]} = ?" for n in changed)
            db.execute(f"UPDATE article SET {sets} WHERE id = ?", (*_part(new, changed), old.id))


def places(article: Prepared, sections: Mapping[tuple[str, str], int]) -> str | None:
    """The numbers of an article's sections as they are kept; None when one is new."""
    numbers = [sections.get(section) for section in article.sections]
    return None if None in numbers else " ".join(map(str, sorted(n for n in numbers if n is not None)))


def among(db: sqlite3.Connection, query: str, values: Iterable[object]) -> Sequence[Any]:
    """The first column of what *query*, which ends in ``IN``, gives for *values*."""
    asked = json.dumps(list(values))
    return [row[0] for row in db.execute(f"{query} (SELECT value FROM json_each(?))", (asked,))]
