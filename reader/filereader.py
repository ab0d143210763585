"""Files -> prepared articles and problems, in this process or, where there are many, in others beside it.

Parsing takes most of a first load, and holds the interpreter meanwhile: in
processes of their own it runs beside the database and never delays a key. They
are given names of files and give back plain values, in order; one that dies is
not missed, its files are read here.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import marshal
import os
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, Self

from reader import child, frontmatter, sources
from reader.errors import SourceError
from reader.model import Article, Problem
from reader.sources import Source
from reader.store.preparing import Prepared, prepare

Found = Prepared | Problem

MANY: Final = 2_000
"""Files from which other processes are worth their start."""

_HELPERS: Final = 2 if (os.cpu_count() or 1) > 1 else 0
_HERE: Final = 200  # files read here while the others start, so that something is seen soon
_FIRST: Final = 50  # files of the first requests
_REQUEST: Final = 400
_ANSWER: Final = 2_000_000  # characters of text after which an answer is sent, though not all is read
_PIPE: Final = 1 << 20
_LENGTH: Final = struct.Struct("<I")


def read(source: Source, inner: str) -> Found:
    """What the file at *inner* (text, below the source) gives."""
    path = f"{source.name}/{inner}"
    try:
        found = frontmatter.read(sources.read_file(source.root, inner), path)
    except SourceError as error:
        return Problem(path, 0, str(error))
    return prepare(found) if isinstance(found, Article) else found


def read_all(
    source: Source, inner: Sequence[str], helpers: int | None = None
) -> Generator[Found, None, None]:
    """What each of the files gives, in order; *helpers* is how many processes to have, None as is best.

    Close the iterator to end them early.
    """
    if helpers is None:
        helpers = _HELPERS if len(inner) >= MANY else 0
    if helpers <= 0:
        for one in inner:
            yield read(source, one)
        return
    with contextlib.ExitStack() as stack:
        team = [stack.enter_context(_Helper(source)) for _ in range(helpers)]
        parts = _parts(inner[_HERE:], helpers)
        asked: deque[tuple[_Helper, Sequence[str]]] = deque()

        def ask(helper: _Helper) -> None:
            if part := next(parts, None):
                helper.ask(part)
                asked.append((helper, part))

        for helper in team:
            ask(helper)
        for one in inner[:_HERE]:
            yield read(source, one)
        while asked:
            helper, part = asked.popleft()
            for number, one in enumerate(part, 1):
                found = helper.answer() or read(source, one)
                if number == len(part):
                    ask(helper)  # before the database is busy with what it gave
                yield found


def _parts(inner: Sequence[str], helpers: int) -> Iterator[Sequence[str]]:
    start, size = 0, _FIRST
    while start < len(inner):
        for _ in range(helpers):
            if part := inner[start : start + size]:
                yield part
            start += size
        size = min(_REQUEST, size * 2)


class _Helper:
    """A process that reads files of *source*; what it did not give in the end is None."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: deque[Found] = deque()

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            self._process = child.start("reader.filereader")
        if self._process is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):  # so that it can go on while we write
                fcntl.fcntl(_out(self._process), fcntl.F_SETPIPE_SZ, _PIPE)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):  # what it was asked last may still be on the way
                    if pipe is not None:
                        pipe.close()
            self._process.wait()
            self._process = None

    def ask(self, part: Sequence[str]) -> None:
        """Have *part* read; not before all that was asked for has been answered."""
        if self._process is not None and self._process.stdin is not None:
            question = (os.fsencode(self._source.root), self._source.name, list(part))
            try:
                _send(self._process.stdin, question)
            except OSError:
                self.__exit__()

    def answer(self) -> Found | None:
        """What the next file gave; None when the process gives no more."""
        while not self._ready:
            if self._process is None:
                return None
            try:
                answers = _receive(_out(self._process))
            except (OSError, EOFError, ValueError, TypeError):  # killed, perhaps in the middle of a word
                answers = None
            if answers is None:
                self.__exit__()
                return None
            self._ready.extend(Problem(*a) if len(a) == 3 else Prepared(*a) for a in answers)
        return self._ready.popleft()


def _out(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def _send(pipe: IO[bytes], value: Any) -> None:
    data = marshal.dumps(value, 2)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    """The next value, None at the end."""
    head = pipe.read(_LENGTH.size)
    return marshal.loads(pipe.read(*_LENGTH.unpack(head))) if len(head) == _LENGTH.size else None  # noqa: S302 - of our own process


def serve() -> None:
    """What a helper does: read what it is asked for until nobody asks any more."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    gc.freeze()
    gc.set_threshold(100_000)  # parsing makes no circles
    while (question := _receive(sys.stdin.buffer)) is not None:
        root, name, inner = question
        source = Source(name, Path(os.fsdecode(root)))
        answers: list[tuple[object, ...]] = []
        weight = 0
        for one in inner:
            found = read(source, one)
            if isinstance(found, Prepared):
                weight += found.weight
                answers.append(tuple(found))
            else:
                answers.append((found.path, found.line, found.reason))
            if weight > _ANSWER:
                _send(sys.stdout.buffer, answers)
                answers, weight = [], 0
        if answers:
            _send(sys.stdout.buffer, answers)


if __name__ == "__main__":
    serve()
