"""The gate to the terminal: what a screen sends for strangers' strings, it sends for plain words too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from gate import ENOUGH, MUST, WRONG

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("gate.py")


@pytest.mark.parametrize("group", MUST)
def test_nothing_comes_through(group: str) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), group], capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert {name: told[name] for name in WRONG if told[name]} == {}
    assert min(told["drawn"][s][f] for s, fields in MUST[group].items() for f in fields) >= ENOUGH
    assert told["caught"], "with all cleaning taken out nothing was seen either"
