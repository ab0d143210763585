"""An article that comes under another key: what was said of it goes along.

Marks hang on the address. Where a maintainer puts in that of a page that
moved, or ``https`` for ``http``, it is still the same article: its title and
time are, or the old address is known to answer from the new one. What has no
time needs the second: a title alone may be another's.

Articles without an address have their path for a key. One that is gone in the
step in which another with its title and excerpt comes has been renamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reader.address import canonical
from reader.model import Outcome
from reader.store.library import Library
from reader.store.preparing import Prepared
from reader.store.rows import HeadlineRow
from reader.store.state import State

_NO_ADDRESS = "file:"


def follow(
    library: Library,
    state: State,
    known: Mapping[str, str],
    coming: Sequence[Prepared],
    leaving: Iterable[str],
) -> set[str]:
    """Give articles that are about to come under a new key the marks of their old one; the new keys.

    *known* are the keys that stand now at the paths of *coming* and at those
    *leaving*. Doing it twice does no harm.

    Raises:
        StoreError: the state cannot be written.
    """
    moves = [*_readdressed(library, state, known, coming), *_renamed(library, known, coming, leaving)]
    if moves:
        state.follow(moves)
        headlines = state.headline_keys()
        for old, new in moves:
            if old in headlines and new not in headlines:
                state.record_headlines((new, told) for told in state.headline_history(old))
    return {new for _, new in moves}


def may(known: Mapping[str, str], coming: Sequence[Prepared]) -> bool:
    """Whether there can be anything for :func:`follow` to do: mostly there is not."""
    return any(known.get(article.path, article.key) != article.key for article in coming) or (
        any(key.startswith(_NO_ADDRESS) for key in known.values())
        and any(article.key.startswith(_NO_ADDRESS) and article.path not in known for article in coming)
    )


def _readdressed(
    library: Library, state: State, known: Mapping[str, str], coming: Sequence[Prepared]
) -> Iterator[tuple[str, str]]:
    """(old key, new key) of the files whose address is another."""
    changed = [article for article in coming if known.get(article.path, article.key) != article.key]
    before = library.headlines(article.path for article in changed)
    for article in changed:
        old = before.get(article.path)
        if old is not None and (_is_as(old, article) or _moved(library, state, article)):
            yield old.key, article.key


def _is_as(old: HeadlineRow, article: Prepared) -> bool:
    return article.time is not None and (old.title, old.at) == (article.headline.title, article.time)


def _moved(library: Library, state: State, article: Prepared) -> bool:
    """Whether what stands at the path of *article* was found to have moved to its address for good."""
    row = library.at(article.path)
    check = state.checks((row.url,)).get(row.url) if row is not None else None
    return check is not None and check.outcome is Outcome.MOVED and canonical(check.target) == article.key


def _renamed(
    library: Library, known: Mapping[str, str], coming: Sequence[Prepared], leaving: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The same of the files without an address that were renamed; of two alike nobody knows which is which."""
    gone = library.headlines(path for path in leaving if known.get(path, "").startswith(_NO_ADDRESS))
    new = [a.headline for a in coming if a.key.startswith(_NO_ADDRESS) and a.path not in known]
    alike = Counter((row.title, row.excerpt) for row in (*gone.values(), *new))
    old = {(row.title, row.excerpt): row.key for row in gone.values()}
    for row in new:
        if (row.title, row.excerpt) in old and alike[row.title, row.excerpt] == 2:
            yield old[row.title, row.excerpt], row.key
