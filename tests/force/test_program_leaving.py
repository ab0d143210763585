"""The real program told to go, left without a terminal, beside another copy, and beside a bad browser."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from program_tools import gone, key, locations, make_folder, starred, start
from sequences import sequences


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "news")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("pane", ["list", "prompt"])
def test_told_to_go(tmp_path: Path, folder: Path, number: signal.Signals, pane: str) -> None:
    with start(tmp_path, folder) as terminal:
        terminal.press("s")
        terminal.wait_for("●★ A00")
        if pane == "prompt":
            terminal.press("e")
            terminal.wait_for("Enter keeps it")
        began = time.monotonic()
        terminal.child.kill(number)
        assert terminal.wait_end() == 128 + number
        print(f"{number.name} in the {pane}: gone in {time.monotonic() - began:.2f} s")
        assert b"\x1b[?1049l" in terminal.raw  # the screen before is back,
        assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l")  # the cursor is seen,
        for mode in (b"1000", b"1003", b"2004"):  # and mouse and pastes are as they were
            assert terminal.raw.rindex(b"\x1b[?" + mode + b"l") > terminal.raw.rindex(b"\x1b[?" + mode + b"h")
        assert b"Traceback" not in terminal.raw
    assert starred(tmp_path) == {key(0)}


@pytest.mark.parametrize("during", ["rest", "typing"])
def test_the_terminal_is_lost(tmp_path: Path, folder: Path, during: str) -> None:
    with start(tmp_path, folder) as terminal:
        terminal.press("s")
        terminal.wait_for("●★ A00")
        if during == "typing":
            os.write(terminal.child.fd, b"j" * 20 + b"s")
        terminal.child.fileobj.close()
        terminal.child.closed, terminal.child.fd = True, -1
        print(f"terminal lost, {during}: gone in {gone(terminal):.2f} s")
    assert key(0) in starred(tmp_path)
    assert (
        not locations(tmp_path).log_file.exists()
        or "Traceback" not in locations(tmp_path).log_file.read_text()
    )


def test_two_copies_see_each_other(tmp_path: Path, folder: Path) -> None:
    with start(tmp_path, folder) as one, start(tmp_path, folder) as two:
        one.press("s")
        one.wait_for("●★ A00")
        began = time.monotonic()
        two.wait_for("●★ A00")
        print(f"a star was seen in the other copy after {time.monotonic() - began:.2f} s")
        two.press("j", "r")
        two.wait_for("  A01")
        one.wait_for("  A01")
        for terminal in (one, two):
            terminal.press("q")
            assert terminal.wait_end() == 0
    assert starred(tmp_path) == {key(0)}


BROWSERS = {
    "noisy": "printf '\\033]0;pwn\\007\\033[2Jpwn'; printf '\\033[31mpwn' >&2; exec sleep 3",
    "on the terminal": "printf '\\033]0;pwn\\007pwn' > /dev/tty; cat < /dev/tty",
    "slow": "exec sleep 4",
    "failing": "echo pwn; exit 3",
    "forking": "(sleep 1; echo pwn; echo pwn >&2) & exit 0",
}


@pytest.mark.parametrize("kind", [*BROWSERS, "absent"])
def test_a_bad_browser_draws_nothing_and_blocks_no_key(tmp_path: Path, folder: Path, kind: str) -> None:
    script = tmp_path / "browser"
    if kind != "absent":
        script.write_text(f"#!/bin/sh\n{BROWSERS[kind]}\n")
        script.chmod(0o755)
    with start(tmp_path, folder, f"browser = {json.dumps(str(script))}\n") as terminal:
        before = len(terminal.raw)
        terminal.press("o")
        # one that looks for the terminal finds none and fails: its "opening" may be gone before it is read
        fails = kind in ("failing", "absent", "on the terminal")
        terminal.wait_for("could not open it" if fails else "opening https://news.test/00")
        terminal.press("s", "j", "s")  # keys work while the browser does what it does
        terminal.wait_for("●★ A01")
        terminal.settle(1.2, 2.5)
        sent = bytes(terminal.raw[before:])
        assert b"pwn" not in sent
        assert {s for s in sequences(sent) if s.startswith(("OSC", "string", "esc"))} <= {"esc \\x1b ''"}
        assert "A00 headline" in terminal.text
        terminal.press("q")
        assert terminal.wait_end() == 0
