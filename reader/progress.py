"""What a run over the files says of itself: on its way, and at its end. Standard library only."""

from __future__ import annotations

from dataclasses import field

from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: files read of those to read; with no source, names folded into stories."""

    source: str
    done: int
    total: int

    def __str__(self) -> str:
        if not self.source:
            return f"folding stories: {self.done:,} of {self.total:,}"
        return f"reading {self.source}: {self.done:,} of {self.total:,} files"


@dataclass(slots=True)
class Report:
    """What a run did, in files.

    ``moved`` are gone from one path and come at another with the same key;
    ``problems`` were found, ``cleared`` are problems that are gone or good again.
    """

    files: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    moved: int = 0
    problems: int = 0
    cleared: int = 0
    warnings: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    ruled: list[str] = field(default_factory=list)
    """What the reader's rules did, in words."""
    stopped: bool = False

    @property
    def touched(self) -> bool:
        """Whether the library differs from before."""
        return bool(self.added or self.changed or self.removed or self.moved or self.problems or self.cleared)
