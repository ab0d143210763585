"""What the front matter tests share: soup, mutations, and what it means for two trees to be the same."""

from __future__ import annotations

import random

from reader.frontmatter import events, strict
from reader.frontmatter.tree import Fault, Tree
from reader.model import JsonValue

_SCALARS = [
    "",
    '"a"',
    '"a b: c"',
    "'a'",
    "'it''s'",
    "a",
    "a b",
    "~",
    "null",
    "true",
    "no",
    "12:30",
    "3.10",
    "010",
    "-1",
    "- a",
    "a: b",
    "a #b",
    "a#b",
    '"a\\"b"',
    '"a\\\\"',
    '"\\n\\t"',
    '"\\x41"',
    '"\\u00e9"',
    "[a]",
    "{a: b}",
    "|",
    ">",
    "&a",
    "&a b",
    "*a",
    "!t b",
    "%",
    "@",
    "`",
    "x:",
    "-",
    "?",
    "é",
    "\u3000",
    "\xa0",
    "a\u2028b",
    "\ufeffa",
    "a\x85b",
    "a\tb",
    "\ta",
    " a",
    "a ",
    '"a',
    'a"',
    '"',
    "'",
    "''",
    '""',
    '"a" b',
    '"a" #c',
    "# c",
    "=",
    "<<",
    ".",
    "...",
    "---",
    "--- a",
    "2020-06-11T02:01:00Z",
    "2020-13-45",
    "2020-06-11 02:01:00Z",
    "2020: 6-11T02:01:00Z",
    "2020 #6-11T02:01:00Z",
    "-020-06-11T02:01:00Z",
    "[020-06-11T02:01:00Z",
    "https://a.example/b?c=d#e",
    "- - a",
    "- a: b",
    "-1.5",
    "1e5",
    "1_000",
    "0x1f",
    "+1",
    ".5",
    "1.5",
    "-0",
    '\'a" b"',
    'He said "no"',
    "100000000000000000000",
    "\U0001f600",
    "a\x00",
    "a\x7f",
    '"\ud7ff"',
    "a,b",
    "a]",
    "(a)",
    "/a",
    "$a",
    "\\a",
]
_KEYS = ["a", "b", "c", "title", "a-b", "a_b", "a1", "1a", "a b", "", '"a"', "é", "?", "<<", "null", "topics"]


def soup(chance: random.Random) -> str:
    """A few lines that are nearly, and often truly, of the strict grammar."""
    lines = []
    indent = 0
    for _ in range(chance.randint(0, 7)):
        indent = max(0, indent + chance.choice((0, 0, 0, 2, 2, -2, -2, 1, -4)))
        dash = chance.choice(("", "", "- ", "- ", "-", "-  ")) if chance.random() < 0.4 else ""
        key = chance.choice(_KEYS[:7] if chance.random() < 0.9 else _KEYS)
        colon = chance.choice((": ", ": ", ": ", ":", ":  ", " : ", "")) if chance.random() < 0.85 else ""
        scalar = chance.choice(_SCALARS) if chance.random() < 0.7 else ""
        line = " " * indent + dash + (key + colon if colon else "") + scalar
        lines.append(line if chance.random() < 0.97 else "")
        if dash and colon and chance.random() < 0.7:
            indent += 2
    return "".join(line + "\n" for line in lines)


_PIECES = [
    "\n",
    " ",
    "  ",
    ":",
    ": ",
    "-",
    "- ",
    '"',
    "'",
    "#",
    " #",
    "\\",
    "\t",
    "\r",
    "[",
    "{",
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    ",",
    "?",
    "~",
    "0",
    "é",
    "\u2028",
    "\x85",
    "\xa0",
    "\ufeff",
    "\x00",
    "\x1b",
    "---",
    "\n---\n",
    "\n...\n",
    "\n\n",
    "\n  ",
    "\n- ",
    '\\"',
    "''",
    "\\u00e9",
    "\\x1b",
    "null",
    "\n<<<<<<< a\n",
]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A real file with a few small accidents."""
    text = data.decode()
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(text) + 1)
        kind = chance.randrange(7)
        if kind < 2:
            text = text[:at] + chance.choice(_PIECES) + text[at:]
        elif kind == 2:
            text = text[:at] + text[at + chance.choice((1, 1, 2, 8, 60)) :]
        elif kind == 3:
            text = text[:at] + chance.choice(_PIECES) + text[at + 1 :]
        else:
            lines = text.split("\n")
            here, there = chance.randrange(len(lines)), chance.randrange(len(lines))
            if kind == 4:
                lines[here], lines[there] = lines[there], lines[here]
            elif kind == 5:
                lines[here] = chance.choice(("", " ", "  ", "   ", "    ", "- ", "  - ")) + lines[
                    here
                ].lstrip(" ")
            else:
                lines.insert(here, lines[there])
            text = "\n".join(lines)
    return text.encode()


def lines_of(tree: Tree) -> dict[tuple[str | int, ...], int]:
    """Every path of *tree* and its line."""
    found: dict[tuple[str | int, ...], int] = {}
    root, lines = tree.locate()

    def walk(value: JsonValue, path: tuple[str | int, ...]) -> None:
        if isinstance(value, dict | list):
            for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
                found[(*path, step)] = lines[id(value), step]
                walk(inner, (*path, step))

    walk(root, ())
    return found


def agree(front: str) -> bool:
    """Whether the strict way read *front*; fails when the other way then read anything else."""
    quick = strict.parse(front.encode())
    if quick is None:
        return False
    full = events.parse(front)
    assert not isinstance(full, Fault), (front, full)
    assert repr(quick.root) == repr(full.root), front
    assert lines_of(quick) == lines_of(full), front
    assert not full.notes, front
    return True
