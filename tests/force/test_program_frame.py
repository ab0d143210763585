"""However the program is ended, the next start has its last screen before Textual is imported."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from program_tools import PATIENCE, ROOT, gone, key, locations, make_folder, run, starred, start

from reader.store.state import State
from reader.ui.framing import AT_REST

PAINTED = b"\x1b[?2026l"
ASKS = b"\x1b[?2026$p"
"""What Textual asks the terminal before it draws."""


def painted(tmp_path: Path, folder: Path) -> str:
    """What the next start paints before the program is there, nothing if nothing."""
    with run(tmp_path, folder) as terminal:
        end = time.monotonic() + PATIENCE
        while PAINTED not in terminal.raw and ASKS not in terminal.raw:
            assert time.monotonic() < end and terminal.read(0.05), terminal.text
        return "" if ASKS in terminal.raw else terminal.text


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_last_screen_is_there_after_any_end(tmp_path: Path, number: signal.Signals) -> None:
    folder = make_folder(tmp_path / "news")
    with start(tmp_path, folder) as terminal:
        terminal.press("j", "j", "j")
        terminal.settle()
        terminal.settle(3 * AT_REST if number is signal.SIGKILL else 0.1)
        terminal.child.kill(number)
        gone(terminal)
        left = terminal.text
    assert (found := painted(tmp_path, folder)), left
    assert "A03 headline" in found and "4/30" in found


_WAITS = """
import sys, time
if "reader.refresher" in sys.orig_argv:
    time.sleep(20)
"""


def test_it_is_there_too_where_the_files_were_still_looked_at(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "news")
    with start(tmp_path, folder) as terminal:
        terminal.press("q")
        terminal.wait_end()
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(_WAITS)
    with start(tmp_path, folder, PYTHONPATH=f"{slow}:{ROOT}") as terminal:
        terminal.press("j")
        terminal.wait_for("2/30")
        terminal.settle()
        terminal.child.kill(signal.SIGTERM)
        assert gone(terminal) < 10  # nobody waits for the look
    assert "2/30" in painted(tmp_path, folder)


def test_what_is_killed_on_the_way_leaves_nothing_that_is_not_so(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "news")
    with start(tmp_path, folder) as terminal:
        terminal.settle(3 * AT_REST)
        kept = next(locations(tmp_path).cache.glob("*.frame"))
        terminal.press("j", "s")  # a mark that the frame does not show
        terminal.settle()
        terminal.child.kill(signal.SIGKILL)
        gone(terminal)
        assert kept.exists()
    assert painted(tmp_path, folder) == ""


def test_keys_on_the_kept_screen_do_what_they_say_one_after_the_other(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "news")
    with start(tmp_path, folder) as terminal:
        terminal.press("q")
        assert terminal.wait_end() == 0
    with run(tmp_path, folder) as terminal:
        terminal.wait_for("A00 headline")
        assert ASKS not in terminal.raw  # the program itself is still to come
        os.write(terminal.child.fd, b"sjejust so\rjs")
        terminal.wait_for("●★ A02")
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert starred(tmp_path) == {key(0), key(2)}
    state = State.open(locations(tmp_path).state_db)
    try:
        assert {k: m.note for k, m in state.marks(map(key, range(30))).items() if m.note} == {
            key(1): "just so"
        }
    finally:
        state.close()
