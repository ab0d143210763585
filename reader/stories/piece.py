"""What stories are made of: pieces, and those that are one text."""

from __future__ import annotations

from collections.abc import Iterable

from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """One page of one outlet, whoever told of it.

    ``published`` is in epoch seconds, None where nobody says. ``outlet`` is the
    name as written, ``domain`` in lower case, ``topics`` those of its own files.
    Text is exactly as published: clean it before showing.
    """

    key: str
    title: str
    excerpt: str = ""
    outlet: str = ""
    domain: str = ""
    published: int | None = None
    quality: int | None = None
    in_library: bool = False
    type: str = ""
    address: str = ""
    has_amp: bool = False
    topics: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """What tells outlets apart: the domain, else the name, folded."""
        if self.domain:
            return self.domain
        from reader.stories.words import fold

        return fold(self.outlet)


@dataclass(frozen=True, slots=True)
class TextGroup:
    """Pieces with one text, by time; ``outlets`` their sources, by first appearance."""

    keys: tuple[str, ...]
    outlets: tuple[str, ...]

    @property
    def copied(self) -> bool:
        """More than one outlet printed it: a probable wire copy."""
        return len(self.outlets) > 1

    @property
    def versions(self) -> int:
        """How many of its pieces are an outlet's printing it again."""
        return len(self.keys) - len(self.outlets)


def summary(groups: Iterable[TextGroup]) -> tuple[int, int]:
    """``(outlets, independent texts)`` of a story: "12 outlets, 4 independent texts"."""
    groups = tuple(groups)
    return len({outlet for group in groups for outlet in group.outlets}), len(groups)
