"""What making stories asks of ``library.db``: what changed, and articles with all that ties them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from reader.model import Article, Provider, Related
from reader.store import library_schema as schema
from reader.store.listing import KEY, number, unpack
from reader.store.search import Searching
from reader.store.sqlite import chunks, marks_for

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Ties(Searching):
    """The names of a library's articles, and what has changed among them."""

    def unfolded(self, limit: int) -> list[str]:
        """At most *limit* of the names of what changed since stories were made."""
        return [row[0] for row in self._all("SELECT name FROM unfolded LIMIT ?", (limit,))]

    def unfolded_count(self) -> int:
        """How many names :meth:`unfolded` could give."""
        count: int = self._one("SELECT count(*) FROM unfolded")[0]
        return count

    def unaliased(self) -> list[int]:
        """The articles that came since stories were made, and whose other names are not known."""
        rows = self._all(
            "SELECT a.id FROM unfolded u CROSS JOIN article a ON a.key = u.name WHERE NOT EXISTS"
            " (SELECT 1 FROM telling WHERE article = a.id) AND NOT EXISTS"
            " (SELECT 1 FROM alias WHERE article = a.id)"
        )
        return [row[0] for row in rows]

    def kept(self) -> int:
        """How many articles there are, the hidden ones too."""
        row = self._one("SELECT coalesce(sum(total), 0) FROM section WHERE kind IN ('all', 'hidden')")
        return int(row[0])

    def overrules(self) -> list[tuple[int, str, str, str]]:
        """The overrules that the stories were made with: number, kind, key, other."""
        return [tuple(row) for row in self._all("SELECT id, kind, key, other FROM overrule ORDER BY id")]

    def vocabulary(self) -> Mapping[str, Mapping[str, float]] | None:
        """The weights of words the stories were made with, None before there were any."""
        row = self._one("SELECT value FROM meta WHERE name = 'vocabulary'")
        return json.loads(row[0]) if row else None

    def naming(self, names: Collection[str]) -> set[int]:
        """The articles that have one of *names*: as their key, an entry's key or an alias."""
        found: set[int] = set()
        for chunk in chunks(names):
            marks = marks_for(chunk)
            for query in (
                f"SELECT id FROM article WHERE key IN ({marks})",
                f"SELECT article FROM alias WHERE name IN ({marks})",
            ):
                found.update(row[0] for row in self._all(query, chunk))
        return found | self.listing(names)

    def listing(self, keys: Collection[str]) -> set[int]:
        """The articles that list any of *keys* by its address."""
        found: set[int] = set()
        for chunk in chunks(keys):
            maybe = "SELECT DISTINCT article, z FROM listed JOIN mention USING (article) WHERE key IN"
            wanted = {key for key in chunk if key}
            found.update(
                article
                for article, packed in self._all(f"{maybe} ({marks_for(chunk)})", list(map(number, chunk)))
                if any(entry[KEY] in wanted for entry in unpack(packed))
            )
        return found

    def with_keys(self, keys: Collection[str]) -> list[int]:
        """The articles with these keys."""
        return [
            row[0]
            for chunk in chunks(keys)
            for row in self._all(f"SELECT id FROM article WHERE key IN ({marks_for(chunk)})", chunk)
        ]

    def titles(self) -> Iterator[Article]:
        """Every article with what words are weighed by: key, title, topics."""
        names = dict(self._all("SELECT id, name FROM section WHERE kind = 'topic'"))
        for path, key, title, published, updated, sections in self._all(
            "SELECT path, key, title, published, updated, sections FROM article"
        ):
            yield Article(
                key,
                path,
                title,
                published_at=_moment(published),
                updated_at=_moment(updated),
                topics=_topics(sections, names),
            )

    def told(self, ids: Collection[int], *, addressless: bool = False) -> dict[int, Article]:
        """The articles *ids* with all that stories are made of, as the index keeps it: text is clean.

        With *addressless* only those of their entries that give no address.
        """
        names = dict(self._all("SELECT id, name FROM section WHERE kind = 'topic'"))
        found: dict[int, Article] = {}
        for chunk in chunks(ids):
            marks = marks_for(chunk)
            related: dict[int, list[Related]] = {}
            for article, packed in self._all(
                f"SELECT article, z FROM mention WHERE article IN ({marks})", chunk
            ):
                entries = unpack(packed)
                related[article] = [_related(e) for e in entries if not (addressless and e[KEY])]
            for row in self._all(
                "SELECT id, path, key, title, excerpt, outlet, domain, type, published, updated, url,"
                f" quality, flags, sections FROM article WHERE id IN ({marks})",
                chunk,
            ):
                found[row[0]] = _article(row, names, tuple(related.get(row[0], ())))
        return found


def _article(row: Sequence[Any], names: Mapping[int, str], related: tuple[Related, ...]) -> Article:
    return Article(
        key=row[2],
        path=row[1],
        title=row[3],
        excerpt=row[4],
        type=row[7],
        published_at=_moment(row[8]),
        updated_at=_moment(row[9]),
        web_url=row[10],
        amp_url="amp" if row[12] & schema.HAS_AMP else "",
        quality=row[11],
        provider=Provider(row[5], row[6]),
        topics=_topics(row[13], names),
        related=related,
    )


def _related(row: Sequence[Any]) -> Related:
    return Related(
        key=row[0],
        title=row[1],
        excerpt=row[2],
        published_at=_moment(row[5]),
        web_url=row[8],
        amp_url=row[9],
        type=row[7],
        provider=Provider(row[3], row[4]),
        quality=row[6],
    )


def _topics(sections: str, names: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(name for section in sections.split() if (name := names.get(int(section))))


def _moment(epoch: int | None) -> datetime | None:
    return None if epoch is None else _EPOCH + timedelta(seconds=epoch)
