"""Which words say nothing, because everybody writing on the topic uses them.

"Beta" tells two stories apart in an archive of sport, but not in an archive
of one computer game. So words are weighed per topic, from the titles that are
in the library, once: the weights are kept with the index and handed to every
clustering, which makes clustering a part give what clustering the whole gave.
Renewing them (when the library has grown much) means clustering all again.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from reader.stories.piece import Piece
from reader.stories.words import telling
from reader.values import dataclass

FEWEST_TITLES: Final = 40
"""Topics with fewer titles have too few to tell what is common."""
COMMON: Final = 150
"""A word in more than one of this many titles is common; its weight falls from 1 towards 0."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The common words of each topic: topic -> stem -> weight, 0 (in every title) up to 1.

    A plain mapping of mappings of floats: it may be kept as JSON and built again from it.
    """

    common: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> Vocabulary:
        """Weigh the titles of *pieces* that are in the library."""
        titles: Counter[str] = Counter()
        used: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for piece in pieces:
            if not piece.in_library:
                continue
            stems = telling(piece.title)
            for topic in set(piece.topics):
                titles[topic] += 1
                used[topic].update(stems)
        common: dict[str, dict[str, float]] = {}
        for topic in sorted(titles):
            if titles[topic] < FEWEST_TITLES:
                continue
            total = titles[topic]
            common[topic] = {
                stem: round(math.log(total / count) / math.log(COMMON), 4)
                for stem, count in sorted(used[topic].items())
                if count * COMMON > total
            }
        return cls(common)

    def weights(self, topics: Iterable[str]) -> dict[str, float]:
        """Stem -> weight for pieces on *topics*; stems not in it weigh 1. A topic's own name weighs 0."""
        found: dict[str, float] = {}
        for topic in topics:
            for stem, weight in self.common.get(topic, {}).items():
                found[stem] = min(weight, found.get(stem, 1.0))
            found.update(dict.fromkeys(telling(topic), 0.0))
        return found
