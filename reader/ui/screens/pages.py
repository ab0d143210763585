"""Pages of text over the newspaper: help, problems, every field, a story."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from rich.text import Text
from textual import events

from reader.model import Article
from reader.store.query.fields import help_rows
from reader.store.rows import ProblemRow
from reader.text import clean
from reader.ui.commands import COMMANDS, GROUPS, Keymap, shown
from reader.ui.document import Block, Lines, Rule
from reader.ui.places import Pane
from reader.ui.screens.page import Page
from reader.ui.styling import ACCENT, BAD, DIM, STRONG, styled
from reader.ui.widgets.lines import Piece

_MOST_PROBLEMS = 5_000  # of a kind, on one page
_LONGEST_FIELD = 4_000  # characters of one field shown; the command line gives all of it


class TextPage(Page[None]):
    """A page to be read; Escape or q leaves it."""

    def __init__(self, title: str, blocks: Sequence[Block] | Callable[[int], Sequence[Block]]) -> None:
        """*blocks*, or what gives them for a width in cells."""
        super().__init__(title, blocks if callable(blocks) else lambda _: blocks)

    def keys(self) -> list[Piece]:
        return [
            (" j/k", "key"),
            (" scroll  ", "dim"),
            ("Space", "key"),
            (" page  ", "dim"),
            ("q", "key"),
            (" back", "dim"),
        ]

    def on_key(self, event: events.Key) -> None:
        event.stop()
        if event.key in ("escape", "q", "question_mark"):
            self.dismiss()
        elif (lines := self.steps().get(event.key)) is not None:
            self._document.scroll_lines(lines)


def help_page(keymap: Keymap, pane: Pane) -> list[Block]:
    """The keys of every command, those shown in *pane*'s key bar first."""
    blocks: list[Block] = [Rule(f"In the {pane.value} pane")]
    here = [c for c in COMMANDS if pane.value in c.footer]
    blocks += [_key_line(keymap.keys[c.id], c.help) for c in here if keymap.keys[c.id]]
    for group in GROUPS:
        blocks += [Lines(Text()), Rule(group)]
        blocks += [
            _key_line(keymap.keys[c.id], c.help) for c in COMMANDS if c.group == group and keymap.keys[c.id]
        ]
    blocks += [Lines(Text()), Rule("What can be asked in / and =")]
    for row in help_rows():
        asked = (f"{row.syntax:<16}  ", ACCENT)
        blocks.append(Lines(styled(asked, f"{row.meaning}  ", (row.example, DIM)), indent=2, hang=20))
    blocks += [Lines(Text()), Lines(styled(("Keys are changed in config.toml under [keys].", DIM)))]
    return blocks


def _key_line(keys: Sequence[str], words: str) -> Block:
    names = " ".join(shown(k) for k in keys)
    return Lines(styled((f"{names:>16}  ", ACCENT), words), hang=18)


def problems_page(rows: Sequence[ProblemRow], complaints: Sequence[str] = ()) -> list[Block]:
    """What was wrong at the start, files that gave no article, then fields that gave no value."""
    blocks: list[Block] = []
    if complaints:
        blocks += [Rule("At the start"), *(Lines(styled((c, BAD)), hang=4) for c in complaints)]
        blocks.append(Lines(Text()))
    files = [r for r in rows if not r.warning]
    fields = [r for r in rows if r.warning]
    blocks.append(Rule(f"Files without an article: {len(files):,}"))
    blocks += _problems(files, BAD)
    blocks += [Lines(Text()), Rule(f"Fields without a value: {len(fields):,}")]
    return [*blocks, *_problems(fields, "")]


def _problems(rows: Sequence[ProblemRow], style: str) -> list[Block]:
    blocks: list[Block] = []
    for row in rows[:_MOST_PROBLEMS]:
        reason = f"{row.field}: {row.reason}" if row.field else row.reason
        blocks.append(Lines(styled((f"{row.path}:{row.line}  ", STRONG), (reason, style)), hang=4))
    if len(rows) > _MOST_PROBLEMS:
        more = f"and {len(rows) - _MOST_PROBLEMS:,} more: newsfold problems lists them all"
        blocks.append(Lines(styled((more, DIM))))
    return blocks


def fields_page(article: Article) -> list[Block]:
    """Every field of the file, as written."""
    blocks: list[Block] = [Rule("Fields of the file")]
    from reader.frontmatter import to_json

    for name, value in to_json(article)["fields"].items():
        text = (
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
        )
        lines = text[:_LONGEST_FIELD].split("\n")
        if name == "secured":
            lines = [f"(sealed, {len(text)} characters)"]
        blocks.append(Lines(styled((f"{clean(name, 60)}: ", ACCENT), lines[0]), hang=4))
        blocks += [Lines(styled(line), hang=4) for line in lines[1:]]
    if article.warnings:
        blocks += [Lines(Text()), Rule("Warnings")]
        blocks += [
            Lines(
                styled((f"line {w.line}  ", STRONG), f"{w.field}: {w.reason}" if w.field else w.reason),
                hang=4,
            )
            for w in article.warnings
        ]
    return blocks
