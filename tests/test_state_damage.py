"""A state that was broken from outside: every mark comes back, nothing broken is thrown away."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from state_tools import Clock, address, content, fill, flip, kept, safety

from reader.errors import StoreDamaged, StoreError, StoreNewer
from reader.store import state_schema
from reader.store.state import State

PAGE = 4096


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A closed state with a backup in the middle of its history, and what must come back."""
    folder = tmp_path_factory.mktemp("master")
    clock = Clock()
    state = State.open(folder / "state.db", clock=clock)
    fill(state)
    state.backup()
    state.set_read([address(number) for number in range(250, 330)], True)
    state.set_note(address(5), "after the backup")
    state.remove_source(Path("/news/two"))
    state.close()
    state = State.open(folder / "state.db", clock=clock)
    expected = kept(state)
    state.close()
    return folder, expected


@pytest.fixture
def path(tmp_path: Path, master: tuple[Path, dict[str, object]]) -> Path:
    """A copy of the master that may be broken."""
    shutil.copytree(master[0], tmp_path / "data")
    return tmp_path / "data" / "state.db"


def come_back(path: Path, expected: dict[str, object]) -> State:
    """Open, compare, verify; the open state."""
    state = State.open(path, clock=Clock())
    assert kept(state) == expected
    assert state.read_only == ""
    return state


def put_aside(path: Path) -> list[Path]:
    return [
        file
        for file in path.parent.glob(path.name + ".damaged-*")
        if not file.name.endswith(("-wal", "-shm"))
    ]


def test_untouched_says_nothing(path: Path, master: tuple[Path, dict[str, object]]) -> None:
    state = come_back(path, master[1])
    assert state.notice == ""
    assert state.verify() == []
    state.close()


@pytest.mark.parametrize("seed", range(24))
def test_one_bit(path: Path, master: tuple[Path, dict[str, object]], seed: int) -> None:
    bit = random.Random(seed).randrange(path.stat().st_size * 8)
    flip(path, bit)
    broken = path.read_bytes()
    state = come_back(path, master[1])
    if state.notice:
        [aside] = put_aside(path)
        assert aside.read_bytes() == broken
        assert aside.name in state.notice
        assert "all 331 marks were restored from the backup of 2026-03-01" in state.notice
        assert state.verify() == []
    state.close()


@pytest.mark.parametrize("byte", [*range(16, 28), *range(28, 100, 9), 47, 59])
def test_each_byte_of_the_header(path: Path, master: tuple[Path, dict[str, object]], byte: int) -> None:
    flip(path, byte * 8 + byte % 8)
    come_back(path, master[1]).close()


def test_each_page_zeroed(path: Path, master: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    noticed = 0
    pages = path.stat().st_size // PAGE
    for page in range(pages):
        copy = tmp_path / f"page{page}" / "state.db"
        shutil.copytree(path.parent, copy.parent)
        with copy.open("rb+") as file:
            file.seek(page * PAGE)
            file.write(bytes(PAGE))
        state = come_back(copy, master[1])
        noticed += bool(state.notice)
        state.close()
    assert noticed > pages / 2  # the others hold what is no mark, or nothing


@pytest.mark.parametrize("size", [0, 1, 99, 100, PAGE, PAGE * 3, PAGE * 3 + 17])
def test_cut_short(path: Path, master: tuple[Path, dict[str, object]], size: int) -> None:
    os.truncate(path, size)
    state = come_back(path, master[1])
    assert state.notice.endswith("and the journal.")
    assert [file.stat().st_size for file in put_aside(path)] == [size]
    state.close()


@pytest.mark.parametrize("junk", [b"x" * 5_000, b"SQLite format 3\0" + b"\xff" * 8_176])
def test_something_else_in_its_place(path: Path, master: tuple[Path, dict[str, object]], junk: bytes) -> None:
    path.write_bytes(junk)
    come_back(path, master[1]).close()
    assert [file.read_bytes() for file in put_aside(path)] == [junk]


def test_missing(path: Path, master: tuple[Path, dict[str, object]]) -> None:
    path.unlink()
    state = come_back(path, master[1])
    assert state.notice.startswith("The file of your marks was missing; all 331 marks were restored")
    state.close()
    again = State.open(path)
    assert again.notice == ""
    again.close()


def test_twice_in_a_second(path: Path, master: tuple[Path, dict[str, object]]) -> None:
    """A second damaged file is put beside the first, not over it."""
    for junk in (b"one" * 1_000, b"two" * 1_000):
        path.write_bytes(junk)
        come_back(path, master[1]).close()
    assert sorted(file.read_bytes()[:3] for file in put_aside(path)) == [b"one", b"two"]


def test_log_of_a_killed_process_left_behind(path: Path, master: tuple[Path, dict[str, object]]) -> None:
    """The file is gone but its log is not: the new file must not meet the old log."""
    state = State.open(path)
    state.set_read(["late"], True)
    wal = path.with_name("state.db-wal")
    left = wal.read_bytes()
    state.close()
    wal.write_bytes(left)
    path.unlink()
    state = State.open(path)
    assert state.mark("late").read
    assert len(state.changed_since(0)) == 332
    assert state.verify() == []
    state.close()


class TestLog:
    """The write-ahead log of a process that was killed."""

    @pytest.fixture
    def killed(self, path: Path, tmp_path: Path) -> tuple[Path, dict[str, object]]:
        state = State.open(path, clock=Clock())
        for number in range(400, 430):
            state.set_read([address(number)], True)
        expected = kept(state)
        copy = tmp_path / "killed" / "state.db"
        shutil.copytree(path.parent, copy.parent)  # as it lies when the process is killed now
        state.close()
        return copy, expected

    def test_whole(self, killed: tuple[Path, dict[str, object]]) -> None:
        state = come_back(*killed)
        assert state.notice == ""
        state.close()

    @pytest.mark.parametrize("seed", range(8))
    def test_one_bit(self, killed: tuple[Path, dict[str, object]], seed: int) -> None:
        """SQLite forgets, without a word, everything after the flip; the journal does not."""
        wal = killed[0].with_name("state.db-wal")
        flip(wal, random.Random(seed).randrange(wal.stat().st_size * 8))
        state = come_back(*killed)
        assert state.verify() == []
        state.close()

    @pytest.mark.parametrize("rest", [0, 40, 10_000])
    def test_cut_or_removed(self, killed: tuple[Path, dict[str, object]], rest: int) -> None:
        wal = killed[0].with_name("state.db-wal")
        os.truncate(wal, rest)
        if not rest:
            wal.unlink()
        state = come_back(*killed)
        assert state.notice.endswith("changes were brought back.")
        state.close()


class TestSecondCopy:
    """Damage in what the marks are restored from."""

    def test_journal_line(self, path: Path, master: tuple[Path, dict[str, object]]) -> None:
        newest = sorted(safety(path).glob("changes-*.log"))[-1]
        flip(newest, newest.read_bytes().index(b"after the backup") * 8)
        state = come_back(path, master[1])
        assert any("damaged line" in fault for fault in state.verify())
        state.backup()  # begins a new journal
        path_after = [fault for fault in state.verify() if "differ" in fault]
        assert path_after == []
        state.close()

    def test_journal_removed(self, path: Path, master: tuple[Path, dict[str, object]]) -> None:
        for file in safety(path).glob("changes-*.log"):
            file.unlink()
        come_back(path, master[1]).close()
        path.unlink()  # a new backup was made at once
        come_back(path, master[1]).close()

    def test_all_of_it_removed_while_open(self, path: Path, master: tuple[Path, dict[str, object]]) -> None:
        state = State.open(path, clock=Clock())
        shutil.rmtree(safety(path))
        state.set_read(["late"], True)
        expected = kept(state)
        state.close()
        come_back(path, expected).close()
        path.write_bytes(b"broken")
        come_back(path, expected).close()

    def test_newest_backup(self, path: Path, master: tuple[Path, dict[str, object]]) -> None:
        state = State.open(path, clock=Clock())
        newest = state.backup()
        state.close()
        flip(newest, 70_001)
        assert any(newest.name in fault for fault in State.open(path).verify())
        path.unlink()
        come_back(path, master[1]).close()

    def test_every_backup(self, path: Path, master: tuple[Path, dict[str, object]]) -> None:
        """The journal alone goes back to the first backup; the damaged file gives the rest."""
        for backup in safety(path).glob("backup-*.db"):
            backup.write_bytes(b"rotten")
        sorted(safety(path).glob("changes-*.log"))[0].unlink()
        page = path.read_bytes().index(b"note 3 ") // PAGE
        with path.open("rb+") as file:
            file.seek(page * PAGE)
            file.write(bytes(PAGE))
        state = State.open(path)
        assert "the newest may be missing" in state.notice
        assert len(state.changed_since(0)) > 200
        state.close()

    def test_loss_is_told_to_copies(self, path: Path) -> None:
        """Whoever copied marks that are lost now learns it by the state's id; numbers are not used again."""
        state = State.open(path)
        before, seq = state.id, state.seq()
        state.close()
        shutil.rmtree(safety(path))
        page = path.read_bytes().index(b"note 3 ") // PAGE
        with path.open("rb+") as file:
            file.seek(page * PAGE)
            file.write(bytes(PAGE))
        state = State.open(path)
        assert state.id != before
        assert len(state.id) == 32
        assert state.set_read(["x"], True).seq > seq
        state.close()


class TestUnderneath:
    """What happens to the file while it is open."""

    @pytest.mark.parametrize(
        "harm",
        [
            pytest.param(lambda path: path.unlink(), id="unlinked"),
            pytest.param(lambda path: path.rename(path.with_name("moved")), id="moved"),
            pytest.param(lambda path: (path.unlink(), path.write_bytes(b"")), id="emptied"),
            pytest.param(lambda path: shutil.rmtree(path.parent), id="folder removed"),
        ],
    )
    def test_no_mark_is_accepted(self, path: Path, harm: Callable[[Path], object]) -> None:
        state = State.open(path)
        harm(path)
        for write in (
            lambda: state.set_read(["a"], True),
            lambda: state.put("a", 1),
            lambda: state.backup(),
        ):
            with pytest.raises(StoreDamaged, match=r"removed or replaced"):
                write()
        assert not state.mark("a").read
        state.close()

    def test_opened_again_it_is_all_there(self, path: Path, master: tuple[Path, dict[str, object]]) -> None:
        state = State.open(path)
        path.unlink()
        with pytest.raises(StoreDamaged):
            state.set_read(["a"], True)
        again = come_back(path, master[1])
        again.set_read(["b"], True)
        state.close()  # must not take the new file's log with it
        third = State.open(path)
        assert third.mark("b").read
        assert third.verify() == []
        again.close()
        third.close()

    def test_page_broken_while_open(self, path: Path, master: tuple[Path, dict[str, object]]) -> None:
        """Met while reading or found by verify, the next opening repairs it."""
        state = State.open(path)
        page = path.read_bytes().index(b"note 3 ") // PAGE
        with path.open("rb+") as file:
            file.seek(page * PAGE)
            file.write(bytes(PAGE))
        assert state.verify() != []
        state.close()
        again = come_back(path, master[1])
        assert "was damaged" in again.notice
        again.close()

    def test_a_broken_state_is_not_backed_up(self, path: Path) -> None:
        state = State.open(path)
        before = state.backups()
        page = path.read_bytes().index(b"note 3 ") // PAGE
        with path.open("rb+") as file:
            file.seek(page * PAGE)
            file.write(bytes(PAGE))
        with pytest.raises(StoreDamaged):
            state.backup()
        assert state.backups() == before
        state.close()

    def test_damage_beyond_the_marks_is_repaired_after_verify(
        self, path: Path, master: tuple[Path, dict[str, object]]
    ) -> None:
        """A setting's row has rotted: opening does not look there, verify does, and the next opening acts."""
        flip(path, path.read_bytes().index(b'{"topic": "space"') * 8 + 16)
        state = come_back(path, master[1])
        assert state.notice == ""
        assert any("settings" in fault for fault in state.verify())
        state.close()
        again = come_back(path, master[1])
        assert "rows of settings" in again.notice
        assert again.get("place") == {"topic": "space", "row": 12}
        assert again.verify() == []
        again.close()


class TestSettingsAndChecks:
    def test_come_back_from_the_damaged_file(self, path: Path) -> None:
        """They are not in the journal: what is newer than the backup is read out of the damaged file."""
        state = State.open(path)
        state.put("place", {"row": 99})
        state.close()
        flip(path, path.read_bytes().index(b"note 3 ") * 8)
        again = State.open(path)
        assert again.notice
        assert again.get("place") == {"row": 99}
        assert len(again.checks(map(address, range(50)))) == 50
        assert len(again.headline_history(address(3))) == 1
        assert again.verify() == []
        again.close()


class TestOthers:
    def test_another_programs_file_is_refused_and_left(self, tmp_path: Path) -> None:
        path = tmp_path / "state.db"
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE mine(a)")
        db.commit()
        db.close()
        with pytest.raises(StoreError, match="another program"):
            State.open(path)
        assert content(path) == {"mine": []}
        assert [file.name for file in tmp_path.glob("*damaged*")] == []

    def test_newer_is_refused_and_left(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        newer = (*state_schema.MIGRATIONS, "CREATE TABLE of_the_future(a);")
        with monkeypatch.context() as patch:
            patch.setattr(state_schema, "MIGRATIONS", newer)
            State.open(path).close()
        before = path.read_bytes()
        with pytest.raises(StoreNewer, match="newer newsfold"):
            State.open(path)
        assert path.read_bytes() == before
        assert put_aside(path) == []
        with monkeypatch.context() as patch:  # and is missing: its journal is newer, too
            path.unlink()
            with pytest.raises(StoreNewer):
                State.open(path)

    def test_newer_takes_over_while_open(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        state = State.open(path)
        with monkeypatch.context() as patch:
            patch.setattr(state_schema, "MIGRATIONS", (*state_schema.MIGRATIONS, "CREATE TABLE later(a);"))
            State.open(path).close()
        with pytest.raises(StoreNewer):
            state.set_read(["a"], True)
        with pytest.raises(StoreNewer):
            state.put("a", 1)
        state.close()


class TestMigration:
    @pytest.fixture
    def old(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A state as the first version of the tables wrote it."""
        path = tmp_path / "old" / "state.db"
        with monkeypatch.context() as patch:
            patch.setattr(state_schema, "MIGRATIONS", state_schema.MIGRATIONS[:1])
            state = State.open(path, clock=Clock())
            state.set_read([address(number) for number in range(60)], True)
            state.backup()
            state.set_starred([address(1)], True)
            state.put("place", 1)
            state.add_source(Path("/news"))
            state.close()
        assert sorted(content(path)) == ["check_history", "checks", "marks", "meta", "settings", "sources"]
        return path

    def check(self, state: State) -> None:
        assert len(state.changed_since(0)) == 60
        assert state.mark(address(1)).starred
        assert state.sources() == [Path("/news")]
        assert state.searches() == []
        state.add_search("n", "q")
        assert state.verify() == []

    def test_forward(self, old: Path) -> None:
        state = State.open(old, clock=Clock())
        assert state.notice == ""
        assert state.get("place") == 1
        self.check(state)
        versions = []
        for backup in state.backups():
            db = sqlite3.connect(backup)
            versions.append(db.execute("PRAGMA user_version").fetchone()[0])
            db.close()
        assert 1 in versions  # made before the first step
        state.close()
        old.write_bytes(b"broken")  # and old backups with old and new journals still give the whole
        again = State.open(old, clock=Clock())
        assert [search.name for search in again.searches()] == ["n"]
        again.remove_search(1)
        self.check(again)
        again.close()

    @pytest.mark.parametrize("harm", ["broken", "missing"])
    def test_damaged_before_it_could_be_migrated(self, old: Path, harm: str) -> None:
        if harm == "missing":
            old.unlink()
        else:
            flip(old, old.read_bytes().index(b"outlet1.example/news/1-") * 8)
        state = State.open(old, clock=Clock())
        assert "all 60 marks were restored" in state.notice
        self.check(state)
        state.close()

    def test_a_step_that_fails_changes_nothing(self, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        bad = (*state_schema.MIGRATIONS[:1], "CREATE TABLE half(a); CREATE TABLE half(a);")
        before = content(old)
        with monkeypatch.context() as patch:
            patch.setattr(state_schema, "MIGRATIONS", bad)
            with pytest.raises(StoreError):
                State.open(old)
        assert content(old) == before
        state = State.open(old, clock=Clock())
        self.check(state)
        state.close()


class TestBackups:
    def test_rota(self, tmp_path: Path) -> None:
        """Daily use for six weeks: three newest, four days, four weeks, and the journal they need."""
        clock = Clock()
        path = tmp_path / "state.db"
        for day in range(42):
            state = State.open(path, clock=clock)
            state.set_read([f"{day}"], True)
            state.close()  # backs up when a day has passed
            clock.forward(hours=23, minutes=59)
        state = State.open(path, clock=clock)
        days = sorted({backup.name[7:15] for backup in state.backups()}, reverse=True)
        assert len(days) == 7
        assert days[:4] == ["20260411", "20260410", "20260409", "20260408"]
        assert state.verify() == []
        journal = sorted(safety(path).glob("changes-*.log"))
        assert 20 < len(journal) < 40  # from the oldest backup on
        for backup in state.backups()[:-1]:
            backup.write_bytes(b"rotten")
        state.close()
        path.unlink()
        state = State.open(path, clock=clock)
        assert len(state.changed_since(0)) == 42
        assert "all 42 marks" in state.notice
        state.close()

    def test_not_more_than_daily_and_only_with_changes(self, tmp_path: Path) -> None:
        clock = Clock()
        for hours in (0, 1, 1, 30):
            clock.forward(hours=hours)
            state = State.open(tmp_path / "state.db", clock=clock)
            state.set_read([f"{clock.now}"], True)
            state.close()
        clock.forward(hours=30)
        state = State.open(tmp_path / "state.db", clock=clock)
        state.tend()
        assert len(state.backups()) == 2
        state.set_read(["late"], True)
        state.tend()
        assert len(state.backups()) == 3
        state.close()

    def test_to_a_place_and_back(self, path: Path, tmp_path: Path) -> None:
        state = State.open(path, clock=Clock())
        before = kept(state)
        to = tmp_path / "my backup.db"
        assert state.backup(to) == to
        with pytest.raises(StoreError):
            state.backup(to)  # never over another
        state.set_starred([address(3), "new"], True)
        state.set_note(address(5), "")
        state.add_search("new", "q")
        state.remove_rule(1)
        state.put("place", 1)
        changed = kept(state)
        change = state.restore(to)
        assert change.label == "restored my backup.db"
        assert state.get("place") == {"topic": "space", "row": 12}
        now = kept(state)
        assert [values(m) for m in now["marks"] if m.key != "new"] == [  # type: ignore[attr-defined]
            values(m)
            for m in sorted(before["marks"], key=order(now))  # type: ignore[call-overload]
        ]
        assert {name: now[name] for name in ("sources", "searches", "rules")} == {
            name: before[name] for name in ("sources", "searches", "rules")
        }
        assert state.verify() == []
        state.undo()
        assert state.mark("new").starred
        assert state.searches() == changed["searches"]
        state.close()

    def test_a_damaged_backup_is_refused(self, path: Path, tmp_path: Path) -> None:
        state = State.open(path)
        to = state.backup(tmp_path / "b.db")
        flip(to, to.read_bytes().index(b"note 3 ") * 8)
        before = kept(state)
        with pytest.raises(StoreDamaged, match="nothing was restored"):
            state.restore(to)
        with pytest.raises(StoreError, match="no backup"):
            state.restore(tmp_path / "none.db")
        assert kept(state) == before
        state.close()


def values(mark: object) -> tuple[object, ...]:
    return tuple(getattr(mark, name) for name in ("key", "read", "starred", "hidden", "note", "tags"))


def order(now: dict[str, object]) -> Callable[[object], int]:
    keys = [mark.key for mark in now["marks"]]  # type: ignore[attr-defined]
    return lambda mark: keys.index(mark.key)  # type: ignore[attr-defined]


def test_the_journal_is_text(path: Path) -> None:
    """One line a change, its checksum first: readable with nothing but this."""
    newest = sorted(safety(path).glob("changes-*.log"))[-1]
    header, *lines = newest.read_text("ascii").splitlines()
    assert json.loads(header[9:])["newsfold"] == "changes"
    assert len(lines) == 3
    assert all(len(json.loads(line[9:])) == 5 for line in lines)


DIES_BEFORE_ITS_COMMIT = """
import os, sys
from pathlib import Path
from reader.store.journal import Entry
from reader.store.state import State

written = Entry.write
Entry.write = lambda entry, record: (written(entry, record), os._exit(7))
State.open(Path(sys.argv[1])).set_starred([sys.argv[2]], True)
"""


def test_a_backup_keeps_what_a_process_left_between_journal_and_commit(path: Path) -> None:
    state = State.open(path)
    state.set_read([address(1)], True)
    dying = [sys.executable, "-c", DIES_BEFORE_ITS_COMMIT, str(path), address(1)]
    assert subprocess.run(dying, check=False).returncode == 7
    assert not state.mark(address(1)).starred
    state.backup()
    assert state.mark(address(1)).starred
    assert state.verify() == []
    state.set_note(address(2), "after")
    state.close()
    path.unlink()
    again = State.open(path)
    assert again.mark(address(1)).starred and again.mark(address(2)).note == "after"
    again.close()
