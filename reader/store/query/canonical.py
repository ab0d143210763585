"""A tree back to text: ``parse(to_text(q)) == q``."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Final

from .lexing import escaped
from .nodes import All, And, Compare, FieldIs, Has, Link, Node, Not, Or, Phrase, Query, State, Time, Word

_BARE: Final = re.compile(r"[\w.+#&/%@:?-]+")


def to_text(query: Query) -> str:
    """The canonical form of *query*. Its times are absolute: ``since:7d`` does not come back."""
    parts = [_text(query.root)] if not isinstance(query.root, All) else []
    if query.sort:
        parts.append(f"sort:{query.sort}")
    return " ".join(parts)


def quoted(value: str) -> str:
    """*value* as it may stand after a field: in quotes when it needs them."""
    return value if _BARE.fullmatch(value) else escaped(value)


def _text(node: Node) -> str:
    match node:
        case And(parts):
            return " ".join(f"({_text(p)})" if isinstance(p, Or) else _text(p) for p in parts)
        case Or(parts):
            return " OR ".join(_text(p) for p in parts)
        case Not(part):
            return f"-({_text(part)})" if isinstance(part, And | Or) else f"-{_text(part)}"
        case Word(text, prefix, field):
            return (f"{field}:" if field else "") + text + "*" * prefix
        case Phrase(text, prefix, field):
            return (f"{field}:" if field else "") + escaped(text) + "*" * prefix
        case FieldIs(field, text, exact, prefix):
            return f"{field}{'=' if exact else ':'}{quoted(text)}{'*' * prefix}"
        case Compare(field, op, value):
            return f"{field}{op}{value}"
        case Time(field, op, instant):
            return f"{field}{op}{instant.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
        case State(flag):
            return f"is:{flag}"
        case Link(group):
            return f"link:{group}"
        case Has(what):
            return f"has:{what}"
    return ""
