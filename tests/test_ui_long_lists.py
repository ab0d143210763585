"""A long list shows its first rows at once and takes the rest when they are there, on the real app."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ui_tools import BASE, Desk, desk, make_session, marks, write, write_many

from reader.session import Session
from reader.store.rows import Place, PlaceKind, Sort
from reader.ui.loading import HEAD

COUNT = HEAD * 2


@pytest.fixture
def session(tmp_path: Path) -> Session:
    write_many(tmp_path / "news", COUNT)
    return make_session(tmp_path, tmp_path / "news")


@contextlib.contextmanager
def held(session: Session) -> Iterator[None]:
    """Meanwhile whole lists are not fetched to the end, as if the library were very large."""
    go, library = threading.Event(), session.library
    real = {name: getattr(library, name) for name in ("ids", "search")}

    def slow(name: str, *args: Any, **asked: Any) -> Any:
        found = real[name](*args, **asked)
        if asked.get("limit") is None:
            go.wait()
        return found

    for name in real:
        setattr(library, name, partial(slow, name))
    try:
        yield
    finally:
        for name in real:
            setattr(library, name, real[name])
        go.set()


async def head_of_all(d: Desk) -> None:
    """Have the head of all articles listed, the rest on its way."""
    await d.tap("U")
    await d.until(lambda: d.main.navigation.growing)
    assert d.main.list.count == HEAD and d.row.title == "Piece 0"


async def test_the_head_is_there_at_once_and_the_cursor_stays_when_the_rest_comes(session: Session) -> None:
    async with desk(session, (120, 30)) as d:
        assert d.main.list.count == COUNT
        with held(session):
            await head_of_all(d)
            assert "Piece 5" in d.text
            for key in "jj":
                await d.tap(key)
            await d.until(lambda: d.main.list.cursor == 2)
        await d.settle()
        assert (d.main.list.count, d.main.list.cursor, d.row.title) == (COUNT, 2, "Piece 2")
        await d.press("G")
        assert d.row.title == f"Piece {COUNT - 1}"
        assert f"Piece {COUNT - 1}" in d.text


@pytest.mark.parametrize("query", ["", "piece sort:oldest"])
async def test_the_end_is_there_at_once_too_and_stays_when_the_whole_comes(
    session: Session, query: str
) -> None:
    async with desk(session, (120, 30)) as d:
        first, last = (f"Piece {n}" for n in ((COUNT - 1, 0) if query else (0, COUNT - 1)))
        with held(session):
            if query:
                d.main.navigation.go_to(Place(PlaceKind.SEARCH, query))
            else:
                await head_of_all(d)
            await d.until(lambda: d.main.navigation.growing)
            await d.tap("G")
            await d.until(lambda: d.main.list.count == HEAD and d.row.title == last)
            await d.tap("home")  # and back before the whole is there
            await d.until(lambda: d.row.title == first and d.main.navigation.growing)
            await d.tap("G")
            await d.until(lambda: d.row.title == last)
            await d.until(lambda: last in d.text)
            for key in "kk":
                await d.tap(key)
            await d.until(lambda: d.main.list.cursor == HEAD - 3)
            standing, above = d.row.id, d.main.list.cursor - d.main.list.top
        await d.settle()
        view = d.main.list
        assert (view.count, view.cursor, d.row.id) == (COUNT, COUNT - 3, standing)
        assert view.cursor - view.top == above
        assert view.ids == session.library.ids(sort=Sort.OLDEST if query else Sort.NEWEST)
        await d.press("home")
        assert d.row.title == first


@pytest.mark.parametrize(
    ("query", "ends"),
    [
        ("", ("1/384", "384/384", "383/384")),
        ("piece sort:oldest", ("1/…", "…/…", "…/…")),
    ],
    ids=["counted", "not counted"],
)
async def test_the_head_never_says_that_what_is_there_of_a_long_list_is_all(
    session: Session, query: str, ends: tuple[str, str, str]
) -> None:
    async with desk(session, (120, 30)) as d:

        def told(end: str) -> bool:
            return f" {end} " in d.text.splitlines()[1]

        with held(session):
            if query:
                d.main.navigation.go_to(Place(PlaceKind.SEARCH, query))
            else:
                await d.tap("U")
            await d.until(lambda: d.main.navigation.growing and told(ends[0]))
            await d.tap("G")
            await d.until(lambda: told(ends[1]))
            await d.tap("k")
            await d.until(lambda: d.main.list.cursor == HEAD - 2 and told(ends[2]))
        await d.settle()
        assert told(f"{COUNT - 1}/{COUNT}")


async def test_what_goes_while_the_end_is_shown_is_not_in_the_whole(session: Session) -> None:
    async with desk(session, (120, 30)) as d:
        with held(session):
            await head_of_all(d)
            await d.tap("G")
            await d.until(lambda: d.row.title == f"Piece {COUNT - 1}")
            session.state.set_read([f"{BASE}piece-1", f"{BASE}piece-{COUNT - 5}"], True)
            from reader.ingest import sync

            sync(session.library, session.state)
        await d.settle()
        assert d.row.title == f"Piece {COUNT - 1}"
        await d.press("U")
        await d.press("U")
        assert d.main.list.count == COUNT - 2


async def test_all_read_is_for_the_whole_list_though_its_head_alone_is_there(
    session: Session, tmp_path: Path
) -> None:
    async with desk(session, (120, 30)) as d:
        with held(session):
            await head_of_all(d)
            await d.tap("A")
        await d.settle()
        keys = [f"{BASE}piece-{n}" for n in (0, HEAD, COUNT - 1)]
        assert all(mark.read for mark in marks(tmp_path, *keys))
        assert session.library.places(0)[0].unread == 0


async def test_select_all_waits_for_the_whole(session: Session) -> None:
    async with desk(session, (120, 30)) as d:
        with held(session):
            await head_of_all(d)
            await d.tap("V")
        await d.settle()
        assert len(d.main.list.selected) == COUNT


async def test_what_comes_while_the_list_grows_is_in_it(session: Session, tmp_path: Path) -> None:
    async with desk(session, (120, 30)) as d:
        with held(session):
            await head_of_all(d)
            await d.tap("j")
            await d.until(lambda: d.main.list.cursor == 1)
            session.state.set_read([f"{BASE}piece-0", f"{BASE}piece-{HEAD + 5}"], True)
            from reader.ingest import sync

            sync(session.library, session.state)
        await d.settle()
        assert d.row.title == "Piece 1"
        await d.press("U")  # all again
        await d.press("U")  # the unread alone
        assert d.main.list.count == COUNT - 2


async def test_the_start_waits_for_the_first_rows_alone(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(session, close=False) as d:
        assert d.main.list.count == COUNT
    library, refresher = session.library, Session.refresher
    begun, in_time = threading.Event(), []
    ids = library.ids

    def slow(*args: Any, **asked: Any) -> Any:
        if asked.get("limit") is None and not in_time:
            in_time.append(begun.wait(5))  # until the files are looked at, when all has been restored
        return ids(*args, **asked)

    def refresh(self: Session) -> Any:
        begun.set()
        return refresher(self)

    monkeypatch.setattr(library, "ids", slow)
    monkeypatch.setattr(Session, "refresher", refresh)
    async with desk(session, (120, 30)) as d:
        assert in_time == [True]
        assert d.main.list.count == COUNT


async def test_the_scroll_bar_is_that_of_all_rows_from_the_beginning(session: Session) -> None:
    async with desk(session, (120, 30)) as d:
        whole = d.main.list.virtual_size
        with held(session):
            await head_of_all(d)
            assert d.main.list.virtual_size == whole


async def test_the_first_places_are_shown_before_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, outlet in enumerate(["One", "Two", "Three", "Last"]):
        for copy in range(4 - number):
            write(tmp_path / "news", f"{outlet}{copy}", provider={"name": outlet})
    session = make_session(tmp_path, tmp_path / "news")
    last = Place(PlaceKind.OUTLET, "Last")
    monkeypatch.setattr("reader.ui.screens.main._PLACES_FIRST", 2)
    async with desk(session, close=False) as d:
        known, few = session.library.places(0), session.library.places(0, most=2)
        assert known.whole and not few.whole and len(few) == len(known)
        assert few[:-2] == known[:-2] and [row.label for row in few[-2:]] == ["…", "…"]
        assert known.find(last) == (2, 3) and few.find(last) is None
        await d.until(lambda: d.main.topics.whole)
        assert "2/2" in d.text
        monkeypatch.setattr("reader.ui.screens.main._PLACES_AFTER", 3_600)
        d.main.navigation.save_place()
    async with desk(session, close=False) as d:
        assert not d.main.topics.whole and "3/3" in d.text and "2/2" not in d.text
        d.main.navigation.go_to(last)
        await d.settle()
        d.main.navigation.save_place()
    async with desk(session) as d:  # now one of the others is listed
        assert d.main.topics.whole and "2/2" in d.text and d.main.topics.place == last
