"""Looks up the archived copy of a page, only when somebody asks for it.

One GET of ``<base>/web/<time>/<address>``, not followed: a redirect names the
copy nearest to that time, a 404 says that there is none. (The availability
API answers often empty or 429.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from reader.address import canonical, host_of
from reader.errors import LinkError
from reader.links.guard import Resolve, check_form, system_resolve
from reader.links.ladder import ARCHIVE, archive_address
from reader.links.policy import Policy
from reader.model import Outcome
from reader.text import clean
from reader.values import dataclass

if TYPE_CHECKING:
    from reader.links.judge import Answer, Verdict

_TAKEN = re.compile(r"/web/(\d{4,14})(?:[a-z]{2}_)?/")
_LOOK = 0.1  # seconds between two looks whether to stop
_TIME_FORMAT = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class Archived:
    """What the archive said of *address*.

    ``outcome``: ALIVE with ``snapshot``, the copy's address, and ``taken_at``
    where it could be read from it; MISSING when there is no copy; else why
    nothing is known, with a clean ``reason``.
    """

    address: str
    outcome: Outcome
    snapshot: str = ""
    taken_at: datetime | None = None
    reason: str = ""


def archived(
    address: str,
    at: datetime | None,
    policy: Policy,
    base: str = ARCHIVE,
    *,
    resolve: Resolve = system_resolve,
    stop: Callable[[], bool] = bool,
) -> Archived:
    """Ask the archive at *base* for the copy of *address* nearest to *at* (aware), or the newest.

    Blocks for at most ``policy.total`` seconds, or until soon after *stop*
    says so: the outcome is UNCHECKED then. Call it from a thread without an
    event loop. Raises :exc:`LinkError` when *address* or *base* is none to ask.
    """
    import asyncio

    if not canonical(address):
        raise LinkError("not an http or https address")
    lookup = archive_address(address.strip(), at, base)
    check_form(lookup)
    return asyncio.run(_look_up(address, lookup, policy, resolve, stop))


async def _look_up(
    address: str, lookup: str, policy: Policy, resolve: Resolve, stop: Callable[[], bool]
) -> Archived:
    import asyncio

    from reader.links.engine import ask_once

    asking = asyncio.ensure_future(ask_once(lookup, policy, resolve))
    while not (await asyncio.wait([asking], timeout=_LOOK))[0]:
        if stop():
            asking.cancel()
            await asyncio.wait([asking])
            return Archived(address, Outcome.UNCHECKED, reason="stopped")
    return _read(address, asking.result())


def _read(address: str, answer: Answer | Verdict) -> Archived:
    from reader.links.judge import REDIRECTS, Verdict, judge

    if isinstance(answer, Verdict):
        return Archived(address, answer.outcome, reason=clean(answer.reason, 300))
    if answer.status == 404:
        return Archived(address, Outcome.MISSING, reason="no archived copy")
    if answer.status in REDIRECTS and answer.location:
        try:
            snapshot = urljoin(answer.url, answer.location)
            check_form(snapshot)
        except (LinkError, ValueError) as error:
            return Archived(address, Outcome.PROTOCOL_ERROR, reason=clean(f"a broken redirect: {error}", 300))
        if host_of(snapshot) != host_of(answer.url) or not _TAKEN.search(snapshot):
            return Archived(address, Outcome.PROTOCOL_ERROR, reason="the archive led somewhere else")
        return Archived(address, Outcome.ALIVE, snapshot, _taken_at(snapshot))
    verdict = judge(answer.url, answer, ())
    if verdict.outcome is Outcome.ALIVE:  # the very second of a copy was asked for
        return Archived(address, Outcome.ALIVE, answer.url, _taken_at(answer.url))
    return Archived(address, verdict.outcome, reason=clean(verdict.reason, 300))


def _taken_at(snapshot: str) -> datetime | None:
    match = _TAKEN.search(snapshot)
    if match is None or len(match[1]) != 14:
        return None
    try:
        return datetime.strptime(match[1], _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
