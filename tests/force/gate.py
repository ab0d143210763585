"""Every screen of the program, strangers' strings in every field, under a pseudo-terminal.

    python tests/force/gate.py [GROUP…]

Each group of screens runs with plain words, which is the reference, and with
over a thousand hostile strings in each field; no kind of control sequence may
come that the same screen did not send for plain words. Every string carries a
number that must have been drawn, so that nothing passes by not being shown. A
third run, with a share of the strings, has all cleaning taken out, where text
comes in and where it is drawn: every screen must then be caught.

Prints a line of JSON for each group; exits with 1 where anything is wrong: a
kind that is new, a string that was never drawn, a screen not caught.
"""

# ruff: noqa: B008 - a lambda's default holds what it waits for
from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "force")]

import gate_articles as articles  # noqa: E402
import gate_files as files  # noqa: E402
import gate_lines as typed  # noqa: E402
from gate_files import Words  # noqa: E402
from gate_terminal import Drawn, Stuck, counts, wanted  # noqa: E402

import reader.text  # noqa: E402
import reader.ui.app  # noqa: E402 - loaded before the fork, to save each child the time

ENOUGH: Final = 1_000
"""Different strings that must have been drawn in each field of each screen."""


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
    everything = range(min(words.count, files.SEARCHES))
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
            run.wait(
                lambda w=wanted(["ti"], files.file_numbers(words, n)): not w - run.seen["row"], f"row {n}"
            )
            run.on("said")
            run.press("Y", "copied [")
            run.wait(
                lambda w=wanted(["ti"], files.file_numbers(words, n)): not w - run.seen["said"],
                f"what was copied, {n}",
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
    "dense": articles.dense,
    "linked": articles.linked,
    "narrow": typed.narrow,
    "lines": typed.lines,
}

MUST: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "lists": {"list": ("ti", "ou"), "topics": ("to", "ou"), "health": ("ou",)},
    "searches": {"topics": ("sn",), "searches": ("sn", "sq", "rn", "rq")},
    "problems": {"problems": ("pa", "cs", "ck")},
    "heads": {"row": ("ti",), "said": ("ti",)},
    "folders": {"problems": ("fo",)},
    "dense": articles.MUST_DENSE,
    "linked": articles.MUST_LINKED,
    "narrow": typed.MUST_NARROW,
    "lines": typed.MUST_LINES,
}
"""By group and screen, the fields in which a thousand different strings must have been drawn."""


# -- what must be caught -------------------------------------------------------------


def _clean(value: str, limit: int = 0) -> str:
    return value


def _clean_block(value: str) -> str:
    return value


def _inert(value: str) -> str:
    return value


_STAND_INS: Final = (
    (reader.text.clean, _clean),
    (reader.text.clean_block, _clean_block),
    (reader.text.inert, _inert),
)


@contextmanager
def uncleaned() -> Iterator[None]:
    """Within, here and in children forked here, text comes in and is drawn as strangers wrote it."""
    _swap(dict(_STAND_INS))
    try:
        yield
    finally:
        _swap({stand_in: own for own, stand_in in _STAND_INS})


def _swap(others: dict[Any, Any]) -> None:
    """Bind what every module of the program knows by these functions to the others."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "reader" and isinstance(module, ModuleType):
            for known, value in list(vars(module).items()):
                if callable(value) and getattr(value, "__hash__", None) and value in others:
                    setattr(module, known, others[value])


def measure(group: str, words: Words, *, lenient: bool = False) -> Drawn:
    drawn = Drawn(words, lenient)
    with tempfile.TemporaryDirectory(prefix=f"newsfold-gate-{group}-", ignore_cleanup_errors=True) as folder:
        try:
            GROUPS[group](drawn, Path(folder))
        except (Stuck, OSError) as error:
            if not lenient:
                raise
            drawn.stuck = f"{type(error).__name__}: {error}"[:300]
    return drawn


def judge(group: str) -> dict[str, Any]:
    """The three runs of *group*, and what is wrong."""
    begun, cpu = time.monotonic(), _cpu()
    plain = measure(group, Words(hostile=False, every=files.PLAIN))
    strange = measure(group, Words(hostile=True))
    # How much of the first frames comes before the first words is chance: they are held against all screens.
    plain.kinds["start"] = set().union(*plain.kinds.values())
    # So is which attribute of text falls into which frame: those that newsfold sends anywhere are its own.
    # Strangers' strings name eleven, most of which it never sends.
    own = {kind for kinds in plain.kinds.values() for kind in kinds if kind.startswith("SGR")}
    for screen in strange.kinds:
        plain.kinds[screen] = plain.kinds.get(screen, set()) | own
    new = _new(strange, plain)
    drawn = counts(strange.seen)
    with uncleaned():
        bare = measure(group, Words(hostile=True, every=files.SHARE), lenient=True)
    # An attribute of colour alone proves nothing: the strings' own sequences must be there.
    caught = {s: len([k for k in found if not k.startswith("SGR")]) for s, found in _new(bare, plain).items()}
    must = MUST[group]
    result: dict[str, Any] = {
        "group": group,
        "unexpected": new,
        "missed": {s: len(pairs) for s, pairs in strange.missed.items()},
        "missed_which": {s: sorted(pairs)[:12] for s, pairs in strange.missed.items()},
        "missed_plain": {s: sorted(pairs)[:12] for s, pairs in plain.missed.items()},
        "few": {
            f"{s} {f}": drawn.get(s, {}).get(f, 0)
            for s in must
            for f in must[s]
            if drawn.get(s, {}).get(f, 0) < ENOUGH
        },
        "not_caught": [s for s in must if not caught.get(s) and s not in articles.ENCODED],
        "caught": caught,
        "drawn": drawn,
        "bare_ended": bare.stuck,
        "frames": plain.frames + strange.frames,
        "megabytes": round((plain.bytes + strange.bytes) / 1e6, 1),
    }
    return result | {"seconds": round(time.monotonic() - begun, 1), "cpu": round(_cpu() - cpu, 1)}


WRONG: Final = ("unexpected", "missed", "missed_plain", "few", "not_caught")


def _new(strange: Drawn, plain: Drawn) -> dict[str, list[str]]:
    """By screen what *strange* sent and *plain* did not."""
    new = {s: sorted(k - plain.kinds.get(s, set())) for s, k in strange.kinds.items()}
    return {screen: kinds for screen, kinds in new.items() if kinds}


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
        wrong = wrong or any(result[name] for name in WRONG)
        print(json.dumps(result), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
