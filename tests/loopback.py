"""A loopback web server that misbehaves on purpose, for the tests and benchmarks of the links.

``Loopback()`` serves on 127.0.0.1 from a thread of its own. A path names what
happens; ``MISBEHAVIOURS`` lists those that would hurt a careless client. Hosts
are names that :func:`to_loopback` resolves: no packet leaves the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

FOREVER = 60.0
PIECE = b"x" * 65536


def to_loopback(host: str, port: int) -> Sequence[str]:
    """A resolver for names of the tests: every ``*.test`` is 127.0.0.1, anything else unknown."""
    if host.endswith(".test") or host in ("127.0.0.1", "localhost"):
        return ["127.0.0.1"]
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@dataclass(frozen=True)
class Seen:
    """One request that came in."""

    at: float
    method: str
    host: str
    path: str
    headers: dict[str, str]
    line: int
    """The port it came from: the same for all on one connection."""


class Reply:
    """What a handler answers with."""

    def __init__(self, server: Loopback, seen: Seen, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.seen = seen
        self.writer = writer
        self.name, _, self.query = seen.path.partition("?")
        self.base = f"http://{seen.host}"

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def say(self, status: str, *headers: str, body: bytes = b"hello") -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        await self.raw(head if self.seen.method == "HEAD" else head + body)

    async def go(self, status: int, location: str, *headers: str) -> None:
        await self.say(f"{status} Elsewhere", f"Location: {location}", *headers, body=b"")


Handler = Callable[[Reply], Awaitable[None]]
ROUTES: dict[str, Handler] = {}
MISBEHAVIOURS: list[str] = []


def route(*names: str, bad: bool = False) -> Callable[[Handler], Handler]:
    def add(handler: Handler) -> Handler:
        for name in names:
            ROUTES[name] = handler
            if bad:
                MISBEHAVIOURS.append(name)
        return handler

    return add


class Loopback:
    """The server. ``log`` holds every request; ``release`` lets the waiting ``/wait`` answers go."""

    def __init__(self, hosts: Sequence[str] = ("127.0.0.1",), tls: tuple[Path, Path] | None = None) -> None:
        self.log: list[Seen] = []
        self.release = threading.Event()
        self.port = 0
        self._hosts = hosts
        self._tls: ssl.SSLContext | None = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Loopback:
        started = threading.Event()
        self._started = started
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def url(self, path: str, host: str = "site.test") -> str:
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{path}"

    def asked(self, path: str) -> list[str]:
        """The methods with which *path* was asked, in order."""
        return [seen.method for seen in self.log if seen.path == path]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)  # clients that hang up are our trade
        self._loop.run_until_complete(self._listen())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _listen(self) -> None:
        self._servers = []
        for host in self._hosts:
            server = await asyncio.start_server(self._accept, host, self.port, ssl=self._tls, backlog=512)
            self.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first = await reader.readexactly(1)
        if first == b"\x16":  # TLS at a plain door
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {
            k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)
        }
        seen = Seen(
            time.monotonic(),
            method,
            headers.get("host", ""),
            path,
            headers,
            writer.get_extra_info("peername")[1],
        )
        self.log.append(seen)
        reply = Reply(self, seen, writer)
        name = reply.name.split("/")[1]
        await ROUTES.get(name, _not_found)(reply)
        return name not in MISBEHAVIOURS


# -- what good servers do


async def _not_found(r: Reply) -> None:
    await r.say("404 Not Found")


@route("ok", "", "story", "about", "search", "login", "index.html", "page", "moved-here")
async def _ok(r: Reply) -> None:
    await r.say("200 OK", f'ETag: "{r.name}"')


@route("status")
async def _status(r: Reply) -> None:
    await r.say(r.name.split("/")[2] + " As Asked")


@route("head")  # /head/405: HEAD is answered so, GET 200
async def _head(r: Reply) -> None:
    await r.say(r.name.split("/")[2] + " No" if r.seen.method == "HEAD" else "200 OK")


@route("said")  # /said/<hex>: those bytes to a GET, nothing said to a HEAD
async def _said(r: Reply) -> None:
    if r.seen.method == "HEAD":
        await r.say("405 No")
    else:
        await r.raw(bytes.fromhex(r.name.split("/")[2]))


@route("to")  # /to/301/where?or=not
async def _to(r: Reply) -> None:
    _, _, status, where = r.name.split("/", 3)
    await r.go(int(status), "/" + where + (f"?{r.query}" if r.query else ""))


@route("jump")  # /jump/302/deep/page?/where
async def _jump(r: Reply) -> None:
    await r.go(int(r.name.split("/")[2]), r.query)


@route("jump-raw")  # /jump-raw/<hex>: those bytes as Location
async def _jump_raw(r: Reply) -> None:
    location = bytes.fromhex(r.name.split("/")[2])
    await r.raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")


@route("to-host")  # /to-host/302/other.test:80/path
async def _to_host(r: Reply) -> None:
    _, _, status, where = r.name.split("/", 3)
    await r.go(int(status), "http://" + where)


@route("wait")
async def _wait(r: Reply) -> None:
    while not r.server.release.is_set():
        await asyncio.sleep(0.01)
    await r.say("200 OK")


@route("later")  # /later/<status>/<Retry-After or "date">: once per address, then 200
async def _later(r: Reply) -> None:
    _, _, status, after, *_ = r.name.split("/")
    if sum(seen.path == r.seen.path for seen in r.server.log) > 1:
        await r.say("200 OK")
    else:
        when = formatdate(time.time() + 2, usegmt=True) if after == "date" else after
        await r.say(f"{status} Later", f"Retry-After: {when}")


@route("always-later")
async def _always_later(r: Reply) -> None:
    await r.say("429 Too Many", "Retry-After: 0")


@route("flaky")  # 503 once without a word of when, then 200
async def _flaky(r: Reply) -> None:
    first = sum(seen.path == r.seen.path for seen in r.server.log) == 1
    await r.say("503 Busy" if first else "200 OK")


@route("challenge")
async def _challenge(r: Reply) -> None:
    await r.say("403 Forbidden", "cf-mitigated: challenge")


@route("cookie-loop")
async def _cookie_loop(r: Reply) -> None:
    await r.go(302, r.seen.path, "Set-Cookie: seen=1")


@route("catch-all")  # answers 200 to anything below it
async def _catch_all(r: Reply) -> None:
    await r.say("200 OK")


@route("honest")  # only /honest/page exists
async def _honest(r: Reply) -> None:
    await r.say("200 OK" if r.name == "/honest/page" else "404 Not Found")


@route("swept")  # everything below is sent to one living page
async def _swept(r: Reply) -> None:
    await r.go(302, "/story/news")


@route("web")  # an archive: /web/<time>/<address>
async def _web(r: Reply) -> None:
    if "copied" in r.seen.path and "20150102030405" not in r.seen.path:
        await r.go(302, f"{r.base}/web/20150102030405/http://site.test/copied")
    elif "stalls" in r.seen.path:
        await asyncio.sleep(FOREVER)
    elif "busy" in r.seen.path:
        await r.say("429 Too Many Requests")
    elif "astray" in r.seen.path:
        await r.go(302, "http://elsewhere.test/web/20150102030405/x")
    else:
        await r.say("200 OK" if "copied" in r.seen.path else "404 Not Found")


# -- what the others do


@route("hang", bad=True)
async def _hang(r: Reply) -> None:
    await asyncio.sleep(FOREVER)


@route("head-hangs", bad=True)
async def _head_hangs(r: Reply) -> None:
    if r.seen.method == "HEAD":
        await asyncio.sleep(FOREVER)
    await r.say("200 OK")


@route("drip-head", bad=True)
async def _drip_head(r: Reply) -> None:
    for char in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 100_000:
        await r.raw(bytes([char]))
        await asyncio.sleep(0.05)


@route("drip-body", bad=True)
async def _drip_body(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100_000):
        await r.raw(b"y")
        await asyncio.sleep(0.05)


@route("drip-interim", bad=True)
async def _drip_interim(r: Reply) -> None:
    while True:
        await r.raw(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(0.05)


@route("flood-interim", bad=True)
async def _flood_interim(r: Reply) -> None:
    while True:
        await r.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500)


@route("flood-body", bad=True)
async def _flood_body(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await r.raw(PIECE)


@route("flood-chunks", bad=True)
async def _flood_chunks(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await r.raw(b"10000\r\n" + PIECE + b"\r\n")


@route("flood-headers", bad=True)
async def _flood_headers(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        await r.raw(b"X-More: and more\r\n" * 500)


@route("flood-tiny-headers", bad=True)
async def _flood_tiny(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 9_000 + b"\r\n")


@route("one-header", bad=True)
async def _one_header(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        await r.raw(PIECE)


@route("flood-phrase", bad=True)
async def _flood_phrase(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 ")
    while True:
        await r.raw(PIECE)


@route("flood-garbage", bad=True)
async def _flood_garbage(r: Reply) -> None:
    while True:
        await r.raw(b"\x00\xff" * 30_000)


@route("bomb", bad=True)
async def _bomb(r: Reply) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    await r.raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)


@route("many-encodings", bad=True)
async def _many_encodings(r: Reply) -> None:
    await r.say("200 OK", "Content-Encoding: " + ", ".join(["gzip"] * 5_000))


@route("no-http", bad=True)
async def _no_http(r: Reply) -> None:
    await r.raw(b"220 mail.test ESMTP ready\r\n")


@route("http2", bad=True)
async def _http2(r: Reply) -> None:
    await r.raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18))


@route("silent-close", bad=True)
async def _silent_close(r: Reply) -> None:
    return


@route("half-head", bad=True)
async def _half_head(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\r\nContent-Ty")


@route("reset", bad=True)
async def _reset(r: Reply) -> None:
    sock = r.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@route("control-phrase", bad=True)
async def _control_phrase(r: Reply) -> None:
    phrase = b"\x1b]0;owned\x07\xc2\x9b31mNo\xe2\x80\xae"
    await r.raw(b"HTTP/1.1 404 " + phrase + b"\r\nServer: \x1b[2J\r\nContent-Length: 0\r\n\r\n")


@route("long-phrase", bad=True)
async def _long_phrase(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 404 " + b"N" * 50_000 + b"\r\nContent-Length: 0\r\n\r\n")


@route("odd-status", bad=True)
async def _odd_status(r: Reply) -> None:
    await r.say("745 What")


@route("no-status", bad=True)
async def _no_status(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 -20 OK\r\n\r\n")


@route("odd-lengths", bad=True)
async def _odd_lengths(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\nContent-Length: 99999999999999999999\r\n\r\nz")


@route("broken-lines", bad=True)
async def _broken_lines(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 200 OK\nno colon here\n: nameless\nX\x00Y: \xff\xfe\n folded\n\nz")


@route("two-answers", bad=True)
async def _two_answers(r: Reply) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    await r.raw(answer + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@route("switch", bad=True)
async def _switch(r: Reply) -> None:
    await r.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")


@route("cookies", bad=True)
async def _cookies(r: Reply) -> None:
    await r.say("200 OK", *[f"Set-Cookie: c{n}={'v' * 1000}; Path=/" for n in range(40)])


@route("circle", bad=True)
async def _circle(r: Reply) -> None:
    await r.go(302, "/circle" if r.query else "/circle?again")


@route("deeper", bad=True)
async def _deeper(r: Reply) -> None:
    await r.go(302, r.seen.path + "/deeper")


@route("growing", bad=True)
async def _growing(r: Reply) -> None:
    await r.go(301, "/growing?" + "g" * 20_000)


@route("to-nowhere", bad=True)
async def _to_nowhere(r: Reply) -> None:
    await r.say("302 Found")


@route("to-file", bad=True)
async def _to_file(r: Reply) -> None:
    await r.go(302, "file:///etc/hostname")


@route("to-script", bad=True)
async def _to_script(r: Reply) -> None:
    await r.go(302, "javascript:alert(1)")


@route("to-password", bad=True)
async def _to_password(r: Reply) -> None:
    await r.go(302, f"http://user:secret@{r.seen.host}/ok")


@route("to-broken", bad=True)
async def _to_broken(r: Reply) -> None:
    await r.go(302, "http://[::1/")


@route("to-control", bad=True)
async def _to_control(r: Reply) -> None:
    await r.go(302, "/ok\x1b[31m\x07")


@route("to-bytes", bad=True)
async def _to_bytes(r: Reply) -> None:
    await r.go(302, "/ok/\xff\xfe a b")


@route("to-smuggle", bad=True)
async def _to_smuggle(r: Reply) -> None:
    await r.go(302, "/ok/%0d%0aX-Evil:%201")
