"""Coverage: what different outlets made of one story. Pure functions over the model.

``pieces_and_ties`` folds articles and what they mention into one piece per
key; ``cluster`` makes stories of them and ``update`` keeps those current;
``texts`` finds who printed the same text; ``best_source``, ``headline_diff``,
``timeline`` and ``concentration`` say what a reader wants to see of a story.
"""

from __future__ import annotations

from reader.stories.clustering import Edit, Story, cluster
from reader.stories.pieces import Piece, Tie, key_of, names, pieces_and_ties, signature
from reader.stories.report import (
    Best,
    Fragment,
    Headline,
    Moment,
    Spread,
    Timeline,
    best_source,
    concentration,
    headline_diff,
    offset_label,
    quality_spread,
    timeline,
)
from reader.stories.updating import Update, touched, update
from reader.stories.vocabulary import Vocabulary
from reader.stories.wire import TextGroup, summary, texts

__all__ = [
    "Best",
    "Edit",
    "Fragment",
    "Headline",
    "Moment",
    "Piece",
    "Spread",
    "Story",
    "TextGroup",
    "Tie",
    "Timeline",
    "Update",
    "Vocabulary",
    "best_source",
    "cluster",
    "concentration",
    "headline_diff",
    "key_of",
    "names",
    "offset_label",
    "pieces_and_ties",
    "quality_spread",
    "signature",
    "summary",
    "texts",
    "timeline",
    "touched",
    "update",
]
