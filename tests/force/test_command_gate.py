"""The gate of the command line: strangers' strings in every field, and no control but the end of a line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import gate_files as files
import pytest
from gate_files import MARK, Words
from gate_terminal import Run
from sequences import tokens

from reader.cli.run import run
from reader.config import Locations
from reader.session import open_session

pytestmark = pytest.mark.slow

ENOUGH: Final = 1_000
WORDS: Final = Words(hostile=True)
_ROOT: Final = Path(__file__).resolve().parents[2]


class Library:
    """Archives with strangers' strings, and the command line over them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dense = root / "dense"
        self.paths = files.dense(WORDS, self.dense / "news")
        files.settle_dense(WORDS, self.dense / "home", self.dense / "news")
        files.broken(WORDS, root / "broken" / "news")
        files.settle(WORDS, root / "broken" / "home", root / "broken" / "news")
        files.settle_searches(WORDS, root / "searches" / "home", root / "searches" / "news")
        for part in range(5):
            single = root / f"single{part}"
            files.single(WORDS, single / "news", part)
            files.settle_single(WORDS, single / "home", single / "news", part)
        for config in root.glob("*/home/config/config.toml"):
            if "broken" not in config.parts:  # one archive's settings are complained of, at length
                config.write_text("", "utf-8")

    def run(self, archive: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Through pipes."""
        home = self.root / archive / "home"
        names = ("DATA", "CONFIG", "CACHE", "STATE")
        env = (
            os.environ | {f"NEWSFOLD_{name}_DIR": str(home / name.lower()) for name in names} | {"TZ": "UTC"}
        )
        command = [sys.executable, "-m", "reader", *arguments]
        return subprocess.run(command, cwd=_ROOT, env=env, capture_output=True, check=False)

    def here(self, archive: str, command: str, *arguments: str) -> tuple[int, bytes, bytes]:
        """In this process: the same, without an interpreter's start."""
        home = self.root / archive / "home"
        folders = [f"--{name}-dir={home / name}" for name in ("data", "config", "cache", "state")]
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([command, *folders, "--no-refresh", *arguments])
        written = []
        for stream in (out, err):
            stream.flush()
            written.append(stream.buffer.getvalue())  # type: ignore[attr-defined]
        return code, written[0], written[1]

    def on_a_terminal(self, archive: str, *arguments: str) -> str:
        """Under a pseudo-terminal 3,000 columns wide."""
        run = Run(self.root / archive / "home", arguments, (3_000, 50))
        data = bytearray()
        while run.read(5):
            data += run.rest()
        run.kill()
        return bytes(data).decode("utf-8", "surrogateescape")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    yield Library(tmp_path_factory.mktemp("gate"))


def _found(text: str, field: str) -> int:
    return len({m[2] for m in MARK.finditer(text) if m[1] == field})


def _nothing_else(data: bytes, allowed: str) -> str:
    """*data* as text, with no sequence and nothing unseen in it but *allowed*."""
    text = data.decode("utf-8")  # strictly
    assert tokens(text) <= set(allowed), sorted(tokens(text) - set(allowed))[:20]
    return text


PIPED: Final[dict[str, tuple[str, tuple[str, ...], dict[str, int], str]]] = {
    # name: archive, arguments, fields with the least that is to be there, allowed
    "list": ("dense", ("list",), {"ti": ENOUGH, "ou": 0}, "\n\t"),
    "problems": ("broken", ("problems",), {"pa": 700}, "\n"),
    "all problems": (
        "broken",
        ("problems", "--warnings"),
        {"pa": ENOUGH, "fi": 700, "cs": ENOUGH},
        "\n",
    ),
    "stories": ("dense", ("stories",), {}, "\n\t"),
    "searches": ("searches", ("searches",), {"sn": ENOUGH, "sq": ENOUGH}, "\n\t"),
    "rules": ("searches", ("rules",), {"rn": ENOUGH, "rq": ENOUGH}, "\n\t"),
    "refresh": ("broken", ("refresh",), {}, "\n"),
    "folders": ("dense", ("folders",), {}, "\n\t"),
}


@pytest.mark.parametrize("name", PIPED)
def test_what_is_printed_holds_no_control(library: Library, name: str) -> None:
    archive, arguments, fields, allowed = PIPED[name]
    done = library.run(archive, *arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    out = _nothing_else(done.stdout, allowed)
    err = _nothing_else(done.stderr, "\n")
    assert {f: _found(out + err, f) for f, least in fields.items() if _found(out + err, f) < least} == {}
    if "\t" in allowed and out:  # tabs part columns, and stand in none
        assert len({line.count("\t") for line in out.splitlines()}) == 1


def test_links_report_names_every_outlet(library: Library) -> None:
    text = ""
    for part in range(5):
        done = library.run(f"single{part}", "links", "report")
        assert done.returncode == 0
        text += _nothing_else(done.stdout, "\n\t")
    assert _found(text, "ou") >= ENOUGH


def test_every_article_and_its_story(library: Library) -> None:
    shown = story = ""
    for n in range(WORDS.files):
        key = f"https://news{n}.test/web/{n}"
        for command in ("show", "story"):
            code, out, err = library.here("dense", command, key)
            assert code == 0, err[-2000:]
            text = _nothing_else(out, "\n\t") + _nothing_else(err, "\n")
            shown, story = (shown + text, story) if command == "show" else (shown, story + text)
    least = {f: _found(shown, f) for f in ("ti", "ex", "to", "rt", "ro", "bm", "bh")}
    assert min(least.values()) >= ENOUGH, least
    assert min(_found(story, "rt"), _found(story, "ro")) >= ENOUGH


ON_A_TERMINAL: Final = (
    ("dense", ("list",)),
    ("broken", ("problems", "--warnings")),
    ("dense", ("stories",)),
    ("dense", ("show", "https://news3.test/web/3")),
    ("dense", ("story", "https://news3.test/web/3")),
    ("searches", ("searches",)),
    ("searches", ("rules",)),
    ("single0", ("links", "report")),
)


@pytest.mark.parametrize(("archive", "arguments"), ON_A_TERMINAL)
def test_a_terminal_is_sent_lines_alone(library: Library, archive: str, arguments: tuple[str, ...]) -> None:
    text = library.on_a_terminal(archive, *arguments)
    assert len(MARK.findall(text)) > 100
    assert tokens(text) <= {"\r", "\n"}, sorted(tokens(text))[:20]


def test_errors_are_one_clean_line_each(library: Library) -> None:
    """Whatever is asked for is named in the answer, as far as it can be shown."""
    wrong = (("show",), ("list", "--topic"), ("list", "--outlet"), ("story",))
    named: set[str] = set()
    for number in range(WORDS.count):
        # As the bytes of an argument reach a program.
        given = WORDS.one("er", number).replace("\0", "").encode("utf-8", "surrogatepass")
        text = given.decode("utf-8", "surrogateescape")
        command, *options = wrong[number % len(wrong)]
        code, out, err = library.here("searches", command, *options, text)
        assert code and not out, text
        said = _nothing_else(err, "\n")
        assert said.startswith("newsfold: ") and said.count("\n") == 1
        named |= {m[2] for m in MARK.finditer(said)}
    assert len(named) >= ENOUGH


# -- JSON ------------------------------------------------------------------------------


def test_json_gives_the_strings_back_exactly(library: Library) -> None:
    done = library.run("dense", "list", "--json")
    assert re.fullmatch(rb"[\x20-\x7e\n]*", done.stdout)
    found: dict[int, Any] = {}
    for article in json.loads(done.stdout)["articles"]:
        match = re.fullmatch(r"https://news(\d+)\.test/web/\d+", article["key"])
        assert match
        found[int(match[1])] = article
    assert set(found) == set(range(WORDS.files))
    for n, article in found.items():
        fields = article["fields"]
        assert fields["title"].endswith(_kept(WORDS.line("ti", n)))
        assert fields["excerpt"] == _kept(WORDS.line("ex", n))
        assert fields["topics"] == [_kept(topic) for topic in WORDS.pack("to", n)]


def _kept(text: str) -> str:
    """*text* as front matter can say it: a lone surrogate is no character."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def test_the_export_gives_searches_and_rules_back_exactly(library: Library) -> None:
    done = library.run("searches", "state", "export")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rb"[\x20-\x7e\n]*", done.stdout)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    kept = [line["search"]["name"] for line in lines if "search" in line]
    home = library.root / "searches" / "home"
    with open_session(Locations(*(home / n for n in ("data", "config", "cache", "state"))), []) as session:
        assert kept == [search.name for search in session.state.searches()]
    assert len(kept) == files.SEARCHES
