"""Lists: counters, ids of places, pages, orders, at 50,000 articles and at a million; and libnotmuch beside.

The articles are made up and put straight into the store (:mod:`search`), no
files: titles, excerpts, outlets and topics as uneven as in real archives. A
topic switch is what the screen does before it paints: the first ids of the
place (:data:`reader.ui.loading.HEAD`) and its first two pages. All ids of a
place, which follow, are rows of their own. A jump to the end before they are
there shows the last ids and their pages. For libnotmuch the same
50,000 real-file articles are messages and rows; both answer in one process
each, in turn: see :data:`WORDS`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import loading
import making
import search
from measuring import CACHE, PYTHON, Part, Table, in_turn, median, ms, peak_mb, run

from reader.store.library import Library
from reader.store.merging import merge
from reader.store.rows import Place, PlaceKind, Sort
from reader.ui.loading import HEAD

PAGE = 64


WORDS = """### Beside libnotmuch, 50,000 articles, warm

The newest 50 that match, each with its title, or subject; and how many there are. Ours is `Library.search`
and, by one more statement, the titles of what it found. notmuch gives messages, and of each a header that
its index keeps. Each side is asked in turn with the other, for each figure three times in a row after a first
time; warm is the middle of the three. Both work on the same processor, and times are the middle of those of
each turn. Our index is as the program has it some seconds after a load, its parts
merged. What notmuch finds beyond ours it finds by stems of words."""

MORE = """The first answers of each turn, when the other process had the processor's caches meanwhile; what
the newest 50 take without titles; and whole rows, as the screen takes them (`Library.rows`, 17 fields),
beside notmuch's messages with a subject."""

CLASSES = {
    # ours, notmuch's
    "common word": ("diablo", "diablo"),
    "word": ("amazon", "amazon"),
    "two words": ("diablo fans", "diablo and fans"),
    "phrase": '"diablo immortal"',
    "prefix": ("immor*", "immor*"),
    "word in the title": ("title:diablo", "subject:diablo"),
    "outlet": ("outlet:Forbes", "from:Forbes"),
    "one left out": ("diablo -immortal", "diablo and not immortal"),
    "either": ("amazon OR immortal", "amazon or immortal"),
    "everything": ("", "*"),
}


def library(size: int) -> Path:
    """A database of *size* made-up articles."""
    folder = CACHE / "rows"
    path = folder / f"library-{size}.db"
    done = folder / f"library-{size}.done"
    if done.exists():
        kept = Library(path)  # another schema rebuilds it empty
        full = kept.total() == size
        kept.close()
        if full:
            return path
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    made = Library(path)
    search.fill(made, search.made_up(size))
    made.close()
    done.touch()
    return path


def lists(rounds: int) -> Part:
    """Both sizes, each in a process of its own."""
    part = Part("Lists")
    rows: dict[str, dict[int, float]] = {}
    sizes = (50_000, 1_000_000)
    facts = []
    for size in sizes:
        path = library(size)
        answer = json.loads(run([PYTHON, __file__, "--child", "rows", str(path)], limit=3_000).out)
        part.data[str(size)] = answer
        facts.append((f"{size:,}", path.stat().st_size / 2**20, answer["empty_mb"], answer["peak_mb"]))
        for name, value in answer["ms"].items():
            rows.setdefault(name, {})[size] = value
    small, large = sizes
    part.tables.append(Table(("articles", "database MB", "program before MB", "at most MB"), facts))
    part.tables.append(
        Table(
            ("what, ms", *(f"{size:,}" for size in sizes), "times"),
            [(name, v[small], v[large], v[large] / max(v[small], 0.001)) for name, v in rows.items()],
        )
    )
    figures = part.data[str(large)]["ms"]
    pages = [v for n, v in figures.items() if n.startswith("page")]
    part.at_most("a million: slowest page", max(pages), 5, " ms")
    ratio = max(rows[n][large] / rows[n][small] for n in rows if n.startswith("page"))
    part.at_most("a million: pages beside 50,000", ratio, 1.5, " x")
    part.at_most(
        "a million: slowest topic switch",
        max(v for n, v in figures.items() if n.startswith("switch")),
        50,
        " ms",
    )
    ends = [v for n, v in figures.items() if n.startswith("jump")]
    part.at_most("a million: slowest jump to the end", max(ends), 50, " ms")
    part.at_most("a million: counters of all places", figures["all counters"], 50, " ms")
    answer = part.data[str(large)]
    part.at_most(
        "a million: memory over the empty program", answer["peak_mb"] - answer["empty_mb"], 150, " MB"
    )
    return part


def places(library: Library) -> list[tuple[str, Place]]:
    """Places to switch to: the views, the biggest and a middling topic and outlet."""
    topics, outlets = library.values("topic"), library.values("outlet")
    return [
        ("all", Place(PlaceKind.ALL)),
        ("unread", Place(PlaceKind.UNREAD)),
        ("starred", Place(PlaceKind.STARRED)),
        ("broken", Place(PlaceKind.BROKEN)),
        ("biggest topic", Place(PlaceKind.TOPIC, topics[0])),
        ("middling topic", Place(PlaceKind.TOPIC, topics[len(topics) // 2])),
        ("biggest outlet", Place(PlaceKind.OUTLET, outlets[0])),
    ]


def rows(path: Path) -> None:
    """Measure one database; print JSON."""
    empty = peak_mb()  # the screen's modules among it
    store = Library(path)
    today = int(store.rows(store.ids(limit=1))[0].published or 0) // 86_400 * 86_400
    found: dict[str, float] = {
        "all counters": ms(lambda: store.places(today)),
        "all counters, if all were of today": ms(lambda: store.places(0)),
    }
    everything = store.ids(Place(PlaceKind.ALL))
    for name, start in (("first", 0), ("middle", len(everything) // 2), ("last", len(everything) - PAGE)):
        found[f"page, {name}"] = ms(lambda s=start: store.rows(everything[s : s + PAGE]))  # type: ignore[misc]

    def switch(place: Place, sort: Sort) -> array[int]:
        ids = store.ids(place, sort, limit=HEAD)
        store.rows(ids[: 2 * PAGE])
        return ids

    def end(place: Place, sort: Sort) -> None:
        store.rows(store.ids(place, sort, limit=HEAD, last=True)[-2 * PAGE :])

    for name, place in places(store):
        if name in ("all", "broken", "biggest topic"):
            for sort in Sort:
                found[f"jump to the end of {name}, by {sort.value}"] = ms(lambda p=place, s=sort: end(p, s))  # type: ignore[misc]
    for name, place in places(store):
        found[f"all ids of {name}"] = ms(lambda p=place: store.ids(p))  # type: ignore[misc]
    for name, place in places(store):
        for sort in Sort:
            found[f"switch to {name}, by {sort.value}"] = ms(lambda p=place, s=sort: switch(p, s))  # type: ignore[misc]
    print(json.dumps({"ms": found, "empty_mb": empty, "peak_mb": peak_mb()}))


# -- beside libnotmuch


def beside(rounds: int) -> Part:
    """Searches beside libnotmuch's."""
    part = Part("Searches beside libnotmuch")
    python = _with_notmuch()
    if python is None or not shutil.which("notmuch"):
        part.tables.append("notmuch or its Python binding (python3-notmuch2) is not installed: not measured.")
        return part
    with tempfile.TemporaryDirectory(prefix="newsfold-bench-") as name:
        home = Path(name)
        mail = making.messages(50_000) / "mail"
        index = making.kept("notmuch-50000", lambda folder: _indexed(mail, folder)) / "index"
        theirs = Library(home / "library.db")
        search.fill(theirs, making.articles(making.files(50_000)))
        merge(theirs, lambda: False)
        theirs.close()
        command = [
            python,
            str(Path(__file__).with_name("asking_notmuch.py")),
            str(index),
        ]
        asked = {n: c if isinstance(c, tuple) else (c, c) for n, c in CLASSES.items()}
        store = Library(home / "library.db")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
            assert peer.stdin is not None and peer.stdout is not None
            if peer.stdout.readline().strip() != "ready":
                raise RuntimeError("libnotmuch cannot open its index")

            def ask(query: str) -> dict[str, Any]:
                peer.stdin.write(query + "\n")  # type: ignore[union-attr]
                peer.stdin.flush()  # type: ignore[union-attr]
                answer: dict[str, Any] = json.loads(peer.stdout.readline())  # type: ignore[union-attr]
                return answer

            table, more = [], []
            everywhere = _share_a_processor(peer.pid)
            for label, (mine, other) in asked.items():
                found = in_turn(
                    {"ours": lambda q=mine: _ask_ours(store, q), "theirs": lambda q=other: ask(q)},
                    max(rounds, 7),  # type: ignore[misc]
                )
                a, b = (
                    {key: median([answer[key] for answer in found[who]]) for key in found[who][0]}
                    for who in ("ours", "theirs")
                )
                part.data.setdefault("notmuch", {})[label] = {"ours": a, "theirs": b}
                table.append((label, mine or "(all)", a["n"], b["n"], *_beside(found, "newest"),
                              *_beside(found, "count")))  # fmt: skip
                more.append((label, *_beside(found, "first"), *_beside(found, "first_count"),
                             *_beside(found, "ids"), *_beside(found, "rows", "newest")[::2]))  # fmt: skip
            if everywhere:
                os.sched_setaffinity(0, everywhere)
            peer.stdin.close()
        store.close()
    three = ("notmuch", "times")
    head = ("class", "query", "ours find", "notmuch finds", "newest 50, ms", *three, "count, ms", *three)
    part.tables.append(Table(head, table, WORDS))
    head = ("class", "first time, newest 50, ms", *three, "first time, count, ms", *three)
    part.tables.append(Table((*head, "numbers alone, ms", *three, "whole rows, ms", "times"), more, MORE))
    part.at_least("beside libnotmuch: newest 50, slowest class", min(r[6] for r in table), 8)
    part.at_least("beside libnotmuch: counts, slowest class", min(r[9] for r in table), 2)
    return part


def _indexed(mail: Path, folder: Path) -> None:
    loading.notmuch(mail, folder)


def _with_notmuch() -> str | None:
    """A Python that has notmuch's binding: the distribution's, as a rule."""
    for python in dict.fromkeys(["/usr/bin/python3", PYTHON, shutil.which("python3") or PYTHON]):
        try:
            asked = subprocess.run([python, "-c", "import notmuch2"], capture_output=True, timeout=60)
        except OSError:
            continue
        if asked.returncode == 0:
            return python
    return None


def _share_a_processor(peer: int) -> set[int]:
    """Have this process and *peer*, which work in turn, do so on one: of rented ones one may be slower.

    The processors of this process until now; none where nothing can be said about them.
    """
    if not hasattr(os, "sched_setaffinity"):
        return set()
    everywhere = os.sched_getaffinity(0)
    for process in (0, peer):
        os.sched_setaffinity(process, {min(everywhere)})
    return everywhere


def _beside(
    found: dict[str, list[dict[str, float]]], key: str, other: str = ""
) -> tuple[float, float, float]:
    """The middle of ours, of theirs, and of how many times ours theirs was in the same turn."""
    pairs = [(a[key], b[other or key]) for a, b in zip(found["ours"], found["theirs"], strict=True)]
    ours, theirs = (median(side) for side in zip(*pairs, strict=True))
    return ours, theirs, median([b / a for a, b in pairs])


def _ask_ours(store: Library, query: str) -> dict[str, float]:
    def ids() -> array[int]:
        return store.search(query, sort="newest", limit=50).ids

    def newest() -> None:
        found = ids()
        marks = ",".join("?" * len(found))
        store.db.execute(f"SELECT id, title FROM article WHERE id IN ({marks})", found).fetchall()

    def rows() -> None:
        store.rows(ids())

    def count() -> int:
        return store.count(query)

    answer = {"first": ms(newest, 1), "first_count": ms(count, 1)}
    # What is asked only once after something else measures how that left the processor and SQLite's pages.
    answer |= {"newest": ms(newest, 3), "count": ms(count, 3), "ids": ms(ids, 3), "rows": ms(rows, 3)}
    return answer | {"n": count()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", choices=("rows", "make"), required=True)
    parser.add_argument("what")
    options = parser.parse_args(arguments)
    if options.child == "make":
        print(library(int(options.what)))
    else:
        rows(Path(options.what))


if __name__ == "__main__":
    main()
