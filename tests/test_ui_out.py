"""Out of the screen: clipboard, browser, link checks against a real server on the loopback."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path

import pytest
from loopback import Loopback
from ui_tools import desk, locations, make_session, related, shows, small_folder, url, when, write

from reader.model import Outcome
from reader.store.state import State
from reader.ui.screens.prompt import Question


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """A browser that writes down what it was asked to open, one address a line."""
    record = tmp_path / "opened.txt"
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {record}\n')
    script.chmod(0o755)
    return script


def opened(browser: Path) -> list[str]:
    record = browser.with_name("opened.txt")
    return record.read_text().splitlines() if record.exists() else []


# -- copying --------------------------------------------------------------------


@shows("copy", "cite")
async def test_copy_and_cite(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    write(
        folder,
        "story-00",
        title="A [bracketed] \\ title",
        webUrl="https://news.test/a(b)",
        publishedDateTime=when(hours=1),
        provider={"name": "Aurora"},
    )
    write(folder, "nowhere", webUrl=None, publishedDateTime=when(minutes=5), provider={"name": "Beacon"})
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("y")
        assert d.app.clipboard == "" and "no address here to copy" in d.status
        await d.press("Y")
        assert d.app.clipboard == "Nowhere, Beacon, 10 Mar 2024"
        await d.press("j", "y")
        assert d.app.clipboard == "https://news.test/a(b)" and "copied" in d.status
        await d.press("Y")
        expected = "[A \\[bracketed\\] \\\\ title](https://news.test/a%28b%29), Aurora, 10 Mar 2024"
        assert d.app.clipboard == expected
        await d.press("j", "l", "y")
        assert d.app.clipboard == url(1)
        await d.press("]", "y")
        piece = d.main.reading.loaded.coverage[0]  # type: ignore[union-attr]
        assert d.app.clipboard == piece.url
        await d.press("Y")
        assert d.app.clipboard.startswith(f"[{piece.title}]({piece.url}), {piece.outlet}")


# -- the browser ------------------------------------------------------------------


@shows("open")
async def test_open_the_right_address(tmp_path: Path, browser: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", str(browser))
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("j", "o")
        assert opened(browser) == [url(1)] and f"opening {url(1)}" in d.status
        await d.press("l", "]", "o")
        piece = d.main.reading.loaded.coverage[0]  # type: ignore[union-attr]
        assert opened(browser)[1:] == [piece.url]
        line = d.main.document.line_of(f"address:{url(1)}")
        assert line is not None
        await d.click(d.main.document, 8, line - int(d.main.document.scroll_offset.y))
        await d.press("enter")  # an address: in the browser
        assert opened(browser)[2:] == [url(1)]


@shows("open_all")
async def test_open_all_asks_above_the_limit(
    tmp_path: Path, browser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", str(browser))
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("v", "v", "O")  # the selection
        assert opened(browser) == [url(0), url(1)]
        await d.press("escape", "k", "O")  # the article and its five pieces: six
        assert isinstance(d.app.screen, Question)
        assert "6 pages" in d.words
        await d.press("x", "escape")
        assert len(opened(browser)) == 2
        await d.press("O", "y")
        assert sorted(opened(browser)[2:])[-1] == url(4) and len(opened(browser)) == 8
        await d.press("G", "O")  # 11: nothing beside it
        assert opened(browser)[8:] == [url(11)]


async def test_addresses_that_may_not_or_should_not_be_opened(
    tmp_path: Path, browser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", str(browser))
    folder = tmp_path / "news"
    for n, address in enumerate(
        ["javascript:alert(1)", "file:///etc/passwd", "https://user:pw@news.test/", "http://127.0.0.1:81/x"]
    ):
        write(folder, f"odd-{n}", webUrl=address, publishedDateTime=when(hours=n))
    write(folder, "odd-4", publishedDateTime=when(hours=4))
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        for _ in range(3):
            await d.press("o")
            assert d.status.startswith(" ! ") and "y copies the address" in d.status
            await d.press("j")
        assert opened(browser) == []
        await d.press("o")
        assert isinstance(d.app.screen, Question)
        assert "http://127.0.0.1:81/x" in d.words and "port" in d.words
        await d.press("escape")
        assert opened(browser) == []
        await d.press("V", "O", "y")  # all five: what may not be opened does not keep the rest from it
        assert opened(browser) == ["http://127.0.0.1:81/x", "https://news.test/odd-4"]
        assert "3 of 5 not opened" in d.status


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://bücher.test/käse", "https://xn--bcher-kva.test/k%C3%A4se"),
        ("https://аpple.test/x", "https://xn--pple-43d.test/x"),  # a Cyrillic a
    ],
)
async def test_a_host_that_is_not_plain_ascii_is_shown_as_it_is(
    tmp_path: Path, browser: Path, monkeypatch: pytest.MonkeyPatch, address: str, target: str
) -> None:
    monkeypatch.setenv("BROWSER", str(browser))
    write(tmp_path / "news", "odd", webUrl=address)
    async with desk(make_session(tmp_path, tmp_path / "news")) as d:
        await d.press("o")
        assert isinstance(d.app.screen, Question)
        host = target.split("/")[2]
        assert target in d.words and f"not plain ASCII: {host}" in d.words
        await d.press("escape")
        assert opened(browser) == []
        await d.press("o", "y")
        assert opened(browser) == [target]
        assert f"opening {target}" in d.status


async def test_a_browser_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\nexit 7\n")
    failing.chmod(0o755)
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        monkeypatch.setenv("BROWSER", str(failing))
        await d.press("o")
        assert "could not open it" in d.status and "exit status 7" in d.status
        assert "y copies the address" in d.status
        monkeypatch.setenv("BROWSER", str(tmp_path / "none"))
        await d.press("o")
        assert "there is no program" in d.status
        monkeypatch.delenv("BROWSER")
        monkeypatch.setenv("PATH", str(tmp_path))
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "WSL_INTEROP"):
            monkeypatch.delenv(name, raising=False)
        await d.press("o")
        assert "no display and no text browser" in d.status
        await d.press("y")
        assert d.app.clipboard == url(0)


# -- link checks --------------------------------------------------------------------

HOSTS = tuple(f"127.0.0.{n}" for n in range(1, 7))


def checked(root: Path, address: str) -> Outcome | None:
    """What the file of marks knows of *address*, as another process sees it."""
    with contextlib.closing(State.open(locations(root).state_db)) as state:
        found = state.checks([address]).get(address)
    return found.outcome if found else None


def free_port() -> int:
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@shows("check", "check_all")
async def test_link_states_in_pane_list_and_file(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    with Loopback(HOSTS) as server:
        cases = {
            "alive": (server.url("/ok", HOSTS[0]), Outcome.ALIVE, "✓ alive (200)"),
            "moved": (server.url("/to/301/moved-here", HOSTS[1]), Outcome.MOVED, "→ moved (200)"),
            "gone": (server.url("/status/410", HOSTS[2]), Outcome.GONE, "✗ gone (410)"),
            "missing": (server.url("/nothing", HOSTS[3]), Outcome.MISSING, "? missing (404)"),
            "blocked": (server.url("/status/403", HOSTS[4]), Outcome.BLOCKED, "⊘ blocked (403)"),
            "error": (f"http://127.0.0.6:{free_port()}/", Outcome.CONNECT_ERROR, "! no connection"),
        }
        amp = server.url("/page", HOSTS[0])
        for n, (name, (address, _, _)) in enumerate(cases.items()):
            more = {"ampWebUrl": amp} if name == "alive" else {}
            write(folder, f"piece-{name}", webUrl=address, publishedDateTime=when(hours=n + 1), **more)
        write(folder, "far", webUrl="ftp://news.test/", publishedDateTime=when(hours=9))
        session = make_session(tmp_path, folder, allow_private_links=True)
        async with desk(session) as d:
            for n, (name, (address, outcome, words)) in enumerate(cases.items()):
                assert d.row.title == f"Piece {name}"
                await d.press("c")
                told = " ".join(d.article.split())
                assert words in told, name
                assert re.match(r"[^✓]*, \d+ ms", told.split(words)[1])
                assert checked(tmp_path, address) is outcome
                assert words[0] in d.drawn_row(n)
                assert words.split(" (")[0].removeprefix("! ") in d.status
                if name == "alive":
                    assert d.article.count("✓ alive") == 2  # the AMP address too
                if name == "moved":
                    assert server.url("/moved-here", HOSTS[1]) in d.article.replace("\n", "")
                await d.press("j")
            await d.press("h", *"jjjjj", "enter")  # broken links: known at once
            assert {t.split()[-1] for t in d.titles} == {"gone", "missing", "error"}
        asked = len(server.log)
        session = make_session(tmp_path, folder, allow_private_links=True)
        async with desk(session) as d:  # still known, and nothing asked
            assert "✗" in d.drawn_row(0) and len(server.log) == asked
            await d.press("h", "g", "g", "enter", "C")
            assert "known already" in d.status and len(server.log) <= asked + 1


async def test_private_addresses_are_not_asked_unless_allowed(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    with Loopback() as server:
        write(folder, "here", webUrl=server.url("/ok", "127.0.0.1"))
        session = make_session(tmp_path, folder)
        async with desk(session) as d:
            await d.press("c")
            assert "not asked" in d.status and "not asked" in d.article and not server.log


@pytest.mark.parametrize("wanted", [False, True])
async def test_proxies_are_asked_only_where_the_settings_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    folder = tmp_path / "news"
    with Loopback() as server, Loopback() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        address = server.url("/ok", "127.0.0.1")
        write(folder, "here", webUrl=address)
        session = make_session(tmp_path, folder, allow_private_links=True, link_proxies=wanted)
        async with desk(session) as d:
            await d.press("c")
            assert "✓ alive" in d.article
        assert [s.path for s in proxy.log] == ([address] if wanted else [])
        assert [s.path for s in server.log] == ([] if wanted else ["/ok"])


async def test_nothing_to_check(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    write(folder, "nowhere", webUrl=None)
    async with desk(make_session(tmp_path, folder)) as d:
        await d.press("c")
        assert "no address here to check" in d.status
        await d.press("C")
        assert "nothing here to check" in d.status
        await d.press("O")
        assert "nothing here to open" in d.status
        await d.press("ctrl+x")
        assert "nothing is under way" in d.status


async def test_keys_answer_while_links_are_asked_and_it_can_be_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    with Loopback(HOSTS) as server:
        for n in range(4):
            write(folder, f"slow-{n}", webUrl=server.url("/wait", HOSTS[n]), publishedDateTime=when(hours=n))
        write(folder, "fast", webUrl=server.url("/ok", HOSTS[5]), publishedDateTime=when(hours=9))
        session = make_session(tmp_path, folder, allow_private_links=True)
        async with desk(session) as d:
            await d.press("C", long=False)
            await d.until(lambda: "checking 1 of 5" in d.status)  # the fast one has answered
            assert checked(tmp_path, server.url("/ok", HOSTS[5])) is Outcome.ALIVE
            await d.press("j", "r", "l", "]", "h", "?", "q", "s", long=False)
            assert d.row.title == "Slow 2" and d.row.starred and not server.release.is_set()
            await d.press("c", long=False)
            assert "already" in d.status
            await d.press("ctrl+x")
            assert "stopped" in d.status and "checking" not in d.status
            assert checked(tmp_path, server.url("/wait", HOSTS[0])) is None
            assert "✓" in d.drawn_row(4)
            server.release.set()
            await d.press("c")
            assert "✓ alive" in d.article


async def test_leaving_does_not_wait_for_links(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    with Loopback() as server:
        write(folder, "slow", webUrl=server.url("/wait", "127.0.0.1"))
        session = make_session(tmp_path, folder, allow_private_links=True)
        async with desk(session) as d:
            await d.press("c", long=False)
            await d.until(lambda: server.log)
            await d.tap("q")
        assert not server.release.is_set() and session.state.read_only == ""


async def test_checking_many_asks_first(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"), check_without_asking=5)
    async with desk(session) as d:
        await d.press("C")
        assert isinstance(d.app.screen, Question) and "12 addresses on 1 hosts" in d.words
        await d.press("escape")
        assert not d.main.linking._checker and not session.state.checks([url(0)])


async def test_coverage_shows_the_links_it_knows(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    with Loopback(HOSTS) as server:
        gone = server.url("/status/410", HOSTS[1])
        write(
            folder, "teller", webUrl=server.url("/ok", HOSTS[0]), related=[related("x", "Echo", webUrl=gone)]
        )
        session = make_session(tmp_path, folder, allow_private_links=True)
        async with desk(session) as d:
            await d.press("l", "]", "enter")
            assert d.shown == "X"
            await d.press("c")
            assert "✗ gone (410)" in d.article
            await d.press("escape")
            assert "✗ gone" in d.article and checked(tmp_path, gone) is Outcome.GONE
