"""Parts that are scripts of their own: run whole, their tables taken over, figures held to the targets."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import lists
from measuring import PEERS, PYTHON, Part, Table, corpus, median, run

HERE = Path(__file__).parent

_GRAY = """
const matter = require('gray-matter'), fs = require('fs'), path = require('path');
const files = fs.readdirSync(process.argv[1], {recursive: true}).filter(f => f.endsWith('.md'))
  .map(f => fs.readFileSync(path.join(process.argv[1], f), 'utf8'));
for (let round = 0; round < 3; round++) for (const text of files) try { matter(text, {}) } catch {}
const before = process.cpuUsage();
for (let round = 0; round < 5; round++) for (const text of files) try { matter(text, {}) } catch {}
const used = process.cpuUsage(before);
console.log((used.user + used.system) / 5 / files.length);
"""


def parse(rounds: int) -> Part:
    """Bytes to article; gray-matter runs between ours, already warm."""
    part = Part("Parsing a file")
    peer = []
    node = shutil.which("node")
    answers: list[dict[str, Any]] = []
    for _ in range(3):
        answers.append(
            json.loads(run([PYTHON, str(HERE / "parse.py"), "--json", "--rounds", str(max(5, rounds))]).out)
        )
        if node and (PEERS / "node_modules" / "gray-matter").exists():
            command = [node, "-e", _GRAY, str(corpus())]
            peer.append(float(run(command, env={"NODE_PATH": str(PEERS / "node_modules")}).out))
    figures = {
        row["parser"]: median(
            [r["us_a_file"] for a in answers for r in a["results"] if r["parser"] == row["parser"]]
        )
        for row in answers[0]["results"]
    }
    if peer:
        figures["gray-matter (node)"] = median(peer)
    ours = figures["newsfold"]
    part.data = figures
    rows = [(name, value, value / ours) for name, value in figures.items()]
    part.tables.append(Table(("parser", "CPU us a file", "times ours"), rows))
    loader = figures.get("PyYAML CSafeLoader")
    part.at_least("parsing beside CSafeLoader", loader / ours if loader else None, 6)
    gray = figures.get("gray-matter (node)")
    part.at_least("parsing beside gray-matter", gray / ours if gray else None, 1)
    return part


def search(rounds: int) -> Part:
    """Every class of query, at 50,000 and at a million."""
    del rounds
    part = Part("Search")
    with tempfile.TemporaryDirectory(prefix="newsfold-bench-") as name:
        out = Path(name) / "out.json"
        for label, more in (
            ("50,000 of the real files", []),
            ("a million made up", ["--rows", "1000000", "--library", str(lists.library(1_000_000))]),
        ):
            text = run([PYTHON, str(HERE / "search.py"), "--json", str(out), *more], limit=3_600).out
            part.data[label] = json.loads(out.read_text())
            part.tables.append(f"### {label}\n\n{text.strip()}")
    rows = part.data["a million made up"]["queries"]
    part.at_most(
        "a million: first page newest first, slowest class", max(r["newest"] for r in rows), 20, " ms"
    )
    ranked = [r["ranked"] for r in rows if r["ranked"] is not None]
    part.at_most("a million: first page by rank, slowest class", max(ranked), 100, " ms")
    part.at_most('a million: count, or "many", slowest class', max(r["many"] for r in rows), 100, " ms")
    return part


def links(rounds: int) -> Part:
    """The link checker beside a floor and its peers."""
    part = Part("Links")
    peers = {
        "linkinator": PEERS / "node_modules" / ".bin" / "linkinator",
        "linkchecker": PEERS / "bin" / "linkchecker",
        "lychee": PEERS / "bin" / "lychee",
    }
    command = [PYTHON, str(HERE / "links.py"), "--runs", str(max(5, rounds))]
    for name, path in peers.items():
        if path.exists():
            command += [f"--{name}", str(path)]
    with tempfile.TemporaryDirectory(prefix="newsfold-bench-") as name:
        out = Path(name) / "out.json"
        text = run([*command, "--json", str(out)], limit=3_600).out
        figures = json.loads(out.read_text())["results"]
    part.data = figures
    part.tables.append(text.strip().partition("\n")[2].strip())
    plain, hostile, tls = (figures[mix] for mix in ("plain", "hostile", "tls"))

    def times(mix: dict[str, Any], other: str, key: str = "wall") -> float | None:
        return mix["newsfold"][key] / mix[other][key] if other in mix else None

    part.at_most("plain mix, wall beside the floor", times(plain, "floor"), 1.25, " x")
    part.at_most("plain mix, CPU beside the floor", times(plain, "floor", "cpu"), 2.5, " x")
    part.at_most(
        "plain mix, memory over the idle program", plain["newsfold"]["mb"] - plain["idle"]["mb"], 45, " MB"
    )
    part.at_most("hostile mix, wall beside the floor", times(hostile, "floor"), 1.1, " x")
    part.at_most("TLS, wall beside the floor", times(tls, "floor"), 1.5, " x")
    for peer, wanted in (("linkinator", 1.8), ("LinkChecker", 10)):
        ratio = times(plain, peer)
        part.at_least(f"plain mix beside {peer}", 1 / ratio if ratio else None, wanted)
    return part


def stories(rounds: int) -> Part:
    """Folding and updating, without the store."""
    part = Part("Stories")
    text = run([PYTHON, str(HERE / "stories.py"), "--times", str(rounds)], limit=3_600).out
    part.tables.append(text[text.index("\n| ") :].strip())
    return part


def body(rounds: int) -> Part:
    """Long bodies in the article pane."""
    del rounds
    part = Part("Long bodies")
    part.tables.append(run([PYTHON, str(HERE / "body.py")], limit=3_600).out.strip())
    return part
