"""One story as a reader is shown it: pieces, texts, timeline, best source, what is said of the links.

The screen starts with one: what only a story of several pieces needs is imported when there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reader.model import LinkCheck, Outcome
from reader.store.library import Library
from reader.store.rows import PieceRow, StoryRow
from reader.store.state import State
from reader.stories.piece import Piece, TextGroup
from reader.values import dataclass

if TYPE_CHECKING:
    from reader.stories.report import Best, Headline, Spread, Timeline


@dataclass(frozen=True, slots=True)
class Telling:
    """A story with its pieces by time. ``checks`` are what is known of their addresses."""

    row: StoryRow
    pieces: tuple[PieceRow, ...]
    groups: tuple[TextGroup, ...]
    topics: tuple[str, ...]
    checks: Mapping[str, LinkCheck]

    @property
    def told(self) -> list[Piece]:
        """The pieces as :mod:`reader.stories` knows them."""
        return [_piece(row) for row in self.pieces]

    def outcome(self, piece: PieceRow) -> Outcome:
        """What is known of the link of *piece*."""
        check = self.checks.get(piece.url)
        return check.outcome if check else piece.link or Outcome.UNCHECKED

    def best(self) -> Best | None:
        """The piece to open, and why."""
        from reader.stories.report import best_source

        return best_source(self.told, self.groups, {p.key: self.outcome(p) for p in self.pieces})

    def headlines(self) -> tuple[Headline, ...]:
        """Every headline, the words only one outlet uses marked."""
        from reader.stories.report import headline_diff

        return headline_diff(self.told)

    def timeline(self, width: int) -> Timeline:
        """The pieces over at most *width* columns."""
        from reader.stories.report import timeline

        return timeline(self.told, width)

    def spread(self) -> Spread:
        """Quality over the pieces."""
        from reader.stories.report import quality_spread

        return quality_spread(self.told)

    def warning(self) -> str:
        """Whether much of it has a single source; empty when not."""
        from reader.stories.report import concentration

        return concentration(self.told, self.groups)


def tell(library: Library, state: State, key: str) -> Telling | None:
    """The story that the piece *key* is in; None when there is no such piece, or no story of it yet.

    Raises:
        StoreError: a database cannot be read.
    """
    row = library.story(key)
    if row is None:
        return None
    pieces = tuple(library.pieces(row.id))
    articles = [piece.article for piece in pieces if piece.article is not None]
    checks = state.checks([piece.url for piece in pieces if piece.url])
    return Telling(row, pieces, _groups(pieces), tuple(library.topics(articles)), checks)


def beside(library: Library, article: int, own: Sequence[PieceRow]) -> list[PieceRow]:
    """What *article* lists, and what lists it, that is told in other stories than *own* pieces are of."""
    told = library.told([article]).get(article)
    if told is None:
        return []
    keys: list[str] = []
    if told.related:
        from reader.stories.pieces import key_of

        keys = [key_of(told, related) for related in told.related]
    meant = library.aliased(key for key in keys if key.startswith("mention:"))
    wanted = {meant.get(key, key) for key in keys} | set(library.listers(told.key))
    return library.pieces_of(wanted - {piece.key for piece in own} - {told.key})


def listed(library: Library, article: int) -> list[PieceRow]:
    """What *article* lists, and what lists it, as long as no story has been made of it."""
    return [
        PieceRow(
            key=row.key,
            story=0,
            text=0,
            title=row.title,
            excerpt=row.excerpt,
            outlet=row.outlet,
            domain="",
            published=row.published,
            quality=row.quality,
            type=row.type,
            url=row.url,
            has_amp=False,
            article=row.article,
            read=row.read,
            link=row.link,
        )
        for row in library.coverage(article)
    ]


def look(library: Library, state: State, articles: Sequence[int]) -> None:
    """The reader has looked at the stories of *articles*: from now on news of them is told.

    Raises:
        StoreError: it cannot be kept.
    """
    stories = {row.id: row for row in library.stories_of(articles).values()}
    for row in stories.values():
        keys = library.piece_keys(row.id)
        if state.story_seen(row.key) != frozenset(keys):
            state.set_story_seen(row.key, keys)
    if any(row.new_pieces for row in stories.values()):
        from reader.store.story_writer import StoryWriter

        StoryWriter(library).looked(stories)


def source_of(row: PieceRow) -> str:
    """What tells its outlet apart from others."""
    return _piece(row).source


def _piece(row: PieceRow) -> Piece:
    return Piece(
        key=row.key,
        title=row.title,
        excerpt=row.excerpt,
        outlet=row.outlet,
        domain=row.domain,
        published=row.published,
        quality=row.quality,
        in_library=row.article is not None,
        type=row.type,
        address=row.url,
        has_amp=row.has_amp,
    )


def _groups(pieces: Sequence[PieceRow]) -> tuple[TextGroup, ...]:
    by_text: dict[int, list[PieceRow]] = {}
    for piece in pieces:
        by_text.setdefault(piece.text, []).append(piece)
    return tuple(
        TextGroup(tuple(p.key for p in group), tuple(dict.fromkeys(_piece(p).source for p in group)))
        for group in by_text.values()
    )
