"""Eight processes writing one state, and a bit flipped a thousand times."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from state_tools import Clock, address, fill, flip, kept

from reader.store.state import State

ROOT = Path(__file__).resolve().parents[2]
FLIPS = int(os.environ.get("NEWSFOLD_FLIPS", "1000"))  # read here: a test itself sees none of our variables

WRITING = """
import sys
from pathlib import Path
from reader.store.state import State
state = State.open(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    state.set_read([f"{sys.argv[2]}-{number}"], True)
    state.set_starred(["shared"], bool(number % 2))
state.close()
"""


def write(path: Path, processes: int, each: int) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITING, str(path), str(number), str(each)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )
        for number in range(processes)
    ]
    for process in running:
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()
    state = State.open(path)
    assert state.notice == ""
    keys = [f"{number}-{n}" for number in range(processes) for n in range(each)]
    assert len(state.marks(keys)) == len(keys)
    assert state.verify() == []
    state.close()


def test_two_processes_begin_together(tmp_path: Path) -> None:
    write(tmp_path / "state.db", 2, 10)


@pytest.mark.slow
def test_eight_processes(tmp_path: Path) -> None:
    write(tmp_path / "state.db", 8, 200)


@pytest.mark.slow
def test_a_thousand_bits(tmp_path: Path) -> None:
    """Each flip by itself, anywhere in the file: every mark back, at once."""
    master = tmp_path / "master" / "state.db"
    state = State.open(master, clock=Clock())
    fill(state)
    state.backup()
    state.set_read([address(number) for number in range(250, 330)], True)
    expected = kept(state)
    state.close()
    chance = random.Random(7)
    noticed = later = 0
    for number in range(FLIPS):
        copy = tmp_path / f"{number}" / "state.db"
        shutil.copytree(master.parent, copy.parent)
        bit = chance.randrange(copy.stat().st_size * 8)
        flip(copy, bit)
        state = State.open(copy, clock=Clock())
        assert kept(state) == expected, f"bit {bit}"
        if state.notice:
            noticed += 1
        elif state.verify():
            later += 1
            state.close()
            state = State.open(copy, clock=Clock())
            assert kept(state) == expected, f"bit {bit}"
            assert state.verify() == [], f"bit {bit}"
        state.close()
        shutil.rmtree(copy.parent)
    print(f"{noticed} noticed at opening, {later} by verify, the rest changed nothing that is read")


@pytest.mark.slow
def test_bits_of_the_second_copy(tmp_path: Path) -> None:
    """A flip in journal or backup changes no mark, and verify tells."""
    master = tmp_path / "master" / "state.db"
    state = State.open(master, clock=Clock())
    fill(state, 60)
    state.backup()
    state.set_read([address(number) for number in range(50, 90)], True)
    expected = kept(state)
    state.close()
    chance = random.Random(8)
    told = 0
    for number in range(150):
        copy = tmp_path / f"{number}" / "state.db"
        shutil.copytree(master.parent, copy.parent)
        files = sorted(copy.with_name("state.db.safety").glob("[bc]*-*"))
        chosen = files[number % len(files)]
        flip(chosen, chance.randrange(chosen.stat().st_size * 8))
        state = State.open(copy, clock=Clock())
        assert kept(state) == expected
        told += bool(state.verify())
        state.close()
        state = State.open(copy, clock=Clock())
        assert kept(state) == expected
        state.close()
        shutil.rmtree(copy.parent)
    assert told > 120
    print(f"{told} of 150 told by verify; the others were mended at opening")
