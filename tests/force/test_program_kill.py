"""The real program killed with SIGKILL, again and again: what was shown is kept, the library opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for the process beside it in /proc"),
]

SCRIPT = Path(__file__).with_name("killing.py")
CYCLES = int(os.environ.get("NEWSFOLD_KILLS", "300"))
PARTS = max(1, CYCLES // 50)  # several processors share them; fifty kills each meet every kind of moment
CONTROL_CYCLES = 40


def killing(*options: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what was counted."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False
    )
    print(done.stdout)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_mark_that_was_shown_is_lost(part: int, tmp_path: Path) -> None:
    """While marking, reading files, checking links, migrating; ``NEWSFOLD_KILLS`` times in all."""
    kills = -(-CYCLES // PARTS)
    status, counts = killing("--kills", str(kills), "--seed", str(part), "--evidence", str(tmp_path))
    assert counts["lost"] == counts["verify"] == []
    assert status == 0
    assert counts["kills"] == kills
    assert counts["marks shown"] >= kills
    assert counts["kills while files were read beside it"] and counts["kills of the process beside it"]
    assert counts.get("kills within the migration")


def test_control() -> None:
    """A program that draws a star before it is kept is caught, or the above would prove nothing."""
    status, counts = killing("--kills", str(CONTROL_CYCLES), "--control", "shown-first")
    assert status == 1
    assert any("star: A" in lost for lost in counts["lost"])
    print(f"{len(counts['lost'])} marks lost in {CONTROL_CYCLES} kills of the broken program")
