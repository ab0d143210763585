"""Which addresses may be asked, and which numbers a connection may go to.

A name is resolved once, *every* address it gave is judged, and the connection
goes to a judged address: a name that answers differently a moment later
(rebinding) gains nothing. Standard library only.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Final
from urllib.parse import urlsplit

from reader.address import MAX_ADDRESS, plain_host
from reader.errors import LinkError

Resolve = Callable[[str, int], Sequence[str]]
"""A host's name and a port to the numeric addresses it has; raises :exc:`OSError`."""

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff\\]")
_SCHEMES = ("http", "https")

# IPv4 that is not a public page's: this host, private, shared, loopback, link-local
# and metadata, protocol assignments, documentation, 6to4 relays, benchmarking,
# multicast, reserved, broadcast; and the metadata service of Azure.
_CLOSED_V4: Final = tuple(
    map(
        ipaddress.IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
        ),
    )
)
# IPv6: global unicast only, which leaves out loopback, mapped (::ffff:), translated
# (64:ff9b::), link- and site-local (fe80::, fec0::), private and multicast at once;
# and of that not the protocol assignments with Teredo, documentation, and 6to4.
_OPEN_V6: Final = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6: Final = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)


_PRIVATE_V4: Final = tuple(
    map(
        ipaddress.IPv4Network,
        ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    )
)
_PRIVATE_V6: Final = ipaddress.IPv6Network("fc00::/7")
_METADATA: Final = frozenset({"100.100.100.200", "fd00:ec2::254"})
"""Metadata services inside the private ranges."""


class Malformed(LinkError):
    """What should be an address is none."""


def is_public(number: str) -> bool:
    """Whether a numeric address belongs to the public internet. Anything else is False."""
    try:
        ip = ipaddress.ip_address(number.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _CLOSED_V4)
    return ip in _OPEN_V6 and not any(ip in network for network in _CLOSED_V6)


def may_connect(number: str, *, allow_private: bool) -> bool:
    """Whether a connection to a numeric address is allowed.

    *allow_private* opens loopback and the private ranges, nothing else: what
    is link-local, multicast or a cloud's metadata service stays closed.
    """
    if is_public(number):
        return True
    if not allow_private:
        return False
    try:
        ip = ipaddress.ip_address(number.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    if str(ip) in _METADATA:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return any(ip in network for network in _PRIVATE_V4)
    return ip.is_loopback or ip in _PRIVATE_V6


def check_form(address: str) -> str:
    """Return the host of *address*, or raise :exc:`LinkError` with the reason not to ask it.

    Only absolute http and https addresses with a host, without credentials,
    white space or control characters, at most ``MAX_ADDRESS`` characters;
    :exc:`Malformed` where it is not even an address.
    """
    if len(address) > MAX_ADDRESS:
        raise Malformed(f"longer than {MAX_ADDRESS} characters")
    if _UNSAFE.search(address):
        raise Malformed("white space, a backslash or a control character in the address")
    if (plain := plain_host(address)) is not None:
        return plain
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Malformed(f"not an address: {error}") from error
    if parts.scheme not in _SCHEMES:
        if not parts.scheme:
            raise Malformed("not an absolute address")
        raise LinkError(f"not http or https: {parts.scheme}:")
    if "@" in parts.netloc:
        raise LinkError("credentials in the address")
    if not host or port == 0:
        raise Malformed("no host in the address" if not host else "port 0")
    return host


def system_resolve(host: str, port: int) -> Sequence[str]:
    """The system's resolver: numeric addresses in the order to try. Raises :exc:`OSError`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # the idna codec, on labels over 63 characters
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class ResolverThreads:
    """Runs a blocking resolver on up to *limit* threads of its own.

    The event loop's executor has few threads, so dead names would stall the
    live ones, and the interpreter waits for them when it ends: these are
    daemons, because nothing is lost with them.
    """

    def __init__(self, resolve: Resolve, limit: int = 64) -> None:
        self._resolve = resolve
        self._limit = limit
        self._jobs: SimpleQueue[tuple[Future[Sequence[str]], str, int] | None] = SimpleQueue()
        self._threads = 0
        self._idle = threading.Semaphore(0)

    def submit(self, host: str, port: int) -> Future[Sequence[str]]:
        """Start resolving; the future gives the addresses or the resolver's :exc:`OSError`."""
        future: Future[Sequence[str]] = Future()
        self._jobs.put((future, host, port))
        if not self._idle.acquire(blocking=False) and self._threads < self._limit:
            self._threads += 1
            threading.Thread(target=self._work, name=f"resolver-{self._threads}", daemon=True).start()
        return future

    def close(self) -> None:
        """Let the threads go; those inside the resolver end when it answers."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, host, port = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(self._resolve(host, port))
                except OSError as error:
                    future.set_exception(error)
            self._idle.release()
