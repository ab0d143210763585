"""A state that cannot be written: it is still read, says why, and refuses every mark aloud."""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import shutil
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from state_tools import Clock, address, fill, flip, kept, safety

from reader.errors import StoreError, StoreReadOnly
from reader.store.state import State

NOBODY = 65534

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "state.db"
    state = State.open(path, clock=Clock())
    fill(state, 60)
    state.close()
    return path


def in_child(work: Callable[[], object], *, prepare: Callable[[], object] = lambda: None) -> object:
    """What *work* returns in a process of its own, after *prepare* has bound its hands."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            prepare()
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(work(), pipe)
            status = 0
        except BaseException:  # noqa: BLE001 - shown, and the parent fails by the status
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return pickle.loads(said)


def powerless() -> None:
    """Give up root: permissions mean nothing to it."""
    if os.geteuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def read_only(folder: Path) -> None:
    """Everything in *folder* readable by all and writable by none; the way to it open."""
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o555 if each.is_dir() else 0o444)
    for above in folder.parents:
        if above.stat().st_uid == os.geteuid() and not above.stat().st_mode & 1:
            above.chmod(above.stat().st_mode | 0o011)


@pytest.fixture
def writable_again(tmp_path: Path) -> Iterator[None]:
    yield
    for each in (tmp_path, *tmp_path.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)


REFUSED: list[Callable[[State], object]] = [
    lambda s: s.set_read(["new"], True),
    lambda s: s.put("new", 1),
    lambda s: s.add_search("n", "q"),
    lambda s: s.backup(),
]


def look(path: Path) -> tuple[dict[str, object], str, str, list[str], bool]:
    """(what is kept, notice, read_only, what each write was refused with, whether a refused mark shows)."""
    state = State.open(path, clock=Clock())
    refused = []
    for write in REFUSED:
        try:
            write(state)
            refused.append("")
        except StoreReadOnly as error:
            refused.append(str(error))
    with contextlib.suppress(StoreReadOnly):
        state.tend()
    found = kept(state), state.notice, state.read_only, refused, state.mark("new").read
    state.close()
    return found


@pytest.mark.usefixtures("writable_again")
class TestReadOnlyFolder:
    def expected(self, path: Path) -> dict[str, object]:
        state = State.open(path)
        found = kept(state)
        state.close()
        return found

    def test_closed_state(self, path: Path) -> None:
        expected = self.expected(path)
        read_only(path.parent)
        before = path.read_bytes()  # by SQLite only root could read it here
        found, notice, why, refused, shown = in_child(lambda: look(path), prepare=powerless)
        assert found == expected
        assert notice == ""
        assert "cannot be written" in why
        assert refused == [why] * len(REFUSED)
        assert not shown
        assert path.read_bytes() == before

    def test_of_a_killed_process(self, path: Path, tmp_path: Path) -> None:
        """Its newest marks are in the log only, and SQLite alone could not read that here."""
        state = State.open(path, clock=Clock())
        state.set_read([address(1_000)], True)
        expected = kept(state)
        copy = tmp_path / "copy" / "state.db"
        shutil.copytree(path.parent, copy.parent)
        state.close()
        copy.with_name("state.db-shm").unlink()
        read_only(copy.parent)
        found, _, why, _, _ = in_child(lambda: look(copy), prepare=powerless)
        assert found == expected
        assert why

    def test_damaged(self, path: Path) -> None:
        expected = self.expected(path)
        flip(path, path.read_bytes().index(b"note 3 ") * 8)
        broken = path.read_bytes()
        read_only(path.parent)
        found, notice, why, _, _ = in_child(lambda: look(path), prepare=powerless)
        assert found == expected
        assert "was damaged" in notice
        assert why
        assert path.read_bytes() == broken

    def test_behind_its_journal(self, path: Path) -> None:
        state = State.open(path, clock=Clock())
        before = path.parent.with_name("before")
        shutil.copytree(path.parent, before)
        state.set_read([address(1_000)], True)
        expected = kept(state)
        state.close()
        shutil.copyfile(before / "state.db", path)
        shutil.copyfile(before / "state.db-wal", path.with_name("state.db-wal"))
        read_only(path.parent)
        found, _, _, _, _ = in_child(lambda: look(path), prepare=powerless)
        assert found == expected

    def test_nothing_there(self, tmp_path: Path) -> None:
        read_only(tmp_path)
        path = tmp_path / "data" / "state.db"
        found, notice, why, refused, _ = in_child(lambda: look(path), prepare=powerless)
        assert found["marks"] == []  # type: ignore[index]
        assert (notice, refused) == ("", [why] * len(REFUSED))


def unreadable(path: Path) -> str:
    try:
        State.open(path)
    except StoreError as error:
        return str(error)
    return ""


@pytest.mark.usefixtures("writable_again")
def test_a_file_that_may_not_be_read(path: Path) -> None:
    """Not taken for damaged: it stays, and the reader is told."""
    read_only(path.parent)
    path.chmod(0)
    said = in_child(lambda: unreadable(path), prepare=powerless)
    assert str(path) in str(said)
    assert [file.name for file in path.parent.glob("*damaged*")] == []


def mark_until_refused(path: Path, limit: int) -> tuple[list[str], str, str, str, bool]:
    """Mark with no file allowed to grow beyond *limit*; (accepted, refused, error, banner, whether shown)."""
    state = State.open(path, clock=Clock())
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    accepted: list[str] = []
    for number in range(3_000):
        key = f"{number}-" + "x" * 400
        try:
            state.set_read([key], True)
            accepted.append(key)
        except StoreReadOnly as error:
            return accepted, key, str(error), state.read_only, state.mark(key).read
    raise AssertionError("the disk was never full")


@pytest.mark.parametrize("extra", [0, 5_000, 50_000, 150_000])
def test_no_room_in_a_file(path: Path, extra: int) -> None:
    """Wherever the room ends, in the log or in the journal: what was accepted is there, nothing else."""
    largest = max(file.stat().st_size for file in path.parent.rglob("*") if file.is_file())
    accepted, refused, error, banner, shown = in_child(lambda: mark_until_refused(path, largest + extra))
    assert "cannot be written" in error
    assert banner == error
    assert not shown
    state = State.open(path, clock=Clock())
    assert all(mark.read for mark in state.marks(accepted).values())
    assert len(state.marks(accepted)) == len(accepted)
    assert not state.mark(refused).read
    assert state.verify() == []
    state.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 KB, where this may be had."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "newsfold-test", str(place)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no disk can be mounted here: needs root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


class TestFullDisk:
    def filled_up(self, place: Path) -> Path:
        filler = place / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 512):
                    pass
            except OSError:
                pass
        return filler

    def test_refused_and_then_accepted_again(self, small_disk: Path) -> None:
        state = State.open(small_disk / "state.db", clock=Clock())
        state.set_read(["a"], True)
        filler = self.filled_up(small_disk)
        refused = 0
        for number in range(40):  # the log has some room left of its own
            try:
                state.set_read([f"{number}-" + "x" * 2_000], True)
            except StoreReadOnly as error:
                refused += 1
                assert "cannot be written" in str(error)
                assert state.read_only == str(error)
                assert not state.mark(f"{number}-" + "x" * 2_000).read
        assert refused
        accepted = len(state.changed_since(0))
        filler.unlink()
        state.set_read(["b"], True)
        assert state.read_only == ""
        assert state.verify() == []
        state.close()
        again = State.open(small_disk / "state.db", clock=Clock())
        assert len(again.changed_since(0)) == accepted + 1
        assert again.notice == ""
        again.close()

    def test_opened_on_a_full_disk(self, small_disk: Path) -> None:
        state = State.open(small_disk / "state.db", clock=Clock())
        fill(state, 30)
        expected = kept(state)
        state.close()
        filler = self.filled_up(small_disk)
        found, _, why, refused, _ = look(small_disk / "state.db")
        assert found == expected
        assert all(refused)
        assert why
        filler.unlink()
        state = State.open(small_disk / "state.db")
        assert kept(state) == expected
        assert state.read_only == ""
        state.close()

    def test_damaged_on_a_full_disk(self, small_disk: Path) -> None:
        """There is no room to repair it: shown from memory, the damaged file left where it is."""
        path = small_disk / "state.db"
        state = State.open(path, clock=Clock())
        fill(state, 30)
        expected = kept(state)
        state.close()
        flip(path, path.read_bytes().index(b"note 3 ") * 8)
        broken = path.read_bytes()
        filler = self.filled_up(small_disk)
        found, notice, why, _, _ = look(path)
        assert found == expected
        assert "was damaged" in notice
        assert why
        assert path.read_bytes() == broken
        filler.unlink()
        state = State.open(path, clock=Clock())
        assert kept(state) == expected
        assert [file.name for file in small_disk.glob("*.new-*")] == []
        assert safety(path).is_dir()
        state.close()
