"""What a list asks of the library: a place, a query, or both, narrowed."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from reader.store.library import Library
from reader.store.query import And, Node, Or, Query, Word, all_of, parse
from reader.store.rows import EVERYTHING, PlaceKind
from reader.ui.places import Listing


@dataclass(frozen=True, slots=True)
class Found:
    """The rowids of a list in order, the order they are in, and what is to be highlighted.

    ``ranked_among``: see :class:`reader.store.search.SearchResult`.
    """

    ids: array[int]
    sort: str
    query: Node | None = None
    ranked_among: int | None = None


def question(listing: Listing, now: datetime) -> Query | None:
    """The query of *listing*, None where it is only a place; words that narrow may be beginnings."""
    if listing.place.kind is not PlaceKind.SEARCH and not listing.narrow:
        return None
    text = listing.place.name if listing.place.kind is PlaceKind.SEARCH else ""
    query, narrow = parse(text, now), parse(listing.narrow, now)
    return Query(all_of([query.root, beginnings(narrow.root)]), narrow.sort or query.sort)


def beginnings(node: Node) -> Node:
    """*node* with every plain word standing for all that begin so, but not where it is left out."""
    match node:
        case Word():
            return replace(node, prefix=True)
        case And(parts) | Or(parts):
            return type(node)(tuple(map(beginnings, parts)))
    return node


def find(library: Library, listing: Listing, query: Query, *, today: int, stop: Callable[[], bool]) -> Found:
    """The articles of *listing*, whose :func:`question` is *query*.

    Raises:
        SearchStopped: *stop* said so.
        StoreError
    """
    searching = listing.place.kind is PlaceKind.SEARCH
    sort = None if searching and listing.own_order else query.sort or listing.sort.value
    found = library.search(
        query,
        sort=sort,
        place=EVERYTHING if searching else listing.place,
        today=today,
        unread=listing.unread_only,
        stop=stop,
    )
    return Found(found.ids, found.sort, query.root, found.ranked_among)
