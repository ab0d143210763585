"""The last frame is on the screen before Textual is imported, and the program's own comes over it unseen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from terminal import PATIENCE, Terminal

from reader.frame import Frame

ROOT = Path(__file__).resolve().parents[1]
END = b"\x1b[?2026l"
ASKS = b"\x1b[?2026$p"
"""What Textual asks the terminal before it draws."""


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    paths = os.pathsep.join(filter(None, [more.pop("before", ""), str(ROOT)]))
    return {"HOME": str(tmp_path / "home"), "PYTHONPATH": paths, "TZ": "UTC", **more}


def start(tmp_path: Path, size: tuple[int, int] = (120, 36), **more: str) -> Terminal:
    return Terminal([sys.executable, "-m", "reader", "--sample"], environment(tmp_path, **more), size)


def left(tmp_path: Path, size: tuple[int, int] = (120, 36), *keys: str) -> None:
    """Runs of the program until one ended when its look at the files was over, so that its frame was kept."""
    for patience in (0.4, 1.0, 2.0, 4.0, 8.0):
        with start(tmp_path, size) as terminal:
            run_and_leave(terminal, patience, *keys)
        keys = ()
        if kept(tmp_path).exists():
            return
    raise AssertionError("no frame was kept")


def run_and_leave(terminal: Terminal, patience: float, *keys: str) -> None:
    terminal.wait_for("newsfold")
    terminal.settle()
    terminal.press(*keys)
    terminal.settle(patience)
    terminal.press("q")
    assert terminal.wait_end() == 0


def until_painted(terminal: Terminal) -> None:
    end = time.monotonic() + PATIENCE
    while END not in terminal.raw:
        assert time.monotonic() < end and terminal.read(0.05), terminal.text


def kept(tmp_path: Path) -> Path:
    (path,) = list((tmp_path / "home").rglob("library-*.db"))
    return path.with_suffix(".frame")


def ahead(tmp_path: Path) -> bool:
    """Whether the next start paints before it draws; there is a frame for the one after it."""
    before = kept(tmp_path).read_text()
    with start(tmp_path) as terminal:
        terminal.wait_for("48 articles")
        run_and_leave(terminal, 0.4)
        painted = ASKS not in bytes(terminal.raw).split(END)[0]
    if not painted and kept(tmp_path).read_text() == before:  # it was left while something was fetched
        kept(tmp_path).unlink()
        left(tmp_path)
    return painted


@pytest.mark.parametrize("size", [(60, 24), (80, 30), (120, 36), (200, 50)])
@pytest.mark.parametrize("keys", [("j", "j"), ("j", "enter")])
def test_what_was_left_stands_there_and_stays_where_it_is(
    tmp_path: Path, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    config = tmp_path / "home" / "config" / "newsfold" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("dwell = 60\n")
    left(tmp_path, size, *keys)
    with start(tmp_path, size) as terminal:
        until_painted(terminal)
        assert ASKS not in bytes(terminal.raw).split(END)[0]  # the program itself is still to come
        painted = terminal.screen.display
        words = " ".join(" ".join(painted).split())
        assert "newsfold" in words and len(words) > 200, painted
        end = time.monotonic() + PATIENCE
        quiet = 0
        while quiet < 5 and time.monotonic() < end:
            size_before = len(terminal.raw)
            terminal.read(0.1)
            drawn = ASKS in terminal.raw and terminal.raw.count(b"newsfold") >= 2
            quiet = quiet + 1 if drawn and len(terminal.raw) == size_before else 0
            # At every moment, cell by cell; the thumbs of scroll bars are finer than cells.
            for before, after in zip(painted, terminal.screen.display, strict=True):
                changed = {(a, b) for a, b in zip(before, after, strict=True) if a != b}
                assert all(set(pair) <= set(" ▁▂▃▄▅▆▇█") for pair in changed), (before, after)
        assert bytes(terminal.raw).count(b"newsfold") >= 2  # painted, then drawn
        terminal.press("q")
        assert terminal.wait_end() == 0


def test_a_key_pressed_meanwhile_reaches_the_program_and_is_not_echoed(tmp_path: Path) -> None:
    left(tmp_path, (120, 36))
    with start(tmp_path) as terminal:
        until_painted(terminal)
        terminal.press("?")
        terminal.wait_for("Moving")  # the help
        assert b"?" not in bytes(terminal.raw).split(END)[1].split(b"\x1b")[0]


def test_nothing_is_painted_of_what_may_have_changed(tmp_path: Path) -> None:
    left(tmp_path, (120, 36))
    assert ahead(tmp_path)
    command = [sys.executable, "-m", "reader"]
    env = {**os.environ, **environment(tmp_path)}
    listed = subprocess.run(
        [*command, "list", "--sample", "--limit", "1", "--json"], env=env, capture_output=True, check=True
    )
    key = json.loads(listed.stdout)["articles"][0]["key"]
    subprocess.run([*command, "mark", "--sample", "--star", key], env=env, capture_output=True, check=True)
    assert not ahead(tmp_path)  # another mark
    assert ahead(tmp_path)
    path = kept(tmp_path)
    path.write_text(path.read_text().replace("newsfold", "newsfolk", 1))
    assert ahead(tmp_path)
    path.write_text("[1, 2")
    assert not ahead(tmp_path)  # no frame
    with start(tmp_path, (100, 30)) as terminal:  # another size
        terminal.wait_for("48 articles")
        assert ASKS in bytes(terminal.raw).split(END)[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_meanwhile_leaves_the_terminal_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    left(tmp_path, (120, 36))
    slow = tmp_path / "slow" / "textual"
    slow.mkdir(parents=True)
    (slow / "__init__.py").write_text("import time\ntime.sleep(60)\n")
    with start(tmp_path, before=str(slow.parent)) as terminal:
        before = termios.tcgetattr(terminal.child.fd)
        until_painted(terminal)
        terminal.child.kill(number)
        assert terminal.wait_end() == 128 + number
        assert bytes(terminal.raw).endswith(b"\x1b[?25h\x1b[?1049l")
        assert before[3] & termios.ECHO


def test_an_error_meanwhile_is_said_on_the_screen_that_was_there_before(tmp_path: Path) -> None:
    left(tmp_path, (120, 36))
    broken = tmp_path / "broken" / "textual"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('no such luck')\n")
    with start(tmp_path, before=str(broken.parent)) as terminal:
        assert terminal.wait_end() == 1
        terminal.settle()
        after = bytes(terminal.raw).rpartition(b"\x1b[?1049l")[2]
        assert b"no such luck" in after and b"Traceback" not in after


def test_a_frame_cannot_act_on_the_terminal() -> None:
    frame = Frame("", [[("a\x1b]0;title\x07b", "1;31"), ("c", "31m\x1b[2J")], [("d\r\n", "")]])
    sent = frame.painted()
    assert "\x1b]" not in sent and "\x07" not in sent and "2J" not in sent and "\r" not in sent
    assert "\x1b[0;1;31ma␛]0;title␇b" in sent


def test_what_is_no_frame_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.frame"
    assert Frame.load(path) is None
    for text in ("", "{}", "[]", '["a", 1]', '["a", [[1]]]', '["a", [["x"]]]', "\xff"):
        path.write_bytes(text.encode("latin-1"))
        assert Frame.load(path) is None, text
    frame = Frame("stamp", [[("ü", "1")], []])
    frame.save(path)
    assert Frame.load(path) == frame
