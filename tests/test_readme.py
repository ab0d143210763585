"""The README tells the truth about what can be asked of the program itself."""

from __future__ import annotations

import re
import subprocess
import sys

from readme import ROOT, renewed, sections

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_tables_are_the_programs_own() -> None:
    assert renewed(README) == README, "run: .venv/bin/python tests/readme.py"
    for name, text in sections().items():
        assert f"<!-- {name} -->\n{text}\n<!-- /{name} -->" in README


def test_every_command_is_named() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "reader", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    commands = re.findall(
        r"^  (\w+)   +\w", listed.partition("commands")[2].partition("KEY is")[0], re.MULTILINE
    )
    assert len(commands) > 5
    for command in commands:
        assert f"newsfold {command}" in README, command


def test_pictures_exist() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file(), picture
