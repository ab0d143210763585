"""How many articles are found, said soon: as many as are known by then.

What no index answers (part of an address, words that are only left out) is
looked for in article after article, of a million for most of a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from reader.errors import SearchStopped
from reader.store.query.nodes import Query
from reader.store.search import Searching

_FIRST: Final = 5_000  # of the newest articles; then each time among four times as many
_WHOLE: Final = 0.5  # of the time, for the attempt to count all


class Tally(NamedTuple):
    """``number`` articles were found; ``known``: there are no more, or counting was to end there."""

    number: int
    known: bool


def tally(
    library: Searching, query: Query, *, at_most: int, seconds: float, stop: Callable[[], bool] = bool
) -> Tally:
    """How many articles *query* asks for, counting to *at_most*; after *seconds* as many as were found.

    Raises:
        SearchStopped, StoreError.
    """
    begun = time.monotonic()

    def late(part: float = 1) -> bool:
        return stop() or time.monotonic() - begun > seconds * part

    def counted(among: int | None, part: float = 1) -> int | None:
        try:
            return library.count(query, at_most=at_most, among=among, stop=lambda: late(part))
        except SearchStopped:
            if stop():
                raise
            return None

    if (number := counted(None, _WHOLE)) is not None:
        return Tally(number, known=True)
    found, among, total = 0, _FIRST, library.count("")
    while among < total and not late() and (number := counted(among)) is not None:
        found, among = number, among * 4
    return Tally(found, known=found >= at_most)
