"""Pages over the newspaper: what is pressed after them reaches the newspaper again."""

from __future__ import annotations

from pathlib import Path

import pytest
from ui_tools import desk, make_session, small_folder


@pytest.mark.parametrize("key", ["?", "E", "i", "T", "D"])
async def test_keys_work_again_after_a_page(tmp_path: Path, key: str) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j")
        await d.press(key)
        assert d.app.screen is not d.main
        await d.press("q")
        assert d.app.screen is d.main
        assert d.app.focused is None
        before = d.main.list.cursor
        await d.press("j")
        assert d.main.list.cursor == before + 1
