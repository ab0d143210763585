"""The real program in a real terminal beside browsers that shout, dawdle, fail or are not there."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from program_tools import key, make_folder, start
from terminal import PATIENCE

SHOUTING = r"""#!/bin/sh
shout() { printf '\033[2JSHOUT %s of %s\n' "$1" "$2"; }
shout out "$1"
shout err "$1" >&2
{ shout tty "$1" > /dev/tty; } 2>/dev/null && echo tty >> "$HOME/record"
read answer && echo "read $answer" >> "$HOME/record"
echo "told $1" >> "$HOME/record"
"""
DAWDLING = """#!/bin/sh
echo begun >> "$HOME/record"
n=0
while [ ! -e "$HOME/release" ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done
echo ended >> "$HOME/record"
"""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """With a short name, so that a line of the screen holds what is said of it."""
    with tempfile.TemporaryDirectory(prefix="nf-") as place:
        yield Path(place)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "news")


def script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def record(tmp_path: Path, line: str) -> list[str]:
    """What the browser wrote down in its home, once *line* is there."""
    path = tmp_path / "record"
    end = time.monotonic() + PATIENCE
    while not path.exists() or line not in path.read_text().splitlines():
        assert time.monotonic() < end, f"the browser never wrote {line!r}"
        time.sleep(0.02)
    return path.read_text().splitlines()


def test_a_noisy_browser_reaches_neither_the_screen_nor_the_keys(tmp_path: Path, folder: Path) -> None:
    noisy = script(tmp_path / "noisy", SHOUTING)
    with start(tmp_path, folder, BROWSER=noisy) as terminal:
        terminal.press("o")
        assert record(tmp_path, f"told {key(0)}") == [
            f"told {key(0)}"
        ]  # no terminal was there, nothing to read
        terminal.press("j")
        terminal.wait_for(" 2/30 ")
        terminal.settle()
        assert b"SHOUT" not in terminal.raw
        terminal.press("q")
        assert terminal.wait_end() == 0
        assert b"SHOUT" not in terminal.raw


def test_a_text_browser_has_the_terminal_and_gives_it_back(tmp_path: Path, folder: Path) -> None:
    """The same program by the name of a text browser: there its words do arrive."""
    noisy = script(tmp_path / "w3m", SHOUTING)
    with start(tmp_path, folder, BROWSER=noisy) as terminal:
        terminal.press("o")
        terminal.wait_for(f"SHOUT tty of {key(0)}")
        for stream in (b"out", b"err", b"tty"):
            assert b"SHOUT " + stream in terminal.raw
        terminal.press("y", "enter")
        assert record(tmp_path, f"told {key(0)}") == ["tty", "read y", f"told {key(0)}"]
        terminal.wait_for(" 1/30 ")
        terminal.settle()
        assert "SHOUT" not in terminal.text
        terminal.press("j")
        terminal.wait_for(" 2/30 ")


def test_keys_answer_beside_a_slow_browser_and_it_outlives_the_program(tmp_path: Path, folder: Path) -> None:
    slow = script(tmp_path / "slow", DAWDLING)
    with start(tmp_path, folder, BROWSER=slow) as terminal:
        terminal.press("o")
        record(tmp_path, "begun")
        terminal.wait_for(f"opening {key(0)}")
        for n in range(2, 8):
            terminal.press("j")
            terminal.wait_for(f" {n}/30 ")
        terminal.press("s")
        terminal.wait_for("★ A06")
        assert record(tmp_path, "begun") == ["begun"]  # it has not ended
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert record(tmp_path, "begun") == ["begun"]
    (tmp_path / "release").touch()
    assert record(tmp_path, "ended") == ["begun", "ended"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHOUTING + "exit 7\n", "exit status 7"),
        ("#!/bin/sh\nkill -9 $$\n", "stopped by signal 9"),
        ("#!/nowhere/shell\n", "could not be started"),
        (None, "there is no program"),
    ],
    ids=["failing", "killed", "unstartable", "absent"],
)
def test_a_browser_that_fails_says_so(tmp_path: Path, folder: Path, text: str | None, said: str) -> None:
    if text is not None:
        script(tmp_path / "odd", text)
    with start(tmp_path, folder, BROWSER=str(tmp_path / "odd")) as terminal:
        terminal.press("o")
        for words in ("could not open it", said, "y copies the address"):  # it may come in several reads
            terminal.wait_for(words)
        assert b"SHOUT" not in terminal.raw
        terminal.press("j")
        terminal.wait_for(" 2/30 ")
