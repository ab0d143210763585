"""Stories: which pieces the archive ties together, directly or through others.

The rule
--------
Ties are drawn by machines and chain: a release-date guide is listed for years,
a hub lists whatever else was new that day. So a tie only *proposes*; pieces
are one story when they also agree in words and lie close in time.

1. Nothing is joined that the archive does not tie: stories never reach beyond
   a connected part of the graph of ties.
2. Each piece is a set of weighted word stems: title words weigh 1, words only
   in the excerpt ``EXCERPT``, words common on the topic less, the topic's own
   name nothing (:mod:`reader.stories.vocabulary`).
3. Proposals are the ties, and pairs of entries neighbouring in time in one
   article's list that share a title word. They are taken from the strongest:
   the cosine of the two pieces plus ``exp(-days between)``.
4. A proposal joins the two stories-so-far when the cosine of their summed
   words reaches ``AGREEMENT``, and ``AGREEMENT_PER_DAY`` more for each day
   between the two pieces or the stories' mean times, whichever is more (at
   most ``FAR_DAYS``; undated counts as far), ``SIBLING`` more when they are
   only listed side by side, and ``GROWN`` more for each doubling of the smaller
   story, so that a piece finds its story easily and two grown stories must be
   one indeed. The story must not span more than ``SPAN_DAYS``. All proposals
   are tried twice, since stories grow.

Reports of one day need share little; a follow-up must share more with each
day. An evergreen page ends in the one story it agrees with best: the span
keeps it from chaining what it is tied to over months. Each proposal costs the
smaller side's words, so the work grows with the ties, not with their square.

The result depends on nothing outside the connected part: not on order, not on
what was clustered before. The readers' overrules (:class:`Edit`) come last.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from reader.stories.piece import Piece
from reader.stories.pieces import Tie
from reader.stories.vocabulary import Vocabulary
from reader.stories.words import telling
from reader.values import dataclass

EXCERPT: Final = 0.4
AGREEMENT: Final = 0.06
AGREEMENT_PER_DAY: Final = 0.11
FAR_DAYS: Final = 3.0
SIBLING: Final = 0.1
GROWN: Final = 0.08
SPAN_DAYS: Final = 21.0
_SIBLING_RANK: Final = 0.1
_ROUNDS: Final = 2
_DAY: Final = 86_400.0

Words = dict[str, float]


@dataclass(frozen=True, slots=True)
class Edit:
    """A reader's overrule: ``split`` takes ``key`` out alone, ``join`` makes one of two stories.

    They name pieces, not stories, so they hold when the library is made anew;
    an edit that names a piece which is gone waits until it is back. Undo is
    leaving it out.
    """

    kind: Literal["split", "join"]
    key: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """``key`` is its earliest piece's; ``keys`` all of them by time, undated last."""

    key: str
    keys: tuple[str, ...]


def cluster(
    pieces: Mapping[str, Piece],
    ties: Iterable[Tie],
    edits: Sequence[Edit] = (),
    vocabulary: Vocabulary | None = None,
) -> tuple[Story, ...]:
    """Every piece in exactly one story, stories by key. See the module for the rule.

    Ties and edits that name pieces not in *pieces* are ignored.
    """
    vocabulary = vocabulary or Vocabulary()
    stories: list[set[str]] = []
    known = {tie for tie in ties if tie.a != tie.b and tie.a in pieces and tie.b in pieces}
    weights: dict[tuple[str, ...], dict[str, float]] = {}
    for keys, inner in _parts(pieces, known):
        if not inner:
            stories.append(set(keys))
            continue
        topics = tuple(sorted({topic for key in keys for topic in pieces[key].topics}))
        if topics not in weights:
            weights[topics] = vocabulary.weights(topics)
        stories += _part(keys, inner, pieces, weights[topics])
    _overrule(stories, edits)
    made = (_story(keys, pieces) for keys in stories if keys)
    return tuple(sorted(made, key=lambda story: story.key))


def by_time(piece: Piece) -> tuple[bool, int, str]:
    """Sort key: earliest first, undated last, then by key."""
    return (piece.published is None, piece.published or 0, piece.key)


def _story(keys: Iterable[str], pieces: Mapping[str, Piece]) -> Story:
    ordered = tuple(sorted(keys, key=lambda key: by_time(pieces[key])))
    return Story(ordered[0], ordered)


def _parts(pieces: Mapping[str, Piece], ties: Iterable[Tie]) -> Iterable[tuple[list[str], list[Tie]]]:
    """The connected parts of the graph, each with its ties, all in a fixed order."""
    roots = _Roots()
    ordered = sorted(ties, key=lambda tie: (tie.a, tie.b))
    for tie in ordered:
        roots.join(tie.a, tie.b)
    keys: defaultdict[str, list[str]] = defaultdict(list)
    inner: defaultdict[str, list[Tie]] = defaultdict(list)
    for key in sorted(pieces):
        keys[roots.of(key)].append(key)
    for tie in ordered:
        inner[roots.of(tie.a)].append(tie)
    return [(members, inner.get(root, [])) for root, members in keys.items()]


def _part(
    keys: Sequence[str], ties: Sequence[Tie], pieces: Mapping[str, Piece], weights: Mapping[str, float]
) -> list[set[str]]:
    titles = {key: _weighed(telling(pieces[key].title), weights, 1.0) for key in keys}
    groups = _Groups(keys, pieces, titles, weights)
    proposals = _proposals(ties, pieces, titles, groups)
    for _ in range(_ROUNDS):
        for _, a, b, days, extra in proposals:
            groups.propose(a, b, days, extra)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key in keys:
        found[groups.roots.of(key)].add(key)
    return list(found.values())


def _proposals(
    ties: Sequence[Tie], pieces: Mapping[str, Piece], titles: Mapping[str, Words], groups: _Groups
) -> list[tuple[float, str, str, float, float]]:
    """``(-strength, a, b, days between them, extra agreement needed)``, strongest first."""
    direct = {(tie.a, tie.b) if tie.a < tie.b else (tie.b, tie.a) for tie in ties}
    lists: defaultdict[str, list[str]] = defaultdict(list)
    for tie in ties:
        lists[tie.a].append(tie.b)
    beside: set[tuple[str, str]] = set()
    for listed in lists.values():
        last: dict[str, str] = {}
        for key in sorted(listed, key=lambda k: by_time(pieces[k])):
            for word in titles[key]:
                if word in last:
                    beside.add((last[word], key) if last[word] < key else (key, last[word]))
                last[word] = key
    found: list[tuple[float, str, str, float, float]] = []
    for pairs, penalty, extra in ((direct, 0.0, 0.0), (beside - direct, _SIBLING_RANK, SIBLING)):
        for a, b in pairs:
            days = _days(pieces[a], pieces[b])
            strength = groups.cosine(a, b) + math.exp(-days) - penalty
            found.append((-strength, a, b, days, extra))
    found.sort()
    return found


def _weighed(stems: Iterable[str], weights: Mapping[str, float], share: float) -> Words:
    # Sorted, because sums of floats depend on their order and that of a set is not fixed.
    return {stem: share * weight for stem in sorted(stems) if (weight := weights.get(stem, 1.0))}


def _days(a: Piece, b: Piece) -> float:
    if a.published is None or b.published is None:
        return FAR_DAYS
    return abs(a.published - b.published) / _DAY


class _Roots:
    """Union-find over names."""

    __slots__ = ("_up",)

    def __init__(self) -> None:
        self._up: dict[str, str] = {}

    def of(self, key: str) -> str:
        up = self._up
        root = key
        while (above := up.get(root, root)) != root:
            root = above
        while key != root:
            up[key], key = root, up.get(key, key)
        return root

    def join(self, a: str, b: str) -> None:
        """*b*'s set goes into *a*'s; *a*'s root stays the root."""
        a, b = self.of(a), self.of(b)
        if a != b:
            self._up[b] = a


class _Groups:
    """Stories in the making: summed words and their squared length, first, last and summed times, sizes."""

    __slots__ = ("_dated", "_first", "_last", "_size", "_square", "_sum", "_words", "roots")

    def __init__(
        self,
        keys: Iterable[str],
        pieces: Mapping[str, Piece],
        titles: Mapping[str, Words],
        weights: Mapping[str, float],
    ) -> None:
        self.roots = _Roots()
        self._words: dict[str, Words] = {}
        self._square: dict[str, float] = {}
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}
        # Whole numbers, so that the mean does not depend on who joined first.
        self._sum: dict[str, int] = {}
        self._dated: dict[str, int] = {}
        self._size: dict[str, int] = {}
        for key in keys:
            words = _weighed(telling(pieces[key].excerpt), weights, EXCERPT) | titles[key]
            self._words[key] = words
            self._square[key] = sum(weight * weight for weight in words.values())
            published = pieces[key].published
            self._first[key] = math.inf if published is None else published
            self._last[key] = -math.inf if published is None else published
            self._sum[key] = published or 0
            self._dated[key] = 0 if published is None else 1
            self._size[key] = 1

    def _dot(self, a: str, b: str) -> float:
        few, many = self._words[a], self._words[b]
        if len(few) > len(many):
            few, many = many, few
        return sum(weight * many[word] for word, weight in few.items() if word in many)

    def cosine(self, a: str, b: str) -> float:
        """How far the words of two roots agree, 0 to 1."""
        dot = self._dot(a, b)
        return dot / math.sqrt(self._square[a] * self._square[b]) if dot else 0.0

    def _days(self, a: str, b: str) -> float:
        """Days between the mean times of two roots."""
        if not self._dated[a] or not self._dated[b]:
            return FAR_DAYS
        return abs(self._sum[a] / self._dated[a] - self._sum[b] / self._dated[b]) / _DAY

    def propose(self, a: str, b: str, days: float, extra: float) -> None:
        """Join the groups of *a* and *b*, *days* apart, if they agree enough and stay within the span."""
        a, b = self.roots.of(a), self.roots.of(b)
        if a == b:
            return
        first = min(self._first[a], self._first[b])
        last = max(self._last[a], self._last[b])
        if last - first > SPAN_DAYS * _DAY:
            return
        dot = self._dot(a, b)
        needed = AGREEMENT + AGREEMENT_PER_DAY * min(max(days, self._days(a, b)), FAR_DAYS) + extra
        needed += GROWN * math.log2(min(self._size[a], self._size[b]))
        if not dot or dot < needed * math.sqrt(self._square[a] * self._square[b]):
            return
        if len(self._words[a]) < len(self._words[b]):
            a, b = b, a
        words = self._words[a]
        for word, weight in self._words.pop(b).items():
            words[word] = words.get(word, 0.0) + weight
        self._square[a] += self._square[b] + 2 * dot
        self._first[a], self._last[a] = first, last
        self._sum[a] += self._sum[b]
        self._dated[a] += self._dated[b]
        self._size[a] += self._size[b]
        self.roots.join(a, b)


def _overrule(stories: list[set[str]], edits: Sequence[Edit]) -> None:
    """Apply *edits* in order, in place; emptied stories stay as empty sets."""
    if not edits:
        return
    place = {key: at for at, keys in enumerate(stories) for key in keys}
    for edit in edits:
        at = place.get(edit.key)
        if at is None:
            continue
        if edit.kind == "split":
            stories[at].discard(edit.key)
            place[edit.key] = len(stories)
            stories.append({edit.key})
        elif (to := place.get(edit.other)) is not None and to != at:
            if len(stories[at]) < len(stories[to]):
                at, to = to, at
            for key in stories[to]:
                place[key] = at
            stories[at] |= stories[to]
            stories[to] = set()
