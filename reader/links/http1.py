"""One HTTP/1.1 connection that reads heads and waits for no body, on bare asyncio.

Nothing is trusted: the head is bounded in bytes, lines and interim answers,
and a connection that says anything unasked is dropped. Lines that are no
header are passed over, as browsers do; because no body is waited for, nothing
is framed by them. Only a body that came whole beside its head, as a short
error page does, leaves the connection for the next request. (h11 took 45 us an
exchange where this takes 4, and calls a page broken for one stray header line.)
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Final

from reader.values import dataclass

MAX_HEAD: Final = 64 * 1024
"""Bytes of one head, be it the final or an interim one."""
MAX_HEADERS: Final = 256
MAX_INTERIM: Final = 8
"""1xx answers before the real one."""

Headers = list[tuple[bytes, bytes]]
_STATUS = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: ([^\r\n]*))?")
_END = re.compile(rb"\n\r?\n")
"""The blank line. What stands before it may end in a CR: in the pattern it took ten times as long."""


class BadAnswer(Exception):
    """What came back is not HTTP, or more of it than anybody needs."""


class NoAnswer(Exception):
    """The connection ended before an answer did; ``started`` when part of one had come."""

    def __init__(self, message: str, *, started: bool) -> None:
        super().__init__(message)
        self.started = started


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one answer; header names in lower case, everything else as sent."""

    status: int
    phrase: bytes
    version: bytes
    headers: Headers

    def get(self, name: bytes) -> bytes | None:
        """The first value of a header, by its lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


def parse_head(raw: bytes) -> Head:
    """A head without its final blank line, a CR at its end or not. Raises :exc:`BadAnswer`."""
    lines = raw.split(b"\n")
    match = _STATUS.fullmatch(lines[0].rstrip(b"\r"))
    if match is None:
        raise BadAnswer("the answer is not HTTP/1")
    if len(lines) > MAX_HEADERS:
        raise BadAnswer(f"more than {MAX_HEADERS} headers")
    headers: Headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if colon and name:
            headers.append((name.lower(), value.strip()))
    return Head(int(match[2]), match[3] or b"", b"HTTP/1." + match[1], headers)


def request_bytes(method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A request without a body."""
    lines = [method.encode("ascii") + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection: :meth:`ask`, then again while :attr:`usable`."""

    def __init__(self) -> None:
        self.usable = False
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Head] | None = None
        self._buffer = bytearray()
        self._seen = 0
        self._interim = 0
        self._bodiless = False

    async def ask(self, request: bytes, *, bodiless: bool) -> Head:
        """Send *request*, return its final answer's head.

        *bodiless*: the answer to this method has no body. With more of a body to
        come the connection is aborted at the head's end. Raises :exc:`BadAnswer`,
        :exc:`NoAnswer`; being cancelled aborts the connection.
        """
        if self._transport is None or not self.usable:
            raise NoAnswer("closed before it was asked", started=False)
        self.usable = False
        self._buffer.clear()
        self._seen = self._interim = 0
        self._bodiless = bodiless
        answer: asyncio.Future[Head] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._transport.write(request)
        over = False
        try:
            head = await answer
            over = self.usable
        finally:
            self._answer = None
            if not over:  # nor when it is usable, but he who asked was cancelled as the answer came
                self.abort()
        return head

    def abort(self) -> None:
        """Drop the connection at once, with whatever is still to come."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.usable = True

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.abort()
            return
        self._buffer += data
        try:
            head = self._next_head()
        except BadAnswer as error:
            self._answer.set_exception(error)
            self.abort()
            return
        if head is not None:
            self.usable = self._may_stay(head)
            self._buffer.clear()
            self._answer.set_result(head)
            if not self.usable:
                self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        if self._answer is not None and not self._answer.done():
            said = f"the connection broke: {exc.__class__.__name__}" if exc else "closed without an answer"
            self._answer.set_exception(NoAnswer(said, started=bool(self._buffer or self._interim)))

    def _next_head(self) -> Head | None:
        """The final head once it is whole, interim ones passed over."""
        while True:
            if self._seen > MAX_HEAD:
                raise BadAnswer(f"a head of more than {MAX_HEAD // 1024} KiB")
            # A flood in one piece or a drop at a time: look only at what is new.
            end = _END.search(self._buffer, max(0, self._seen - 4))
            if end is None or end.start() > MAX_HEAD:
                if self._buffer and not b"HTTP/1."[: len(self._buffer)] == self._buffer[:7]:
                    raise BadAnswer("the answer is not HTTP/1")
                self._seen = len(self._buffer)
                if self._seen > MAX_HEAD:
                    continue
                return None
            head = parse_head(bytes(self._buffer[: end.start()]))
            del self._buffer[: end.end()]
            self._seen = 0
            if not 100 <= head.status < 200:
                return head
            self._interim += 1
            if head.status == 101 or self._interim > MAX_INTERIM:
                raise BadAnswer(
                    f"more than {MAX_INTERIM} interim answers" if head.status != 101 else "101 unasked"
                )

    def _may_stay(self, head: Head) -> bool:
        """Whether the answer is over: nothing came but the head and the body it tells of."""
        said = (head.get(b"connection") or b"").lower()
        if b"close" in said or (head.version == b"HTTP/1.0" and b"keep-alive" not in said):
            return False
        if self._bodiless or head.status in (204, 304):
            return not self._buffer
        lengths = [value for name, value in head.headers if name == b"content-length"]
        return lengths == [b"%d" % len(self._buffer)] and head.get(b"transfer-encoding") is None
