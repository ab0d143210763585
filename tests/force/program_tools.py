"""The real program in a terminal over thirty articles, for the tests by force."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from terminal import PATIENCE, Terminal

from reader.config import Locations
from reader.store.state import State

ROOT = Path(__file__).resolve().parents[2]


def make_folder(folder: Path) -> Path:
    """Thirty articles, the newest first ``A00``."""
    folder.mkdir()
    for n in range(30):
        fields = {
            "title": f"A{n:02} headline",
            "webUrl": key(n),
            "publishedDateTime": f"2024-03-{30 - n:02}T12:00:00Z",
        }
        lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in fields.items())
        (folder / f"{n:02}.md").write_text(f"---\n{lines}---\nWords.\n")
    return folder


def key(n: int) -> str:
    return f"https://news.test/{n:02}"


def locations(tmp_path: Path) -> Locations:
    return Locations(*(tmp_path / name for name in ("data", "config", "cache", "state")))


def run(tmp_path: Path, folder: Path, **env: str) -> Terminal:
    """The program, not waited for."""
    places = locations(tmp_path)
    ours = {
        f"NEWSFOLD_{n.upper()}_DIR": str(getattr(places, n)) for n in ("data", "config", "cache", "state")
    }
    command = [sys.executable, "-m", "reader", str(folder)]
    return Terminal(command, {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)} | ours | env, (120, 24))


def start(tmp_path: Path, folder: Path, settings: str = "", **env: str) -> Terminal:
    places = locations(tmp_path)
    places.config.mkdir(exist_ok=True)
    places.config_file.write_text("dwell = 60\n" + settings)
    first = not places.cache.exists()
    terminal = run(tmp_path, folder, **env)
    terminal.wait_for("30 files: 30 new" if first else "A00 headline")
    terminal.settle()
    return terminal


def starred(tmp_path: Path) -> set[str]:
    state = State.open(locations(tmp_path).state_db)
    try:
        assert state.notice == ""
        return {k for k, mark in state.marks(map(key, range(30))).items() if mark.starred}
    finally:
        state.close()


def gone(terminal: Terminal) -> float:
    """Seconds until the process is gone."""
    began = time.monotonic()
    while terminal.child.isalive():
        assert time.monotonic() - began < PATIENCE, "it would not go"
        time.sleep(0.01)
    return time.monotonic() - began
