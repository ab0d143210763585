"""Where our time goes: a first load by its stages, a start by the modules it imports.

A load in one process is taken apart by timing, around what each stage calls, the
time less that of the stages within it. Beside it stands what the same load takes
with helpers, by process. A start is taken apart by ``-X importtime``.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import loading
import making
from measuring import PYTHON, Cell, Part, Table, median, run

from reader import filereader, frontmatter, sources
from reader.frontmatter import build, strict
from reader.ingest import Ingest
from reader.store import indexing, listing, sqlite, writer

_STAGES: Sequence[tuple[Any, str, str]] = (
    (sources, "scan", "looking for files"),
    (sources, "read_file", "reading files"),
    (frontmatter, "read", "finding the front matter"),
    (strict, "parse", "parsing it"),
    (build, "article", "articles of it"),
    (filereader, "prepare", "rows of articles"),
    (listing, "pack", "packing related entries"),
    (indexing, "packed", "packing long texts"),
    (writer.Writer, "apply", "the rest of writing"),
)
_STATEMENTS: Sequence[tuple[str, str]] = (
    ("INSERT INTO fts(", "full text"),
    ("INSERT INTO article", "articles with their indexes"),
    ("INSERT INTO placing", "sections"),
    ("INSERT INTO mention", "related entries"),
    ("INSERT INTO listed", "related entries"),
    ("INSERT INTO body", "long texts"),
    ("COMMIT", "commits"),
)
_ELSE = "all else"


class _Clock:
    """Seconds of each stage, without those of the stages called from it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = dict.fromkeys((name for _, _, name in _STAGES), 0.0)
        self._within = [0.0]

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """*work*, what it takes put down under *stage*."""

        @functools.wraps(work)
        def timing(*arguments: Any, **named: Any) -> Any:
            self._within.append(0.0)
            begun = time.perf_counter()
            try:
                return work(*arguments, **named)
            finally:
                took = time.perf_counter() - begun
                self.spent[stage] = self.spent.get(stage, 0.0) + took - self._within.pop()
                self._within[-1] += took

        return timing

    def connection(self) -> type[sqlite.Connection]:
        """A connection of which the statements that write much are timed."""
        clock = self

        class Timed(sqlite.Connection):
            def execute(self, sql: str, *values: Any) -> Any:
                return clock._of(sql, super().execute)(sql, *values)

            def executemany(self, sql: str, *values: Any) -> Any:
                return clock._of(sql, super().executemany)(sql, *values)

        return Timed

    def _of(self, sql: str, work: Callable[..., Any]) -> Callable[..., Any]:
        stage = next((stage for start, stage in _STATEMENTS if sql.startswith(start)), None)
        return self.timed(stage, work) if stage else work


def stages(folder: Path, home: Path) -> None:
    """Load in one process; print the seconds of each stage."""
    clock = _Clock()
    for owner, name, stage in _STAGES:
        setattr(owner, name, clock.timed(stage, getattr(owner, name)))
    sqlite.Connection = clock.connection()  # type: ignore[misc]
    loading.folding_apart(fold=False)
    with loading.session(home, folder) as ours:
        ingest = Ingest(ours.library, ours.state, ours.sources)
        ingest.helpers = 0
        begun = time.perf_counter()
        ingest.run()
        whole = time.perf_counter() - begun
    print(json.dumps(clock.spent | {_ELSE: whole - sum(clock.spent.values())}))


def processes(folder: Path, home: Path) -> None:
    """Load with helpers; print the processor seconds of this process and of them, and those by the clock."""
    loading.folding_apart(fold=False)
    with loading.session(home, folder) as ours:
        begun, cpu = time.perf_counter(), time.process_time()
        Ingest(ours.library, ours.state, ours.sources).run()
        own, wall = time.process_time() - cpu, time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"this": own, "helpers": used.ru_utime + used.ru_stime, "wall": wall}))


def where(sizes: Sequence[int], rounds: int) -> Part:
    """Stages of a load, and modules of a start."""
    part = Part("Where our time goes")
    for size in sizes:
        folder = making.files(size)
        found = [_child("stages", folder) for _ in range(rounds)]
        spent = {stage: median([one.get(stage, 0.0) for one in found]) for stage in found[0]}
        beside = [_child("processes", folder) for _ in range(rounds)]
        by_process = {name: median([one[name] for one in beside]) for name in beside[0]}
        whole = sum(spent.values())
        rows: list[tuple[Cell, ...]] = [
            (stage, seconds / size * 1e6, f"{seconds / whole:.0%}")
            for stage, seconds in sorted(spent.items(), key=lambda entry: (entry[0] == _ELSE, -entry[1]))
        ]
        rows.append(("together", whole / size * 1e6, ""))
        part.data[str(size)] = {"stages": spent, "processes": by_process}
        wall, this, helpers = (f"{by_process[name]:.2f} s" for name in ("wall", "this", "helpers"))
        words = (
            f"### A first load of {size:,} files\n\nIn one process, without the start of Python; the timing "
            f"itself is some us of it. With helpers it takes {wall}, in which this process works for {this} "
            f"and its helpers together for {helpers}."
        )
        part.tables.append(Table(("stage", "us a file", "share"), rows, words))
    modules = _imports(rounds)
    part.data["imports"] = modules
    part.tables.append(
        Table(
            ("package", "ms"),
            [(name, took) for name, took in modules.items()],
            "### What a start imports\n\nBy `-X importtime`, which itself takes a part of it.",
        )
    )
    return part


def _child(what: str, folder: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="newsfold-bench-") as home:
        done = run([PYTHON, __file__, "--child", what, str(folder), home], env=loading.dirs(Path(home)))
    return dict(json.loads(done.out))


_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def _imports(rounds: int) -> dict[str, float]:
    """Milliseconds of each package that the screen imports at its start, the small ones together."""
    runs: list[Counter[str]] = []
    for _ in range(rounds):
        told = subprocess.run(
            [PYTHON, "-X", "importtime", "-c", "import reader.cli, reader.ui.app"],
            capture_output=True,
            text=True,
            check=True,
            env=loading.dirs(Path()),
        ).stderr
        spent: Counter[str] = Counter()
        for took, module in _IMPORT.findall(told):
            package = module.partition(".")[0]
            known = package in ("reader", "textual", "rich", "sqlite3", "asyncio")
            spent[package if known else "the standard library and others"] += int(took)
        runs.append(spent)
    middle = {name: median([one[name] for one in runs]) / 1_000 for name in runs[0]}
    return dict(sorted(middle.items(), key=lambda entry: -entry[1]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", required=True, choices=("stages", "processes"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("home", type=Path)
    options = parser.parse_args()
    {"stages": stages, "processes": processes}[options.child](options.folder, options.home)


if __name__ == "__main__":
    sys.exit(main())
