"""Stories on the screen: lists, coverage, pages, best source, overrules; keys pressed on the real program."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from ui_tools import BASE, NOW, Desk, desk, make_session, marks, related, when, whole, write

from reader.model import LinkCheck, Outcome
from reader.ui.places import Pane
from reader.ui.screens.pages import TextPage

WIRE = (
    "The harbour bridge was closed on Sunday after a storm tore two cables loose, the city said, and ferries"
)


def entry(slug: str, title: str, outlet: str, minutes: int, **fields: Any) -> dict[str, Any]:
    """An entry of ``related``, so many minutes after the first piece."""
    return {
        "title": title,
        "webUrl": BASE + slug,
        "provider": {"name": outlet, "domain": f"{outlet.lower()}.test"},
        "publishedDateTime": when(hours=30, minutes=-minutes),
        "type": "article",
    } | fields


def harbour(folder: Path) -> Path:
    """A story of five outlets, three with one text; beside it a guide, and a story of one piece."""
    write(
        folder,
        "bridge",
        title="Harbour bridge closed after storm",
        excerpt=f"{WIRE} ran all night.",
        publishedDateTime=when(hours=30),
        provider={"name": "Aurora", "domain": "aurora.test"},
        quality=60,
        topics=["sea"],
        related=[
            entry("beacon", "Storm closes harbour bridge", "Beacon", 12, excerpt=f"(AP) {WIRE}.", quality=40),
            entry(
                "courier",
                "Harbour bridge closed by storm",
                "Courier",
                30,
                excerpt=f"{WIRE} ran all night.",
                quality=50,
            ),
            entry(
                "dispatch", "Engineers inspect harbour bridge cables after storm", "Dispatch", 90, quality=88
            ),
            entry("guide", "Every ferry timetable explained", "Guide", -600_000, quality=99),
        ],
    )
    write(
        folder,
        "echo",
        title="Mayor promises to reopen storm-hit harbour bridge",
        publishedDateTime=when(hours=27),
        provider={"name": "Echo", "domain": "echo.test"},
        quality=30,
        topics=["sea"],
        related=[entry("bridge", "Harbour bridge closed after storm", "Aurora", 0)],
    )
    write(
        folder,
        "chess",
        title="Chess champion defends her title",
        publishedDateTime=when(hours=2),
        provider={"name": "Fanal", "domain": "fanal.test"},
        quality=10,
        topics=["games"],
    )
    return folder


def drawn(d: Desk) -> list[str]:
    return [d.drawn_row(n) for n in range(d.main.list.count)]


async def test_one_row_a_story_and_back(tmp_path: Path) -> None:
    session = make_session(tmp_path, harbour(tmp_path / "news"))
    async with desk(session) as d:
        assert d.main.list.count == 3
        await d.press("j", "S")  # on the echo
        assert d.main.list.count == 2 and "by story" in d.line("list-head")
        assert d.row.key == BASE + "bridge"  # its story, by the lead
        assert "+4 outlets" in drawn(d)[1] and "outlet" not in drawn(d)[0]
        await d.press("\\")
        assert d.row.key == BASE + "bridge"
        await d.press("S")
        assert d.main.list.count == 3 and d.row.key == BASE + "bridge"
        await d.press("S")
    async with desk(make_session(tmp_path, tmp_path / "news")) as d:  # remembered
        assert d.main.list.count == 2 and "by story" in d.line("list-head")


async def test_places_sorts_and_filters_hold_for_stories(tmp_path: Path) -> None:
    session = make_session(tmp_path, harbour(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("S")
        for _ in range(6):
            await d.press("\\")
            assert sorted(row.key for row in session.library.rows(d.main.list.ids)) == [
                BASE + "bridge",
                BASE + "chess",
            ]
            if "coverage" in d.line("list-head"):
                assert d.main.list.ids[0] == session.library.by_key(BASE + "bridge")[0].id
        await d.press("/")
        await d.type("mayor")
        await d.press("enter")
        assert [row.key for row in session.library.rows(d.main.list.ids)] == [BASE + "bridge"]
        await d.press("escape", "U")
        assert d.main.list.count == 2


async def test_reading_covers_the_story_and_undo_takes_it_back(tmp_path: Path) -> None:
    folder = harbour(tmp_path / "news")
    session = make_session(tmp_path, folder, dwell=0.01)
    async with desk(session) as d:
        await d.press("S", "j", "enter")
        await d.until(lambda: all(m.read for m in marks(tmp_path, BASE + "bridge", BASE + "echo")))
        await d.settle()
        assert not d.row.story.is_new if d.row.story else False  # type: ignore[union-attr]
        await d.press("h", "u")
        assert not any(m.read for m in marks(tmp_path, BASE + "bridge", BASE + "echo"))
        await d.press("k", "j", "r")
        assert all(m.read for m in marks(tmp_path, BASE + "bridge", BASE + "echo"))
        await d.press("k", "j", "r")
        assert not any(m.read for m in marks(tmp_path, BASE + "bridge", BASE + "echo"))
        await d.press("A")
        assert all(m.read for m in marks(tmp_path, BASE + "bridge", BASE + "echo", BASE + "chess"))


async def test_it_comes_back_when_more_is_told(tmp_path: Path) -> None:
    folder = harbour(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("S", "U", "A")
        await d.press("U", "U")
        assert d.main.list.count == 0
        write(
            folder,
            "gazette",
            title="Storm: harbour bridge stays closed",
            publishedDateTime=when(hours=26),
            provider={"name": "Gazette", "domain": "gazette.test"},
            related=[
                entry("bridge", "Harbour bridge closed after storm", "Aurora", 0),
                entry("herald", "Harbour bridge closed: storm bill", "Herald", 240),
            ],
        )
        await d.press("R")
        assert d.main.list.count == 1 and "+2 outlets since you looked" in drawn(d)[0]
        await d.press("enter")
        assert "+2 outlets since you looked" in d.article
        await d.press("h", "r", "U")
        assert not any("since you looked" in row for row in drawn(d))


async def test_coverage_by_time_with_same_texts_folded(tmp_path: Path) -> None:
    session = make_session(tmp_path, harbour(tmp_path / "news"))
    session.state.record_checks([LinkCheck(BASE + "dispatch", Outcome.GONE, NOW, status=410)])
    async with desk(session) as d:
        await d.press("j", "j", "enter")
        assert d.shown == "Harbour bridge closed after storm"
        text = d.article
        assert "Coverage: 5 pieces" in text and "5 outlets, 3 independent texts" in text
        assert "▸ Aurora  q60  this piece" in text
        assert "○ Dispatch  q88  ✗ gone" in text and "● Echo" in text
        text = " ".join(text.split())
        order = [
            text.index(word)
            for word in ("earliest", "3 outlets, one text: probable wire copy", "+1h 30m", "+3h")
        ]
        assert order == sorted(order)
        assert "also Beacon, Courier" in text and "+12m" not in text
        assert "told as another story" in text and "Guide" in text  # nothing listed is lost
        await d.press("x")
        assert "+12m" in d.article and "+30m" in d.article
        await d.press("x")
        assert "+12m" not in d.article


async def test_walking_in_and_out_of_the_story(tmp_path: Path) -> None:
    session = make_session(tmp_path, harbour(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j", "j", "]")
        document = d.main.document
        assert d.pane is Pane.ARTICLE and document.current_item.startswith("text:")
        await d.press("enter")  # unfolds it
        assert "+12m" in d.article
        items = []
        for _ in range(6):
            await d.press("]")
            items.append(document.current_item)
        assert len(set(items)) == 5 and items[-1] == items[-2]  # beacon, courier, dispatch, echo, guide
        await d.press("[")
        await d.press("enter")
        assert d.shown.startswith("Mayor promises")
        await d.press("escape")
        assert d.shown == "Harbour bridge closed after storm" and document.current_item == items[-3]
        await d.press("[", "[", "enter")
        assert "not in the library" in d.article
        await d.press("escape")
        assert d.shown == "Harbour bridge closed after storm"


async def test_the_picture_has_a_lane_for_what_is_counted_as_one_outlet(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    others = (("b", "Game Rant on Portal", "portal.test"), ("c", "Courier", "courier.test"))
    entries = [
        related(slug, name, title=f"Bridge closed by {slug} storm", provider={"name": name, "domain": domain})
        for slug, name, domain in others
    ]
    own = {"name": "Portal", "domain": "portal.test"}
    write(folder, "a", title="Bridge closed", provider=own, related=entries, publishedDateTime=when(days=3))
    async with desk(make_session(tmp_path, folder), (100, 40)) as d:
        await d.press("T")
        text = d.text
        assert "3 pieces, 2 outlets" in text
        dotted = [line for line in text.split("\n") if re.search("[●○]", line[19:]) and line[:1] != "+"]
        lanes = [line[:18].strip() for line in dotted]
        assert lanes[:2] == ["portal.test", "Courier"]


@pytest.mark.parametrize("width", [80, 140])
async def test_the_storys_own_page(tmp_path: Path, width: int) -> None:
    session = make_session(tmp_path, harbour(tmp_path / "news"))
    async with desk(session, (width, 44)) as d:
        await d.press("j", "j", "T")
        page = d.app.screen
        assert isinstance(page, TextPage)
        text = whole(page._document)
        assert "5 pieces, 5 outlets, 3 independent texts" in text
        assert "the earliest in this archive" in text and "broke" not in text
        assert "quality 30 to 88, median 50" in text and "in sea" in text
        assert "best source Dispatch: quality 88, the highest of 5" in text
        assert "! 3 of 5 outlets have one text, probably from one source" in text
        lanes = {
            name: line for line in text.split("\n") if (name := line[:18].strip()) and line[18:19] == " "
        }
        assert (
            "●" in lanes["Aurora"][:21] and lanes["Echo"].rstrip().endswith("●") and "○" in lanes["Dispatch"]
        )
        room = page._document.scrollable_content_region.width
        assert all(cell_len(line) <= room for line in text.split("\n"))
        assert cell_len(lanes["Echo"].rstrip()) > room * 0.9  # scaled to the width
        await d.resize(100, 44)
        assert cell_len(max(whole(page._document).split("\n"), key=cell_len)) <= 100
        await d.press("q")
        assert d.app.screen is d.main


async def test_headlines_differ_without_colour_at_80(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    session = make_session(tmp_path, harbour(tmp_path / "news"))
    async with desk(session, (80, 40)) as d:
        await d.press("j", "j", "D")
        assert isinstance(d.app.screen, TextPage)
        text = d.text
        assert "*Engineers inspect* harbour bridge *cables* after storm" in text
        assert "*Mayor promises* to *reopen*" in text
        assert re.search(r"^ +Harbour bridge closed after storm$", text, re.MULTILINE)
        await d.press("escape")


async def test_best_source_named_then_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make_session(tmp_path, harbour(tmp_path / "news"))
    async with desk(session) as d:
        opened: list[str] = []

        async def opens(addresses: list[str]) -> bool:
            opened.extend(addresses)
            return True

        monkeypatch.setattr(d.main.opening, "open_now", opens)
        await d.press("j", "j", "b")
        assert d.status.strip().startswith(
            "best source Dispatch (b or o opens it): quality 88, the highest of 5; link not"
        )
        assert opened == []
        await d.press("b")
        assert opened == [BASE + "dispatch"]
        await d.press("b", "o")
        assert opened == [BASE + "dispatch"] * 2
        await d.press("b", "k", "j", "o")  # another key between: o is for the row again
        assert opened == [BASE + "dispatch"] * 2 + [BASE + "bridge"]
        session.state.record_checks([LinkCheck(BASE + "dispatch", Outcome.WALLED, NOW)])
        await d.press("b")
        await d.press("k", "j", "b")
        assert "best source" in d.status


async def test_split_and_join_and_undo(tmp_path: Path) -> None:
    session = make_session(tmp_path, harbour(tmp_path / "news"))
    library = session.library

    def story(slug: str) -> set[str]:
        row = library.story(BASE + slug)
        assert row is not None
        return {key.removeprefix(BASE) for key in library.piece_keys(row.id)}

    async with desk(session) as d:
        await d.press("S", "j", "enter", "[", "[")  # the echo
        assert d.main.document.current_item
        await d.press("X")
        assert story("echo") == {"echo"} and len(story("bridge")) == 4
        assert d.main.list.count == 3
        await d.press("u")
        assert "echo" in story("bridge") and d.main.list.count == 2
        await d.press("h", "k", "+")
        assert "press + again" in d.status
        await d.press("j", "+")
        assert {"chess", "echo", "bridge"} <= story("chess") and d.main.list.count == 1
        await d.press("u")
        assert story("chess") == {"chess"} and d.main.list.count == 2
        await d.press("g", "g", "v", "G", "+")  # the other way: one selected, the key on another
        assert "chess" in story("bridge")
        library.rebuild()
        await d.press("R")
        assert "chess" in story("bridge")  # kept with the marks


async def test_a_changed_headline_shows_its_history(tmp_path: Path) -> None:
    folder = harbour(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        path = folder / "chess.md"
        for n, (old, new) in enumerate((("defends her title", "loses"), ("loses", "wins after all"))):
            path.write_text(path.read_text().replace(old, new))
            os.utime(path, (1_000 + n, 1_000 + n))
            await d.press("R")
        await d.press("g", "g", "enter")
        assert d.shown == "Chess champion wins after all"
        assert "headline changed twice" in d.article
        assert "── Headline changed twice" in d.article
        assert "Chess champion defends her title" in " ".join(d.article.split())


async def test_a_story_of_thousands_does_not_hold_up_the_keys(tmp_path: Path) -> None:
    folder = harbour(tmp_path / "news")
    many = [entry(f"m{n}", f"Lighthouse number {n} repaired at last", f"O{n % 90}", n) for n in range(1_000)]
    write(
        folder, "many", title="Lighthouse repaired at last", publishedDateTime=when(minutes=5), related=many
    )
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("enter")
        assert d.shown == "Lighthouse repaired at last"
        assert "more" in d.article and d.main.document.line_count < 1_500
        await d.press("T")
        assert "1,001 pieces" in d.text and isinstance(d.app.screen, TextPage)
        await d.press("q")
        await asyncio.sleep(0)
