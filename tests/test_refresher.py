"""The run over the files in a process of its own: what it says, and every way it can end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reader.errors import NewsfoldError, StoreDamaged, StoreReadOnly
from reader.ingest import Ingest
from reader.progress import Progress
from reader.refresher import Refresher
from reader.session import Session
from reader.sources import Source
from reader.store import sqlite
from reader.store.state import State
from tests.ui_tools import (
    PATIENCE,
    desk,
    make_session,
    marks,
    of_yesterday,
    small_folder,
    url,
    when,
    write,
    write_many,
)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether *pid* runs; one that only waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def refresher(session: Session, progress: Callable[[Progress], None] = lambda _: None) -> Refresher:
    run = session.refresher()
    run.progress = progress
    return run


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with make_session(tmp_path, small_folder(tmp_path / "news")) as opened:
        yield opened


class Held:
    """A run that waits for the index, which somebody else is writing."""

    def __init__(self, session: Session) -> None:
        self.run = refresher(session)
        self.error: NewsfoldError | None = None
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.report = self.run.run()
        except NewsfoldError as error:
            self.error = error

    def begin(self) -> int:
        self.thread.start()
        until(lambda: self.run.pid)
        assert self.run.pid is not None
        return self.run.pid

    def end(self) -> None:
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def test_it_says_what_the_same_run_here_would(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    write_many(folder, 1_300)
    (folder / "broken.md").write_text("---\ntitle: [\n---\n")
    (folder / os.fsdecode(b"odd-\xff.md")).write_text("---\ntitle: Odd\n---\n")
    for path in folder.glob("*.md"):
        of_yesterday(path)
    seen: list[Progress] = []
    with make_session(tmp_path / "one", folder) as opened, make_session(tmp_path / "two", folder) as other:
        there = refresher(opened, progress=seen.append).run()
        here = Ingest(other.library, other.state, other.sources).run()
        assert there == here and there.added == 1_301 and there.problems == 1
        assert list(opened.library.ids()) == list(other.library.ids())
    assert seen[0] == Progress("news", 0, 200)  # a glance: the first page shows soon
    assert seen[-1] == Progress("", 0, 0) or seen[-1].source == ""
    assert Progress("news", 0, 1_102) in seen and Progress("news", 1_102, 1_102) in seen


def test_a_folder_that_cannot_be_read(session: Session, tmp_path: Path) -> None:
    refresher(session).run()
    shutil.rmtree(tmp_path / "news")
    ((name, reason),) = refresher(session).run().unreadable
    assert name == "news" and str(tmp_path / "news") in reason
    assert len(session.library.ids()) == 12


def test_an_error_is_raised_as_the_one_it_was(session: Session, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("")
    with pytest.raises(StoreReadOnly, match="cannot be made"):
        refresher(session).run()


def test_an_error_nobody_foresaw_is_in_the_log(session: Session) -> None:
    session.sources[0] = Source({}, session.sources[0].root)  # type: ignore[arg-type] - no name at all
    with pytest.raises(NewsfoldError, match="something went wrong inside newsfold"):
        refresher(session).run()
    assert "Traceback" in session.locations.log_file.read_text()


def test_without_another_process_it_is_done_in_this_one(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    run = refresher(session)
    assert run.run().added == 12 and run.pid is None
    stopped = refresher(session)
    stopped.stop()
    assert stopped.run().stopped


def test_stopped_before_and_while_it_runs(session: Session) -> None:
    early = refresher(session)
    early.stop()
    assert early.run().stopped
    with sqlite.write(session.library.db):
        run = Held(session)
        run.begin()
        run.run.stop()
    run.end()
    assert run.report.stopped
    assert refresher(session).run().files == 12 and len(session.library.ids()) == 12


def test_who_leaves_does_not_wait(session: Session) -> None:
    with sqlite.write(session.library.db):
        run = Held(session)
        pid = run.begin()
        run.run.leave()
        run.end()  # though the index is still held
        assert not alive(pid) and run.report.stopped


def test_killed_from_outside(session: Session) -> None:
    with sqlite.write(session.library.db):
        run = Held(session)
        os.kill(run.begin(), signal.SIGKILL)
        run.end()
    assert run.error is not None and "ended from outside" in str(run.error)
    assert refresher(session).run().added == 12


_PARENT = """
import sys, threading, time
from pathlib import Path
from tests.ui_tools import make_session
with make_session(Path(sys.argv[1]), Path(sys.argv[2])) as session:
    run = session.refresher()
    threading.Thread(target=run.run, daemon=True).start()
    while run.pid is None:
        time.sleep(0.005)
    print(run.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("pause", [0.0, 0.3, 0.6])
def test_it_goes_when_its_parent_is_killed(tmp_path: Path, pause: float) -> None:
    folder = tmp_path / "news"
    write_many(folder, 3_000)
    root = Path(__file__).resolve().parents[1]
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path), str(folder)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(pause)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not alive(pid))
    with make_session(tmp_path, folder) as opened:
        opened.library.check()
        refresher(opened).run()
        assert len(opened.library.ids()) == 3_000


def test_begun_before_anybody_listens(session: Session) -> None:
    session.begin()
    begun = session.begun
    assert begun is not None and begun.pid is not None
    assert refresher(session) is begun and session.begun is None
    assert begun.run().added == 12
    session.begin()  # there is something to show already
    assert session.begun is None


def test_begun_and_never_listened_to(session: Session) -> None:
    session.begin()
    assert session.begun is not None and session.begun.pid is not None
    pid = session.begun.pid
    session.close()
    assert not alive(pid)


# -- with the screen


async def test_the_screen_says_when_it_was_killed_and_goes_on(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, beside=True) as d:
        write(tmp_path / "news", "story-12", publishedDateTime=when(minutes=2))
        with sqlite.write(session.library.db):
            await d.press("R", long=False)
            await d.until(lambda: d.main.refreshing.pid)
            os.kill(d.main.refreshing.pid or 0, signal.SIGKILL)
            await d.until(lambda: "ended from outside" in d.status)
            assert not d.main.refreshing.running
        await d.press("j", "s")
        assert session.state.mark(url(1)).starred
        await d.press("R")
        assert "1 new" in d.status and 12 in d.stories


async def test_leaving_takes_it_along(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    with sqlite.write(session.library.db):
        async with desk(session, settled=False, close=False, beside=True) as d:
            await d.until(lambda: d.app.main is not None and d.main.refreshing.pid)
            pid = d.main.refreshing.pid
            await d.tap("q")
        assert pid is not None and not alive(pid)
    session.close()


async def test_an_index_found_damaged_is_begun_anew_and_the_screen_goes_over_to_it(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, beside=True) as d:
        await d.press("j", "s")
        before = sqlite.file_identity(session.library.path)
        session.library.path.with_name(session.library.path.name + "-wal").write_bytes(b"")
        session.library.path.write_bytes(b"not a database" * 4_096)
        await d.press("R")
        assert sqlite.file_identity(session.library.path) != before
        await d.until(lambda: sorted(d.stories) == list(range(12)))
        await d.until(lambda: "★ Story 01" in d.text)
        await d.press("home", "j", "j", "s")  # seen while it was empty, it has lost the cursor's place
        assert session.state.mark(url(2)).starred
        assert session.library.rows([d.main.list.ids[2]])[0].starred


async def test_pages_lost_under_the_screen_are_read_anew_without_a_question(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, beside=True) as d:
        await d.press("j", "s")
        before = sqlite.file_identity(session.library.path)
        session.library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        data = session.library.path.read_bytes()
        session.library.path.write_bytes(data[:8_192] + bytes(len(data) - 8_192))
        await d.press("\\")  # another order: it is asked for what it holds
        await d.until(lambda: sqlite.file_identity(session.library.path) != before)
        await d.until(lambda: sorted(d.stories) == list(range(12)) and "★ Story 01" in d.text)


async def test_pages_lost_before_the_start_are_read_anew_without_a_question(tmp_path: Path) -> None:
    with make_session(tmp_path, small_folder(tmp_path / "news")) as session:
        refresher(session).run()
        session.library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        query = "SELECT rootpage FROM sqlite_master WHERE type = 'index'"  # opening looks at tables
        pages = [page for (page,) in session.library.db.execute(query)]
    data = bytearray(session.library.path.read_bytes())
    size = int.from_bytes(data[16:18], "big")
    for page in pages:
        data[(page - 1) * size : page * size] = bytes(size)
    session.library.path.write_bytes(data)
    async with desk(make_session(tmp_path, tmp_path / "news"), beside=True) as d:
        await d.until(lambda: sorted(d.stories) == list(range(12)))
        d.main.session.library.check()


async def test_damage_that_the_daily_look_finds_is_put_right_without_a_question(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, beside=True) as d:
        session.library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size, page = (
            session.library.db.execute(query).fetchone()[0]
            for query in ("PRAGMA page_size", "SELECT rootpage FROM sqlite_master WHERE name = 'article'")
        )
        before = sqlite.file_identity(session.library.path)
        with session.library.path.open("rb+") as file:
            file.seek(page * size - size // 2)
            file.write(bytes(size // 2))
        d.main.work("check", d.main.refreshing._look_for_damage())
        await d.until(lambda: sqlite.file_identity(session.library.path) != before)
        await d.until(lambda: sorted(d.stories) == list(range(12)))
        session.library.check()


# -- marks that change meanwhile


def test_what_rules_did_there_is_taken_back_here(session: Session, tmp_path: Path) -> None:
    refresher(session).run()
    session.state.add_rule("one", "title:piece", "hide")
    session.state.add_rule("two", "title:piece", "tag later")
    session.state.set_starred([url(0)], True)
    write_many(tmp_path / "news", 2_300)  # the second transaction: more than one line of the pipe holds
    counts = [200, 800, 650, 500, 150]
    some = [f"{did} {count:,} articles" for count in counts for did in ("hid", "tagged")]
    assert refresher(session).run().ruled == some
    session.state.set_read([url(1)], True)
    hidden = [mark.key for mark in session.state.changed_since(0) if mark.hidden]
    assert len(hidden) == 2_300
    undone = []
    while change := session.state.undo():
        undone.append((change.label, len(change.keys)))
    undid = ["read 1 article", *reversed(some), "starred 1 article"]
    assert [label for label, _ in undone[:12]] == [f"undid: {label}" for label in undid]
    twice = [count for count in reversed(counts) for _ in range(2)]
    assert [count for _, count in undone[:12]] == [1, *twice, 1]
    assert not any(mark.hidden or mark.tags for mark in session.state.marks(hidden).values())


async def test_u_takes_back_what_rules_did_meanwhile(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, beside=True) as d:
        session.state.add_rule("new", "title:12", "hide")
        write(tmp_path / "news", "story-12", publishedDateTime=when(minutes=2))
        await d.press("R")
        assert "rules: hid 1 article" in d.status and 12 not in d.stories
        await d.press("u")
        assert "undid: hid 1 article" in d.status and 12 in d.stories


def damage(session: Session) -> None:
    """One bit of a note is another one, in the file itself."""
    session.state.set_note(url(3), "as it was written")
    session.state._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = session.state.path
    path.write_bytes(path.read_bytes().replace(b"as it was written", b"as it was wrItten"))


def put_aside(session: Session) -> list[str]:
    return [path.name for path in session.state.path.parent.glob("*.damaged-*Z")]


def test_where_no_marks_can_be_kept_files_are_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    with make_session(tmp_path, small_folder(tmp_path / "news")) as session:
        assert session.state.frozen
        run = refresher(session)
        run.begin()
        assert run.pid is not None and run.run().added == 12


def test_the_file_of_marks_is_not_taken_from_who_has_it_open(session: Session) -> None:
    damage(session)
    before = sqlite.file_identity(session.state.path)
    with pytest.raises(StoreDamaged, match="was damaged"):
        State.open(session.state.path, mend=False)
    assert sqlite.file_identity(session.state.path) == before and not put_aside(session)
    session.state.path.unlink()
    with pytest.raises(StoreDamaged, match="was missing"):
        State.open(session.state.path, mend=False)
    assert not session.state.path.exists()


async def test_marks_found_damaged_meanwhile_are_put_right_and_kept_again(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, beside=True) as d:
        await d.press("j", "s")
        damage(session)
        await d.press("R")
        assert "The file of your marks was damaged" in d.status and "restored" in d.status
        assert len(put_aside(session)) == 1
        await d.press("u")  # the note
        await d.press("j", "s")
        assert [m.starred for m in marks(tmp_path, url(1), url(2))] == [True, True]
        assert not marks(tmp_path, url(3))[0].note
        await d.press("R")
        assert "nothing new" in d.status and len(put_aside(session)) == 1


async def test_marks_taken_away_are_refused_until_they_are_opened_anew(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, beside=True) as d:
        await d.press("j", "s")
        session.state.path.unlink()
        await d.press("j", "s")
        assert "removed or replaced" in d.status and not d.row.starred
        await d.press("R")
        assert "was missing" in d.status and "restored" in d.status
        await d.press("s")
        assert d.row.starred and [m.starred for m in marks(tmp_path, url(1), url(2))] == [True, True]


async def test_marks_that_are_away_altogether_are_not_begun_anew(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    data = session.state.path.parent
    async with desk(session, beside=True) as d:
        await d.press("j", "s")
        data.rename(tmp_path / "away")
        await d.press("R")
        assert "removed or replaced" in d.status and not data.exists()
        await d.press("j", "s")
        assert not d.row.starred and not data.exists()
        (tmp_path / "away").rename(data)
        await d.press("s")
        assert d.row.starred and [m.starred for m in marks(tmp_path, url(1), url(2))] == [True, True]
