"""An article that comes under another key: what was said of it goes along.

Marks hang on the address. Where a maintainer puts in that of a page that
moved, or ``https`` for ``http``, it is still the same article: its title and
the time it was published are (without a time, title and excerpt), or the old
address is known to answer from the new one. A title alone may be another's.

Articles without an address have their path for a key. One that is gone in the
step in which another with its title and excerpt comes has been renamed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from reader.address import canonical
from reader.digests import blake2b
from reader.errors import StoreReadOnly
from reader.model import Outcome
from reader.store.library import Library
from reader.store.preparing import Prepared
from reader.store.state import State

_NO_ADDRESS = "file:"

_Move = tuple[str, str, str]  # path, old key, new key

Known = tuple[str, str, str, int | None]
"""What stands at a path: key, title, excerpt, when it was published."""


def follow(
    library: Library,
    state: State,
    known: Mapping[str, str],
    coming: Sequence[Prepared],
    leaving: Collection[str],
) -> list[tuple[str, str]]:
    """Give articles that are about to come under a new key the marks of their old one: (old, new) of each.

    *known* are the keys that stand now at the paths of *coming* and at those
    *leaving*. Done again before the library has taken them in, it does nothing.

    Raises:
        Unfollowed: nothing can be kept now.
        StoreError: the state cannot be written.
    """
    before = library.identities([*(a.path for a in coming), *leaving])
    found = [*_readdressed(library, state, before, coming), *_renamed(known, before, coming, leaving)]
    if not found:
        return []
    moves = [(old, new) for _, old, new in found]
    keys = {key for move in moves for key in move}
    changing = {article.path for article in coming}.union(leaving)
    held = {key for path, key in library.paths_of(keys) if path not in changing}
    held |= {article.key for article in coming if known.get(article.path) == article.key}
    new = {key for _, key in moves}
    try:
        state.follow(moves, held & keys, _step(found))
    except StoreReadOnly as error:
        raise Unfollowed({a.path for a in coming if a.key in new}, str(error)) from error
    headlines = state.headline_keys()
    for old, key in moves:
        if old in headlines and key not in headlines:
            state.record_headlines((key, told) for told in state.headline_history(old))
    return moves


class Unfollowed(StoreReadOnly):
    """Marks cannot be kept now, so the files at ``paths`` are to wait until they can follow."""

    def __init__(self, paths: Collection[str], message: str) -> None:
        super().__init__(message)
        self.paths = frozenset(paths)


def _step(moves: Iterable[_Move]) -> str:
    """A name for what is done once: until the library has taken it in, it would be found again."""
    told = json.dumps(sorted(moves))
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def may(known: Mapping[str, str], coming: Sequence[Prepared]) -> bool:
    """Whether there can be anything for :func:`follow` to do: mostly there is not."""
    return any(known.get(article.path, article.key) != article.key for article in coming) or (
        any(key.startswith(_NO_ADDRESS) for key in known.values())
        and any(article.key.startswith(_NO_ADDRESS) and article.path not in known for article in coming)
    )


def _readdressed(
    library: Library, state: State, before: Mapping[str, Known], coming: Sequence[Prepared]
) -> Iterator[_Move]:
    """The files whose address is another."""
    for article in coming:
        old = before.get(article.path)
        if old is None or old[0] == article.key:
            continue
        if _is_as(old, article) or _moved(library, state, article):
            yield article.path, old[0], article.key


def _is_as(old: Known, article: Prepared) -> bool:
    _, title, excerpt, published = old
    new = article.headline
    same = (title, published) == (new.title, article.published)
    return same and (published is not None or bool(excerpt and excerpt == new.excerpt))


def _moved(library: Library, state: State, article: Prepared) -> bool:
    """Whether what stands at the path of *article* was found to have moved to its address for good."""
    row = library.at(article.path)
    check = state.checks((row.url,)).get(row.url) if row is not None else None
    return check is not None and check.outcome is Outcome.MOVED and canonical(check.target) == article.key


def _renamed(
    known: Mapping[str, str], before: Mapping[str, Known], coming: Sequence[Prepared], leaving: Iterable[str]
) -> Iterator[_Move]:
    """The renamed files without an address; of two alike nobody knows which is which."""
    gone = [before[path] for path in leaving if path in before and before[path][0].startswith(_NO_ADDRESS)]
    new = [a.headline for a in coming if a.key.startswith(_NO_ADDRESS) and a.path not in known]
    alike = Counter([row[1:3] for row in gone] + [(row.title, row.excerpt) for row in new])
    old = {row[1:3]: row[0] for row in gone}
    for row in new:
        if (row.title, row.excerpt) in old and alike[row.title, row.excerpt] == 2:
            yield row.path, old[row.title, row.excerpt], row.key
