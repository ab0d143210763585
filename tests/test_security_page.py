"""SECURITY.md names tests and files that are there, and says the bounds as they are."""

from __future__ import annotations

import re
from pathlib import Path

from reader.frontmatter import MAX_FILE, MAX_FRONT_MATTER, build, events, reading, toml
from reader.store import indexing

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:tests|\.github|\.ci)/[\w./-]+|requirements-dev\.txt)(?:::(\w+))?`", PAGE)


def test_every_test_it_names_is_there() -> None:
    assert len(NAMED) > 20
    for path, function in NAMED:
        assert (ROOT / path).is_file(), path
        if function:
            text = (ROOT / path).read_text(encoding="utf-8")
            assert re.search(rf"^(?:async )?def {function}\(", text, re.MULTILINE), function


def test_the_bounds_are_those_of_the_program() -> None:
    bounds = PAGE.partition("## Bounds")[2].partition("##")[0]
    for said in (
        f"{MAX_FILE >> 20} MiB",
        f"matter {MAX_FRONT_MATTER >> 20} MiB",
        f"{reading.MAX_SLOW >> 10} KiB",
        f"{toml.MAX_TOML >> 10} KiB of TOML",
        f"{events.MAX_DEPTH} levels",
        f"{events.MAX_EVENTS:,} YAML parts",
        f"first {build.MAX_ITEMS:,} of a list",
        f"{indexing.MAX_INDEXED:,} characters",
    ):
        assert said in bounds, said


def test_its_commands_are_those_of_ci() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    commands = re.findall(r"^pipx run .+$", PAGE, re.MULTILINE)
    assert len(commands) == 3
    assert all(command in workflow for command in commands)
    assert "SECURITY.md" in (ROOT / "README.md").read_text(encoding="utf-8")
