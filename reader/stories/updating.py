"""Stories kept up with a changing library: only what a change touches is clustered again.

The store keeps, for every article, its :func:`reader.stories.pieces.names`.
Two pieces can share a story only if a chain of articles sharing names leads
from one to the other, or a reader joined them; so whatever lies beyond that
chain cannot change, and clustering the chain alone gives what clustering the
whole library would give (same vocabulary, same edits).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from reader.model import Article
from reader.stories.clustering import Edit, Story, cluster
from reader.stories.piece import Piece
from reader.stories.pieces import Tie, names, pieces_and_ties
from reader.stories.vocabulary import Vocabulary
from reader.values import dataclass

Naming = Callable[[Collection[str]], Iterable[Article]]
"""Given names, every article of the library, as it now is, that has one of them."""


@dataclass(frozen=True, slots=True)
class Update:
    """What to write: drop the stories and pieces of ``dropped``, then put in ``stories`` and ``pieces``.

    ``dropped`` are the keys of all pieces that were or are in a touched
    story; keys in it without a story now are gone from the library.
    """

    dropped: frozenset[str]
    stories: tuple[Story, ...]
    pieces: Mapping[str, Piece]
    ties: frozenset[Tie]


def touched(
    changed: Iterable[str], naming: Naming, edits: Sequence[Edit] = ()
) -> tuple[list[Article], set[str]]:
    """The articles a change of the names *changed* may reach, and every name met on the way.

    *changed* are the names of the articles as they were and as they are, so
    that what came apart is found too. Each name is asked for once.
    """
    joined: defaultdict[str, set[str]] = defaultdict(set)
    for edit in edits:
        if edit.kind == "join":
            joined[edit.key].add(edit.other)
            joined[edit.other].add(edit.key)
    articles: dict[str, Article] = {}
    met: set[str] = set()
    ask = set(changed)
    while ask:
        met |= ask
        found = [article for article in naming(ask) if article.path not in articles]
        reached = {partner for name in ask for partner in joined.get(name, ())}
        for article in found:
            articles[article.path] = article
            reached |= names(article)
        ask = reached - met
    return list(articles.values()), met


def update(
    changed: Iterable[str],
    naming: Naming,
    edits: Sequence[Edit] = (),
    vocabulary: Vocabulary | None = None,
) -> Update:
    """Cluster again what a change touches.

    *changed*: the names of every article that came, went or was rewritten, as
    it was and as it is. For a new edit: the keys it names.
    """
    articles, met = touched(changed, naming, edits)
    pieces, ties = pieces_and_ties(articles)
    stories = cluster(pieces, ties, edits, vocabulary)
    return Update(frozenset(met) | frozenset(pieces), stories, pieces, ties)
