"""What every way of reading front matter hands to the builder.

The tree *is* the article's ``fields``: JSON values in which an unquoted scalar
became a number, truth value or null only where that value's JSON form is
exactly the text that was written (see :func:`reader.frontmatter.values.plain`).
So the publisher's text can always be had back, and nothing else need be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from reader.model import JsonValue
from reader.values import dataclass

Step = str | int
Path = tuple[Step, ...]
"""From the root: a key for a map, a position from 0 for a list."""

Fields = dict[str, JsonValue]
Lines = dict[tuple[int, Step], int]
"""``(id of the map or list, step)`` -> line in the file, counted from 1."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Front matter that gave no tree. ``at_end``: more text might have mended it."""

    line: int
    reason: str
    at_end: bool = False


@dataclass(slots=True)
class Tree:
    """``root`` with a way to find the line of any part of it.

    ``locate`` is called at most once, when the first line is asked for: lines
    are wanted for warnings only, and most files have none. It returns a root of
    the same shape and the lines of that root.
    """

    root: Fields
    locate: Callable[[], tuple[Fields, Lines]]
    notes: list[tuple[int, str, str]] = field(default_factory=list)
    """Warnings met on the way: line, field, reason."""
    _located: tuple[Fields, Lines] | None = None

    def line_of(self, path: Path) -> int:
        """The line on which *path* starts; 0 where it is not known."""
        if self._located is None:
            self._located = self.locate()
        here: JsonValue
        here, lines = self._located
        line = 0
        for step in path:
            line = lines.get((id(here), step), line)
            try:
                here = here[step]
            except (LookupError, TypeError):  # further down than lines were looked for
                break
        return line


def dotted(path: Path) -> str:
    """``related[2].quality``, as a warning names a field; positions count from 0."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name
