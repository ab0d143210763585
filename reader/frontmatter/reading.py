"""A file's bytes -> an Article or a Problem: finds the front matter and picks who reads it."""

from __future__ import annotations

import codecs
import re
from typing import Final

from reader.model import Article, FieldWarning, Problem

from . import build, strict
from .decode import decode
from .tree import Fault, Tree

MAX_FILE: Final = 9 * 1024 * 1024
"""Bytes. A larger file is a Problem and is not looked into."""
MAX_FRONT_MATTER: Final = 1024 * 1024
"""Characters between the fences."""
MAX_SLOW: Final = 512 * 1024
"""The same where full YAML is needed, whose scanner takes up to 25 ms for that many line ends alone."""

_STARTS: Final = (b"---", codecs.BOM_UTF8)
_CR_TO_NEWLINE: Final = bytes.maketrans(b"\r", b"\n")
_OPENING: Final = re.compile(r"(?:[ \t]*\n){0,50}(---|\+\+\+)[ \t]*(?:\n|\Z)")
_CLOSING: Final = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*(?:\n|\Z)", re.MULTILINE),
}
_IN_CONFLICT: Final = "conflict markers of a merge that was never finished"
_CONFLICT: Final = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
# A quotation may hold a fence. How often, and how far, a later one is tried.
_MAX_TRIES: Final = 4
_MAX_RETRIED: Final = 65_536


def read(data: bytes, path: str) -> Article | Problem:
    """The article in *data*, or what is wrong with the file. Never raises.

    *path* is ``<source>/<path in it>``. Takes well under a millisecond for a
    real file and is bounded for any other.
    """
    if len(data) > MAX_FILE:
        return Problem(path, 0, f"the file is larger than {MAX_FILE // 1024 // 1024} MiB")
    return _read_quickly(data, path) or read_slowly(data, path)


def _read_quickly(data: bytes, path: str) -> Article | None:
    """The article of a file as programs write them; None for any other."""
    if data[:3] not in _STARTS:
        return None  # before all of a large file is gone through
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").translate(_CR_TO_NEWLINE)
    if data[:4] != b"---\n":
        if data[:7] != codecs.BOM_UTF8 + b"---\n":
            return None
        data = data[3:]
    end = data.find(b"\n---\n", 3, MAX_FRONT_MATTER)
    if end < 0:
        if data[-4:] != b"\n---" or len(data) > MAX_FRONT_MATTER:
            return None
        end = len(data) - 4
    tree = strict.parse(data[4 : end + 1])
    if tree is None:
        return None
    try:
        body = data[end + 5 :].decode()
    except UnicodeDecodeError:
        return None
    return build.article(path, tree, body, True)


def read_slowly(data: bytes, path: str) -> Article | Problem:
    """As :func:`read`, by way of full YAML for every file."""
    decoded = decode(data)
    if isinstance(decoded, Fault):
        return Problem(path, decoded.line, decoded.reason)
    text, notes = decoded
    if not text.strip():
        return Problem(path, 0, "empty file")
    opening = _OPENING.match(text)
    if opening is None:
        return _unfenced(text, path, notes)
    found = _front(text, opening)
    if isinstance(found, Fault):
        return Problem(path, found.line, found.reason)
    tree, body = found
    return build.article(path, tree, body, True, notes)


def _unfenced(text: str, path: str, notes: tuple[FieldWarning, ...]) -> Article | Problem:
    if text.startswith("<<<<<<< "):
        return Problem(path, 1, _IN_CONFLICT)
    if "\0" in text:
        return Problem(
            path, text.count("\n", 0, text.index("\0")) + 1, "not a text file: NUL bytes, and no front matter"
        )
    notes = (FieldWarning(1, "", "no front matter"), *notes)
    return build.article(path, Tree({}, lambda: ({}, {})), text, False, notes)


def _front(text: str, opening: re.Match[str]) -> tuple[Tree, str] | Fault:
    start, fence = opening.end(), opening[1]
    opened = text.count("\n", 0, opening.start(1)) + 1
    limit = start + MAX_FRONT_MATTER
    # A match that ends where the search was cut off may not be a whole line.
    closings = (
        match
        for match in _CLOSING[fence].finditer(text, start, limit)
        if match[0].endswith("\n") or match.end() == len(text)
    )
    closing = next(closings, None)
    if closing is None:
        return _unclosed(text, start, opened, fence)
    first = _parse(text[start : closing.start()], opened + 1, fence)
    if isinstance(first, Tree):
        return first, text[closing.end() :]
    if not first.at_end or fence != "---":
        return first
    for _, later in zip(range(_MAX_TRIES), closings, strict=False):
        if later.start() - start > _MAX_RETRIED:
            break
        tree = _parse(text[start : later.start()], opened + 1, fence, hide_fences=True)
        if isinstance(tree, Tree):
            return tree, text[later.end() :]
        if not tree.at_end:
            break
    return first


def _unclosed(text: str, start: int, opened: int, fence: str) -> tuple[Tree, str] | Fault:
    if len(text) - start > MAX_FRONT_MATTER:
        return Fault(opened, f"front matter longer than {MAX_FRONT_MATTER // 1024} KiB, or never closed")
    tree = _parse(text[start:], opened + 1, fence)
    if isinstance(tree, Tree) and tree.root:
        tree.notes.append((opened, "", f"the front matter is never closed by a line {fence}"))
        return tree, ""
    if isinstance(tree, Fault) and tree.reason == _IN_CONFLICT:
        return tree
    return Fault(opened, f"the front matter opened here is never closed by a line {fence}")


def _parse(text: str, line: int, fence: str, hide_fences: bool = False) -> Tree | Fault:
    if len(text) > MAX_SLOW:
        return Fault(line, f"front matter longer than {MAX_SLOW // 1024} KiB that is not of the plain kind")
    if conflict := _CONFLICT.search(text):
        return Fault(
            line + text.count("\n", 0, conflict.start()),
            "conflict markers of a merge that was never finished",
        )
    if fence == "+++":
        from . import toml

        return toml.parse(text, line)
    from . import events

    return events.parse(text, line, hide_fences)
