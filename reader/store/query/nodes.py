"""The tree a query is understood as.

``Not`` is the complement: ``-quality>50`` holds for an article without a
quality. A comparison with something absent never holds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import field
from datetime import datetime
from typing import Final, TypeAlias

from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class All:
    """Every article: what an empty query asks for."""


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts, none of them an ``And`` itself."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts, none of them an ``Or`` itself."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """All but *part*, which is no ``Not`` itself."""

    part: Node


@dataclass(frozen=True, slots=True)
class Word:
    """One bare word as typed, in any text or the one *field* names; *prefix*: only its beginning."""

    text: str
    prefix: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """Consecutive words; *prefix*: only the beginning of the last."""

    text: str
    prefix: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True)
class FieldIs:
    """A name or address *field* against *text*.

    *exact*: the whole value, else a part of it (see ``matching.value_matches``);
    *prefix*: the value, or the part's last word, may go on.
    """

    field: str
    text: str
    exact: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    """A number: ``op`` is one of ``= < <= > >=``; *value* fits SQLite's integer."""

    field: str
    op: str
    value: int


@dataclass(frozen=True, slots=True)
class Time:
    """``field`` is ``published`` or ``updated``; ``op`` one of ``< <= > >=``; UTC, whole seconds."""

    field: str
    op: str
    instant: datetime


@dataclass(frozen=True, slots=True)
class State:
    """``is:flag``."""

    flag: str


@dataclass(frozen=True, slots=True)
class Link:
    """``link:group``: the group of the last check's outcome."""

    group: str


@dataclass(frozen=True, slots=True)
class Has:
    """``has:what``."""

    what: str


Node: TypeAlias = All | And | Or | Not | Word | Phrase | FieldIs | Compare | Time | State | Link | Has

ALL: Final = All()


@dataclass(frozen=True, slots=True)
class Complaint:
    """What was not understood. ``column`` counts characters from 0; *suggestion* replaces the span."""

    column: int
    length: int
    reason: str
    suggestion: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """A query understood as far as it could be. Two are equal when they ask for the same."""

    root: Node
    sort: str | None = None
    complaints: tuple[Complaint, ...] = field(default=(), compare=False)
    text: str = field(default="", compare=False)


def all_of(parts: Iterable[Node]) -> Node:
    """*parts* joined by and: flattened, ``ALL`` for none."""
    flat: list[Node] = []
    for part in parts:
        if isinstance(part, And):
            flat += part.parts
        elif not isinstance(part, All):
            flat.append(part)
    return And(tuple(flat)) if len(flat) > 1 else flat[0] if flat else ALL


def any_of(parts: Iterable[Node]) -> Node:
    """*parts*, at least one, joined by or: flattened."""
    flat: list[Node] = []
    for part in parts:
        if isinstance(part, Or):
            flat += part.parts
        else:
            flat.append(part)
    return Or(tuple(flat)) if len(flat) > 1 else flat[0]


def negated(part: Node) -> Node:
    """The complement of *part*."""
    return part.part if isinstance(part, Not) else Not(part)


def walk(node: Node, positive_only: bool = False) -> Iterator[Node]:
    """*node* and all below it, in order; *positive_only* leaves out what is negated."""
    yield node
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from walk(part, positive_only)
    elif isinstance(node, Not) and not positive_only:
        yield from walk(node.part)
