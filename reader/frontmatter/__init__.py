"""A file's bytes -> an :class:`~reader.model.Article` or a :class:`~reader.model.Problem`.

Two ways lead to one small tree, and one builder makes the article of it:
:mod:`.strict` reads what programs write, fast; :mod:`.events` reads all other
YAML (and :mod:`.toml` TOML), within bounds. No input makes :func:`read` raise,
crash or run away. PyYAML is imported only when a file needs it.
"""

from __future__ import annotations

from reader.model import Article, JsonValue

from .reading import MAX_FILE, MAX_FRONT_MATTER, read

__all__ = ["MAX_FILE", "MAX_FRONT_MATTER", "read", "to_json"]


def to_json(article: Article) -> dict[str, JsonValue]:
    """*article* as JSON values, text exactly as in the file; times are ISO 8601 with ``Z``."""
    when = article.published_at
    return {
        "key": article.key,
        "path": article.path,
        "title": article.title,
        "published_at": when.isoformat().replace("+00:00", "Z") if when else None,
        "address": article.address,
        "warnings": [{"line": w.line, "field": w.field, "reason": w.reason} for w in article.warnings],
        "fields": dict(article.fields),
        "body": article.body,
    }
