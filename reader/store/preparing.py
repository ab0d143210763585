"""An article as the rows it will be, made without the database: by any thread or process."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from reader.address import MAX_ADDRESS
from reader.model import Article, Provider, Related
from reader.store import indexing, listing
from reader.store import library_schema as schema
from reader.store.indexing import EXCERPT
from reader.text import clean

if TYPE_CHECKING:
    from reader.store.rows import HeadlineRow

Values = tuple[object, ...]

_HEADLINE = 500  # characters of a related entry's; the longest real one has 142


class Prepared(NamedTuple):
    """What of an article goes into the tables; only plain values, so that it can pass between processes.

    ``published`` is in epoch seconds; ``values`` are the columns of ``article``
    from path to flags; ``sections`` are kind and name; ``columns`` those of the
    full-text index; ``mentions`` are the related entries, packed, ``listed`` the
    numbers of their keys; ``warnings`` are line, field and reason.
    """

    path: str
    key: str
    address: str
    published: int | None
    quality: int | None
    heat: int | None
    values: Values
    urls: str
    sections: tuple[tuple[str, str], ...]
    mentions: bytes
    listed: tuple[int, ...]
    columns: tuple[str, str, str, str]
    beyond: bytes | None
    warnings: tuple[tuple[int, str, str], ...]

    @property
    def headline(self) -> HeadlineRow:
        """How it will read in the index."""
        from reader.store.rows import HeadlineRow  # not where files are only read

        return HeadlineRow(self.path, self.key, str(self.values[2]), str(self.values[3]))

    @property
    def plain(self) -> bool:
        """Whether its addresses as kept are ASCII."""
        return cast(str, self.values[10]).isascii() and self.urls.isascii()

    @property
    def coverage(self) -> int:
        """How many related entries it has."""
        return cast(int, self.values[14])

    @property
    def weight(self) -> int:
        """Characters of text, about."""
        return sum(map(len, self.columns))


def prepare(article: Article) -> Prepared:
    """The rows of *article*."""
    published = _epoch(article.published_at)
    quality, heat = _fits(article.quality), _fits(article.heat)
    outlet = outlet_name(article.provider)
    title, excerpt = clean(article.title), clean(article.excerpt, EXCERPT)
    mentions = [_mention(r) for r in article.related]
    beyond = indexing.beyond(article)
    values = (
        article.path,
        article.key,
        title,
        excerpt,
        outlet,
        _name(article.provider.domain),
        _name(article.category),
        _name(article.type),
        published,
        _epoch(article.updated_at),
        _address(article.address, article.key),
        quality,
        heat,
        article.published,
        len(article.related),
        _flags(article),
    )
    return Prepared(
        article.path,
        article.key,
        article.address,
        published,
        quality,
        heat,
        values,
        _other_addresses(article),
        _sections(article, outlet),
        listing.pack(mentions),
        tuple(listing.numbers(mentions)),
        indexing.columns(title, excerpt, [str(m[listing.TITLE]) for m in mentions], beyond),
        None if beyond is None else indexing.packed(beyond),
        tuple([(w.line, clean(w.field), clean(w.reason)) for w in article.warnings]),
    )


@lru_cache(maxsize=4_096)
def _name(text: str) -> str:
    return clean(text, 200)


def outlet_name(provider: Provider) -> str:
    """The outlet as lists show it: its name, else its domain."""
    return _name(provider.name) or _name(provider.domain)


def _sections(article: Article, outlet: str) -> tuple[tuple[str, str], ...]:
    wanted = [("all", "")]
    wanted += [("topic", name) for topic in article.topics if (name := _name(topic))]
    if outlet:
        wanted.append(("outlet", outlet))
    if article.published is False:
        wanted.append(("unpublished", ""))
    return tuple(dict.fromkeys(wanted))


def _epoch(when: datetime | None) -> int | None:
    return None if when is None else int(when.timestamp())


def _flags(a: Article) -> int:
    return (
        (schema.HAS_IMAGE if a.images else 0)
        | (schema.HAS_AMP if a.amp_url or a.cdn_amp_url else 0)
        | (schema.HAS_BODY if a.body.strip() else 0)
        | (schema.SEALED if a.secured else 0)
        | (schema.HAS_RELATED if a.related else 0)
    )


def _mention(r: Related) -> Values:
    amp = r.amp_url or r.cdn_amp_url
    return (
        r.key,
        clean(r.title, _HEADLINE),
        clean(r.excerpt, EXCERPT),
        outlet_name(r.provider),
        _name(r.provider.domain),
        _epoch(r.published_at),
        _fits(r.quality),
        _name(r.type),
        _address(r.address, r.key),
        amp and clean(amp, MAX_ADDRESS),
    )


def _address(address: str, key: str) -> str:
    """*address* cleaned; one that is its own key, as most are, and printable ASCII has nothing to clean."""
    plain = address == key and address.isascii() and address.isprintable()
    return address if plain else clean(address, MAX_ADDRESS)


def _other_addresses(a: Article) -> str:
    """The addresses of *a* besides the one it is opened at, one a line."""
    found = dict.fromkeys((a.web_url, a.original_url, a.amp_url, a.cdn_amp_url))
    return "\n".join([clean(url, MAX_ADDRESS) for url in found if url and url != a.address])


def _fits(number: int | None) -> int | None:
    """SQLite's integers have 64 bits; a publisher's need not."""
    return number if number is None or abs(number) < 1 << 62 else None
