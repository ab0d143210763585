"""Strangers' strings in lists, topics, health, searches, problems and heads, under a pseudo-terminal.

    python tests/force/gate.py [GROUP…]

Each group of screens runs with plain words, which is the reference, and with
over a thousand hostile strings in each field; no kind of control sequence may
come that the same screen did not send for plain words. Every string carries a
number that must have been drawn, so that nothing passes by not being shown. A
third run has the cleaning of one widget taken out, and must be caught.

Prints a line of JSON for each group; exits with 1 where anything is wrong.
"""

# ruff: noqa: E501, B008 - a lambda's default holds what it waits for
from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "force")]

import gate_files as files  # noqa: E402
from gate_files import PACK, Words  # noqa: E402
from gate_terminal import Run, Stuck, Wanted, counts, wanted  # noqa: E402

import reader.ui.app  # noqa: E402
import reader.ui.screens.searches  # noqa: E402
import reader.ui.widgets.line_list  # noqa: E402

ENOUGH: Final = 1_000
"""Different strings that must have been drawn in each field of each screen."""
Child = Callable[[], None]


@dataclass
class Drawn:
    """What all runs of a group drew."""

    words: Words
    child: Child | None
    seen: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    missed: dict[str, Wanted] = field(default_factory=dict)
    bytes: int = 0
    frames: int = 0

    @contextmanager
    def run(self, home: Path, arguments: Iterable[str], size: tuple[int, int]) -> Iterator[Run]:
        """A run of the program, what it draws added to what was drawn; killed in the end, if it still lives."""
        run = Run(home, list(arguments), size, self.child)
        try:
            yield run
        finally:
            run.kill()
            for screen, pairs in run.seen.items():
                self.seen.setdefault(screen, set()).update(pairs)
            for screen, kinds in run.kinds().items():
                self.kinds.setdefault(screen, set()).update(kinds)
            self.bytes += run.bytes
            self.frames += run.frames

    def page(self, run: Run, want: Wanted, down: str = "\x06", up: str = "\x02") -> None:
        """Page through until all of *want* was drawn; what never was is told in the end."""
        left = run.page(want, down, up)
        if left:
            self.missed.setdefault(run.screen, set()).update(left)


def _numbers(words: Words, n: int, count: int = PACK, first: int = 0) -> range:
    begin = n * PACK + first
    return range(begin, min(begin + count, (n + 1) * PACK, words.count))


# -- the groups --------------------------------------------------------------------


def lists(drawn: Drawn, root: Path) -> None:
    """The list of articles, topics and outlets, the links' health: one string a row."""
    words = drawn.words
    for part in range(4):
        news, home = root / f"news{part}", root / f"home{part}"
        files.single(words, news, part)
        files.settle_single(words, home, news, part)
        with drawn.run(home, [str(news)], (200, 60)) as run:
            numbers = list(files.numbers(words, part))
            run.on("list")
            run.until(f"qti{numbers[0]:04}z")
            drawn.page(run, wanted(["ti", "ou"], numbers))
            run.on("topics")
            run.press("h")
            drawn.page(run, wanted(["to", "ou"], numbers))
            run.on("health")
            run.press("H", "Alive by outlet")
            drawn.page(run, wanted(["ou"], numbers), " ")
            run.press("q")
            run.leave()


def searches(drawn: Drawn, root: Path) -> None:
    """Saved searches and rules, on their page and among the topics."""
    words = drawn.words
    files.settle_searches(words, root / "home", root / "news")
    everything = range(files.SEARCHES)
    with drawn.run(root / "home", [str(root / "news")], (200, 60)) as run:
        run.until("One")
        run.on("topics")
        run.press("h")
        drawn.page(run, wanted(["sn"], everything))
        run.on("searches")
        run.press("F", "Saved searches and rules")
        drawn.page(run, wanted(["sn", "sq", "rn", "rq"], everything), "\x1b[6~", "\x1b[5~")
        # killed, not left: thousands of searches are still being counted


def problems(drawn: Drawn, root: Path) -> None:
    """Files that are none, fields that are none, settings that are none."""
    words = drawn.words
    files.broken(words, root / "news")
    files.settle(words, root / "home", root / "news")
    with drawn.run(root / "home", [str(root / "news")], (200, 60)) as run:
        run.on("notice")
        run.until("qcs0000z")
        run.on("problems")
        run.press("E", "At the start")
        everything = range(words.count)
        drawn.page(run, wanted(["cs", "ck", "pa"], everything) | wanted(["fi"], everything[::2]), " ")
        run.press("q")
        run.leave()


def heads(drawn: Drawn, root: Path) -> None:
    """A terminal so wide that whole titles stand in one line: rows, status line, pane heads."""
    words = drawn.words
    files.dense(words, root / "news")
    files.settle_dense(words, root / "home", root / "news")
    with drawn.run(root / "home", [str(root / "news")], (3_000, 12)) as run:
        run.until("qti0000z")
        for n in range(words.files):
            run.on("row")
            if n:
                run.press("j")
            run.wait(lambda w=wanted(["ti"], _numbers(words, n)): not w - run.seen["row"], f"row {n}")
            run.on("said")
            run.press("Y")
            run.wait(
                lambda w=wanted(["ti"], _numbers(words, n)): not w - run.seen["said"], f"what was copied, {n}"
            )
        run.leave()


def folders(drawn: Drawn, root: Path) -> None:
    """Folders of strangers: in the masthead, and when they are gone. And no folder at all."""
    words = drawn.words
    with drawn.run(root / "none", [], (100, 30)) as run:
        run.on("first run")
        run.until("Welcome to newsfold")
        run.leave("q")
    opened = files.folders(words, root / "news")
    with drawn.run(root / "home", [str(folder) for folder in opened], (3_000, 12)) as run:
        run.on("masthead")
        run.until("newsfold", "new")
        run.leave()
    for folder in opened:
        folder.rename(root / f"gone-{folder.stat().st_ino}")
    with drawn.run(root / "home", [], (200, 60)) as run:
        run.on("notice")
        run.until("qfo0000z")
        run.on("problems")
        run.press("E", "At the start")
        drawn.page(
            run, {(m[1], int(m[2])) for folder in opened for m in files.MARK.finditer(str(folder))}, " "
        )
        run.press("q")
        run.leave()


GROUPS: Final[dict[str, Callable[[Drawn, Path], None]]] = {
    "lists": lists,
    "searches": searches,
    "problems": problems,
    "heads": heads,
    "folders": folders,
}


# -- what must be caught -------------------------------------------------------------


def _as_it_is(text: str, *_: Any) -> str:
    return text


def _bare(*places: tuple[Any, str]) -> Child:
    """In the child: the functions that clean at *places* hand on what they are given."""

    def child() -> None:
        for module, name in places:
            setattr(module, name, _as_it_is)

    return child


BYPASSED: Final[dict[str, Child]] = {
    "searches": _bare((reader.ui.widgets.line_list, "inert"), (reader.ui.screens.searches, "clean")),
}
"""Of these groups the widgets' own cleaning is taken out in a third run."""


def measure(group: str, *, hostile: bool, child: Child | None = None) -> Drawn:
    drawn = Drawn(Words(hostile=hostile), child)
    with tempfile.TemporaryDirectory(prefix=f"newsfold-gate-{group}-") as folder:
        GROUPS[group](drawn, Path(folder))
    return drawn


def judge(group: str) -> dict[str, Any]:
    """The three runs of *group*, and what is wrong."""
    begun, cpu = time.monotonic(), _cpu()
    plain = measure(group, hostile=False)
    strange = measure(group, hostile=True)
    # How much of the first frames comes before the first words is chance: they are held against all screens.
    plain.kinds["start"] = set().union(*plain.kinds.values())
    new = {s: sorted(k - plain.kinds.get(s, set())) for s, k in strange.kinds.items()}
    result: dict[str, Any] = {
        "group": group,
        "drawn": counts(strange.seen),
        "unexpected": {screen: kinds for screen, kinds in new.items() if kinds},
        "missed": {s: len(pairs) for s, pairs in strange.missed.items()},
        "missed_which": {s: sorted(pairs)[:12] for s, pairs in strange.missed.items()},
        "missed_plain": {s: sorted(pairs)[:12] for s, pairs in plain.missed.items()},
        "frames": plain.frames + strange.frames,
        "megabytes": round((plain.bytes + strange.bytes) / 1e6, 1),
    }
    if group in BYPASSED:
        try:
            bare = measure(group, hostile=True, child=BYPASSED[group])
            found = {s: sorted(k - plain.kinds.get(s, set())) for s, k in bare.kinds.items()}
            result["caught"] = {s: len(k) for s, k in found.items() if k}
        except Stuck as stuck:
            result["caught"] = {"stuck": str(stuck)[:200]}
    result |= {"seconds": round(time.monotonic() - begun, 1), "cpu": round(_cpu() - cpu, 1)}
    return result


def _cpu() -> float:
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    options = parser.parse_args()
    gc.freeze()  # what is loaded is shared with every child
    wrong = False
    for group in options.groups or GROUPS:
        result = judge(group)
        wrong = wrong or bool(result["unexpected"]) or result.get("caught") == {}
        print(json.dumps(result), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
