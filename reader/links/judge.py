"""From an answer to an outcome: pure rules, no asking.

*Walled* is a suspicion, raised by: 402; 999; a challenge header of a robot
filter (``cf-mitigated``, ``x-amzn-waf-action``, DataDome, PerimeterX, Sucuri,
Imperva) with any status; a redirect to a log-in, subscription or consent page
or host; a redirect loop that sets cookies. *Soft 404* is one too: a page below
the root that was sent to a front page (``/``, ``/index.html``, ``/home``, a
language's root), a search page or a page named as an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from reader.model import Outcome
from reader.values import dataclass

PERMANENT: Final = frozenset({301, 308})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses worth asking again."""
HEAD_LIES: Final = frozenset({400, 403, 404, 405, 406, 500, 501, 502})
"""Answers to HEAD that a GET must confirm."""
PAUSES: Final = frozenset({429, 503})
"""Statuses by which a host asks for peace."""

_FRONT = re.compile(
    r"/?|/(?:index|default|home)(?:\.\w{2,5})?/?|/(?:[a-z]{2}(?:[-_][a-z]{2})?|home/[a-z]{2})/?",
    re.IGNORECASE,
)
_LOST = re.compile(
    r"(?:^|/)(?:404|410|error|errors|not-?found|page-?not-?found|notfound|missing|gone|search|suche|recherche|buscar)"
    r"(?:[-_]?\w{0,8})?(?:\.\w{2,5})?/?$",
    re.IGNORECASE,
)
_SEARCH_KEYS = frozenset({"s", "q", "query", "search", "keyword", "keywords"})
_WALL_PATH = re.compile(
    r"(?:^|/)(?:log-?in|sign-?in|sign-?up|signon|sso|oauth2?|register|registration|subscribe|subscriptions?|paywall|"
    r"consent|collectconsent|privacy-?(?:gate|wall|consent)|gdpr(?:-consent)?|captcha|challenge|blocked|"
    r"access-?denied|robots?-?check|authwall|checkpoint)(?:\.\w{2,5})?(?:/|$)",
    re.IGNORECASE,
)
_WALL_HOST = re.compile(
    r"^(?:consent|guce|login|signin|accounts?|auth|sso|id|idp|myaccount|subscribe|captcha|geo\.captcha)\."
)
_CHALLENGES: Final = (
    ("cf-mitigated", "Cloudflare"),
    ("x-amzn-waf-action", "AWS WAF"),
    ("x-datadome", "DataDome"),
    ("x-px-block-score", "PerimeterX"),
    ("x-px-captcha", "PerimeterX"),
    ("x-sucuri-block", "Sucuri"),
    ("x-iinfo-block", "Imperva"),
)
LOOKS: Final = ("content-length", "etag", "last-modified", "content-type")
"""Headers by which two pages are told apart."""
READ_HEADERS: Final = frozenset({"retry-after", *LOOKS, *(name for name, _ in _CHALLENGES)})
"""Every header that is read here."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer's head. Header names in lower case; text as it was sent, not cleaned."""

    url: str
    status: int
    phrase: str
    headers: Mapping[str, str]
    location: str | None = None
    sets_cookie: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect that was followed: the address asked, its status."""

    url: str
    status: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome with what is to be told of it. ``target`` and ``reason`` are not cleaned yet."""

    outcome: Outcome
    status: int | None = None
    target: str = ""
    reason: str = ""


def judge(address: str, answer: Answer, hops: Sequence[Hop]) -> Verdict:
    """The outcome of *address*, whose last answer after *hops* is no redirect to follow."""
    target = answer.url if hops else ""
    outcome, reason = _by_status(answer)
    if wall := _challenge(answer):
        outcome, reason = Outcome.WALLED, f"{wall} asks for proof of a person"
    elif outcome is Outcome.ALIVE and hops:
        outcome, reason = _by_journey(address, answer.url, hops)
    return Verdict(outcome, answer.status, target, reason)


def _by_status(answer: Answer) -> tuple[Outcome, str]:
    status = answer.status
    said = f"{status} {answer.phrase}".strip()
    if 200 <= status < 300:
        return Outcome.ALIVE, ""
    if status in REDIRECTS:
        return Outcome.PROTOCOL_ERROR, f"{said}: a redirect without a target"
    match status:
        case 404:
            return Outcome.MISSING, said
        case 410:
            return Outcome.GONE, said
        case 402 | 999:
            return (
                Outcome.WALLED,
                f"{said}: {'payment is asked' if status == 402 else 'robots are turned away'}",
            )
        case 408:
            return Outcome.TIMEOUT, said
        case 429:
            return Outcome.RATE_LIMITED, said
    if 400 <= status < 500:
        return Outcome.BLOCKED, said
    if 500 <= status < 600:
        return Outcome.SERVER_ERROR, said
    return Outcome.PROTOCOL_ERROR, f"{said}: no answer to such a question"


def _by_journey(address: str, end: str, hops: Sequence[Hop]) -> tuple[Outcome, str]:
    """A living end of a chain of redirects: what does it mean for where we started?"""
    start, stop = urlsplit(address), urlsplit(end)
    if suspicion := soft_404(start, stop):
        return Outcome.SOFT_404, suspicion
    if wall := _wall(start, stop):
        return Outcome.WALLED, wall
    if downgrade := downgraded(hops, end):
        return Outcome.REDIRECTED, downgrade
    if all(hop.status in PERMANENT for hop in hops):
        return Outcome.MOVED, ""
    return Outcome.REDIRECTED, ""


def soft_404(start: SplitResult, stop: SplitResult) -> str:
    """Why a page at *start* that was sent to *stop* is probably gone, else empty."""
    if _FRONT.fullmatch(start.path) and not start.query:
        return ""
    if _FRONT.fullmatch(stop.path):
        if stop.query and {key for key, _ in parse_qsl(stop.query)} & _SEARCH_KEYS:
            return "sent to a search page"
        same = stop.path.rstrip("/") == start.path.rstrip("/") and stop.query == start.query
        return "" if same or stop.query == start.query != "" else "sent to a front page"
    if _LOST.search(stop.path) and not _LOST.search(start.path):
        return "sent to a search or error page"
    return ""


def _wall(start: SplitResult, stop: SplitResult) -> str:
    if _WALL_PATH.search(stop.path) and not _WALL_PATH.search(start.path):
        return "sent to a log-in, subscription or consent page"
    if stop.hostname != start.hostname and _WALL_HOST.search(stop.hostname or ""):
        return "sent to a log-in or consent host"
    return ""


def downgraded(hops: Sequence[Hop], end: str) -> str:
    """Said when a redirect led from https down to http, else empty."""
    chain = [hop.url for hop in hops] + [end]
    for here, there in pairwise(chain):
        if here.startswith("https:") and there.startswith("http:"):
            return "redirected from https down to http"
    return ""


def _challenge(answer: Answer) -> str:
    headers = answer.headers
    for name, wall in _CHALLENGES:
        if name in headers and not (name == "x-datadome" and answer.status < 400):
            return wall
    return ""


def loop_verdict(status: int, hops: Sequence[Hop], back_to: str, *, sets_cookie: bool) -> Verdict:
    """A redirect to an address that was already asked."""
    if sets_cookie:
        return Verdict(
            Outcome.WALLED, status, back_to, "a redirect loop that sets cookies: a cookie or consent wall"
        )
    steps = "itself" if hops[-1].url == back_to else " -> ".join([hop.url for hop in hops] + [back_to])
    return Verdict(Outcome.PROTOCOL_ERROR, status, back_to, f"a redirect loop: to {steps}")


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` asks for, never below 0: a number or an HTTP date.

    None when it is neither. *now* is aware.
    """
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,10}(?:\.[0-9]{1,10})?", value):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())
