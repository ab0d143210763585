"""How long one file takes from bytes to article, beside the parsers others use.

    python tests/bench/parse.py [--folder F] [--rounds N] [--json]

Each parser reads every file of the folder once a round, the rounds taken in
turn so that a busy moment falls on all; the figure is the median round, in
microseconds a file. The files are in memory: reading them is not measured.
Ours gives the whole Article; PyYAML gives plain dictionaries, of front matter
that was cut out for it beforehand, so it is flattered.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402

from reader.frontmatter import read, reading  # noqa: E402

File = tuple[str, bytes]
US = 1_000_000
T = TypeVar("T")


def load(folder: Path) -> list[File]:
    return [(f"bench/{file.relative_to(folder)}", file.read_bytes()) for file in sorted(folder.rglob("*.md"))]


def default_folder() -> Path:
    shared = Path(os.environ.get("NEWSFOLD_SHARED", ROOT.parent / "shared")) / "corpus"
    return shared if shared.is_dir() else ROOT / "sample_data"


def fronts(files: list[File]) -> list[str]:
    found = []
    for _, data in files:
        text = data.decode().removeprefix("\ufeff").replace("\r\n", "\n")
        if text.startswith("---\n") and "\n---" in text[3:]:
            found.append(text[4 : text.index("\n---", 3) + 1])
    return found


def contenders(files: list[File]) -> dict[str, Callable[[], None]]:
    """What is measured, by name; the first is ours."""
    cut = fronts(files)
    found: dict[str, Callable[[], None]] = {
        "newsfold": lambda: each(lambda file: read(file[1], file[0]), files),
        "newsfold, full YAML only": lambda: each(lambda file: reading.read_slowly(file[1], file[0]), files),
    }
    if yaml.__with_libyaml__:
        found["PyYAML CSafeLoader"] = lambda: each(lambda front: yaml.load(front, yaml.CSafeLoader), cut)
    else:
        print("PyYAML was built without libyaml: no CSafeLoader here", file=sys.stderr)
    try:
        import frontmatter  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        print("python-frontmatter is not installed: left out", file=sys.stderr)
    else:
        found["python-frontmatter"] = lambda: each(lambda file: frontmatter.loads(file[1].decode()), files)
    return found


def each(parse: Callable[[T], object], inputs: Iterable[T]) -> None:
    for one in inputs:
        parse(one)


def measure(files: list[File], rounds: int) -> dict[str, list[float]]:
    runs = contenders(files)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append((time.process_time() - start) / len(files) * US)
    return times


def facts(folder: Path, files: list[File], rounds: int) -> dict[str, object]:
    def of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "absent"

    quick = sum(reading._read_quickly(data, path) is not None for path, data in files)
    return {
        "folder": str(folder),
        "files": len(files),
        "bytes_a_file": round(sum(len(data) for _, data in files) / len(files)),
        "on_the_quick_way": quick,
        "rounds": rounds,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "pyyaml": of("pyyaml"),
        "python-frontmatter": of("python-frontmatter"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--rounds", type=int, default=7, help="at least 5")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    files = load(options.folder)
    if not files or options.rounds < 5:
        parser.error(f"{options.folder}: no .md files" if not files else "--rounds must be 5 or more")
    about = facts(options.folder, files, options.rounds)
    times = measure(files, options.rounds)
    ours = statistics.median(times["newsfold"])
    rows = [
        {
            "parser": name,
            "us_a_file": round(statistics.median(each), 1),
            "best": round(min(each), 1),
            "worst": round(max(each), 1),
            "times_ours": round(statistics.median(each) / ours, 2),
        }
        for name, each in times.items()
    ]
    if options.json:
        print(json.dumps({"facts": about, "results": rows}, indent=2))
        return 0
    print("\n".join(f"{name}: {value}" for name, value in about.items()), end="\n\n")
    print("| parser | us a file | best | worst | times ours |\n| --- | --- | --- | --- | --- |")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
