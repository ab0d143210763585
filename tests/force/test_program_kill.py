"""The real program killed with SIGKILL, again and again: what was shown is kept, the library opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("killing.py")
CYCLES = int(os.environ.get("NEWSFOLD_KILLS", "300"))
PARTS = 3


@pytest.mark.parametrize("part", range(PARTS))
def test_no_mark_that_was_shown_is_lost(part: int) -> None:
    """While marking, reading files, checking links, migrating; ``NEWSFOLD_KILLS`` times in all."""
    kills = CYCLES // PARTS
    command = [sys.executable, str(SCRIPT), "--kills", str(kills), "--seed", str(part)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(done.stdout)
    assert counts["kills"] == kills
    assert counts["lost"] == counts["verify"] == []
    assert counts["marks shown"] >= kills // 2
