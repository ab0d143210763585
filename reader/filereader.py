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
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from queue import Queue
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
_REQUEST: Final = 200
_AHEAD: Final = 16  # requests of one process on their way: it works while the database takes in thousands
_NAMES: Final = 16_000  # bytes of names in one
_ASKED: Final = 32_000  # bytes of all but the last: were the pipe ever full, each could wait for the other
_ASKED_WIDE: Final = 500_000  # the same where the pipe could be made as wide as _PIPE
_UNSENT: Final = 8  # answers that may wait in a process until they are fetched
_NICE: Final = 10  # the database goes first: what it has not written when all is read, all wait for
_ANSWER: Final = 2_000_000  # characters of text after which an answer is sent, though not all is read
_PIPE: Final = 1 << 20
_LENGTH: Final = struct.Struct("<I")


def read(source: Source, inner: str, near: sources.Near | None = None) -> Found:
    """What the file at *inner* (text, below the source) gives; *near* as for :func:`sources.read_file`."""
    path = f"{source.name}/{inner}"
    try:
        found = frontmatter.read(sources.read_file(source.root, inner, near), path)
    except SourceError as error:
        return Problem(path, 0, str(error))
    return prepare(found) if isinstance(found, Article) else found


class Team:
    """Processes that read files of *source*: *helpers*, or (None) what is worth it for so many files."""

    def __init__(self, source: Source, helpers: int | None = None) -> None:
        self._source = source
        self._wanted = helpers
        self._ended = contextlib.ExitStack()
        self.members: list[_Helper] = []
        """Those that have started."""

    def expect(self, count: int) -> None:
        """So many files are to be read: have the processes start, while more are looked for."""
        wanted = self._wanted if self._wanted is not None else _HELPERS if count >= MANY else 0
        while len(self.members) < wanted:
            self.members.append(self._ended.enter_context(_Helper(self._source)))

    def __enter__(self) -> Self:
        self.expect(0)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.close()


def read_all(source: Source, inner: Iterable[str], helpers: int) -> Generator[Found, None, None]:
    """What each of the files gives, in order, *helpers* processes reading them.

    Close the iterator to end them early.
    """
    with Team(source, helpers) as team, contextlib.closing(read_by(team, source, inner)) as found:
        yield from found


def read_by(team: Team, source: Source, inner: Iterable[str]) -> Generator[Found, None, None]:
    """As :func:`read_all`, by the processes of *team* that have started, which are the caller's to end."""
    names = iter(inner)
    helpers = len(team.members)
    if not helpers:
        with contextlib.closing(sources.Near()) as near:
            for one in names:
                yield read(source, one, near)
        return
    here = list(islice(names, _HERE))
    parts = _parts(names, helpers)
    asked: deque[tuple[_Helper, Sequence[str]]] = deque()

    def ask(helper: _Helper) -> None:
        if helper.has_room() and (part := next(parts, None)):
            helper.ask(part)
            asked.append((helper, part))

    for _ in range(_AHEAD):
        for helper in team.members:
            ask(helper)
    for one in here:
        yield read(source, one)
    while asked:
        helper, part = asked.popleft()
        for number, one in enumerate(part, 1):
            found = helper.answer() or read(source, one)
            if number == len(part):
                helper.answered()
                ask(helper)
            yield found


def _parts(names: Iterator[str], helpers: int) -> Iterator[Sequence[str]]:
    size = _FIRST
    while True:
        for _ in range(helpers):
            taken = list(islice(names, size))
            if not taken:
                return
            yield from _short(taken)
        size = min(_REQUEST, size * 2)


def _short(names: Sequence[str]) -> Iterator[Sequence[str]]:
    if len(names) > 1 and len("".join(names).encode("utf-8", "surrogatepass")) > _NAMES:
        half = len(names) // 2
        yield from _short(names[:half])
        yield from _short(names[half:])
    else:
        yield names


class _Helper:
    """A process that reads files of *source*; what it did not give in the end is None."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: deque[Found] = deque()
        self._asked: deque[int] = deque()
        self._most = _ASKED

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            self._process = child.start("reader.filereader")
        if self._process is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):  # so that it can go on while we write
                fcntl.fcntl(_out(self._process), fcntl.F_SETPIPE_SZ, _PIPE)
                assert self._process.stdin is not None
                fcntl.fcntl(self._process.stdin, fcntl.F_SETPIPE_SZ, _PIPE)
                self._most = _ASKED_WIDE
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

    def has_room(self) -> bool:
        """Whether it can be asked for more before it has answered all."""
        return not self._asked or (len(self._asked) < _AHEAD and sum(self._asked) < self._most)

    def ask(self, part: Sequence[str]) -> None:
        """Have *part* read."""
        size = 0
        if self._process is not None and self._process.stdin is not None:
            question = (os.fsencode(self._source.root), self._source.name, list(part))
            try:
                size = _send(self._process.stdin, question)
            except OSError:
                self.__exit__()
        self._asked.append(size)

    def answered(self) -> None:
        """All of the part that was asked for first has been taken."""
        self._asked.popleft()

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


def _packed(value: Any) -> bytes:
    data = marshal.dumps(value, 2)
    return _LENGTH.pack(len(data)) + data


def _send(pipe: IO[bytes], value: Any) -> int:
    """Send *value*; how many bytes that were."""
    data = _packed(value)
    pipe.write(data)
    pipe.flush()
    return len(data)


def _receive(pipe: IO[bytes]) -> Any:
    """The next value, None at the end."""
    head = pipe.read(_LENGTH.size)
    return marshal.loads(pipe.read(*_LENGTH.unpack(head))) if len(head) == _LENGTH.size else None  # noqa: S302 - of our own process


def serve() -> None:
    """What a helper does: read what it is asked for until nobody asks any more."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    gc.freeze()
    gc.set_threshold(100_000)  # parsing makes no circles
    os.nice(_NICE)
    unsent: Queue[bytes] = Queue(_UNSENT)
    teller = threading.Thread(target=_tell, args=(unsent,), daemon=True)
    teller.start()
    while (question := _receive(sys.stdin.buffer)) is not None:
        root, name, inner = question
        source = Source(name, Path(os.fsdecode(root)))
        near = sources.Near()
        answers: list[tuple[object, ...]] = []
        weight = 0
        for one in inner:
            found = read(source, one, near)
            if isinstance(found, Prepared):
                weight += found.weight
                answers.append(tuple(found))
            else:
                answers.append((found.path, found.line, found.reason))
            if weight > _ANSWER:
                unsent.put(_packed(answers))
                answers, weight = [], 0
        near.close()
        if answers:
            unsent.put(_packed(answers))
    unsent.put(b"")
    teller.join()


def _tell(unsent: Queue[bytes]) -> None:
    """Send the answers, so that the next files are read while nobody fetches the last."""
    while data := unsent.get():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
