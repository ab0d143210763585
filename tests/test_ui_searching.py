"""The query line, narrowing, saved searches, rules and mutes, on the real app."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from ui_tools import Desk, desk, make_session, small_folder, write

from reader.errors import SearchStopped
from reader.ingest import Ingest
from reader.store import tallying
from reader.store.rows import Place, PlaceKind
from reader.ui.places import Pane
from reader.ui.screens.main import MainScreen
from reader.ui.screens.prompt import Prompt
from reader.ui.screens.searches import SearchesScreen


def said(d: Desk) -> str:
    """What stands below the query line."""
    return d.main.searching.line._says_line.text


def offered(d: Desk) -> str:
    """What stands above it."""
    return d.main.searching.line._offers_line.text


def typed(d: Desk) -> str:
    return d.main.searching.line._input.value


async def ask(d: Desk, text: str) -> None:
    """Open the line and type *text* in place of what stands there."""
    await d.press("=", "home", "ctrl+k")
    await d.type(text)


def saved(d: Desk) -> list[tuple[str, int, int]]:
    """The saved searches among the topics: name, unread, total."""
    entries = [d.main.topics.entry(index) for index in range(d.main.topics.count)]
    rows = [e for e in entries if not isinstance(e, str) and e.place.kind is PlaceKind.SEARCH]
    return [(r.label, r.unread, r.total) for r in rows]


async def test_what_takes_long_to_count_is_told_as_far_as_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    counted = session.library.count

    def slowly(*args: Any, **how: Any) -> int:
        """Whoever has little time for all of it gives up, who has any waits until somebody has looked."""
        if how.get("at_most") and not how.get("among"):
            if not isinstance(getattr(how["stop"], "__self__", None), threading.Event):
                raise SearchStopped("the search was stopped")
            looked.wait(10)
        return counted(*args, **how)

    looked = threading.Event()
    monkeypatch.setattr(tallying, "_FIRST", 6)
    Ingest(session.library, session.state, session.sources).run()
    some, every = counted("quality>40", among=6), counted("quality>40")
    assert 1 < some < every
    async with desk(session) as d:
        monkeypatch.setattr(session.library, "count", slowly)
        await d.press("=")
        for letter in "quality>40":
            await d.tap(letter)
        await d.until(lambda: said(d).strip() == f"{some} articles or more …")
        looked.set()
        await d.until(lambda: said(d).strip() == f"{every} articles")


async def test_a_query_is_counted_as_it_is_typed_then_listed_and_left_again(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j", "j", "=")
        before = d.main.navigation.here()
        await d.type("topic:law quality>40")
        assert said(d).strip() == "2 articles"
        assert len(d.titles) == 12  # the list waits for Enter
        await d.press("enter")
        assert d.main.focused is None and d.pane is Pane.LIST
        assert d.stories == [4, 10]
        assert "= topic:law quality>40  newest" in d.line("list-head")
        await d.press("escape")
        assert d.main.navigation.here() == before


async def test_escape_leaves_the_query_line_with_nothing_changed(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j", "j", "j")
        before = d.main.navigation.here()
        await d.press("=")
        await d.type("amber")
        await d.press("escape")
        assert d.main.navigation.here() == before and d.main.focused is None
        assert not d.main.searching.line.is_open
        await d.press("j")
        assert d.story() == 4


async def test_what_is_not_understood_is_said_at_its_column_and_the_rest_runs(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("=")
        await d.type("topic:sea is:red")
        reason = said(d)
        assert reason.index("^") == len(" topic:sea is:")  # the input has one blank before it
        assert "is: knows no red; did you mean read?" in reason and "4 articles" in reason
        await d.press("enter")
        assert d.stories == [2, 5, 8, 11]
        assert "column 14: is: knows no red" in d.status


async def test_completion_of_fields_then_of_what_exists(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("=")
        await d.type("top")
        assert "topic:" in offered(d)
        await d.press("tab")
        assert typed(d) == "topic:"
        assert {"law", "sea", "space"} <= set(offered(d).split())
        await d.press("tab")
        first = typed(d)
        await d.press("tab")
        assert typed(d) != first and typed(d).startswith("topic:")
        await d.press("shift+tab")
        assert typed(d) == first
        await d.type(" outlet:be")
        await d.press("tab")
        assert typed(d) == f"{first} outlet:Beacon"
        await d.press("enter")
        assert d.stories


async def test_history_outlives_the_session(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    async with desk(make_session(tmp_path, folder)) as d:
        for text in ("amber", "topic:law", "amber"):
            await ask(d, text)
            await d.press("enter")
    async with desk(make_session(tmp_path, folder)) as d:
        await ask(d, "draft")
        await d.press("up")
        assert typed(d) == "amber"
        await d.press("up")
        assert typed(d) == "topic:law"
        await d.press("up")
        assert typed(d) == "topic:law"
        await d.press("down", "down")
        assert typed(d) == "draft"


async def test_ranking_gives_way_to_an_order_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    write(folder, "story-01", excerpt="beta", publishedDateTime="2024-03-01")
    write(folder, "story-02", title="Beta 02", publishedDateTime="2024-01-01")
    write(folder, "story-03", title="Other 03", publishedDateTime="2024-02-01")
    async with desk(make_session(tmp_path, folder)) as d:
        await d.press("=")
        await d.type("beta")
        await d.press("enter")
        assert d.stories == [2, 1] and "best" in d.line("list-head")
        await d.press("\\")
        assert d.stories == [1, 2] and "newest" in d.line("list-head")
        for _ in range(6):
            await d.press("\\")
        assert "best" in d.line("list-head") and d.stories == [2, 1]


async def test_narrowing_takes_beginnings_fields_and_outlets_and_lights_them_up(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("/")
        await d.type("amb topic:law")
        assert all(n % 4 == 0 and n % 3 == 1 for n in d.stories) and d.stories
        await d.press("escape")
        await d.press("/")
        await d.type("sto beac")
        assert d.stories == [1, 5, 9]
        lit: list[Segment] = [s for line in d.main.list.render_row(0, 80) for s in line]
        hit = d.main.list.style_of("hit")
        assert [s.text for s in lit if s.style == hit] == ["Story"]
        await d.press("escape")
        assert len(d.titles) == 12


async def test_letters_typed_quickly_end_in_the_last_of_them(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("/")
        for letter in "story 0":
            await d.tap(letter)
            d.main.navigation.narrow(d.main._input.value)
        await d.settle()
        assert d.stories == list(range(10))
        await d.press("=")
        assert d.main.searching.line.is_open is False  # the narrow line took the key as a letter
        await d.press("escape")


async def test_saved_renamed_moved_removed_and_undone(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        for query, name in (("topic:law", "Law"), ("topic:sea is:unread", "Sea")):
            await ask(d, query)
            await d.press("ctrl+s")
            await d.type(name)
            await d.press("enter")
        assert saved(d) == [("Law", 4, 4), ("Sea", 4, 4)]
        assert d.line("list-head").startswith("Sea")
        await d.press("r")
        assert saved(d) == [("Law", 4, 4), ("Sea", 3, 3)]
        await d.press("F", "J", "n")
        await d.type(" and order")
        await d.press("enter")
        await d.press("escape")
        assert isinstance(d.app.screen, MainScreen)
        assert [name for name, _, _ in saved(d)] == ["Sea", "Law and order"]
        await d.press("F", "d", "escape")
        assert [name for name, _, _ in saved(d)] == ["Law and order"]
        await d.press("u")
        assert [name for name, _, _ in saved(d)] == ["Sea", "Law and order"]
        await d.press("F", "down", "enter")
        assert d.main.navigation.listing.place == Place(PlaceKind.SEARCH, "topic:law")
        assert d.line("list-head").startswith("Law and order")


async def test_escape_in_a_prompt_over_the_searches_leaves_the_prompt_alone(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    session.state.add_search("Law", "topic:law")
    session.state.add_rule("Sea", "topic:sea", "star")
    async with desk(session) as d:
        for keys in (("n",), ("e",), ("j", "n"), ("e",), ("a",)):
            await d.press(*(("F",) if not isinstance(d.app.screen, SearchesScreen) else ()), *keys)
            assert isinstance(d.app.screen, Prompt)
            await d.type("other")
            await d.press("escape")
            assert isinstance(d.app.screen, SearchesScreen)
        await d.press("n", "escape", "escape")  # each closes one
        assert isinstance(d.app.screen, MainScreen)
        assert [(s.name, s.query) for s in session.state.searches()] == [("Law", "topic:law")]
        assert [(r.name, r.query, r.action) for r in session.state.rules()] == [("Sea", "topic:sea", "star")]


async def test_rules_alone_are_under_the_cursor(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    session.state.add_rule("Sea", "topic:sea", "star")
    async with desk(session) as d:
        await d.press("F", "x")
        assert not session.state.rules()[0].enabled
        await d.press("d")
        assert session.state.rules() == []
        await d.press("x", "u", "x")  # nothing to act on, then it is there again
        assert session.state.rules()[0].enabled


async def test_who_removes_searches_fast_removes_no_rule(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    for name in ("A", "B"):
        session.state.add_search(name, f"topic:{name}")
    session.state.add_rule("R", "topic:sea", "star")
    async with desk(session) as d:
        await d.press("F", "j", "d", "d")
        assert session.state.searches() == [] and [rule.name for rule in session.state.rules()] == ["R"]


async def test_a_mistake_in_a_query_is_said_wherever_it_comes_from(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    session.state.add_search("Bad", "quality>>5_foo")
    async with desk(session) as d:
        await d.press("F", "enter")
        assert "column " in d.status
        await d.press("escape", "/")
        await d.type("quality>abc")
        await d.press("enter")
        assert "column " in d.status and "whole number" in d.status
        await d.press("escape", "F", "e")
        await d.type(" is:red")
        await d.press("enter")
        assert "it is kept, but column" in d.text
        await d.press("escape")
        await ask(d, "heat>x")
        await d.press("ctrl+s")
        assert "column " in d.text  # before a name is given


async def test_a_name_with_characters_nobody_sees_is_shown_clean(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    session.state.add_search("L\u200ba\u00adw\U000e0041\ufeff", "topic:law")
    async with desk(session) as d:
        assert " Law " in d.text
        assert not set(d.text) & set("\u200b\u00ad\U000e0041\ufeff")


async def test_a_saved_search_is_where_the_next_session_begins(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        session.state.add_search("Law", "topic:law")
        d.main.placing.load()
        await d.settle()
        d.main.navigation.go_to(Place(PlaceKind.SEARCH, "topic:law"))
        await d.settle()
        d.main.navigation.save_place()
    async with desk(make_session(tmp_path, folder)) as d:
        assert d.stories == [1, 4, 7, 10]
        assert d.line("list-head").startswith("Law")


async def test_a_rule_made_in_the_query_line_is_tried_first_and_runs_on_what_comes(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    async with desk(make_session(tmp_path, folder)) as d:
        await d.press("=")
        await d.type("topic:law")
        await d.press("ctrl+r")
        assert "would have matched 4 of the last 12" in d.app.screen._hint  # type: ignore[attr-defined]
        await d.type("burn")
        await d.press("enter")
        assert "a rule can do one of" in d.status
        await d.press("=")
        await d.type("topic:law")
        await d.press("ctrl+r")
        await d.type("hide")
        await d.press("enter")
        write(folder, "story-12", topics=["law"])
        await d.press("R")
        assert len(d.titles) == 12
        await d.press("=")
        await d.type("is:hidden")
        await d.press("enter")
        assert d.stories == [12]


async def test_what_is_not_understood_makes_no_rule(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("=")
        await d.type("is:red")
        await d.press("ctrl+r")
        assert "cannot be a rule" in d.status
        assert session.state.rules() == []


async def test_an_outlet_is_muted_with_one_key_and_back_with_another(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("j", "M")
        assert "new articles of Beacon will be hidden" in d.status
        assert len(d.titles) == 12
        write(folder, "story-12", provider={"name": "Beacon"})
        await d.press("R")
        assert len(d.titles) == 12
        await d.press("M")
        assert "muted already" in d.status
        d.main.topics.active = True
        d.main.show_pane(Pane.TOPICS)
        await d.press("G", "M")
        assert len(session.state.rules()) == 2
        await d.press("u")
        assert [rule.query for rule in session.state.rules()] == ["outlet=Beacon"]


async def test_hostile_names_and_queries_stay_text(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    session.state.add_search("[red]\x1b[31m[@click=app.quit]x", "topic:law \x1b]0;t\x07")
    session.state.add_rule("[/]\x1b[2J", "a [b]", "hide")
    async with desk(session) as d:
        assert "[red]" in d.text
        await d.press("F")
        assert "[red]" in d.text and "[/]" in d.text
        await d.press("enter")
        assert "\x1b" not in d.text and "\x07" not in d.text
        await d.press("=")
        assert "\x1b" not in d.text
        await d.press("escape")


async def test_the_query_line_fits_any_width(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    for width in (60, 80, 200):
        async with desk(session, (width, 20)) as d:
            await d.press("=")
            await d.type("topic:law is:red and a long query that goes on and on beyond sixty columns")
            assert "knows no red" in d.text
            await d.press("home")
            assert "topic:law is:red" in d.text
            await d.press("escape")
        session = make_session(tmp_path, tmp_path / "news")


async def test_a_search_beside_a_live_screen_answers_and_disturbs_nothing(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    session.state.add_source(folder)  # as opening it on the command line does
    async with desk(session) as d:
        await d.press("j", "j", "s")
        before, drawn = d.main.navigation.here(), d.text
        assert before.cursor is not None
        starred = d.main.session.library.rows([before.cursor])[0].key
        # But for the last screen, which is kept once nothing is drawn for a second.
        index = sorted(p.name for p in session.library.path.parent.iterdir() if p.suffix != ".frame")
        places = session.locations
        flags = [
            *("--data-dir", str(places.data)),
            *("--config-dir", str(places.config)),
            *("--cache-dir", str(places.cache)),
            *("--state-dir", str(places.state)),
        ]
        command = [sys.executable, "-m", "reader", "search", *flags, "--ids", "is:starred"]

        def search() -> subprocess.CompletedProcess[str]:
            return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

        for _ in range(3):
            done = await asyncio.to_thread(search)
            assert (done.returncode, done.stdout.split()) == (0, [starred])
            await d.settle()
            assert (d.main.navigation.here(), d.text) == (before, drawn)
        assert sorted(p.name for p in session.library.path.parent.iterdir() if p.suffix != ".frame") == index
        await d.press("s")  # it is still ours to mark, and the next search sees that
        assert (await asyncio.to_thread(search)).stdout == ""
