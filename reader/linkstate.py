"""What is known of the archive's links, for screen and command line alike: put together, never asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from reader import coverage
from reader.config import Settings
from reader.links import Policy
from reader.links.health import LinkRow, Share, by_outlet, by_year, overall
from reader.links.ladder import Rung, ladder
from reader.model import Article, Outcome, Provider, Related
from reader.store.library import Library
from reader.store.rows import PieceRow
from reader.store.state import State
from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """An address that answered from another for good, and the files that still name it."""

    address: str
    target: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """How the links of the whole archive fare. ``outcomes`` counts articles, ``outlets`` come worst first."""

    all: Share
    outcomes: Mapping[Outcome, int]
    years: tuple[Share, ...]
    outlets: tuple[Share, ...]
    moved: tuple[Moved, ...]


def policy(settings: Settings, *, allow_private: bool = False, probe: bool = False) -> Policy:
    """How links are asked, with what the settings say."""
    return Policy(
        user_agent=settings.user_agent or Policy().user_agent,
        allow_private=allow_private or settings.allow_private_links,
        soft404_probe=probe,
        trust_env=settings.link_proxies,
    )


def link_rows(library: Library) -> list[LinkRow]:
    """Every article's link with its year and outlet."""
    return [
        LinkRow(_year(published), outlet or "unknown outlet", Outcome(link) if link else Outcome.UNCHECKED)
        for published, outlet, link in library.link_facts()
    ]


def _year(epoch: int | None) -> int | None:
    if epoch is None:
        return None
    try:
        return datetime.fromtimestamp(epoch, UTC).year
    except (OverflowError, OSError, ValueError):
        return None


def health(library: Library, state: State) -> Health:
    """What is known of all links.

    Raises:
        StoreError: a database cannot be read.
    """
    rows = link_rows(library)
    return Health(
        overall(rows),
        Counter(row.outcome for row in rows),
        tuple(by_year(rows)),
        tuple(by_outlet(rows)),
        tuple(moved(library, state)),
    )


def moved(library: Library, state: State, stop: Callable[[], bool] = bool) -> list[Moved]:
    """The permanently moved addresses, those in most files first."""
    checks = {address: check for address, check in state.checks_with(Outcome.MOVED).items() if check.target}
    if not checks or stop():
        return []
    paths: dict[str, list[str]] = {}
    for path, addresses in library.file_addresses():
        for address in addresses:
            if address in checks:
                paths.setdefault(address, []).append(path)
    found = [Moved(address, checks[address].target, tuple(files)) for address, files in paths.items()]
    return sorted(found, key=lambda m: (-len(m.paths), m.address))


def tellings(library: Library, state: State, article: int, key: str) -> tuple[PieceRow, ...]:
    """The pieces of the story of *article*, itself among them; until there is one, what the article lists."""
    telling = coverage.tell(library, state, key)
    return telling.pieces if telling is not None else tuple(coverage.listed(library, article))


def rungs(article: Article, pieces: Sequence[PieceRow], state: State, archive: str) -> list[Rung]:
    """What can be read instead of *article*'s own page, best first; *pieces* tell the same story."""
    others = [_as_related(piece) for piece in pieces if piece.url]
    others.sort(key=lambda r: -(r.quality or 0))
    wanted = (article.web_url, article.original_url, article.amp_url, article.cdn_amp_url)
    checks = state.checks([*filter(None, wanted), *(r.web_url for r in others)])
    return ladder(article, checks, others, archive)


def _as_related(piece: PieceRow) -> Related:
    return Related(
        key=piece.key,
        title=piece.title,
        web_url=piece.url,
        provider=Provider(name=piece.outlet),
        quality=piece.quality,
    )
