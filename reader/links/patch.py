"""A unified diff that puts permanently moved addresses into the files, for `git apply`.

Only whole addresses are replaced, never the beginning of a longer one nor one
inside another (an archive's, a query's). Every other byte stays: line ends,
odd encodings, a missing newline at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reader.address import MAX_ADDRESS

_CONTEXT: Final = 3
_START: Final = re.compile(rb"(?<![\w/:=%&?#@+.~-])https?://[^\s\"<>\\^`{|}\x00-\x20\x7f]+", re.IGNORECASE)
_TARGET: Final = re.compile(r"https?://[!#-;=?-\[\]_a-z~]+", re.IGNORECASE)
_CLOSERS: Final = {b"(": b")", b"[": b"]", b"'": b"'"}
_TRAILING: Final = b".,;:!?'*_)]"
_ESCAPES: Final = {b"'": b"%27", b"(": b"%28", b")": b"%29", b"[": b"%5B", b"]": b"%5D"}


def moved_patch(files: Iterable[tuple[str, bytes]], moved: Mapping[str, str]) -> str:
    """The diff for *files* (path with ``/``, bytes) by *moved* (old address to new); empty: no change.

    Write it with ``errors="surrogateescape"`` in UTF-8 and without newline
    translation to get the files' exact bytes. Targets that are no plain ASCII
    http(s) address are passed over.
    """
    table = {
        old.encode("utf-8", "surrogateescape"): new.encode("ascii")
        for old, new in moved.items()
        if old != new and len(new) <= MAX_ADDRESS and _TARGET.fullmatch(new)
    }
    parts = [part for path, data in files for part in _file(path, data, table)]
    return b"".join(parts).decode("utf-8", "surrogateescape")


def replaced(data: bytes, table: Mapping[bytes, bytes]) -> bytes:
    """*data* with every whole address of *table* replaced."""
    out: list[bytes] = []
    at = 0
    while (match := _START.search(data, at)) is not None:
        start = match.start()
        before = data[start - 1 : start]
        address = _whole(match[0], before, table)
        out.append(data[at:start])
        if address in table:
            out.append(_fitting(table[address], before))
        else:
            out.append(address)
        at = start + len(address)
    out.append(data[at:])
    return b"".join(out)


def _whole(run: bytes, before: bytes, table: Mapping[bytes, bytes]) -> bytes:
    """The address at the beginning of *run*, what follows it in the sentence cut off."""
    if before in _CLOSERS:
        run = run[: _closing(run, before)]
    address = run
    while address not in table and address[-1:] and address[-1] in _TRAILING:
        address = address[:-1]
    return address if address in table else run


def _closing(run: bytes, opener: bytes) -> int:
    closer, depth = _CLOSERS[opener], 0
    for place in range(len(run)):
        char = run[place : place + 1]
        if char == closer:
            if depth == 0:
                return place
            depth -= 1
        elif char == opener:
            depth += 1
    return len(run)


def _fitting(target: bytes, before: bytes) -> bytes:
    """*target* so spelt that it cannot end the quotes or brackets it stands in, nor become a YAML key."""
    if before in _CLOSERS:
        for char in {before, _CLOSERS[before]}:
            target = target.replace(char, _ESCAPES[char])
    return target[:-1] + b"%3A" if target.endswith(b":") else target


def _file(path: str, data: bytes, table: Mapping[bytes, bytes]) -> Iterator[bytes]:
    changed = replaced(data, table)
    if changed == data:
        return
    # An address holds no newline, so line by line is the whole truth.
    old, new = _by_newline(data), _by_newline(changed)
    places = [n for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    yield b"--- " + _name("a/", path) + b"\n+++ " + _name("b/", path) + b"\n"
    for first, last in _hunks(places, len(old)):
        count = last - first
        yield b"@@ -%d,%d +%d,%d @@\n" % (first + 1, count, first + 1, count)
        at = first
        while at < last:
            run = at
            while run < last and old[run] != new[run]:
                run += 1
            if run == at:
                yield _line(b" ", old[at])
                at += 1
                continue
            for sign, lines in ((b"-", old), (b"+", new)):
                yield from (_line(sign, line) for line in lines[at:run])
            at = run


def _by_newline(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _hunks(places: list[int], length: int) -> Iterator[tuple[int, int]]:
    first, last = places[0] - _CONTEXT, places[0] + _CONTEXT + 1
    for place in places[1:]:
        if place - _CONTEXT > last:
            yield max(0, first), min(length, last)
            first = place - _CONTEXT
        last = place + _CONTEXT + 1
    yield max(0, first), min(length, last)


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n\\ No newline at end of file\n"


def _name(prefix: str, path: str) -> bytes:
    """A file's name as git writes it: quoted where it holds anything unusual."""
    name = (prefix + path).encode("utf-8", "surrogateescape")
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in name):
        return name + b"\t" if b" " in name else name
    quoted = b"".join(
        bytes([byte]) if 0x20 <= byte < 0x7F and byte not in b'"\\' else b"\\%03o" % byte for byte in name
    )
    return b'"' + quoted + b'"'
