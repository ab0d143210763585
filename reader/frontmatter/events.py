"""Any YAML, by way of PyYAML's events and a builder of our own.

PyYAML's loaders can be made to crash the process, to run for seconds, or to
turn text into something else; its events cannot. The bounds here hold
whatever the input: nesting, number of events, and (by the caller's bound on
the whole) size. An alias is refused, so nothing grows when walked; an anchor,
a tag or a merge key means nothing here and changes nothing.

PyYAML is imported when first needed. Without libyaml it gives the same and is
some eight times slower.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from reader.model import JsonValue
from reader.text import clean

from .tree import Fault, Fields, Lines, Step, Tree, dotted
from .values import plain

if TYPE_CHECKING:
    import types

MAX_DEPTH: Final = 64
MAX_NAMED: Final = 100
"""Warnings that are given the name of their field; more are only counted."""
_UNNAMED: Final = (0, "", "")
MAX_ODD: Final = 65_536
"""Characters of text in which what YAML forbids, raw or escaped, is put up with."""
MAX_EVENTS: Final = 20_000
"""A real file with 39 related articles has 1,600; 20,000 of the worst kind take some 40 ms."""

# What YAML forbids, and what it would take for a line's end: hidden from it,
# so that it is kept exactly as it was written.
_ODD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_FENCE: Final = re.compile(r"^(?:---|\.\.\.)(?=[ \t]*$)", re.MULTILINE)

_NO_CHARACTER: Final = "an escape in quoted text that is no character"
_NO_COLON: Final = "neither a field nor part of one: no colon"
_REASONS: Final = (
    ("could not find expected ':'", _NO_COLON),
    ("unexpected end of stream", "a quotation opened here is never closed"),
    ("unexpected document indicator", "a quotation opened here is never closed"),
    ("cannot start any token", "a value may not start with this character unless it is quoted"),
    ("unknown escape", "a backslash before a letter that means nothing there"),
    ("hexdecimal number", _NO_CHARACTER),
    ("escape sequence of", _NO_CHARACTER),
    ("Unicode character escape", _NO_CHARACTER),
    ("',' or ']'", "a list opened with [ is not closed, or a comma is missing"),
    ("',' or '}'", "a map opened with { is not closed, or a comma is missing"),
    ("alphabetic or numeric character", "text that starts with * or & must be quoted"),
    ("'-' indicator", "the list is broken here: wrong indentation, or no dash"),
    ("block sequence entries are not allowed", "text that starts with a dash must be quoted"),
    ("expected key", "wrong indentation or quotation marks"),
    ("expected <block end>", "wrong indentation or quotation marks"),
    ("tag", "text that starts with ! must be quoted"),
    ("document start", "text after the end of the front matter"),
)
_MAP_KEY: Final = "a list or map as the name of a field; text that starts with { or [ must be quoted"
_COLON: Final = re.compile(r":(?=\s|$)")
# JSON writes a character beyond U+FFFF as two escapes, which YAML refuses.
_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_LONE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


@cache
def _yaml() -> tuple[types.ModuleType, Any]:
    import yaml

    return yaml, (yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader)


def parse(text: str, first_line: int = 2, hide_fences: bool = False) -> Tree | Fault:
    """The tree of the YAML in *text*, whose first line is *first_line* of the file; never raises.

    With *hide_fences* a line ``---`` or ``...`` is text like any other.
    """
    notes: list[tuple[int, str, str]] = []
    hidden: dict[int, str] = {}
    odd = _ODD.search(text)
    if odd and len(text) > MAX_ODD:
        line = first_line + text.count("\n", 0, odd.start())
        return Fault(line, "control characters in very long front matter")
    if odd or hide_fences:
        if found := _FORBIDDEN.search(text):
            line = first_line + text.count("\n", 0, found.start())
            notes.append((line, "", "control characters in the front matter"))
        text, hidden = _hide(text, hide_fences)
    # The pure parser would let half a character through; libyaml's answer is the rule.
    if _yaml()[0].__with_libyaml__ or not _LONE.search(text):
        tree = _parse(text, first_line, hidden)
    else:
        tree = Fault(first_line, _NO_CHARACTER)
    if len(text) > MAX_ODD:
        return tree
    if isinstance(tree, Fault) and tree.reason == _NO_CHARACTER and (found := _LONE.search(text)):
        mended = _PAIR.sub(_joined, text)
        if _LONE.search(mended):
            line = first_line + text.count("\n", 0, found.start())
            notes.append((line, "", f"{_NO_CHARACTER} became \ufffd"))
        tree = _parse(_LONE.sub(r"\1\\ufffd", mended), first_line, hidden)
    if isinstance(tree, Tree):
        tree.notes[:0] = notes
    return tree


def _joined(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _parse(text: str, first_line: int, hidden: dict[int, str]) -> Tree | Fault:
    yaml, loader_class = _yaml()
    try:
        loader = loader_class(text)
        try:
            return _Builder(first_line, hidden).run(loader, yaml)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        return _fault(error, text, first_line)
    except (yaml.YAMLError, ValueError, OverflowError):
        # The pure parser's own: numbers in directives and escapes out of range.
        return Fault(first_line, "the YAML is broken")


def _hide(text: str, hide_fences: bool) -> tuple[str, dict[int, str]]:
    """*text* with its odd characters replaced by private ones that it does not hold."""
    spare = (char for char in map(chr, range(0xF0000, 0xFFFFE)) if char not in text)
    table = {ord(char): next(spare) for char in sorted(filter(_ODD.match, set(text)))}
    shown = {ord(private): chr(odd) for odd, private in table.items()}
    text = text.translate(table)
    if hide_fences:
        dash, dot = next(spare), next(spare)
        shown |= {ord(dash): "-", ord(dot): "."}
        text = _FENCE.sub(lambda match: match[0].replace("-", dash).replace(".", dot), text)
    return text, shown


def _fault(error: Any, text: str, first_line: int) -> Fault:
    problem = error.problem or ""
    mark = error.problem_mark or error.context_mark
    at_end = mark is not None and mark.line >= text.count("\n")
    begun = "unexpected" in problem or "expected ':'" in problem  # where it began says more
    if begun and error.context_mark is not None:
        mark = error.context_mark
    unexpected = "mapping values are not allowed" in problem
    if mark is not None and (unexpected or "document start" in problem):
        row, reason = _no_map_here(text.split("\n"), mark.line)
        if unexpected or reason == _NO_COLON:
            return Fault(first_line + row, reason, at_end)
    line = first_line + (min(mark.line, max(text.count("\n") - 1, 0)) if mark is not None else 0)
    for words, reason in _REASONS:
        if words in problem:
            return Fault(line, reason, at_end)
    return Fault(line, f"the YAML is broken: {clean(problem, 120)}", at_end)


def _no_map_here(rows: list[str], at: int) -> tuple[int, str]:
    """Where a field began that YAML takes for more text of the one above, and why: (row, reason)."""
    at = min(at, len(rows) - 1)
    above = next((n for n in range(at - 1, -1, -1) if rows[n].strip() and rows[n].lstrip()[0] != "#"), None)
    if len(_COLON.findall(rows[at])) == 1 and above is not None:  # no fault of its own
        field = next((n for n in range(above, -1, -1) if _COLON.search(rows[n])), None)
        if field is None or (field < above and _indent(rows[above]) <= _indent(rows[field])):
            return above, _NO_COLON
        if _indent(rows[at]) > _indent(rows[above]):
            return (
                at,
                "deeper than the field above, which has a value: wrong indentation, or text to be quoted",
            )
    return at, "a colon and a blank in unquoted text; quotes around it are needed"


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip(" "))


class _Builder:
    """Makes the tree of a stream of events, one event at a time."""

    __slots__ = ("first_line", "here", "hidden", "key", "lines", "notes", "root", "root_line", "stack")

    def __init__(self, first_line: int, hidden: dict[int, str]) -> None:
        self.first_line = first_line
        self.hidden = hidden
        self.lines: Lines = {}
        self.notes: list[tuple[int, str, str]] = []
        self.root: JsonValue = None
        self.root_line = first_line
        self.here: Fields | list[JsonValue] | None = None
        self.key: str | None = None
        """The key in ``here`` that still lacks its value."""
        self.stack: list[tuple[Fields | list[JsonValue] | None, str | None]] = []
        """What lies around ``here``, each with the key that leads inwards."""

    def run(self, loader: Any, yaml: types.ModuleType) -> Tree | Fault:
        scalar, alias, start = yaml.ScalarEvent, yaml.AliasEvent, yaml.DocumentStartEvent
        opens = {yaml.MappingStartEvent: dict, yaml.SequenceStartEvent: list}
        closes = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        documents = 0
        for _ in range(MAX_EVENTS):
            event = loader.get_event()
            kind = event.__class__
            if kind is scalar:
                self._scalar(event, self.first_line + event.start_mark.line)
            elif kind in closes:
                self.here, self.key = self.stack.pop()[0], None
            elif kind in opens:
                line = self.first_line + event.start_mark.line
                if len(self.stack) >= MAX_DEPTH:
                    return Fault(line, f"nested more than {MAX_DEPTH} deep")
                if self.key is None and self.here.__class__ is dict:
                    return Fault(line, _MAP_KEY)
                self._ignore(event, line)
                opened = opens[kind]()
                self.stack.append((self.here, self.key))
                self._place(opened, line)
                self.here, self.key = opened, None
            elif kind is alias:
                line = self.first_line + event.start_mark.line
                return Fault(line, f"an alias (*{clean(event.anchor, 40)}): aliases are not followed")
            elif kind is start:
                documents += 1
                if documents > 1:
                    return Fault(self.first_line + event.start_mark.line, "more than one YAML document")
            elif kind is yaml.StreamEndEvent:
                return self._done()
        return Fault(self.first_line, f"more than {MAX_EVENTS:,} parts")

    def _scalar(self, event: Any, line: int) -> None:
        text: str = event.value
        if self.hidden:
            text = text.translate(self.hidden)
        if event.anchor or event.tag:
            self._ignore(event, line)
        here = self.here
        if self.key is None and here.__class__ is dict:
            if text in here:
                if len(self.notes) > MAX_NAMED:
                    self.notes.append(_UNNAMED)
                else:
                    self.notes.append((line, self._name(text), "given more than once; the last one counts"))
            self.key = text
            self.lines[id(here), text] = line
        else:
            # Plain, and without even the tag "!", which says: text.
            self._place(plain(text) if not event.style and event.tag is None else text, line)

    def _place(self, value: JsonValue, line: int) -> None:
        here = self.here
        if isinstance(here, list):
            self.lines[id(here), len(here)] = line
            here.append(value)
        elif here is None:
            self.root, self.root_line = value, line
        elif self.key is not None:
            here[self.key] = value
            self.key = None

    def _ignore(self, event: Any, line: int) -> None:
        for sign, word in (("&", event.anchor), ("!", event.tag)):
            if word and len(self.notes) > MAX_NAMED:
                self.notes.append(_UNNAMED)
            elif word:
                name = clean(word[:200].translate(self.hidden), 40).removeprefix(sign)
                kind = "an anchor" if sign == "&" else "a tag"
                self.notes.append((line, self._name(), f"{kind} ({sign}{name}) was ignored"))

    def _name(self, key: str | None = None) -> str:
        path: list[Step] = []
        for here, inner in [*self.stack[1:], (self.here, key if key is not None else self.key)]:
            if isinstance(here, list):
                # A list in place already counts what is being read within it.
                path.append(len(here) - (here is not self.here))
            elif inner is not None:
                path.append(inner)
        return dotted(tuple(path))

    def _done(self) -> Tree | Fault:
        if self.root is None:
            self.root = {}
        if not isinstance(self.root, dict):
            kind = "a list" if isinstance(self.root, list) else "a single value"
            return Fault(self.root_line, f"the front matter is {kind}, not fields with values")
        found = (self.root, self.lines)
        return Tree(self.root, lambda: found, self.notes)
