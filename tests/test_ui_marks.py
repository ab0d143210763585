"""Marks from the screen: kept first, shown after; lists of the unread; others' marks; the last place."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input
from ui_tools import (
    Desk,
    desk,
    locations,
    make_session,
    marks,
    of_yesterday,
    shows,
    small_folder,
    url,
    when,
    write,
    write_many,
)

from reader.ingest import sync
from reader.session import open_session
from reader.store.rows import PlaceKind, Sort
from reader.store.state import State
from reader.ui.places import Pane
from reader.ui.screens.prompt import Prompt


@shows("read")
async def test_read_by_key_toggles_and_goes_on(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        assert d.drawn_row(0).startswith("●")
        await d.press("r")
        assert (
            d.story() == 1
            and d.drawn_row(0).startswith(" ")
            and "12 articles, 11 unread" in d.line("masthead")
        )
        assert marks(tmp_path, url(0))[0].read
        await d.press("k", "r")
        assert d.drawn_row(0).startswith("●") and not marks(tmp_path, url(0))[0].read
        await d.press("l")
        assert "● unread" in d.article
        await d.press("r")
        assert d.shown == "Story 01" and d.pane is Pane.ARTICLE and "● unread" not in d.article
        await d.press("u", "u", "u")
        assert "● unread" in d.article and not any(m.read for m in marks(tmp_path, url(0), url(1)))
        await d.press("u")
        assert "nothing to take back" in d.status


async def test_read_by_dwelling_and_not_before(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"), dwell=3_600.0)
    async with desk(session) as d:
        await d.press("j", "j")
        # Looked at beside the list: not opened.
        assert d.shown == "Story 02" and d.main.reading._dwell is None
        await d.press("l")
        assert d.main.reading._dwell is not None
        await d.press("h")  # left again before it was over
        assert d.main.reading._dwell is None
        assert len(session.library.unread(list(d.main.list.ids))) == 12
        session.settings = replace(session.settings, dwell=0.3)
        await d.tap("l")
        await d.until(lambda: session.state.mark(url(2)).read)
        await d.settle()
        assert "● unread" not in d.article and d.drawn_row(2).startswith(" ")
        await d.press("]", "enter")  # a piece that is in the library counts just so
        key = d.main.reading.shown.key  # type: ignore[union-attr]
        await d.until(lambda: session.state.mark(key).read)
        await d.settle()
        read = {i for i, m in enumerate(session.state.marks([url(n) for n in range(12)]).values()) if m.read}
        assert len(read) == 2


async def test_a_mark_made_by_hand_while_reading_stays(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"), dwell=0.1)
    async with desk(session) as d:
        await d.press("s", "l")
        await d.until(lambda: session.state.mark(url(0)).read)
        await d.press("r")  # unread again, and drawn again with that
        await asyncio.sleep(0.4)  # longer than the dwell
        await d.settle()
        assert not session.state.mark(url(0)).read and "● unread" in d.article
        await d.press("u", "u")  # read again, then not: what had been before
        await asyncio.sleep(0.4)
        await d.press("u")
        assert "undid: starred" in d.status and not session.state.mark(url(0)).read
        await d.press("z", "z")  # is no other look at it
        await asyncio.sleep(0.4)
        assert not session.state.mark(url(0)).read
        await d.press("h", "l")  # opened anew it counts anew
        await d.until(lambda: session.state.mark(url(0)).read)
        session.settings = replace(session.settings, dwell=0.4)
        await d.press("J", "r", "r")  # before it counted as read: by hand, and back by hand
        await asyncio.sleep(0.6)
        await d.settle()
        assert not session.state.mark(url(1)).read
        await d.press("J", "s", "u")  # what has nothing to do with it keeps nothing from being read
        await d.until(lambda: session.state.mark(url(2)).read)


async def test_dwell_of_nothing_reads_at_once(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"), dwell=0.0)
    async with desk(session) as d:
        await d.press("l")
        await d.until(lambda: session.state.mark(url(0)).read)


@shows("unread_only")
async def test_a_list_of_the_unread_keeps_the_row_just_read(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("U", "j", "j", "l", "r")
        assert d.story() == 2 and len(d.stories) == 12 and not marks(tmp_path, url(3))[0].read
        write(folder, "story-12", title="Story 12", publishedDateTime=when(minutes=5))
        await d.press("R")  # reloaded in the background
        assert d.stories == [12, *range(12)] and d.story() == 2
        await d.press("h", "j")
        assert d.story() == 3 and d.stories == [12, 0, 1, *range(3, 12)]
        assert d.main.list.cursor == 3
        await d.press("r")  # by key the cursor goes on itself
        assert d.story() == 4 and 3 not in d.stories
        await d.press("u")
        assert d.stories == [12, 0, 1, *range(3, 12)] and d.story() == 4
        await d.press("G", "r")  # the last row: nowhere to go on to
        assert d.story() == 11
        await d.press("k")
        assert d.stories == [12, 0, 1, *range(3, 11)]
        await d.press("U")
        assert len(d.stories) == 13 and d.story() == 10


async def test_the_unread_view_and_space_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    for n in range(4):
        write(folder, f"story-{n:02}", publishedDateTime=when(hours=n + 1))
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("h", "j", "enter")
        assert d.main.navigation.listing.place.kind is PlaceKind.UNREAD
        await d.press("space", "space", "space", "space")
        assert d.shown == "Story 03" and d.stories == [3]
        await d.press("space")
        assert d.stories == [3] and "nothing unread" in d.status
        await d.press("u", "u")
        assert d.stories == [2, 3] and d.story() == 3


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST, Sort.HEAT])
async def test_all_read_and_undone_in_a_list_of_the_unread_is_the_place_it_was(
    tmp_path: Path, sort: Sort
) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"), sort=sort.value)
    async with desk(session) as d:
        await d.press("U", "j", "j", "l", "r", "h")
        before, here = d.stories, d.story()
        assert len(before) == 12
        await d.press("A")
        assert d.stories == [here]
        await d.press("u")
        assert d.story() == here and len(d.stories) == 12
        if sort is Sort.NEWEST:
            assert d.stories == before


async def test_starred_view_lets_go_when_left(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("s", "j", "s", "j", "s", "h", "j", "j", "enter")
        assert d.stories == [0, 1, 2]
        await d.press("s")
        assert d.stories == [0, 1, 2] and d.story() == 0
        await d.press("j")
        assert d.stories == [1, 2] and d.story() == 1


@shows("all_read", "undo")
async def test_all_read_and_undo_of_two_thousand(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    write_many(folder, 2000)
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        view = d.main.list
        assert view.count == 2000
        await d.press("r", "A")
        assert "read 1,999 articles" in d.status and "2,000 articles, 0 unread" in d.line("masthead")
        assert not session.library.unread(list(view.ids))
        await d.press("u")
        assert "2,000 articles, 1,999 unread" in d.line("masthead") and view.count == 2000
        assert len(session.library.unread(list(view.ids))) == 1999
        await d.press("U", "A")
        assert view.count == 1  # the row one stands on stays till it is left
        await d.press("u")
        assert view.count == 1999
        with contextlib.closing(State.open(locations(tmp_path).state_db)) as other:
            assert sum(m.read for m in other.changed_since(0)) == 1


@shows("select", "select_all")
async def test_selection(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("v", "j", "v", "v")
        assert d.drawn_row(0).startswith("◆") and d.story() == 4 and "3 selected" in d.line("list-head")
        await d.press("k", "v")  # no longer
        assert "2 selected" in d.line("list-head")
        await d.press("r")
        assert [m.read for m in marks(tmp_path, *map(url, range(5)))] == [True, False, True, False, False]
        assert not d.main.list.selected and d.story() == 4
        await d.press("V", "s")
        assert all(m.starred for m in marks(tmp_path, *map(url, range(12))))
        await d.press("V", "s")
        assert not any(m.starred for m in marks(tmp_path, *map(url, range(12))))
        await d.press("V")
        assert "12 selected" in d.line("list-head")
        await d.press("V")
        assert not d.main.list.selected
        await d.press("v", "escape")
        assert not d.main.list.selected and d.pane is Pane.LIST


@shows("star", "tags", "note")
async def test_star_tags_and_note(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("s")
        assert "★" in d.drawn_row(0) and "★ starred" in d.article
        await d.press("t")
        assert isinstance(d.app.screen, Prompt)
        await d.type("later, Büro ,later")
        await d.press("enter")
        assert marks(tmp_path, url(0))[0].tags == ("later", "Büro")
        assert "tags later, Büro" in d.article
        await d.press("t")
        await d.type("x")
        await d.press("escape")
        assert marks(tmp_path, url(0))[0].tags == ("later", "Büro")
        await d.press("e")
        await d.type("see q, j")
        await d.press("enter")
        assert marks(tmp_path, url(0))[0].note == "see q, j" and "Your note" in d.article
        await d.press("e")
        await d.type("more")
        await d.press("escape")
        assert marks(tmp_path, url(0))[0].note == "see q, j"
        await d.press("e")
        d.app.screen.query_one(Input).value = ""
        await d.press("enter")
        assert marks(tmp_path, url(0))[0].note == "" and "Your note" not in d.article
        await d.press("u")
        assert marks(tmp_path, url(0))[0].note == "see q, j"


async def test_what_is_for_one_article_is_for_the_one_under_the_cursor(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("v", "j", "j", "e")
        assert "Note: Story 03" in d.text  # the cursor went on when the first was selected
        await d.type("mine")
        await d.press("enter")
        assert [m.note for m in marks(tmp_path, *map(url, range(4)))] == ["", "", "", "mine"]
        await d.press("M")
        assert f"new articles of {d.row.outlet} will be hidden" in d.status
        await d.press("escape", "g", "g", "v", "v", "t")  # tags are for all that is selected
        assert "Tags for 2 articles" in d.text
        await d.type("later, soon")
        await d.press("enter")
        assert [m.tags for m in marks(tmp_path, *map(url, range(3)))] == [("later", "soon")] * 2 + [()]
        await d.press("u")
        assert not any(m.tags for m in marks(tmp_path, *map(url, range(3))))


async def test_a_note_that_a_line_cannot_hold_survives_being_looked_at(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    note = "first line\nsecond  line \x1b]0;x\x07" + "long " * 2000
    session.state.set_note(url(0), note)
    async with desk(session) as d:
        await d.press("e", "enter")
        assert marks(tmp_path, url(0))[0].note == note
        await d.press("e")
        assert d.app.screen.query_one(Input).value.endswith("long")
        await d.press("escape")
        assert marks(tmp_path, url(0))[0].note == note


async def test_a_star_that_followed_its_article_is_taken_back(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("s")
        file, new = folder / "story-00.md", url(0).replace("https:", "http:")
        file.write_text(file.read_text().replace(f'"{url(0)}"', f'"{new}"'))
        of_yesterday(file)
        await d.press("R")
        assert d.row.key == new and "★" in d.drawn_row(0)
        await d.press("u")
        assert "undid: starred" in d.status and "★" not in d.drawn_row(0)
        assert not any(m.starred for m in marks(tmp_path, url(0), new))


async def test_the_lines_of_a_note_stay_when_it_is_edited(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    session.state.set_note(url(0), "first\n\nsecond")
    async with desk(session) as d:
        await d.press("e")
        assert d.app.screen.query_one(Input).value == "first\u23ce\u23cesecond"
        await d.type("!")
        await d.press("enter")
        assert marks(tmp_path, url(0))[0].note == "first\n\nsecond!"


async def test_marks_are_on_the_disk_before_they_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the screen draws as read, another process finds read in the file."""
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        path = locations(tmp_path).state_db
        seen: list[tuple[str, bool]] = []
        put = d.main.list._put

        def watched(page: int, found: object) -> None:
            rows = list(found)  # type: ignore[call-overload]
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                stored = dict(db.execute("SELECT key, flags FROM marks").fetchall())
            for row in rows:
                if row.read or row.starred:
                    flags = stored.get(row.key, 0)
                    seen.append((row.key, bool(flags & 1) >= row.read and bool(flags & 2) >= row.starred))
            put(page, rows)

        monkeypatch.setattr(d.main.list, "_put", watched)
        await d.rush("r", "s", "r", "j", "s", "v", "v", "r", "A", "j", "s")
        assert len(seen) > 5 and all(kept for _, kept in seen)


async def test_marks_written_elsewhere_are_seen(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        with contextlib.closing(State.open(locations(tmp_path).state_db)) as other:
            other.set_read([url(0), url(3)], True)
            other.set_starred([url(1)], True)
            await d.until(lambda: "10 unread" in d.line("masthead"))  # the screen looks every 1.5 s
            await d.settle()
            assert d.drawn_row(0).startswith(" ") and "★" in d.drawn_row(1) and "● unread" not in d.article
            other.set_read([url(0)], False)
            d.main.refreshing.poll()
            await d.settle()
            assert d.drawn_row(0).startswith("●") and "● unread" in d.article


async def test_another_session_that_copied_the_marks_already(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        with open_session(locations(tmp_path), [folder]) as other:
            other.state.set_read([url(0)], True)
            sync(other.library, other.state)
        d.main.refreshing.poll()
        await d.settle()
        assert d.drawn_row(0).startswith(" ") and "11 unread" in d.line("masthead")


@shows("sort")
async def test_sorts_keep_the_article(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j", "j", "j", "j")
        rows = session.library.rows(list(d.main.list.ids))
        newest = list(range(12))
        expected = {
            Sort.OLDEST: newest[::-1],
            Sort.HEAT: sorted(newest, key=lambda n: -(rows[n].heat or 0)),
            Sort.QUALITY: sorted(newest, key=lambda n: (rows[n].quality is None, -(rows[n].quality or 0))),
            Sort.COVERAGE: sorted(newest, key=lambda n: -rows[n].coverage),
            Sort.OUTLET: sorted(newest, key=lambda n: (rows[n].outlet, n)),
            Sort.NEWEST: newest,
        }
        for sort, order in expected.items():
            await d.press("\\")
            assert d.main.navigation.listing.sort is sort and sort.value in d.line("list-head")
            assert d.stories == order and d.story() == 4 and d.shown == "Story 04"


async def place_of(d: Desk) -> tuple[object, ...]:
    here = d.main.navigation.here()
    listing = here.listing
    list_ = listing.place, listing.sort, listing.unread_only
    return list_, here.pane, d.story(), d.shown, here.scroll, here.top


async def test_the_place_is_there_at_the_next_start(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    async with desk(make_session(tmp_path, folder), (100, 12)) as d:
        await d.press("\\", "U", "G", "k", "k", "k")
        where = await place_of(d)
        assert where[5]
    async with desk(make_session(tmp_path, folder), (100, 12)) as d:
        assert await place_of(d) == where
        await d.press("h", *"jjjjjj", "enter", "G", "k", "k", "l", "]", "enter")
        assert d.pane is Pane.ARTICLE
        where = await place_of(d)
    async with desk(make_session(tmp_path, folder), (100, 12)) as d:
        assert await place_of(d) == where
        await d.press("h", "h", "g", "g", "enter", "U", "\\", "\\", "\\", "\\", "\\")
        while d.story() != 5:
            await d.press("j")
        await d.press("l", "ctrl+f", "ctrl+f", "j")
        where = await place_of(d)
        assert where[4]
    async with desk(make_session(tmp_path, folder), (100, 12)) as d:
        assert await place_of(d) == where
        await d.press("h", "h")
    async with desk(make_session(tmp_path, folder), (100, 12)) as d:
        assert d.pane is Pane.TOPICS


async def test_a_place_that_is_no_more(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    async with desk(make_session(tmp_path, folder)) as d:
        await d.press("h", "G", "enter", "j", "l")
        assert d.main.navigation.listing.place.name == "Dispatch"
    for n in (3, 7, 11):
        (folder / f"story-{n:02}.md").unlink()
    with make_session(tmp_path, folder) as session:
        from reader.ingest import Ingest

        Ingest(session.library, session.state, session.sources).run()
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        assert d.main.navigation.listing.place.kind is PlaceKind.ALL and len(d.stories) == 9
        assert d.pane is Pane.LIST
    for value in (
        "nonsense",
        {"kind": "no"},
        {"kind": "topic", "scroll": "x"},
        {"pane": 3},
        {"kind": "topic", "name": 5},
    ):
        session = make_session(tmp_path, folder)
        session.state.put("place:" + session.library.path.stem, value)
        async with desk(session) as d:
            assert len(d.stories) == 9


async def test_leaving_before_the_place_was_found_again_keeps_it(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    async with desk(make_session(tmp_path, folder)) as d:
        await d.press("\\", "j", "j")
        story = d.story()
    async with desk(make_session(tmp_path, folder), settled=False) as d:
        await d.tap("q")
    async with desk(make_session(tmp_path, folder)) as d:
        assert d.story() == story and d.main.navigation.listing.sort is Sort.OLDEST


async def test_why_marks_are_refused_stands_before_a_long_path(tmp_path: Path) -> None:
    root = tmp_path / ("a long name of a folder " * 5)
    session = make_session(root, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.resize(60)
        for end in ("state.db", "state.db.safety/changes-0000000001.log"):
            path = session.state.path.parent / end
            session.state.read_only = f"{path} cannot be written: No space left on device."
            d.main.say("")
            line = next(line for line in d.text.splitlines() if "! " in line)
            assert line.startswith(" ! marks file cannot be written: No space left on device")
        await d.resize(400)
        assert f"No space left on device ({root}" in d.text


async def test_a_state_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    session.state.set_read([url(0)], True)
    reason = "The marks cannot be written here: the disk is full."
    session.state.read_only, session.state._frozen = reason, True
    async with desk(session) as d:
        assert reason in d.status
        await d.press("r", "k", "s", "A", "u")
        assert reason in d.status
        assert d.drawn_row(0)[:2] == "  " and d.drawn_row(1).startswith("●")
        assert "12 articles, 11 unread" in d.line("masthead")
        await d.press("y")
        assert "copied" in d.status
        await d.press("t")
        await d.type("x")
        await d.press("enter")
        assert reason in d.status and not marks(tmp_path, url(0))[0].tags
        await d.press("z", "s")
        assert reason in d.text  # even with the article alone
