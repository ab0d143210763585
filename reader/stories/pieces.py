"""From articles to pieces (one per key) and ties (who lists whom).

One page is often told of many times: by its own file, by copies of that file,
and by the ``related`` lists of others. Contradictions are settled like this:

1. A file speaks before any entry that only mentions it.
2. Among files of one key the one updated last speaks (``updatedDateTime``, else
   ``publishedDateTime``), then the first path.
3. Among mentions, each field is what most of them say; of equals the smallest.
4. A field the speaker leaves empty is taken from whoever fills it, files first.

An entry without an address is a piece of its own whose key is made from its
outlet, title and time, so the same video listed in eight files is one piece;
where exactly such a file is in the library (same outlet, title and second) the
entry *is* that file. Without title or time nothing can be compared: the entry
then belongs to the article that lists it alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeVar

from reader.digests import blake2b
from reader.model import Article, Related
from reader.stories.piece import Piece
from reader.stories.words import fold
from reader.values import dataclass

_V = TypeVar("_V", str, int)

MENTION: Final = "mention:"
"""How the key of a piece without an address begins."""


@dataclass(frozen=True, slots=True, order=True)
class Tie:
    """The article of key ``a`` lists the piece of key ``b``."""

    a: str
    b: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one file says of one piece; ``rank`` sorts claims, the speaker first."""

    piece: Piece
    rank: tuple[int, int, str]


def key_of(article: Article, related: Related) -> str:
    """The key of an entry of *article*: its address, else made from what it says."""
    if related.key:
        return related.key
    return _signature(related.provider.domain, related.title, related.published_at) or _digest(
        article.key, related.provider.domain, related.title, related.excerpt, str(related.published_at)
    )


def signature(article: Article) -> str:
    """The mention key an entry without an address would have if it meant *article*; may be empty."""
    return _signature(article.provider.domain, article.title, article.published_at)


def names(article: Article) -> frozenset[str]:
    """Every name that ties *article* to others: its key, its signature, the keys of its entries.

    Articles that share a name may share a story; those that are not even
    connected through others by names never do. A store keeps these to find
    what a change touches (:mod:`reader.stories.updating`).
    """
    found = {article.key, *(key_of(article, r) for r in article.related)}
    if own := signature(article):
        found.add(own)
    return frozenset(found)


def pieces_and_ties(articles: Iterable[Article]) -> tuple[dict[str, Piece], frozenset[Tie]]:
    """Fold *articles* and all they mention: pieces by key, and every tie between two of them.

    The order of *articles* does not matter. Self-references make no tie;
    every tie's ends are pieces.
    """
    by_file: defaultdict[str, list[_Claim]] = defaultdict(list)
    mentioned: defaultdict[str, list[Piece]] = defaultdict(list)
    meant: dict[str, str] = {}
    listed: list[tuple[str, str]] = []
    for article in articles:
        by_file[article.key].append(_Claim(_of_article(article), _rank(article)))
        if own := signature(article):
            meant[own] = min(article.key, meant.get(own, article.key))
        for key, piece in _mentions(article):
            mentioned[key].append(piece)
            listed.append((article.key, key))
    # Only now are all files known, so only now can an entry be seen to mean one.
    claims: defaultdict[str, list[Piece]] = defaultdict(list)
    for key, said in mentioned.items():
        claims[meant.get(key, key)] += said
    pieces: dict[str, Piece] = {}
    for key in sorted({*by_file, *claims}):
        files = sorted(by_file.get(key, ()), key=lambda claim: claim.rank)
        pieces[key] = _merge([claim.piece for claim in files], claims[key])
    ties = frozenset(Tie(a, b) for a, key in listed if (b := meant.get(key, key)) != a)
    return pieces, ties


def _mentions(article: Article) -> Iterator[tuple[str, Piece]]:
    for related in article.related:
        key = key_of(article, related)
        yield (
            key,
            Piece(
                key=key,
                title=related.title,
                excerpt=related.excerpt,
                outlet=related.provider.name,
                domain=related.provider.domain.casefold(),
                published=_epoch(related.published_at),
                quality=related.quality,
                type=related.type,
                address=related.address,
                has_amp=bool(related.amp_url or related.cdn_amp_url),
            ),
        )


def _of_article(article: Article) -> Piece:
    return Piece(
        key=article.key,
        title=article.title,
        excerpt=article.excerpt,
        outlet=article.provider.name,
        domain=article.provider.domain.casefold(),
        published=_epoch(article.published_at),
        quality=article.quality,
        in_library=True,
        type=article.type,
        address=article.address,
        has_amp=bool(article.amp_url or article.cdn_amp_url),
        topics=article.topics,
    )


def _merge(files: list[Piece], mentions: list[Piece]) -> Piece:
    spoken = [*files, _mode(mentions)] if mentions else files
    lead = spoken[0]
    if len(spoken) == 1:
        return lead
    return Piece(
        key=lead.key,
        title=next((p.title for p in spoken if p.title), ""),
        excerpt=next((p.excerpt for p in spoken if p.excerpt), ""),
        outlet=next((p.outlet for p in spoken if p.outlet), ""),
        domain=next((p.domain for p in spoken if p.domain), ""),
        published=next((p.published for p in spoken if p.published is not None), None),
        quality=next((p.quality for p in spoken if p.quality is not None), None),
        in_library=bool(files),
        type=next((p.type for p in spoken if p.type), ""),
        address=next((p.address for p in spoken if p.address), ""),
        has_amp=any(p.has_amp for p in spoken),
        topics=tuple(dict.fromkeys(t for p in files for t in p.topics)),
    )


def _mode(mentions: list[Piece]) -> Piece:
    if len(mentions) == 1:
        return mentions[0]

    return Piece(
        key=mentions[0].key,
        title=_commonest(p.title for p in mentions if p.title) or "",
        excerpt=_commonest(p.excerpt for p in mentions if p.excerpt) or "",
        outlet=_commonest(p.outlet for p in mentions if p.outlet) or "",
        domain=_commonest(p.domain for p in mentions if p.domain) or "",
        published=_commonest(p.published for p in mentions if p.published is not None),
        quality=_commonest(p.quality for p in mentions if p.quality is not None),
        type=_commonest(p.type for p in mentions if p.type) or "",
        address=_commonest(p.address for p in mentions if p.address) or "",
        has_amp=any(p.has_amp for p in mentions),
    )


def _commonest(values: Iterable[_V]) -> _V | None:
    counted = Counter(values)
    return min(counted, key=lambda v: (-counted[v], v)) if counted else None


def _rank(article: Article) -> tuple[int, int, str]:
    return (0, -(_epoch(article.updated_at or article.published_at) or 0), article.path)


def _epoch(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def _signature(domain: str, title: str, moment: datetime | None) -> str:
    title = fold(title)
    if not title or moment is None:
        return ""
    return _digest(domain.casefold(), title, str(_epoch(moment)))


def _digest(*parts: str) -> str:
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return MENTION + blake2b(joined, digest_size=8).hexdigest()
