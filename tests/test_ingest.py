"""Real folders into a real library: what is added, changed, moved, lost, cut off and come back."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from library_tools import dump

import reader
from reader.errors import NotFound, StoreReadOnly
from reader.ingest import BATCH, Ingest, Progress, Report, reread, sync
from reader.model import LinkCheck, Mark, Outcome
from reader.sources import Source, name_sources
from reader.store.library import Library
from reader.store.rows import Place, PlaceKind
from reader.store.state import State

OLD = time.time() - 3_600


class Desk:
    """A folder, a library and a state, and short ways to use them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "news"
        self.root.mkdir()
        self.sources = [Source("news", self.root)]
        self.library = Library(folder / "library.db")
        self.state = State.open(folder / "state.db")

    def put(self, name: str, text: str | None = None, *, url: str = "", title: str = "T") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            text = f"---\ntitle: {title}\nwebUrl: {url or 'https://news.example/' + path.stem}\n---\n"
        path.write_text(text)
        os.utime(path, (OLD, OLD))
        return path

    def refresh(self) -> Report:
        return Ingest(self.library, self.state, self.sources).run()

    def paths(self) -> list[str]:
        return sorted(row.path for row in self.library.rows(self.library.ids()))

    def titles(self) -> dict[str, str]:
        return {row.path: row.title for row in self.library.rows(self.library.ids())}

    def close(self) -> None:
        self.library.close()
        self.state.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


_OPEN = """
import sys
import threading
from pathlib import Path
from reader.ingest import Ingest
from reader.sources import Source
from reader.store.library import Library
from reader.store.state import State
folder = Path(sys.argv[1])
library, state = Library(folder / "library.db"), State.open(folder / "state.db")
sources = [Source("news", folder / "news")]
"""

_COUNT = (
    _OPEN
    + """
opened = []
def hook(event, args):
    if event == "open" and str(args[0]).endswith(".md"):
        opened.append(args[0])
sys.addaudithook(hook)
Ingest(library, state, sources).run()
print(len(opened))
"""
)

_LOAD = (
    _OPEN
    + """
print("open", flush=True)
Ingest(library, state, sources, lambda p: print(p.done, flush=True)).run()
"""
)


def start(script: str, folder: Path) -> subprocess.Popen[str]:
    """Run *script* on the databases and files in *folder*, in a process of its own."""
    command = [sys.executable, "-c", script, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(reader.__file__).parents[1])


# -- what changes on the disk ------------------------------------------------


def test_add_change_delete(desk: Desk) -> None:
    desk.put("a.md", title="One")
    desk.put("in/b.md", title="Two")
    report = desk.refresh()
    assert (report.files, report.added, report.touched) == (2, 2, True)
    assert desk.titles() == {"news/a.md": "One", "news/in/b.md": "Two"}
    desk.put("a.md", title="Three")
    (desk.root / "in/b.md").unlink()
    desk.put("c.md", title="Four")
    report = desk.refresh()
    assert (report.added, report.changed, report.removed, report.moved) == (1, 1, 1, 0)
    assert desk.titles() == {"news/a.md": "Three", "news/c.md": "Four"}


def test_a_second_run_reads_nothing(desk: Desk) -> None:
    for n in range(5):
        desk.put(f"{n}.md")
    desk.put("bad.md", "---\ntitle: x\n")
    desk.refresh()
    generation = desk.library.meta("generation")
    report = desk.refresh()
    assert (report.files, report.added, report.changed, report.removed, report.problems) == (6, 0, 0, 0, 0)
    assert not report.touched
    assert desk.library.meta("generation") == generation
    desk.library.rebuild()
    # The interpreter itself tells which files it opens.
    assert [start(_COUNT, desk.root.parent).communicate()[0] for _ in range(2)] == ["6\n", "0\n"]


def test_touched_and_replaced_files(desk: Desk) -> None:
    path = desk.put("a.md", title="One")
    desk.refresh()
    os.utime(path, (OLD + 9, OLD + 9))
    assert desk.refresh().changed == 1
    other = desk.put("new.txt", title="Two")
    os.utime(other, (OLD + 9, OLD + 9))
    other.replace(path)
    assert desk.refresh().changed == 1
    assert desk.titles() == {"news/a.md": "Two"}


def test_fresh_files_are_read_twice_but_not_a_third_time(desk: Desk) -> None:
    path = desk.root / "a.md"
    path.write_text("---\ntitle: One\n---\n")
    desk.refresh()
    path.write_text("---\ntitle: Two\n---\n")
    desk.refresh()
    assert desk.titles() == {"news/a.md": "Two"}


def test_moves_keep_marks(desk: Desk) -> None:
    desk.put("a.md", url="https://x.example/1?utm_source=q")
    desk.put("in/b.md", url="https://x.example/2")
    desk.refresh()
    desk.state.set_read(["https://x.example/1"], True)
    desk.state.set_starred(["https://x.example/2"], True)
    (desk.root / "a.md").rename(desk.root / "z.md")
    (desk.root / "in").rename(desk.root / "inner")
    report = desk.refresh()
    assert (report.moved, report.added, report.removed) == (2, 0, 0)
    rows = {row.path: row for row in desk.library.rows(desk.library.ids())}
    assert rows["news/z.md"].read
    assert rows["news/inner/b.md"].starred


def test_copies_share_marks(desk: Desk) -> None:
    for name in ("a.md", "b.md"):
        desk.put(name, url="https://x.example/same")
    desk.refresh()
    desk.state.set_read(["https://x.example/same"], True)
    sync(desk.library, desk.state)
    assert [row.read for row in desk.library.by_key("https://x.example/same")] == [True, True]
    desk.put("c.md", url="https://X.example/same#top")
    desk.refresh()
    assert [row.read for row in desk.library.by_key("https://x.example/same")] == [True] * 3


def test_an_address_that_changes_takes_its_own_marks(desk: Desk) -> None:
    desk.put("a.md", url="https://x.example/1")
    desk.refresh()
    desk.state.set_read(["https://x.example/1"], True)
    desk.put("a.md", url="https://x.example/2")
    desk.refresh()
    assert [row.read for row in desk.library.rows(desk.library.ids())] == [False]


_TIMED = "---\ntitle: {title}\npublishedDateTime: 2024-05-0{day}T08:00:00Z\nwebUrl: {url}\n---\n"


def _timed(desk: Desk, name: str, url: str, *, title: str = "T", day: int = 1) -> None:
    desk.put(name, _TIMED.format(title=title, day=day, url=url))


def _marked(desk: Desk) -> dict[str, tuple[bool, bool, str]]:
    """What is said of each file's article, in the index as in the state."""
    rows = desk.library.rows(desk.library.ids())
    marks = desk.state.marks([row.key for row in rows])
    assert all((row.read, row.starred) == (m.read, m.starred) for row in rows if (m := marks.get(row.key)))
    return {
        row.path: (row.read, row.starred, marks[row.key].note if row.key in marks else "") for row in rows
    }


def test_marks_follow_an_article_to_its_new_address(desk: Desk) -> None:
    old, new = "http://x.example/1", "https://x.example/1"
    _timed(desk, "a.md", old)
    _timed(desk, "b.md", "https://x.example/b", day=2)
    desk.refresh()
    desk.state.set_read([old], True)
    desk.state.set_starred([old], True)
    desk.state.set_note(old, "mine")
    desk.state.add_story_edit("join", old, "https://x.example/b")
    _timed(desk, "a.md", new)
    desk.refresh()
    assert _marked(desk) == {"news/a.md": (True, True, "mine"), "news/b.md": (False, False, "")}
    assert ("join", new, "https://x.example/b") in [row[1:] for row in desk.state.overrules()]
    desk.put(
        "a.md", desk.root.joinpath("a.md").read_text().replace("\n---", "\nupdatedDateTime: 2024-06-01\n---")
    )
    desk.refresh()
    desk.state.set_starred([new], False)
    _timed(desk, "a.md", old)  # a checkout of the old commit, and of the new one again
    desk.refresh()
    assert _marked(desk)["news/a.md"] == (True, True, "mine")
    _timed(desk, "a.md", new)
    desk.refresh()
    assert _marked(desk)["news/a.md"] == (True, False, "mine")  # what was said of the new address stays said


def test_marks_follow_where_the_old_address_is_known_to_lead(desk: Desk) -> None:
    old, new = "https://x.example/1", "https://y.example/1"
    desk.put("a.md", url=old)  # without a time, and renamed in the same step
    desk.refresh()
    desk.state.set_starred([old], True)
    desk.state.record_checks([LinkCheck(old, Outcome.MOVED, datetime.now(UTC), 200, new + "#top")])
    desk.put("a.md", url=new, title="Another")
    desk.refresh()
    assert _marked(desk) == {"news/a.md": (False, True, "")}


def test_another_article_at_the_same_path_has_no_marks(desk: Desk) -> None:
    _timed(desk, "today.md", "https://x.example/1")
    desk.refresh()
    desk.state.set_read(["https://x.example/1"], True)
    for day, title in ((2, "T"), (2, "Other")):  # the next day under the same title; another title
        _timed(desk, "today.md", f"https://x.example/{day}-{title}", title=title, day=day)
        desk.refresh()
        assert _marked(desk) == {"news/today.md": (False, False, "")}


def test_marks_follow_a_renamed_file_without_an_address(desk: Desk) -> None:
    def note(name: str, title: str, excerpt: str) -> None:
        desk.put(name, f"---\ntitle: {title}\nexcerpt: {excerpt}\n---\nWords.\n")

    note("a.md", "Mine", "of storms")
    note("b.md", "Twin", "alike")
    note("c.md", "Twin", "alike")
    desk.refresh()
    desk.state.set_starred([f"file:news/{name}.md" for name in "abc"], True)
    for old, new in (("a", "deep/x"), ("b", "y"), ("c", "z")):
        (desk.root / f"{new}.md").parent.mkdir(exist_ok=True)
        (desk.root / f"{old}.md").rename(desk.root / f"{new}.md")
    desk.refresh()
    assert {path for path, told in _marked(desk).items() if told[1]} == {"news/deep/x.md"}  # twins: which?
    desk.put("deep/x.md", "---\ntitle: Mine\nexcerpt: of storms\nwebUrl: https://x.example/x\n---\n")
    desk.refresh()
    assert _marked(desk)["news/deep/x.md"][1]  # it was given an address
    desk.put("deep/x.md", "---\ntitle: Mine\nexcerpt: of tides\nwebUrl: https://x.example/y\n---\n")
    desk.refresh()
    assert not _marked(desk)["news/deep/x.md"][1]  # another, of which no more than the title is the same


def test_each_keeps_its_own_marks_where_addresses_change_places(desk: Desk) -> None:
    a, b, c = (f"https://x.example/{name}" for name in "abc")
    _timed(desk, "a.md", a)
    _timed(desk, "b.md", b, day=2)
    desk.refresh()
    desk.state.set_read([b], True)
    _timed(desk, "a.md", b)  # a chain
    _timed(desk, "b.md", c, day=2)
    desk.refresh()
    assert _marked(desk) == {"news/a.md": (False, False, ""), "news/b.md": (True, False, "")}
    desk.state.set_note(b, "of a")
    for first, second in ((c, b), (b, c)):  # a swap, and back
        _timed(desk, "a.md", first)
        _timed(desk, "b.md", second, day=2)
        desk.refresh()
        assert _marked(desk) == {"news/a.md": (False, False, "of a"), "news/b.md": (True, False, "")}


def test_a_step_that_was_cut_off_is_done_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = "https://x.example/a", "https://x.example/b"
    _timed(desk, "a.md", a)
    _timed(desk, "b.md", b, day=2)
    desk.refresh()
    desk.state.set_starred([a], True)
    _timed(desk, "a.md", b)
    _timed(desk, "b.md", a, day=2)

    class Cut(Exception):
        pass

    def cut(*_: object) -> int:
        raise Cut

    with monkeypatch.context() as cutting:
        cutting.setattr(Ingest, "_write", cut)
        for _ in range(2):
            with pytest.raises(Cut):
                desk.refresh()
    assert desk.state.mark(b).starred and not desk.state.mark(a).starred
    desk.refresh()
    assert _marked(desk) == {"news/a.md": (False, True, ""), "news/b.md": (False, False, "")}


def test_two_files_that_become_one_article_have_the_marks_of_both(desk: Desk) -> None:
    old, other, new = (f"https://x.example/{name}" for name in ("old", "other", "new"))
    for name, url in (("a", old), ("b", other), ("c", new)):
        _timed(desk, f"{name}.md", url)
    desk.refresh()
    desk.state.set_starred([old], True)
    desk.state.set_note(old, "first")
    desk.state.set_tags(other, ["x"])
    desk.state.set_note(new, "second")
    desk.state.set_tags(new, ["y"])
    desk.state.set_hidden([new], True)
    desk.state.add_story_edit("split", old)
    _timed(desk, "a.md", new)
    _timed(desk, "b.md", new)
    desk.refresh()
    mark = desk.state.mark(new)
    assert (mark.read, mark.starred, mark.hidden) == (False, True, False)
    assert (mark.note, mark.tags) == ("second\nfirst", ("y", "x"))
    assert ("split", new, "") in [row[1:] for row in desk.state.overrules()]


def test_what_is_taken_back_is_taken_back_of_the_new_address_too(desk: Desk) -> None:
    old, new = "http://x.example/1", "https://x.example/1"
    _timed(desk, "a.md", old)
    desk.refresh()
    desk.state.set_note(old, "kept")
    desk.state.set_starred([old], True)
    _timed(desk, "a.md", new)
    desk.refresh()
    desk.state.set_read([new], True)
    for label, mark in (
        ("undid: read 1 article", (False, True, "kept")),
        ("undid: starred 1 article", (False, False, "kept")),
        ("undid: noted 1 article", (False, False, "")),
    ):
        change = desk.state.undo()
        sync(desk.library, desk.state)
        assert change is not None and change.label == label
        assert _marked(desk) == {"news/a.md": mark}


def test_what_cannot_follow_now_follows_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = "http://x.example/1", "https://x.example/1"
    _timed(desk, "a.md", old)
    desk.put("gone/n.md", "---\ntitle: N\nexcerpt: e\n---\n")
    desk.refresh()
    desk.state.set_starred([old, "file:news/gone/n.md"], True)
    desk.refresh()
    _timed(desk, "a.md", new)
    _timed(desk, "b.md", "https://x.example/2", day=2)
    (desk.root / "gone/n.md").rename(desk.root / "m.md")
    (desk.root / "gone").rmdir()
    with monkeypatch.context() as full:
        refused = StoreReadOnly("the disk is full")
        full.setattr(State, "follow", lambda *_: (_ for _ in ()).throw(refused))
        desk.refresh()
        assert _marked(desk) == {  # a new file is taken in, the others stay what they were
            "news/a.md": (False, True, ""), "news/b.md": (False, False, ""),
            "news/gone/n.md": (False, True, ""),
        }  # fmt: skip
    desk.refresh()
    assert _marked(desk) == {
        "news/a.md": (False, True, ""), "news/b.md": (False, False, ""), "news/m.md": (False, True, ""),
    }  # fmt: skip
    assert [row.key for row in desk.library.rows(desk.library.ids()) if row.path == "news/a.md"] == [new]
    assert desk.refresh().changed == 0


def test_a_rule_does_not_meet_an_article_again_for_its_new_address(desk: Desk) -> None:
    _timed(desk, "a.md", "http://x.example/1")
    desk.refresh()
    desk.state.add_rule("", "is:unread", "hide")
    _timed(desk, "a.md", "https://x.example/1")
    _timed(desk, "b.md", "https://x.example/2", day=2)
    report = desk.refresh()
    assert desk.paths() == ["news/a.md"] and len(report.ruled) == 1


def test_a_broken_file_and_its_repair(desk: Desk) -> None:
    desk.put("a.md", title="One")
    desk.refresh()
    desk.put("a.md", "---\ntitle: [\n---\n")
    report = desk.refresh()
    assert (report.problems, desk.library.problem_count()) == (1, 1)
    assert desk.paths() == []
    desk.put("a.md", title="Again")
    desk.refresh()
    assert desk.library.problems() == []
    assert desk.titles() == {"news/a.md": "Again"}
    desk.put("a.md", "---\ntitle: [\n---\n")
    desk.refresh()
    (desk.root / "a.md").unlink()
    assert desk.refresh().touched
    assert desk.library.problems() == []


def test_warnings_follow_their_file(desk: Desk) -> None:
    desk.put("a.md", "---\ntitle: One\nquality: much\n---\n")
    report = desk.refresh()
    assert report.warnings == 1
    (problem,) = desk.library.problems()
    assert (problem.path, problem.line, problem.field, problem.warning) == ("news/a.md", 3, "quality", True)
    desk.put("a.md", "---\ntitle: One\nquality: 7\n---\n")
    desk.refresh()
    assert desk.library.problems() == []


def test_odd_names(desk: Desk) -> None:
    for name in (
        b"caf\xe9.md",
        "caf\uefe9.md".encode(),
        b"a\x1b[31mb.md",
        "zero\u200bwidth.md".encode(),
        b"n\nl.md",
    ):
        (desk.root / os.fsdecode(name)).write_bytes(b"no front matter at all: [\n")
    desk.put("bad\x1b.md", "---\nx: [\n---\n")
    desk.refresh()
    paths = desk.paths()
    assert len(paths) == 5
    for path in paths:
        assert reread(desk.sources, path).path == path
    for path in desk.root.iterdir():
        path.unlink()
    desk.refresh()
    assert (desk.paths(), desk.library.problems()) == ([], [])


def test_pipes_and_stray_links(desk: Desk, tmp_path: Path) -> None:
    os.mkfifo(desk.root / "x.md")
    (tmp_path / "secret.md").write_text("---\ntitle: Secret\n---\n")
    (desk.root / "out.md").symlink_to(tmp_path / "secret.md")
    (desk.root / "loop").symlink_to(desk.root)
    desk.refresh()
    assert desk.paths() == []
    assert [(p.path, p.reason) for p in desk.library.problems()] == [
        ("news/out.md", "a link that leads out of the source")
    ]


def test_a_source_that_goes_away_and_comes_back(desk: Desk) -> None:
    desk.put("a.md")
    desk.refresh()
    away = desk.root.with_name("away")
    desk.root.rename(away)
    report = desk.refresh()
    assert [name for name, _ in report.unreadable] == ["news"]
    assert desk.paths() == ["news/a.md"]
    away.rename(desk.root)
    assert not desk.refresh().touched


def test_a_source_that_is_no_longer_one(desk: Desk, tmp_path: Path) -> None:
    desk.put("a.md")
    desk.put("bad.md", "---\nx: [\n---\n")
    other = tmp_path / "news0"  # sorts right behind
    other.mkdir()
    (other / "b.md").write_text("text\n")
    desk.sources = name_sources([desk.root, other])
    desk.refresh()
    assert desk.paths() == ["news/a.md", "news0/b.md"]
    desk.sources = name_sources([other])
    desk.refresh()
    assert desk.paths() == ["news0/b.md"]
    assert {problem.path for problem in desk.library.problems()} == {"news0/b.md"}


def test_rereading_stays_inside(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    desk.put("a.md")
    for path in ("news/../secret.md", "other/a.md", "news//etc/passwd", "news", "news/", "", "news/a.md/.."):
        with pytest.raises(NotFound):
            reread(desk.sources, path)


# -- marks and links ----------------------------------------------------------


def checked(address: str, outcome: Outcome) -> LinkCheck:
    return LinkCheck(address, outcome, datetime(2024, 1, 1, tzinfo=UTC))


def test_link_states_come_along(desk: Desk) -> None:
    desk.put("a.md", url="https://x.example/1")
    desk.put("b.md", url="https://x.example/2")
    desk.refresh()
    desk.state.record_checks([checked("https://x.example/1", Outcome.GONE)])
    assert sync(desk.library, desk.state)
    assert not sync(desk.library, desk.state)
    links = {row.path: row.link for row in desk.library.rows(desk.library.ids())}
    assert links == {"news/a.md": Outcome.GONE, "news/b.md": None}
    assert len(desk.library.ids(Place(PlaceKind.BROKEN))) == 1
    desk.put("c.md", url="https://x.example/1")
    desk.refresh()
    assert len(desk.library.ids(Place(PlaceKind.BROKEN))) == 2


def test_a_library_made_for_other_marks(desk: Desk, tmp_path: Path) -> None:
    desk.put("a.md", url="https://x.example/1")
    desk.put("b.md", url="https://x.example/2")
    desk.refresh()
    desk.state.set_read(["https://x.example/1"], True)
    desk.state.set_hidden(["https://x.example/2"], True)
    desk.state.record_checks([checked("https://x.example/1", Outcome.GONE)])
    sync(desk.library, desk.state)
    other = State.open(tmp_path / "other.db")
    other.set_starred(["https://x.example/2"], True)
    sync(desk.library, other)
    rows = {row.path: (row.read, row.starred, row.link) for row in desk.library.rows(desk.library.ids())}
    assert rows == {"news/a.md": (False, False, None), "news/b.md": (False, True, None)}
    other.close()
    sync(desk.library, desk.state)
    (row,) = desk.library.rows(desk.library.ids())
    assert (row.path, row.read, row.link) == ("news/a.md", True, Outcome.GONE)


def test_marks_made_while_files_are_read(desk: Desk) -> None:
    for n in range(BATCH + 300):
        desk.put(f"{n:04}.md", url=f"https://x.example/{n}")
    keys = [f"https://x.example/{n}" for n in range(BATCH + 300)]

    def mark(progress: Progress) -> None:
        if progress.done == 0:
            desk.state.set_read(keys[::2], True)
        else:
            desk.state.set_read(keys[::3], False)

    Ingest(desk.library, desk.state, desk.sources, mark).run()
    sync(desk.library, desk.state)
    marks = desk.state.marks(keys)
    rows = desk.library.rows(desk.library.ids())
    assert len(rows) == len(keys)
    assert all(row.read == (row.key in marks and marks[row.key].read) for row in rows)


# -- being cut off --------------------------------------------------------------


def fill(root: Path, count: int) -> None:
    for n in range(count):
        folder = root / ("big" if n % 4 else f"small{n % 3}")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{n:05}.md"
        text = f"---\ntitle: Number {n}\nwebUrl: https://x.example/{n}\ntopics: [t{n % 7}]\nrelated:\n"
        text += f"- webUrl: https://x.example/{n + 1}\n  title: Next\n---\n"
        path.write_text(text if n % 50 else "---\ntitle: [\n---\n")
        os.utime(path, (OLD, OLD))


class Stopping:
    """A run that is stopped when its first batch is in."""

    def __init__(self, desk: Desk) -> None:
        self.run = Ingest(desk.library, desk.state, desk.sources, self.progress)
        self.done = 0

    def progress(self, step: Progress) -> None:
        if not step.source:  # stories
            return
        self.done = max(self.done, step.done)
        if step.done:
            self.run.stop()


def test_stopping_after_each_batch_ends_in_the_same_library(desk: Desk, tmp_path: Path) -> None:
    count = BATCH + 700
    fill(desk.root, count)
    whole = Library(tmp_path / "whole.db")
    Ingest(whole, desk.state, desk.sources).run()
    whole.close()
    read = runs = 0
    report = Report(stopped=True, added=1)
    while report.stopped and report.touched:
        stopping = Stopping(desk)
        report = stopping.run.run()
        read += stopping.done
        runs += 1
    assert runs > 3
    assert read == count  # nothing was read twice
    assert dump(tmp_path / "library.db") == dump(tmp_path / "whole.db")


def test_files_lost_while_a_run_was_cut_off(desk: Desk) -> None:
    fill(desk.root, BATCH)
    Stopping(desk).run.run()
    assert 0 < desk.library.total() < BATCH
    shutil.rmtree(desk.root / "big")
    desk.refresh()
    assert all("/small" in path for path in desk.paths())
    assert desk.library.total() == len(desk.paths()) == BATCH * 24 // 100


def test_killing_it_ends_in_the_same_library(desk: Desk, tmp_path: Path) -> None:
    fill(desk.root, 2 * BATCH)
    whole = Library(tmp_path / "whole.db")
    Ingest(whole, desk.state, desk.sources).run()
    whole.close()
    # Killed while the databases are made, at once after the first batch, and later on.
    for lines, delay in ((0, 0.25), (1, 0.0), (3, 0.0), (3, 0.02), (3, 0.1), (4, 0.05)):
        child = start(_LOAD, tmp_path)
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    desk.refresh()
    assert dump(tmp_path / "library.db") == dump(tmp_path / "whole.db")
    desk.library.check()


def test_two_runs_at_once_end_in_the_same_library(desk: Desk, tmp_path: Path) -> None:
    fill(desk.root, BATCH)
    desk.refresh()
    single = dump(tmp_path / "library.db")
    desk.library.rebuild()
    children = [start(_LOAD, tmp_path) for _ in range(3)]
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0, 0, 0]
    assert dump(tmp_path / "library.db") == single
    assert not desk.refresh().touched


# -- being damaged -----------------------------------------------------------------


def test_a_library_damaged_while_open_is_begun_anew(desk: Desk, tmp_path: Path) -> None:
    fill(desk.root, 400)
    desk.state.set_read(["https://x.example/1"], True)
    desk.refresh()
    before = dump(tmp_path / "library.db")
    desk.library.close()
    data = bytearray((tmp_path / "library.db").read_bytes())
    data[8 * 4_096 :] = os.urandom(len(data) - 8 * 4_096)
    (tmp_path / "library.db").write_bytes(data)
    desk.put("more.md", "---\ntitle: [\n---\n")
    desk.refresh()
    (desk.root / "more.md").unlink()
    desk.refresh()
    assert desk.library.rebuilt
    assert dump(tmp_path / "library.db") == before


def test_a_library_taken_away_while_open(desk: Desk, tmp_path: Path) -> None:
    desk.put("a.md")
    desk.refresh()
    for path in tmp_path.glob("library.db*"):
        path.unlink()
    desk.put("b.md")
    desk.refresh()
    assert desk.paths() == ["news/a.md", "news/b.md"]
    assert len(dump(tmp_path / "library.db")["articles"]) == 2


# -- the real files ------------------------------------------------------------------


def test_every_real_file_gives_an_article_or_a_problem(tmp_path: Path, corpus: Path) -> None:
    state = State.open(tmp_path / "state.db")
    library = Library(tmp_path / "library.db")
    sources = [Source("corpus", corpus)]
    report = Ingest(library, state, sources).run()
    files = sum(1 for path in corpus.rglob("*.md") if path.is_file())
    assert (report.files, library.total() + library.problem_count()) == (files, files) == (625, 625)
    assert report.unreadable == []
    start = library.find("2020-06-11-amazon-bans-police-use-of-its-face-recognition-technology-for-a-year.md")
    coverage = [piece for piece in library.coverage(start.id) if not piece.listed_by]
    assert len(coverage) == 5
    assert all(piece.outlet and piece.published is not None for piece in coverage)
    assert not Ingest(library, state, sources).run().touched
    library.check()
    library.close()
    state.close()


def test_hostile_files(tmp_path: Path, hostile: Path) -> None:
    state = State.open(tmp_path / "state.db")
    library = Library(tmp_path / "library.db")
    report = Ingest(library, state, [Source("files", hostile / "files")]).run()
    assert library.total() + library.problem_count() == report.files == 49
    library.close()
    state.close()


def test_old_dates_and_far_dates(desk: Desk) -> None:
    for year in ("0001", "1969", "1970", "2020", "9999"):
        desk.put(f"{year}.md", f"---\ntitle: {year}\npublishedDateTime: {year}-06-01T00:00:00Z\n---\n")
    desk.put("none.md", "---\ntitle: none\n---\n")
    desk.refresh()
    rows = desk.library.rows(desk.library.ids())
    assert [row.title for row in rows] == ["9999", "2020", "1970", "1969", "0001", "none"]
    assert rows[-1].published is None
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    years = [(epoch + timedelta(seconds=row.published or 0)).year for row in rows[:-1]]
    assert years == [9999, 2020, 1970, 1969, 1]


# -- marks made elsewhere meanwhile ------------------------------------------------


class Elsewhere:
    """Another copy of the program: it marks, and copies its mark to the index, at a moment that is chosen."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.moments = 0
        self.thread: threading.Thread | None = None

    def star(self, key: str, starred: bool) -> None:
        """Begin now, and be done unless the index is held by somebody."""
        self.moments += 1
        if self.moments == 1:
            self.thread = threading.Thread(target=self._star, args=(key, starred))
            self.thread.start()
            self.thread.join(1)

    def _star(self, key: str, starred: bool) -> None:
        with (
            contextlib.closing(Library(self.desk.library.path)) as library,
            contextlib.closing(State.open(self.desk.state.path)) as state,
        ):
            state.set_starred([key], starred)
            sync(library, state)

    def done(self) -> None:
        assert self.thread is not None, "the moment never came"
        self.thread.join()

    def starred(self) -> list[str]:
        with contextlib.closing(Library(self.desk.library.path)) as library:
            return sorted(row.path for row in library.rows(library.ids()) if row.starred)


A, B = "https://news.example/a", "https://news.example/b"


@pytest.fixture
def elsewhere(desk: Desk) -> Elsewhere:
    desk.put("a.md")
    desk.put("b.md")
    desk.refresh()
    return Elsewhere(desk)


def test_a_copy_in_the_making_is_not_taken_for_another_states(
    desk: Desk, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks at the numbers somebody marks and copies: nothing is ever shown as unmarked."""
    desk.state.set_starred([A], True)
    sync(desk.library, desk.state)
    desk.state.set_read([B], True)
    seen = []
    seq, changed_since = desk.state.seq, desk.state.changed_since

    def looked() -> int:
        number = seq()
        elsewhere.star(B, True)
        return number

    def asked(number: int) -> list[Mark]:
        seen.append(elsewhere.starred())
        return changed_since(number)

    monkeypatch.setattr(desk.state, "seq", looked)
    monkeypatch.setattr(desk.state, "changed_since", asked)
    sync(desk.library, desk.state)
    elsewhere.done()
    assert seen and all("news/a.md" in stars for stars in seen)
    assert elsewhere.starred() == ["news/a.md", "news/b.md"]


def test_an_older_look_does_not_undo_a_newer_copy(
    desk: Desk, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.state.set_starred([A], True)
    changed_since = desk.state.changed_since

    def asked(number: int) -> list[Mark]:
        found = changed_since(number)
        elsewhere.star(A, False)
        return found

    monkeypatch.setattr(desk.state, "changed_since", asked)
    sync(desk.library, desk.state)
    elsewhere.done()
    assert elsewhere.starred() == []
    assert desk.library.meta("marks_seq") == desk.state.seq() == 2


@pytest.mark.parametrize("again", [True, False], ids=["moved", "new"])
def test_a_mark_made_while_its_article_is_written(
    desk: Desk, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """The index shows it, though the marks were asked for before it was made."""
    if again:
        (desk.root / "a.md").rename(desk.root / "c.md")
    else:
        desk.put("c.md", url="https://news.example/c")
    key = A if again else "https://news.example/c"
    marks = desk.state.marks

    def asked(keys: Iterable[str]) -> dict[str, Mark]:
        wanted = list(keys)
        found = marks(wanted)
        if key in wanted:
            elsewhere.star(key, True)
        return found

    monkeypatch.setattr(desk.state, "marks", asked)
    desk.refresh()
    elsewhere.done()
    assert elsewhere.starred() == ["news/c.md"]
