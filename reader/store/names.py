"""The names of topics or outlets, folded once, so that one is found among many thousands at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from reader.store.query.matching import plain, value_matches
from reader.store.query.nodes import FieldIs


class Names:
    """Numbered names; what a search asks for stands somewhere in each that it means."""

    def __init__(self, rows: Sequence[tuple[int, str]] = (), before: Names | None = None) -> None:
        """*rows* after those of *before*."""
        self._rows: list[tuple[int, str]] = [*before._rows, *rows] if before else list(rows)
        self._starts: list[int] = list(before._starts) if before else []
        parts = [before._text if before else "\n"]
        length = len(parts[0])
        for _, name in rows:
            self._starts.append(length)
            parts.append(plain(name) + "\n")
            length += len(parts[-1])
        self._text: str = "".join(parts)
        self.meant = lru_cache(maxsize=32)(self._meant)
        """The numbers of the names that a :class:`FieldIs` asks for; one query asks more than once."""

    @property
    def last(self) -> int:
        """The greatest number, 0 where there is none."""
        return self._rows[-1][0] if self._rows else 0

    def _meant(self, node: FieldIs) -> tuple[int, ...]:
        wanted = plain(node.text)
        if not wanted:
            return tuple([number for number, name in self._rows if value_matches(node, name)])
        found: list[int] = []
        before, after = "\n" * node.exact, "\n" * (node.exact and not node.prefix)
        sought = f"{before}{wanted}{after}"
        at = self._text.find(sought)
        while at >= 0:
            at += len(before)
            number, name = self._rows[bisect_right(self._starts, at) - 1]
            if value_matches(node, name):
                found.append(number)
            at = self._text.find(sought, self._text.index("\n", at))
        return tuple(found)
