"""The stories in ``library.db``, read: what lists and pages show."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from reader.model import Outcome
from reader.store.library_folding import Ties
from reader.store.rows import HeadlineRow, PieceRow, StoryRow
from reader.store.sqlite import chunks, marks_for

_MANY: Final = 5_000  # ids from which a whole table is read sooner than its rows one by one
_OUTCOMES: Final = {o.value: o for o in Outcome}

_PIECE: Final = (
    "SELECT p.key, p.story, p.text, p.title, p.excerpt, p.outlet, p.domain, p.published, p.quality, p.type,"
    " p.url, p.amp, a.id, a.read, a.link FROM piece p"
    " LEFT JOIN article a ON a.id = (SELECT max(id) FROM article WHERE key = p.key)"
)
_SHOWN: Final = (
    "SELECT count(*) FROM telling t JOIN article a ON a.id = t.article WHERE t.story = s.id AND NOT a.hidden"
)
_LEAD: Final = (
    "SELECT t.article FROM telling t JOIN article a ON a.id = t.article"
    " WHERE t.story = s.id AND NOT a.hidden ORDER BY t.rank LIMIT 1"
)
_STORY: Final = (
    f"SELECT s.id, s.key, coalesce(({_LEAD}), s.lead), s.pieces, s.outlets, s.texts, s.first, s.last,"
    f" s.new_pieces, s.new_outlets, ({_SHOWN}), ({_SHOWN} AND NOT a.read) FROM story s"
)


class Shelf(Ties):
    """The stories of a library."""

    # -- lists --------------------------------------------------------------

    def leads(self, ids: Sequence[int], *, fresh: bool = False) -> array[int]:
        """The stories that the articles *ids* tell, in the order of each one's first article there.

        A story is given by its lead article or, where that is hidden, by the
        next; an article that is in no story yet stands for itself. With
        *fresh* only stories with anything unread or new.
        """
        told = self._told(ids)
        hidden = {row[0] for row in self._all("SELECT id FROM article WHERE hidden")}
        keep = self._fresh() if fresh else None
        leads = dict(self._all("SELECT id, lead FROM story WHERE lead IS NOT NULL")) if told else {}
        found = array("q")
        seen: set[int] = set()
        for article in ids:
            story = told.get(article)
            if story is None:
                if keep is None or article in keep[1]:
                    found.append(article)
            elif story not in seen:
                seen.add(story)
                if keep is None or story in keep[0]:
                    lead = leads.get(story, article)
                    found.append(article if lead in hidden else lead)
        return found

    def _told(self, ids: Sequence[int]) -> dict[int, int]:
        """The story of each of *ids* that is in one."""
        if len(ids) > _MANY:
            return dict(self._all("SELECT article, story FROM telling"))
        told: dict[int, int] = {}
        for chunk in chunks(ids):
            told.update(
                self._all(f"SELECT article, story FROM telling WHERE article IN ({marks_for(chunk)})", chunk)
            )
        return told

    def _fresh(self) -> tuple[set[int], set[int]]:
        """The stories with anything unread or new, and the unread articles that are in none."""
        stories = {row[0] for row in self._all("SELECT id FROM story WHERE new_pieces")}
        alone: set[int] = set()
        unread = (
            "SELECT p.article, t.story FROM placing p LEFT JOIN telling t ON t.article = p.article"
            " WHERE p.section = (SELECT id FROM section WHERE kind = 'all') AND p.unread"
        )
        for article, story in self._all(unread):
            if story is None:
                alone.add(article)
            else:
                stories.add(story)
        return stories, alone

    def fresh(self, articles: Sequence[int]) -> set[int]:
        """Those of *articles* whose story has anything unread or new; unread ones that are in none."""
        stories, alone = self._fresh()
        told = self._told(articles)
        return {a for a in articles if told.get(a) in stories or a in alone}

    def by_outlets(self, leads: Sequence[int]) -> array[int]:
        """*leads* of stories, those that most outlets tell first, else in their order."""
        told, outlets = self._told(leads), dict(self._all("SELECT id, outlets FROM story"))
        return array("q", sorted(leads, key=lambda lead: -outlets.get(told.get(lead, 0), 0)))

    def hidden_keys(self) -> set[str]:
        """The keys of the articles that are hidden."""
        return {row[0] for row in self._all("SELECT key FROM article WHERE hidden")}

    def stories_of(self, articles: Sequence[int]) -> dict[int, StoryRow]:
        """The story of each of *articles* that is in one."""
        told = self._told(articles)
        rows = {
            row[0]: StoryRow(*row)
            for chunk in chunks(set(told.values()))
            for row in self._all(f"{_STORY} WHERE s.id IN ({marks_for(chunk)})", chunk)
        }
        return {article: rows[story] for article, story in told.items() if story in rows}

    def telling(self, articles: Sequence[int]) -> dict[int, list[str]]:
        """The keys of every article, not hidden, of the stories of *articles*, by those; leads first."""
        told = self._told(articles)
        keys: dict[int, list[str]] = {story: [] for story in told.values()}
        for chunk in chunks(keys):
            for story, key in self._all(
                "SELECT t.story, a.key FROM telling t JOIN article a ON a.id = t.article"
                f" WHERE t.story IN ({marks_for(chunk)}) AND NOT a.hidden ORDER BY t.story, t.rank",
                chunk,
            ):
                keys[story].append(key)
        return {article: keys[story] for article, story in told.items()}

    # -- one story ----------------------------------------------------------

    def story(self, key: str) -> StoryRow | None:
        """The story that the piece *key* is in."""
        row = self._one(f"{_STORY} WHERE s.id = (SELECT story FROM piece WHERE key = ?)", (key,))
        return StoryRow(*row) if row else None

    def stories(self, since: int | None = None) -> list[StoryRow]:
        """The stories with an article that is not hidden, latest first; only with a piece after *since*."""
        where = "" if since is None else " AND s.last >= ?"
        values = () if since is None else (since,)
        rows = self._all(
            f"{_STORY} WHERE s.lead IS NOT NULL{where} ORDER BY s.last IS NULL, s.last DESC, s.key", values
        )
        return [told for row in rows if (told := StoryRow(*row)).articles]

    def pieces(self, story: int) -> list[PieceRow]:
        """The pieces of *story*, by time, undated last."""
        return [_piece_row(row) for row in self._all(f"{_PIECE} WHERE p.story = ? ORDER BY p.n", (story,))]

    def pieces_of(self, keys: Collection[str]) -> list[PieceRow]:
        """The pieces with these keys, by time, undated last; those unknown are left out."""
        rows = [
            row
            for chunk in chunks(dict.fromkeys(keys))
            for row in self._all(f"{_PIECE} WHERE p.key IN ({marks_for(chunk)})", chunk)
        ]
        return sorted(map(_piece_row, rows), key=lambda p: (p.published is None, p.published or 0, p.key))

    def piece_keys(self, story: int) -> list[str]:
        """The keys of the pieces of *story*, by time."""
        return [row[0] for row in self._all("SELECT key FROM piece WHERE story = ? ORDER BY n", (story,))]

    def topics(self, articles: Sequence[int]) -> list[str]:
        """The topics of *articles*, most used first."""
        names = dict(self._all("SELECT id, name FROM section WHERE kind = 'topic'"))
        counts: dict[str, int] = {}
        for chunk in chunks(articles):
            for (sections,) in self._all(
                f"SELECT sections FROM article WHERE id IN ({marks_for(chunk)})", chunk
            ):
                for section in sections.split():
                    if name := names.get(int(section)):
                        counts[name] = counts.get(name, 0) + 1
        return sorted(counts, key=lambda name: (-counts[name], name))

    def listers(self, key: str) -> list[str]:
        """The keys of the articles that list the piece *key* by its address."""
        rows = [
            row
            for chunk in chunks(sorted(self.listing([key])))
            for row in self._all(f"SELECT key FROM article WHERE id IN ({marks_for(chunk)})", chunk)
        ]
        return list(dict.fromkeys(row[0] for row in rows))

    def aliased(self, names: Iterable[str]) -> dict[str, str]:
        """The key of the article that each of *names*, made up for an entry without address, means."""
        return {
            name: key
            for chunk in chunks(names)
            for name, key in self._all(
                "SELECT l.name, min(a.key) FROM alias l JOIN article a ON a.id = l.article"
                f" WHERE l.name IN ({marks_for(chunk)}) GROUP BY l.name",
                chunk,
            )
        }

    def headlines(self, paths: Iterable[str]) -> dict[str, HeadlineRow]:
        """How the articles at *paths* read, by path; those unknown are left out."""
        return {
            row[0]: HeadlineRow(*row)
            for chunk in chunks(paths)
            for row in self._all(
                "SELECT path, key, title, excerpt, coalesce(updated, published) FROM article"
                f" WHERE path IN ({marks_for(chunk)})",
                chunk,
            )
        }


def _piece_row(row: Sequence[Any]) -> PieceRow:
    values = [*row[:11], bool(row[11]), row[12], bool(row[13]), _OUTCOMES.get(row[14])]
    return PieceRow(*values)
