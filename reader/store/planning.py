"""How a query is gone about, found out once while nothing is written.

A list asks for its first page, for more pages and for a count of the same
query. What it is in SQL, of which words a typed beginning stands, which
sections are meant: to find that out takes as long as the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeAlias, TypeVar

from reader.store import sqlite

Step: TypeAlias = "tuple[str, tuple[object, ...]]"
"""A select and the values of its question marks."""

Steps: TypeAlias = Sequence[Step]
"""To be asked in turn until one gives as much as is wanted; the last gives all there is."""

_KEPT: Final = 32
_Plan = TypeVar("_Plan")


def planned(db: sqlite.Connection, asked: Hashable, plan: Callable[[], _Plan]) -> _Plan:
    """What *plan* gives for *asked*, as it was given before if nobody wrote to the file since.

    Raises:
        sqlite3.Error, and what *plan* raises.
    """
    if db.in_transaction:  # what is written may be taken back
        return plan()
    # The first is another when another connection wrote, the second when this one did.
    state = (db.execute("PRAGMA data_version").fetchone()[0], db.total_changes)
    if db.plans_of != state:
        db.plans, db.plans_of = {}, state
    found: _Plan | None = db.plans.get(asked)
    if found is None:
        found = plan()
        if len(db.plans) >= _KEPT:
            db.plans.clear()
        db.plans[asked] = found
    return found
