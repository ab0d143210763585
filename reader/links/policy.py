"""How politely and how widely addresses are asked, and how long an answer holds.

================  ========  =====================================================
outcome           lifetime  why
================  ========  =====================================================
alive, moved      30 days   pages that live mostly go on living
redirected        14 days   said to be for now
soft-404, walled   7 days   a suspicion deserves a second look
missing            1 day    seen again a day later it is gone
gone              90 days   rarely comes back
blocked            7 days   refusals change with the weather
rate-limited       1 hour   we were asked to come back later
server error      12 hours  mostly passes
DNS, connection    1 day    mostly passes, or is final and cheap to ask
TLS                3 days   somebody has to renew something
timeout           12 hours  mostly passes
bad answer         7 days   somebody has to repair something
not asked         30 days   the address itself would have to change
================  ========  =====================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from reader import __version__
from reader.errors import UsageError
from reader.model import OUTCOMES, LinkCheck, Outcome
from reader.values import dataclass

LIFETIMES: Final[Mapping[Outcome, timedelta]] = MappingProxyType(
    {
        Outcome.UNCHECKED: timedelta(0),
        Outcome.ALIVE: timedelta(days=30),
        Outcome.MOVED: timedelta(days=30),
        Outcome.REDIRECTED: timedelta(days=14),
        Outcome.SOFT_404: timedelta(days=7),
        Outcome.MISSING: timedelta(days=1),
        Outcome.GONE: timedelta(days=90),
        Outcome.BLOCKED: timedelta(days=7),
        Outcome.RATE_LIMITED: timedelta(hours=1),
        Outcome.WALLED: timedelta(days=7),
        Outcome.SERVER_ERROR: timedelta(hours=12),
        Outcome.DNS_ERROR: timedelta(days=1),
        Outcome.TLS_ERROR: timedelta(days=3),
        Outcome.CONNECT_ERROR: timedelta(days=1),
        Outcome.TIMEOUT: timedelta(hours=12),
        Outcome.PROTOCOL_ERROR: timedelta(days=7),
        Outcome.REFUSED: timedelta(days=30),
    }
)
GONE_AFTER: Final = timedelta(days=1)
"""A 404 seen this long after the first 404 makes the page gone."""

_HEADER_TEXT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Policy:
    """The manners of one run. Times are seconds. :exc:`UsageError` on values that make no sense.

    ``per_host`` requests run at once to one host, their starts at least ``gap``
    apart; ``in_flight`` at once to all hosts. ``total`` bounds one address with
    all its redirects and retries, not counting the waiting for its host's turn;
    ``connect`` bounds one connection with its handshake. ``retries`` is spent
    only on what can pass: 408, 425, 429, 5xx, a connection that broke or came
    too late, a resolver that failed for now. ``backoff`` is the wait before that,
    and the first pause of a host that answered 429 or 503 without
    ``Retry-After``; it doubles.
    ``retry_after_cap`` bounds every pause: a host that asks for a longer one is left alone for the rest
    of the run. ``allow_private`` opens loopback and
    private ranges; link-local and metadata addresses stay closed. ``trust_env`` sends requests through
    the proxies of the environment, which then resolve the names: only the
    address's own form is guarded then. ``soft404_probe`` asks for a made-up
    neighbour of each living page. ``ca_file`` names certificates to trust
    beside the usual ones (PEM).
    """

    user_agent: str = f"newsfold/{__version__} (link check)"
    per_host: int = 2
    gap: float = 0.2
    total: float = 20.0
    connect: float = 8.0
    max_hops: int = 5
    in_flight: int = 100
    allow_private: bool = False
    retries: int = 1
    backoff: float = 1.0
    retry_after_cap: float = 30.0
    trust_env: bool = False
    soft404_probe: bool = False
    ca_file: str = ""

    def __post_init__(self) -> None:
        if not _HEADER_TEXT.fullmatch(self.user_agent):
            raise UsageError("the user agent must be printable ASCII")
        for name in ("per_host", "in_flight", "total", "connect"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} must be above 0")
        for name in ("gap", "max_hops", "retries", "backoff", "retry_after_cap"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must not be below 0")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. Every result counted in ``done`` has been kept.

    ``done`` of ``total`` addresses have a result, ``put_off`` were left unasked
    because their host asked for peace. ``eta_s`` is None while nothing is known.
    """

    done: int
    total: int
    in_flight: int
    rate_per_s: float
    eta_s: float | None
    by_outcome: Mapping[Outcome, int]
    skipped_fresh: int
    put_off: int
    hosts: int
    finished: bool

    @property
    def left(self) -> str:
        """The time left in words: ``45 s left``, ``2 h 5 min left``; empty while nothing is known."""
        if not self.eta_s:
            return ""
        if self.eta_s < 99.5:
            return f"{math.ceil(self.eta_s)} s left"
        hours, minutes = divmod(math.ceil(self.eta_s / 60), 60)
        return f"{hours} h {minutes} min left" if hours else f"{minutes} min left"


@dataclass(frozen=True, slots=True)
class Report:
    """What a run gave.

    ``checks`` are the new results, in the order they came; ``fresh`` the known
    ones that were still good; ``put_off`` the addresses left unasked because
    their host asked us to come back later; ``unasked`` those a cancel left.
    ``requests`` counts every request sent, ``elapsed_s`` is wall time.
    """

    checks: tuple[LinkCheck, ...]
    fresh: tuple[LinkCheck, ...]
    put_off: tuple[str, ...]
    unasked: tuple[str, ...]
    by_outcome: Mapping[Outcome, int]
    requests: int
    hosts: int
    elapsed_s: float
    cancelled: bool


def is_stale(check: LinkCheck, now: datetime, lifetime: timedelta | None = None) -> bool:
    """Whether *check* should be asked anew at *now*.

    *lifetime* replaces the table above. A check from more than a day ahead is
    stale: a clock was wrong.
    """
    age = now - check.checked_at
    held = LIFETIMES[check.outcome] if lifetime is None else lifetime
    return age < -timedelta(days=1) or age >= held


def with_history(check: LinkCheck, before: LinkCheck | None) -> LinkCheck:
    """*check* with the history of its address carried on from the check *before*.

    ``last_alive`` is the last time the page could be read. ``first_dead`` is
    the first 404 or 410 since then; it is carried through refusals and errors,
    which say nothing of the page. A 404 at least :data:`GONE_AFTER` after the
    first one turns *missing* into *gone*.
    """
    alive = before.last_alive if before else None
    dead = before.first_dead if before else None
    if OUTCOMES[check.outcome].readable:
        return replace(check, last_alive=check.checked_at, first_dead=None)
    if check.outcome in (Outcome.MISSING, Outcome.GONE):
        dead = dead or check.checked_at
        if check.outcome is Outcome.MISSING and check.checked_at - dead >= GONE_AFTER:
            since = f"missing since {dead:%Y-%m-%d}"
            reason = f"{check.reason}; {since}" if check.reason else since
            check = replace(check, outcome=Outcome.GONE, reason=reason)
    return replace(check, last_alive=alive, first_dead=dead)
