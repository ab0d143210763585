"""Where a reader is, as values: what is listed, what is shown, and how it is remembered."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

from reader.store.rows import EVERYTHING, PieceRow, Place, PlaceKind, Sort
from reader.values import dataclass


class Pane(StrEnum):
    """The three panes, left to right."""

    TOPICS = "topics"
    LIST = "list"
    ARTICLE = "article"


PANES = tuple(Pane)


@dataclass(frozen=True, slots=True)
class Listing:
    """What the list shows: a place, its order, what narrows it, and whether a row is a whole story.

    ``own_order``: a query's own order, as long as no other was asked for.
    """

    place: Place = EVERYTHING
    sort: Sort = Sort.NEWEST
    unread_only: bool = False
    narrow: str = ""
    own_order: bool = True
    stories: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What the article pane shows: an article of the library, or a piece only mentioned by one.

    ``article`` is the rowid; ``mention`` the piece that is not in the library, listed by it.
    """

    article: int
    key: str
    mention: PieceRow | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place to come back to.

    ``top`` is the first row of the list in sight; ``before`` where one was
    before the list was narrowed.
    """

    listing: Listing
    pane: Pane
    cursor: int | None = None
    shown: Shown | None = None
    scroll: int = 0
    item: str = ""
    top: int = 0
    before: Location | None = None


def to_json(location: Location, key: str) -> dict[str, Any]:
    """*location* as small JSON; *key* names the article under the cursor, for rowids do not last."""
    listing = location.listing
    return {
        "kind": listing.place.kind.value,
        "name": listing.place.name,
        "sort": listing.sort.value,
        "unread_only": listing.unread_only,
        "stories": listing.stories,
        "pane": location.pane.value,
        "key": key,
        "shown": location.shown.key if location.shown is not None else "",
        "top": location.top,
        "scroll": location.scroll,
    }


def from_json(value: object, default: Listing) -> tuple[Location, str, str]:
    """The location that :func:`to_json` wrote, and the keys of the article under the cursor and of the one
    shown; whatever makes no sense is *default*."""
    start = Location(default, Pane.LIST)
    if not isinstance(value, dict):
        return start, "", ""
    try:
        place = Place(PlaceKind(value.get("kind", "all")), str(value.get("name", "")))
        sort = Sort(value.get("sort", default.sort.value))
        pane = Pane(value.get("pane", "list"))
        scroll, top = (max(0, int(value.get(name, 0))) for name in ("scroll", "top"))
    except (TypeError, ValueError):
        return start, "", ""
    unread, stories = value.get("unread_only") is True, value.get("stories") is True
    listing = replace(default, place=place, sort=sort, unread_only=unread, stories=stories)
    location = Location(listing, pane, scroll=scroll, top=top)
    return location, str(value.get("key", "")), str(value.get("shown", ""))
