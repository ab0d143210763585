"""What a list asks of the library: a place, a query, or both, narrowed."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from reader.store.library import Library
from reader.store.query.matching import value_matches
from reader.store.query.nodes import ALL, And, FieldIs, Node, Or, Query, Word, all_of, any_of
from reader.store.query.parsing import parse
from reader.store.rows import EVERYTHING, PlaceKind
from reader.ui.places import Listing
from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """The rowids of a list in order, the order they are in, and what is to be highlighted.

    ``ranked_among``: see :class:`reader.store.search.SearchResult`. ``part``:
    these are but the first or the last, of ``total``, None where that is not known.
    """

    ids: array[int]
    sort: str
    query: Node = ALL
    ranked_among: int | None = None
    part: Literal["", "first", "last"] = ""
    total: int | None = None

    def standing(self, cursor: int, count: int) -> tuple[int | None, int | None]:
        """The number of row *cursor* of the *count* that are shown of these, and of how many in all.

        None for what is not known before all are there.
        """
        row = cursor + 1 if count else 0
        if not self.part:
            return row, count
        if self.total is None:
            return (row if self.part == "first" else None), None
        missing = self.total - len(self.ids)
        return row + missing * (self.part == "last"), count + missing


_BACKWARDS: Final = {"newest": "oldest", "oldest": "newest"}
_OUTLET_FROM: Final = 3  # letters: fewer begin too many outlets to be of use


def question(listing: Listing, now: datetime, outlets: Callable[[], Sequence[str]]) -> Query | None:
    """The query of *listing*, None where it is only a place.

    Words that narrow may be beginnings, and may stand in the outlet's name;
    *outlets* gives those there are.
    """
    if listing.place.kind is not PlaceKind.SEARCH and not listing.narrow:
        return None
    text = listing.place.name if listing.place.kind is PlaceKind.SEARCH else ""
    query, narrow = parse(text, now), parse(listing.narrow, now)
    names = outlets() if listing.narrow else ()
    return Query(all_of([query.root, widened(narrow.root, names)]), narrow.sort or query.sort)


def widened(node: Node, outlets: Sequence[str]) -> Node:
    """*node* with every plain word standing for all that begin so, but not where it is left out."""
    match node:
        case Word(text, _, field):
            word = replace(node, prefix=True)
            outlet = FieldIs("outlet", text, prefix=True)
            # Only where there is one: words alone are looked up faster.
            named = field is None and len(text) >= _OUTLET_FROM
            return Or((word, outlet)) if named and any(value_matches(outlet, o) for o in outlets) else word
        case And(parts):
            return all_of(widened(part, outlets) for part in parts)
        case Or(parts):
            return any_of(widened(part, outlets) for part in parts)
    return node


def find(
    library: Library,
    listing: Listing,
    query: Query,
    *,
    today: int,
    limit: int | None = None,
    last: str = "",
    stop: Callable[[], bool] | None = None,
) -> Found:
    """The articles of *listing*, whose :func:`question` is *query*; the first *limit* of them.

    With *last*, the order of the list if it :func:`ends`, the last *limit*.

    Raises:
        SearchStopped: *stop* said so.
        StoreError
    """
    searching = listing.place.kind is PlaceKind.SEARCH
    sort = None if searching and listing.own_order else query.sort or listing.sort.value
    found = library.search(
        query,
        sort=_BACKWARDS[last] if last else sort,
        limit=limit,
        place=EVERYTHING if searching else listing.place,
        today=today,
        unread=listing.unread_only,
        stop=stop,
    )
    if last:
        found.ids.reverse()
    return Found(found.ids, last or found.sort, query.root, found.ranked_among)


def ends(listing: Listing, found: Found) -> bool:
    """Whether the last of *listing*, shown as *found*, are had without all before them."""
    of_place = listing.place.kind is not PlaceKind.SEARCH and not listing.narrow
    return of_place or found.sort in _BACKWARDS
