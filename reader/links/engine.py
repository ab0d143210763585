"""Asks addresses: one request at a time of each, many addresses at once.

A job is one address on its way through requests: HEAD, the GET that confirms
it, redirects, retries. Between two requests a job waits in its host's lane
(:mod:`reader.links.lanes`) and costs nothing but its few words, so neither a
slow host nor one that asked for peace holds back another.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote, urljoin, urlsplit

import httpx

from reader.address import host_of
from reader.errors import LinkError
from reader.links.guard import Malformed, Resolve, check_form, system_resolve
from reader.links.judge import (
    HEAD_LIES,
    PASSING,
    PAUSES,
    REDIRECTS,
    Answer,
    Hop,
    Verdict,
    judge,
    loop_verdict,
)
from reader.links.judge import retry_after as seconds_asked
from reader.links.lanes import Lane, Lanes
from reader.links.policy import Policy
from reader.links.transport import NO_BODY, NameUnknown, NotAllowed, TLSFailed, VettedTransport
from reader.model import Outcome

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_HEADERS = [(b"Accept", b"*/*"), (b"Accept-Encoding", b"identity"), (b"Connection", b"keep-alive")]
_DEAD_AFTER = 3
_DEAD_AFTER_LIFE = 8
"""Requests in a row that reached nobody, after which an origin is not tried again in this run:
one that never answered, and one that did."""
_PEACE_AFTER = 3
"""Answers in a row that ask for peace, after which a host's other addresses are put off."""


_NOWHERE = httpx.URL("")


@dataclass(slots=True, eq=False)
class Job:
    """One address and how far it has come: ``url`` is asked next, ``left`` remains of its seconds."""

    address: str
    left: float
    tries_left: int
    url: httpx.URL = _NOWHERE
    origin: str = ""
    host: str = ""
    spent: float = 0.0
    method: str = ""
    fragment: str = ""
    """What stood behind the ``#``, never asked for; a redirect without one keeps it (RFC 9110, 10.2.2)."""
    hops: list[Hop] = field(default_factory=list)
    last: Verdict | None = None
    """What is said of the address when nothing better comes: the answer before a retry."""
    probing: Answer | None = None
    """Set while a made-up neighbour is asked to confirm this answer and ``last``."""


Done = Callable[[str, Verdict | None, float], None]
"""Called with the address, its verdict (None: put off) and the seconds its requests took."""


class Engine:
    """All requests of one run. To be used inside one event loop."""

    def __init__(self, policy: Policy, done: Done, resolve: Resolve = system_resolve) -> None:
        self._policy = policy
        self._done = done
        self._transport = VettedTransport(policy, resolve)
        self._client = _Client(self._transport)
        self._headers = _headers(policy)
        self._lanes: Lanes[Job] = Lanes(policy, self._turn, self._transport.release)
        self._probes: dict[str, Answer] = {}

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._transport.requests

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return self._lanes.in_flight

    def add(self, address: str) -> None:
        """Take in one address; its result comes by ``done``, perhaps at once."""
        job = Job(address, self._policy.total, self._policy.retries, fragment=address.partition("#")[2])
        try:
            job.host = check_form(address)  # the rest when its turn comes: parsing all takes a while
        except LinkError as error:
            self._done(address, Verdict(Outcome.REFUSED, reason=str(error)), 0.0)
            return
        self._lanes.put(job.host, job)

    async def run(self) -> None:
        """Ask until every address has its result."""
        await self._lanes.run()

    async def aclose(self) -> None:
        """Stop asking and drop every connection."""
        await self._lanes.aclose()
        await self._client.aclose()

    # -- one turn: one request

    async def _turn(self, job: Job, lane: Lane[Job]) -> None:
        if not job.origin:
            try:
                _aim(job, job.address, job.host)
            except LinkError as error:
                self._finish(job, Verdict(Outcome.REFUSED, reason=str(error)))
                return
        if lane.left_alone:
            self._finish(job, job.last)
            return
        origin = job.origin
        if origin in lane.dead:
            self._finish(job, lane.dead[origin])
            return
        method = job.method or ("GET" if lane.head_lies else "HEAD")
        # A HEAD that hangs must leave time for the GET that would not.
        limit = job.left if method == "GET" else job.left / 2
        started = time.perf_counter()
        try:
            async with asyncio.timeout(limit):
                answer = await ask(self._client, self._headers, method, job.url)
        except TimeoutError:
            self._spend(job, started)
            self._out_of_time(job, lane, method)
        except (httpx.TransportError, httpx.InvalidURL, LinkError, OSError, ValueError) as error:
            # The last two are nothing we know of, but one odd address must not end the run.
            self._spend(job, started)
            self._failed(job, lane, method, error)
        else:
            self._spend(job, started)
            lane.failures[origin] = 0
            lane.answered.add(origin)
            self._answered(job, lane, method, answer)

    def _spend(self, job: Job, started: float) -> None:
        took = time.perf_counter() - started
        job.spent += took
        job.left = max(job.left - took, 0.05)

    def _answered(self, job: Job, lane: Lane[Job], method: str, answer: Answer) -> None:
        if job.probing is not None and job.last is not None:
            self._probes[str(job.url).rpartition("/")[0]] = answer
            self._finish(job, _compared(job.last, job.probing, job.hops, answer))
            return
        status = answer.status
        if status in PAUSES:
            self._pause(lane, answer)
        else:
            lane.strikes = 0
        if method == "HEAD" and status in HEAD_LIES:
            lane.head_lies = not lane.head_works and (lane.head_lies or status in (405, 501))
            self._again(job, "GET")
        elif status in PASSING and job.tries_left > 0 and not _wants_peace(lane):
            job.tries_left -= 1
            job.last = judge(job.address, answer, job.hops)
            after = 0.0 if status in PAUSES else self._policy.backoff
            self._again(job, "HEAD" if method == "HEAD" and status == 429 else "GET", after)
        elif status in REDIRECTS and answer.location:
            lane.head_works = lane.head_works or method == "HEAD"
            self._follow(job, answer, answer.location)
        else:
            if method == "HEAD":
                lane.head_works = True
            elif job.method == "GET" and 200 <= status < 300 and not lane.head_works:
                lane.head_lies = True  # HEAD said otherwise a moment ago
            self._conclude(job, judge(job.address, answer, job.hops), answer)
        if _wants_peace(lane):
            for other in self._lanes.take_out(lane, lambda _: True):
                self._finish(other, other.last)

    def _pause(self, lane: Lane[Job], answer: Answer) -> None:
        asked = seconds_asked(answer.headers.get("retry-after", ""), datetime.now(UTC))
        if asked is None:
            asked = self._policy.backoff * 2**lane.strikes
        lane.strikes += 1
        if asked > self._policy.retry_after_cap:
            lane.left_alone = True
        else:
            lane.pause(asked)

    def _follow(self, job: Job, answer: Answer, location: str) -> None:
        job.hops.append(Hop(answer.url, answer.status))
        try:
            target = urljoin(answer.url, location.strip().replace(" ", "%20"))
            job.fragment = target.partition("#")[2] or job.fragment
            _aim(job, target, check_form(target))
        except (Malformed, ValueError) as error:
            reason = f"a broken redirect: {error}"
            self._finish(job, Verdict(Outcome.PROTOCOL_ERROR, answer.status, reason=reason))
            return
        except LinkError as error:
            self._finish(job, Verdict(Outcome.REFUSED, answer.status, reason=f"redirected astray: {error}"))
            return
        target = str(job.url)
        if any(hop.url == target for hop in job.hops):
            self._finish(job, loop_verdict(answer.status, job.hops, target, sets_cookie=answer.sets_cookie))
        elif len(job.hops) > self._policy.max_hops:
            reason = f"more than {self._policy.max_hops} redirects"
            self._finish(job, Verdict(Outcome.PROTOCOL_ERROR, answer.status, target, reason))
        else:
            self._again(job, "")

    # -- failures

    def _out_of_time(self, job: Job, lane: Lane[Job], method: str) -> None:
        if method == "HEAD" and job.probing is None:
            self._again(job, "GET")
            return
        verdict = Verdict(Outcome.TIMEOUT, target=_reached(job), reason="no answer in time")
        self._reached_nobody(job, lane, verdict)
        self._finish(job, verdict if job.probing is None else job.last)

    def _failed(self, job: Job, lane: Lane[Job], method: str, error: Exception) -> None:
        if job.probing is not None:
            self._finish(job, job.last)
            return
        outcome, may_pass = _kind(error)
        verdict = Verdict(
            outcome, target=_reached(job), reason=f"{'after a redirect: ' if job.hops else ''}{error}"
        )
        if method == "HEAD" and isinstance(error, httpx.ReadError | httpx.RemoteProtocolError):
            self._again(job, "GET")  # some servers have no idea of HEAD
            return
        if isinstance(error, NotAllowed | httpx.ConnectError | httpx.ConnectTimeout):
            self._reached_nobody(
                job, lane, verdict, final=not may_pass and isinstance(error, NotAllowed | NameUnknown)
            )
        if may_pass and job.tries_left > 0 and job.origin not in lane.dead:
            job.tries_left -= 1
            job.last = verdict
            self._again(job, method, self._policy.backoff)
        else:
            self._finish(job, verdict)

    def _reached_nobody(self, job: Job, lane: Lane[Job], verdict: Verdict, *, final: bool = False) -> None:
        """Count it; give up an origin that nobody answers at, with all who wait for it."""
        origin = job.origin
        lane.failures[origin] += 1
        if not final and lane.failures[origin] < (
            _DEAD_AFTER_LIFE if origin in lane.answered else _DEAD_AFTER
        ):
            return
        times = "" if final else f" ({lane.failures[origin]} requests to this host in a row)"
        lane.dead[origin] = Verdict(
            verdict.outcome, reason=verdict.reason.removeprefix("after a redirect: ") + times
        )
        for other in self._lanes.take_out(
            lane, lambda waiting: (waiting.origin or _origin(waiting.address)) == origin
        ):
            self._finish(other, lane.dead[origin] if other.probing is None else other.last)

    # -- ends

    def _again(self, job: Job, method: str, after: float = 0.0) -> None:
        job.method = method
        if after:
            self._lanes.put_later(job.host, job, after)
        else:
            self._lanes.put(job.host, job, first=True)

    def _conclude(self, job: Job, verdict: Verdict, answer: Answer) -> None:
        if not self._policy.soft404_probe or verdict.outcome not in _PROBED:
            self._finish(job, verdict)
            return
        first = job.hops[0].url if job.hops else str(job.url)
        if not urlsplit(first).path.rstrip("/"):
            self._finish(job, verdict)  # a front page has no neighbours
            return
        folder = first.partition("?")[0].rstrip("/").rpartition("/")[0]
        if (neighbour := self._probes.get(folder)) is not None:
            self._finish(job, _compared(verdict, answer, job.hops, neighbour))
            return
        job.last, job.probing = verdict, answer
        _aim(job, f"{folder}/{secrets.token_hex(8)}", job.host if not job.hops else host_of(folder))
        self._again(job, job.method)

    def _finish(self, job: Job, verdict: Verdict | None) -> None:
        if verdict is not None and job.fragment and verdict.target and verdict.outcome in _ELSEWHERE:
            verdict = replace(verdict, target=f"{verdict.target}#{job.fragment}")
        self._done(job.address, verdict, job.spent)


_ELSEWHERE = (Outcome.MOVED, Outcome.REDIRECTED)
_PROBED = (Outcome.ALIVE, *_ELSEWHERE)


def _wants_peace(lane: Lane[Job]) -> bool:
    return lane.left_alone or lane.strikes >= _PEACE_AFTER


def _compared(verdict: Verdict, page: Answer, hops: Sequence[Hop], neighbour: Answer) -> Verdict:
    """*verdict*, or a suspicion where a made-up *neighbour* fares as the page did."""
    if hops:
        led = hops[1].url if len(hops) > 1 else page.url
        same = neighbour.status in REDIRECTS and urljoin(neighbour.url, neighbour.location or "") == led
    else:
        same = 200 <= neighbour.status < 300 and _looks(page) == _looks(neighbour)
    if not same:
        return verdict
    return Verdict(Outcome.SOFT_404, verdict.status, verdict.target, "a made-up neighbour fares the same")


def _aim(job: Job, address: str, host: str) -> None:
    """Point *job* at *address*, whose form was checked; :exc:`Malformed` when httpx cannot read it."""
    try:
        url = httpx.URL(address.partition("#")[0])
        named = url.host  # read here: it decodes names of the kind "xn--", and may fail as well
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise Malformed(f"not an address: {error}") from error
    if not named:
        raise Malformed("no host in the address")
    job.url, job.host = url, host
    job.origin = _origin(address)


def _origin(address: str) -> str:
    """Scheme, host and port as spelt, in lower case."""
    return "/".join(re.split("[/?#]", address, maxsplit=3)[:3]).lower()


def _reached(job: Job) -> str:
    return str(job.url) if job.hops else ""


class _Client(httpx.AsyncClient):
    """The one client: no cookies, no proxies of its own, redirects left to us.

    No time-out of its own either: every request stands under :func:`asyncio.timeout`.
    """

    def __init__(self, transport: VettedTransport) -> None:
        super().__init__(transport=transport, trust_env=False, timeout=None)
        self._road = transport

    async def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """*request* straight to its transport.

        httpx's own way leads past authentication, cookies, redirects, hooks and a log line. None of
        them is wanted here, together they took a tenth of a run, and each answer was left in a circle.
        """
        return await self._road.handle_async_request(request)


def _headers(policy: Policy) -> list[tuple[bytes, bytes]]:
    return [(b"User-Agent", policy.user_agent.encode("ascii")), *_HEADERS]


async def ask(
    client: httpx.AsyncClient, headers: list[tuple[bytes, bytes]], method: str, url: httpx.URL
) -> Answer:
    """One request, its answer's head. Raises what :class:`VettedTransport` raises."""
    request = httpx.Request(method, url, headers=[(b"Host", url.netloc), *headers], stream=NO_BODY)
    response = await client.send(request)  # nothing to close: it has no body
    said = response.extensions
    location = said["location"]
    return Answer(
        str(url),
        response.status_code,
        said["reason_phrase"].decode("latin-1"),
        {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers.raw},
        None if location is None else _text(location),
        said["sets_cookie"],
    )


async def ask_once(address: str, policy: Policy, resolve: Resolve = system_resolve) -> Answer | Verdict:
    """A single GET within ``policy.total`` seconds, not followed: its answer, or why there is none."""
    async with _Client(VettedTransport(policy, resolve)) as client:
        try:
            async with asyncio.timeout(policy.total):
                return await ask(client, _headers(policy), "GET", httpx.URL(address))
        except TimeoutError:
            return Verdict(Outcome.TIMEOUT, reason="no answer in time")
        except (httpx.TransportError, httpx.InvalidURL, LinkError, OSError, ValueError) as error:
            return Verdict(_kind(error)[0], reason=str(error))


def _kind(error: Exception) -> tuple[Outcome, bool]:
    """The outcome a failure stands for, and whether asking again may help."""
    match error:
        case NotAllowed() | LinkError() | httpx.InvalidURL() | ValueError():
            return Outcome.REFUSED, False
        case NameUnknown():
            return Outcome.DNS_ERROR, error.for_now
        case TLSFailed():
            return Outcome.TLS_ERROR, False
        case httpx.ConnectTimeout() | httpx.ReadError():
            return Outcome.CONNECT_ERROR, True
        case httpx.TimeoutException():
            return Outcome.TIMEOUT, False
        case httpx.RemoteProtocolError():
            return Outcome.PROTOCOL_ERROR, False
    return Outcome.CONNECT_ERROR, False


def _looks(answer: Answer) -> tuple[str | None, ...]:
    return tuple(
        answer.headers.get(name) for name in ("content-length", "etag", "last-modified", "content-type")
    )


def _text(location: bytes) -> str:
    try:
        return location.decode("utf-8")
    except UnicodeDecodeError:
        return quote(location, safe=_PRINTABLE)
