"""How long a hostile file holds the process: each read in a process of its own.

    python tests/bench/hostile.py [--hostile FOLDER] [--rounds N] [--top N]

The made ones of ``tests/bombs.py`` and those of FOLDER (``../shared/hostile``
when it is there). ``ms`` is processor time, the least of N rounds, for what an
ingest does with the file's bytes: reading, and making the rows of the library.
``peak`` is the child's largest resident set. A child that ended by a signal or
an error is told, and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import json, sys, time
from reader.frontmatter import events, read
from reader.model import Article
from reader.store.preparing import prepare
events._yaml()
data = sys.stdin.buffer.read()
times = []
for _ in range(int(sys.argv[1])):
    begun = time.process_time()
    made = read(data, "s/2024-01-01-x.md")
    if isinstance(made, Article):
        prepare(made)
    times.append(time.process_time() - begun)
said = "article" if isinstance(made, Article) else made.reason
try:  # what getrusage tells holds the parent's peak
    status = open("/proc/self/status").read()
    peak = int(status.partition("VmHWM:")[2].split()[0])
except OSError:
    peak = 0
print(json.dumps([min(times) * 1000, peak / 1024, said]))
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hostile", type=Path, default=ROOT.parent / "shared" / "hostile")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--top", type=int, default=15)
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from bombs import bombs

    cases = bombs()
    found = len(cases)
    if options.hostile.is_dir():
        cases |= {
            f"file {path.name}": path.read_bytes()
            for path in sorted(options.hostile.rglob("*.md"))
            if path.name != "README.md"
        }
    rows: list[tuple[float, float, str, str]] = []
    died: list[str] = []
    for name, data in cases.items():
        child = subprocess.run(
            [sys.executable, "-c", CHILD, str(options.rounds)],
            input=data,
            capture_output=True,
            cwd=ROOT,
            check=False,
        )
        if child.returncode:
            died.append(f"{name}: ended with {child.returncode}: {child.stderr.decode()[-200:]}")
            continue
        took, peak, said = json.loads(child.stdout)
        rows.append((took, peak, name, said))
    rows.sort(reverse=True)
    print(
        f"{found} made files and {len(cases) - found} of {options.hostile}, Python {sys.version.split()[0]}\n"
    )
    print("| file | ms | peak MB | became |\n| --- | --- | --- | --- |")
    for took, peak, name, said in rows[: options.top]:
        print(f"| {name} | {took:.1f} | {peak:.0f} | {said} |")
    beyond = sum(took > 50 for took, *_ in rows)
    print(
        f"\nslowest {rows[0][0]:.1f} ms; beyond 50 ms: {beyond}; ended by a signal or an error: {len(died)}"
    )
    for line in died:
        print(line)
    return bool(died)


if __name__ == "__main__":
    sys.exit(main())
