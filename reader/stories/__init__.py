"""Coverage: what different outlets made of one story. Pure functions over the model.

``pieces_and_ties`` folds articles and what they mention into one piece per
key; ``cluster`` makes stories of them and ``update`` keeps those current;
``texts`` finds who printed the same text; ``best_source``, ``headlines``,
``timeline`` and ``concentration`` say what a reader wants to see of a story.
"""

from __future__ import annotations

from reader.stories.cluster import Edit, Story, cluster
from reader.stories.pieces import Piece, Tie, key_of, names, pieces_and_ties, signature
from reader.stories.update import Update, touched, update
from reader.stories.vocabulary import Vocabulary

__all__ = [
    "Edit",
    "Piece",
    "Story",
    "Tie",
    "Update",
    "Vocabulary",
    "cluster",
    "key_of",
    "names",
    "pieces_and_ties",
    "signature",
    "touched",
    "update",
]
