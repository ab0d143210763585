"""The groups of the smaller layouts, and of the lines one types in: what stands in them, what is pasted."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import gate_files as files
from gate_terminal import Drawn, Run, wanted

MUST_NARROW: Final[dict[str, tuple[str, ...]]] = {
    "two panes": ("ti", "ou"),
    "drawer": ("to", "ou"),
    "one list": ("ti", "ou"),
    "one topics": ("to", "ou"),
    "one article": ("ti", "ex", "to", "ou"),
}
MUST_LINES: Final[dict[str, tuple[str, ...]]] = {
    "note": ("no",),
    "tags": ("tg",),
    "pasted note": ("pn",),
    "pasted narrowing": ("pr",),
    "pasted query": ("pq",),
    "pasted name": ("ps",),
}
_BEGIN: Final = "\x1b[200~"
_END: Final = "\x1b[201~"
_PROMPTS: Final = (("note", "e", "no", "Note "), ("tags", "t", "tg", "parted"))
_HOME: Final = "\x01"
_EMPTY: Final = "\x0b"  # from the cursor on
_SOON: Final = 5.0
_AGAIN: Final = 0.5
_SOON_LENIENT: Final = 0.3


def narrow(drawn: Drawn, root: Path) -> None:
    """Two panes with the topics as a drawer, and one pane at a time."""
    words = drawn.words
    for part in range(4):
        news, home = root / f"news{part}", root / f"home{part}"
        files.single(words, news, part)
        files.settle_single(words, home, news, part)
        numbers = list(files.numbers(words, part))
        with drawn.run(home, [str(news)], (100, 60)) as run:
            run.on("two panes")
            run.until(f"qti{numbers[0]:04}z")
            drawn.page(run, wanted(["ti", "ou"], numbers))
            run.on("drawer")
            run.press("h", "Contents")
            drawn.page(run, wanted(["to", "ou"], numbers))
            # killed, not left: the next one would begin where it was
        with drawn.run(home, [str(news)], (60, 60)) as run:
            run.on("one list")
            run.until("newsfold")
            run.press("g")
            run.press("g")
            drawn.page(run, wanted(["ti", "ou"], numbers))
            run.on("one topics")
            run.press("h", "Views")
            drawn.page(run, wanted(["to", "ou"], numbers))
            run.on("one list")
            run.press("l")
            run.press("g")
            run.press("g", f"qti{numbers[0]:04}z")
            run.on("one article")
            for n in numbers:
                run.press("\r" if n == numbers[0] else "J")
                _until(drawn, run, {("ti", n), ("ex", n), ("to", n), ("ou", n)})


def lines(drawn: Drawn, root: Path) -> None:
    """Notes and tags in the line they are changed in; pastes into every line there is."""
    words = drawn.words
    files.noted(words, root / "news")
    files.settle_noted(words, root / "home", root / "news")
    everything = range(words.count)
    with drawn.run(root / "home", [str(root / "news")], (60, 24)) as run:  # one pane: no note beside the list
        run.until("Noted 0000")
        for n in everything:
            # By words that only this line has: the one before may still be drawn.
            for screen, key, field, its in _PROMPTS if n % 3 else ():  # two of three: each takes its time
                run.on(screen)
                _insist(run, key, its)
                run.press(_HOME)
                _until(drawn, run, {(field, n)})
                run.press("\r")
                while run.frame(0.06):  # until it is closed, mostly
                    pass
            if n + 1 < words.count:
                _insist(run, "j", f"{n + 2:,}/")
        # killed, not left: the next one would begin where it was
    with drawn.run(root / "home", [str(root / "news")], (200, 24)) as run:
        run.until("Noted 0000")
        run.on("pasted note")
        run.press("e", "Enter keeps it")
        run.frame()  # what is typed before it has the keys is lost
        run.press(_HOME)
        run.frame()
        _paste(drawn, run, "pn", everything)
        run.press(_EMPTY + "\r")
        _calm(run)
        run.on("pasted narrowing")
        run.press("/", "narrow the list")
        _paste(drawn, run, "pr", everything)
        run.press(_EMPTY + "\r")
        _calm(run)
        run.on("pasted query")
        run.press("=", "Tab completes")
        _paste(drawn, run, "pq", everything)
        run.on("pasted name")
        run.press(f"{_EMPTY}word\x13", "Name of this search")
        _paste(drawn, run, "ps", everything)
        # killed: what was typed is not kept


def _paste(drawn: Drawn, run: Run, field: str, numbers: Iterable[int]) -> None:
    """Paste one string after the other into the line that is open, each in the place of the one before."""
    for n in numbers:
        # As a terminal sends it that filters nothing but the mark that would end it.
        text = drawn.words.one(field, n).replace(_END, "")
        run.press(f"{_EMPTY}{_BEGIN}{text}{_END}{_HOME}")
        _until(drawn, run, {(field, n)})


def _insist(run: Run, key: str, said: str) -> None:
    """Press *key* until *said* is drawn: a line that is closing may still take one, and forgets it."""
    for _ in range(2 if run.lenient else 20):
        run.press(key)
        end = time.monotonic() + _AGAIN
        while said not in run.fresh and time.monotonic() < end:
            run.frame(0.1)
        if said in run.fresh:
            return


def _until(drawn: Drawn, run: Run, want: set[tuple[str, int]]) -> None:
    """Read until *want* was drawn; what is not within some time is told in the end."""
    end = time.monotonic() + (_SOON_LENIENT if drawn.lenient else _SOON)
    while (
        want - run.seen[run.screen] and time.monotonic() < end
    ):  # a cursor that blinks makes frames for ever
        run.frame(0.1)
    if left := want - run.seen[run.screen]:
        drawn.missed.setdefault(run.screen, set()).update(left)


def _calm(run: Run) -> None:
    """Read until nothing is drawn any more, as it is when no line is open."""
    end = time.monotonic() + _SOON
    while run.frame() and time.monotonic() < end:
        pass
