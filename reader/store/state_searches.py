"""Saved searches and rules, each in the reader's order."""

from __future__ import annotations

from collections.abc import Callable

from reader.errors import NotFound
from reader.store.state_core import Change, Core, Edit, Plan
from reader.store.state_schema import RULES, SEARCHES
from reader.store.state_table import Row, Table
from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A query under a name."""

    id: int
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class SavedRule:
    """What to do (``action``) with every article that a query finds."""

    id: int
    name: str
    query: str
    action: str
    enabled: bool


class Searches(Core):
    """Saved searches and rules. ``Change.keys`` holds their ids as text.

    All but ``searches`` and ``rules`` raise NotFound for an id that is not there.
    """

    def searches(self) -> list[SavedSearch]:
        """Every saved search, in order."""
        return [SavedSearch(int(row[0]), str(row[1]), str(row[2])) for row in self._in_order(SEARCHES)]

    def add_search(self, name: str, query: str) -> Change:
        """Save a search at the end of the list."""
        return self._add(SEARCHES, f"saved the search {name}", name, query)

    def rename_search(self, search: int, name: str) -> Change:
        """Give a search another name."""
        return self._alter(SEARCHES, search, f"renamed the search to {name}", lambda r: (r[0], name, *r[2:]))

    def change_search(self, search: int, query: str) -> Change:
        """Give a search another query."""
        return self._alter(SEARCHES, search, "changed a search", lambda r: (*r[:2], query, *r[3:]))

    def move_search(self, search: int, position: int) -> Change:
        """Put a search at a place in the list, counted from 0; beyond the ends means the end."""
        return self._move(SEARCHES, search, position, "moved a search")

    def remove_search(self, search: int) -> Change:
        """Forget a search."""
        return self._remove(SEARCHES, search, "removed the search")

    def rules(self) -> list[SavedRule]:
        """Every rule, in order."""
        return [
            SavedRule(int(row[0]), str(row[1]), str(row[2]), str(row[3]), bool(row[4]))
            for row in self._in_order(RULES)
        ]

    def add_rule(self, name: str, query: str, action: str, enabled: bool = True) -> Change:
        """Add a rule at the end of the list."""
        return self._add(RULES, f"added the rule {name}", name, query, action, int(enabled))

    def change_rule(
        self,
        rule: int,
        *,
        name: str | None = None,
        query: str | None = None,
        action: str | None = None,
        enabled: bool | None = None,
    ) -> Change:
        """Change what is given of a rule, and leave the rest."""

        def to(row: Row) -> Row:
            wanted = (name, query, action, None if enabled is None else int(enabled))
            fields = zip(wanted, row[1:5], strict=True)
            return (row[0], *(old if new is None else new for new, old in fields), row[5])

        return self._alter(RULES, rule, "changed a rule", to)

    def move_rule(self, rule: int, position: int) -> Change:
        """Put a rule at a place in the list, counted from 0."""
        return self._move(RULES, rule, position, "moved a rule")

    def remove_rule(self, rule: int) -> Change:
        """Forget a rule."""
        return self._remove(RULES, rule, "removed the rule")

    # -- the same for both ------------------------------------------------

    def _in_order(self, table: Table) -> list[Row]:
        with self._reading() as db:
            return list(table.rows(db.execute(f"{table.select} ORDER BY place, id")))

    def _one(self, table: Table, number: int) -> Row:
        row = table.fetch(self._db, (number,)).get(number)
        if row is None:
            raise NotFound(f"There is no {'search' if table is SEARCHES else 'rule'} {number}.")
        return row

    def _add(self, table: Table, label: str, *values: str | int) -> Change:
        def plan() -> Plan:
            query = f"SELECT coalesce(max(id), 0) + 1, coalesce(max(place), 0) + 1 FROM {table.name}"
            number, place = self._db.execute(query).fetchone()
            return label, (Edit(table, number, None, None, (number, *values, place)),)

        return self._change(plan)

    def _alter(self, table: Table, number: int, label: str, to: Callable[[Row], Row]) -> Change:
        def plan() -> Plan:
            stored = self._one(table, number)
            before = stored[: len(table.columns)]
            return label, (Edit(table, number, stored, before, to(before)),)

        return self._change(plan)

    def _move(self, table: Table, number: int, position: int, label: str) -> Change:
        def plan() -> Plan:
            moved = self._one(table, number)
            rows = list(table.rows(self._db.execute(f"{table.select} ORDER BY place, id")))
            rows.remove(moved)
            rows.insert(max(0, position), moved)
            width = len(table.columns)
            edits = (
                Edit(table, row[0], row, row[:width], (*row[: width - 1], place))
                for place, row in enumerate(rows, 1)
            )
            return label, tuple(edits)

        return self._change(plan)

    def _remove(self, table: Table, number: int, label: str) -> Change:
        def plan() -> Plan:
            stored = self._one(table, number)
            before = stored[: len(table.columns)]
            return f"{label} {before[1]}", (Edit(table, number, stored, before, None),)

        return self._change(plan)
