"""Processes of our own beside this one: how they are started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def start(module: str) -> subprocess.Popen[bytes]:
    """Run *module* of the package in a process of its own, with a pipe to it and one from it.

    It outlives nobody: its part is to end when its input does.

    Raises:
        OSError: none can be started.
    """
    home = str(Path(__file__).resolve().parents[1])
    paths = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    # -P: nothing of the folder one stands in is imported. Its own group: no signals of the terminal. Not its
    # own session: Linux shares processors out among sessions, and being nice counts only within one.
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": paths},
        process_group=0,
    )
