"""The pure rules: judging, lifetimes, the ladder, patches, shares; and the archive's look-up."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Loopback, to_loopback

from reader.errors import LinkError
from reader.links.archive import archived
from reader.links.health import LinkRow, by_outlet, by_year, overall
from reader.links.http1 import BadAnswer, parse_head
from reader.links.judge import Answer, Hop, judge, retry_after, soft_404
from reader.links.ladder import RungKind, ladder
from reader.links.patch import moved_patch
from reader.links.policy import LIFETIMES, Policy, is_stale, with_history
from reader.model import Article, LinkCheck, Outcome, Provider, Related

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
POLICY = Policy(gap=0, allow_private=True)


# -- judging


@pytest.mark.parametrize(
    ("start", "stop", "suspect"),
    [
        ("http://a/2013/05/story", "http://a/", True),
        ("http://a/2013/05/story", "http://b/index.html", True),
        ("http://a/2013/05/story", "http://a/en-us/", True),
        ("http://a/2013/05/story", "http://a/?s=story", True),
        ("http://a/2013/05/story", "http://a/search/?q=story", True),
        ("http://a/2013/05/story", "http://a/page-not-found", True),
        ("http://a/2013/05/story", "http://a/404.html", True),
        ("http://a/?p=123", "http://a/", True),
        ("http://a/", "http://www.a/", False),
        ("http://a/", "http://a/en/", False),
        ("http://a/index.html", "http://a/", False),
        ("http://a/?p=123", "https://a/?p=123", False),
        ("http://a/?p=123", "http://a/2013/05/story", False),
        ("http://a/2013/05/story", "http://a/story-of-missing-person", False),
        ("http://a/search/x", "http://a/search", True),
        ("http://a/old/search", "http://a/search", False),
    ],
)
def test_soft_404(start: str, stop: str, suspect: bool) -> None:
    assert bool(soft_404(urlsplit(start), urlsplit(stop))) is suspect


@pytest.mark.parametrize(
    ("stop", "walled"),
    [
        ("https://a/login?next=x", True),
        ("https://consent.a.test/collect", True),
        ("https://a/subscribe/now", True),
        ("https://a/login-troubles-at-big-bank", False),
        ("https://a/story/subscribers-are-leaving", False),
    ],
)
def test_walls(stop: str, walled: bool) -> None:
    verdict = judge("https://a/x/y", Answer(stop, 200, "OK", {}), [Hop("https://a/x/y", 302)])
    assert (verdict.outcome is Outcome.WALLED) is walled


def test_a_robot_filter_is_named() -> None:
    verdict = judge("http://a/x", Answer("http://a/x", 403, "Forbidden", {"cf-mitigated": "challenge"}), [])
    assert (verdict.outcome, "Cloudflare" in verdict.reason) == (Outcome.WALLED, True)
    assert (
        judge("http://a/x", Answer("http://a/x", 200, "OK", {"x-datadome": "protected"}), []).outcome
        is Outcome.ALIVE
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Wed, 01 May 2024 12:01:00 GMT", 60.0),
        ("Wed, 01 May 2024 11:00:00 GMT", 0.0),
        ("Wednesday, 01-May-24 12:01:00 GMT", 60.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
        ("Wed, 99 May 2024 99:01:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_a_bad_answer(raw: bytes) -> None:
    for data in (raw, b"HTTP/1.1 200 OK\r\n" + raw):
        try:
            head = parse_head(data)
        except BadAnswer:
            continue
        assert 0 <= head.status <= 999
        assert not any(b"\n" in part for pair in head.headers for part in pair)


# -- lifetimes and history


def test_every_outcome_has_a_lifetime_and_ends() -> None:
    assert set(LIFETIMES) == set(Outcome)
    for outcome, lifetime in LIFETIMES.items():
        check = LinkCheck("http://a/", outcome, NOW)
        assert is_stale(check, NOW + lifetime)
        assert not lifetime or not is_stale(check, NOW + lifetime - timedelta(seconds=1))
        assert is_stale(check, NOW, timedelta(0))
    assert is_stale(LinkCheck("http://a/", Outcome.ALIVE, NOW + timedelta(days=2)), NOW)


def test_history_over_a_life() -> None:
    life = [
        (0, Outcome.ALIVE),
        (40, Outcome.MISSING),
        (41, Outcome.TIMEOUT),
        (42, Outcome.MISSING),
        (43, Outcome.ALIVE),
    ]
    check = None
    seen = []
    for day, outcome in life:
        check = with_history(LinkCheck("http://a/", outcome, NOW + timedelta(days=day)), check)
        seen.append((check.outcome, check.first_dead, check.last_alive))
    day40 = NOW + timedelta(days=40)
    assert seen == [
        (Outcome.ALIVE, None, NOW),
        (Outcome.MISSING, day40, NOW),
        (Outcome.TIMEOUT, day40, NOW),
        (Outcome.GONE, day40, NOW),
        (Outcome.ALIVE, None, NOW + timedelta(days=43)),
    ]


# -- the ladder


ARTICLE = Article(
    key="http://a.test/story",
    path="s/story.md",
    title="Story",
    published_at=datetime(2015, 1, 2, 3, 4, 5, tzinfo=UTC),
    web_url="http://a.test/story",
    amp_url="http://a.test/story/amp",
    cdn_amp_url="https://a-test.cdn.ampproject.org/c/a.test/story",
)


def checked(address: str, outcome: Outcome, target: str = "") -> dict[str, LinkCheck]:
    return {address: LinkCheck(address, outcome, NOW, target=target)}


def test_the_ladder_in_order() -> None:
    others = [
        Related("http://b.test/dead", web_url="http://b.test/dead"),
        Related("http://c.test/never", web_url="http://c.test/never", provider=Provider("C\x1b[31m News")),
        Related("http://d.test/lives", web_url="http://d.test/lives", provider=Provider("D News")),
        Related("", web_url="javascript:alert(1)"),
    ]
    checks = checked("http://a.test/story", Outcome.MOVED, "http://a.test/new")
    checks |= checked("http://b.test/dead", Outcome.GONE) | checked("http://d.test/lives", Outcome.ALIVE)
    rungs = ladder(ARTICLE, checks, others)
    assert [(rung.kind, rung.address) for rung in rungs] == [
        (RungKind.TARGET, "http://a.test/new"),
        (RungKind.AMP, "http://a.test/story/amp"),
        (RungKind.CDN_AMP, "https://a-test.cdn.ampproject.org/c/a.test/story"),
        (RungKind.ARCHIVED, "https://web.archive.org/web/20150102030405/http://a.test/story"),
        (RungKind.OTHER, "http://d.test/lives"),
        (RungKind.OTHER, "http://c.test/never"),
    ]
    assert rungs[-1].why == "told by C␛[31m News: unchecked"


def test_the_ladder_leaves_out_what_is_known_to_be_dead() -> None:
    checks = checked("http://a.test/story", Outcome.GONE, "http://a.test/") | checked(
        ARTICLE.amp_url, Outcome.GONE
    )
    assert [rung.kind for rung in ladder(ARTICLE, checks, [])] == [RungKind.CDN_AMP, RungKind.ARCHIVED]
    assert (
        ladder(replace(ARTICLE, web_url="", amp_url="", cdn_amp_url=""), {}, ["http://b.test/x"])[0].kind
        == "other"
    )


# -- the archive


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


def test_the_archived_copy(server: Loopback) -> None:
    def ask(page: str, at: datetime | None = NOW, base: str = server.url("")) -> object:
        return archived(f"http://site.test/{page}", at, POLICY, base, resolve=to_loopback)

    found = ask("copied")
    taken = datetime(2015, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (found.outcome, found.taken_at) == (Outcome.ALIVE, taken)
    assert found.snapshot == server.url("/web/20150102030405/http://site.test/copied")
    assert server.log[-1].path == "/web/20240501120000/http://site.test/copied"
    assert ask("copied", taken).snapshot == found.snapshot
    assert (ask("never").outcome, ask("never").reason) == (Outcome.MISSING, "no archived copy")
    ask("never", None)
    assert server.log[-1].path == "/web/http://site.test/never"
    assert ask("busy").outcome is Outcome.RATE_LIMITED
    assert ask("astray").outcome is Outcome.PROTOCOL_ERROR
    assert ask("x", NOW, "http://unknown.example").outcome is Outcome.DNS_ERROR
    with pytest.raises(LinkError):
        archived("javascript:alert(1)", None, POLICY, server.url(""))
    closed = archived("http://site.test/x", None, Policy(), server.url(""), resolve=to_loopback)
    assert closed.outcome is Outcome.REFUSED


# -- patches


OLD, NEW = "http://a.test/old", "https://a.test/new"
FILES = {
    "s/plain.md": b"---\nwebUrl: http://a.test/old\nother: 1\n---\n",
    "s/crlf.md": b"---\r\nwebUrl: \"http://a.test/old\"\r\nb: 2\r\nc: 3\r\nd: 4\r\ne: 5\r\nf: 'http://a.test/old'\r\n",
    "s/no newline.md": b"see (http://a.test/old), or\nhttp://a.test/old.",
    "s/bytes-\u00e9.md": b"\xff\xfe http://a.test/old \x80\n",
    "s/mac.md": b"a\rhttp://a.test/old\rb\n"
    + b"line\n" * 30
    + b"[x](http://a.test/old)[y](http://a.test/older)\n",
    "s/untouched.md": b"http://a.test/older http://a.test/old/x http://a.test/old?q x.test/?u=http://a.test/old\n",
}
CHANGED = {
    "s/plain.md": FILES["s/plain.md"].replace(OLD.encode(), NEW.encode()),
    "s/crlf.md": FILES["s/crlf.md"].replace(OLD.encode(), NEW.encode()),
    "s/no newline.md": b"see (https://a.test/new), or\nhttps://a.test/new.",
    "s/bytes-\u00e9.md": b"\xff\xfe https://a.test/new \x80\n",
    "s/mac.md": FILES["s/mac.md"]
    .replace(b"http://a.test/old\r", b"https://a.test/new\r")
    .replace(b"old)[", b"old)[")
    .replace(b"(http://a.test/old)", b"(https://a.test/new)"),
    "s/untouched.md": FILES["s/untouched.md"],
}


def test_a_patch_changes_whole_addresses_and_nothing_else(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("no git here to apply the patch with")
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    diff = moved_patch(FILES.items(), {OLD: NEW, "http://a.test/gone": "javascript:alert(1)"})
    assert "untouched" not in diff
    (tmp_path / "moved.patch").write_bytes(diff.encode("utf-8", "surrogateescape"))
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    command = ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "moved.patch"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path: (tmp_path / path).read_bytes() for path in FILES} == CHANGED


def test_a_target_cannot_break_out_of_where_it_stands() -> None:
    def becomes(text: str, target: str) -> str:
        diff = moved_patch([("f", text.encode())], {OLD: target})
        return next(
            (line[1:] for line in diff.splitlines() if line.startswith("+") and line[:3] != "+++"), ""
        )

    assert becomes(f"a: '{OLD}'", "https://a.test/it's") == "a: 'https://a.test/it%27s'"
    assert becomes(f"[x]({OLD})", "https://a.test/(x") == "[x](https://a.test/%28x)"
    assert becomes(f"a: {OLD}", "https://a.test/x:") == "a: https://a.test/x%3A"
    for wrong in (
        'https://a.test/"x',
        "https://a.test/ x",
        "https://a.test/\nx",
        "https://a.test/\u00fc",
        "ftp://a/",
        OLD,
    ):
        assert becomes(f"a: {OLD}", wrong) == ""
    assert moved_patch([("f", b"nothing")], {OLD: NEW}) == moved_patch([], {}) == ""


# -- shares


def test_shares() -> None:
    rows = [
        LinkRow(2013, "A", Outcome.GONE),
        LinkRow(2013, "A", Outcome.ALIVE),
        LinkRow(2014, "B", Outcome.MOVED),
        LinkRow(2014, "B", Outcome.UNCHECKED),
        LinkRow(None, "C", Outcome.UNCHECKED),
    ]
    years = by_year(rows)
    assert [(share.label, share.total, share.checked, share.alive, share.share) for share in years] == [
        ("2013", 2, 2, 1, 0.5),
        ("2014", 2, 1, 1, 1.0),
        ("undated", 1, 0, 0, None),
    ]
    assert [share.label for share in by_outlet(rows)] == ["A", "B"]
    assert [share.label for share in by_outlet(rows, least=2)] == ["A"]
    assert (overall(rows).groups, overall(rows).share) == (
        {"gone": 1, "alive": 1, "moved": 1, "unchecked": 2},
        2 / 3,
    )
