"""Archives whose every field holds strings from strangers, each behind a tag that tells where it came from.

``T0042`` is the 42nd string in a title. The plain twin of an archive has the
same tags before plain words, so that whatever the screen sends for both is
the screen's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from hostile_text import strings

from reader.config import Locations
from reader.errors import NotFound
from reader.ingest import Ingest, reread
from reader.model import LinkCheck, Outcome
from reader.session import open_session

START = datetime(2024, 3, 1, tzinfo=UTC)
_ENOUGH = 900  # characters of one field that holds several strings
_MOST = 16


@dataclass(frozen=True)
class Archive:
    """A folder of articles, hostile or plain."""

    folder: Path
    hostile: bool

    @cached_property
    def texts(self) -> list[str]:
        found = strings()
        return found if self.hostile else ["plain words"] * len(found)

    @cached_property
    def chunks(self) -> list[range]:
        """The numbers of the strings that stand together in a field. The same for both twins."""
        return list(_chunks(strings()))

    def tagged(self, letter: str, numbers: Sequence[int], most: int = 10_000) -> list[str]:
        """The strings of these numbers, each behind its tag."""
        return [f"{letter}{n:04}{self.texts[n][:most]}" for n in numbers]

    def together(self, letter: str, numbers: Sequence[int]) -> str:
        return " ".join(self.tagged(letter, numbers))

    # -- one string a field, an article for each ------------------------------

    def write_many(self) -> None:
        """An article for each string, and for each a file that gives none."""
        self.folder.mkdir(parents=True)
        for n in range(len(self.texts)):
            one = [n]
            fields = {
                "title": self.together("T", one),
                "excerpt": self.together("X", one),
                "publishedDateTime": (START - timedelta(hours=n)).isoformat(),
                "webUrl": f"https://many.test/{n}",
                "provider": {"name": self.together("O", one), "domain": self.together("d", one)},
                "topics": [self.together("P", one)],
                "type": self.together("Y", one),
                "category": self.together("c", one),
                "quality": self.together("Q", one),  # no number: a warning that names it
            }
            self._write(f"{n:04}.md", fields, "")
            name = self._name(n)
            (self.folder / "broken").mkdir(exist_ok=True)
            with open(bytes(self.folder / "broken") + b"/" + name, "wb") as file:
                file.write(b"---\ntitle: [" + self.texts[n].encode("utf-8", "surrogatepass") + b"\n---\n")

    def _name(self, n: int) -> bytes:
        """A file name out of a string, in bytes that need not be UTF-8."""
        text = f"N{n:04}{self.texts[n]}"[:60]
        return re.sub(rb"[/\x00]", b"_", text.encode("utf-8", "surrogatepass"))[:240] + b".md"

    # -- many strings a field -----------------------------------------------------

    def write_dense(self, base: str = "https://dense.test") -> None:
        """Few articles that hold every string in every field."""
        self.folder.mkdir(parents=True)
        for number, chunk in enumerate(self.chunks):
            self._write(f"{number:03}.md", self._dense(number, chunk, base), self.together("B", chunk))

    def _dense(self, number: int, chunk: range, base: str) -> dict[str, object]:
        quarters = [chunk[i::4] for i in range(4)]
        urls = [f"{base}/{number}/{i}/{self.together('U', part)}" for i, part in enumerate(quarters)]
        tagged = {letter: self.tagged(letter, chunk) for letter in "APRrqKI"}
        return {
            "title": self.together("T", chunk),
            "excerpt": self.together("X", chunk),
            "publishedDateTime": (START - timedelta(hours=number)).isoformat(),
            "webUrl": urls[0],
            "originalUrl": urls[1],
            "ampWebUrl": urls[2],
            "cdnAmpWebUrl": urls[3],
            "provider": {
                "name": self.together("O", chunk),
                "domain": "dense.test",
                "authors": [{"name": name} for name in tagged["A"]],
            },
            "topics": tagged["P"],
            "type": self.together("Y", chunk),
            "images": [
                {"url": f"{base}/i", "title": title, "attribution": "x", "width": 1, "height": 1}
                for title in tagged["I"]
            ],
            "related": [
                {
                    "title": title,
                    "excerpt": excerpt,
                    "webUrl": f"{base}/piece/{number}/{n}",
                    "provider": {"name": outlet},
                }
                for n, (title, excerpt, outlet) in enumerate(
                    zip(tagged["R"], tagged["r"], tagged["q"], strict=True)
                )
            ],
            **{
                f"k {key[:90]}": "".join(self.tagged("V", chunk[n : n + 1], 200))
                for n, key in enumerate(tagged["K"])
            },
        }

    def _write(self, name: str, fields: dict[str, object], body: str) -> None:
        # JSON in ASCII is YAML with escapes: controls and lone surrogates come through.
        lines = "".join(f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in fields.items())
        (self.folder / name).write_bytes(
            f"---\n{lines}---\n".encode() + body.encode("utf-8", "backslashreplace")
        )

    def mark(self, locations: Locations) -> list[range]:
        """Take the dense articles in, with notes, tags and link checks; the strings of those there are."""
        there = []
        with open_session(locations, [self.folder]) as session:
            Ingest(session.library, session.state, session.sources).run()
            checks = []
            for number, chunk in enumerate(self.chunks):
                try:
                    article = reread(session.sources, f"{session.sources[0].name}/{number:03}.md")
                except NotFound:  # a string of nothing but what no YAML may hold
                    continue
                there.append(chunk)
                session.state.set_note(article.key, self.together("E", chunk))
                tags = [tag.replace(",", ";") for tag in self.tagged("G", chunk)]
                session.state.set_tags(article.key, tags)
                named = (article.web_url, article.original_url, article.amp_url, article.cdn_amp_url)
                for i, address in enumerate(named):
                    target, reason = (self.together(letter, chunk[i::4]) for letter in "LH")
                    checks.append(LinkCheck(address, Outcome.MOVED, START, 301, target=target, reason=reason))
            session.state.record_checks(checks)
        return there


def _chunks(texts: Sequence[str]) -> Iterator[range]:
    begin, size = 0, 0
    for n, text in enumerate(texts):
        if n > begin and (size + len(text) > _ENOUGH or n - begin == _MOST):
            yield range(begin, n)
            begin, size = n, 0
        size += len(text) + 6
    yield range(begin, len(texts))
