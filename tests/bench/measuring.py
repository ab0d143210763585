"""What every part of the benchmark shares: running processes in turn, medians, tables, the machine."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

# An installed program is compiled. Without this a checkout would be compiled anew at every start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

CACHE = Path(os.environ.get("NEWSFOLD_BENCH_CACHE", Path.home() / ".cache" / "newsfold-bench"))
"""Where made libraries and peers from PyPI and npm lie; may be deleted."""
PEERS = CACHE / "peers"
PYTHON = sys.executable


def corpus() -> Path:
    """The folder of real files, or the sample."""
    shared = Path(os.environ.get("NEWSFOLD_SHARED", ROOT.parent / "shared")) / "corpus"
    return shared if shared.is_dir() else ROOT / "sample_data"


# -- what a part says


Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head, with words before them."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    words: str = ""

    def __str__(self) -> str:
        lines = [f"| {' | '.join(self.head)} |", "|" + " --- |" * len(self.head)]
        lines += [f"| {' | '.join(map(_cell, row))} |" for row in self.rows]
        return (f"{self.words}\n\n" if self.words else "") + "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Target:
    """Something wanted, beside what was measured. ``met`` None: it could not be measured here."""

    what: str
    wanted: str
    figure: str
    met: bool | None


@dataclass(slots=True)
class Part:
    """One part of the report."""

    title: str
    tables: list[Table | str] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def at_most(self, what: str, figure: float | None, limit: float, unit: str = "") -> None:
        """A target that *figure* is not above *limit*."""
        self._add(what, f"at most {limit:g}{unit}", figure, unit, figure is not None and figure <= limit)

    def at_least(self, what: str, figure: float | None, limit: float, unit: str = " x") -> None:
        """A target that *figure* is not below *limit*."""
        self._add(what, f"at least {limit:g}{unit}", figure, unit, figure is not None and figure >= limit)

    def _add(self, what: str, wanted: str, figure: float | None, unit: str, met: bool) -> None:
        said = "not measured" if figure is None else f"{number(figure)}{unit}"
        self.targets.append(Target(what, wanted, said, None if figure is None else met))

    def __str__(self) -> str:
        return "\n\n".join([f"## {self.title}", *map(str, self.tables)])


def number(value: float) -> str:
    """Three figures that matter."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    return f"{value:,}" if isinstance(value, int) else value.replace("|", "\\|")


def targets(parts: Sequence[Part]) -> Table:
    """Every target of *parts* beside its figure."""
    words = {True: "yes", False: "**no**", None: "-"}
    rows = [(p.title, t.what, t.wanted, t.figure, words[t.met]) for p in parts for t in p.targets]
    return Table(("part", "target", "wanted", "measured", "met"), rows)


# -- measuring

_LOOK = 0.02  # seconds between two looks at a process's memory


@dataclass(frozen=True, slots=True)
class Run:
    """A whole process: wall and CPU seconds (its children's too), its own largest resident set, output."""

    wall: float
    cpu: float
    mb: float
    out: str


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    limit: float = 900,
) -> Run:
    """Run *command* to its end. Raises SystemExit when it fails or takes more than *limit* seconds."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = looked = time.perf_counter()
        peak = 0.0
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if (now := time.perf_counter()) - begun > limit:
                process.kill()
            if now - looked > _LOOK:
                peak, looked = max(peak, peak_mb(process.pid)), now
            time.sleep(0.001)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            words = (out.read() + err.read())[-2_000:].decode("utf-8", "replace")
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{words}")
        return Run(wall, used.ru_utime + used.ru_stime, peak, out.read().decode("utf-8", "replace"))


def in_turn(jobs: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[Any]]:
    """What each of *jobs* gives, one after the other in each round, so that noise falls on all."""
    found: dict[str, list[Any]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            found[name].append(job())
    return found


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that *part* (0 to 1) of *values* do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(part * (len(ordered) - 1)))]


def ms(work: Callable[[], object], rounds: int = 7) -> float:
    """Median milliseconds of *work* by the clock; five rounds for what takes a second."""
    times: list[float] = []
    while len(times) < (rounds if not times or times[0] < 1_000 else 5):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1_000)
    return median(times)


def peak_mb(pid: int | str = "self") -> float:
    """A process's largest resident set until now; 0 when it is over.

    Not what rusage says where there is another way: that begins with what the
    process that started it had.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20 if pid == "self" else 0.0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def size_mb(path: Path) -> float:
    """The bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    return sum(f.stat().st_size for f in files) / 2**20


# -- what is here


def of(package: str) -> str:
    """The version of an installed package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def tool(name: str, *arguments: str) -> str:
    """The first line that a peer says of its version, ``absent`` without it."""
    path = shutil.which(name)
    if path is None:
        return "absent"
    answer = subprocess.run(
        [path, *(arguments or ("--version",))], capture_output=True, text=True, check=False
    )
    return (answer.stdout or answer.stderr).strip().splitlines()[0]


_LOOP = "import time\nbegun, x = time.perf_counter(), 0\nfor n in range(3_000_000): x += n\n"
_LOOP += "print((time.perf_counter() - begun) * 1_000)"


def speed() -> str:
    """What the machine is like: ms of a loop of three million additions, in one process and in two at once.

    Rented processors change their speed by more than twice within minutes, and two of them may share one.
    """
    found = []
    for count in (1, 2):
        running = [
            subprocess.Popen([sys.executable, "-c", _LOOP], stdout=subprocess.PIPE) for _ in range(count)
        ]
        found.append(max(float(process.communicate()[0]) for process in running))
    return f"{found[0]:.0f} ms, two at once {found[1]:.0f}"


def machine() -> dict[str, str]:
    """Facts about this machine and what runs on it, for the header of a report."""
    model = memory = "unknown"
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        model = next(
            (line.split(":")[1].strip() for line in info.splitlines() if "model name" in line), model
        )
        memory = f"{int(Path('/proc/meminfo').read_text(encoding='utf-8').split()[1]) / 2**20:.0f} GB"
    except OSError:
        pass
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}, {memory}",
        "processors": f"{os.cpu_count()}, {model}",
        "load at the start": ", ".join(f"{x:.1f}" for x in os.getloadavg()),
        "Python": f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, textual {of('textual')}, "
        f"PyYAML {of('pyyaml')}, httpx {of('httpx')}",
        "articles": "the real files" if corpus().name == "corpus" else "the sample",
    }
