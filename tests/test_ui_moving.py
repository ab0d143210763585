"""Layouts, moves, drilling in and the way back, on the real app."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ui_tools import desk, make_session, related, shows, small_folder, when, write

from reader.store.rows import PlaceKind
from reader.ui.places import Pane


async def test_three_layouts_by_width_and_resizing_between(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, (120, 30)) as d:
        assert d.visible == {"topics", "list", "article"}
        assert "Contents" in d.text and "On amber, part 0." in d.text
        await d.press("j", "j")
        await d.resize(80)
        assert d.visible == {"list", "article"}
        await d.press("h")  # the drawer
        assert d.visible == {"topics", "list"} and d.pane is Pane.TOPICS
        await d.press("escape")
        assert d.visible == {"list", "article"} and d.pane is Pane.LIST
        await d.resize(60)
        assert d.visible == {"list"}
        assert d.story() == 2
        await d.press("enter")
        assert d.visible == {"article"} and d.shown == "Story 02"
        await d.resize(120)
        assert d.visible == {"topics", "list", "article"} and d.pane is Pane.ARTICLE
        await d.resize(79)
        assert d.visible == {"article"}
        await d.press("h", "h")
        assert d.visible == {"topics"}
        await d.resize(100)
        assert d.visible == {"topics", "list"}


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (2, 40), (200, 2)])
async def test_tiny_terminals_do_not_crash(tmp_path: Path, size: tuple[int, int]) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, size) as d:
        await d.rush("j", "enter", "]", "G", "g", "g", "escape", "h", "j", "enter", "z", "z", "V", "/", "a")
        await d.press("escape", "escape", "?")
        await d.press("q", "E")
        await d.press("q", "t")
        await d.press("escape")
        await d.resize(120)
        await d.resize(*size)
        assert d.main.list.count


@shows("down", "up", "top", "bottom", "half_down", "half_up", "page_down", "page_up", "left", "right")
async def test_moves_in_the_list(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    for n in range(100):
        write(folder, f"piece-{n:02}", publishedDateTime=when(hours=n + 1))
    session = make_session(tmp_path, folder)
    async with desk(session, (120, 24)) as d:
        view = d.main.list
        page = view.size.height // view.row_height
        assert page == 10
        seen = []
        for key in ("j", "down", "k", "up", "ctrl+d", "ctrl+u", "ctrl+f", "pagedown", "ctrl+b", "pageup"):
            await d.press(key)
            seen.append(view.cursor)
        assert seen == [1, 2, 1, 0, 5, 0, 9, 18, 9, 0]
        await d.press("G")
        assert view.cursor == 99
        assert "Piece 99" in d.text  # its page was fetched and scrolled to
        await d.press("j")
        assert view.cursor == 99
        await d.press("g", "g")
        assert view.cursor == 0 and view.top == 0
        await d.press("end")
        assert view.cursor == 99
        await d.press("home", "k")
        assert view.cursor == 0
        await d.press("g", "j")  # not gg: j does what it always does
        assert view.cursor == 1
        await d.press("tab")
        assert d.pane is Pane.ARTICLE
        await d.press("shift+tab", "shift+tab")
        assert d.pane is Pane.TOPICS


async def test_moves_in_the_topics_pass_over_headings(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("h")
        topics = d.main.topics
        assert topics.place is not None and topics.place.kind is PlaceKind.ALL
        names = []
        for _ in range(6):
            await d.press("j")
            assert topics.place is not None
            names.append(topics.place.name or topics.place.kind.value)
        assert names == ["unread", "starred", "today", "unpublished", "broken", "law"]
        await d.press("k")
        assert topics.place is not None and topics.place.kind is PlaceKind.BROKEN
        await d.press("G")
        assert topics.place is not None and topics.place.name == "Dispatch"
        await d.press("g", "g", "k")
        assert topics.place is not None and topics.place.kind is PlaceKind.ALL
        for key in ("ctrl+d", "ctrl+u", "ctrl+f", "ctrl+b", "end", "home", "down", "up"):
            await d.press(key)
            assert topics.place is not None
        await d.press("right")
        assert d.pane is Pane.LIST
        await d.press("left")
        assert d.pane is Pane.TOPICS


async def test_moves_in_the_article(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, (100, 30)) as d:
        await d.press("j", "j", "j", "j", "j", "l")
        assert d.shown == "Story 05"
        document = d.main.document
        height = document.size.height

        def at() -> int:
            return int(document.scroll_offset.y)

        await d.press("j", "down")
        assert at() == 2
        await d.press("k", "up", "up")
        assert at() == 0
        await d.press("ctrl+d")
        assert at() == height // 2
        await d.press("ctrl+u", "ctrl+f")
        assert at() == height - 2
        await d.press("ctrl+b", "pagedown", "pageup")
        assert at() == 0
        await d.press("G")
        assert document.at_end and "100%" in d.line("article-head")
        await d.press("g", "g")
        assert at() == 0
        await d.press("end")
        assert document.at_end
        await d.press("home")
        assert at() == 0


@shows("enter", "back")
async def test_drilling_in_and_all_the_way_back(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    write(
        folder,
        "story-04",
        "\n\n".join(f"Line {n}" for n in range(60)),
        publishedDateTime=when(hours=21),
        topics=["law"],
        related=[related("story-03", "Dispatch")],
        provider={"name": "Aurora"},
    )
    session = make_session(tmp_path, folder)
    async with desk(session, (120, 20)) as d:
        nav, document = d.main.navigation, d.main.document
        await d.press("j", "j", "j", "h", *"jjjjjj")
        assert d.main.topics.place is not None and d.main.topics.place.name == "law"
        first = nav.here()
        await d.press("enter")
        assert d.pane is Pane.LIST and d.stories == [1, 4, 7, 10]
        second = nav.here()
        await d.press("enter")  # story 01
        assert d.pane is Pane.ARTICLE and d.shown == "Story 01"
        await d.press("]", "]", "]")
        pieces = [p.title for p in d.main.reading.loaded.coverage]  # type: ignore[union-attr]
        index = pieces.index("Story 04")
        while document.current_item != f"piece:{index}":
            await d.press("]" if int(document.current_item[6:]) < index else "[")
        third = nav.here()
        await d.press("enter")  # coverage that is in the library
        assert d.shown == "Story 04" and d.pane is Pane.ARTICLE
        await d.press("ctrl+f", "j", "]", "k", "k")  # an item chosen, and scrolled away from it
        fourth = nav.here()
        assert fourth.item and fourth.scroll
        await d.press("enter")
        assert d.shown in ("Story 01", "Story 03")
        fifth = d.shown
        await d.press("escape")
        assert nav.here() == fourth and d.shown == "Story 04"
        await d.press("enter")
        assert d.shown == fifth
        await d.press("escape", "escape")
        assert nav.here() == third and d.shown == "Story 01"
        await d.press("escape")
        assert nav.here() == replace(second, shown=third.shown, item=third.item, scroll=third.scroll)
        await d.press("escape")
        assert nav.here() == first and d.story() == 3 and d.shown == "Story 03"
        await d.press("escape")
        assert d.pane is Pane.TOPICS  # nowhere left to go


async def test_list_scroll_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    for n in range(60):
        write(folder, f"piece-{n:02}", publishedDateTime=when(hours=n + 1), topics=["odd"] if n % 2 else [])
    session = make_session(tmp_path, folder)
    async with desk(session, (120, 24)) as d:
        view = d.main.list
        await d.press("G", *"kkkk")
        await d.press("h")
        before = d.main.navigation.here()
        assert before.top > 0 and view.cursor > before.top
        await d.press(*"jjjjjj", "enter")
        assert view.count == 30 and view.top == 0
        await d.press("escape")
        assert d.main.navigation.here() == before


async def test_left_of_coverage_ends_that_reading(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, (60, 24)) as d:
        await d.press("j", "enter", "]", "enter")
        assert d.pane is Pane.ARTICLE and d.shown != "Story 01"
        await d.press("h")
        assert d.pane is Pane.LIST
        await d.press("escape")
        assert d.pane is Pane.TOPICS  # and not back into the article


async def test_a_piece_that_is_not_in_the_library_shows_what_is_known(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j", "l")
        pieces = d.main.reading.loaded.coverage  # type: ignore[union-attr]
        index = next(i for i, p in enumerate(pieces) if p.title == "Elsewhere one")
        assert pieces[index].article is None
        for _ in range(index + 1):
            await d.press("]")
        await d.press("enter")
        assert d.shown == "Elsewhere one"
        for words in ("Echo", "Known by hearsay.", "quality 41", "Story 01", "news.test/elsewhere-one"):
            assert words in d.article
        assert "Mentioned" in d.line("article-head")
        await d.press("]")
        assert "no coverage" in d.status
        await d.press("r")  # nothing to mark: it is nobody's article
        assert "Story 01" in d.article
        await d.press("escape")
        assert d.shown == "Story 01" and d.main.document.current_item == f"piece:{index}"


@shows("next_piece", "prev_piece")
async def test_coverage_is_walked_with_brackets(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j")
        document = d.main.document
        assert d.main.list.current is not None and d.main.list.current.coverage == 5
        await d.press("]")  # from the list too
        assert d.pane is Pane.ARTICLE and document.current_item == "piece:0"
        for n in (1, 2, 3, 4, 4):
            await d.press("]")
            assert document.current_item == f"piece:{n}"
        for n in (3, 2, 1, 0, 0):
            await d.press("[")
            assert document.current_item == f"piece:{n}"
        await d.press("escape", "j", "j", "j", "[")  # story 04: listed by 01
        assert document.current_item.startswith("piece:")


async def test_enter_in_an_article_goes_to_its_coverage_first(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j", "l", "enter")
        assert d.main.document.current_item == "piece:0" and d.shown == "Story 01"
        await d.press("enter")
        assert d.shown != "Story 01"
        await d.press("escape", "escape", "j", "j", "j", "j", "j", "j", "j", "enter", "enter")
        assert "no coverage" in d.status


@shows("narrow")
async def test_narrowing_live_and_back_exactly(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    for n in range(60):
        word = "comet" if n % 7 == 0 else "tide"
        write(folder, f"piece-{n:02}", title=f"The {word} of day {n}", publishedDateTime=when(hours=n + 1))
    session = make_session(tmp_path, folder)
    async with desk(session, (120, 24)) as d:
        view, nav = d.main.list, d.main.navigation
        await d.press("ctrl+f", "ctrl+f", "k")
        before = nav.here()
        assert before.top
        await d.press("/")
        assert d.main.focused is not None
        await d.type("CoMeT")
        assert view.count == 9 and all("comet" in t for t in d.titles)
        assert "/CoMeT" in d.line("list-head")
        await d.press("down", "down")
        assert view.cursor == 2
        await d.press("pagedown", "pageup", "up")
        await d.press("escape")
        assert nav.here() == before and view.count == 60 and d.main.focused is None

        await d.press("/")
        await d.type("comet")
        await d.press("enter")
        assert view.count == 9 and d.pane is Pane.LIST and d.main.focused is None
        await d.press("j", "j", "enter", "escape")
        assert view.count == 9 and view.cursor == 2  # still kept
        await d.press("/")  # once more, over the first
        await d.type(" day 7")
        assert view.count == 1
        await d.press("escape")
        assert nav.here() == before

        await d.press("/")
        await d.rush(*"tide", "enter")  # faster than the list follows
        assert view.count == 51 and nav.listing.narrow == "tide"
        await d.press("escape")
        assert nav.here() == before

        await d.press("/")
        await d.type("no such words")
        assert view.count == 0 and "nothing here has these words" in d.text
        await d.press("enter", "j", "enter", "space", "n", "p", "J", "r", "s", "A", "V", "v", "o", "y")
        await d.press("escape")
        assert nav.here() == before
        await d.press("/", "enter")  # nothing typed
        assert nav.here() == before


async def test_a_kept_narrow_list_is_left_by_choosing_a_place_and_comes_back(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        nav = d.main.navigation
        await d.press("j", "j")
        before = nav.here()
        await d.press("/")
        await d.type("birch")
        await d.press("enter")
        assert d.stories == [1, 5, 9]
        await d.press("h", *"jjjjjj", "enter")
        assert d.stories == [1, 4, 7, 10] and nav.listing.narrow == ""
        await d.press("/")
        await d.type("10")
        await d.press("escape")
        assert d.stories == [1, 4, 7, 10]
        await d.press("escape")
        assert d.stories == [1, 5, 9]
        await d.press("escape")  # the topics pane it was chosen in; now the list again, all of it
        await d.press("escape")
        assert nav.listing == before.listing and len(d.stories) == 12


async def test_narrowing_while_the_library_changes_underneath(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("/")
        for letter in "birc":
            await d.tap(letter)
            d.main.navigation.reload()
        await d.tap("h")
        d.main.navigation.reload()
        await d.settle()
        assert d.stories == [1, 5, 9]
        await d.tap("escape")
        d.main.navigation.reload()
        await d.settle()
        assert len(d.stories) == 12 and d.main.focused is None


async def test_quick_keys_show_the_article_under_the_cursor(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.rush("j", "k", "j", "k")
        assert d.shown == "Story 00"
        await d.rush("j", "k", "l")
        assert d.shown == "Story 00"
        await d.rush("h", "r")  # the mark comes while the next article does
        assert d.story() == 1 and d.shown == "Story 01"
        await d.rush("h", "j", "j", "enter", "escape", "escape")
        assert d.story() == 1 and d.main.navigation.listing.place.kind is PlaceKind.ALL


async def test_mouse(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.click(d.main.list, 5, 2 * 2)
        assert d.story() == 2 and d.pane is Pane.LIST and d.shown == "Story 02"
        await d.click(d.main.list, 5, 2 * 2)
        assert d.pane is Pane.ARTICLE
        await d.click(d.main.topics, 5, 8)
        assert d.pane is Pane.LIST and d.stories == [1, 4, 7, 10]
        await d.click(d.main.topics, 5, 7)  # a heading
        assert d.stories == [1, 4, 7, 10]
        line = d.main.document.line_of("piece:1")
        assert line is not None
        title = d.main.reading.loaded.coverage[1].title  # type: ignore[union-attr]
        await d.click(d.main.document, 5, line)
        assert d.shown == title and d.pane is Pane.ARTICLE
        await d.press("escape")
        assert d.shown == "Story 01"
        await d.press("/")
        await d.type("story")
        await d.click(d.main.list, 5, 2)  # chosen while narrowing: what was typed stays, keys move again
        assert d.main.focused is None and d.main.navigation.listing.narrow == "story"
        await d.press("j")
        assert d.main.list.cursor == 2


@shows("zen")
async def test_zen(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j", "z")
        assert d.visible == {"article"} and d.shown == "Story 01" and d.pane is Pane.ARTICLE
        await d.press("z")
        assert d.visible == {"topics", "list", "article"}
        await d.press("z", "escape")
        assert d.visible == {"topics", "list", "article"}
        await d.press("z", "h")
        assert d.visible == {"topics", "list", "article"} and d.pane is Pane.LIST
        await d.press("z", "/")
        assert "list" in d.visible
        await d.press("escape")
        assert d.main.focused is None


@shows("next_unread", "prev_unread", "next", "prev")
async def test_unread_steps_wrap_round(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    keys = [r.key for r in []]
    async with desk(session) as d:
        keys = [r.key for r in session.library.rows(list(d.main.list.ids))]
        session.state.set_read([k for i, k in enumerate(keys) if i not in (2, 6, 9)], True)
        await d.press("R")
        seen = []
        for key in ("n", "n", "n", "n", "p", "p", "p"):
            await d.press(key)
            seen.append(d.story())
        assert seen == [2, 6, 9, 2, 9, 6, 2]
        await d.press("l", "n")
        assert d.story() == 6 and d.pane is Pane.ARTICLE and d.shown == "Story 06"
        await d.press("J")
        assert d.shown == "Story 07" and d.pane is Pane.ARTICLE
        await d.press("K", "K")
        assert d.shown == "Story 05"
        await d.press("h", "J")
        assert d.pane is Pane.LIST and d.story() == 6
        await d.press("A", "n")
        assert "nothing unread" in d.status


@shows("space")
async def test_space_scrolls_then_goes_on_to_the_end(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, (100, 24)) as d:
        await d.press(*"jjjj", "space")
        assert d.pane is Pane.ARTICLE and d.shown == "Story 04"
        while d.shown == "Story 04":  # its story is longer than a page
            await d.press("space")
        assert d.shown == "Story 05" and d.main.document.scroll_offset.y == 0
        pages = 0
        while not d.main.document.at_end:
            await d.press("space")
            pages += 1
            assert d.shown == "Story 05" and not session.state.mark("https://news.test/story-05").read
        assert pages > 3
        await d.press("space")
        assert d.shown == "Story 06" and session.state.mark("https://news.test/story-05").read
        for n in (7, 8, 9, 10, 11, 0, 1):  # round the end, as n does
            await d.press("space")
            while d.shown != f"Story {n:02}":
                await d.press("space")
        while d.shown != "Story 03":
            await d.press("space")
        await d.press("space")
        assert "nothing unread" in d.status and d.shown == "Story 03"
        assert not session.library.unread(list(d.main.list.ids))


async def test_a_move_while_the_list_is_fetched_anew_is_not_taken_back(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        go_on, fetch = threading.Event(), d.main.navigation._fetch_list

        def slowly(*given: Any) -> Any:
            assert go_on.wait(20)
            return fetch(*given)

        d.main.navigation._fetch_list = slowly  # type: ignore[method-assign]
        before = d.main.list.ids
        d.main.navigation.reload()
        for _ in range(3):
            await d.tap("j")
        await d.until(lambda: d.main.list.cursor == 3)
        go_on.set()
        await d.until(lambda: d.main.list.ids is not before)
        await d.settle()
        assert d.story() == 3 and d.shown == "Story 03"
