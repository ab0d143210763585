"""Pastes from a terminal that lets ESC through: text, never keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from terminal import Terminal
from test_pty import start
from textual import events

from reader.ui.pasting import PasteParser

BEGIN, END = "\x1b[200~", "\x1b[201~"
HOSTILE = "q \x1b\x1b q \x1b[A\x1b]0;x\x07 \x1b[201 \x1b[200~ \x1b"


def told(*pieces: str) -> list[events.Key | events.Paste]:
    parser = PasteParser()
    return [
        event
        for piece in (*pieces, "")
        for event in parser.feed(piece)
        if isinstance(event, events.Key | events.Paste)
    ]


def plainly(*pieces: str) -> list[str]:
    return [event.text if isinstance(event, events.Paste) else f"<{event.key}>" for event in told(*pieces)]


def test_wherever_it_is_cut() -> None:
    data = f"j{BEGIN}{HOSTILE}{END}k\x1b[B{BEGIN}b{END}"
    whole = ["<j>", HOSTILE.replace("\x1b", "\u241b"), "<k>", "<down>", "b"]
    assert plainly(data) == whole
    for cut in range(1, len(data)):
        assert plainly(data[:cut], data[cut:]) == whole, cut
    assert plainly(*data) == whole


@pytest.mark.parametrize("keys", ["j", "\x1b[A", "\x1bOA", "\x1b[20;5R", "é表\x1b[<0;3;4M"])
def test_what_is_no_paste_is_as_it_was(keys: str) -> None:
    parser = super(PasteParser, PasteParser())
    assert plainly(keys) == [f"<{e.key}>" for e in parser.feed(keys) if isinstance(e, events.Key)]


def test_a_paste_presses_no_key(tmp_path: Path) -> None:
    with start(tmp_path, "--sample") as terminal:
        terminal.wait_for("Topics")
        terminal.settle()
        terminal.press("/")
        terminal.wait_for("narrow the list")
        _send(terminal, f"{BEGIN}zz\x1b\x1bq\x1b[A{END}")
        terminal.wait_for("zz\u241b\u241bq\u241b[A")
        assert terminal.child.isalive()
        terminal.press("esc")
        terminal.settle()
        terminal.press("q")
        assert terminal.wait_end() == 0


def _send(terminal: Terminal, data: str) -> None:
    os.write(terminal.child.fd, data.encode())
    terminal.settle()
