"""The program in a pseudo-terminal of 120x40: its start, its keys, whether anything holds its event loop.

Beside it stands a bare Textual app with a plain line-API list of as many rows.
A key's time runs from writing it to the last byte of what is drawn at once (a
pause of 15 ms ends it); the preview of an article, which waits until the cursor
rests, is a figure of its own. Gaps are the longest times between two ticks of
the event loop that were due 5 ms apart.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import links
import loading
import making
from measuring import PYTHON, Part, Table, in_turn, median, percentile

from reader.ingest import Ingest
from reader.store.rows import EVERYTHING, Place, PlaceKind

SIZE = (120, 40)
PAUSE = 0.015
_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|[PX^_].*?\x1b\\|\].*?(?:\x07|\x1b\\)|.)", re.DOTALL)


class Terminal:
    """A program in a terminal; what it draws is read and timed, not shown."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        full = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        full.pop("NO_COLOR", None)
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvpe(command[0], list(command), full)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.raw = b""
        self.last = self.begun

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            end = time.perf_counter() + 3
            while time.perf_counter() < end:
                self.read(0.02)
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.fd)
                    return
        os.close(self.fd)

    def read(self, seconds: float) -> bytes:
        """What comes within *seconds*, as soon as it comes."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return b""
        self.last = time.perf_counter()
        self.raw += data
        return data

    def wait_for(self, words: bytes, limit: float = 60) -> float:
        """Seconds from the start until *words* were drawn."""
        end = time.perf_counter() + limit
        seen = b""
        while words not in seen:
            if time.perf_counter() > end:
                shown = _ESCAPES.sub(b" ", self.raw)[-1_500:].decode("utf-8", "replace")
                raise SystemExit(f"{words!r} never came: {shown}")
            if self.read(0.2):
                seen = _ESCAPES.sub(b"", self.raw[-200_000:])
        return self.last - self.begun

    def settle(self, quiet: float = 0.4, limit: float = 20) -> None:
        """Read until nothing came for *quiet* seconds."""
        end = time.perf_counter() + limit
        while self.read(quiet) and time.perf_counter() < end:
            pass

    def key(self, data: str, pause: float = PAUSE, patience: float = 0.5) -> float:
        """Milliseconds from a key to the last byte drawn before a pause."""
        self.raw = b""
        begun = time.perf_counter()
        os.write(self.fd, data.encode())
        if self.read(patience):
            while self.read(pause):
                pass
        return (self.last - begun) * 1_000

    def cpu(self) -> float:
        """Milliseconds of processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1_000 / os.sysconf("SC_CLK_TCK")

    def memory(self) -> dict[str, float]:
        """Resident now and at most, MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return {
            name: int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
            for name, field in (("now", "VmRSS"), ("peak", "VmHWM"))
        }


def ours(home: Path, folder: Path) -> Terminal:
    """The real program over a library."""
    return Terminal([PYTHON, "-m", "reader", str(folder)], loading.dirs(home))


def bare(rows: int) -> Terminal:
    """The bare app with so many rows."""
    return Terminal([PYTHON, str(Path(__file__).with_name("bare.py")), str(rows)], {})


def ready(size: int) -> tuple[Path, Path, tuple[bytes, bytes], int]:
    """A home with a loaded library of *size* files: home, folder, the first two titles, rows."""
    folder = making.files(size)
    home = making.home(folder)
    with loading.session(home, folder) as opened:
        Ingest(opened.library, opened.state, opened.sources).run()
        ids = opened.library.ids(EVERYTHING)
        first, second = (row.title[:24].encode() for row in opened.library.rows(ids[:2]))
        opened.state.put(f"place:{opened.library.path.stem}", {})
        return home, folder, (first, second), len(ids)


# -- start


def start(sizes: Sequence[int], rounds: int) -> Part:
    """From exec to the first useful paint and to the answer to a key pressed then; memory."""
    part = Part("Start")
    rows = []
    for size in sizes:
        home, folder, titles, count = ready(size)

        def one(terminal: Terminal, words: bytes, second: bytes) -> dict[str, float]:
            with terminal:
                seconds = terminal.wait_for(words)
                cpu = terminal.cpu()
                while terminal.read(PAUSE):  # the rest of that frame
                    pass
                terminal.raw = b""
                os.write(terminal.fd, b"j")
                key = terminal.wait_for(second)
                terminal.settle()
                return {"ms": seconds * 1_000, "cpu": cpu, "key": key * 1_000} | terminal.memory()

        found = in_turn(
            {
                "bare": lambda n=count: one(bare(n), b"row 0 ", b"row 1 "),  # type: ignore[misc]
                "ours": lambda h=home, f=folder, t=titles: one(ours(h, f), *t),  # type: ignore[misc]
            },
            max(rounds, 7),
        )
        figures = {
            name: {key: median([run[key] for run in runs]) for key in ("ms", "cpu", "key", "now", "peak")}
            for name, runs in found.items()
        }
        part.data[str(size)] = figures
        base = figures["bare"]
        for name, label in (("bare", "bare Textual app"), ("ours", "newsfold")):
            row = figures[name]
            rows.append(
                (
                    f"{size:,}",
                    label,
                    row["ms"],
                    row["ms"] / base["ms"],
                    row["cpu"],
                    row["cpu"] / base["cpu"],
                    row["key"],
                    row["key"] / base["key"],
                    row["now"],
                    row["now"] / base["now"],
                )
            )
        if size == max(sizes):
            part.at_most(
                f"{size:,}: first useful paint beside a bare app",
                figures["ours"]["ms"] / base["ms"],
                1.35,
                " x",
            )
            part.at_most(
                f"{size:,}: memory beside a bare app", figures["ours"]["now"] / base["now"], 1.25, " x"
            )
    part.tables.append(
        Table(
            (
                "articles",
                "program",
                "exec to titles, ms",
                "times bare",
                "CPU ms",
                "times",
                "a key answered, ms",
                "times",
                "memory, MB",
                "times",
            ),
            rows,
        )
    )
    part.tables.append(_others(home, rounds))
    return part


def _others(home: Path, rounds: int) -> Table:
    """Commands without a screen, and the interpreter alone."""
    env = {**os.environ, **loading.dirs(home)}
    commands = {
        "python -c pass": [PYTHON, "-c", "pass"],
        "newsfold --version": [PYTHON, "-m", "reader", "--version"],
        "newsfold list --limit 20": [PYTHON, "-m", "reader", "list", "--no-refresh", "--limit", "20"],
    }

    def timed(command: Sequence[str]) -> float:
        begun = time.perf_counter()
        subprocess.run(command, env=env, check=True, capture_output=True)
        return (time.perf_counter() - begun) * 1_000

    found = in_turn({n: lambda c=c: timed(c) for n, c in commands.items()}, max(5, rounds))  # type: ignore[misc]
    heavy = ("textual", "rich", "httpx", "yaml", "markdown_it", "asyncio", "sqlite3", "argparse")
    rows = []
    for name, command in commands.items():
        code = "import sys,runpy;sys.argv=sys.argv[1:];"
        if "-m" in command:
            code += "\ntry: runpy.run_module('reader',run_name='__main__')\nexcept SystemExit: pass\n"
        code += f"\nprint('@@',[m for m in {heavy!r} if m in sys.modules])"
        answer = subprocess.run(
            [PYTHON, "-c", code, *command[2:]], env=env, check=True, capture_output=True, text=True
        )
        loaded = answer.stdout.rpartition("@@ ")[2].strip().strip("[]").replace("'", "")
        rows.append((name, median(found[name]), loaded))
    return Table(("command", "ms", "loads, of the heavy ones"), rows)


# -- keys


def keys(sizes: Sequence[int], rounds: int) -> Part:
    """Keys, beside the bare app's."""
    part = Part("Keys")
    size = max(sizes)
    spent: dict[str, list[float]] = {}
    for _ in range(rounds):
        home, folder, (title, _), count = ready(size)  # at the top again
        with bare(count) as plain:
            plain.wait_for(b"row 0 ")
            plain.settle()
            spent.setdefault("bare: cursor", []).extend(_moves(plain))
        with ours(home, folder) as terminal:
            terminal.wait_for(title)
            terminal.settle(1.5)
            spent.setdefault("cursor", []).extend(_moves(terminal))
            for name, values in _others_keys(terminal).items():
                spent.setdefault(name, []).extend(values)
    part.data = {
        name: {"n": len(v), "p50": median(v), "p95": percentile(v, 0.95)} for name, v in spent.items()
    }
    rows = [(name, d["n"], d["p50"], d["p95"]) for name, d in part.data.items()]
    part.tables.append(Table(("key", "times", "p50 ms", "p95 ms"), rows, f"{size:,} articles."))
    base, mine = part.data["bare: cursor"], part.data["cursor"]
    part.at_most("cursor moves, p50 beside a bare list", mine["p50"] / base["p50"], 1.3, " x")
    part.at_most("cursor moves, p95 beside a bare list", mine["p95"] / base["p95"], 2, " x")
    for name in ("open an article", "switch the topic", "a letter in the search line"):
        part.at_most(f"{name}, p95", part.data[name]["p95"], 50, " ms")
    part.at_most("held-down j: the last key to its row", part.data["held-down j, last key"]["p95"], 50, " ms")
    return part


def _moves(terminal: Terminal) -> list[float]:
    chosen = random.Random(1)
    times = []
    for _ in range(60):
        times.append(terminal.key(chosen.choice("jjjk")))
        terminal.settle(0.12)
    return times


def _others_keys(terminal: Terminal) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {
        name: []
        for name in ("open an article", "switch the topic", "a letter in the search line", "narrowed list")
    }
    for _ in range(8):
        terminal.key("j")
        terminal.settle(0.3)
        found["open an article"].append(terminal.key("\r", patience=1))
        terminal.settle(0.3)
        terminal.key("h")
        terminal.settle(0.2)
    for turn in range(8):
        terminal.key("h")
        terminal.settle(0.2)
        terminal.key("k" if turn % 2 else "j")
        terminal.settle(0.2)
        found["switch the topic"].append(terminal.key("\r", patience=1))
        terminal.settle(0.4)
    terminal.key("/")
    terminal.settle(0.4)
    for letter in "amazon diablo":
        found["a letter in the search line"].append(terminal.key(letter))
        begun = time.perf_counter()
        terminal.settle(0.3)
        found["narrowed list"].append((terminal.last - begun) * 1_000)
    terminal.key("\x1b")
    terminal.settle(1)
    lag = []
    for _ in range(3):
        for _ in range(60):
            os.write(terminal.fd, b"j")
            end = time.perf_counter() + 1 / 30
            while (left := end - time.perf_counter()) > 0:
                terminal.read(left)
        lag.append(terminal.key("j"))
        terminal.settle(0.5)
    found["held-down j, last key"] = lag
    return found


# -- gaps

_LOADED, _AGAIN, _FEW, _LINKS = "first load", "looking again", "1% changed", "asking 2,000 links"


def gaps(sizes: Sequence[int], rounds: int) -> Part:
    """The event loop while a library is loaded, looked at again, changed in part, and has its links asked.

    The links are those of 2,000 articles more, on 100 loopback hosts.
    """
    part = Part("While files are read and links asked")
    rows = []
    for size in sizes:
        folder = making.files(size)
        some = sorted(folder.rglob("*.md"))[::100]
        kept = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in some}
        with tempfile.TemporaryDirectory(prefix="newsfold-bench-") as name, _answering() as port:
            home, linked = Path(name), Path(name) / "linked"
            _linked(linked, port)
            try:
                for what in (_LOADED, _AGAIN, _FEW, _LINKS):
                    if what == _FEW:
                        for path, (data, _) in kept.items():
                            path.write_bytes(data + b"\nA line more.\n")
                    first = _first_page(folder, rounds) if what == _LOADED else None
                    answer = _probed(what, home, folder, linked)
                    part.data[f"{size} {what}"] = answer | {"first_page_ms": first}
                    rows.append((f"{size:,}", what, answer["seconds"], answer["p99"], answer["worst"], first))
                    if size == max(sizes):
                        part.at_most(f"{size:,}, {what}: longest gap", answer["worst"], 100, " ms")
                        if first is not None:
                            part.at_most(
                                f"{size:,}: first page on the screen of a cold start", first, 1_000, " ms"
                            )
            finally:
                for path, (data, mtime) in kept.items():
                    path.write_bytes(data)
                    os.utime(path, ns=(mtime, mtime))
    head = ("files", "what", "took s", "gap p99, ms", "longest gap, ms", "first page after ms")
    part.tables.append(Table(head, rows))
    return part


def _first_page(folder: Path, rounds: int) -> float:
    """Median ms from exec of the program, as it is started, to articles of a folder it has never seen."""
    found = []
    for _ in range(max(5, rounds)):
        home = tempfile.TemporaryDirectory(prefix="newsfold-bench-")
        with home as name, ours(Path(name), folder) as terminal:
            found.append(terminal.wait_for(b" 1/") * 1_000)
    return median(found)


def _probed(what: str, home: Path, folder: Path, linked: Path) -> dict[str, float]:
    """One start of the real screen with :func:`probe`'s clock in it: what that saw."""
    out = home / "out.json"
    command = [PYTHON, __file__, "--child", what, str(home), str(out), str(folder), str(linked)]
    with Terminal(command, loading.dirs(home)) as t:
        end = time.perf_counter() + 300
        while not out.exists() and time.perf_counter() < end:
            t.read(0.1)
    answer: dict[str, float] = json.loads(out.read_text())
    out.unlink()
    return answer


@contextlib.contextmanager
def _answering() -> Iterator[int]:
    """The server of the links part, on all its hosts; yields its port."""
    command = [PYTHON, str(Path(links.__file__)), "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def _linked(folder: Path, port: int) -> None:
    """An article for each address of the links part."""
    folder.mkdir()
    for n, address in enumerate(links.addresses("plain", port)):
        text = f"---\ntitle: Linked {n}\nwebUrl: {address}\nprovider: {{name: Loopback Post}}\n---\n"
        (folder / f"linked-{n}.md").write_text(text)


def probe(what: str, home: Path, out: Path, *folders: Path) -> None:
    """The real program with a clock in its loop; writes what it saw when *what* is over."""
    from reader.ui.app import NewsfoldApp

    async def watch(app: NewsfoldApp) -> None:
        while app.main is None or not app.main.refreshing.running:
            await asyncio.sleep(0.001)
        main = app.main
        if what == _LINKS:
            while main.refreshing.running or main.navigation.loading:
                await asyncio.sleep(0.05)
            main.navigation.go_to(Place(PlaceKind.OUTLET, "Loopback Post"))
            while main.list.count != links.COUNT:
                await asyncio.sleep(0.05)
            main.linking.check_all()
            while not main.linking.running:
                await asyncio.sleep(0.001)
        begun = time.perf_counter()
        seen: list[float] = []
        while main.refreshing.running or main.linking.running or time.perf_counter() < begun + 0.2:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            seen.append((time.perf_counter() - before) * 1_000 - 5)
        answer = {"seconds": time.perf_counter() - begun, "p99": percentile(seen, 0.99), "worst": max(seen)}
        part = out.with_suffix(".part")
        part.write_text(json.dumps(answer))
        part.rename(out)

    class Probed(NewsfoldApp):
        async def on_load(self) -> None:
            self.watching = asyncio.create_task(watch(self))

    with loading.session(home, *folders) as opened:
        opened.settings = replace(opened.settings, allow_private_links=True, check_without_asking=10_000)
        opened.begin()
        Probed(opened).run()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", required=True, choices=[_LOADED, _AGAIN, _FEW, _LINKS])
    parser.add_argument("rest", nargs="+", type=Path)
    options = parser.parse_args()
    probe(options.child, *options.rest)


if __name__ == "__main__":
    main()
