"""A body of 8 MB in the article pane: when it is first seen, when all of it can be reached, and the memory.

    python tests/bench/body.py [--size BYTES] [--width CELLS] [--only KIND] [--program]

Each kind runs in a process of its own, in Textual's headless driver: the time
runs from ``Document.show`` until a frame holds the body's first line, ``keys``
is the longest time the event loop was held meanwhile, ``peak`` the process's
largest resident set, ``base`` the same before the body was made. The body
itself is part of the peak. With ``--program`` it is the real program in a
pseudo-terminal of 120x40: from the keys that go to the article and open it until
its first line has come, reading the file included; its largest resident set at
the start and when nothing came for two seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from measuring import peak_mb  # noqa: E402
from textual.app import App, ComposeResult  # noqa: E402

from reader.ui.document import Body, Document, Rule  # noqa: E402

FIRST = "First"
LIMIT = 8_000_000
LINK = '<p>Some prose <b>here</b> and <a href="https://example.org/x">there</a>, as pages have it.</p>\n'

KINDS: dict[str, Callable[[int], str]] = {
    "prose": lambda size: filled(
        "Words of a paragraph as people write them, one after another. " * 6 + "\n\n", size
    ),
    "short lines": lambda size: filled("word\n", size),
    "empty lines": lambda size: filled("\n", size),
    "one line": lambda size: filled("words without end ", size),
    "one word": lambda size: filled("x", size),
    "Chinese": lambda size: filled("漢字で書かれた長い文章。" * 8 + "\n", size // 3),
    "Arabic": lambda size: filled("نص طويل مكتوب بالعربية " * 8 + "\n", size // 2),
    "emoji": lambda size: filled("👩\u200d👩\u200d👧 ⚠️ ", size // 4),
    "controls": lambda size: filled("\x1b[31m\x9b\u202e\t", size),
    "HTML": lambda size: filled(LINK, size),
    "HTML, one paragraph": lambda size: filled("<b>word</b> and ", size),
    "HTML, broken": lambda size: filled("<a <table><td>x <!-- ", size),
    "64 KiB of Markdown": lambda _: filled(
        "Some *plain* text with a [link](https://example.org/x).\n\n", 60_000
    ),
    "64 KiB of brackets": lambda _: filled("![", 60_000),
}


def filled(unit: str, size: int) -> str:
    """*unit* again and again, *size* characters."""
    return (FIRST + " " + unit * (size // len(unit) + 1))[:size]


class Reading(App[None]):
    def compose(self) -> ComposeResult:
        yield Document()


async def measure(kind: str, size: int, width: int) -> dict[str, object]:
    """Show one body; times in ms, memory in MB."""
    app = Reading()
    async with app.run_test(size=(width, 50)) as pilot:
        document = app.query_one(Document)
        await pilot.pause()
        base = peak_mb()
        body = KINDS[kind](size)
        held = 0.0
        done = asyncio.Event()

        async def watch() -> None:
            nonlocal held
            while not done.is_set():
                before = time.perf_counter()
                await asyncio.sleep(0.001)
                held = max(held, time.perf_counter() - before)

        watcher = asyncio.create_task(watch())
        begun = time.perf_counter()
        document.show([Body(body), Rule("end", id="end")])
        while not any(FIRST in strip.text for strip in app.screen._compositor.render_strips()):
            await asyncio.sleep(0.002)
        first = time.perf_counter() - begun
        await app.workers.wait_for_complete()
        await pilot.pause()
        whole = time.perf_counter() - begun
        done.set()
        await watcher
        document.scroll_to_line(document.line_count)
        assert document.at_end
        return {
            "kind": kind,
            "mb": round(len(body.encode("utf-8", "surrogatepass")) / 1e6, 1),
            "lines": document.line_count,
            "first_ms": round(first * 1000),
            "whole_ms": round(whole * 1000),
            "keys_ms": round(held * 1000),
            "base_mb": round(base),
            "peak_mb": round(peak_mb()),
        }


def through_the_program(kind: str, size: int, rounds: int) -> dict[str, object]:
    """The same of the real program: the middle of *rounds* openings, each by a program of its own."""
    import screen

    with tempfile.TemporaryDirectory(prefix="newsfold-body-") as place:
        folder = Path(place, "news")
        folder.mkdir()
        body = KINDS[kind](size)
        small = "---\ntitle: Small one\npublishedDateTime: 2026-01-02T00:00:00Z\n---\nWords.\n"
        large = f"---\ntitle: Large one\npublishedDateTime: 2026-01-01T00:00:00Z\n---\n{body}"
        (folder / "small.md").write_text(small)
        (folder / "large.md").write_text(large, encoding="utf-8", errors="surrogatepass")
        times, bases, peaks = [], [], []
        for number in range(rounds):
            with screen.ours(Path(place, f"home{number}"), folder) as terminal:
                terminal.wait_for(b"2 new")  # the run over the files is over
                terminal.settle(1.0)
                bases.append(terminal.memory()["peak"])
                terminal.raw = b""
                begun = time.perf_counter()
                os.write(terminal.fd, b"j\r")
                terminal.wait_for(FIRST.encode())
                times.append((terminal.last - begun) * 1000)
                terminal.settle(2.0)
                peaks.append(terminal.memory()["peak"])
        return {
            "kind": kind,
            "mb": round(len(large.encode("utf-8", "surrogatepass")) / 1e6, 1),
            "first_ms": round(sorted(times)[rounds // 2]),
            "slowest_ms": round(max(times)),
            "base_mb": round(max(bases)),
            "peak_mb": round(max(peaks)),
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=LIMIT, help="bytes of UTF-8, about")
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--only", choices=list(KINDS))
    parser.add_argument("--program", action="store_true", help="through the real program in a terminal")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(asyncio.run(measure(options.only, options.size, options.width))))
        return
    if options.program:
        print("| body | file MB | first seen ms | slowest ms | base MB | peak MB |")
        print("| --- | --- | --- | --- | --- | --- |")
        for kind in [options.only] if options.only else KINDS:
            answer = through_the_program(kind, options.size, 5)
            print("| " + " | ".join(str(value) for value in answer.values()) + " |", flush=True)
        return
    print("| body | MB | lines | first seen ms | whole ms | longest hold ms | base MB | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in [options.only] if options.only else KINDS:
        command = [sys.executable, __file__, "--child", "--only", kind]
        command += ["--size", str(options.size), "--width", str(options.width)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
        print("| " + " | ".join(str(value) for value in json.loads(done.stdout).values()) + " |", flush=True)


if __name__ == "__main__":
    main()
