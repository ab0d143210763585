"""The groups about articles: the pane and the pages over it, and what is known of links."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import gate_files as files
import gate_server
from gate_files import MARK, PACK, Words, file_numbers
from gate_terminal import Drawn, Run, Wanted, wanted

MUST_DENSE: Final[dict[str, tuple[str, ...]]] = {
    "article": ("ti", "ex", "to", "rt", "ro", "iu", "it", "ia", "no", "tg", "ht", "hu", "hy", "bm", "bh"),
    "fields": ("na", "va", "ca", "ty", "to", "ex", "ti", "ou", "do"),
    "story": ("rt", "ro"),
    "differences": ("rt", "ro"),
}
MUST_LINKED: Final[dict[str, tuple[str, ...]]] = {
    "article": ("lr", "lo"),
    "dead page": ("lr",),
    "moved": ("lt",),
}
ENCODED: Final = ("moved",)
"""A run keeps addresses percent-encoded: with all cleaning taken out nothing is left there to be caught."""
_BELOW: Final = "Space read on"
"""What the last line says when a page over the article is gone: a key struck before is the page's."""
_TALL: Final = (200, 110)
"""So that a few pages hold an article."""


# -- the pane --------------------------------------------------------------------------


def dense(drawn: Drawn, root: Path) -> None:
    """Articles, all fields, stories, headline differences; palette, help and the article alone."""
    words = drawn.words
    paths = files.dense(words, root / "news")
    files.settle_dense(words, root / "home", root / "news")
    with drawn.run(root / "home", [str(root / "news")], _TALL) as run:
        run.until("qti0000z")
        for n in range(words.files):
            run.on("article")
            run.press("J" if n else "\r")
            # The first may have been drawn before it was gone to, beside the list.
            run.wait(lambda n=n: ("au", n * PACK) in run.seen["article"] | run.seen["start"], f"article {n}")
            run.press("x")  # same texts unfolded
            drawn.page(run, _of_article(words, n, paths[n]))
            numbers = file_numbers(words, n)
            fields = ["na", "va", "ca", "ty", "to", "ex", "ti", "ou", "do"]
            _over(drawn, run, "fields", "i", "Fields of the file", wanted(fields, numbers))
            _over(drawn, run, "story", "T", "Timeline from", wanted(["rt", "ro"], numbers))
            _over(drawn, run, "differences", "D", "a word that only", wanted(["rt", "ro"], numbers))
            if n % 16 == 0:
                _over(drawn, run, "help", "?", "In the article pane", set())
        run.on("zen")
        run.press("z")
        run.frame()
        for n in reversed(range(words.files - 1)):
            run.press("K")
            run.wait(lambda n=n: ("au", n * PACK) in run.seen["zen"], f"article {n}")
        run.on("palette")
        run.press(":", "Search for")
        run.frame()
        # killed: how long an Escape takes to be one is chance


def _of_article(words: Words, n: int, path: str) -> Wanted:
    """What the pane has to show of file *n*."""
    numbers = file_numbers(words, n)
    fields = ["ti", "ex", "to", "rt", "ro", "iu", "it", "ia", "no", "tg", "ht", "hu", "hy"]
    want = wanted(fields, numbers) | wanted(["bm" if n % 2 else "bh"], files.body_numbers(words, n))
    # A name is as long as a file's may be, an author's and the kind are cut: what must be there of them.
    return (
        want
        | {(m[1], int(m[2])) for m in MARK.finditer(path)}
        | wanted(["ou", "au", "ty", "na"], numbers[:1])
    )


def _over(drawn: Drawn, run: Run, name: str, key: str, said: str, want: Wanted) -> None:
    """A page over the article, read to its end and left."""
    run.on(name)
    run.press(key, said)
    drawn.page(run, want, " ", "\x02")
    run.press("q", _BELOW)
    run.on("article")


# -- links -----------------------------------------------------------------------------


def linked(drawn: Drawn, root: Path) -> None:
    """A run over all links against a loopback server; answers below addresses, ladders, health."""
    words = drawn.words
    with gate_server.server(words) as port:
        files.linked(words, root / "news", port)
        files.settle_linked(words, root / "home", root / "news", port)
        with drawn.run(root / "home", [str(root / "news")], (200, 36)) as run:
            run.until("Linked 0000")
            run.on("sweep")
            run.press("C", "ask them")
            run.press("y", "missing", "known already")
            run.press("\r")
            run.press("J", "/web/0001")  # the first was drawn while the run went on: it is come back to
            for n in range(files.link_files(words)):
                numbers = files.link_numbers(words, n)
                run.on("article")
                run.press("J" if n else "K")
                run.wait(lambda n=n: ("lr", n * files.LINK_PACK) in run.seen["article"], f"article {n}")
                drawn.page(run, wanted(["lr", "lo"], numbers))
                run.on("dead page")
                run.press("o", "What can still be read")
                drawn.page(run, wanted(["lr"], numbers), " ")
                run.press("q", _BELOW)
            run.leave()
        with drawn.run(root / "home", [str(root / "news")], (3_000, 60)) as run:  # an address in a line
            run.until("newsfold", "Linked")
            run.on("moved")
            run.press("H", "All links")
            drawn.page(run, wanted(["lt"], range(min(files.LINKS, words.count))), " ")
            run.press("q")
            run.leave()
