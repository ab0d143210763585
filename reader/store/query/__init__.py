"""The query language: text to tree, what it means, and what the full-text table holds.

Pure functions, standard library only; no SQL. ``parse`` never raises: what it
does not understand is complained of at its column, and the rest still runs.
"""

from __future__ import annotations

from .canonical import quoted, to_text
from .completion import Completion, complete
from .fields import FIELDS, LINK_GROUPS, SORTS, STATES, Field, HelpRow, Kind, help_rows
from .folding import COLUMNS, TOKENIZER, fold, fts_terms, index_text, match_expression, words
from .highlight import hits
from .matching import Facts, matches, plain, value_matches
from .nodes import (
    ALL,
    All,
    And,
    Compare,
    Complaint,
    FieldIs,
    Has,
    Link,
    Node,
    Not,
    Or,
    Phrase,
    Query,
    State,
    Time,
    Word,
    all_of,
    any_of,
    negated,
    walk,
)
from .parsing import MAX_LENGTH, parse

__all__ = [
    "ALL", "COLUMNS", "FIELDS", "LINK_GROUPS", "MAX_LENGTH", "SORTS", "STATES", "TOKENIZER", "All",
    "And", "Compare", "Complaint", "Completion", "Facts", "Field", "FieldIs", "Has", "HelpRow", "Kind",
    "Link", "Node", "Not", "Or", "Phrase", "Query", "State", "Time", "Word", "all_of", "any_of",
    "complete", "fold", "fts_terms", "help_rows", "hits", "index_text", "match_expression", "matches",
    "negated", "parse", "plain", "quoted", "to_text", "value_matches", "walk", "words",
]  # fmt: skip
