"""A query's tree as SQL over the library's tables.

What a query walks along is chosen once: the full-text index where words must
stand, else the rows of a section, else all articles. Each is walked by rowid,
so newest first needs no sort. Every other part becomes a condition that is
never NULL, so that ``NOT`` is the complement.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Final

from reader.model import OUTCOMES
from reader.store import library_schema as schema
from reader.store.query.folding import fts_terms
from reader.store.query.matching import value_matches
from reader.store.query.nodes import (
    All,
    And,
    Compare,
    FieldIs,
    Has,
    Link,
    Node,
    Not,
    Or,
    Phrase,
    State,
    Time,
    Word,
)
from reader.values import dataclass

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COMPARED: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "<": lt, "<=": le, "=": eq, "!=": ne, ">=": ge, ">": gt,
}  # fmt: skip
_FEW: Final = 4  # sections that are looked up one by one for an article

NUMBERS: Final[Mapping[str, str]] = {
    "quality": "a.quality",
    "heat": "a.heat",
    "coverage": "a.coverage",
}
OF_STORIES: Final = ("outlets", "texts")
"""Numbers of a story; an article that is in none has one outlet and one text."""
STATES: Final[Mapping[str, str]] = {
    "read": "a.read",
    "unread": "NOT a.read",
    "published": "a.front IS 1",
    "unpublished": "a.front IS 0",
    "sealed": f"a.flags & {schema.SEALED}",
}
RARE: Final[Mapping[str, str]] = {
    # Left to itself SQLite walks the wider article_facts here.
    "starred": "SELECT id FROM article INDEXED BY article_starred WHERE starred",
    "hidden": "SELECT id FROM article INDEXED BY article_hidden WHERE hidden",
    "noted": "SELECT id FROM article WHERE key IN (SELECT key FROM remark WHERE note <> '')",
    "tagged": "SELECT id FROM article WHERE key IN (SELECT key FROM remark WHERE tags <> '')",
}
"""States of few articles: those are looked up, and no article for its state."""
FEATURES: Final[Mapping[str, str]] = {
    "image": f"a.flags & {schema.HAS_IMAGE}",
    "amp": f"a.flags & {schema.HAS_AMP}",
    "body": f"a.flags & {schema.HAS_BODY}",
    "related": f"a.flags & {schema.HAS_RELATED}",
}
ORDERS: Final[Mapping[str, str]] = {
    "newest": "{id} DESC",
    "oldest": "{id}",
    "updated": "a.updated IS NULL, a.updated DESC, {id} DESC",
    "heat": "a.heat IS NULL, a.heat DESC, {id} DESC",
    "quality": "a.quality IS NULL, a.quality DESC, {id} DESC",
    "coverage": "a.coverage DESC, {id} DESC",
    "title": "a.title = '', a.title COLLATE NOCASE, {id} DESC",
    "outlet": "a.outlet = '', a.outlet COLLATE NOCASE, {id} DESC",
}
_UNCHECKED: Final = "unchecked"
WORDS: Final = "fts MATCH ?"
"""Where a statement asks for words alone."""
_SOUGHT: Final = "+"
_WITH_WORDS: Final = "SELECT rowid FROM fts WHERE fts MATCH"
_OF_ARTICLE: Final = re.compile(r"\ba\.(\w+)")


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL expression, 0 or 1 and never NULL, with the values of its question marks."""

    text: str
    values: tuple[object, ...] = ()


NEVER: Final = Condition("0")


@dataclass(frozen=True, slots=True)
class Index:
    """What compiling asks of the library.

    The sections that a field means, distinct values, whether few rows are found by a select, its
    farthest shifted rowid, whether all addresses are ASCII.
    """

    sections: Callable[[FieldIs], Sequence[int]]
    distinct: Callable[[str], Sequence[str]]
    few: Callable[[str, tuple[object, ...]], bool]
    shift: Callable[[], int]
    plain: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Statement:
    """A ``FROM … WHERE …`` and the expression of an article's rowid in it."""

    source: str
    where: str
    values: tuple[object, ...]
    id: str

    @property
    def looks_words_up(self) -> bool:
        """Whether all that have some words are looked up first, however few are wanted."""
        return _WITH_WORDS in self.where

    @property
    def walks_past_most(self) -> bool:
        """Whether of what it walks along only what is among a few looked up is wanted."""
        return f" AND ({_SOUGHT}{self.id} IN " in self.where  # not "AND NOT (": that leaves most

    def joined(self, more: str) -> str:
        """The statement without its select; *more* is what else is asked for and may need the article."""
        needed = set(_OF_ARTICLE.findall(f"{self.where} {more}"))
        join = ""
        if needed and not self.source.startswith("article a"):
            narrow = " INDEXED BY article_facts" if needed <= schema.FACTS else ""
            join = f" CROSS JOIN article a{narrow} ON a.id = {self.id}"
        return f"FROM {self.source}{join} WHERE {self.where}"

    def each(self) -> str:
        """A select that has one row for each article found."""
        return f"SELECT 1 {self.joined('')}"

    def listed(self, sort: str) -> str:
        """A select of every ``id`` in the order of one of :data:`ORDERS`."""
        by = ORDERS[sort].format(id=self.id)
        return f"SELECT {self.id} AS id {self.joined(by)} ORDER BY {by}"


@dataclass(frozen=True, slots=True)
class Both:
    """What two statements find both, each walked by time. *section*: what one walks along, if it does.

    A step along both takes a third of what it takes to look for an article in a set, a tenth of a look at
    its placings. SQLite merges what comes in one order; nothing is gathered.
    """

    one: Statement
    other: Statement
    section: int | None

    @property
    def values(self) -> tuple[object, ...]:
        """Of the question marks."""
        return self.one.values + self.other.values

    @property
    def looks_words_up(self) -> bool:
        """As a statement's."""
        return self.one.looks_words_up or self.other.looks_words_up

    def each(self) -> str:
        """As a statement's."""
        return self.listed("oldest")

    def listed(self, sort: str) -> str:
        """As a statement's, newest or oldest."""
        one, other = (f"SELECT {s.id} AS id {s.joined('')}" for s in (self.one, self.other))
        return f"{one} INTERSECT {other} ORDER BY {ORDERS[sort].format(id='id')}"


def compiled(
    root: Node,
    index: Index,
    *,
    extra: Sequence[Condition],
    section: int | None,
    hidden: int | None,
    part: str = "",
) -> Statement:
    """*root* as a statement.

    *extra* are further conditions, of ``{id}`` and the article ``a``;
    *section* one that the articles must stand in. *hidden* is the section of
    the hidden, which are left out, 0 where there are none; None lets them in. *part* is a condition of
    ``rowid``: only articles there are looked at.
    """
    match, rest = of_words(root.parts if isinstance(root, And) else (root,))
    compiler = _Compiler(index, with_hidden=hidden is None, part=part)
    if match is not None:
        start = _words(match)
    else:
        start, rest, section = compiler.start(rest, section, hidden)
    return compiler.narrowed(start, rest, extra, section, hidden)


def of_both(
    root: Node, index: Index, *, extra: Sequence[Condition], section: int | None, hidden: int | None
) -> Both | None:
    """*root* as :func:`compiled`, where it asks for words and for a state, link or section to walk along."""
    match, rest = of_words(root.parts if isinstance(root, And) else (root,))
    if match is None:
        return None
    compiler = _Compiler(index, with_hidden=hidden is None, part="")
    start, rest, section = compiler.start(rest, section, hidden, beside=True)
    if start.source == _ALL.source:
        return None
    walked = int(start.values[0]) if start.source == _PLACED else None  # type: ignore[call-overload]
    return Both(_words(match), compiler.narrowed(start, rest, extra, section, hidden), walked)


_ALL: Final = Statement("article a", "1", (), "a.id")
_PLACED: Final = "placing p"


def _words(match: str) -> Statement:
    return Statement("fts", WORDS, (match,), "fts.rowid")


def _visible(rowid: str, hidden: int) -> Condition:
    if rowid == "a.id":
        return Condition("NOT a.hidden")
    return Condition(f"{rowid} NOT IN (SELECT article FROM placing WHERE section = ?)", (hidden,))


# -- words ----------------------------------------------------------------


def ranks(root: Node) -> bool:
    """Whether what *root* asks for has words to be ranked by."""
    return of_words(root.parts if isinstance(root, And) else (root,))[0] is not None


def of_words(parts: Sequence[Node]) -> tuple[str | None, list[Node]]:
    """As many of *parts* as one expression of FTS5 can ask for, and the others.

    FTS5 knows "without" only beside something that must be there.
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    without: list[Node] = []
    others: list[Node] = []
    for part in parts:
        if (text := expression(part)) is not None:
            wanted.append(text)
        elif isinstance(part, Not) and (text := expression(part.part)) is not None:
            unwanted.append(text)
            without.append(part)
        else:
            others.append(part)
    if not wanted:
        return None, [*others, *without]
    having = f"({' AND '.join(wanted)})"
    return f"({having} NOT ({' OR '.join(unwanted)}))" if unwanted else having, others


def expression(node: Node) -> str | None:
    """*node* as one expression of FTS5, None when it cannot be one."""
    match node:
        case Word() | Phrase():
            return fts_terms(node) or None
        case Or(parts):
            each = [text for part in parts if (text := expression(part)) is not None]
            return f"({' OR '.join(each)})" if len(each) == len(parts) else None
        case And(parts):
            text, others = of_words(parts)
            return None if others else text
    return None


# -- conditions -----------------------------------------------------------


class _Compiler:
    """Nodes to conditions on ``a``, the article, and on its rowid, :attr:`id`."""

    def __init__(self, index: Index, *, with_hidden: bool, part: str) -> None:
        self.id = "a.id"
        self._part = part
        self._index = index
        self._with_hidden = with_hidden

    def start(
        self, parts: list[Node], section: int | None, hidden: int | None, *, beside: bool = False
    ) -> tuple[Statement, list[Node], int | None]:
        """What to walk along where it is not words, the *parts* that are left, and the *section* if one.

        A section, else articles of a rare state or link, else all; *beside* words the rare before a section.
        """
        rare = next((found for part in parts if (found := self._rare(part))), None)
        taken: Node | None = None
        if section is None and hidden is not None:
            section, taken = self.only_section(parts)
        if rare is not None and (beside or section is None):
            start, part = rare
            return start, [p for p in parts if p is not part], section if taken is None else None
        if section is None or (beside and hidden is None):
            return _ALL, parts, section
        start = Statement(_PLACED, "p.section = ?", (section,), "p.article")
        return start, [p for p in parts if p is not taken], section

    def _rare(self, node: Node) -> tuple[Statement, Node] | None:
        """What to walk along for *node*, if few articles are likely to have it."""
        match node:
            case State("starred" | "hidden" as flag):
                return Statement(f"article a INDEXED BY article_{flag}", f"a.{flag}", (), "a.id"), node
            case Link(group) if group != _UNCHECKED:
                among = _of_group(group)
                return Statement("article a INDEXED BY article_link", among.text, among.values, "a.id"), node
        return None

    def narrowed(
        self,
        start: Statement,
        parts: Sequence[Node],
        extra: Sequence[Condition],
        section: int | None,
        hidden: int | None,
    ) -> Statement:
        """*start* with conditions for all else that is asked for."""
        self.id = start.id
        conditions = [self.condition(p) for p in parts if not isinstance(p, All)]
        if section is not None and start.source != _PLACED:
            conditions.append(self.in_sections([section]))
        elif section is None and hidden:
            conditions.append(_visible(start.id, hidden))
        if self._part:
            conditions.append(Condition(self._part.replace("rowid", start.id)))
        conditions += [Condition(c.text.format(id=start.id), c.values) for c in extra]
        where = " AND ".join([start.where, *(c.text for c in conditions)])
        values = start.values + tuple(value for c in conditions for value in c.values)
        return Statement(start.source, where, values, start.id)

    def condition(self, node: Node) -> Condition:
        """*node* as a condition."""
        if (text := expression(node)) is not None:
            within = f" AND {self._part}" if self._part else ""
            return Condition(f"{self.id} IN ({_WITH_WORDS} ?{within})", (text,))
        match node:
            case All():
                return Condition("1")
            case And(parts):
                return self._joined(parts, " AND ")
            case Or(parts):
                return self._joined(parts, " OR ")
            case Not(part):
                inner = self.condition(part)
                return Condition(f"NOT ({inner.text})", inner.values)
            case FieldIs():
                return self._field(node)
            case Compare(field, op, value) if field in OF_STORIES:
                return self._of_story(field, op, value)
            case Compare(field, op, value):
                number = NUMBERS[field]
                return Condition(f"({number} IS NOT NULL AND {number} {op} ?)", (value,))
            case Time():
                return self._time(node)
            case State("story"):
                return self._of_story("pieces", ">", 1)
            case State(flag):
                return self._among(RARE[flag]) if flag in RARE else Condition(f"({STATES[flag]})")
            case Link(group):
                return self._link(group)
            case Has(what):
                return Condition(f"({FEATURES[what]})")
            case Word() | Phrase():
                return NEVER  # no word in it

    def _joined(self, parts: Sequence[Node], sign: str) -> Condition:
        each = [self.condition(part) for part in parts]
        text = sign.join(c.text for c in each)
        return Condition(f"({text})", tuple(value for c in each for value in c.values))

    def _time(self, node: Time) -> Condition:
        epoch = (node.instant - _EPOCH) // timedelta(seconds=1)
        if node.field == "updated":
            return Condition(f"(a.updated IS NOT NULL AND a.updated {node.op} ?)", (epoch,))
        # A rowid is the time or a little more, so it bounds the walk; the column decides.
        key = schema.date_key(epoch)
        bound = f"{self.id} >= {key}" if ">" in node.op else f"{self.id} <= {key + self._index.shift()}"
        return Condition(f"({bound} AND a.published IS NOT NULL AND a.published {node.op} ?)", (epoch,))

    def _among(self, ids: str, values: tuple[object, ...] = ()) -> Condition:
        """Whether an article is one of *ids*, few; the walk along the words is not to seek each of them."""
        return Condition(f"({_SOUGHT * (self.id == 'fts.rowid')}{self.id} IN ({ids}))", values)

    def _of_story(self, number: str, op: str, value: int) -> Condition:
        """Whether *number* of the article's story compares so."""
        found = f"FROM story WHERE {number} {op} ?"
        alone = _COMPARED[op](1, value)
        if alone or not self._index.few(f"SELECT 1 {found}", (value,)):
            its = f"SELECT s.{number} FROM telling t CROSS JOIN story s ON s.id = t.story"
            return Condition(f"(coalesce(({its} WHERE t.article = {self.id}), 1) {op} ?)", (value,))
        return self._among(f"SELECT article FROM telling WHERE story IN (SELECT id {found})", (value,))

    def _link(self, group: str) -> Condition:
        if group == _UNCHECKED:
            outcomes = tuple(o.value for o, info in OUTCOMES.items() if info.group == group)
            return Condition(f"(a.link IN ('', {_marks(outcomes)}))", outcomes)
        among = _of_group(group)
        return self._among(f"SELECT id FROM article a WHERE {among.text}", among.values)

    def _field(self, node: FieldIs) -> Condition:
        said = (node.field, node.text, node.exact, node.prefix)
        match node.field:
            case "topic" | "outlet":
                return self.in_sections(self._index.sections(node))
            case "type" | "category" | "domain":
                values = [v for v in self._index.distinct(node.field) if v and value_matches(node, v)]
                return Condition(f"a.{node.field} IN ({_marks(values)})", tuple(values)) if values else NEVER
            case "note" | "tag":
                column = {"note": "note", "tag": "tags"}[node.field]
                found = f"SELECT key FROM remark WHERE value_is(?, ?, ?, ?, {column})"
                return self._among(f"SELECT id FROM article WHERE key IN ({found})", said)
            case "url":
                plain = self._index.plain()
                others = _address("a.urls", node, plain)
                others = Condition(f"(a.urls <> '' AND {others.text})", others.values)
                return _either(_address("a.url", node, plain), others)
        return _address("a.key", node)

    def only_section(self, parts: Sequence[Node]) -> tuple[int | None, Node | None]:
        """The one section that one of *parts* asks for, and that part."""
        for part in parts:
            if isinstance(part, FieldIs) and part.field in ("topic", "outlet"):
                found = self._index.sections(part)
                if len(found) == 1:
                    return found[0], part
        return None, None

    def in_sections(self, sections: Sequence[int]) -> Condition:
        """Whether an article stands in one of *sections*."""
        if not sections:
            return NEVER
        numbers = ", ".join(map(str, sections))
        if len(sections) <= _FEW:
            text = f"EXISTS (SELECT 1 FROM placing WHERE section IN ({numbers}) AND article = {self.id})"
        else:
            text = f"{self.id} IN (SELECT article FROM placing WHERE section IN ({numbers}))"
        if not self._with_hidden:
            return Condition(text)
        # The hidden are placed nowhere else; where they would be is kept beside them.
        hidden = f"{RARE['hidden']} AND shares(sections, ?)"
        return Condition(f"({text} OR {self.id} IN ({hidden}))", (numbers.replace(",", ""),))


def _address(held: str, node: FieldIs, plain: bool = False) -> Condition:
    """*plain*: all that is held is known to be ASCII."""
    said = (node.field, node.text, node.exact, node.prefix)
    slow = f"value_is(?, ?, ?, ?, {held})"
    if node.exact or not node.text.isascii() or " " in node.text:
        return Condition(f"({slow})", said)
    # Almost every address is ASCII, where LIKE folds as much as there is to fold.
    odd = f"length({held}) <> length(CAST({held} AS BLOB))"
    like = node.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    same = f"{held} LIKE ? ESCAPE '\\'"
    if plain:
        return Condition(f"({same})", (f"%{like}%",))
    return Condition(f"({same} OR ({odd} AND {slow}))", (f"%{like}%", *said))


def _of_group(group: str) -> Condition:
    """Of the article ``a``: whether its link was last found so, as the index of links has it."""
    outcomes = tuple(o.value for o, info in OUTCOMES.items() if info.group == group)
    return Condition(f"a.link <> '' AND a.link IN ({_marks(outcomes)})", outcomes)


def _either(one: Condition, other: Condition) -> Condition:
    return Condition(f"({one.text} OR {other.text})", one.values + other.values)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


# -- what SQLite calls ----------------------------------------------------


def register(db: sqlite3.Connection) -> None:
    """Give *db* the functions that conditions call."""
    db.create_function("value_is", 5, _value_is, deterministic=True)
    db.create_function("shares", 2, _shares, deterministic=True)


def _value_is(field: str, text: str, exact: int, prefix: int, held: str) -> bool:
    """Whether one of the lines of *held* is what a :class:`FieldIs` asks for."""
    node = _node(field, text, bool(exact), bool(prefix))
    return any(value_matches(node, value) for value in held.split("\n") if value)


@lru_cache(maxsize=64)
def _node(field: str, text: str, exact: bool, prefix: bool) -> FieldIs:
    return FieldIs(field, text, exact, prefix)


def _shares(some: str, others: str) -> bool:
    """Whether two lists of words have one in common."""
    return not set(some.split()).isdisjoint(others.split())
