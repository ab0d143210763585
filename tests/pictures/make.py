"""Draws the README's pictures from the real program under a pseudo-terminal.

    .venv/bin/python tests/pictures/make.py [NAME …]

Each picture is an SVG of the terminal's cells as the program left them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import pyte

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import archive  # noqa: E402
from terminal import Terminal  # noqa: E402

CELL_W, CELL_H, PAD = 8.4, 18, 12
FOREGROUND, BACKGROUND = "#d9d5cb", "#16181d"
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
NAMES = {
    "black": "#16181d", "red": "#e07a6f", "green": "#87b38d", "brown": "#e8c268", "blue": "#6f9fd8",
    "magenta": "#b48ead", "cyan": "#7fb6c2", "white": "#d9d5cb",
}  # fmt: skip

# name: columns, rows, then keys; wait:WORDS waits until the words are on the screen, snap:WORDS takes
# the picture as soon as they are.
PICTURES: dict[str, tuple[int, int, list[str]]] = {
    "newspaper": (
        120,
        34,
        ["/", "first image of a black hole", "enter", "j", "j", "j", "enter", "wait:Coverage", "]", "]"],
    ),
    "story": (
        100,
        34,
        [
            "/",
            "first image of a black hole",
            "enter",
            "j",
            "j",
            "j",
            "enter",
            "wait:Coverage",
            "T",
            "wait:Timeline",
        ],
    ),
    "sweep": (100, 22, ["wait:900 articles", "C", "wait:Check them all", "y", "snap:checking 3"]),
    "health": (90, 44, ["wait:1,400 articles", "H", "wait:Alive by outlet", "j", "j"]),
}
FOLDERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[None]]] = {
    "sweep": archive.asking,
    "health": archive.asked,
}
"""The pictures of something else than the sample, and what makes it."""


def colour(name: str, default: str) -> str:
    """pyte's name of a colour as ``#rrggbb``."""
    if name == "default":
        return default
    return NAMES.get(name.removeprefix("bright"), f"#{name}" if len(name) == 6 else default)


def runs(line: dict[int, pyte.screens.Char], columns: int) -> Iterator[tuple[int, str, str, str, bool, bool]]:
    """Neighbouring cells that look alike: (column, text, foreground, background, bold, underlined)."""
    start, text, look = 0, "", None
    for x in range(columns + 1):
        cell = line[x] if x < columns else None
        new = None
        if cell is not None:
            front, back = colour(cell.fg, FOREGROUND), colour(cell.bg, BACKGROUND)
            new = (back, front) if cell.reverse else (front, back)
            new = (*new, cell.bold, cell.underscore)
        if new != look:
            if look is not None and text:
                yield (start, text, *look)
            start, text, look = x, "", new
        if cell is not None:
            text += cell.data
    return


def svg(screen: pyte.Screen) -> str:
    """The screen as an SVG document; every run is held to its cells, whatever the font."""
    width, height = screen.columns * CELL_W + 2 * PAD, screen.lines * CELL_H + 2 * PAD
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        f'<g font-family="{FONTS}" font-size="14">',
    ]
    for y in range(screen.lines):
        top = PAD + y * CELL_H
        for x, text, front, back, bold, under in runs(screen.buffer[y], screen.columns):
            left, length = PAD + x * CELL_W, len(text) * CELL_W
            if back != BACKGROUND:
                parts.append(
                    f'<rect x="{left:.1f}" y="{top}" width="{length:.1f}" height="{CELL_H}" fill="{back}"/>'
                )
            if text.strip():
                style = (' font-weight="bold"' if bold else "") + (
                    ' text-decoration="underline"' if under else ""
                )
                parts.append(
                    f'<text x="{left:.1f}" y="{top + 13.5}" fill="{front}" textLength="{length:.1f}"'
                    f' xml:space="preserve"{style}>{escape(text)}</text>'
                )
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def draw(name: str) -> None:
    """Run the program on its sample or a made-up folder, press the keys, keep the picture."""
    columns, rows, keys = PICTURES[name]
    with tempfile.TemporaryDirectory() as home, contextlib.ExitStack() as stack:
        env = {"HOME": home, "PYTHONPATH": str(HERE.parents[1]), "TZ": "UTC"}
        os.environ |= env
        what = "--sample"
        if name in FOLDERS:
            what = f"{home}/archive"
            stack.enter_context(FOLDERS[name](Path(what)))
        terminal = stack.enter_context(Terminal([sys.executable, "-m", "reader", what], env, (columns, rows)))
        terminal.wait_for("Topics" if columns >= 120 else "All")
        terminal.settle()
        for key, then in zip(keys, [*keys[1:], ""], strict=True):
            if key.startswith(("wait:", "snap:")):
                terminal.wait_for(key[5:])
            else:
                terminal.press(key)
            if not key.startswith("snap:") and not then.startswith("snap:"):  # which never rests before
                terminal.settle(0.5)
        (HERE / f"{name}.svg").write_text(svg(terminal.screen), encoding="utf-8")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or PICTURES:
        draw(wanted)
        print(f"{wanted}.svg")
