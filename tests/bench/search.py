"""Search: the first page, the whole list and the count of every class of query, and each letter typed.

    python tests/bench/search.py                    the corpus over and over, 50,000 articles
    python tests/bench/search.py --rows 1000000     made-up articles, straight into the store
    python tests/bench/search.py --json FILE        also keep the figures as JSON

Times are medians in milliseconds of at least five runs on one warm connection.
``NEWSFOLD_SHARED`` says where the corpus lies (default: beside the project;
``sample_data`` where there is none). ``--library FILE`` keeps the database.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import itertools
import json
import os
import platform
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from measuring import peak_mb  # noqa: E402

from reader.frontmatter import read  # noqa: E402
from reader.model import Article, LinkCheck, Mark, Outcome, Problem, Provider, Related  # noqa: E402
from reader.store.library import Library  # noqa: E402
from reader.store.query.parsing import parse  # noqa: E402
from reader.store.search import RANKED  # noqa: E402
from reader.store.tallying import tally  # noqa: E402
from reader.store.writer import Batch, Writer  # noqa: E402

NOW = datetime(2024, 1, 1, tzinfo=UTC)
PAGE = 64
MANY = 10_001  # where a counter may stop and say "more than 10,000"
SOON = 0.08  # seconds after which it says how many there are so far, as the query line does
DAY = timedelta(days=1)


def corpus() -> Path:
    """The folder of real files, or the sample."""
    shared = Path(os.environ.get("NEWSFOLD_SHARED", ROOT.parent / "shared")) / "corpus"
    return shared if shared.is_dir() else ROOT / "sample_data"


def multiplied(folder: Path, size: int) -> Iterator[Article]:
    """The articles of *folder* over and over, each time with other titles, addresses and days."""
    found = (read(path.read_bytes(), f"a/{path.name}") for path in sorted(folder.rglob("*.md")))
    articles = [a for a in found if not isinstance(a, Problem)]
    chosen = random.Random(1)
    words = sorted({w for a in articles for w in a.title.split()})
    for number, article in zip(range(size), itertools.cycle(articles), strict=False):
        when = article.published_at
        title = article.title.split()
        for place in range(0, len(title), 3):
            title[place] = chosen.choice(words)
        yield dataclasses.replace(
            article,
            key=f"{article.key}?{number}",
            path=f"a/{number}.md",
            title=" ".join(title),
            web_url=f"{article.address}?{number}",
            published_at=when and when - DAY * chosen.uniform(0, 2_000),
        )


def made_up(size: int) -> Iterator[Article]:
    """Articles of words drawn as in real text: a few everywhere, most of them rare."""
    chosen = random.Random(2)
    letters = "etaoinshrdlcumwfgypbvk"
    words = ["the", "of", "diablo", "amazon", "update"]
    words += ["".join(chosen.choices(letters, k=chosen.randint(3, 9))) for _ in range(60_000)]
    weights = list(itertools.accumulate(1 / (n + 5) for n in range(1, len(words) + 1)))
    outlets = [
        Provider(f"{words[n + 99].title()} {words[n + 9]}", f"{words[n + 99]}.com") for n in range(800)
    ]
    topics = [words[n + 50].title() for n in range(60)]
    start = datetime(2004, 1, 1, tzinfo=UTC)
    step = (NOW - start) / size
    draw = iter(chosen.choices(words, cum_weights=weights, k=2_000_000))

    def text(length: int) -> str:
        nonlocal draw
        part = list(itertools.islice(draw, length))
        if len(part) < length:
            draw = iter(chosen.choices(words, cum_weights=weights, k=2_000_000))
        return " ".join(part) or "empty"

    for number in range(size):
        outlet = outlets[int(chosen.paretovariate(0.6)) % 800]
        address = f"https://{outlet.domain}/{number % 20 + 2004}/{number}"
        related = tuple(
            Related(f"{address}/{n}", text(9), provider=outlets[number % 800], web_url=f"{address}/{n}")
            for n in range(number % 4 // 2 * 2)
        )
        yield Article(
            key=address, path=f"a/{number}.md", title=text(9), excerpt=text(28), category="news",
            type="article" if number % 11 else "video", published_at=start + step * number, web_url=address,
            quality=number * 7 % 101, heat=number * 13 % 400 - 1, published=number % 9 != 0, provider=outlet,
            topics=(topics[int(chosen.paretovariate(0.7)) % 60],), related=related,
        )  # fmt: skip


def fill(library: Library, articles: Iterable[Article]) -> float:
    """Put *articles* in, two fifths of them read, 1 in 100 starred, 1 in 50 with a dead address; seconds."""
    writer = Writer(library)

    def marks(keys: Iterable[str]) -> dict[str, Mark]:
        return {k: Mark(k, read=h % 5 < 2, starred=h % 100 == 0) for k in keys if (h := hash(k)) is not None}

    def links(addresses: Iterable[str]) -> dict[str, LinkCheck]:
        return {a: LinkCheck(a, Outcome.GONE, NOW) for a in addresses if hash(a) % 50 == 1}

    spent = 0.0
    source = iter(articles)
    while part := list(itertools.islice(source, 1_000)):
        begun = time.perf_counter()
        writer.apply(Batch(articles=part), marks, links)
        spent += time.perf_counter() - begun
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return spent


def median(work: Callable[[], object]) -> float:
    """Milliseconds of *work*: the median of five runs."""
    times: list[float] = []
    while len(times) < 5:
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(times)


def queries(library: Library) -> list[tuple[str, str]]:
    """(class, query), with names that exist."""
    topics, outlets = library.values("topic"), library.values("outlet")
    return [
        ("word, common", "the"),
        ("word", "diablo"),
        ("word, rare", "amazon"),
        ("two words", "diablo update"),
        ("words, one left out", "diablo -the"),
        ("only left out", "-the"),
        ("prefix, 1 letter", "d*"),
        ("prefix, 2 letters", "di*"),
        ("prefix, 3 letters", "dia*"),
        ("phrase", '"the diablo"'),
        ("field title", "title:diablo"),
        ("field related", "related:diablo"),
        ("topic, biggest", f'topic="{topics[0]}"'),
        ("topic and word", f'topic="{topics[0]}" diablo'),
        ("outlet, one", f'outlet="{outlets[0]}"'),
        ("outlet, many", "outlet:a* OR outlet:t*"),
        ("domain", "domain:com"),
        ("type", "type:video"),
        ("address", "url:/2020"),
        ("number", "quality>=90"),
        ("outlets of a story", "outlets>2"),
        ("time, after", "after:2023-06"),
        ("time, before", "before:2010"),
        ("state unread", "is:unread"),
        ("state starred", "is:starred"),
        ("state unpublished", "is:unpublished"),
        ("link gone", "link:gone"),
        ("has related", "has:related"),
        ("word, state, number", "diablo is:unread quality>50"),
        ("common word, rare state", "the is:starred"),
        ("either of two kinds", "diablo OR is:starred"),
    ]


def measure(library: Library, asked: Sequence[tuple[str, str]]) -> list[dict[str, object]]:
    """One row a query."""
    rows = []
    for name, text in asked:
        query = parse(text, NOW, UTC)
        ranks = library.search(query, limit=1).sort == "best"
        row: dict[str, object] = {"class": name, "query": text, "found": library.count(query)}
        row["newest"] = median(lambda q=query: library.search(q, sort="newest", limit=PAGE))
        row["ranked"] = median(lambda q=query: library.search(q, limit=PAGE)) if ranks else None
        row["all"] = median(lambda q=query: library.search(q, sort="newest"))
        row["count"] = median(lambda q=query: library.count(q))
        row["many"] = median(lambda q=query: tally(library, q, at_most=MANY, seconds=SOON))
        told = tally(library, query, at_most=MANY, seconds=SOON)
        row["told"] = f"{told.number:,}{' or more' * (not told.known or told.number == MANY)}"
        rows.append(row)
        print(row, file=sys.stderr)
    return rows


def typed(library: Library, text: str) -> list[dict[str, object]]:
    """The first page newest first at each letter, as narrowing asks for it, and "many" or the count."""
    rows = []
    for end in range(1, len(text) + 1):
        if text[end - 1] == " ":
            continue
        query = parse(text[:end] + "*", NOW, UTC)
        page = median(lambda q=query: library.search(q, sort="newest", limit=PAGE))
        count = median(lambda q=query: tally(library, q, at_most=MANY, seconds=SOON))
        rows.append({"typed": text[:end], "found": library.count(query), "newest": page, "many": count})
    return rows


async def gaps(library: Library, folder: Path) -> list[dict[str, object]]:
    """What the screen's event loop is held up by while a query is typed, a letter each 90 ms."""
    from reader.config import Locations, Settings
    from reader.session import Session
    from reader.sources import Source
    from reader.store.state import State
    from reader.ui.app import NewsfoldApp, stays_as_it_is

    (folder / "a").mkdir()
    state = State.open(folder / "data" / "state.db")
    places = Locations(folder / "data", folder / "config", folder / "cache", folder / "state")
    app = NewsfoldApp(Session(places, Settings(), [Source("a", folder / "a")], library, state))
    ticks: list[float] = []

    async def probe() -> None:
        while True:
            ticks.append(time.perf_counter())
            await asyncio.sleep(0.002)

    rows = []
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(3)
        stays_as_it_is()  # as the program does, and a test's app does not
        probing = asyncio.create_task(probe())
        for key, text in (("/", "diablo immortal"), ("=", "diablo immortal quality>50")):
            ticks.clear()
            await pilot.press(key)
            for letter in text:
                await pilot.press("space" if letter == " " else letter)
                await asyncio.sleep(0.09)
            await pilot.pause(1)
            apart = sorted((b - a) * 1_000 for a, b in itertools.pairwise(ticks))
            share = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
            row: dict[str, object] = {"line": key, "typed": text, "ticks": len(apart)}
            rows.append(
                row | {n: apart[int(len(apart) * s)] for n, s in share.items()} | {"largest": apart[-1]}
            )
            await pilot.press("escape")
        probing.cancel()
    state.close()
    return rows


def facts(library: Library, size: int, spent: float, what: str) -> dict[str, object]:
    """Of the machine and of the run."""
    return {
        "articles": size,
        "of": what,
        "filled in s": round(spent, 1),
        "database MB": round(library.path.stat().st_size / 1e6, 1),
        "peak MB": round(peak_mb(), 1),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load": [round(x, 1) for x in os.getloadavg()],
        "ranked among": RANKED,
    }


def table(rows: Sequence[dict[str, object]]) -> str:
    """Markdown."""
    names = list(rows[0])

    def cell(value: object) -> str:
        if value is None:
            return ""
        text = (
            f"{value:.2f}"
            if isinstance(value, float)
            else f"{value:,}"
            if isinstance(value, int)
            else str(value)
        )
        return text.replace("|", "\\|")

    lines = [f"| {' | '.join(names)} |", f"| {' | '.join('---' for _ in names)} |"]
    lines += [f"| {' | '.join(cell(row[name]) for name in names)} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Times of searches.")
    parser.add_argument(
        "--rows", type=int, default=0, help="made-up articles instead of the corpus multiplied"
    )
    parser.add_argument("--size", type=int, default=50_000, help="articles made of the corpus")
    parser.add_argument("--library", type=Path, help="keep the database here, or use the one there")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = Library(options.library or Path(folder) / "library.db")
        spent = 0.0
        if not library.total():
            articles = made_up(options.rows) if options.rows else multiplied(corpus(), options.size)
            spent = fill(library, articles)
        what = "made-up" if options.rows else f"{corpus().name}, over and over"
        asked = measure(library, queries(library))
        letters = typed(library, "diablo immortal")
        typed_in = library
        if options.library:  # a screen copies its own marks in
            typed_in = Library(shutil.copyfile(options.library, Path(folder) / "typed.db"))
        held = asyncio.run(gaps(typed_in, Path(folder)))
        about = facts(library, library.total(), spent, what)
        library.close()
    print("\n".join(f"- {name}: {value}" for name, value in about.items()))
    print(
        "\nMilliseconds: first page newest first and by rank, all rowids, the count, the same up to 10,001"
        f" or to what was found in {SOON} s, as the query line tells it first.\n"
    )
    print(table(asked))
    print("\nAs typed.\n")
    print(table(letters))
    print("\nMilliseconds between ticks of the screen's event loop while typing (2 were asked for).\n")
    print(table(held))
    if options.json:
        options.json.write_text(
            json.dumps({"facts": about, "queries": asked, "typed": letters, "gaps": held}, indent=1)
        )


if __name__ == "__main__":
    main()
