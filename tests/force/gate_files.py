"""The archives of the gate: files, marks and link checks, each string of a field with its number beside it.

A value is ``q<field><number>z string``. The field's two letters and the number
are what the gate looks for on the screen; a string follows its own at once. In
benign archives plain words stand where strangers' strings stand in hostile
ones: nothing else differs.
"""

# ruff: noqa: E501 - the lines are tables
from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hostile_text import strings

from reader.config import Locations
from reader.ingest import Ingest
from reader.links import Checker
from reader.links.policy import Policy
from reader.model import LinkCheck, Outcome
from reader.session import open_session

MARK: Final = re.compile(r"q([a-z]{2})(\d{4})z")
PACK: Final = 24
"""Strings of each field in one file of the dense archive."""
LONGEST: Final = 60
"""Characters of a string that shares a value with others; longer ones are cut."""
PLAIN: Final = 6
"""The same for plain words, which are the reference: what fewer of them send can only make the gate narrower."""
SHARE: Final = 24
"""Of so many strings one is in the archives that prove the gate: some of every family."""
SEARCHES: Final = 1_020
"""Saved searches and rules, each with a string of its own."""
SINGLE: Final = 290
"""Files in one of the archives with one string a field."""

_BENIGN: Final = (
    "plain words", "two **bold** words", "an *italic* word", "a `code` word", "a ~~struck~~ word", "[b]words[/b]",
    "[words](https://news.test/page)", "# words", "> words", "- words", "1. words", "<b>words</b>", "words & words",
)  # fmt: skip
_ODD: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LONE: Final = re.compile("[\ud800-\udfff]")
_NOW: Final = datetime.now(UTC).replace(microsecond=0)
_LONG_AGO: Final = (_NOW - timedelta(days=9)).timestamp()


class Words:
    """The strings of one run, by number."""

    def __init__(self, *, hostile: bool, every: int = 1) -> None:
        short = list(dict.fromkeys(s[:LONGEST] for s in strings()))[
            :: every * int(os.environ.get("GATE_TRY", "1"))
        ]
        self.all = [s if hostile else _BENIGN[n % len(_BENIGN)] for n, s in enumerate(short)]
        self.hostile = hostile

    @property
    def count(self) -> int:
        return len(self.all)

    @property
    def files(self) -> int:
        """Files that hold them all, :data:`PACK` in each."""
        return -(-self.count // PACK)

    def one(self, field: str, number: int) -> str:
        """String *number* with its mark before it."""
        return f"q{field}{number:04}z {self.all[number]}"

    def pack(self, field: str, file: int, count: int = PACK, first: int = 0) -> list[str]:
        """Some of those that file number *file* of the dense archive holds."""
        begin = file * PACK + first
        end = min(begin + count, (file + 1) * PACK, self.count)
        return [self.one(field, number) for number in range(begin, end)]

    def line(self, field: str, file: int, count: int = PACK, first: int = 0) -> str:
        return " ".join(self.pack(field, file, count, first))

    def name(self, text: str) -> str:
        """*text* as far as it can be the name of a file."""
        text = text.replace("/", "").replace("\0", "")
        text = "".join(c for c in text if not "\ud800" <= c <= "\udfff" or "\udc80" <= c <= "\udcff")
        return os.fsencode(text)[:240].decode("utf-8", "surrogateescape")


def quoted(value: object) -> str:
    """As JSON that YAML reads the same, whatever characters it holds."""
    text = _ODD.sub(lambda m: f"\\U{ord(m[0]):08x}", json.dumps(value, ensure_ascii=False))
    return _LONE.sub(lambda m: f"\\u{ord(m[0]):04x}", text)


def write(path: Path, fields: dict[str, Any], body: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{quoted(name)}: {quoted(value)}" for name, value in fields.items()]
    data = "---\n" + "\n".join(lines) + "\n---\n" + body
    path.write_bytes(data.encode("utf-8", "surrogatepass"))
    os.utime(path, (_LONG_AGO, _LONG_AGO))  # a file just written would be read anew, by a process of its own


def file_numbers(words: Words, n: int, count: int = PACK, first: int = 0) -> range:
    """The strings that file number *n* of the dense archive holds of a field."""
    begin = n * PACK + first
    return range(begin, min(begin + count, (n + 1) * PACK, words.count))


def when(number: int) -> str:
    return (_NOW - timedelta(hours=1 + number)).isoformat()


# -- many strings in every field of few files ------------------------------------


_HEADLINE: Final = "Storm floods harbour, coast road and village bridges closed"
"""Words that make one story of an article and what it lists, whatever strangers' words follow."""


def dense(words: Words, folder: Path) -> list[str]:
    """One file for each :data:`PACK` strings: all of them in every field. Gives their paths."""
    paths = []
    for n in range(words.files):
        host = f"https://news{n}.test"
        body = _markdown(words, n) if n % 2 else _html(words, n)
        fields: dict[str, Any] = {
            "title": f"{_HEADLINE} {words.line('ti', n)}",
            "excerpt": words.line("ex", n),
            "category": words.line("ca", n),
            "type": words.line("ty", n),
            "publishedDateTime": when(n),
            "webUrl": f"{host}/web/{n}",
            "originalUrl": f"{host}/original/{n}",
            "ampWebUrl": f"{host}/amp/{n}",
            "cdnAmpWebUrl": f"https://news.test/cdn/{n}?{words.line('ad', n)}",
            "quality": n % 100,
            "heat": n,
            "provider": {
                "name": words.line("ou", n),
                "domain": words.line("do", n),
                "authors": [{"name": words.line("au", n, 4, 4 * k)} for k in range(4)],
            },
            "topics": words.pack("to", n),
            "related": [_related(words, n, k) for k in range(len(words.pack("ti", n)))],
            "images": [_image(words, n, k) for k in range(len(words.pack("ti", n)))],
            "secured": words.line("se", n),
            **dict(zip(words.pack("na", n), words.pack("va", n), strict=True)),
        }
        name = words.name(f"{n:03} {words.line('pa', n, 8, 8)}")[:120]
        above = words.name(f"{n:03} {words.line('pa', n, 8)}")[:120]
        write(folder / above / f"{name}.md", fields, body)
        paths.append(f"{above}/{name}")
    return paths


def _related(words: Words, n: int, k: int) -> dict[str, Any]:
    number = n * PACK + k
    return {
        "title": f"{_HEADLINE} {words.one('rt', number)}",
        "excerpt": words.one("rx", number),
        "webUrl": f"https://news.test/{number}?{words.all[number]}",
        "publishedDateTime": (_NOW - timedelta(hours=1 + n, minutes=k + 1)).isoformat(),
        "provider": {"name": words.one("ro", number), "domain": words.one("rd", number)},
        "type": words.one("ry", number),
        "quality": k,
    }


def _image(words: Words, n: int, k: int) -> dict[str, Any]:
    number = n * PACK + k
    return {
        "url": f"https://news.test/{words.one('iu', number)}",
        "title": words.one("it", number),
        "attribution": words.one("ia", number),
        "width": 2,
        "height": 3,
    }


def _markdown(words: Words, n: int) -> str:
    """Two files' strings in each body, for every other body is HTML."""
    numbers = body_numbers(words, n)
    inline = "\n\n".join(words.one("bm", number) for number in numbers)
    leading = "\n\n".join(f"{words.all[number]} words" for number in numbers)
    return f"| a | b |\n| --- | --- |\n| c | d |\n\n```\ncode\n```\n\n{inline}\n\n{leading}\n"


def _html(words: Words, n: int) -> str:
    parts = [
        f"<p>{words.one('bh', number)} <a href='https://news.test/{number}'>x</a></p>"
        for number in body_numbers(words, n)
    ]
    more = "<table><tr><td>a</td><td>b</td></tr></table><pre>code</pre><blockquote>quote</blockquote><ul><li>i</ul>"
    return f"<div><h1>Head</h1>{more}{'<hr>'.join(parts)}<b>b</b><i>i</i><s>s</s></div>\n"


def body_numbers(words: Words, n: int) -> range:
    first = n // 2 * 2 * PACK
    return range(first, min(words.count, first + 2 * PACK))


# -- links that are asked ----------------------------------------------------------

LINKS: Final = 1_020
"""Strings in reason phrases and in the targets of redirects, :data:`LINK_PACK` in each."""
LINK_PACK: Final = 6
"""A reason of 300 characters holds so many of :data:`LINK_LONGEST`."""
LINK_LONGEST: Final = 39


def link_files(words: Words) -> int:
    return -(-min(LINKS, words.count) // LINK_PACK)


def link_numbers(words: Words, n: int) -> range:
    return range(n * LINK_PACK, min((n + 1) * LINK_PACK, LINKS, words.count))


def link_host(n: int) -> str:
    return f"127.0.{1 + n // 250}.{2 + n % 250}"


def link_line(words: Words, field: str, n: int) -> str:
    """Those of a file; each as long as so many bytes, for what is no ASCII is read as Latin-1."""
    strings = (words.one(field, number).encode("utf-8", "surrogatepass") for number in link_numbers(words, n))
    return " ".join(s[: LINK_LONGEST + 9].decode("utf-8", "ignore") for s in strings)


def linked(words: Words, folder: Path, port: int) -> None:
    """An article a host, with three addresses to ask."""
    for n in range(link_files(words)):
        host = f"http://{link_host(n)}:{port}"
        fields = {
            "title": f"Linked {n:04}",
            "publishedDateTime": when(n),
            "webUrl": f"{host}/web/{n:04}",
            "originalUrl": f"{host}/original/{n:04}",
            "ampWebUrl": f"{host}/amp/{n:04}",
            "cdnAmpWebUrl": f"{host}/raw/{n:04}",
        }
        write(folder / f"{n:04}.md", fields)
        moved = {
            "title": f"Moved {n:04}",
            "publishedDateTime": when(n + LINKS),
            "webUrl": f"{host}/amp/{n:04}",
        }
        write(folder / f"moved-{n:04}.md", moved)


# -- one string in every field of many files --------------------------------------


def single(words: Words, folder: Path, part: int) -> None:
    """:data:`SINGLE` files with one string in each field."""
    for n in numbers(words, part):
        fields = {
            "title": words.one("ti", n),
            "excerpt": words.one("ex", n),
            "type": words.all[n],
            "publishedDateTime": when(n),
            "webUrl": f"https://news.test/{n}",
            "provider": {"name": words.one("ou", n)},
            "topics": [words.one("to", n)],
        }
        write(folder / f"{n:04}.md", fields)


def numbers(words: Words, part: int) -> range:
    """The strings of part *part* of the single archives: every family has its share in all of them."""
    return range(part, min(words.count, part + 5 * SINGLE), 5)


def noted(words: Words, folder: Path) -> None:
    """A plain file for each string, which settling puts on it as a note and as a tag."""
    for n in range(words.count):
        fields = {
            "title": f"Noted {n:04}",
            "publishedDateTime": when(n),
            "webUrl": f"https://news.test/noted/{n:04}",
        }
        write(folder / f"{n:04}.md", fields)


def settle_noted(words: Words, home: Path, folder: Path) -> None:
    """Index it, with a note and a tag on each."""
    with open_session(locations(home), [folder], remember=True) as session:
        Ingest(session.library, session.state, session.sources).run()
        for row in session.library.rows(session.library.ids()):
            number = int(row.title[-4:])
            session.state.set_note(row.key, words.one("no", number))
            session.state.set_tags(row.key, [words.one("tg", number)])
        Ingest(session.library, session.state, session.sources).run()


def broken(words: Words, folder: Path) -> None:
    """Files that give no article, and fields that give no value, all with names a stranger chose."""
    folder.mkdir(parents=True)
    for n in range(words.count):
        name = words.name(f"{n:04} {words.one('pa', n)}")[:120]
        text = f"---\ntitle: [\n{quoted(words.one('re', n))} x: *{n}\n---\n" if n % 2 else (
            f"---\ntitle: t{n}\n{quoted(words.one('fi', n))}: 1\n{quoted(words.one('fi', n))}: 2\n"
            f"heat: {quoted(words.one('vh', n))}\n---\n"
        )  # fmt: skip
        (folder / f"{name}.md").write_bytes(text.encode("utf-8", "surrogatepass"))


# -- marks, checks, settings ---------------------------------------------------------


def locations(home: Path) -> Locations:
    return Locations(home / "data", home / "config", home / "cache", home / "state")


def settle_dense(words: Words, home: Path, folder: Path) -> None:
    """Index the dense archive; tags, notes, older headlines."""
    config(home, words)
    with open_session(locations(home), [folder], remember=True) as session:
        Ingest(session.library, session.state, session.sources).run()
        rows = session.library.rows(session.library.ids())
        by_file = {int(row.path.split("/")[-1][:3]): row for row in rows}
        for n, row in by_file.items():
            session.state.set_tags(row.key, words.pack("tg", n))
            session.state.set_note(row.key, "\n".join(words.pack("no", n)))
        _headlines(words, session.state, {n: row.key for n, row in by_file.items()})
        Ingest(session.library, session.state, session.sources).run()


def _headlines(words: Words, state: Any, keys: dict[int, str]) -> None:
    from reader.store.state import Headline

    for n, key in keys.items():
        before = Headline(words.line("ht", n), words.line("hx", n), _NOW - timedelta(days=2))
        after = Headline(words.line("hu", n), words.line("hy", n), _NOW - timedelta(days=1))
        state.record_headlines([(key, before)])
        state.record_headlines([(key, after)])


def settle_single(words: Words, home: Path, folder: Path, part: int) -> None:
    """Index it; every link is known to be dead, for the page of the archive's health."""
    config(home, words)
    with open_session(locations(home), [folder], remember=True) as session:
        checks = [
            LinkCheck(f"https://news.test/{n}", Outcome.MISSING, _NOW, 404, reason=words.one("rs", n))
            for n in numbers(words, part)
        ]
        session.state.record_checks(checks)
        Ingest(session.library, session.state, session.sources).run()


def settle_linked(words: Words, home: Path, folder: Path, port: int) -> None:
    """Index it and ask for what the screen's own run leaves out."""
    config(home, words)
    with open_session(locations(home), [folder], remember=True) as session:
        Ingest(session.library, session.state, session.sources).run()
        hosts = [(f"http://{link_host(n)}:{port}", n) for n in range(link_files(words))]
        addresses = [f"{host}/{kind}/{n:04}" for host, n in hosts for kind in ("original", "amp", "raw")]
        policy = Policy(allow_private=True, gap=0, retries=0, backoff=0, retry_after_cap=0)
        known, keep = session.state.checks, session.state.record_checks
        Checker(policy, known=known, keep=keep, clock=session.clock).check(addresses, force=True)
        Ingest(session.library, session.state, session.sources).run()


def settle_searches(words: Words, home: Path, folder: Path) -> None:
    """As many saved searches and rules as there are strings."""
    config(home, words)
    write(folder / "one.md", {"title": "One", "webUrl": "https://news.test/one"})
    with open_session(locations(home), [folder], remember=True) as session:
        lines: list[dict[str, Any]] = [{"newsfold": "state", "schema": 1, "exported_at": _NOW.isoformat()}]
        for n in range(min(words.count, SEARCHES)):
            lines.append({"search": {"name": words.one("sn", n), "query": f"word {words.one('sq', n)}"}})
            rule = {"name": words.one("rn", n), "query": f"word {words.one('rq', n)}"}
            lines.append({"rule": {**rule, "action": "star", "enabled": False}})
        session.state.import_(io.StringIO("\n".join(map(json.dumps, lines))))
        Ingest(session.library, session.state, session.sources).run()


def settle(words: Words, home: Path, folder: Path) -> None:
    """Index it."""
    config(home, words)
    with open_session(locations(home), [folder], remember=True) as session:
        Ingest(session.library, session.state, session.sources).run()


def config(home: Path, words: Words) -> None:
    """Settings with names of strangers too: each is complained of."""
    (home / "config").mkdir(parents=True)
    names = "".join(f"{_toml(words.one('cs', n))} = 1\n" for n in range(words.count))
    keys = "".join(f"{_toml(words.one('ck', n))} = 'z'\n" for n in range(words.count))
    first = "dwell = 60\nallow_private_links = true\ncheck_without_asking = 3\nbrowser = 'true'\n"
    (home / "config" / "config.toml").write_text(f"{first}{names}[keys]\n{keys}", encoding="utf-8")


def _toml(text: str) -> str:
    text = _LONE.sub("\ufffd", text)
    return re.sub("[\x7f-\x9f]", lambda m: f"\\u{ord(m[0]):04x}", json.dumps(text, ensure_ascii=False))


# -- folders ---------------------------------------------------------------------


def folders(words: Words, root: Path) -> Sequence[Path]:
    """Folders with names of strangers, one article in each."""
    made = []
    for n in range(0, words.count, 8):
        name = words.name(" ".join(words.one("fo", k) for k in range(n, min(n + 8, words.count))))[:200]
        write(root / name / "one.md", {"title": f"One {n}", "webUrl": f"https://news.test/one-{n}"})
        made.append(root / name)
    return made
