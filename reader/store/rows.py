"""What the library hands out: small frozen rows, their text already clean; paths and keys are exact."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reader.model import OUTCOMES, Outcome


class Sort(StrEnum):
    """The orders of the article list. The value is the word shown and stored."""

    NEWEST = "newest"
    OLDEST = "oldest"
    HEAT = "heat"
    QUALITY = "quality"
    COVERAGE = "coverage"
    OUTLET = "outlet"


class PlaceKind(StrEnum):
    """What a row of the topics pane selects."""

    ALL = "all"
    UNREAD = "unread"
    STARRED = "starred"
    TODAY = "today"
    UNPUBLISHED = "unpublished"
    BROKEN = "broken"
    TOPIC = "topic"
    OUTLET = "outlet"


VIEWS = (
    PlaceKind.ALL,
    PlaceKind.UNREAD,
    PlaceKind.STARRED,
    PlaceKind.TODAY,
    PlaceKind.UNPUBLISHED,
    PlaceKind.BROKEN,
)

BROKEN_OUTCOMES = tuple(o.value for o, info in OUTCOMES.items() if info.group in ("gone", "error"))


@dataclass(frozen=True, slots=True)
class Place:
    """One row of the topics pane: a view, a topic or an outlet (``name``)."""

    kind: PlaceKind
    name: str = ""


EVERYTHING = Place(PlaceKind.ALL)


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place with its counters."""

    place: Place
    total: int
    unread: int


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """What the list draws of an article. Times are epoch seconds; ``link`` the outcome of its address."""

    id: int
    path: str
    key: str
    title: str
    outlet: str
    published: int | None
    type: str
    quality: int | None
    heat: int | None
    front: bool | None
    coverage: int
    flags: int
    read: bool
    starred: bool
    link: Outcome | None
    url: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One piece of an article's coverage. ``article`` is its rowid when it is in the library."""

    key: str
    title: str
    excerpt: str
    outlet: str
    published: int | None
    quality: int | None
    type: str
    url: str
    article: int | None
    read: bool
    link: Outcome | None
    listed_by: bool
    """True where that piece lists this article, and not (only) the other way round."""


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A file, or a field of one, that was not what it should be. ``field`` is empty for a whole file."""

    path: str
    line: int
    field: str
    reason: str
    warning: bool
