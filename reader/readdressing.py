"""An article whose address changed in its file: what was said of it goes along.

Marks hang on the address. Where a maintainer puts in that of a page that
moved, or ``https`` for ``http``, it is still the same article: its title and
time are, or the old address is known to answer from the new one.
What has no time needs the second: a title alone may be another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reader.address import canonical
from reader.model import Outcome
from reader.store.library import Library
from reader.store.preparing import Prepared
from reader.store.rows import HeadlineRow
from reader.store.state import State


def follow(library: Library, state: State, known: Mapping[str, str], coming: Iterable[Prepared]) -> set[str]:
    """Give articles that are about to come under a new key the marks of their old one; the new keys.

    *known* are the keys that stand at their paths now. Doing it twice does no harm.

    Raises:
        StoreError: the state cannot be written.
    """
    changed = [article for article in coming if known.get(article.path, article.key) != article.key]
    if not changed:
        return set()
    before = library.headlines(article.path for article in changed)
    moves = [
        (known[article.path], article.key)
        for article in changed
        if (old := before.get(article.path)) is not None
        and (_is_as(old, article) or _moved(library, state, article))
    ]
    if moves:
        state.follow(moves)
        headlines = state.headline_keys()
        for old_key, key in moves:
            if old_key in headlines and key not in headlines:
                state.record_headlines((key, told) for told in state.headline_history(old_key))
    return {key for _, key in moves}


def _is_as(old: HeadlineRow, article: Prepared) -> bool:
    return article.time is not None and (old.title, old.at) == (article.headline.title, article.time)


def _moved(library: Library, state: State, article: Prepared) -> bool:
    """Whether what stands at the path of *article* was found to have moved to its address for good."""
    row = library.at(article.path)
    check = state.checks((row.url,)).get(row.url) if row is not None else None
    return check is not None and check.outcome is Outcome.MOVED and canonical(check.target) == article.key
