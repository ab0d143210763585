"""A server on loopback whose reason phrases and redirects hold strangers' strings; a process of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import gate_files as files
from gate_files import Words


@contextmanager
def server(words: Words) -> Iterator[int]:
    """Gives its port; each file of the linked archive has an address of its own in 127.0.0.0/8."""
    doors: list[socket.socket] = []
    port = 0
    for n in range(files.link_files(words)):
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((files.link_host(n), port))
        door.listen(16)
        port = door.getsockname()[1]
        doors.append(door)
    child = os.fork()
    if child == 0:
        try:
            _serve(words, doors)
        finally:
            os._exit(1)
    for door in doors:
        door.close()
    try:
        yield port
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(words: Words, doors: list[socket.socket]) -> None:
    poll = select.poll()
    by_number = {door.fileno(): door for door in doors}
    for number in by_number:
        poll.register(number, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            client, _ = by_number[number].accept()
            with client:
                try:
                    client.settimeout(5)
                    request = b""
                    while b"\r\n\r\n" not in request and (data := client.recv(65_536)):
                        request += data
                    client.sendall(_answer(words, request.split(b" ")[1].decode("latin-1")))
                except (OSError, IndexError):
                    continue


def _answer(words: Words, path: str) -> bytes:
    kind, _, number = path.strip("/").partition("/")
    file = int(number) if number.isdigit() else 0
    match kind:
        case "web":
            head = f"HTTP/1.1 404 {_one_line(files.link_line(words, 'lr', file))}".encode(*_AS_IT_IS)
        case "original":
            head = f"HTTP/1.1 410 {_one_line(files.link_line(words, 'lo', file))}".encode(*_AS_IT_IS)
        case "amp":  # as a server would write them
            target = quote(files.link_line(words, "lt", file).encode(*_AS_IT_IS), safe="/?:@!$&'()*+,;=<>")
            head = f"HTTP/1.1 301 Moved\r\nLocation: /there?{target}".encode(*_AS_IT_IS)
        case "raw":  # as a stranger would
            target = _one_line(words.one("lw", files.link_numbers(words, file)[0]))
            head = f"HTTP/1.1 301 Moved\r\nLocation: /there?{target}".encode(*_AS_IT_IS)
        case _:
            head = b"HTTP/1.1 200 OK"
    return head + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


_AS_IT_IS = ("utf-8", "surrogatepass")


def _one_line(text: str) -> str:
    return re.sub("[\r\n\0]", "", text)
