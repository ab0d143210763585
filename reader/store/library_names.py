"""Which names a library knows, and the numbers of what they name."""

from __future__ import annotations

import json
from collections.abc import Sequence

from reader.store.library_file import LibraryFile
from reader.store.names import Names
from reader.store.query.nodes import FieldIs


class LibraryNames(LibraryFile):
    """The topics, outlets and other names of a library, and which articles have a key."""

    def values(self, field: str) -> list[str]:
        """The names that exist for a field of the query language: topics and outlets by their number."""
        if field in ("topic", "outlet"):
            order = "SELECT name FROM section WHERE kind = ? AND total > 0 ORDER BY total DESC, name"
            return [row[0] for row in self._all(order, (field,))]
        if field in ("type", "category", "domain"):
            return [value for value in self._distinct(field) if value]
        return []

    def newest(self, count: int) -> list[int]:
        """The rowids of the newest articles, hidden or not."""
        return [row[0] for row in self._all("SELECT id FROM article ORDER BY id DESC LIMIT ?", (count,))]

    def ids_of(self, keys: Sequence[str]) -> list[int]:
        """The rowids of every file of *keys*."""
        asked = "SELECT id FROM article WHERE key IN (SELECT value FROM json_each(?))"
        return [row[0] for row in self._all(asked, (json.dumps(list(keys)),))]

    def _meant(self, node: FieldIs) -> Sequence[int]:
        """The numbers of the topics or outlets that *node* asks for."""
        era = self._era  # another number, another file
        known = self._names.get((node.field, era)) or Names()
        # Sections are never taken out, so there are only new ones to look for.
        new = self._all(
            "SELECT id, name FROM section WHERE +kind = ? AND id > ? ORDER BY id", (node.field, known.last)
        )
        if new:
            known = Names(new, known)
            if not self.db.in_transaction:  # else they may be taken back
                self._names[node.field, era] = known
        return known.meant(node)

    def _hidden(self) -> int:
        """The section of the hidden, 0 while there are none."""
        row = self.db.execute(
            "SELECT id FROM section WHERE kind = 'hidden' AND name = '' AND total > 0"
        ).fetchone()
        return int(row[0]) if row else 0

    def _section(self, kind: str, name: str) -> int:
        row = self._one("SELECT id FROM section WHERE kind = ? AND name = ?", (kind, name))
        return int(row[0]) if row else -1

    def _distinct(self, column: str) -> list[str]:
        """The values of an indexed column of articles, each found by one step down the index."""
        rows = self._all(
            f"WITH RECURSIVE found(v) AS (SELECT min({column}) FROM article UNION ALL"
            f" SELECT (SELECT min({column}) FROM article WHERE {column} > v) FROM found WHERE v IS NOT NULL)"
            " SELECT v FROM found WHERE v IS NOT NULL"
        )
        return [row[0] for row in rows]
