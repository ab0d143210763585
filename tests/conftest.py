"""Shared fixtures: where the real files lie, and a clean environment."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast the machine is decides nothing, and neither does the day: the same examples each time.
# Others are tried by --hypothesis-profile=default.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

# Hundreds of programs are started here: each would compile all of its modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SHARED = Path(os.environ.get("NEWSFOLD_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One more than there are processors: many tests wait for a program, a terminal or a clock."""
    return (yield) + 1


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no {folder} here: the real files are not part of the project")
    return folder


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files, or a visible skip."""
    return _folder("corpus")


@pytest.fixture(scope="session")
def hostile() -> Path:
    """The folder of hostile files, or a visible skip."""
    return _folder("hostile")


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the tester's own folders, theme, browser or proxies."""
    for name in list(os.environ):
        ours = name.startswith(("NEWSFOLD_", "TEXTUAL")) and not name.startswith("TEXTUAL_SNAPSHOT")
        if ours or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "BROWSER", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("TZ", "UTC")
