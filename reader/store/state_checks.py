"""What asking the archive's addresses gave, last time and before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from reader.model import OUTCOMES, LinkCheck, Outcome
from reader.store import sqlite, state_schema
from reader.store.state_core import Core, micros, moment
from reader.store.state_schema import CHECK_HISTORY, CHECKS
from reader.store.state_table import Row, Value

HISTORY: Final = 50
"""Answers remembered of one address."""

_PRUNE: Final = """
DELETE FROM check_history WHERE address=?1 AND checked_at <= (
    SELECT checked_at FROM check_history WHERE address=?1
    ORDER BY checked_at DESC LIMIT 1 OFFSET ?2)
"""


class Checks(Core):
    """Link checks, by address. They are not in the journal: they can be asked again."""

    def record_checks(self, checks: Sequence[LinkCheck]) -> None:
        """Keep these answers, each as its address's newest (unless a later one is there) and in its history.

        ``first_dead`` and ``last_alive`` are taken as given, else carried on
        from the answer before: alive, moved and redirected pages end a death
        and are the last sign of life; missing and gone ones begin a death; every
        other outcome says nothing of either.
        """
        with self._plain_write() as db:
            known = CHECKS.fetch(db, (check.address for check in checks))
            seq = int(state_schema.get_meta(db, "checks_seq"))
            for check in checks:
                before = known.get(check.address)
                if before is None or int(before[2]) <= micros(check.checked_at):
                    seq += 1
                    known[check.address] = (*_row(_carried(check, before)), seq)
            changed = {check.address: known[check.address] for check in checks}
            CHECKS.put(db, (row[: len(CHECKS.columns)] for row in changed.values()))
            CHECK_HISTORY.put(db, map(_history_row, checks))
            db.executemany(_PRUNE, ((sqlite.bind(address), HISTORY) for address in changed))
            state_schema.put_meta(db, {"checks_seq": seq})

    def checks(self, addresses: Iterable[str]) -> dict[str, LinkCheck]:
        """The newest answer of each of these addresses that was ever asked."""
        with self._reading() as db:
            return {str(address): _check(row) for address, row in CHECKS.fetch(db, addresses).items()}

    def checks_with(self, outcome: Outcome) -> dict[str, LinkCheck]:
        """The newest answer of every address whose newest is of *outcome*."""
        with self._reading() as db:
            rows = db.execute(f"{CHECKS.select} WHERE outcome=?", (outcome.value,))
            return {str(row[0]): _check(row) for row in CHECKS.rows(rows)}

    def checks_since(self, seq: int) -> list[tuple[int, LinkCheck]]:
        """(number, answer) for every address with an answer recorded after number *seq*, in order.

        These numbers are their own, apart from those of marks.
        """
        with self._reading() as db:
            rows = db.execute(f"{CHECKS.select} WHERE seq>? ORDER BY seq", (seq,))
            return [(int(row[9]), _check(row)) for row in CHECKS.rows(rows)]

    def check_history(self, address: str) -> list[LinkCheck]:
        """All remembered answers of an address, newest first."""
        with self._reading() as db:
            query = f"{CHECK_HISTORY.select} WHERE address=? ORDER BY checked_at DESC"
            rows = list(CHECK_HISTORY.rows(db.execute(query, (sqlite.bind(address),))))
        return [_check((row[0], row[2], row[1], *row[3:7], 0, 0)) for row in rows]


def _carried(check: LinkCheck, before: Row | None) -> LinkCheck:
    first_dead = moment(before[7]) if before else None
    last_alive = moment(before[8]) if before else None
    group = OUTCOMES[check.outcome].group
    if group in ("alive", "moved"):
        first_dead, last_alive = None, check.checked_at
    elif check.outcome in (Outcome.MISSING, Outcome.GONE):  # a suspicion is no death
        first_dead = first_dead or check.checked_at
    return replace(
        check, first_dead=check.first_dead or first_dead, last_alive=check.last_alive or last_alive
    )


def _history_row(check: LinkCheck) -> Row:
    address, outcome, checked_at, *rest = _row(check)[:7]
    return (address, checked_at, outcome, *rest)


def _row(check: LinkCheck) -> tuple[Value, ...]:
    return (
        check.address,
        check.outcome.value,
        micros(check.checked_at),
        check.status or 0,
        check.target,
        check.reason,
        check.elapsed_ms,
        micros(check.first_dead),
        micros(check.last_alive),
    )


def _check(row: Row) -> LinkCheck:
    address, outcome, checked_at, status, target, reason, elapsed, first_dead, last_alive = row[:9]
    when = moment(checked_at)
    assert when is not None, "every answer has a time"
    return LinkCheck(
        str(address),
        Outcome(str(outcome)),
        when,
        int(status) or None,
        str(target),
        str(reason),
        int(elapsed),
        moment(first_dead),
        moment(last_alive),
    )
