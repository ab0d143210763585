"""Libraries to measure with, made of the real files by other titles, addresses and dates; kept in the cache.

    python tests/bench/making.py 10000      make the files and say where they lie

The same articles are also written as messages (for mail indexers) and as RSS
(for feed readers), a thousand a feed.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from measuring import CACHE, corpus

from reader.frontmatter import read
from reader.model import Article
from reader.text import clean, clean_block

_FORMAT = 4
"""Another number here: what is in the cache is made anew."""

_DAY = re.compile(rb"\b(20[012]\d)-([01]\d)-([0-3]\d)(?=T\d\d:)")
_NAMED_DAY = re.compile(r"^(\d{4})-(\d\d)-(\d\d)")
_ADDRESS = re.compile(rb"(https?://[^/\s\"'<>()]+)/")
_TITLE = re.compile(rb"^([ -]*title: \"?)(\w+)", re.MULTILINE)
_WORDS = b"Amber Basalt Cobalt Delta Ember Fjord Garnet Harbour Indigo Juniper Krypton Lantern Meadow".split()


def files(size: int) -> Path:
    """A folder of *size* files: the real ones, then copies of them, each a little other."""

    def fill(folder: Path) -> None:
        source = corpus()
        originals = [(f.relative_to(source), f.read_bytes()) for f in sorted(source.rglob("*.md"))]
        made: set[Path] = set()
        for number in range(size):
            inner, data = originals[number % len(originals)]
            turn = number // len(originals)
            path = folder / f"{turn:03}" / inner.with_name(_varied_name(inner.name, turn))
            if path.parent not in made:
                path.parent.mkdir(parents=True)
                made.add(path.parent)
            path.write_bytes(varied(data, turn))

    return kept(f"files-{size}", fill)


def _shifted(year: str, month: str, day: str, turn: int) -> str:
    try:
        return (date(int(year), int(month), int(day)) - timedelta(days=turn * 11)).isoformat()
    except ValueError:
        return f"{year}-{month}-{day}"


def _varied_name(name: str, turn: int) -> str:
    return _NAMED_DAY.sub(lambda m: _shifted(m[1], m[2], m[3], turn), name)


def varied(data: bytes, turn: int) -> bytes:
    """The file *data* with titles, addresses and dates of its own; turn 0 is as it was."""
    if not turn:
        return data
    word = _WORDS[turn % len(_WORDS)] + (b"%d" % (turn // len(_WORDS)) if turn >= len(_WORDS) else b"")
    data = _DAY.sub(lambda m: _shifted(*(x.decode() for x in m.groups()), turn).encode(), data)
    data = _ADDRESS.sub(rb"\g<1>/%d/" % turn, data)
    return _TITLE.sub(rb"\g<1>%s \g<2>" % word, data)


def kept(name: str, fill: Callable[[Path], None]) -> Path:
    """The folder *name* of the cache, filled once."""
    stamp = sha256("".join(sorted(f.name for f in corpus().rglob("*.md"))).encode()).hexdigest()[:8]
    folder = CACHE / f"{name}-{_FORMAT}-{stamp}"
    if not folder.exists():
        part = folder.with_name(folder.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        print(f"making {folder.name} …", file=sys.stderr)
        fill(part)
        part.rename(folder)
    return folder


def home(folder: Path) -> Path:
    """Where the library of *folder* is kept from one run to the next: loading it takes a while."""
    return CACHE / f"home-{folder.name}"


def articles(folder: Path) -> Iterator[Article]:
    """The articles of a folder in the order of their paths."""
    for file in sorted(folder.rglob("*.md")):
        found = read(file.read_bytes(), f"{folder.name}/{file.relative_to(folder).as_posix()}")
        if isinstance(found, Article):
            yield found


def text_of(article: Article) -> str:
    """What of an article is searched: excerpt, body, related titles and excerpts."""
    related = (f"{r.title}\n{r.excerpt}" for r in article.related)
    return clean_block("\n\n".join(filter(None, [article.excerpt, article.body, *related])))


def when(article: Article) -> datetime:
    """An article's time; those without get one long ago."""
    return article.published_at or datetime(1990, 1, 1, tzinfo=UTC)


def messages(size: int) -> Path:
    """The same articles as a Maildir: outlet, title, date, topics, text."""
    # Not at the top: what is measured imports this module, and would be charged for it.
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime

    def fill(folder: Path) -> None:
        for name in ("cur", "new", "tmp"):
            (folder / "mail" / name).mkdir(parents=True)
        for number, article in enumerate(articles(files(size))):
            mail = EmailMessage(policy=SMTP)
            outlet = re.sub(r"[^\w .&'-]", "", clean(article.provider.name, 60)) or "unknown"
            domain = re.sub(r"[^a-z0-9.-]", "", article.provider.domain.lower()) or "example.org"
            mail["From"] = f'"{outlet}" <news@{domain}>'
            mail["To"] = "reader@example.org"
            mail["Subject"] = clean(article.title, 500) or "untitled"
            mail["Date"] = format_datetime(when(article))
            mail["Message-ID"] = f"<{sha256(article.path.encode()).hexdigest()[:32]}@example.org>"
            mail["Keywords"] = ", ".join(clean(topic, 100) for topic in article.topics)
            mail.set_content(f"{clean(article.address)}\n\n{text_of(article)}\n", cte="8bit")
            (folder / "mail" / "cur" / f"{number:07}.bench:2,").write_bytes(bytes(mail))

    return kept(f"messages-{size}", fill)


def feeds(size: int) -> Path:
    """The same articles as RSS, a thousand a file, and ``urls`` that lists them."""
    from email.utils import format_datetime
    from xml.sax.saxutils import escape

    def fill(folder: Path) -> None:
        items: list[str] = []
        paths: list[str] = []

        def close() -> None:
            path = folder / f"{len(paths):04}.xml"
            head = (
                f"<title>Feed {len(paths)}</title><link>https://example.org/{len(paths)}</link><description/>"
            )
            path.write_text(
                f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>{head}\n'
                + "".join(items)
                + "</channel></rss>\n",
                encoding="utf-8",
            )
            paths.append(path.name)
            items.clear()

        for article in articles(files(size)):
            items.append(
                f"<item><title>{escape(clean(article.title))}</title><link>{escape(clean(article.address))}</link>"
                f"<guid isPermaLink='false'>{escape(clean(article.path))}</guid>"
                f"<pubDate>{format_datetime(when(article))}</pubDate>"
                f"<author>{escape(clean(article.provider.name))}</author>"
                f"<description>{escape(escape(text_of(article)))}</description></item>\n"
            )
            if len(items) == 1_000:
                close()
        if items:
            close()
        (folder / "names").write_text("\n".join(paths), encoding="utf-8")

    return kept(f"feeds-{size}", fill)


if __name__ == "__main__":
    for wanted in map(int, sys.argv[1:]):
        print(files(wanted))
