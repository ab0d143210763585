"""A smoke start of the real program under a pseudo-terminal, from / and in an empty home."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import termios
from pathlib import Path

import pytest
from terminal import Terminal

# Read at import: the environment is cleaned for every test.
COMMAND = shlex.split(os.environ.get("NEWSFOLD_SMOKE", "")) or [sys.executable, "-m", "reader"]
ROOT = Path(__file__).resolve().parents[1]


def start(tmp_path: Path, *arguments: str, size: tuple[int, int] = (120, 36)) -> Terminal:
    env = {"HOME": str(tmp_path / "home")}
    if COMMAND[0] == sys.executable:
        env["PYTHONPATH"] = str(ROOT)
    return Terminal([*COMMAND, *arguments], env, size)


def test_sample_opens_and_q_leaves(tmp_path: Path) -> None:
    with start(tmp_path, "--sample") as terminal:
        terminal.wait_for("articles, ")
        terminal.wait_for("Topics")
        terminal.settle()
        assert "newsfold" in terminal.text
        terminal.press("q")
        assert terminal.wait_end() == 0
        assert b"\x1b[?1049l" in terminal.raw  # the screen before is back


def test_first_run_explains_and_opens_the_sample(tmp_path: Path) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for("Welcome to newsfold")
        terminal.press("enter")
        terminal.wait_for("Topics")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_restore_the_terminal(tmp_path: Path, number: signal.Signals) -> None:
    with start(tmp_path, "--sample") as terminal:
        terminal.wait_for("Topics")
        terminal.settle()
        terminal.child.kill(number)
        assert terminal.wait_end() == 128 + number
        assert b"\x1b[?1049l" in terminal.raw
        assert b"\x1b[?25h" in terminal.raw  # the cursor is shown again


def test_stopped_without_a_word_and_continued(tmp_path: Path) -> None:
    """As debuggers, and whoever holds programs down, do; the shell may have used the terminal meanwhile."""
    with start(tmp_path, "--sample") as terminal:
        before = termios.tcgetattr(terminal.child.fd)[3]
        terminal.wait_for("Enter open")
        terminal.settle()
        text = terminal.text
        terminal.child.kill(signal.SIGSTOP)
        terminal.screen.reset()
        terminal.child.kill(signal.SIGCONT)
        terminal.wait_for("Enter open")  # drawn anew
        terminal.settle()
        assert terminal.text == text
        terminal.press("j")
        terminal.wait_for(" 2/48 ")
        terminal.press("q")
        assert terminal.wait_end() == 0
        assert b"Traceback" not in terminal.raw
        assert termios.tcgetattr(terminal.child.fd)[3] == before  # echo and all


def test_place_is_restored(tmp_path: Path) -> None:
    with start(tmp_path, "--sample") as terminal:
        terminal.wait_for("Topics")
        terminal.settle()
        terminal.press("j", "j", "j", "\\")
        terminal.wait_for("oldest")
        terminal.settle()
        terminal.press("q")
        assert terminal.wait_end() == 0
    with start(tmp_path, "--sample") as terminal:
        terminal.wait_for("oldest")
