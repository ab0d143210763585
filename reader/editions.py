"""An article re-written in its file: what it said before is remembered.

Only what newsfold itself saw change is known: an article's first headline is
kept when the second comes. Headlines hang on the key, so they survive a
renamed file and a new index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from reader.store.library import Library
from reader.store.rows import HeadlineRow
from reader.store.state import Headline, State

_TIMES = {1: "once", 2: "twice"}


def remember(
    library: Library, state: State, coming: Iterable[HeadlineRow], leaving: Sequence[str], now: datetime
) -> None:
    """Keep the headlines, old and new, of articles that are about to be rewritten as *coming*.

    *leaving* are the paths of files that go in the same step, so that one that
    was moved and changed at once is known again. Doing it twice does no harm.

    Raises:
        StoreError: the state cannot be written.
    """
    told = list(coming)
    before = library.headlines([*(row.path for row in told), *leaving])
    left = {before[path].key: before[path] for path in leaving if path in before}
    known = state.headline_keys()
    found: list[tuple[str, Headline]] = []
    for row in told:
        old = before.get(row.path)
        old = old if old is not None and old.key == row.key else left.get(row.key)
        if old is not None and (old.title, old.excerpt) != (row.title, row.excerpt):
            found += _changed(old, row, state.headline_history(row.key), now)
        elif old is None and row.key in known:  # a new index: what it held before is known here alone
            history = state.headline_history(row.key)
            if all((h.title, h.excerpt) != (row.title, row.excerpt) for h in history):
                found.append((row.key, Headline(row.title, row.excerpt, now)))
    if found:
        state.record_headlines(found)


def _changed(
    old: HeadlineRow, new: HeadlineRow, history: Sequence[Headline], now: datetime
) -> Iterator[tuple[str, Headline]]:
    newest = history[-1] if history else None
    if newest is not None and (newest.title, newest.excerpt) == (new.title, new.excerpt):
        return  # a run that was cut off has kept it already
    if newest is None or (newest.title, newest.excerpt) != (old.title, old.excerpt):
        earliest = newest.seen_at + timedelta(microseconds=1) if newest else datetime(1, 1, 1, tzinfo=UTC)
        yield new.key, Headline(old.title, old.excerpt, _time_of(old, earliest, now))
    yield new.key, Headline(new.title, new.excerpt, now)


def _time_of(row: HeadlineRow, earliest: datetime, now: datetime) -> datetime:
    """When *row* said so: its own time, as far as that is before *now* and not before *earliest*."""
    latest = now - timedelta(microseconds=1)
    if row.at is None:
        return latest
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=row.at)
    return min(max(at, earliest), latest)


def changes(history: Sequence[Headline]) -> str:
    """``headline changed twice, excerpt once``; empty when nothing changed."""
    titles = sum(a.title != b.title for a, b in pairwise(history))
    excerpts = sum(a.excerpt != b.excerpt for a, b in pairwise(history))
    parts = []
    if titles:
        parts.append(f"headline changed {_times(titles)}")
    if excerpts:
        parts.append(f"excerpt {_times(excerpts)}" if titles else f"excerpt changed {_times(excerpts)}")
    return ", ".join(parts)


def _times(count: int) -> str:
    return _TIMES.get(count, f"{count} times")
