"""Stories through the library: whole and step by step the same, overruled, undone, cut off, told of anew."""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reader import coverage, folding
from reader.editions import changes
from reader.frontmatter import read
from reader.ingest import Ingest, sync
from reader.model import Article
from reader.sources import Source
from reader.store.library import Library
from reader.store.rows import Place, PlaceKind, StoryRow
from reader.store.state import State
from reader.stories.clustering import Edit, cluster
from reader.stories.pieces import pieces_and_ties
from reader.stories.vocabulary import Vocabulary

OLD = time.time() - 3_600
BASE = "https://news.test/"


class Desk:
    """A folder, its library and state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "news"
        self.root.mkdir(exist_ok=True)
        self.sources = [Source("news", self.root)]
        self.library = Library(folder / "library.db")
        self.state = State.open(folder / "state.db")
        self._age = 0

    def put(
        self,
        slug: str,
        title: str,
        *,
        outlet: str = "",
        minute: int = 0,
        related: tuple[str, ...] = (),
        excerpt: str = "",
        quality: int = 50,
    ) -> None:
        """Write an article that lists the pieces *related* by slug."""
        lines = [
            "---",
            f'title: "{title}"',
            f'excerpt: "{excerpt}"',
            f"webUrl: {BASE}{slug}",
            f"publishedDateTime: {_time(minute)}",
            f"quality: {quality}",
            f"provider:\n  name: {outlet or slug}\n  domain: {outlet or slug}.test",
            "topics:\n  - news",
        ]
        if related:
            lines.append("related:")
        for name in related:
            lines += [
                f'  - title: "{title}"',
                f"    webUrl: {BASE}{name}",
                f"    publishedDateTime: {_time(minute + 5)}",
                f"    provider:\n      name: {name}\n      domain: {name}.test",
            ]
        self.file(slug, "\n".join([*lines, "---", ""]))

    def file(self, slug: str, text: str) -> None:
        path = self.root / f"{slug}.md"
        path.write_text(text)
        self._age += 1  # every writing has another time, long ago
        os.utime(path, (OLD + self._age, OLD + self._age))

    def refresh(self) -> None:
        Ingest(self.library, self.state, self.sources).run()

    def stories(self) -> set[frozenset[str]]:
        """The stories of the library as sets of keys."""
        return kept(self.library)

    def story(self, slug: str) -> StoryRow:
        row = self.library.story(BASE + slug)
        assert row is not None
        return row

    def keys(self, slug: str) -> set[str]:
        return {key.removeprefix(BASE) for key in self.library.piece_keys(self.story(slug).id)}

    def close(self) -> None:
        self.library.close()
        self.state.close()


def _time(minute: int) -> str:
    return (datetime(2024, 3, 10, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()


def kept(library: Library) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for key, story in library._all("SELECT key, story FROM piece"):
        found.setdefault(story, set()).add(key)
    return {frozenset(keys) for keys in found.values()}


def whole(library: Library, state: State) -> set[frozenset[str]]:
    """What clustering all of *library* at once gives, with the words and overrules it was made with."""
    told = library.told([row[0] for row in library._all("SELECT id FROM article")])
    pieces, ties = pieces_and_ties(told.values())
    edits = [Edit(e.kind, e.key, e.other) for e in state.story_edits()]  # type: ignore[arg-type]
    stories = cluster(pieces, ties, edits, Vocabulary(library.vocabulary() or {}))
    return {frozenset(story.keys) for story in stories}


def consistent(library: Library) -> None:
    """Every piece and every article is told once, counts are what they count."""
    one = library._one
    assert one("SELECT count(*) FROM unfolded")[0] == 0
    assert one("SELECT count(*) FROM article")[0] == one("SELECT count(*) FROM telling")[0]
    assert not library._all("SELECT 1 FROM telling WHERE article NOT IN (SELECT id FROM article)")
    assert not library._all("SELECT 1 FROM piece WHERE story NOT IN (SELECT id FROM story)")
    assert not library._all("SELECT 1 FROM story WHERE id NOT IN (SELECT story FROM piece)")
    assert not library._all("SELECT 1 FROM alias WHERE article NOT IN (SELECT id FROM article)")
    assert not library._all(
        "SELECT 1 FROM story s WHERE pieces <> (SELECT count(*) FROM piece WHERE story = s.id)"
        " OR lead IS NOT (SELECT article FROM telling WHERE story = s.id AND rank = 0)"
    )
    assert not library._all(
        "SELECT 1 FROM article a JOIN telling t ON t.article = a.id JOIN piece p ON p.key = a.key"
        " WHERE p.story <> t.story OR NOT p.inside"
    )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


# -- real files ------------------------------------------------------------------


def _read(folder: Path) -> list[Article]:
    found = (read(f.read_bytes(), f"news/{f.relative_to(folder).as_posix()}") for f in folder.rglob("*.md"))
    return [a for a in found if isinstance(a, Article)]


def test_real_files_give_the_stories_of_their_exact_text(desk: Desk, corpus: Path) -> None:
    shutil.copytree(corpus, desk.root, dirs_exist_ok=True)
    desk.refresh()
    consistent(desk.library)
    pieces, ties = pieces_and_ties(_read(desk.root))
    exact = cluster(pieces, ties, (), Vocabulary.of(pieces.values()))
    assert desk.stories() == {frozenset(story.keys) for story in exact}
    for story in exact:
        row = desk.library.story(story.key)
        assert row is not None and row.key == story.key
        assert tuple(desk.library.piece_keys(row.id)) == story.keys


def test_change_after_change_of_real_files_ends_where_clustering_the_whole_does(
    desk: Desk, corpus: Path
) -> None:
    rng = random.Random(3)
    files = sorted(corpus.rglob("*.md"))
    texts = {f"{n:03}": f.read_text(encoding="utf-8") for n, f in enumerate(files)}
    titles = re.compile(r"^title: .*$", re.MULTILINE)
    waiting = list(texts)
    rng.shuffle(waiting)
    for name in waiting[:400]:
        desk.file(name, texts[name])
    desk.refresh()
    del waiting[:400]
    for turn in range(6):
        inside = sorted(p.stem for p in desk.root.glob("*.md"))
        for name in rng.sample(inside, 12):  # gone
            (desk.root / f"{name}.md").unlink()
        for name in rng.sample(sorted(p.stem for p in desk.root.glob("*.md")), 12):  # another's headline
            other = titles.search(texts[rng.choice(list(texts))])
            text = titles.sub(lambda _, o=other: o[0] if o else "title: x", texts[name], count=1)
            desk.file(name, text)
        for name in rng.sample(inside, 12):  # come back, or anew
            desk.file(name, texts[name])
        for name in waiting[turn * 20 : turn * 20 + 20]:
            desk.file(name, texts[name])
        if turn % 2:
            keys = sorted({key for story in desk.stories() for key in story})
            desk.state.add_story_edit("join", rng.choice(keys), rng.choice(keys))
            long = [sorted(story) for story in desk.stories() if len(story) > 3]
            desk.state.add_story_edit("split", rng.choice(rng.choice(sorted(long))))
        desk.refresh()
        consistent(desk.library)
        assert desk.stories() == whole(desk.library, desk.state)


def test_a_run_cut_off_anywhere_heals(desk: Desk, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(corpus, desk.root, dirs_exist_ok=True)
    monkeypatch.setattr(folding, "AT_ONCE", 40)
    folded = 0
    for _ in range(200):
        steps = 0

        def stopped() -> bool:
            nonlocal steps
            steps += 1
            return steps > 3

        if folded:
            done = folding.Folding(desk.library, desk.state, stopped=stopped).run()
        else:  # the files alone
            run = Ingest(desk.library, desk.state, desk.sources)
            run.progress = lambda p, run=run: run.stop() if not p.source else None  # type: ignore[misc]
            run.run()
            done = False
        folded += 1
        if done:
            break
    assert folded > 5
    consistent(desk.library)
    assert desk.stories() == whole(desk.library, desk.state)


def test_articles_changed_while_stories_are_made_are_not_lost(desk: Desk) -> None:
    desk.put("a", "Harbour bridge closes after storm damage", related=("b",))
    desk.refresh()
    writer = folding.StoryWriter(desk.library)
    era = desk.library.meta("era")
    desk.put("b", "Harbour bridge closed by storm damage", minute=9)
    desk.refresh()
    assert not writer.put({BASE + "a", BASE + "b"}, (), era)
    assert desk.keys("a") == {"a", "b"}
    consistent(desk.library)


def test_overrules_made_before_the_first_stories_wait_for_them(desk: Desk) -> None:
    desk.put("a", "Harbour bridge closes after storm damage", related=("b", "c"))
    desk.put("z", "Chess champion defends her title", minute=30, related=("y",))
    run = Ingest(desk.library, desk.state, desk.sources)
    run.progress = lambda p: run.stop() if p.done == 2 else None  # the files alone
    run.run()
    assert desk.library.kept() == 2 and not desk.library.meta("weighed")
    desk.state.add_story_edit("join", BASE + "c", BASE + "z")
    sync(desk.library, desk.state)
    assert not desk.stories()
    desk.refresh()
    assert desk.keys("z") == {"z", "y", "a", "b", "c"}
    consistent(desk.library)


def test_a_library_that_was_empty_for_a_while_is_told_again(desk: Desk) -> None:
    for _ in range(2):
        desk.put("a", "Harbour bridge closes after storm damage", related=("b",))
        desk.refresh()
        assert desk.keys("a") == {"a", "b"}
        consistent(desk.library)
        (desk.root / "a.md").unlink()
        desk.refresh()
        assert not desk.stories() and not desk.library.kept()
        consistent(desk.library)


def test_nothing_is_made_again_at_a_start_without_changes(desk: Desk) -> None:
    desk.put("a", "Harbour bridge closes", related=("b",))
    desk.refresh()
    before = desk.library.meta("era"), desk.library.meta("generation")
    desk.refresh()
    assert (desk.library.meta("era"), desk.library.meta("generation")) == before


# -- overrules ---------------------------------------------------------------------


def _two(desk: Desk) -> None:
    desk.put("a", "Harbour bridge closes after storm damage", related=("b", "c"))
    desk.put("b", "Storm damage closes harbour bridge", minute=20)
    desk.put("z", "Chess champion defends her title", minute=30, related=("y",))
    desk.refresh()


def test_overrules_hold_are_undone_and_survive_a_new_index(desk: Desk) -> None:
    _two(desk)
    assert desk.keys("a") == {"a", "b", "c"} and desk.keys("z") == {"z", "y"}
    desk.state.add_story_edit("split", BASE + "b")
    assert sync(desk.library, desk.state)
    assert desk.keys("a") == {"a", "c"} and desk.keys("b") == {"b"}
    desk.state.add_story_edit("join", BASE + "b", BASE + "z")
    sync(desk.library, desk.state)
    assert desk.keys("b") == {"b", "z", "y"}
    consistent(desk.library)
    before = desk.stories()

    desk.library.rebuild()  # a new index
    desk.refresh()
    assert desk.stories() == before == whole(desk.library, desk.state)
    desk.state.close()
    desk.state = State.open(desk.folder / "state.db")  # another day
    desk.refresh()
    assert desk.stories() == before


def test_undo_takes_overrules_back_one_by_one(desk: Desk) -> None:
    _two(desk)
    before = desk.stories()
    desk.state.add_story_edit("split", BASE + "b")
    desk.state.add_story_edit("join", BASE + "c", BASE + "z")
    sync(desk.library, desk.state)
    assert desk.keys("z") == {"z", "y", "a", "c"}
    desk.state.undo()
    sync(desk.library, desk.state)
    assert desk.keys("a") == {"a", "c"} and desk.keys("b") == {"b"}
    desk.state.undo()
    sync(desk.library, desk.state)
    assert desk.stories() == before == whole(desk.library, desk.state)
    consistent(desk.library)


def test_an_overrule_of_what_is_not_here_waits_for_it(desk: Desk) -> None:
    desk.put("a", "Harbour bridge closes after storm damage")
    desk.state.add_story_edit("join", BASE + "a", BASE + "later")
    desk.refresh()
    assert desk.keys("a") == {"a"}
    desk.put("later", "Something else entirely", minute=9_000)
    desk.refresh()
    assert desk.keys("a") == {"a", "later"}
    (desk.root / "later.md").unlink()
    desk.refresh()
    assert desk.keys("a") == {"a"} and desk.library.story(BASE + "later") is None


# -- lists -------------------------------------------------------------------------


def test_a_list_of_stories_is_a_list_of_leads(desk: Desk) -> None:
    _two(desk)
    desk.put("c", "Bridge in harbour closed: storm damage", minute=40, quality=90)
    desk.refresh()
    library = desk.library
    leads = library.leads(library.ids())
    rows = library.rows(leads)
    assert [row.key.removeprefix(BASE) for row in rows] == ["c", "z"]  # the best of its story; latest first
    stories = library.stories_of(leads)
    assert [(s.pieces, s.outlets, s.articles, s.unread) for s in map(stories.get, leads) if s] == [
        (3, 3, 3, 3),
        (2, 2, 1, 1),
    ]
    desk.state.set_read([BASE + "a", BASE + "c"], True)
    sync(library, desk.state)
    assert library.leads(library.ids(), fresh=True) == leads
    desk.state.set_read([BASE + "b"], True)
    sync(library, desk.state)
    assert library.leads(library.ids(), fresh=True) == leads[1:]
    assert library.fresh(leads) == set(leads[1:])
    desk.state.set_hidden([BASE + "c"], True)
    sync(library, desk.state)
    shown = library.rows(library.leads(library.ids(Place(PlaceKind.OUTLET, "b"))))
    assert [row.key.removeprefix(BASE) for row in shown] == ["b"]  # the lead is hidden
    assert list(library.by_outlets(leads)) == list(leads)
    assert library.telling([leads[1]]) == {leads[1]: [BASE + "z"]}


def test_what_is_hidden_heads_no_story_and_is_no_news(desk: Desk) -> None:
    titles = ("Bridge closed after storm", "Museum opens new wing", "Ferry sails again")
    for minute, story in enumerate(titles):
        outlets = "abcd"[: 4 - minute]
        for outlet in outlets:
            others = tuple(f"{other}{minute}" for other in outlets if other != outlet)
            worth = 200 - ord(outlet)
            desk.put(f"{outlet}{minute}", story, minute=10 * minute, related=others, quality=worth)
    desk.put("only", "Nothing else is told of a lighthouse keeper", outlet="a")
    desk.refresh()
    library = desk.library
    hidden = [BASE + slug for slug in ("a0", "a1", "a2", "only")]  # the best of each
    desk.state.set_hidden(hidden, True)
    sync(library, desk.state)
    leads = library.by_outlets(library.leads(library.ids()))
    told = library.stories_of(leads)
    assert [told[lead].outlets for lead in leads] == [4, 3, 2]  # though none is the story's own lead
    rows = library.stories()
    assert sorted(row.outlets for row in rows) == [2, 3, 4]
    heads = library.rows([row.lead for row in rows if row.lead is not None])
    assert len(heads) == 3 and not {row.key for row in heads} & set(hidden)
    story = library.story(BASE + "b2")
    assert story is not None
    desk.state.set_story_seen(story.key, [BASE + "a2", BASE + "b2"])
    desk.put("z2", "Ferry sails again", outlet="z", minute=90, related=("b2",))
    desk.state.set_hidden([BASE + "z2"], True)  # as a rule does with what comes
    desk.refresh()
    assert desk.keys("b2") == {"a2", "b2", "z2"} and desk.story("b2").news == ""
    desk.put("y2", "Ferry sails again", outlet="y", minute=95, related=("b2",))
    desk.refresh()
    assert desk.story("b2").news == "+1 outlet since you looked"


def test_new_coverage_is_told_since_one_looked(desk: Desk) -> None:
    _two(desk)
    library, state = desk.library, desk.state
    ids = [row.id for row in library.by_key(BASE + "a")]
    assert desk.story("a").news == ""
    coverage.look(library, state, ids)
    state.set_read([BASE + "a", BASE + "b"], True)
    sync(library, state)
    assert not desk.story("a").is_new
    desk.put("d", "Harbour bridge closes: storm damage to pylons", minute=45, related=("e", "a"))
    desk.refresh()
    assert desk.story("a").news == "+2 outlets since you looked" and desk.story("a").unread == 1
    state.set_read([BASE + "d"], True)
    sync(library, state)
    assert desk.story("a").is_new  # a piece that is only mentioned is news, too
    library.rebuild()
    desk.refresh()
    assert desk.story("a").news == "+2 outlets since you looked"
    coverage.look(library, state, [row.id for row in library.by_key(BASE + "d")])
    assert not desk.story("a").is_new


# -- headlines as they were ------------------------------------------------------------


def test_a_changed_headline_keeps_both(desk: Desk) -> None:
    desk.put("a", "Bridge closes", excerpt="One.")
    desk.refresh()
    assert desk.state.headline_history(BASE + "a") == []
    desk.put("a", "Bridge closes for a year", excerpt="One.")
    desk.refresh()
    desk.put("a", "Bridge closes for good", excerpt="Two.")
    desk.refresh()
    desk.put("a", "Bridge closes for good", excerpt="Two.", quality=51)  # no other words
    desk.refresh()
    history = desk.state.headline_history(BASE + "a")
    assert [h.title for h in history] == [
        "Bridge closes",
        "Bridge closes for a year",
        "Bridge closes for good",
    ]
    assert changes(history) == "headline changed twice, excerpt once"
    desk.library.rebuild()
    desk.put("a", "Bridge opens again", excerpt="Two.")  # changed while there was no index
    desk.refresh()
    assert changes(desk.state.headline_history(BASE + "a")) == "headline changed 3 times, excerpt once"


def test_a_file_moved_and_changed_at_once_keeps_its_headline(desk: Desk) -> None:
    desk.put("a", "Bridge closes")
    desk.refresh()
    text = (desk.root / "a.md").read_text()
    (desk.root / "a.md").unlink()
    desk.file("b", text.replace("Bridge closes", "Bridge stays"))
    desk.refresh()
    assert changes(desk.state.headline_history(BASE + "a")) == "headline changed once"


def test_two_files_of_one_address_do_not_change_each_other(desk: Desk) -> None:
    desk.put("a", "Bridge closes")
    desk.refresh()
    desk.file("copy", (desk.root / "a.md").read_text().replace("Bridge closes", "Bridge shut"))
    desk.refresh()
    desk.library.rebuild()
    desk.refresh()
    assert desk.state.headline_history(BASE + "a") == []
    assert desk.story("a").pieces == 1


# -- bad input ---------------------------------------------------------------------------


def test_odd_entries_cost_nothing_else(desk: Desk) -> None:
    desk.put("a", "Harbour bridge closes after storm damage", related=("a", "b"))  # itself
    desk.put("b", "Harbour bridge closed after storm damage", related=("c",), minute=5)
    desk.put("c", "Storm damage closes the harbour bridge", related=("a",), minute=9)  # a cycle
    nameless = "\n".join(
        [
            "---",
            "title: Storm closes harbour bridge",
            f"webUrl: {BASE}d",
            "related:",
            "  - title: Only a title about the harbour bridge",
            "  - excerpt: not even that",
            "  - {}",
            f"  - webUrl: {BASE}a",
            "    title: A title that contradicts all the others",
            "---",
            "",
        ]
    )
    desk.file("d", nameless)
    desk.refresh()
    consistent(desk.library)
    assert desk.stories() == whole(desk.library, desk.state)
    assert {"a", "b", "c"} <= desk.keys("a")
    articles = desk.library.by_key(BASE + "d")
    told = coverage.tell(desk.library, desk.state, BASE + "d")
    assert told is not None
    listed = [*told.pieces, *coverage.beside(desk.library, articles[0].id, told.pieces)]
    assert len(listed) >= 4  # nothing it lists is lost
    assert "Harbour bridge closes after storm damage" in {piece.title for piece in listed}  # the file speaks


def test_a_thousand_entries_and_a_hub_of_thousands(desk: Desk) -> None:
    many = "\n".join(
        f"  - {{title: Piece number {n} on harbour {n % 7}, webUrl: '{BASE}m{n}'}}" for n in range(1_000)
    )
    desk.file("many", f"---\ntitle: Everything on the harbour\nwebUrl: {BASE}many\nrelated:\n{many}\n---\n")
    for n in range(1_500):
        desk.file(
            f"h{n:04}",
            f"---\ntitle: Report {n} from town {n % 11}\nwebUrl: {BASE}h{n}\n"
            f"publishedDateTime: {_time(n * 600)}\n"
            f"related:\n  - {{title: The evergreen guide, webUrl: '{BASE}hub'}}\n---\n",
        )
    desk.refresh()
    consistent(desk.library)
    assert desk.stories() == whole(desk.library, desk.state)
    told = coverage.tell(desk.library, desk.state, BASE + "many")
    assert told is not None
    row = desk.library.by_key(BASE + "many")[0]
    assert len(told.pieces) + len(coverage.beside(desk.library, row.id, told.pieces)) == 1_001
    assert len(desk.library.listers(BASE + "hub")) == 1_500
    guide = desk.library.story(BASE + "hub")
    assert guide is not None and guide.pieces < 1_500
