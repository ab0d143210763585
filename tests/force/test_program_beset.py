"""The real program on a disk that fills up, or without its marks' file: one reads on, marks are refused."""

from __future__ import annotations

import re
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from program_tools import key, locations, make_folder, run, starred, start
from terminal import Terminal

from reader.store import state_schema
from reader.store.state import State

NO_LIMIT = resource.RLIM_INFINITY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit of a running process is Linux's")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """With a short name, so that a line of the screen holds what is said of it."""
    with tempfile.TemporaryDirectory(prefix="nf-") as place:
        yield Path(place)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "news")


def stars(terminal: Terminal) -> list[str]:
    """The articles that the list shows as starred."""
    return re.findall(r"★ (A\d\d) ", terminal.text)


def fill_disk(terminal: Terminal, *, full: bool) -> None:
    """From now on no file can grow, or can again: as a full disk has it."""
    resource.prlimit(terminal.child.pid, resource.RLIMIT_FSIZE, (0 if full else NO_LIMIT, NO_LIMIT))


def reads_on(terminal: Terminal) -> None:
    """An article can still be opened, and left."""
    terminal.press("enter")
    for words in ("Esc back", "Words."):
        terminal.wait_for(words)
    terminal.press("esc")
    terminal.wait_for("Enter open")  # so all keys before this one are done


def test_the_disk_fills_up(tmp_path: Path, folder: Path) -> None:
    with start(tmp_path, folder) as terminal:
        terminal.press("s")
        terminal.wait_for("●★ A00")
        fill_disk(terminal, full=True)
        terminal.press("j", "s")
        terminal.wait_for("cannot be written")
        for _ in range(3):
            terminal.press("j", "s")
        reads_on(terminal)
        terminal.settle()
        assert "cannot be written" in terminal.text  # it stays: a banner
        assert stars(terminal) == ["A00"]
        fill_disk(terminal, full=False)
        terminal.press("s")
        terminal.wait_for("●★ A04")
        assert stars(terminal) == ["A00", "A04"]
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert starred(tmp_path) == {key(0), key(4)}


TAKEN: dict[str, Callable[[Path], object]] = {
    "unlinked": lambda path: path.unlink(),
    "replaced": lambda path: (path.rename(path.with_name("old")), shutil.copy(path.with_name("old"), path)),
    "folder": lambda path: path.parent.rename(path.parent.with_name("elsewhere")),
}


@pytest.mark.parametrize("how", TAKEN)
def test_the_file_is_taken_away(tmp_path: Path, folder: Path, how: str) -> None:
    with start(tmp_path, folder) as terminal:
        terminal.press("s")
        terminal.wait_for("●★ A00")
        TAKEN[how](locations(tmp_path).state_db)
        terminal.press("j", "s")
        terminal.wait_for("removed or replaced")
        reads_on(terminal)
        terminal.settle()
        assert stars(terminal) == ["A00"]
        terminal.press("q")
        terminal.wait_end()
    if how == "folder":
        shutil.rmtree(locations(tmp_path).data, ignore_errors=True)
        (tmp_path / "elsewhere").rename(locations(tmp_path).data)
    with start(tmp_path, folder) as terminal:  # what was shown is there again
        terminal.wait_for("★ A00")
        terminal.press("q")
        assert terminal.wait_end() == 0


def test_a_newer_ones_marks_are_refused_politely(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = locations(tmp_path).state_db
    with monkeypatch.context() as patch:
        patch.setattr(state_schema, "MIGRATIONS", (*state_schema.MIGRATIONS, "CREATE TABLE later(a);"))
        State.open(path).close()
    before = path.read_bytes()
    with run(tmp_path, folder) as terminal:
        assert terminal.wait_end() == 4
        assert "written by a newer newsfold; please update" in " ".join(terminal.text.split())
        assert b"Traceback" not in terminal.raw
    assert path.read_bytes() == before
