"""The words of the project as frozen dataclasses. Standard library only.

Values that came out of a file are *exact*: what the publisher wrote, control
characters and all. Whoever shows one cleans it (:mod:`reader.text`).
Times are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reader.values import dataclass

JsonValue = Any
"""``None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]``."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture an article or outlet names: address, size in pixels, caption."""

    url: str
    width: int | None = None
    height: int | None = None
    title: str = ""
    attribution: str = ""
    is_cached: bool | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """The outlet: its name, its domain, its logos, the piece's authors."""

    name: str = ""
    domain: str = ""
    images: tuple[Image, ...] = ()
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """One entry of ``related``: the same story as another outlet told it.

    ``key`` is the canonical address (see :mod:`reader.address`), empty when
    the entry names none.
    """

    key: str
    title: str = ""
    excerpt: str = ""
    published_at: datetime | None = None
    web_url: str = ""
    original_url: str = ""
    amp_url: str = ""
    cdn_amp_url: str = ""
    type: str = ""
    provider: Provider = Provider()
    quality: int | None = None
    images: tuple[Image, ...] = ()

    @property
    def address(self) -> str:
        """The address to open: webUrl, else originalUrl, else empty."""
        return self.web_url or self.original_url


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """A field that was not what it should be. ``line`` counts from 1 in the file."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that gave no article. ``line`` counts from 1; 0 when no line is at fault."""

    path: str
    line: int
    reason: str


class DateOrigin(StrEnum):
    """Where an article's time came from."""

    FIELD = "field"
    FILENAME = "filename"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Article:
    """One file.

    ``path`` is ``<source name>/<path in the source>``, always with ``/``.
    ``key`` is the canonical address, or ``file:<path>`` where there is none.
    ``published`` is the front-page flag: True, False, or None where absent.
    ``fields`` is the whole front matter in file order as JSON values, known
    and unknown keys alike, text exactly as written; ``extra`` is the unknown
    part of it. ``body`` is Markdown or HTML, line ends normalised to ``\\n``.
    """

    key: str
    path: str
    title: str
    excerpt: str = ""
    category: str = ""
    type: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    date_origin: DateOrigin = DateOrigin.NONE
    web_url: str = ""
    original_url: str = ""
    amp_url: str = ""
    cdn_amp_url: str = ""
    quality: int | None = None
    heat: int | None = None
    published: bool | None = None
    provider: Provider = Provider()
    topics: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    images: tuple[Image, ...] = ()
    secured: str = ""
    body: str = ""
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    extra: Mapping[str, JsonValue] = field(default_factory=dict)
    warnings: tuple[FieldWarning, ...] = ()

    @property
    def address(self) -> str:
        """The article's own address: webUrl, else originalUrl, else empty."""
        return self.web_url or self.original_url


class Outcome(StrEnum):
    """What asking an address gave. The value is the word stored and queried."""

    UNCHECKED = "unchecked"
    ALIVE = "alive"
    MOVED = "moved"
    REDIRECTED = "redirected"
    SOFT_404 = "soft-404"
    MISSING = "missing"
    GONE = "gone"
    BLOCKED = "blocked"
    RATE_LIMITED = "rate-limited"
    WALLED = "walled"
    SERVER_ERROR = "server-error"
    DNS_ERROR = "dns-error"
    TLS_ERROR = "tls-error"
    CONNECT_ERROR = "connect-error"
    TIMEOUT = "timeout"
    PROTOCOL_ERROR = "protocol-error"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class OutcomeInfo:
    """How an outcome is shown: one-cell glyph, word, meaning; whether the page can be read."""

    glyph: str
    word: str
    meaning: str
    readable: bool
    group: str
    """The word of the query language: alive, moved, gone, blocked, error, unchecked."""


OUTCOMES: Mapping[Outcome, OutcomeInfo] = {
    Outcome.UNCHECKED: OutcomeInfo("·", "unchecked", "never asked", True, "unchecked"),
    Outcome.ALIVE: OutcomeInfo("✓", "alive", "the page answered", True, "alive"),
    Outcome.MOVED: OutcomeInfo("→", "moved", "permanently at another address", True, "moved"),
    Outcome.REDIRECTED: OutcomeInfo("↷", "redirected", "for now at another address", True, "alive"),
    Outcome.SOFT_404: OutcomeInfo(
        "≈", "soft 404?", "sent to a front or search page: probably gone", False, "gone"
    ),
    Outcome.MISSING: OutcomeInfo("?", "missing", "404 once; gone when seen again a day later", False, "gone"),
    Outcome.GONE: OutcomeInfo("✗", "gone", "410, or 404 seen at least a day apart", False, "gone"),
    Outcome.BLOCKED: OutcomeInfo("⊘", "blocked", "refused to us: 401, 403, 451", False, "blocked"),
    Outcome.RATE_LIMITED: OutcomeInfo("⧖", "rate-limited", "asked us to come back later", False, "blocked"),
    Outcome.WALLED: OutcomeInfo("¤", "walled?", "a paywall or robot wall, probably", False, "blocked"),
    Outcome.SERVER_ERROR: OutcomeInfo("!", "server error", "5xx", False, "error"),
    Outcome.DNS_ERROR: OutcomeInfo("!", "no such host", "the name does not resolve", False, "error"),
    Outcome.TLS_ERROR: OutcomeInfo("!", "TLS error", "the certificate or handshake failed", False, "error"),
    Outcome.CONNECT_ERROR: OutcomeInfo("!", "no connection", "nothing answered there", False, "error"),
    Outcome.TIMEOUT: OutcomeInfo("!", "timeout", "no answer in time", False, "error"),
    Outcome.PROTOCOL_ERROR: OutcomeInfo(
        "!", "bad answer", "not HTTP, a redirect loop or a broken redirect", False, "error"
    ),
    Outcome.REFUSED: OutcomeInfo(
        "-", "not asked", "not http(s), a private address or credentials in it", False, "unchecked"
    ),
}


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """The last answer of one address. ``elapsed_ms`` is the whole check, hops included.

    ``target`` is where a redirect led, else empty; ``reason`` is one clean
    line; ``first_dead`` and ``last_alive`` carry the address's history.
    """

    address: str
    outcome: Outcome
    checked_at: datetime
    status: int | None = None
    target: str = ""
    reason: str = ""
    elapsed_ms: int = 0
    first_dead: datetime | None = None
    last_alive: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What a reader has said of one key. ``seq`` rises with every change in the store."""

    key: str
    read: bool = False
    starred: bool = False
    hidden: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    seq: int = 0
    changed_at: datetime | None = None
