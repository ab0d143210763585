"""The road httpx's client takes: vetted addresses, heads only, few idle connections.

httpx's own pool looks through every idle connection at each request, which
made 2,000 addresses over 100 hosts 42 times slower than bare asyncio; this
transport keeps a stack of idle connections per origin instead. It also hands
``Location`` and ``Set-Cookie`` on as ``extensions`` only, so that the client
neither follows nor remembers anything.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import urllib.request
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from typing import Final

import httpx

from reader import tls
from reader.errors import LinkError
from reader.links.guard import Resolve, ResolverThreads, is_public, may_connect
from reader.links.http1 import BadAnswer, Connection, Head, NoAnswer, request_bytes
from reader.links.judge import READ_HEADERS
from reader.links.policy import Policy

Origin = tuple[str, str, int]

_MAX_IDLE: Final = 128
_MAX_IDLE_TLS: Final = 100
"""asyncio may hold 256 KiB for each TLS connection."""
_MAX_TRIED: Final = 4
"""Addresses of one host that are tried in turn."""
_NAMES_KEPT: Final = 300.0
"""Seconds a resolved name is believed."""
_WANTED: Final = frozenset(name.encode("ascii") for name in READ_HEADERS)
_LOCAL_NAMES: Final = ("localhost", ".local", ".internal", ".lan", ".home.arpa")
_FOR_NOW: Final = (socket.EAI_AGAIN,)


class NameUnknown(httpx.ConnectError):
    """The host does not resolve; ``for_now`` when the resolver could not tell."""

    def __init__(self, message: str, *, for_now: bool = False) -> None:
        super().__init__(message)
        self.for_now = for_now


class NotAllowed(httpx.UnsupportedProtocol):
    """The host has an address that is not public."""


class TLSFailed(httpx.ConnectError):
    """The certificate or the handshake failed."""


class _NoBody(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        return
        yield b""


NO_BODY: Final = _NoBody()
"""The stream of every request and every answer here."""


class VettedTransport(httpx.AsyncBaseTransport):
    """Speaks HTTP/1.1 to judged addresses only. Made inside the running event loop.

    Raises httpx's :exc:`~httpx.TransportError` tree: :exc:`NameUnknown`,
    :exc:`NotAllowed`, :exc:`TLSFailed`, ConnectError, ConnectTimeout, ReadError
    (no answer), RemoteProtocolError (no HTTP). Of an answer only the head,
    and of that the headers anybody here reads; its ``extensions`` hold
    ``reason_phrase``, ``location`` (bytes or None) and ``sets_cookie``.
    """

    def __init__(self, policy: Policy, resolve: Resolve) -> None:
        tls.bring_in()
        self._policy = policy
        self._threads = ResolverThreads(resolve)
        self._names: dict[tuple[str, int], tuple[float, asyncio.Task[Sequence[str]]]] = {}
        self._idle: dict[Origin, list[Connection]] = {}
        self._order: OrderedDict[Connection, Origin] = OrderedDict()
        self._idle_tls = 0
        self._ssl: ssl.SSLContext | None = None
        self._proxies = urllib.request.getproxies() if policy.trust_env else {}
        self._proxy_roads: dict[str, httpx.AsyncHTTPTransport] = {}
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if self._proxies and (proxy := self._proxy_for(url)):
            return await self._through(proxy, request)
        origin = (
            url.scheme,
            url.raw_host.decode("ascii"),
            url.port or (443 if url.scheme == "https" else 80),
        )
        raw = request_bytes(request.method, url.raw_path, request.headers.raw)
        bodiless = request.method == "HEAD"
        try:
            while (line := self._take(origin)) is not None:
                try:
                    return self._finish(origin, line, await self._ask(line, raw, bodiless=bodiless))
                except (NoAnswer, BadAnswer):
                    continue  # it went stale, or the last answer lied about its end: a new one knows
            line = await self._connect(origin)
            return self._finish(origin, line, await self._ask(line, raw, bodiless=bodiless))
        except NoAnswer as error:
            raise httpx.ReadError(str(error)) from error
        except BadAnswer as error:
            raise httpx.RemoteProtocolError(str(error)) from error

    async def _ask(self, line: Connection, raw: bytes, *, bodiless: bool) -> Head:
        self.requests += 1
        return await line.ask(raw, bodiless=bodiless)

    def release(self, host: str) -> None:
        """Close the idle connections to *host*: nothing more is to be asked there."""
        for origin in [origin for origin in self._idle if origin[1] == host]:
            for line in list(self._idle[origin]):
                self._forget(line, origin)
                line.abort()

    async def aclose(self) -> None:
        for origin in list(self._idle):
            self.release(origin[1])
        for road in self._proxy_roads.values():
            await road.aclose()
        for _, numbers in self._names.values():
            numbers.cancel()
        self._threads.close()

    # -- connections

    def _take(self, origin: Origin) -> Connection | None:
        while origin in self._idle:
            line = self._idle[origin][-1]
            self._forget(line, origin)
            if line.usable:
                return line
        return None

    def _finish(self, origin: Origin, line: Connection, head: Head) -> httpx.Response:
        if line.usable:
            self._idle.setdefault(origin, []).append(line)
            self._order[line] = origin
            self._idle_tls += origin[0] == "https"
            if len(self._order) > _MAX_IDLE or self._idle_tls > _MAX_IDLE_TLS:
                self._close_oldest(tls=self._idle_tls > _MAX_IDLE_TLS)
        return _response(head)

    def _close_oldest(self, *, tls: bool) -> None:
        for line, origin in self._order.items():
            if not tls or origin[0] == "https":
                self._forget(line, origin)
                line.abort()
                return

    def _forget(self, line: Connection, origin: Origin) -> None:
        stack = self._idle[origin]
        stack.remove(line)
        if not stack:
            del self._idle[origin]
        del self._order[line]
        self._idle_tls -= origin[0] == "https"

    async def _connect(self, origin: Origin) -> Connection:
        scheme, host, port = origin
        numbers = await self._numbers(host, port)
        context = self._tls() if scheme == "https" else None
        name = _tls_name(host) if context else None
        loop = asyncio.get_running_loop()
        problem: httpx.TransportError = httpx.ConnectError("no address")
        tried = numbers[:_MAX_TRIED]
        for number in tried:
            try:
                async with asyncio.timeout(self._policy.connect / len(tried)):
                    _, line = await loop.create_connection(
                        Connection, number, port, ssl=context, server_hostname=name
                    )
                return line
            except TimeoutError:
                problem = httpx.ConnectTimeout("no connection in time")
            except ssl.SSLError as error:
                problem = TLSFailed(_tls_reason(error))
            except ConnectionResetError as error:
                problem = (
                    TLSFailed("the handshake was cut off")
                    if context
                    else httpx.ConnectError(_system_reason(error))
                )
            except OSError as error:
                problem = httpx.ConnectError(_system_reason(error))
        raise problem

    def _tls(self) -> ssl.SSLContext:
        if self._ssl is None:  # made once: it takes 26 ms
            self._ssl = httpx.create_ssl_context(trust_env=False)
            if self._policy.ca_file:
                self._ssl.load_verify_locations(self._policy.ca_file)
        return self._ssl

    # -- names

    async def _numbers(self, host: str, port: int) -> Sequence[str]:
        """The host's addresses, asked for once and all judged."""
        host = host.strip("[]")
        loop = asyncio.get_running_loop()
        kept = self._names.get((host, port))
        if kept is None or loop.time() - kept[0] > _NAMES_KEPT:
            kept = loop.time(), loop.create_task(self._look_up(host, port))
            # Whoever asked may be gone by the time it fails.
            kept[1].add_done_callback(lambda task: task.cancelled() or task.exception())
            self._names[host, port] = kept
        # Shielded: one link out of time must not take the answer from the others.
        return await asyncio.shield(kept[1])

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        try:
            numbers = await asyncio.wrap_future(self._threads.submit(host, port))
        except OSError as error:
            for_now = error.errno in _FOR_NOW
            if for_now:
                del self._names[host, port]
            raise NameUnknown(error.strerror or "the name does not resolve", for_now=for_now) from error
        if not numbers:
            raise NameUnknown("the name has no address")
        allow = self._policy.allow_private
        if not all(may_connect(number, allow_private=allow) for number in numbers):
            raise NotAllowed("a private, local or special address")
        return numbers

    # -- proxies, only when asked for

    def _proxy_for(self, url: httpx.URL) -> str | None:
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        return None if proxy is None or urllib.request.proxy_bypass(url.host) else proxy

    async def _through(self, proxy: str, request: httpx.Request) -> httpx.Response:
        """Ask by a proxy of the environment, which resolves the name: judge what can be judged."""
        host = request.url.host
        local = host.endswith(_LOCAL_NAMES) or (_is_number(host) and not is_public(host))
        if local and not self._policy.allow_private:
            raise NotAllowed("a private, local or special address")
        road = self._proxy_roads.get(proxy)
        if road is None:
            try:
                road = httpx.AsyncHTTPTransport(verify=self._tls(), trust_env=False, proxy=proxy)
            except (ImportError, ValueError) as error:
                raise LinkError(f"the proxy of the environment cannot be used: {error}") from error
            self._proxy_roads[proxy] = road
        self.requests += 1
        answer = await road.handle_async_request(request)
        await answer.aclose()
        headers = [(name.lower(), value) for name, value in answer.headers.raw]
        phrase = answer.extensions.get("reason_phrase", b"")
        return _response(Head(answer.status_code, phrase, b"HTTP/1.1", headers))


def _is_number(host: str) -> bool:
    try:
        socket.inet_aton(host)  # takes 0x7f.1 and 2130706433, as resolvers do
    except OSError:
        return ":" in host
    return True


def _system_reason(error: OSError) -> str:
    # asyncio's own text repeats the number and port; the system's says it better.
    return os.strerror(error.errno).lower() if error.errno else "no connection"


def _tls_name(host: str) -> str:
    """The host as TLS names it; tried first, because asyncio would leave its socket open over a bad one."""
    name = host.strip("[]").removesuffix(".")
    try:
        name.encode("idna")
    except UnicodeError as error:
        raise TLSFailed(f"not a name for TLS: {error}") from error
    if not name or name.startswith("."):
        raise TLSFailed("not a name for TLS")
    return name


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not good: {error.verify_message}"
    return f"the handshake failed: {(error.reason or 'unknown').replace('_', ' ').lower()}"


def _response(head: Head) -> httpx.Response:
    location = None
    sets_cookie = False
    headers = []
    for item in head.headers:
        if item[0] == b"location":
            location = item[1] if location is None else location
        elif item[0] == b"set-cookie":
            sets_cookie = True
        elif item[0] in _WANTED:
            headers.append(item)
    return httpx.Response(
        head.status,
        headers=headers,
        stream=NO_BODY,
        extensions={"reason_phrase": head.phrase, "location": location, "sets_cookie": sets_cookie},
    )
