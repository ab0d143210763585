"""Loading a folder for the first time, and looking again: ours beside a floor and peers.

Each program runs as a process of its own, in turn, on an empty home. Ours is
what ``newsfold refresh`` does, until every article is in; folding them into
stories, which no peer does, stands in a row of its own. *One process* is the
same without helpers. python-frontmatter fills the same store by the same
writer. notmuch and mu index the same articles as messages, newsboat reloads
them as RSS from ``file://``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import making
from measuring import (
    PEERS,
    PYTHON,
    ROOT,
    Cell,
    Part,
    Run,
    Table,
    in_turn,
    median,
    peak_mb,
    run,
    size_mb,
    tool,
)

from reader.config import locate
from reader.errors import NewsfoldError
from reader.folding import Folding
from reader.ingest import Ingest
from reader.model import Article, Provider, Related
from reader.session import Session, open_session
from reader.store.library import Library
from reader.store.writer import Batch, Writer

PEER_SIZE = 50_000
"""Peers are measured at this size and below."""


def session(home: Path, *folders: Path) -> Session:
    """Ours over *folders*, its databases in *home*."""
    places = {name: home / name for name in ("data", "config", "cache", "state")}
    return open_session(locate({name: str(path) for name, path in places.items()}), folders)


def dirs(home: Path) -> dict[str, str]:
    """The environment that keeps ours in *home*."""
    return {
        f"NEWSFOLD_{name.upper()}_DIR": str(home / name) for name in ("data", "config", "cache", "state")
    } | {"PYTHONPATH": str(ROOT)}


# -- the programs


def newsfold(folder: Path, home: Path, how: str = "best") -> Run:
    """Ours in a process of its own, until every article is in.

    *how* ``alone``: without helpers; ``folded``: the stories too, which costs more than the rest.
    """
    done = run([PYTHON, __file__, "--child", how, str(folder), str(home)], env=dirs(home))
    folding = json.loads(done.out)
    return replace(done, wall=done.wall - folding["wall"], cpu=done.cpu - folding["cpu"], out=done.out)


def python_frontmatter(folder: Path, home: Path) -> Run:
    """python-frontmatter feeding our store."""
    return run([PYTHON, __file__, "--child", "frontmatter", str(folder), str(home)], env=dirs(home))


def notmuch(mail: Path, home: Path) -> Run:
    """``notmuch new`` on an empty index."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / "notmuch-config"
    config.write_text(
        f"[database]\npath={home / 'index'}\nmail_root={mail}\n[user]\nname=r\nprimary_email=r@example.org\n"
        "[new]\ntags=unread\n[search]\n"
    )
    (home / "index").mkdir(exist_ok=True)
    return run(["notmuch", f"--config={config}", "new", "--no-hooks"])


def mu(mail: Path, home: Path) -> Run:
    """``mu index`` on an empty index."""
    run(["mu", "init", f"--maildir={mail}", f"--muhome={home}"])
    return run(["mu", "index", "--quiet", f"--muhome={home}"])


def newsboat(feeds: Path, home: Path) -> Run:
    """``newsboat -x reload`` into an empty cache."""
    home.mkdir(parents=True, exist_ok=True)
    names = (feeds / "names").read_text().split()
    (home / "urls").write_text("".join(f"file://{feeds / name}\n" for name in names))
    (home / "config").write_text("max-items 0\nreload-threads 2\n")
    files = ["-u", str(home / "urls"), "-c", str(home / "cache.db"), "-C", str(home / "config")]
    return run(["newsboat", *files, "-x", "reload"], env={"HOME": str(home)})


# -- the children


def folding_apart(*, fold: bool = True) -> dict[str, float]:
    """From now on what folding stories takes is put here, each time anew; not *fold*: it is left out."""
    spent = {"wall": 0.0, "cpu": 0.0}
    work = Folding.run if fold else lambda _: True

    def timed(self: Folding) -> bool:
        wall, cpu = time.perf_counter(), time.process_time()
        done = work(self)
        spent.update(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)
        return done

    Folding.run = timed  # type: ignore[method-assign]
    return spent


def ours(folder: Path, home: Path, helpers: int | None, *, fold: bool) -> None:
    """Load; print what folding the stories took of it."""
    spent = folding_apart(fold=fold)
    with session(home, folder) as opened:
        run = Ingest(opened.library, opened.state, opened.sources)
        run.helpers = helpers
        run.run()
    print(json.dumps(spent))


def fill_by_frontmatter(folder: Path, home: Path) -> None:
    """What a program on python-frontmatter would do: load each file, keep what is shown."""
    sys.path.extend(map(str, PEERS.glob("lib/python*/site-packages")))
    import frontmatter  # type: ignore[import-not-found,unused-ignore]

    writer = Writer(Library(home / "library.db"))
    batch: list[Article] = []
    for path in sorted(folder.rglob("*.md")):
        post = frontmatter.load(str(path))
        batch.append(_article(post.metadata, post.content, f"{folder.name}/{path.relative_to(folder)}"))
        if len(batch) == 1_000:
            writer.apply(Batch(articles=batch), lambda _: {}, lambda _: {})
            batch = []
    writer.apply(Batch(articles=batch), lambda _: {}, lambda _: {})


def _article(fields: dict[str, Any], body: str, path: str) -> Article:
    def text(name: str) -> str:
        return str(fields.get(name) or "")

    related = tuple(
        Related(
            str(r.get("webUrl") or ""),
            str(r.get("title") or ""),
            str(r.get("excerpt") or ""),
            _time(r.get("publishedDateTime")),
            web_url=str(r.get("webUrl") or ""),
            provider=_provider(r.get("provider")),
            quality=r.get("quality"),
        )
        for r in fields.get("related") or ()
    )
    return Article(
        key=text("webUrl") or text("originalUrl") or path,
        path=path,
        title=text("title") or text("name"),
        excerpt=text("excerpt"),
        category=text("category"),
        type=text("type"),
        published_at=_time(fields.get("publishedDateTime")),
        web_url=text("webUrl"),
        original_url=text("originalUrl"),
        quality=fields.get("quality"),
        heat=fields.get("heat"),
        published=fields.get("published"),
        provider=_provider(fields.get("provider")),
        topics=tuple(str(t) for t in fields.get("topics") or () if t),
        related=related,
        body=body,
    )


def _provider(value: Any) -> Provider:
    value = value or {}
    return Provider(str(value.get("name") or ""), str(value.get("domain") or ""))


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None


# -- loading


def load(sizes: Sequence[int], rounds: int) -> Part:
    """Cold loads."""
    part = Part("Loading a folder for the first time")
    for size in sizes:
        _load(part, size, rounds)
    parts = part.data["sizes"]
    known = [(row["size"], row["newsfold"]["mb"]) for row in parts]
    if len(known) > 1:
        (small, first), (large, last) = known[0], known[-1]
        part.at_most(
            f"from {small:,} to {large:,}: peak memory a thousand files more",
            (last - first) / (large - small) * 1_000,
            0.5,
            " MB",
        )
    return part


def _load(part: Part, size: int, rounds: int) -> None:
    folder = making.files(size)
    with tempfile.TemporaryDirectory(prefix="newsfold-bench-") as name:
        homes = _Homes(Path(name))
        jobs = {
            "newsfold": lambda: newsfold(folder, next(homes)),
            "newsfold, then its stories": lambda: newsfold(folder, next(homes), "folded"),
            "newsfold, one process": lambda: newsfold(folder, next(homes), "alone"),
        }
        found: dict[str, list[Run]] = {}
        sizes: dict[str, float] = {}
        if size <= PEER_SIZE and size >= 10_000:
            if list(PEERS.glob("lib/python*/site-packages/frontmatter")):
                jobs["python-frontmatter, same store"] = lambda: python_frontmatter(folder, next(homes))
            mail, feeds = making.messages(size) / "mail", making.feeds(size)
            if shutil.which("newsboat"):
                jobs["newsboat, as RSS"] = lambda: newsboat(feeds, next(homes))
            if shutil.which("mu"):
                jobs["mu index, as messages"] = lambda: mu(mail, next(homes))
            if shutil.which("notmuch"):
                jobs["notmuch new, as messages"] = lambda: notmuch(mail, next(homes))
        folder_of: dict[str, Path] = {}
        for _ in range(rounds):
            for job, work in jobs.items():
                found.setdefault(job, []).append(work())
                folder_of[job] = homes.last
                sizes[job] = _database(homes.last)
                homes.forget()
    row: dict[str, Any] = {"size": size, "files_mb": size_mb(folder)}
    ours = median([r.wall for r in found["newsfold"]])
    cells = []
    for job, runs in found.items():
        wall, cpu, mb = (median([getattr(r, key) for r in runs]) for key in ("wall", "cpu", "mb"))
        row[job] = {"wall": wall, "cpu": cpu, "mb": mb, "database_mb": sizes[job], "runs": len(runs)}
        cells.append((job, wall, cpu, wall / ours, size / wall, mb, sizes[job], len(runs)))
        if job == "newsfold, then its stories":
            cells[-1] = _folded(runs, sizes[job], ours)
    part.data.setdefault("sizes", []).append(row)
    part.tables.append(
        Table(
            ("program", "wall s", "CPU s", "times ours", "files a second", "peak MB", "database MB", "runs"),
            cells,
            f"### {size:,} files, {row['files_mb']:.0f} MB",
        )
    )
    _load_targets(part, row, size)


def _folded(runs: Sequence[Run], database: float, ours: float) -> tuple[Cell, ...]:
    """What folding came to, which is no part of the row above."""
    spent = [json.loads(r.out) for r in runs]
    wall, cpu = (median([s[key] for s in spent]) for key in ("wall", "cpu"))
    return (
        "then folding its stories",
        wall,
        cpu,
        wall / ours,
        None,
        median([r.mb for r in runs]),
        database,
        len(runs),
    )


def _load_targets(part: Part, row: dict[str, Any], size: int) -> None:
    if size < 10_000:
        return

    def times(peer: str, ours: str = "newsfold") -> float | None:
        return row[peer]["wall"] / row[ours]["wall"] if peer in row else None

    peer = "python-frontmatter, same store"
    part.at_least(f"{size:,}: python-frontmatter, by one process", times(peer, "newsfold, one process"), 4.5)
    part.at_least(f"{size:,}: python-frontmatter, with a second process", times(peer), 5.5)
    part.at_least(f"{size:,}: notmuch new", times("notmuch new, as messages"), 6)
    part.at_least(f"{size:,}: newsboat reload", times("newsboat, as RSS"), 1.3)
    part.at_least(f"{size:,}: mu index", times("mu index, as messages"), 3)
    index = row.get("notmuch new, as messages")
    share = row["newsfold"]["database_mb"] / index["database_mb"] if index else None
    part.at_most(f"{size:,}: database beside notmuch's index", share, 0.5, " x")


class _Homes(Iterator[Path]):
    """Fresh folders, one after the other."""

    def __init__(self, root: Path) -> None:
        self.root, self.count = root, 0

    @property
    def last(self) -> Path:
        return self.root / str(self.count)

    def __next__(self) -> Path:
        self.count += 1
        return self.last

    def forget(self) -> None:
        shutil.rmtree(self.last, ignore_errors=True)


def _database(home: Path) -> float:
    """What a program wrote, less its configuration, WAL folded in."""
    for path in home.rglob("*.db"):
        try:
            db = sqlite3.connect(path)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.close()
        except sqlite3.Error:
            pass
    libraries = list(home.rglob("library*.db"))
    return sum(map(size_mb, libraries)) if libraries else size_mb(home)


# -- looking again


def refresh(sizes: Sequence[int], rounds: int) -> Part:
    """Nothing changed, and one file in a hundred changed, beside a bare scandir and stat."""
    part = Part("Looking again")
    rows = []
    for size in sizes:
        answer = json.loads(
            run([PYTHON, __file__, "--child", "refresh", str(making.files(size)), str(rounds)]).out
        )
        part.data[str(size)] = answer
        for name, floor, label in (
            ("floor", "floor", "bare scandir and stat"),
            ("nothing", "floor", "ours, nothing changed"),
            ("between", "between", "bare scandir and stat, beside the next"),
            ("few", "between", "ours, 1% changed: articles in"),
            ("folding", "between", "and their stories folded anew"),
        ):
            own, bare = answer[name], answer[floor]
            times, cpu_times = own["wall"] / bare["wall"], own["cpu"] / bare["cpu"]
            rows.append((f"{size:,}", label, own["wall"] * 1_000, times, own["cpu"] * 1_000, cpu_times))
        if size == max(sizes):
            times = answer["times"]
            part.at_most(f"{size:,} files, nothing changed", times["nothing"], 1.25, " x")
            part.at_most(f"{size:,} files, 1% changed", times["few"], 3, " x")
    part.tables.append(Table(("files", "what", "ms", "times the floor", "CPU ms", "times"), rows))
    return part


def bare(folder: str) -> int:
    """The floor: every entry of the tree seen and asked for its times."""
    count, pending = 0, [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count


def looking_again(folder: Path, rounds: int) -> None:
    """In one process: the floor and ours in turn. The changed files are put back as they were."""
    files = sorted(folder.rglob("*.md"))[::100]
    kept = {path: path.read_bytes() for path in files}
    folding = folding_apart()
    folded: list[tuple[float, float]] = []
    with session(making.home(folder), folder) as ours:
        Ingest(ours.library, ours.state, ours.sources).run()
        changed: list[int] = []

        def again() -> tuple[float, float]:
            wall, cpu = _timed(
                lambda: changed.append(Ingest(ours.library, ours.state, ours.sources).run().changed)
            )
            if not changed[-1]:
                return wall, cpu
            folded.append((folding["wall"], folding["cpu"]))
            return wall - folding["wall"], cpu - folding["cpu"]

        def few() -> tuple[float, float]:
            for path, data in kept.items():
                path.write_bytes(data + b"\n%d changed\n" % len(changed))
                os.utime(path, (1_600_000_000 + len(changed),) * 2)
            return again()

        try:
            found = in_turn({"floor": lambda: _timed(lambda: bare(str(folder))), "nothing": again}, rounds)
            assert not any(changed), changed
            folded.clear()
            found |= in_turn({"between": lambda: _timed(lambda: bare(str(folder))), "few": few}, rounds)
            found["folding"] = folded
            assert min(changed[rounds:]) == len(files), changed
        finally:
            for path, data in kept.items():
                path.write_bytes(data)
                os.utime(path, (1_500_000_000,) * 2)
    answer = {
        name: {"wall": median([v[0] for v in values]), "cpu": median([v[1] for v in values])}
        for name, values in found.items()
    }
    # Of each turn beside the floor of that turn: a machine may be twice as fast in one as in the next.
    times = {
        name: median([own[0] / floor[0] for own, floor in zip(found[name], found[beside], strict=True)])
        for name, beside in (("nothing", "floor"), ("few", "between"))
    }
    print(json.dumps(answer | {"times": times, "peak_mb": peak_mb(), "changed": len(files)}))


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def peers() -> dict[str, str]:
    """Which peers are here."""
    return {"notmuch": tool("notmuch"), "mu": tool("mu"), "newsboat": tool("newsboat")}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", required=True)
    parser.add_argument("folder", type=Path)
    parser.add_argument("rest")
    options = parser.parse_args()
    try:
        match options.child:
            case "best" | "folded":
                ours(options.folder, Path(options.rest), None, fold=options.child == "folded")
            case "alone":
                ours(options.folder, Path(options.rest), 0, fold=False)
            case "frontmatter":
                fill_by_frontmatter(options.folder, Path(options.rest))
            case "refresh":
                looking_again(options.folder, int(options.rest))
    except NewsfoldError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
