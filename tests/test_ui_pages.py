"""Pages over the newspaper: what is pressed after them reaches the newspaper again."""

from __future__ import annotations

from pathlib import Path

import pytest
from ui_tools import desk, make_session, small_folder

from reader.ui import human


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


def test_counts_are_short_and_shorter_where_room_is_needed() -> None:
    assert [human.number(n) for n in (0, 999, 12_345, 165_000, 1_250_000)] == [
        "0", "999", "12,345", "165k", "1.2M",
    ]  # fmt: skip
    assert [human.number(n, 1_000) for n in (999, 1_000, 38_480)] == ["999", "1k", "38k"]
