"""The gate to the terminal: what a screen sends for strangers' strings, it sends for plain words too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("gate.py")
ENOUGH = 1_000
MUST: dict[str, dict[str, tuple[str, ...]]] = {
    "lists": {"list": ("ti", "ou"), "topics": ("to", "ou"), "health": ("ou",)},
    "searches": {"topics": ("sn",), "searches": ("sn", "sq", "rn", "rq")},
    "problems": {"problems": ("pa", "cs", "ck")},
    "heads": {"row": ("ti",), "said": ("ti",)},
    "folders": {"problems": ("fo",)},
}
"""By group and screen, the fields in which a thousand different strings must have been drawn."""
CONTROLS = ("searches",)


@pytest.mark.parametrize("group", MUST)
def test_nothing_comes_through(group: str) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), group], capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["unexpected"] == {}
    drawn = {(s, f): told["drawn"][s].get(f, 0) for s, fields in MUST[group].items() for f in fields}
    assert {place: count for place, count in drawn.items() if count < ENOUGH} == {}
    if group in CONTROLS:  # one widget's cleaning taken out
        assert told["caught"]
