"""The words that begin as typed, in place of a beginning that has no index of its own.

FTS5 gathers and sorts all articles of all words that begin so before it gives
the first one: at a million articles 45 ms for ``diab``. Of words that are
named it walks along each, and stops when as many are found as are wanted.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from typing import Final

from reader.store.library_schema import PREFIXES
from reader.store.query.folding import is_continuous, words
from reader.store.query.nodes import And, Node, Not, Or, Query, Word, all_of, any_of, negated

_MOST: Final = 64
"""Words named in one query: each is looked up, which takes some hundredths of a millisecond."""

_NEXT: Final = "SELECT term FROM temp.vocabulary WHERE term >= ? LIMIT 1"


def named(db: sqlite3.Connection, query: Query) -> Query:
    """*query* with words named for each beginning of one, where they are few; *db* has the index.

    Raises:
        sqlite3.Error
    """
    root = _Naming(db).node(query.root)
    return query if root is query.root else dataclasses.replace(query, root=root)


class _Naming:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._left = _MOST

    def node(self, node: Node) -> Node:
        match node:
            case And(parts) | Or(parts):
                new = [self.node(part) for part in parts]
                if all(a is b for a, b in zip(new, parts, strict=True)):
                    return node
                return all_of(new) if isinstance(node, And) else any_of(new)
            case Not(part):
                return node if (new_part := self.node(part)) is part else negated(new_part)
            case Word(text, True, field):
                found = self._beginning(words(text))
                return any_of([Word(word, False, field) for word in found]) if found else node
        return node

    def _beginning(self, typed: Sequence[str]) -> list[str]:
        """The words that begin as the one that is *typed*; none where they had better not be named."""
        if len(typed) != 1 or len(typed[0]) <= PREFIXES or is_continuous(typed[0]):
            return []
        found: list[str] = []
        at = typed[0]
        while (word := self._next(at)) is not None and word.startswith(typed[0]):
            if len(found) == self._left or words(word) != [word]:
                return []
            found.append(word)
            at = word + "\x01"
        self._left -= len(found)
        return found

    def _next(self, at: str) -> str | None:
        """The first word of the index that is not before *at*."""
        try:
            row = self._db.execute(_NEXT, (at,)).fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            # One row an occurrence: asked for the first, it counts none, as the other kinds would.
            self._db.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, fts, instance)")
            row = self._db.execute(_NEXT, (at,)).fetchone()
        return str(row[0]) if row else None
