"""The folders that are read, and small things remembered from one start to the next."""

from __future__ import annotations

import json
import os
from pathlib import Path

from reader.errors import UsageError
from reader.model import JsonValue
from reader.store.state_core import Change, Core, Edit, Plan
from reader.store.state_schema import SETTINGS, SOURCES


class Places(Core):
    """Sources and settings."""

    def sources(self) -> list[Path]:
        """The remembered folders, in the order they were added."""
        with self._reading() as db:
            rows = db.execute(f"{SOURCES.select} ORDER BY place, path")
            return [Path(str(row[0])) for row in SOURCES.rows(rows)]

    def add_source(self, path: Path) -> Change:
        """Remember a folder."""
        name = os.fspath(path)

        def plan() -> Plan:
            if SOURCES.fetch(self._db, (name,)):
                return "", ()
            place = self._db.execute("SELECT coalesce(max(place), 0) + 1 FROM sources").fetchone()[0]
            return f"added {name}", (Edit(SOURCES, name, None, None, (name, place)),)

        return self._change(plan, undoable=False)  # no mark: who takes back marks keeps the folders

    def remove_source(self, path: Path) -> Change:
        """Forget a folder; marks on its articles stay."""
        name = os.fspath(path)

        def plan() -> Plan:
            stored = SOURCES.fetch(self._db, (name,)).get(name)
            if stored is None:
                return "", ()
            return f"removed {name}", (Edit(SOURCES, name, stored, stored[:2], None),)

        return self._change(plan, undoable=False)

    def get(self, name: str) -> JsonValue | None:
        """The value last put under *name*, or None."""
        with self._reading() as db:
            row = SETTINGS.fetch(db, (name,)).get(name)
        return None if row is None else json.loads(str(row[1]))

    def put(self, name: str, value: JsonValue) -> None:
        """Remember a small JSON value (a place, an order, widths); None forgets it.

        Raises:
            UsageError: it is not JSON.
        """
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UsageError(f"The value of {name} cannot be kept: {error}.") from error
        with self._plain_write() as db:
            if value is None:
                SETTINGS.delete(db, (name,))
            else:
                SETTINGS.put(db, ((name, text),))
