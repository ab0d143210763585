"""``newsfold links`` as maintainers run it, against a real server on the loopback."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loopback import Loopback
from terminal import Terminal

import reader
from reader.cli.run import run
from reader.config import locate
from reader.model import LinkCheck, Outcome
from reader.store.state import State

ROOT = Path(reader.__file__).parents[1]
HOSTS = tuple(f"127.0.0.{n}" for n in range(1, 8))


@pytest.fixture(autouse=True)
def own_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program installs a hook for errors; give the tester's back."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(HOSTS) as running:
        yield running


def write(folder: Path, name: str, url: str, *, crlf: bool = False, body: str = "", **fields: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"title": name, "webUrl": url} | fields
    lines = ["---", *(f"{key}: {json.dumps(value)}" for key, value in fields.items()), "---", body]
    path = folder / f"{name}.md"
    path.write_bytes(("\r\n" if crlf else "\n").join(lines).encode())
    return path


@pytest.fixture
def news(tmp_path: Path, server: Loopback, capsys: pytest.CaptureFixture[str]) -> Path:
    """A remembered folder: a page that lives, one that moved, some that are gone or refused."""
    folder = tmp_path / "news"
    year = "publishedDateTime"
    alpha, beta = {"name": "Alpha"}, {"name": 'Beta, "quoted"'}
    write(folder, "alive", server.url("/ok", HOSTS[0]), provider=alpha, **{year: "2019-01-01T00:00:00Z"})
    write(
        folder,
        "moved",
        server.url("/to/301/moved-here", HOSTS[1]),
        provider=alpha,
        ampWebUrl=server.url("/page", HOSTS[5]),
        **{year: "2019-02-01T00:00:00Z"},
    )
    write(
        folder, "gone", server.url("/status/410", HOSTS[2]), provider=beta, **{year: "2020-01-01T00:00:00Z"}
    )
    write(
        folder,
        "blocked",
        server.url("/status/403", HOSTS[3]),
        provider=beta,
        **{year: "2020-01-02T00:00:00Z"},
    )
    write(folder, "rude", server.url("/control-phrase", HOSTS[4]), provider=beta)
    write(folder, "far", "ftp://news.test/", provider=beta)
    write(folder, "nowhere", "")
    assert run(["refresh", str(folder)]) == 0
    capsys.readouterr()
    return folder


class Said:
    """What one run of the program wrote."""

    def __init__(self, out: str, err: str) -> None:
        self.out, self.err = out, err
        self.lines = out.splitlines()

    @property
    def outcomes(self) -> dict[str, str]:
        """The word of each article's link, by the article's name."""
        rows = [line.split("\t") for line in self.lines]
        return {row[3].removeprefix("news/").removesuffix(".md"): row[0] for row in rows}


@pytest.fixture
def links(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run ``newsfold links …``."""

    def call(*arguments: str, code: int = 0) -> Said:
        assert run(["links", *arguments]) == code, capsys.readouterr()
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err and "\x9b" not in out + err
        return Said(out, err)

    return call


def state() -> contextlib.closing[State]:
    return contextlib.closing(State.open(locate({}).state_db))


# -- check ----------------------------------------------------------------------


ALL = {
    "alive": "alive",
    "moved": "moved",
    "gone": "gone",
    "blocked": "blocked",
    "rude": "missing",
    "far": "not asked",
}


def test_check(news: Path, server: Loopback, links: Any) -> None:
    refused = links("check")  # loopback is asked only when that is said
    assert set(refused.outcomes.values()) == {"not asked"} and not server.log
    said = links("check", "--allow-private", "--force")
    assert said.outcomes == ALL
    by_name = {line.rsplit("/", 1)[-1]: line.split("\t") for line in said.lines}
    assert by_name["moved.md"][1].startswith("moved 200 ") and "/moved-here" in by_name["moved.md"][1]
    assert by_name["moved.md"][2] == server.url("/to/301/moved-here", HOSTS[1])
    assert "requests to 6 hosts; " in said.err and "1 gone" in said.err
    assert not server.asked("/page")  # AMP pages only with --all
    assert all(s.headers["user-agent"].startswith("newsfold/") for s in server.log)


def test_a_second_run_asks_nothing(news: Path, server: Loopback, links: Any) -> None:
    first = links("check", "--allow-private")
    asked = len(server.log)
    again = links("check", "--allow-private")
    assert len(server.log) == asked and again.outcomes == first.outcomes
    assert "no request; " in again.err
    links("check", "--allow-private", "--force")
    assert len(server.log) >= 2 * asked - 2


def test_stale(news: Path, server: Loopback, links: Any) -> None:
    week = datetime.now(UTC) - timedelta(days=8)
    with state() as opened:
        opened.record_checks([LinkCheck(server.url("/ok", HOSTS[0]), Outcome.ALIVE, week)])
    links("check", "--allow-private")  # a living page holds for a month
    asked = len(server.log)
    assert asked and not server.asked("/ok")
    links("check", "--allow-private", "--stale", "7d")
    assert [s.path for s in server.log[asked:]] == ["/ok"]
    links("check", "--allow-private", "--stale", "0m", "outlet:alpha")
    assert {s.path for s in server.log[asked + 1 :]} == {"/ok", "/to/301/moved-here", "/moved-here"}
    for wrong in ("7", "d", "soon", "-1d", "7y", "9999999d"):
        assert "no period" in links("check", f"--stale={wrong}", code=2).err


def test_a_query(news: Path, server: Loopback, links: Any) -> None:
    said = links("check", "--allow-private", "outlet:alpha", "published:2019-01")
    assert said.outcomes == {"alive": "alive"} and {s.path for s in server.log} == {"/ok"}
    asked = len(server.log)
    for wrong in ("colour:red", "published:2023-13"):  # what is left of it would be every article
        said = links("check", "--allow-private", wrong, code=2)
        assert "column" in said.err and wrong in said.err
    assert len(server.log) == asked
    assert links("check", "title:nothing-such").lines == []


def test_fail_on(news: Path, server: Loopback, links: Any) -> None:
    links("check", "--allow-private", "--fail-on", "gone", code=1)
    links("check", "--allow-private", "--fail-on", "gone,error", code=1)  # known already, still a failure
    links("check", "--allow-private", "--fail-on", "blocked, timeout", code=1)
    links("check", "--allow-private", "--fail-on", "timeout,dns-error")
    links("check", "--allow-private", "--fail-on", "gone", "outlet:alpha")
    links("check", "--allow-private", "--fail-on", "moved", "outlet:alpha", code=1)
    links("check", "--allow-private", "--fail-on", "refused", "title:far", code=1)
    links("check", "--allow-private", "--fail-on", "missing", "title:rude", code=1)
    asked = len(server.log)
    for wrong in ("dead", "gone,dead", "Gone"):
        assert "is none of alive, blocked" in links("check", "--force", "--fail-on", wrong, code=2).err
    assert len(server.log) == asked
    assert links("check", "--json", "--allow-private", "--fail-on", "gone", code=1).out.startswith(
        '{"schema": 1'
    )


def test_json(news: Path, server: Loopback, links: Any) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    found = json.loads(links("check", "--allow-private", "--json").out)
    assert (found["schema"], found["put_off"]) == (1, [])
    by_path = {item["path"].split("/")[1]: item for item in found["links"]}
    moved, gone, far = by_path["moved.md"], by_path["gone.md"], by_path["far.md"]
    assert (moved["outcome"], moved["group"], moved["status"]) == ("moved", "moved", 200)
    assert moved["target"] == server.url("/moved-here", HOSTS[1])
    assert (gone["outcome"], gone["status"], gone["target"], gone["last_alive"]) == ("gone", 410, None, None)
    assert gone["first_dead"] == gone["checked_at"]
    assert before < datetime.fromisoformat(gone["checked_at"]) <= datetime.now(UTC)
    assert (far["outcome"], far["group"], far["status"]) == ("refused", "unchecked", None)
    assert by_path["alive.md"]["last_alive"] and isinstance(by_path["alive.md"]["elapsed_ms"], int)
    assert "suggestions" not in moved


def test_csv(news: Path, server: Loopback, links: Any) -> None:
    write(news, '=1+1,"x"', server.url("/status/404", HOSTS[6]), provider={"name": "Alpha"})
    said = links("check", "--allow-private", "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert len(rows) == 7 and set(rows[0]) == {
        *("outcome", "status", "address", "target", "reason", "checked_at", "elapsed_ms", "path"),
    }
    by_path = {row["path"]: row for row in rows}
    assert by_path['news/=1+1,"x".md']["outcome"] == "missing"
    assert by_path["news/moved.md"]["target"] == server.url("/moved-here", HOSTS[1])
    assert datetime.strptime(rows[0]["checked_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert "not allowed" in links("check", "--csv", "--json", code=2).err


def test_gone_takes_two_404s_a_day_apart(news: Path, server: Loopback, links: Any) -> None:
    lost, suspected = server.url("/nothing/lost", HOSTS[6]), server.url("/nothing/suspected", HOSTS[6])
    for name, address, before in (
        ("lost", lost, Outcome.MISSING),
        ("suspected", suspected, Outcome.SOFT_404),
    ):
        write(news, name, address)
        with state() as opened:
            opened.record_checks([LinkCheck(address, before, datetime.now(UTC) - timedelta(days=9))])
    said = links("check", "--allow-private", "url:nothing")
    assert said.outcomes == {"lost": "gone", "suspected": "missing"}


def test_all_and_probe(news: Path, server: Loopback, links: Any) -> None:
    said = links("check", "--allow-private", "--all", "outlet:alpha")
    assert len(said.lines) == 3 and server.asked("/page") == ["HEAD"]
    write(news, "anything", server.url("/catch-all/deep/page", HOSTS[6]))
    assert links("check", "--allow-private", "title:anything").outcomes == {"anything": "alive"}
    said = links("check", "--allow-private", "--force", "--probe", "title:anything")
    assert said.outcomes == {"anything": "soft 404?"}


def test_suggest(news: Path, server: Loopback, links: Any) -> None:
    archive = "https://archive.test"
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "newsfold" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'archive_url = "{archive}"\n')
    dead = server.url("/status/410", HOSTS[2])
    write(
        news,
        "gone",
        dead,
        publishedDateTime="2020-01-01T00:00:00Z",
        ampWebUrl=server.url("/page", HOSTS[5]),
        related=[{"title": "gone", "webUrl": server.url("/ok/other", HOSTS[6]), "provider": {"name": "Echo"},
                  "publishedDateTime": "2020-01-01T00:00:00Z"}],
    )  # fmt: skip
    said = links("check", "--allow-private", "--suggest", "title:gone OR title:alive")
    instead = [line.split("\t") for line in said.lines if line.split("\t")[0].strip() == "instead"]
    assert [(row[2], row[3]) for row in instead] == [  # and none for the living
        (server.url("/page", HOSTS[5]), "news/gone.md"),
        (f"{archive}/web/20200101000000/{dead}", "news/gone.md"),
        (server.url("/ok/other", HOSTS[6]), "news/gone.md"),
    ]
    found = json.loads(links("check", "--suggest", "--json", "title:gone").out)
    assert [s["kind"] for s in found["links"][0]["suggestions"]] == ["amp", "archived", "other"]
    assert not server.asked("/page")  # nothing is asked for a suggestion


@pytest.mark.parametrize("setting", ["", "link_proxies = false\n", "link_proxies = true\n"])
def test_the_settings_decide_on_proxies(
    news: Path, server: Loopback, links: Any, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "newsfold" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(setting)
    gone = server.url("/status/410", HOSTS[2])
    with Loopback() as proxy:  # asked for a whole address it answers 200
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        said = links("check", "--allow-private", "title:gone")
        if "true" in setting:
            assert said.outcomes == {"gone": "alive"}
            assert {s.path for s in proxy.log} == {gone} and not server.log
        else:
            assert said.outcomes == {"gone": "gone"}
            assert not proxy.log and {s.path for s in server.log} == {"/status/410"}


def test_hosts_that_ask_for_peace(news: Path, server: Loopback, links: Any) -> None:
    for n in range(9):
        write(news, f"busy-{n}", server.url(f"/always-later?{n}", HOSTS[6]))
    said = links("check", "--allow-private", "--json", "url:always")
    found = json.loads(said.out)
    assert len(found["links"]) + len(found["put_off"]) == 9 and len(found["put_off"]) >= 1
    assert "put off: their hosts asked for peace" in said.err


def test_mistakes(news: Path, server: Loopback, links: Any) -> None:
    for wrong in (
        ("report", "outlet:alpha"),
        ("report", "--patch"),
        ("report", "--stale", "7d"),
        ("moved", "--csv"),
        ("moved", "--force"),
        ("moved", "--allow-private"),
        ("moved", "--patch", "--json"),
        ("moved", "a query"),
        (),
        ("check", "--patch"),
        ("nothing",),
    ):
        said = links(*wrong, code=2)
        assert said.out == "" and said.err.startswith("newsfold: "), wrong
    assert not server.log


def test_on_a_terminal(news: Path, server: Loopback, links: Any) -> None:
    write(news, "slow", server.url("/head-later", HOSTS[6]))
    command = [sys.executable, "-m", "reader", "links", "check", "--allow-private"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Terminal(command, env, (100, 30)) as terminal:
        assert terminal.wait_end() == 0
        text = terminal.text
    assert "gone" in text and server.url("/status/410", HOSTS[2]) in text
    assert server.url("/ok", HOSTS[0]) not in text and "1 alive" in text  # only what needs a look
    assert b" a second" in terminal.raw and " a second" not in text  # the progress has gone again
    with Terminal([*command[:4], "report"], env, (60, 30)) as terminal:
        assert terminal.wait_end() == 0
        assert "By year" in terminal.text and all(len(line) <= 60 for line in terminal.text.split("\n"))


HOSTILE = {
    "to_meta": "refused",
    "to_js": "refused",
    "to_file": "refused",
    "to_creds": "refused",
    "to_bad": "protocol-error",
    "loop": "protocol-error",
    "1xx": "protocol-error",
    "headers_endless": "protocol-error",
    "onehdr": "protocol-error",
    "hang": "timeout",
    "slow_headers": "timeout",
    "slow_body": "alive",
    "endless": "alive",
    "gzip1g": "alive",
    "gzipgzip": "alive",
    "esc": "missing",
    "reset": "connect-error",
}


@pytest.mark.slow
def test_the_hostile_server(tmp_path: Path, hostile: Path) -> None:
    """Every misbehaviour of a server that others wrote: an outcome, in time, in little memory, clean."""
    script = hostile / "http_server.py"
    paths = set(re.findall(r'p=="/(\w+)"', script.read_text())) | {"inc0"}
    assert HOSTILE.keys() <= paths
    folder = tmp_path / "hostile"
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            port = int(child.stdout.readline())
            for path in paths:
                write(folder, path, f"http://127.0.0.1:{port}/{path}")
            assert run(["refresh", str(folder)]) == 0
            command = [sys.executable, "-m", "reader", "links", "check", "--allow-private", "--json"]
            asking = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
            assert asking.stdout is not None
            out = asking.stdout.read()
            asking.wait()
            asking.stdout.close()
        finally:
            child.kill()
    found = {link["path"].split("/")[1][:-3]: link for link in json.loads(out)["links"]}
    assert found.keys() == paths and asking.returncode == 0
    assert {name: found[name]["outcome"] for name in HOSTILE} == HOSTILE
    assert not [c for link in found.values() for c in link["reason"] if c < " " or "\x7f" <= c < "\xa0"]
    assert all(link["elapsed_ms"] < 21_000 for link in found.values())


# -- report ---------------------------------------------------------------------


def test_report(news: Path, server: Loopback, links: Any) -> None:
    said = links("report")
    assert "never asked" in said.out
    links("check", "--allow-private")
    asked = len(server.log)
    said = links("report")
    assert len(server.log) == asked
    text = said.out
    assert text.index("By year") < text.index("2019") < text.index("2020") < text.index("undated")
    assert "100% of 2 alive" in next(line for line in said.lines if "2019" in line)
    assert " 0% of 2 alive" in next(line for line in said.lines if "2020" in line)
    outlets = said.lines[said.lines.index("By outlet, worst first") + 1 :]
    assert [line.split()[0] for line in outlets if line] == ["Beta,", "Alpha"]
    found = json.loads(links("report", "--json").out)
    assert [(y["label"], y["total"], y["checked"], y["alive"]) for y in found["years"]] == [
        ("2019", 2, 2, 2),
        ("2020", 2, 2, 0),
        ("undated", 2, 1, 0),  # the other was refused: not asked
    ]
    assert found["outlets"][0]["groups"] == {"gone": 2, "blocked": 1, "unchecked": 1}
    assert (found["all"]["total"], found["all"]["alive"], found["all"]["share"]) == (6, 2, 2 / 5)


# -- moved ----------------------------------------------------------------------


def git(folder: Path, *arguments: str, **more: Any) -> bytes:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    settings = ("user.name=t", "user.email=t@t.test", "core.autocrlf=false")
    names = [part for setting in settings for part in ("-c", setting)]
    done = subprocess.run(
        ["git", *names, *arguments], cwd=folder, env=env, capture_output=True, check=False, **more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("where", [".", "site/_news"])
def test_moved_patch_applies_byte_for_byte(
    tmp_path: Path, server: Loopback, where: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    repository = tmp_path / "repo"
    folder = repository / where
    old, new = server.url("/to/301/moved-here", HOSTS[1]), server.url("/moved-here", HOSTS[1])
    write(folder, "plain", old, body=f"Read [it]({old}) or <{old}>.\n\nNot {old}/longer.\n")
    write(folder / "deep", "crlf", old, crlf=True, body=f'<a href="{old}">\r\n\r\nend')
    write(folder, "a name", old, body="no newline at the end")
    (folder / "b\u00e4r.md").write_bytes(
        f"---\ntitle: x\nwebUrl: {old}\n---\n\xe9 broken \xff".encode("latin-1")
    )
    mention = [{"title": "Plain", "webUrl": old}]
    write(folder, "mentions", server.url("/ok", HOSTS[0]), related=mention)
    write(folder, "temporary", server.url("/to/302/about", HOSTS[2]))
    write(folder, "untouched", server.url("/ok/2", HOSTS[0]))
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "as it was")
    before = {path: path.read_bytes() for path in folder.rglob("*.md")}
    assert run(["refresh", str(folder)]) == 0
    assert run(["links", "moved", "--patch"]) == 0
    assert b"no link is known to have moved" in capsysbinary.readouterr().err
    assert run(["links", "check", "--allow-private"]) == 0
    capsysbinary.readouterr()
    assert run(["links", "moved", "--patch"]) == 0
    diff, said = capsysbinary.readouterr()
    assert f"to be applied in {folder}".encode() in said
    assert {path: path.read_bytes() for path in before} == before  # nothing is written by us
    git(folder, "apply", "--check", "-", input=diff)
    git(folder, "apply", "-", input=diff)
    for path, data in before.items():
        wanted = data if b"longer" not in data else data.replace(old.encode() + b"/longer", b"KEPT")
        wanted = wanted.replace(old.encode(), new.encode()).replace(b"KEPT", old.encode() + b"/longer")
        assert path.read_bytes() == wanted, path
    changed = git(repository, "-c", "core.quotepath=off", "diff", "--name-only").decode().split("\n")
    assert sorted(Path(name).name for name in changed if name) == sorted(
        ["plain.md", "crlf.md", "a name.md", "b\u00e4r.md", "mentions.md"]
    )
    git(folder, "apply", "-R", "-", input=diff)
    assert {path: path.read_bytes() for path in before} == before


def test_moved(news: Path, server: Loopback, links: Any) -> None:
    assert links("moved").lines == []
    links("check", "--allow-private")
    old, new = server.url("/to/301/moved-here", HOSTS[1]), server.url("/moved-here", HOSTS[1])
    assert links("moved").lines == [f"{old}\t{new}\tnews/moved.md"]
    found = json.loads(links("moved", "--json").out)
    assert found["moved"] == [{"address": old, "target": new, "paths": ["news/moved.md"]}]
    other = news.parent / "more"
    write(other, "second", old)
    assert run(["refresh", str(other)]) == 0
    links("check", "--allow-private")
    diff = links("moved", "--patch").out
    assert "--- a/news/moved.md" in diff and "--- a/more/second.md" in diff  # from the folder that holds both
    subprocess.run(["git", "apply", "--check", "-"], input=diff.encode(), cwd=news.parent, check=True)
    (news / "moved.md").write_text(f'---\ntitle: moved\nwebUrl: "{old.replace("/to", "/%74o")}"\n---\n')
    assert "more/second.md" in links("moved", "--patch", "--no-refresh").out


def test_a_patch_keeps_anchors_finds_amp_pages_and_passes_links_over(
    tmp_path: Path, server: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = tmp_path / "repo"
    moved, there = server.url("/to/301/moved-here", HOSTS[1]), server.url("/moved-here", HOSTS[1])
    write(repository, "anchor", f"{moved}#part2")
    write(repository, "amp", server.url("/ok", HOSTS[0]), ampWebUrl=f"{moved}?amp")
    (repository / "link.md").symlink_to("anchor.md")
    (repository / "inner").symlink_to(tmp_path / "elsewhere")
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "as it was")
    assert run(["refresh", str(repository)]) == 0
    assert run(["links", "check", "--allow-private", "--all"]) == 0
    capsys.readouterr()
    assert run(["links", "moved", "--patch"]) == 0
    git(repository, "apply", "-", input=capsys.readouterr().out.encode())
    assert f'"{there}#part2"' in (repository / "anchor.md").read_text()
    assert f'"{there}?amp"' in (repository / "amp.md").read_text()
    assert (repository / "link.md").is_symlink()


def test_marks_survive_the_patch(
    tmp_path: Path, server: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "repo"
    write(folder, "m", server.url("/to/301/moved-here", HOSTS[1]))
    git(folder, "init", "-q")
    assert run(["refresh", str(folder)]) == 0
    assert run(["mark", "m.md", "--star", "--read"]) == 0
    assert run(["links", "check", "--allow-private"]) == 0
    capsys.readouterr()
    assert run(["links", "moved", "--patch"]) == 0
    git(folder, "apply", "-", input=capsys.readouterr().out.encode())
    assert run(["search", "is:read", "is:starred", "--ids"]) == 0
    assert capsys.readouterr().out == server.url("/moved-here", HOSTS[1]) + "\n"


def test_private_addresses_are_asked_as_soon_as_they_may_be(news: Path, server: Loopback, links: Any) -> None:
    assert "no request; 6 not asked" in links("check").err
    assert "0% of" not in links("report").out  # nothing is known of any
    asked = links("check", "--allow-private").outcomes
    assert asked == ALL
    said = links("check", "--stale", "0m")
    assert said.outcomes == ALL  # that they may not be asked now says nothing of them
    assert "5 not asked, as their addresses are private: what they answered before stands" in said.err
    assert len(json.loads(links("moved", "--json").out)["moved"]) == 1


def test_what_a_query_leaves_out_is_no_option(news: Path, server: Loopback, links: Any) -> None:
    links("check", "--allow-private", "-outlet:alpha", "-title:rude")
    assert {seen.path for seen in server.log} == {"/status/410", "/status/403"}


def test_a_patch_on_a_terminal_is_clean(news: Path, server: Loopback, links: Any) -> None:
    old = server.url("/to/301/moved-here", HOSTS[1])
    (news / "evil.md").write_bytes(f"---\ntitle: x\nwebUrl: {old}\n---\n\x1b]0;owned\x07 \x9b31m\n".encode())
    links("check", "--allow-private")
    command = [sys.executable, "-m", "reader", "links", "moved", "--patch"]
    with Terminal(command, {**os.environ, "PYTHONPATH": str(ROOT)}, (120, 40)) as terminal:
        assert terminal.wait_end() == 0
    assert b"+webUrl" in terminal.raw and b"\x1b]0" not in terminal.raw and b"\x07" not in terminal.raw


# -- beside others, and cut short ---------------------------------------------------


def start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "reader", *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a shell's background job ignores it
    )


def known(*addresses: str) -> dict[str, Outcome]:
    with state() as opened:
        return {address: check.outcome for address, check in opened.checks(addresses).items()}


def until(true: Any) -> None:
    import time

    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_what_is_finished_is_kept(news: Path, server: Loopback, links: Any, how: signal.Signals) -> None:
    slow = [server.url(f"/wait/{n}", HOSTS[6]) for n in range(3)]
    for n, address in enumerate(slow):
        write(news, f"slow-{n}", address)
    child = start("links", "check", "--allow-private")
    gone = server.url("/status/410", HOSTS[2])
    until(lambda: server.asked("/wait/0") or server.asked("/wait/1"))
    until(lambda: gone in known(gone))
    child.send_signal(how)
    _, err = child.communicate(timeout=30)
    assert child.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
    assert b"Traceback" not in err
    assert known(gone, *slow) == {gone: Outcome.GONE}
    asked = len(server.log)
    server.release.set()
    said = links("check", "--allow-private")  # goes on where it was
    assert said.outcomes == ALL | {f"slow-{n}": "alive" for n in range(3)}
    assert not [s for s in server.log[asked:] if s.host.startswith(HOSTS[2])]


def test_others_may_have_it_open(news: Path, server: Loopback, links: Any) -> None:
    alive = server.url("/ok", HOSTS[0])
    with state() as opened:
        opened.set_starred([alive], True)
        both = [start("links", "check", "--allow-private", "--json") for _ in range(2)]
        opened.record_checks([LinkCheck("http://x.test/", Outcome.ALIVE, datetime.now(UTC))])
        for child in both:
            out, err = child.communicate(timeout=60)
            assert child.returncode == 0, err
            assert {
                link["path"].split("/")[1][:-3]: link["outcome"] for link in json.loads(out)["links"]
            } == {name: {"not asked": "refused"}.get(word, word) for name, word in ALL.items()}
        assert opened.checks([alive])[alive].outcome is Outcome.ALIVE and opened.mark(alive).starred
