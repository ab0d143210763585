"""One article, read from its file as it is now."""

from __future__ import annotations

from collections.abc import Sequence

from reader import frontmatter, sources
from reader.errors import NotFound
from reader.model import Article, Problem
from reader.sources import Source


def reread(found: Sequence[Source], path: str) -> Article:
    """The article at *path* (``<source>/<path>``), read from its file as it is now.

    Raises:
        NotFound: no such source, or the file gives no article any more.
        SourceError: the file cannot be read.
    """
    name, _, inner = path.partition("/")
    source = next((s for s in found if s.name == name), None)
    if source is None or not inner or inner.startswith("/") or ".." in inner.split("/"):
        raise NotFound(f"{path} is in none of the open folders")

    article = frontmatter.read(sources.read_file(source.root, inner), path)
    if isinstance(article, Problem):
        raise NotFound(f"{article.path}:{article.line}: {article.reason}")
    return article
