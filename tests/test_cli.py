"""The command line as others run it: processes, pipes, terminals, exit codes."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import reader
from reader.cli.parser import parse
from reader.cli.run import plain, run
from reader.store.state import State

ROOT = Path(reader.__file__).parents[1]
NEWSFOLD = (sys.executable, "-m", "reader")
Done = subprocess.CompletedProcess[str]


def newsfold(*arguments: str, cwd: Path | None = None) -> Done:
    """Run the program to its end, in this process: the same way, only without an interpreter's start."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with contextlib.chdir(cwd or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    written = []
    for stream in (out, err):
        stream.seek(0)
        written.append(stream.read())
    return Done(arguments, code, *written)


def process(*arguments: str, env: Mapping[str, str] = {}, **more: Any) -> Done:
    """Run the program in a process of its own."""
    return subprocess.run(
        [*NEWSFOLD, *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        **{"stdout": subprocess.PIPE, **more},
    )


@pytest.fixture(autouse=True)
def own_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program installs a hook for errors; give the tester's back."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


def on_terminal(*arguments: str, columns: int = 60) -> tuple[int, str]:
    """Run the program on a terminal of its own; its exit code and what it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [*NEWSFOLD, *arguments]
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    child = subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            data = os.read(ours, 65_536)
        except OSError:  # how Linux says that nobody has the terminal open any more
            break
        if not data:
            break
        written += data
    os.close(ours)
    return child.wait(timeout=60), written.decode()


def told(done: Done) -> str:
    """The one line of an error."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("newsfold: ")
    return line.removeprefix("newsfold: ")


def article(folder: Path, name: str, **fields: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{field}: {json.dumps(value)}" for field, value in fields.items()]
    path.write_text("\n".join(["---", *lines, "---", ""]))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """A folder with five articles, one broken file and one warning."""
    folder = tmp_path / "news"
    one = {"webUrl": "https://a.example/one?utm_source=x", "provider": {"name": "Alpha"}}
    related = [{"title": "Two", "webUrl": "https://b.example/two", "provider": {"name": "Beta"}}]
    article(
        folder,
        "_news/2020-06-11-one.md",
        title="One \x1b]0;evil\x07title [@click=app.bell]x[/]",
        publishedDateTime="2020-06-11T00:01:00Z",
        topics=["Science", "Höhenflüge"],
        related=related,
        excerpt="An excerpt that is long enough to be wrapped on any terminal of sixty columns, twice over.",
        **one,
    )
    article(
        folder,
        "_news/2020-06-12-two.md",
        title="Two",
        webUrl="https://b.example/two",
        ampWebUrl="https://b.example/amp/two",
        publishedDateTime="2020-06-12T00:00:00Z",
        provider={"name": "Beta"},
        topics=["Science"],
        quality=40,
        unknown={"deep": [1, None, "3.10"]},
    )
    when = "2020-06-13T00:00:00Z"
    article(folder, "three.md", title="三つ目の記事" * 12, publishedDateTime=when, quality="much")
    article(folder, "four.md", title="Four", topics=["Other"], heat=3)
    article(folder, "five.md", title="Five", topics=["Other"], heat=9)
    (folder / "broken.md").write_text("---\ntitle: x\nheat: [1\n---\n")
    os.utime(folder / "broken.md", (1_600_000_000, 1_600_000_000))
    return folder


# -- the program itself ---------------------------------------------------------


def test_what_needs_no_parser_is_read_as_the_parser_does() -> None:
    for said in ([], ["news"], ["./list", "list"], ["a b", ""], ["--version"]):
        assert vars(plain(said)) == vars(parse(said))  # type: ignore[arg-type]
    for said in (["list"], ["--sample"], ["news", "--version"], ["--version", "news"], ["-h"], ["--", "x"]):
        assert plain(said) is None


def test_version_and_help() -> None:
    assert newsfold("--version").stdout == f"newsfold {reader.__version__}\n"
    shown = newsfold("--help")
    assert shown.returncode == 0
    for word in ("refresh", "forget", "--data-dir", "NEWSFOLD_CACHE_DIR", "./list", "exit codes", "141"):
        assert word in shown.stdout
    for command in ("refresh", "list", "show", "open", "mark", "check", "problems", "folders", "forget"):
        shown = newsfold(command, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert f"usage: newsfold {command}" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--nonsense"], 2),
        (["list", "--limit", "x"], 2),
        (["list", "--limit", "-1"], 2),
        (["list", "--sort", "best"], 2),
        (["show"], 2),
        (["mark", "x"], 2),
        (["mark", "x", "--read", "--unread"], 2),
        (["--data-dir"], 2),
        (["--data-dir", "", "list"], 2),
        (["list"], 2),  # nothing is remembered
        (["list", "/no/such/folder"], 3),
        (["list", "/etc/passwd"], 3),
        (["--sample", "show", "nothing-like-it"], 5),
        (["--sample", "show", ""], 5),
        (["--sample", "list", "--topic", "nothing like it"], 5),
        (["forget", "/no/such/folder"], 5),
        ([], 2),  # no terminal
    ],
)
def test_errors_are_one_clear_line(arguments: list[str], code: int) -> None:
    done = newsfold(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert len(told(done)) > 10


def test_a_hostile_name_is_shown_clean() -> None:
    done = newsfold("list", "/no/\x1b[31mred\nnewline\u202e")
    assert done.returncode == 3
    assert "\x1b" not in done.stderr
    assert "␛[31mred newline" in told(done)


def test_settings_are_complained_of_and_do_not_stop(news: Path, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("sort = 'heat'\ndwell = 'x'\n")
    done = newsfold("list", str(news), "--config-dir", str(tmp_path))
    assert done.returncode == 0
    assert told(done) == f"{tmp_path}/config.toml:2: dwell: must be a number"
    assert [line.split("\t")[4] for line in done.stdout.splitlines()][:2] == ["Five", "Four"]


def test_every_place_can_be_moved(news: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = [f"--{name}-dir={tmp_path}/{name}" for name in ("data", "config", "cache", "state")]
    assert newsfold("list", str(news), *flags).returncode == 0
    assert (tmp_path / "data/state.db").exists()
    assert len(list((tmp_path / "cache").glob("library-*.db"))) == 1
    assert not (tmp_path / "home").exists()
    monkeypatch.setenv("NEWSFOLD_DATA_DIR", str(tmp_path / "d"))
    monkeypatch.setenv("NEWSFOLD_CACHE_DIR", str(tmp_path / "c"))
    assert newsfold("list", str(news)).returncode == 0
    assert (tmp_path / "d/state.db").exists()


def test_marks_that_cannot_be_kept(news: Path) -> None:
    place = ["--data-dir", "/proc/nowhere"]
    done = newsfold("list", str(news), *place)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 5)
    assert "cannot" in told(done)
    done = newsfold("mark", "--sample", "rust-10.md", "--read", *place)
    assert (done.returncode, done.stdout) == (4, "")


# -- list --------------------------------------------------------------------------


def listed(*arguments: str) -> list[str]:
    done = newsfold("list", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("\t")[4].split(" ")[0][:5] for line in done.stdout.splitlines()]


def test_list(news: Path) -> None:
    at = str(news)
    assert listed(at)[:3] == ["三つ目の記", "Two", "One"]
    assert listed(at, "--sort", "heat")[:2] == ["Five", "Four"]
    assert sorted(listed(at, "--topic", "science")) == ["One", "Two"]
    assert listed(at, "--topic", "HÖHENFLÜGE") == ["One"]
    assert listed(at, "--outlet", "beta", "--topic", "Science") == ["Two"]
    assert listed(at, "--outlet", "beta", "--topic", "Other") == []
    assert listed(at, "--limit", "0") == []
    assert len(listed(at, "--limit", "2")) == 2
    assert "near it: Science" in told(newsfold("list", at, "--topic", "Scence"))


def test_list_piped_is_whole_and_clean(news: Path) -> None:
    out = newsfold("list", str(news)).stdout
    assert "三つ目の記事" * 12 in out
    assert "One ␛]0;evil␇title [@click=app.bell]x[/]" in out
    assert "https://a.example/one" in out
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", out)


def test_list_on_a_terminal_fits(news: Path) -> None:
    from rich.cells import cell_len

    code, out = on_terminal("list", str(news), columns=60)
    assert code == 0
    lines = out.rpartition("\r\x1b[K")[2].splitlines()
    assert len(lines) == 5
    assert [line for line in lines if cell_len(line) > 60] == []
    assert any(line.endswith("…") for line in lines)
    remember(news)
    code, out = on_terminal("show", "2020-06-11-one.md", columns=40)
    assert code == 0
    assert all(cell_len(line) <= 40 for line in out.rpartition("\r\x1b[K")[2].splitlines())


def test_progress_shows_on_a_terminal_only(news: Path) -> None:
    _, out = on_terminal("refresh", str(news), columns=80)
    assert "reading news: 6 of 6 files" in out
    assert "6 files: 5 new, 1 unreadable" in out


def test_other_encodings_do_not_crash(news: Path) -> None:
    c = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for env in (c, {"PYTHONIOENCODING": "latin-1:strict"}):
        done = process("list", str(news), env=env)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\\u4e09\\u3064" in done.stdout


# -- JSON -----------------------------------------------------------------------------


def documents(*arguments: str) -> dict[str, Any]:
    done = newsfold(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    return document


def test_json_is_exact_and_whole(news: Path) -> None:
    articles = {a["path"]: a for a in documents("list", str(news))["articles"]}
    assert len(articles) == 5
    one = articles["news/_news/2020-06-11-one.md"]
    assert one["key"] == "https://a.example/one"
    assert one["title"] == "One \x1b]0;evil\x07title [@click=app.bell]x[/]"
    assert one["fields"]["webUrl"] == "https://a.example/one?utm_source=x"
    assert one["fields"]["related"][0]["provider"] == {"name": "Beta"}
    assert (one["read"], one["starred"], one["tags"], one["note"], one["links"]) == (False, False, [], "", [])
    assert articles["news/_news/2020-06-12-two.md"]["fields"]["unknown"] == {"deep": [1, None, "3.10"]}
    assert articles["news/three.md"]["warnings"][0]["field"] == "quality"
    assert articles["news/four.md"]["key"] == "file:news/four.md"


def test_json_of_every_real_file(corpus: Path) -> None:
    document = documents("list", str(corpus))
    assert len(document["articles"]) == 625
    assert document["problems"] == []
    assert len({a["path"] for a in document["articles"]}) == 625
    assert documents("list", str(corpus), "--limit", "1")["articles"] == document["articles"][:1]


def test_json_names_files_that_went_meanwhile(news: Path) -> None:
    newsfold("refresh", str(news))
    (news / "four.md").unlink()
    (news / "five.md").write_text("---\nx: [\n---\n")
    document = documents("list", str(news), "--no-refresh")
    assert len(document["articles"]) == 3
    assert {p["path"] for p in document["problems"]} == {"news/four.md", "news/five.md"}
    assert documents("list", str(news))["problems"] == []


def test_an_empty_list_is_a_document_too(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert documents("list", str(tmp_path / "empty")) == {"schema": 1, "articles": [], "problems": []}


# -- one article ------------------------------------------------------------------------


def remember(folder: Path) -> None:
    """What opening the screen on it does."""
    state = State.open(Path(os.environ["XDG_DATA_HOME"]) / "newsfold/state.db")
    state.add_source(folder)
    state.close()


@pytest.fixture
def known(news: Path) -> Path:
    """The folder, remembered."""
    remember(news)
    return news


def test_the_ways_to_name_an_article(known: Path) -> None:
    for key in (
        "https://b.example/two",
        " HTTPS://B.example:443/two?utm_campaign=1#top",
        "https://b.example/amp/two",
        "news/_news/2020-06-12-two.md",
        "_news/2020-06-12-two.md",
        "2020-06-12-two.md",
        "two.md",
        str(known / "_news/2020-06-12-two.md"),
    ):
        (found,) = documents("show", key)["articles"]
        assert found["title"] == "Two", key
    shown = newsfold("show", "./2020-06-12-two.md", cwd=known / "_news")
    assert shown.stdout.startswith("Two\n")
    assert "several" in told(newsfold("show", ".md"))
    assert documents("show", "file:news/four.md")["articles"][0]["title"] == "Four"


def test_show(known: Path) -> None:
    out = process("show", "https://a.example/one", env={"TZ": "America/New_York"}).stdout
    assert "2020-06-10 20:01" in out
    assert "topics: Science, Höhenflüge" in out
    assert "https://a.example/one?utm_source=x\n" in out
    assert "key: https://a.example/one\n" in out
    assert "coverage (1):" in out
    assert "\tBeta\t" in out
    assert "\x1b" not in out


def test_mark(known: Path) -> None:
    done = newsfold("mark", "two.md", "https://a.example/one", "--read", "--star")
    assert (done.stdout, done.returncode) == ("read 2 articles\nstarred 2 articles\n", 0)
    assert sorted(listed("--starred")) == ["One", "Two"]
    assert sorted(listed("--unread")) == ["Five", "Four", "三つ目の記"]
    assert newsfold("mark", "two.md", "--unread").stdout == "unread 1 article\n"
    assert listed("--starred", "--unread") == ["Two"]
    two = documents("show", "two.md")["articles"][0]
    assert (two["read"], two["starred"]) == (False, True)
    assert newsfold("mark", "two.md", "nothing", "--unstar").returncode == 5
    assert sorted(listed("--starred")) == ["One", "Two"]  # all or none


@pytest.mark.skipif(sys.platform == "darwin", reason="names there are UTF-8")
def test_a_key_as_it_was_printed_names_its_article(news: Path) -> None:
    for name in (b"n\xe9.md", b"two  blanks.md", b" lead.md"):
        (news / os.fsdecode(name)).write_text(f"---\ntitle: {name.hex()}\n---\n")
    newsfold("refresh", str(news))
    keys = [line.split("\t")[5] for line in newsfold("list").stdout.splitlines()]
    keys += newsfold("search", "is:unread", "--ids").stdout.splitlines()
    articles = documents("list")["articles"]
    keys += [article[field] for article in articles for field in ("key", "path")]
    odd = [key for key in keys if not key.startswith("http") and key.isprintable() is not None]
    assert len([key for key in odd if "blanks" in key]) == 4
    for key in keys:
        assert newsfold("mark", key, "--star").returncode == 0, key
    assert len(listed("--starred")) == len(articles)


def test_folders_of_one_name_share_no_marks(tmp_path: Path) -> None:
    one, two = tmp_path / "one/news", tmp_path / "two/news"
    for folder, title in ((one, "Bread"), (two, "Quanta")):
        folder.mkdir(parents=True)
        (folder / "index.md").write_text(f"---\ntitle: {title}\n---\nWords.\n")

    def starred(*folders: Path) -> list[str]:
        said = documents("list", *map(str, folders), "--starred")["articles"]
        return [article["title"] for article in said]

    newsfold("refresh", str(one), str(two))
    newsfold("mark", str(one / "index.md"), "--star")
    for folders in ((one,), (two,), (one, two), (two, one), ()):
        assert starred(*folders) == ([] if folders == (two,) else ["Bread"])
    newsfold("forget", str(one))
    assert starred() == [] and starred(one) == ["Bread"]
    one.rename(tmp_path / "moved")  # its name is free again, for the place it went to as well
    (tmp_path / "three").mkdir()
    (tmp_path / "moved").rename(tmp_path / "three/news")
    assert starred(tmp_path / "three/news") == ["Bread"]
    assert starred() == []


def test_hidden_and_shown_again(known: Path) -> None:
    assert newsfold("mark", "two.md", "--hide").stdout == "hid 1 article\n"
    assert "Two" not in listed()
    assert newsfold("search", "is:hidden", "--count").stdout == "1\n"
    assert newsfold("mark", "two.md", "--unhide").stdout == "showed 1 article\n"
    assert "Two" in listed()
    assert newsfold("mark", "two.md").returncode == 2


def test_marks_are_safe_from_a_lost_index(known: Path) -> None:
    newsfold("mark", "two.md", "--star")
    (library,) = (known.parent / "home/cache/newsfold").glob("library-*.db")
    library.write_bytes(b"not a database at all" * 500)
    assert listed("--starred") == ["Two"]


def test_open_uses_the_browser(known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {record}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    done = newsfold("open", "two.md", "https://a.example/one")
    assert (done.returncode, done.stderr) == (0, "")
    assert record.read_text() == "https://b.example/two\nhttps://a.example/one?utm_source=x\n"
    done = newsfold("open", "four.md")
    assert (done.returncode, "no address" in told(done)) == (2, True)
    monkeypatch.setenv("BROWSER", "/no/such/browser")
    assert newsfold("open", "two.md").returncode == 7


class Site(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        codes = {"/alive": 200, "/amp": 301, "/moved": 200}
        self.send_response(codes.get(self.path, 410))
        if self.path == "/amp":
            self.send_header("Location", "/moved")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_check(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    folder = tmp_path / "news"
    pages = {"webUrl": f"{base}/alive", "ampWebUrl": f"{base}/amp", "cdnAmpWebUrl": f"{base}/x"}
    article(folder, "a.md", title="A", **pages)
    article(folder, "none.md", title="None")
    (tmp_path / "config.toml").write_text("allow_private_links = true\n")
    place = ["--config-dir", str(tmp_path)]
    remember(folder)
    try:
        document = documents("check", "a.md", *place)
        links = {link["address"].removeprefix(base): link for link in document["articles"][0]["links"]}
        assert {at: link["outcome"] for at, link in links.items()} == {
            "/alive": "alive",
            "/amp": "moved",
            "/x": "gone",
        }
        assert links["/amp"]["target"] == f"{base}/moved"
        done = newsfold("check", "a.md", *place)
        assert done.returncode == 0
        assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["alive", "moved", "gone"]
    finally:
        server.shutdown()
        server.server_close()
    (kept,) = documents("show", "a.md")["articles"]
    assert [link["outcome"] for link in kept["links"]] == ["alive", "moved", "gone"]
    assert newsfold("check", "none.md", *place).returncode == 6
    refused = newsfold("check", "a.md", "--json")  # private addresses, and nobody allowed that
    assert refused.returncode == 6 and "3 of 3 not asked: " in refused.stderr
    (kept,) = json.loads(refused.stdout)["articles"]  # which says nothing of what they answered
    assert [link["outcome"] for link in kept["links"]] == ["alive", "moved", "gone"]
    assert newsfold("check", "a.md").stdout.count("not asked") == 3


# -- folders ---------------------------------------------------------------------------


def test_refresh_counts(news: Path) -> None:
    out = newsfold("refresh", str(news)).stdout.splitlines()
    assert out[0] == "6 files: 5 new, 1 unreadable"
    assert re.fullmatch(rf"{news}/broken\.md:\d+: .+", out[1])
    assert out[2].startswith("1 warning ")
    (news / "four.md").rename(news / "vier.md")
    (news / "_news/2020-06-12-two.md").rename(news / "zwei.md")
    (news / "five.md").unlink()
    article(news, "three.md", title="Three")
    out = newsfold("refresh", str(news)).stdout.splitlines()
    assert out[0] == "5 files: 1 new, 1 changed, 1 moved, 2 gone"
    assert newsfold("refresh", str(news)).stdout.splitlines()[0] == "5 files: nothing new"


def test_problems(news: Path) -> None:
    done = newsfold("problems", str(news))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"{news}/broken\.md:\d+: .+\n", done.stdout)
    assert newsfold("problems", ".", cwd=news).stdout.startswith("broken.md:")
    done = newsfold("problems", str(news), "--warnings", "--fail")
    assert done.returncode == 1
    assert re.search(rf"^{news}/three\.md:\d+: quality: ", done.stdout, re.MULTILINE)
    document = documents("problems", str(news))
    assert document["problems"][0]["file"] == str(news / "broken.md")
    (news / "broken.md").unlink()
    assert newsfold("problems", str(news), "--fail").returncode == 0


def test_looking_does_not_remember_refreshing_does(news: Path) -> None:
    newsfold("list", str(news))
    newsfold("problems", str(news))
    assert newsfold("folders").stdout == ""
    newsfold("refresh", str(news))
    assert newsfold("folders").stdout == f"{news}\n"


def test_folders_are_forgotten(known: Path) -> None:
    assert newsfold("folders").stdout == f"{known}\n"
    newsfold("mark", "two.md", "--star")
    moved = known.with_name("moved")
    known.rename(moved)
    assert "no such folder" in newsfold("list").stderr
    assert len(newsfold("list").stdout.splitlines()) == 5  # what is known of it stays
    done = newsfold("forget", str(known))
    assert (done.returncode, done.stderr) == (0, f"newsfold: forgot {known}\n")
    assert newsfold("folders").stdout == ""
    moved.rename(known)
    assert listed(str(known), "--starred") == ["Two"]  # marks stay


def test_a_folder_named_like_a_command(tmp_path: Path) -> None:
    article(tmp_path, "list/a.md", title="A")
    assert listed_in(tmp_path, "list", "list") == ["A"]
    assert newsfold("./list", cwd=tmp_path).returncode == 2  # the screen, which needs a terminal
    assert "needs a terminal" in told(newsfold("--", "list", cwd=tmp_path))


def listed_in(cwd: Path, *arguments: str) -> list[str]:
    return [line.split("\t")[4] for line in newsfold(*arguments, cwd=cwd).stdout.splitlines()]


def test_the_sample_is_not_remembered(tmp_path: Path) -> None:
    assert len(newsfold("--sample", "list").stdout.splitlines()) >= 40
    assert newsfold("list", "--sample", "--topic", "nothing").returncode == 5
    assert newsfold("folders").stdout == ""
    assert newsfold("--sample", "problems", "--warnings", "--fail").returncode in (0, 1)


# -- being cut short --------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["list", "list --json", "problems", "--help"])
def test_a_reader_who_leaves(news: Path, what: str) -> None:
    arguments = what.split() if what == "--help" else [*what.split(), str(news)]
    ours, theirs = os.pipe()
    os.close(ours)
    done = process(*arguments, stdout=theirs)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        done = process("--sample", "list", stdout=full)
    assert done.returncode == 1
    assert done.stderr == "newsfold: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"], ["state", "export"]])
def test_a_full_disk_for_help_and_marks(words: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        done = process(*words, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "newsfold: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", ["state import", "searches import"])
def test_nothing_to_import_from(words: str) -> None:
    command = ["bash", "-c", f"{sys.executable} -m reader {words} <&-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "NoneType" not in done.stderr and "inside newsfold" not in done.stderr
    assert done.stderr.count("\n") <= 1


def test_closed_streams(news: Path) -> None:
    for redirection in (">&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"):
        done = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m reader list {news} {redirection}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    (library,) = (news.parent / "home/cache/newsfold").glob("library-*.db")
    db = sqlite3.connect(library)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_ctrl_c(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(1_500):
        (folder / f"{n}.md").write_text(f"---\ntitle: {n}\n---\n")
    cache = tmp_path / "home/cache/newsfold"
    for _ in range(5):  # on a busy machine it may be done before it is told
        child = subprocess.Popen(
            [*NEWSFOLD, "refresh", str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        )
        while not list(cache.glob("library-*.db-wal")) and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        if child.returncode != 0:
            break
        shutil.rmtree(cache)
    assert (child.returncode, err) == (130, "")
    assert "Traceback" not in out
    assert newsfold("refresh", str(folder)).returncode == 0


def test_what_nobody_foresaw_goes_to_the_log(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom reader.cli import run\n"
        "def broken(args, locations, out): raise RuntimeError('odd \\x1b[31m thing')\n"
        "run.screen = broken\nrun._WHERE.clear()\nsys.exit(run.run(['--state-dir', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    line = told(done)
    assert "RuntimeError: odd ␛[31m thing" in line
    assert line.endswith(f"{tmp_path}/newsfold.log")
    log = (tmp_path / "newsfold.log").read_text()
    assert "Traceback" in log
    assert "\x1b" not in log
    assert (tmp_path / "newsfold.log").stat().st_mode & 0o777 == 0o600


# -- beside an open screen ----------------------------------------------------------------------


def test_commands_work_while_others_read_and_write(known: Path) -> None:
    newsfold("refresh")
    several = ["mark two.md --read", "mark four.md --star", "list", "refresh", "list --json"]
    children = [
        subprocess.Popen(
            [*NEWSFOLD, *arguments.split()],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in several * 2
    ]
    ends = [(*child.communicate(timeout=60), child.returncode) for child in children]
    assert [(err, code) for _, err, code in ends] == [("", 0)] * len(children)
    assert listed("--starred") == ["Four"]


def test_the_screen_starts_on_the_sample() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    child = subprocess.Popen(
        [*NEWSFOLD, "--sample"],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    seen = b""
    until = time.monotonic() + 60
    while b"Perseverance" not in seen and b"WMO" not in seen and time.monotonic() < until:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                seen += os.read(ours, 65_536)
            except OSError:
                break
    os.write(ours, b"q")
    until = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < until:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                os.read(ours, 65_536)
            except OSError:
                break
    assert child.wait(timeout=60) == 0
    os.close(ours)
