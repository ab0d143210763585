"""Ten thousand broken files through the whole ingest; files that change, vanish and hide while read."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from frontmatter_tools import mutated
from hostile_text import strings

from reader.config import Locations
from reader.ingest import Ingest, reread
from reader.session import Session, open_session
from reader.text import clean

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FILES = int(os.environ.get("NEWSFOLD_FILES", "10000"))
PLAIN = (
    b"---\ntitle: Plain\nwebUrl: https://news.test/%d\npublishedDateTime: 2024-03-01T00:00:00Z\n---\nWords.\n"
)


def session(tmp_path: Path, folder: Path) -> Session:
    places = Locations(*(tmp_path / name for name in ("data", "config", "cache", "state")))
    return open_session(places, [folder])


def everything(found: Session) -> tuple[set[str], set[str]]:
    """The paths that gave an article, and those that gave a problem."""
    library = found.library
    articles = {row.path for row in library.rows(list(library.ids()))}
    return articles, {problem.path for problem in library.problems() if not problem.warning}


def write_fuzzed(folder: Path) -> set[str]:
    """Real-looking files with accidents, truncations, flipped bytes, and strangers' strings; their paths."""
    chance = random.Random(7)
    samples = [path.read_bytes() for path in sorted((ROOT / "sample_data").rglob("*.md"))]
    texts = [text.encode("utf-8", "surrogatepass") for text in strings()]
    paths = set()
    for number in range(FILES):
        data = chance.choice(samples)
        kind = number % 6
        if kind < 2:
            data = mutated(data, chance)
        elif kind == 2:
            data = data[: chance.randrange(len(data))]
        elif kind == 3:
            flipped = bytearray(data)
            for _ in range(chance.randrange(1, 30)):
                flipped[chance.randrange(len(flipped))] = chance.randrange(256)
            data = bytes(flipped)
        elif kind == 4:
            for _ in range(chance.randrange(1, 6)):
                at = chance.randrange(len(data))
                data = data[:at] + chance.choice(texts)[:2000] + data[at:]
        else:
            data = (
                chance.randbytes(chance.randrange(3000))
                if number % 12 == 5
                else b"---\n" + chance.choice(texts) + b"\n---\n"
            )
        name = f"{number % 40:02}/{number:05}.md"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        paths.add(f"{folder.name}/{name}")
    return paths


def test_ten_thousand_fuzzed_files(tmp_path: Path) -> None:
    folder = tmp_path / "fuzz"
    paths = write_fuzzed(folder)
    with session(tmp_path, folder) as found:
        report = Ingest(found.library, found.state, found.sources).run()
        articles, problems = everything(found)
        assert articles | problems == paths  # none vanishes,
        assert articles & problems == set()  # and none is both
        assert report.files == len(paths) == FILES
        assert report.problems == len(problems)
        for problem in found.library.problems():
            assert clean(problem.reason) == problem.reason and problem.reason
        print(f"{FILES:,} fuzzed files: {len(articles):,} articles, {len(problems):,} problems")


def test_files_that_change_and_vanish_while_they_are_read(tmp_path: Path) -> None:
    """After the storm, one more look knows exactly what is there."""
    folder = tmp_path / "storm"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03}.md").write_bytes(PLAIN % number)
    outside = tmp_path / "outside"
    outside.mkdir()
    for number in range(300):
        (outside / f"{number:03}.md").write_bytes(b"---\ntitle: Secret\n---\n")
    stop = threading.Event()

    def storm() -> None:
        chance = random.Random(3)
        while not stop.is_set():
            path = folder / f"{chance.randrange(300):03}.md"
            kind = chance.randrange(7)
            if kind == 0:
                path.unlink(missing_ok=True)
            elif kind == 1:
                with path.open("ab") as file:
                    file.write(b"more\n" * 2000)
            elif kind == 2:
                path.write_bytes(b"---\ntitle: [half")
            elif kind == 3:
                other = path.with_suffix(".new")
                other.write_bytes(PLAIN % chance.randrange(300))
                other.replace(path)
            elif kind == 4:
                path.unlink(missing_ok=True)
                os.mkfifo(path) if chance.random() < 0.5 else path.symlink_to("/etc/passwd")
            elif kind == 5:  # a folder becomes a link out of the source
                shutil.rmtree(folder / "sub", ignore_errors=True)
                with contextlib.suppress(OSError):
                    (folder / "sub").symlink_to(outside)
            else:
                if (folder / "sub").is_symlink():
                    (folder / "sub").unlink()
                shutil.rmtree(folder / "sub", ignore_errors=True)
                (folder / "sub").mkdir(exist_ok=True)
                (folder / "sub" / path.name).write_bytes(PLAIN % 7)
            if path.is_fifo():
                path.unlink(missing_ok=True)

    thread = threading.Thread(target=storm)
    with session(tmp_path, folder) as found:
        thread.start()
        try:
            for _ in range(15):
                Ingest(found.library, found.state, found.sources).run()
                for row in found.library.rows(list(found.library.ids())):
                    assert row.path
                    assert row.title != "Secret"
        finally:
            stop.set()
            thread.join()
        Ingest(found.library, found.state, found.sources).run()
        articles, problems = everything(found)
        if (folder / "sub").is_symlink():
            (folder / "sub").unlink()
            Ingest(found.library, found.state, found.sources).run()
        there = {f"storm/{path.relative_to(folder)}" for path in folder.rglob("*.md") if not path.is_fifo()}
        assert articles | problems == there
        assert articles & problems == set()
        for path in articles:
            assert reread(found.sources, path).path == path


UNREADABLE = """
import os, sys
from pathlib import Path
from reader.config import Locations
from reader.ingest import Ingest
from reader.session import open_session
root, home = Path(sys.argv[1]), Path(sys.argv[2])
(home / "none").mkdir()
with open_session(Locations(*(home / f"first-{n}" for n in "dcks")), [home / "none"]) as found:
    Ingest(found.library, found.state, found.sources).run()  # every module is loaded while that is allowed
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with open_session(Locations(*(home / n for n in "dcks")), [root]) as found:
    report = Ingest(found.library, found.state, found.sources).run()
    print(len(found.library.ids()), sorted(report.unreadable))
    print([(p.path, p.reason) for p in found.library.problems()])
"""


def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    """As another user, where the tests run as root: permissions do not hold root back."""
    base = Path("/tmp") / f"newsfold-unreadable-{os.getpid()}"
    try:
        folder = base / "news"
        for name in ("open", "shut"):
            (folder / name).mkdir(parents=True)
            (folder / name / "1.md").write_bytes(PLAIN % 1)
        (folder / "secret.md").write_bytes(PLAIN % 2)
        (folder / "secret.md").chmod(0)
        (folder / "shut").chmod(0)
        home = base / "home"
        home.mkdir()
        if os.getuid() == 0:
            os.chown(home, 65534, 65534)
        done = subprocess.run(
            [sys.executable, "-c", UNREADABLE, str(folder), str(home)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            "1 [('news/shut', 'Permission denied')]",
            "[('news/secret.md', 'Permission denied')]",
        ]
    finally:
        (base / "news" / "shut").chmod(0o755)
        shutil.rmtree(base)
