"""Processes killed while they mark: no mark that was shown is lost.

A process says on a pipe what it has marked, after the call has come back:
that is the moment the screen would show it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from state_tools import safety

from reader.store.state import State

ROOT = Path(__file__).resolve().parents[2]
CYCLES = int(os.environ.get("NEWSFOLD_KILLS", "300"))  # read here: a test itself sees none of our variables
REPAIRS = max(24, CYCLES // 12)

MARKING = """
import sys
from pathlib import Path
from reader.store.state import State
name = sys.argv[2]
state = State.open(Path(sys.argv[1]))
print("ready", flush=True)
number = 0
while True:
    key = f"{name}-{number}"
    if number % 9 == 8:
        state.set_read([f"{key}-{n}" for n in range(200)], True)
        print(f"many {key}", flush=True)
    elif number % 9 == 7:
        state.backup()
    elif number % 9 == 6:
        state.set_starred([key], True)
        state.undo()
        print(f"none {key}", flush=True)
    else:
        state.set_note(key, f"note of {key}")
        print(f"note {key}", flush=True)
    number += 1
"""


def start(path: Path, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", MARKING, str(path), name],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def lines_of(process: subprocess.Popen[bytes], count: int) -> list[str]:
    """The next *count* lines that the process says."""
    assert process.stdout is not None
    return [process.stdout.readline().decode().strip() for _ in range(count)]


def rest(process: subprocess.Popen[bytes]) -> list[str]:
    """Everything else that it had shown, now that it is gone. Half a line was not shown."""
    assert process.stdout is not None
    said = process.stdout.read().decode()
    process.stdout.close()
    return said[: said.rfind("\n") + 1].splitlines()


def check(state: State, lines: list[str]) -> int:
    """How many shown marks there are; all of them must be kept."""
    count = 0
    for line in lines:
        kind, _, key = line.partition(" ")
        if kind == "note":
            assert state.mark(key).note == f"note of {key}", f"{key} was shown and is lost"
            count += 1
        elif kind == "many":
            keys = [f"{key}-{n}" for n in range(200)]
            assert sum(mark.read for mark in state.marks(keys).values()) == 200, (
                f"{key} was shown and is lost"
            )
            count += 200
        elif kind == "none":
            assert not state.mark(key).starred
    return count


def run(path: Path, cycles: int, *, at_once: int = 1, seed: int = 1) -> int:
    """Kill *cycles* times; how many marks were shown, and kept."""
    chance = random.Random(seed)
    kept = 0
    for cycle in range(cycles):
        running = [start(path, f"{cycle}-{number}") for number in range(at_once)]
        # By what it has said, not by time alone: how fast the machine is shall not decide what is tried.
        lines = [
            line for process in running for line in lines_of(process, 1 + chance.choice((0, 0, 2, 5, 12)))
        ]
        time.sleep(chance.random() * 0.02)
        for process in running:
            process.send_signal(signal.SIGKILL)
        lines += [line for process in running for line in rest(process)]
        for process in running:
            process.wait()
        state = State.open(path)
        assert state.notice == ""
        kept += check(state, lines)
        state.close()
    return kept


def test_killed_while_marking(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    kept = run(path, 16)  # CI kills it more often, by force
    assert kept >= 50
    state = State.open(path)
    assert state.verify() == []
    state.close()


@pytest.mark.slow
def test_killed_while_marking_often(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    kept = run(path, CYCLES // 3, seed=2)  # through the real program: test_program_kill.py
    state = State.open(path)
    assert state.verify() == []
    state.close()
    print(f"{kept:,} marks shown, none lost")


@pytest.mark.slow
def test_four_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    kept = run(path, 10, at_once=4, seed=3)
    state = State.open(path)
    assert state.verify() == []
    state.close()
    print(f"{kept:,} marks shown, none lost")


OPENING = """
import sys
from pathlib import Path
from reader.store.state import State
print("ready", flush=True)
State.open(Path(sys.argv[1])).close()
"""


@pytest.mark.slow
def test_killed_while_repairing(tmp_path: Path) -> None:
    """Whenever a repair is cut off, the next opening ends it: every mark, and every damaged file kept."""
    chance = random.Random(4)
    path = tmp_path / "state.db"
    state = State.open(path)
    keys = [f"key-{number}" for number in range(20_000)]
    state.set_read(keys, True)
    state.close()
    cut_off = 0
    for _cycle in range(REPAIRS):
        if path.exists():
            with path.open("rb+") as file:
                file.seek(8_192)
                file.write(b"broken" * 700)
        process = subprocess.Popen(
            [sys.executable, "-c", OPENING, str(path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        process.stdout.read(6)
        time.sleep(chance.random() * 0.25)
        cut_off += process.poll() is None
        process.kill()
        process.wait()
        process.stdout.close()
        if chance.random() < 0.5:
            continue
        state = State.open(path)
        assert len(state.marks(keys)) == len(keys)
        assert state.read_only == ""
        state.close()
    assert cut_off, "no repair was cut off: nothing was tried"
    print(f"{cut_off} of {REPAIRS} repairs cut off, every mark back")
    assert any(tmp_path.glob("state.db.damaged-*"))
    assert safety(path).is_dir()
