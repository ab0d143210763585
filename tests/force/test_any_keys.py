"""Any keys in any order, in any size: nothing breaks, and each update leaves what a whole redraw would.

``NEWSFOLD_KEYS=2000`` presses so many in each run.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from test_ui_drawing import Drawn
from textual.screen import ModalScreen
from ui_tools import desk, make_session, small_folder

from reader.ui.screens.main import MainScreen

pytestmark = pytest.mark.slow

SHARED = Path(os.environ.get("NEWSFOLD_SHARED", Path(__file__).resolve().parents[3] / "shared"))
EACH = int(os.environ.get("NEWSFOLD_KEYS", "120"))
WIDTHS = (40, 60, 80, 100, 120, 160, 200)
HEIGHTS = (8, 15, 24, 40)
# Not those that ask a browser or a host, nor those that leave.
KEYS = (
    *"jkjkjkgGhlJKnp][xTDibS/=FuUvVrAsteX+zE?\\RHMyY:ad3q",
    *("enter", "enter", "escape", "escape", "space", "up", "down", "left", "right", "tab", "backspace"),
    *("home", "end", "pagedown", "pageup", "ctrl+d", "ctrl+u", "ctrl+f", "ctrl+b"),
)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("articles", ["corpus", "hostile", "small"])
async def test_any_keys(tmp_path: Path, articles: str, seed: int) -> None:
    folder = small_folder(tmp_path / "news") if articles == "small" else SHARED / articles
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    chance = random.Random(f"{articles} {seed}")
    pressed: list[str] = []
    async with desk(
        make_session(tmp_path, folder), (chance.choice(WIDTHS), chance.choice(HEIGHTS)), kind=Drawn
    ) as d:
        app = d.app
        assert isinstance(app, Drawn)
        for _ in range(EACH):
            if chance.random() < 0.02:
                pressed.append(f"width {chance.choice(WIDTHS)}")
                await d.resize(int(pressed[-1].split()[1]))
            else:
                key = chance.choice(KEYS)
                if key == "q" and isinstance(app.screen, MainScreen):
                    continue
                pressed.append(key)
                await d.pilot.press(key)
            await d.settle()
            if isinstance(app.screen, ModalScreen):  # what lies below one is a picture, drawn once
                continue
            await d.until(lambda: not app.due)
            assert app.cells() == app.anew(), pressed
    assert len(pressed) > EACH // 2
