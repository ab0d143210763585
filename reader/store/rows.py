"""What the library hands out: small frozen rows, their text already clean; paths and keys are exact.

They are tuples, which are had sooner than dataclasses, and the classes of which are made sooner too.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import NamedTuple, overload

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
    SEARCH = "search"


VIEWS = (
    PlaceKind.ALL,
    PlaceKind.UNREAD,
    PlaceKind.STARRED,
    PlaceKind.TODAY,
    PlaceKind.UNPUBLISHED,
    PlaceKind.BROKEN,
)

BROKEN_OUTCOMES = tuple(o.value for o, info in OUTCOMES.items() if info.group in ("gone", "error"))


class Place(NamedTuple):
    """One row of the topics pane: a view, a topic or an outlet (``name``), or a query (``name`` is it)."""

    kind: PlaceKind
    name: str = ""


EVERYTHING = Place(PlaceKind.ALL)


class PlaceRow(NamedTuple):
    """A place with its counters, and its name where that is not the place's own."""

    place: Place
    total: int
    unread: int
    label: str = ""


class _Rows(Sequence[PlaceRow]):
    """What a sequence of rows is beyond its length and one row of it."""

    def row(self, index: int) -> PlaceRow:
        """Row *index*, which there is."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> PlaceRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[PlaceRow]: ...
    def __getitem__(self, index: int | slice) -> PlaceRow | list[PlaceRow]:
        wanted = range(len(self))[index]
        return self.row(wanted) if isinstance(wanted, int) else [self.row(i) for i in wanted]


class SectionRows(_Rows):
    """The topics, or the outlets, of which an archive may have thousands: made when they are looked at."""

    def __init__(self, kind: PlaceKind, rows: Iterable[tuple[str, int, int]], count: int = 0) -> None:
        """Of *kind*, in the order of *rows*: name, total, unread; the first of *count*, if there are more."""
        self.kind = kind
        self._names = bytearray()
        self._ends = array("q", [0])
        self._total, self._unread = array("q"), array("q")
        for name, total, unread in rows:
            self._names += name.encode("utf-8", "surrogatepass")
            self._ends.append(len(self._names))
            self._total.append(total)
            self._unread.append(unread)
        self._count = max(count, len(self._total))

    def __len__(self) -> int:
        return self._count

    @property
    def whole(self) -> bool:
        """Whether all rows are known; the others have no name."""
        return self._count == len(self._total)

    def row(self, index: int) -> PlaceRow:
        if index >= len(self._total):
            return PlaceRow(Place(self.kind), 0, 0, "…")
        name = self._names[self._ends[index] : self._ends[index + 1]].decode("utf-8", "surrogatepass")
        return PlaceRow(Place(self.kind, name), self._total[index], self._unread[index])

    def find(self, place: Place) -> int | None:
        """Which row is that of *place*."""
        name, at = place.name.encode("utf-8", "surrogatepass"), -1
        while place.kind is self.kind and name and (at := self._names.find(name, at + 1)) >= 0:
            index = bisect_left(self._ends, at)
            if self._ends[index : index + 2].tolist() == [at, at + len(name)]:
                return index
        return None


class PlaceRows(_Rows):
    """The rows of the topics pane: one group after another."""

    def __init__(self, groups: Iterable[Sequence[PlaceRow]]) -> None:
        self.groups = tuple(groups)

    def __len__(self) -> int:
        return sum(map(len, self.groups))

    def __iter__(self) -> Iterator[PlaceRow]:
        return chain.from_iterable(self.groups)

    def row(self, index: int) -> PlaceRow:
        for group in self.groups:
            if index < len(group):
                return group[index]
            index -= len(group)
        raise IndexError(index)

    @property
    def whole(self) -> bool:
        """Whether all rows of all groups are known."""
        return all(group.whole for group in self.groups if isinstance(group, SectionRows))

    def find(self, place: Place) -> tuple[int, int] | None:
        """The group that *place* is in, and which row of that is its."""
        for number, group in enumerate(self.groups):
            if isinstance(group, SectionRows):
                found = group.find(place)
            else:
                found = next((index for index, row in enumerate(group) if row.place == place), None)
            if found is not None:
                return number, found
        return None


class StoryRow(NamedTuple):
    """A story: its own key is its earliest piece's. Times are epoch seconds.

    ``lead`` is the rowid of the article that stands for it, None where no
    piece is in the library; ``articles`` counts those that are and are not
    hidden, ``unread`` those of them not read. ``new_pieces`` and
    ``new_outlets`` came since the reader looked, 0 where they never did.
    """

    id: int
    key: str
    lead: int | None
    pieces: int
    outlets: int
    texts: int
    first: int | None
    last: int | None
    new_pieces: int
    new_outlets: int
    articles: int
    unread: int

    @property
    def is_new(self) -> bool:
        """Whether there is anything in it the reader has not seen."""
        return bool(self.unread or self.new_pieces)

    @property
    def news(self) -> str:
        """``+3 outlets since you looked``; empty when nothing came, or nobody had looked."""
        if self.new_outlets:
            return f"+{self.new_outlets} outlet{'s' * (self.new_outlets > 1)} since you looked"
        if self.new_pieces:
            return f"+{self.new_pieces} piece{'s' * (self.new_pieces > 1)} since you looked"
        return ""


class PieceRow(NamedTuple):
    """One piece of a story. ``article`` is its rowid when it is in the library.

    ``text`` numbers the texts of its story: pieces with one number have one
    text. ``key`` is the address, ``file:…``, or made up where there is none.
    """

    key: str
    story: int
    text: int
    title: str
    excerpt: str
    outlet: str
    domain: str
    published: int | None
    quality: int | None
    type: str
    url: str
    has_amp: bool
    article: int | None
    read: bool
    link: Outcome | None


class ArticleRow(NamedTuple):
    """What the list draws of an article. Times are epoch seconds; ``link`` the outcome of its address.

    ``story`` where the row stands for a whole story. A tuple, for a frozen dataclass of so many fields
    takes as long to make as its row takes to read.
    """

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
    story: StoryRow | None = None


class HeadlineRow(NamedTuple):
    """How an article reads in the index. ``at`` is when it was updated, else published."""

    path: str
    key: str
    title: str
    excerpt: str
    at: int | None = None


class CoverageRow(NamedTuple):
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


class ProblemRow(NamedTuple):
    """A file, or a field of one, that was not what it should be. ``field`` is empty for a whole file."""

    path: str
    line: int
    field: str
    reason: str
    warning: bool
