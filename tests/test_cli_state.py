"""``newsfold state``: through the command line, on real files."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from reader.cli.run import run
from reader.store.state import State

KEYS = [f"https://a.example/{n}" for n in range(5)]


def newsfold(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    return code, out.getvalue(), err.getvalue()


def state_file() -> Path:
    return Path(os.environ["XDG_DATA_HOME"]) / "newsfold/state.db"


def starred() -> list[str]:
    state = State.open(state_file())
    try:
        return [mark.key for mark in state.changed_since(0) if mark.starred]
    finally:
        state.close()


@pytest.fixture(autouse=True)
def marked() -> None:
    state = State.open(state_file())
    state.set_starred(KEYS[:3], True)
    state.set_note(KEYS[0], "a note \x1b[31m")
    state.close()


def test_backup_and_restore(tmp_path: Path) -> None:
    code, out, _ = newsfold("state", "backup", str(tmp_path / "mine.db"))
    assert (code, Path(out.strip()).is_file()) == (0, True)
    state = State.open(state_file())
    state.set_starred(KEYS, False)
    state.close()
    assert starred() == []
    code, out, _ = newsfold("state", "restore", str(tmp_path / "mine.db"))
    assert code == 0
    assert "mine.db" in out
    assert starred() == KEYS[:3]


def test_the_rota_is_restored_from_when_no_file_is_named() -> None:
    newsfold("state", "backup")
    state = State.open(state_file())
    state.set_starred(KEYS, False)
    state.close()
    assert newsfold("state", "restore")[0] == 0
    assert starred() == KEYS[:3]
    assert len(newsfold("state", "backups")[1].splitlines()) >= 2


def test_a_backup_never_overwrites(tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine")
    code, _, err = newsfold("state", "backup", str(there))
    assert code == 4
    assert err.startswith("newsfold: ")
    assert there.read_text() == "mine"


def test_export_and_import_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, text, _ = newsfold("state", "export")
    assert code == 0
    assert text.isascii()
    assert "\x1b" not in text
    assert newsfold("state", "export", str(tmp_path / "out.jsonl"))[0] == 0
    assert newsfold("state", "export", str(tmp_path / "out.jsonl"))[0] == 2  # it is there already
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "other"))
    assert newsfold("state", "import", str(tmp_path / "out.jsonl"))[0] == 0
    assert starred() == KEYS[:3]
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert newsfold("state", "import")[0] == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("no export\n"))
    code, _, err = newsfold("state", "import")
    assert (code, err.count("\n")) == (2, 1)


def test_verify_says_what_is_damaged() -> None:
    assert newsfold("state", "verify")[0] == 0
    journal = sorted((state_file().parent / "state.db.safety").glob("changes-*.log"))
    files = [path for path in journal if path.is_file() and path.stat().st_size]
    assert files
    data = bytearray(files[-1].read_bytes())
    data[len(data) // 2] ^= 4
    files[-1].write_bytes(data)
    code, out, _ = newsfold("state", "verify")
    assert code == 1
    assert "damaged" in out
