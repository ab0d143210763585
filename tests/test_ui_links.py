"""What can be read of dead pages, and the health of all links, against real servers on the loopback."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from loopback import Loopback
from terminal import Terminal
from ui_tools import NOW, Desk, desk, locations, make_session, related, when, whole, write

import reader
from reader.model import LinkCheck, Outcome
from reader.session import Session
from reader.store.rows import PlaceKind
from reader.store.state import State
from reader.ui.places import Pane
from reader.ui.screens.choosing import ChoosingDialogue, ChoosingScreen

ROOT = Path(reader.__file__).parents[1]

HOSTS = tuple(f"127.0.0.{n}" for n in range(1, 9))


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(HOSTS) as running:
        yield running


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a browser was asked to open, so far."""
    record = tmp_path / "opened.txt"
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {record}\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(script))
    return lambda: record.read_text().splitlines() if record.exists() else []


def session_of(tmp_path: Path, folder: Path, server: Loopback, **settings: Any) -> Session:
    """A session whose archive is *server*."""
    archive = server.url("", HOSTS[7])
    return make_session(tmp_path, folder, **{"allow_private_links": True, "archive_url": archive} | settings)


def know(tmp_path: Path, *checks: LinkCheck) -> None:
    """What was found out before."""
    with contextlib.closing(State.open(locations(tmp_path).state_db)) as state:
        state.record_checks(checks)


def check(address: str, outcome: Outcome, days: float = 3, **more: Any) -> LinkCheck:
    return LinkCheck(address, outcome, NOW - timedelta(days=days), **more)


def dialogue(d: Desk) -> list[str]:
    """The lines that can be chosen."""
    screen = d.app.screen
    assert isinstance(screen, ChoosingDialogue), d.text
    lines = whole(screen._document).split("\n")
    return [line.strip() for line in lines if line.strip()[:1].isdigit() and "  " in line.strip()]


# -- the ladder -----------------------------------------------------------------


def dead_folder(folder: Path, server: Loopback) -> str:
    """One article whose page is gone, with everything a ladder can have; its address."""
    dead = server.url("/status/410", HOSTS[0])
    same: dict[str, Any] = {"publishedDateTime": when(days=400)}
    write(
        folder,
        "teller",
        title="A page that went",
        webUrl=dead,
        ampWebUrl=server.url("/page", HOSTS[1]),
        cdnAmpWebUrl=server.url("/about", HOSTS[2]),
        publishedDateTime=when(days=400),
        related=[
            related("x", "Echo", title="A page that went", webUrl=server.url("/ok", HOSTS[3]), **same),
            related("y", "Fanal", title="A page that went", webUrl=server.url("/nothing", HOSTS[4]), **same),
            related("z", "Garnet", title="Quite another matter", webUrl=server.url("/ok/z", HOSTS[4])),
        ],
    )
    write(
        folder,
        "other",
        title="Something else",
        webUrl=server.url("/ok", HOSTS[5]),
        publishedDateTime=when(days=500),
    )
    return dead


async def test_the_ladder_is_offered_only_for_dead_pages(
    tmp_path: Path, server: Loopback, opened: Any
) -> None:
    folder = tmp_path / "news"
    dead = dead_folder(folder, server)
    async with desk(session_of(tmp_path, folder, server)) as d:
        await d.press("o", "y")  # never asked: as always (y: a loopback address with a port is unusual)
        assert opened() == [dead]
        await d.press("c", "o")
        assert [line.split("  ", 1)[1] for line in dialogue(d)] == [
            "its AMP page: alive",
            "its AMP page in the cache: alive",
            "the archived copy nearest 2023-02-04, if there is one",
            "told by Echo: unchecked",
            "told by Fanal: unchecked",
            "the page itself: gone",
        ]
        assert "✗ gone (410)" in d.text and "A page that went" in d.text
        await d.press("escape")
        assert opened() == [dead] and d.pane is Pane.LIST
        await d.press("o", "1", "y")
        assert opened()[1:] == [server.url("/page", HOSTS[1])]
        await d.press("o", "j", "j", "j", "k", "j", "enter", "y")
        assert opened()[2:] == [server.url("/ok", HOSTS[3])]
        await d.press("o", "G", "enter", "y")  # the dead page itself is the reader's to open
        assert opened()[3:] == [dead]
        await d.press("o", "9", "x", "q")
        assert len(opened()) == 4
        await d.press("j", "c", "o", "y")  # alive: no ladder
        assert opened()[4:] == [server.url("/ok", HOSTS[5])]


async def test_a_dead_piece_of_coverage_and_a_dead_amp_page(
    tmp_path: Path, server: Loopback, opened: Any
) -> None:
    folder = tmp_path / "news"
    dead_folder(folder, server)
    fanal = server.url("/nothing", HOSTS[4])
    amp = server.url("/page", HOSTS[1])
    know(tmp_path, check(fanal, Outcome.GONE), check(amp, Outcome.MISSING))
    async with desk(session_of(tmp_path, folder, server)) as d:
        await d.press("l")
        while not (piece := d.main.reading.piece_under_cursor()) or piece.url != fanal:
            await d.press("]")
        await d.press("o")
        rungs = [line.split("  ", 1)[1] for line in dialogue(d)]
        assert not server.log
        assert rungs[0].startswith("the archived copy nearest 2023-02-04")
        assert "told by Echo: unchecked" in rungs and rungs[-1] == "the page itself: gone"
        await d.press("escape", "c")  # the piece's own page, and no other
        assert {s.path for s in server.log} == {"/nothing"}
        d.main.document.focus_item(f"address:{amp}")
        await d.press("o")
        rungs = [line.split("  ", 1)[1] for line in dialogue(d)]
        assert rungs[0] == "the article's own page: unchecked" and rungs[-1] == "the page itself: missing"
        await d.press("1", "y")
        assert opened() == [server.url("/status/410", HOSTS[0])]


async def test_the_ladder_of_a_file_that_went(tmp_path: Path, server: Loopback, opened: Any) -> None:
    folder = tmp_path / "news"
    dead = dead_folder(folder, server)
    know(tmp_path, check(dead, Outcome.GONE, status=410))
    async with desk(session_of(tmp_path, folder, server)) as d:
        (folder / "teller.md").unlink()
        await d.press("o")
        assert any("archived copy" in line for line in dialogue(d))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 40)])
async def test_the_ladder_at_any_size(tmp_path: Path, server: Loopback, size: tuple[int, int]) -> None:
    folder = tmp_path / "news"
    dead = dead_folder(folder, server)
    know(tmp_path, check(dead, Outcome.GONE, status=410))
    async with desk(session_of(tmp_path, folder, server), size) as d:
        await d.press("o")
        assert "What can still be read" in d.text and "leaves" in d.text and "its AMP page" in d.text
        await d.press("G")
        assert "the page itself" in d.text
        await d.resize(70, 24)
        assert "the page itself" in d.text


# -- the archive ----------------------------------------------------------------


def archive_folder(folder: Path, server: Loopback, *pages: str) -> None:
    for n, page in enumerate(pages):
        write(folder, page, webUrl=server.url(f"/{page}", HOSTS[0]), publishedDateTime=when(days=n + 1))


def asked_archive(server: Loopback) -> list[str]:
    return [seen.path for seen in server.log if seen.host.startswith(HOSTS[7])]


async def test_the_archived_copy(tmp_path: Path, server: Loopback, opened: Any) -> None:
    folder = tmp_path / "news"
    archive_folder(folder, server, "copied", "nothing", "busy", "astray")
    async with desk(session_of(tmp_path, folder, server)) as d:
        assert not server.log  # nothing is asked that nobody asked for
        await d.press("w", "y")
        copied = server.url("/copied", HOSTS[0])
        assert asked_archive(server) == [f"/web/20240309120000/{copied}"]
        assert opened() == [server.url("/web/20150102030405/http://site.test/copied", HOSTS[7])]
        assert "opening the copy of 2 Jan 2015" in d.status
        await d.press("j", "w")
        assert "there is no archived copy of" in d.status
        await d.press("j", "w")
        assert "the archive gave no answer: rate-limited" in d.status
        await d.press("j", "w")
        assert "led somewhere else" in d.status
        assert len(opened()) == 1 and {s.host.split(":")[0] for s in server.log} == {HOSTS[7]}
        asked = len(server.log)
        await d.press("w", "w")
        assert len(server.log) == asked + 2


async def test_an_archive_that_does_not_answer_can_be_left(
    tmp_path: Path, server: Loopback, opened: Any
) -> None:
    folder = tmp_path / "news"
    archive_folder(folder, server, "stalls", "other")
    async with desk(session_of(tmp_path, folder, server)) as d:
        await d.press("w", long=False)
        await d.until(lambda: asked_archive(server))
        assert "asking the archive (C-x stops)" in d.status
        await d.press("j", "r", "w", long=False)  # keys answer meanwhile
        assert d.row.title == "Other" and d.row.read and "already" in d.status
        await d.press("ctrl+x")
        assert "stopped asking the archive" in d.status and "asking the archive (" not in d.status
        await d.press("w")  # and it can be asked again
        assert "no archived copy" in d.status and not opened()
        await d.press("k", "w", long=False)
        await d.tap("q")  # nobody waits for it
    assert len(asked_archive(server)) <= 3


async def test_the_archive_by_way_of_the_ladder(tmp_path: Path, server: Loopback, opened: Any) -> None:
    folder = tmp_path / "news"
    archive_folder(folder, server, "copied")
    know(tmp_path, check(server.url("/copied", HOSTS[0]), Outcome.MISSING, status=404))
    async with desk(session_of(tmp_path, folder, server)) as d:
        await d.press("o", "1", "y")
        assert opened() == [server.url("/web/20150102030405/http://site.test/copied", HOSTS[7])]


async def test_archives_and_pages_nobody_may_ask(tmp_path: Path, server: Loopback, opened: Any) -> None:
    folder = tmp_path / "news"
    archive_folder(folder, server, "copied")
    write(folder, "nowhere", webUrl=None, publishedDateTime=when(days=3))
    write(folder, "far", webUrl="ftp://news.test/", publishedDateTime=when(days=4))
    async with desk(session_of(tmp_path, folder, server, allow_private_links=False)) as d:
        await d.press("w")
        assert "the archive gave no answer: not asked" in d.status
        await d.press("j", "w")
        assert "no address here to look up" in d.status
        await d.press("j", "w")
        assert "not an http or https address" in d.status
        assert not server.log and not opened()


# -- the sweep ------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 120, 200])
async def test_the_progress_of_a_sweep(tmp_path: Path, server: Loopback, width: int) -> None:
    folder = tmp_path / "news"
    pages = ["/ok", "/status/410", "/to/301/moved-here", "/status/500", "/status/403", "/wait"]
    for n, page in enumerate(pages):
        write(folder, f"page-{n}", webUrl=server.url(page, HOSTS[n]), publishedDateTime=when(days=n))
    async with desk(session_of(tmp_path, folder, server), (width, 24)) as d:
        assert "6 files: 6 new" in d.status
        await d.press("C", long=False)
        await d.until(lambda: "checking 5 of 6" in d.text)
        line = d.text.split("\n")[-2].strip()
        assert re.fullmatch(r"checking 5 of 6, \d+ a second, \d+ s left: (1 [^,]+, )+.*", line), line
        assert line.endswith("…") or all(
            f"1 {s}" in line for s in ("✓ alive", "✗ gone", "→ moved", "⊘ blocked")
        )
        for key in "jjkGgg":  # every key is answered while it runs
            await d.tap(key)
        await d.settle(long=False)
        assert d.row.title == "Page 0" and not server.release.is_set()
        await d.press("H", long=False)
        assert isinstance(d.app.screen, ChoosingScreen)
        assert "alive" in d.text  # what is kept so far is seen already
        await d.press("q", long=False)
        await d.press("ctrl+x")
        assert "stopped: 1 " in d.status and "1 ✓ alive" in d.status and "a second" not in d.text
        assert "✓" in d.drawn_row(0) and "✗" in d.drawn_row(1) and "→" in d.drawn_row(2)
        server.release.set()
        asked = len(server.log)
        await d.press("C")  # only what is left
        assert {s.path for s in server.log[asked:]} == {"/wait"} and "5 known already" in d.status


def test_who_leaves_during_a_sweep_is_gone_and_nothing_more_is_asked(
    tmp_path: Path, server: Loopback
) -> None:
    folder, places = tmp_path / "news", locations(tmp_path)
    for n in range(30):
        write(folder, f"page-{n:02}", webUrl=server.url(f"/wait?{n}", HOSTS[n % 3]))
    places.config.mkdir(exist_ok=True)
    places.config_file.write_text("allow_private_links = true\n")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    env |= {
        f"NEWSFOLD_{name.upper()}_DIR": str(getattr(places, name))
        for name in ("data", "config", "cache", "state")
    }
    with Terminal([sys.executable, "-m", "reader", str(folder)], env, (100, 24)) as terminal:
        terminal.wait_for("30 files: 30 new")
        terminal.press("C")
        terminal.wait_for("checking 0 of 30")
        asked = len(server.log)
        began = time.monotonic()
        terminal.press("q")
        assert terminal.wait_end() == 0
        # Each request would wait for twenty seconds. A busy machine may take some to end a program.
        assert time.monotonic() - began < 15
        assert len(server.log) <= asked + 6  # two a host, at most, were on their way


# -- history --------------------------------------------------------------------


async def test_the_history_of_an_address(tmp_path: Path, server: Loopback) -> None:
    folder = tmp_path / "news"
    dead = server.url("/status/404", HOSTS[0])
    write(folder, "dead", webUrl=dead, ampWebUrl=server.url("/ok", HOSTS[1]), publishedDateTime=when(days=1))
    know(
        tmp_path,
        check(dead, Outcome.ALIVE, days=400, status=200),
        check(dead, Outcome.MISSING, days=30, status=404),
    )
    async with desk(session_of(tmp_path, folder, server)) as d:
        told = " ".join(d.article.split())
        assert "? missing (404), 0 ms, 30 days ago" in told
        assert "first seen dead 9 Feb 2024, last seen alive 4 Feb 2023" in told
        await d.press("c")
        told = " ".join(d.article.split())
        assert "✗ gone (404)" in told and "missing since 2024-02-09" in told
        assert "first seen dead 9 Feb 2024, last seen alive 4 Feb 2023" in told
        assert told.count("seen alive") == 1  # a living page has no past to tell
        assert "✗" in d.drawn_row(0)


# -- health ---------------------------------------------------------------------


def health_folder(tmp_path: Path, server: Loopback) -> Path:
    """Forty articles of four years and five outlets, most of them asked."""
    folder = tmp_path / "news"
    outcomes = [
        Outcome.ALIVE,
        Outcome.GONE,
        Outcome.MOVED,
        Outcome.DNS_ERROR,
        Outcome.BLOCKED,
        Outcome.MISSING,
        None,
    ]
    checks = []
    for n in range(40):
        address = server.url(f"/page/{n}", HOSTS[n % 4])
        outlet = ("Aurora", "Beacon", 'Quote "d" [x]', "Courier\x1b[31m", "")[n % 5]
        write(
            folder,
            f"piece-{n:02}",
            webUrl=address,
            publishedDateTime=f"{2020 + n % 4}-03-{1 + n % 28:02}T00:00:00Z",
            provider={"name": outlet},
        )
        outcome = outcomes[n % 7] if n % 5 else Outcome.ALIVE  # Aurora lives
        if outcome is not None:
            target = server.url("/moved-here", HOSTS[0]) if outcome is Outcome.MOVED else ""
            checks.append(check(address, outcome, target=target))
    know(tmp_path, *checks)
    return folder


@pytest.mark.parametrize("width", [60, 80, 120, 200])
async def test_the_health_of_all(tmp_path: Path, server: Loopback, width: int) -> None:
    folder = health_folder(tmp_path, server)
    async with desk(session_of(tmp_path, folder, server), (width, 40)) as d:
        await d.press("H")
        screen = d.app.screen
        assert isinstance(screen, ChoosingScreen)
        told = whole(screen._document)
        lines = told.split("\n")
        assert max(map(len, lines)) <= width
        for words in ("All links", "Alive by year", "Alive by outlet, the worst first", "Moved for good: "):
            assert words in told
        bars = [line for line in lines if "█" in line and "%" in line]
        years = [line.split()[0] for line in bars if line.split()[0].startswith("20")]
        assert years == ["2020", "2021", "2022", "2023"]
        outlets = [line for line in bars if not line.split()[0].startswith(("20", "all"))]
        shares = [int(line.partition("%")[0].split()[-1].strip("█░")) for line in outlets]
        assert shares == sorted(shares) and shares[-1] == 100 and "Aurora" in outlets[-1]
        assert len({line.rstrip().find("%") for line in bars[1:5]}) == 1  # in one column
        assert all("░" not in line for line in bars if "100%" in line)  # told apart without colour
        assert "✗ gone 5" in told and "? missing" in told and "! no such host" in told
        assert "/moved-here" in told and "--patch" in told
        assert "\x1b" not in told and not server.log
        await d.press("space", "G")
        assert "→ " in d.text
        await d.resize(60 if width > 60 else 100, 24)
        assert isinstance(d.app.screen, ChoosingScreen)
        await d.press("q")
        assert d.app.screen is d.main


async def test_health_leads_to_articles(tmp_path: Path, server: Loopback) -> None:
    folder = health_folder(tmp_path, server)
    async with desk(session_of(tmp_path, folder, server), (120, 40)) as d:
        await d.press("H", "enter")  # the first group: alive
        assert d.main.navigation.listing.place.name == "link:alive"
        alive = len(d.titles)
        assert alive and all("✓" in d.drawn_row(n) for n in range(alive))
        await d.press("escape", "H")
        items = d.app.screen._document.items  # type: ignore[attr-defined]
        for item in items:
            assert isinstance(d.app.screen, ChoosingScreen)
            d.app.screen._document.focus_item(item)
            await d.press("enter")
            assert d.main.navigation.listing.place.kind is PlaceKind.SEARCH and d.titles, item
            assert "column" not in d.status
            if item.startswith(("outlet", "published")):
                drawn = [d.drawn_row(n) for n in range(len(d.titles))]
                assert all(set("✗!⊘?") & set(row) for row in drawn), item
            await d.press("escape", "H")
        await d.press("H")
        assert d.app.screen is d.main


async def test_what_may_not_be_asked_is_not_broken(tmp_path: Path, server: Loopback) -> None:
    folder = tmp_path / "news"
    for number, url in enumerate(("ftp://e.test/1", "http://192.168.1.1/x")):
        write(folder, f"page-{number}", webUrl=url, publishedDateTime=when(days=number))
    async with desk(make_session(tmp_path, folder), (100, 24)) as d:
        await d.press("C")
        assert "not asked" in d.status
        library = d.main.session.library
        (broken,) = [row for row in library.places(0) if row.place.kind is PlaceKind.BROKEN]
        assert broken.total == 0 and library.count("link:error") == 0 and library.count("link:unchecked") == 2
        await d.press("H")
        assert "None of 2 links was ever asked" in d.text


async def test_health_of_nothing_asked(tmp_path: Path, server: Loopback) -> None:
    folder = tmp_path / "news"
    archive_folder(folder, server, "one")
    async with desk(session_of(tmp_path, folder, server)) as d:
        await d.press("H")
        assert "None of 1 links was ever asked" in d.text
        await d.press("j", "k", "space", "G", "enter", "escape")
        assert d.app.screen is d.main and not server.log
