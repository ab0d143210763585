"""Library -> stories -> library: only what a change touches, whenever something has changed.

With every article that comes or goes, its names are noted in the same
transaction; folding takes some of these, finds every article they reach,
makes their stories anew and writes them, again in one transaction. So a run
may be cut off anywhere and the next goes on, and a new library is folded by
the same steps as a single change. The weights of words are kept with the
index; they are made again, and all stories with them, when the library has
grown or shrunk by a quarter.

Stories are made of what the index keeps of an article, text already clean, so
that no file has to be read again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from reader.model import Article
from reader.store.library import Library
from reader.store.state import State
from reader.store.story_writer import NewPiece, NewStory, Overrule, StoryWriter
from reader.stories.clustering import Edit, Story
from reader.stories.piece import Piece, TextGroup
from reader.stories.pieces import names, pieces_and_ties
from reader.stories.report import best_source
from reader.stories.updating import update
from reader.stories.vocabulary import Vocabulary
from reader.stories.wire import texts

AT_ONCE: Final = 500
"""Names that are taken together."""
_TRIES: Final = 3
"""How often a change that articles overtook is made again, before the next run is left to do it."""
_GROWN: Final = 4
"""The words are weighed again when more than one in so many articles has come or gone."""

Progress = Callable[[int, int], None]
"""Names done, of those to do."""


class Folding:
    """Keeps the stories of *library* up to date, with the reader's overrules from *state*."""

    def __init__(
        self,
        library: Library,
        state: State,
        progress: Progress = lambda *_: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.library = library
        self.state = state
        self.progress = progress
        self.stopped = stopped
        self._writer = StoryWriter(library)

    def run(self) -> bool:
        """Make the stories of everything that has changed; False when it was stopped or overtaken.

        Raises:
            StoreError: the library cannot be written.
        """
        self.overrule()
        self._weigh()
        if not self._alias():
            return False
        total, done = self.library.unfolded_count(), 0
        tries = _TRIES
        while waiting := self.library.unfolded(AT_ONCE):
            if self.stopped():
                return False
            self.progress(min(done, total), total)
            if not self._fold(waiting):
                tries -= 1
                if not tries or not self._alias():
                    return False
            done = total - self.library.unfolded_count()
        return True

    def overrule(self) -> bool:
        """Make the stories anew that the reader has overruled, or no longer does; True when there were any.

        Raises:
            StoreError: the library cannot be written.
        """
        wanted: list[Overrule] = self.state.overrules()
        before = self.library.overrules()
        if wanted == before:
            return False
        changed = {name for edit in set(before) ^ set(wanted) for name in edit[2:] if name}
        self._writer.overrule(wanted, changed)
        # Else a run is to come, or under way, that makes these too.
        if self.library.meta("weighed") and not self.library.unaliased():
            any(self._fold(changed) for _ in range(_TRIES))
        return True

    # -- steps --------------------------------------------------------------

    def _weigh(self) -> None:
        total, weighed = self.library.kept(), self.library.meta("weighed")
        if abs(total - weighed) * _GROWN > weighed:
            pieces, _ = pieces_and_ties(self.library.titles())
            self._writer.weigh(Vocabulary.of(pieces.values()).common, total)

    def _alias(self) -> bool:
        """Note the names that are no keys, for every article that has come; False as :meth:`run`."""
        era = self.library.meta("era")
        waiting = self.library.unaliased()
        for start in range(0, len(waiting), AT_ONCE):
            if self.stopped():
                return False
            ids = waiting[start : start + AT_ONCE]
            told = self.library.told(ids, addressless=True)
            rows = [(number, name) for number, a in told.items() for name in names(a) - {a.key}]
            if not self._writer.alias(rows, era):
                return False
        return True

    def _fold(self, changed: Collection[str]) -> bool:
        """Make the stories that *changed* touches; False when articles have changed meanwhile."""
        era = self.library.meta("era")
        known: dict[int, Article] = {}

        def naming(wanted: Collection[str]) -> Iterable[Article]:
            ids = self.library.naming(wanted)
            known.update(self.library.told(ids - known.keys()))
            return [known[number] for number in ids if number in known]

        edits = [_edit(row) for row in self.library.overrules()]
        made = update(changed, naming, edits, Vocabulary(self.library.vocabulary() or {}))
        seen = self.state.stories_seen(made.pieces)
        hidden = self.library.hidden_keys() if seen else set()
        stories = [_new_story(story, made.pieces, seen, hidden) for story in made.stories]
        return self._writer.put(made.dropped, stories, era)


def _edit(row: Overrule) -> Edit:
    return Edit("split" if row[1] == "split" else "join", row[2], row[3])


def _new_story(
    story: Story, pieces: Mapping[str, Piece], seen: Mapping[str, frozenset[str]], hidden: Collection[str]
) -> NewStory:
    told = [pieces[key] for key in story.keys]
    # Most stories are one piece: nothing to compare.
    groups = texts(told) if len(told) > 1 else (TextGroup(story.keys, (told[0].source,)),)
    text_of = {key: number for number, group in enumerate(groups) for key in group.keys}
    looked = (
        frozenset[str]().union(*(seen[key] for key in story.keys if key in seen)) if seen else frozenset()
    )
    # What a rule hid as it came is no news.
    new = [p for p in told if p.key not in looked and p.key not in hidden] if looked else []
    before = {piece.source for piece in told if piece.key in looked}
    return NewStory(
        key=story.key,
        pieces=[_new_piece(piece, text_of[piece.key]) for piece in told],
        leads=_leads(told, groups),
        outlets=len({piece.source for piece in told}),
        texts=len(groups),
        new_pieces=len(new),
        new_outlets=len({piece.source for piece in new} - before),
    )


def _leads(told: Sequence[Piece], groups: Sequence[TextGroup]) -> list[str]:
    """The keys of the pieces in the library: the one to read first, then by time."""
    inside = [piece for piece in told if piece.in_library]
    keys = [piece.key for piece in inside]
    best = best_source(inside, groups, {}) if len(inside) > 1 else None
    return [best.key, *(key for key in keys if key != best.key)] if best else keys


def _new_piece(piece: Piece, text: int) -> NewPiece:
    return NewPiece(
        key=piece.key,
        text=text,
        title=piece.title,
        excerpt="" if piece.in_library else piece.excerpt,
        outlet=piece.outlet,
        domain=piece.domain,
        published=piece.published,
        quality=piece.quality,
        type=piece.type,
        url=piece.address,
        has_amp=piece.has_amp,
        inside=piece.in_library,
    )
