"""Eight pictures of the screen, compared stroke by stroke.

After a change that is meant to be seen: ``pytest tests/test_ui_snapshots.py --snapshot-update``, then look
at every changed picture under ``tests/__snapshots__`` before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from ui_tools import Desk, make_session, related, when, write

from reader.ui.app import NewsfoldApp

Compare = Callable[..., bool]


TOLD = (
    ("comet-tail", "Probe flies through a comet's tail", "Orbit Daily", 30, 142),
    ("comet-dust", "Dust from a comet: what the probe caught", "The Cape Record", 27, 118),
    ("comet-images", "First images from inside a comet's tail", "Skywatch", 26, 96),
)
PLAIN: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("ports", "Seven ports agree on one form for papers", "Harbour Post", {"topics": ["law", "sea"]}),
    ("umi", "深海の海綿が400年生きていた", "海洋新聞", {"topics": ["sea"], "type": "video"}),
    ("ruling", "Court: a map may be copied, its colours not", "The Gavel", {"topics": ["law"], "heat": -1}),
    ("tides", "Tide tables, corrected", "Harbour Post", {"topics": ["sea"], "published": False}),
)


def newspaper(folder: Path) -> Path:
    """A story told by four outlets, one of them only mentioned, and four pieces that stand alone."""
    for slug, title, outlet, hours, quality in TOLD:
        others = [
            related(s, o, title=t, publishedDateTime=when(hours=h), quality=q)
            for s, t, o, h, q in TOLD
            if s != slug
        ]
        wire = related("wire", "Newswire", title="Probe meets comet", publishedDateTime=when(hours=29))
        write(
            folder,
            slug,
            "The probe closed its shutters for eleven minutes.\n\n- dust: 4 grains\n- ice: none\n",
            title=title,
            excerpt="After nine years on its way the probe passed 200 km behind the comet's head.",
            publishedDateTime=when(hours=hours),
            provider={"name": outlet, "authors": ["Ida Moss"]},
            topics=["space"],
            quality=quality,
            heat=61,
            related=[*others, wire],
        )
    for n, (slug, title, outlet, more) in enumerate(PLAIN):
        fields = {"publishedDateTime": when(days=3 + 9 * n), "provider": {"name": outlet}}
        write(folder, slug, title=title, excerpt=f"{title}, in short.", quality=40 + 7 * n, **fields, **more)
    return folder


@pytest.fixture
def picture(tmp_path: Path, snap_compare: Compare) -> Callable[..., bool]:
    """Compare what stands on the screen after *keys* at *columns*."""

    def compare(columns: int, *keys: str, rows: int = 30, folder: Path | None = None) -> bool:
        session = make_session(tmp_path, *([folder] if folder else []))
        if session.sources:
            session.state.set_read(["https://news.test/ports"], True)
            session.state.set_starred(["https://news.test/comet-dust"], True)
        app = NewsfoldApp(session)

        async def before(pilot: Pilot[int]) -> None:
            desk = Desk(app, pilot)
            if session.sources:
                await desk.until(lambda: app.main is not None and app.main.refreshing._generation >= 0)
            await desk.settle()
            await desk.press(*keys)
            if app.main is not None:
                app.main.say("")
            await desk.settle()

        try:
            return snap_compare(app, terminal_size=(columns, rows), run_before=before)
        finally:
            session.close()

    return compare


def test_article_at_60(tmp_path: Path, picture: Callable[..., bool]) -> None:
    assert picture(60, "enter", "]", folder=newspaper(tmp_path / "news"))


def test_list_at_80(tmp_path: Path, picture: Callable[..., bool]) -> None:
    assert picture(80, "j", "v", "j", folder=newspaper(tmp_path / "news"))


def test_drawer_at_80(tmp_path: Path, picture: Callable[..., bool]) -> None:
    assert picture(80, "h", "j", "j", folder=newspaper(tmp_path / "news"))


def test_first_run_at_80(picture: Callable[..., bool]) -> None:
    assert picture(80)


def test_coverage_at_120(tmp_path: Path, picture: Callable[..., bool]) -> None:
    assert picture(120, "j", "l", "]", "]", folder=newspaper(tmp_path / "news"))


def test_help_at_120(tmp_path: Path, picture: Callable[..., bool]) -> None:
    assert picture(120, "?", rows=44, folder=newspaper(tmp_path / "news"))


def test_problems_at_120(tmp_path: Path, picture: Callable[..., bool]) -> None:
    folder = newspaper(tmp_path / "news")
    (folder / "broken.md").write_text("---\ntitle: A list that never ends: [\n---\n", encoding="utf-8")
    (folder / "empty.md").write_text("", encoding="utf-8")
    write(folder, "odd", quality="very good", publishedDateTime="2020-13-45")
    assert picture(120, "E", folder=folder)


def test_everything_at_200(tmp_path: Path, picture: Callable[..., bool]) -> None:
    assert picture(200, "j", "j", "s", rows=44, folder=newspaper(tmp_path / "news"))
