"""An index in the making, cut off at every commit, rename and removal: the next run ends in the same one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from library_tools import dump

from reader.ingest import Ingest
from reader.sources import Source
from reader.store.library import Library
from reader.store.state import State

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
OLD = time.time() - 3_600
COUNT = 150

# At the step of that number, before it is done, the process is no more. A step is a commit of the index
# or of the marks, or a name that is changed or removed beside them.
RUN = """
import os, signal, sys
from pathlib import Path
from reader import ingest
from reader.sources import Source
from reader.store import sqlite
from reader.store.library import Library
from reader.store.state import State

folder, last = Path(sys.argv[1]), int(sys.argv[2])
ingest.BATCH, ingest._FIRST_BATCH = 40, 10
count = 0

def step():
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)

def connect(*args, **more):
    db = made(*args, **more)
    db.set_trace_callback(lambda said: step() if said.startswith("COMMIT") else None)
    return db

def event(name, args):
    if name in ("os.rename", "os.remove", "os.truncate") and str(args[0]).startswith(str(folder)):
        step()

made, sqlite.connect = sqlite.connect, connect
sys.addaudithook(event)
state = State.open(folder / "state.db")
library = Library(folder / "library.db")
ingest.Ingest(library, state, [Source("news", folder / "news")]).run()
library.close()
state.close()
print(count)
"""


def write(folder: Path, number: int, title: str) -> None:
    """One article of a story of three, or now and then a broken file."""
    path = folder / ("big" if number % 3 else "small") / f"{number:03}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    near = number - 1 if number % 3 else number + 1
    text = (
        f"---\ntitle: {title} of matter {number // 3}\nwebUrl: https://x.example/{number}\n"
        f"publishedDateTime: 2024-03-{number // 10 + 1:02}T12:00:00Z\nprovider:\n  name: O{number % 5}\n"
        f"topics: [t{number % 7}]\nrelated:\n- webUrl: https://x.example/{near}\n  title: Near\n---\n"
    )
    path.write_text(text if number % 40 else "---\ntitle: [\n---\n")
    os.utime(path, (OLD, OLD))


def make(folder: Path) -> None:
    for number in range(COUNT):
        write(folder / "news", number, "A tale")
    state = State.open(folder / "state.db")
    state.set_read([f"https://x.example/{number}" for number in range(0, COUNT, 2)], True)
    state.set_starred([f"https://x.example/{number}" for number in range(0, COUNT, 9)], True)
    state.add_rule("Mute", "title:later", "hide")
    state.close()


def index(folder: Path) -> None:
    """A run that nothing disturbs."""
    state = State.open(folder / "state.db")
    assert state.notice == ""
    library = Library(folder / "library.db")
    Ingest(library, state, [Source("news", folder / "news")]).run()
    library.check()
    library.close()
    state.close()


def change(folder: Path) -> None:
    """Files that came, changed, moved, broke and went."""
    news = folder / "news"
    for number in range(COUNT, COUNT + 15):
        write(news, number, "Later a tale")
    for number in range(1, 60, 4):
        write(news, number, "Another tale")
        os.utime(news / ("big" if number % 3 else "small") / f"{number:03}.md", (OLD + 60, OLD + 60))
    (news / "moved").mkdir()
    for number in (62, 64, 65):
        (news / "big" / f"{number:03}.md").rename(news / "moved" / f"{number:03}.md")
    for number in (70, 71, 73):
        (news / "big" / f"{number:03}.md").unlink()
    (news / "big" / "074.md").write_text("---\ntitle: [\n---\n")


def damage(folder: Path) -> None:
    with (folder / "library.db").open("rb+") as file:
        file.seek(1_024)
        file.write(os.urandom(60_000))


def run(folder: Path, last: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, str(folder), str(last)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("what", ["new", "changed", "damaged"])
def test_cut_off_at_every_step(tmp_path: Path, what: str) -> None:
    master = tmp_path / "master"
    make(master)
    if what != "new":
        index(master)
        change(master)
    if what == "damaged":
        damage(master)
    whole = tmp_path / "whole"
    shutil.copytree(master, whole)
    done = run(whole, 0)
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps >= 10
    expected = dump(whole / "library.db")
    assert len(expected["articles"]) > COUNT - 10
    for last in range(1, steps + 1):
        folder = tmp_path / "now"
        shutil.copytree(master, folder)
        assert run(folder, last).returncode == -signal.SIGKILL, f"step {last}"
        index(folder)
        assert dump(folder / "library.db") == expected, f"step {last}"
        shutil.rmtree(folder)
    print(f"{what}: cut off at each of {steps} commits, renames and removals, the same index after each")
