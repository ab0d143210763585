"""The real program under a pseudo-terminal, killed while it marks, reads files, checks links or migrates.

    python tests/force/killing.py [--kills N] [--seed N]

Each cycle starts the program in a new terminal (by a fork of this process,
which has loaded the modules but run none of it, so that a cycle costs a
third of a second), presses keys, and kills it with SIGKILL at a moment that
chance picks. Then the last screen is held against the marks: what it showed
must be kept. Prints the counts as JSON; exits with 1 when a mark was lost.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import Counter
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from terminal import _UNKNOWN_TO_PYTE, _Screen  # noqa: E402

import reader.links.engine  # noqa: E402 - loaded before the fork, to save each child the time
import reader.ui.app  # noqa: E402, F401
from reader.__main__ import main as newsfold  # noqa: E402
from reader.config import Locations  # noqa: E402
from reader.ingest import sync  # noqa: E402
from reader.session import open_session  # noqa: E402
from reader.store import state_schema  # noqa: E402
from reader.store.state import State  # noqa: E402

COLUMNS, LINES = 100, 24
ARTICLES = 150
_ROW = re.compile(r"^([ ●◆])([ ★]) A(\d{4}) ")
_PATIENCE = 20.0
KINDS = (
    "star",
    "read",
    "star and read files",
    "note",
    "star and check links",
    "migrate",
    "tag",
    "all read and undo",
)


class Run:
    """One run of the program, until it is killed."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.screen = _Screen(COLUMNS, LINES)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            _become(home, folder)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))

    def read(self, seconds: float) -> bool:
        """Take what comes within *seconds*; False when there is no more to come."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.terminal, 65_536)
        except OSError:
            return False
        self.raw += data
        self.stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
        return bool(data)

    def read_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.read(left):
            pass

    def until(self, words: str) -> None:
        end = time.monotonic() + _PATIENCE
        while words.encode() not in self.raw:
            if time.monotonic() > end or not self.read(0.2):
                raise SystemExit(f"{words!r} never came; the screen says:\n{self.text}")

    def press(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def kill(self) -> None:
        """Kill it, and take what it had sent before."""
        os.kill(self.pid, signal.SIGKILL)
        while self.read(1):
            pass
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def rows(self) -> dict[int, tuple[bool, bool]]:
        """By article, whether the screen shows it as read and as starred."""
        found = {}
        for line in self.screen.display:
            if match := _ROW.match(line):
                found[int(match[3])] = (match[1] == " ", match[2] == "★")
        return found


def _become(home: Path, folder: Path) -> None:
    """In the child: run the program, and nothing of this script ever after."""
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", HOME=str(home), TZ="UTC")
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        os.environ[f"NEWSFOLD_{name}_DIR"] = str(home / name.lower())
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        os.environ.pop(name, None)
    for number, name in enumerate(("stdin", "stdout", "stderr")):  # this script's may be a file
        stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = ["newsfold", str(folder)]
    os._exit(newsfold())


class Killing:
    """The archive, its marks, and what is known of them."""

    def __init__(self, home: Path, seed: int) -> None:
        self.home = home
        self.folder = home / "news"
        self.folder.mkdir(parents=True)
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.lost: list[str] = []
        self.more = 0
        self.seq = self.newest = 0
        self.changed: dict[int, int] = {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.server = subprocess.Popen(
            [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(self.port)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        (home / "config").mkdir()
        (home / "config" / "config.toml").write_text(
            "dwell = 60\nallow_private_links = true\ncheck_without_asking = 100000\n"
        )
        for number in range(ARTICLES):
            self.write(number, f"2024-03-{28 - number // 24:02}T{23 - number % 24:02}:00:00Z")

    def write(self, number: int, when: str) -> None:
        fields = f"title: A{number:04} headline\nwebUrl: {self.key(number)}\npublishedDateTime: {when}\n"
        (self.folder / f"{number:04}.md").write_text(f"---\n{fields}---\nWords.\n")

    def key(self, number: int) -> str:
        return f"http://127.0.0.1:{self.port}/{number:04}"

    @property
    def state_db(self) -> Path:
        return self.home / "data" / "state.db"

    def close(self) -> None:
        self.server.kill()
        self.server.wait()

    # -- a cycle ------------------------------------------------------------------

    def cycle(self, number: int) -> None:
        kind = KINDS[number % len(KINDS)]
        self.counts["kills"] += 1
        if kind == "migrate":
            self.migrate()
            return
        before = self.marks()
        self.seq = self.newest
        if kind == "star and read files":
            for _ in range(40):
                self.more += 1
                self.write(ARTICLES + self.more % 800, f"2020-01-01T00:{self.more % 60:02}:00Z")
        run = Run(self.home, self.folder)
        run.until("A0000")
        if number % 3:
            run.press("\x06" * self.chance.randrange(1, 4))
            run.read_for(0.05)
        self.until_up_to_date(run, before)
        words = ""
        if kind == "note" or kind == "tag":
            words = f"{kind}{number}x"
            run.press("e" if kind == "note" else "t")
            run.until("Enter keeps it")
            run.press(f"\x15{words}\r")
        elif kind == "read":
            run.press("r" * 12)
        elif kind == "all read and undo":
            run.press("A" + "u" * self.chance.randrange(2) + "sj" * 6)
        else:
            run.press(("C" if "check" in kind else "") + "sj" * 12)
        if self.chance.random() < 0.8:
            self.until_shown(run, before, words)
        run.read_for(self.chance.random() * self.chance.choice((0.02, 0.1)))
        run.kill()
        self.judge(kind, run, before, words)

    def until_up_to_date(self, run: Run, before: dict[int, tuple[bool, bool]]) -> None:
        """The index may be behind the marks for a moment after a kill: it catches up at the start."""
        end = time.monotonic() + _PATIENCE
        while not (rows := run.rows()) or any(
            row != before.get(n, (False, False)) for n, row in rows.items() if n < ARTICLES
        ):
            if time.monotonic() > end or not run.read(0.2):
                raise SystemExit(f"the screen never showed the marks that are kept:\n{run.text}")

    def until_shown(self, run: Run, before: dict[int, tuple[bool, bool]], words: str) -> None:
        """Wait until a mark is on the screen: from then on it must be kept."""
        end = time.monotonic() + 3
        size = 0
        while time.monotonic() < end and run.read(0.02):
            if size == len(run.raw):
                continue
            size = len(run.raw)
            if words:
                if words in run.text and "Enter keeps it" not in run.text:
                    return
            elif any(row != before.get(number, (False, False)) for number, row in run.rows().items()):
                return

    def marks(self) -> dict[int, tuple[bool, bool]]:
        """By article, whether it is kept as read and as starred; the state must open, whole."""
        if not self.state_db.exists():
            return {}
        places = Locations(*(self.home / name for name in ("data", "config", "cache", "state")))
        with open_session(places, [self.folder]) as session:
            state = session.state
            sync(session.library, state)  # after a kill the index is behind until the next start
            if state.notice or state.read_only:
                self.lost.append(f"the state says: {state.notice or state.read_only}")
            self.newest = state.seq()
            found = state.marks([self.key(number) for number in range(ARTICLES)])
        known = {number: found[key] for number in range(ARTICLES) if (key := self.key(number)) in found}
        self.changed = {number: mark.seq for number, mark in known.items()}
        return {number: (mark.read, mark.starred) for number, mark in known.items()}

    def judge(self, kind: str, run: Run, before: dict[int, tuple[bool, bool]], words: str) -> None:
        after = self.marks()
        shown = 0
        for number, row in run.rows().items():
            if number >= ARTICLES:
                continue
            old, new = before.get(number, (False, False)), after.get(number, (False, False))
            for name, was, seen, kept in zip(("read", "starred"), old, row, new, strict=True):
                if kind.startswith("all") and name == "read":
                    continue  # marked and taken back within one cycle: the screen may be between the two
                if seen != was:
                    shown += 1
                    if kept != seen and self.changed.get(number, 0) > self.seq:
                        self.counts["marked twice in a cycle"] += 1  # kept, and taken back by a later key
                    elif kept != seen:
                        self.lost.append(f"{kind}: article {number} was shown as {name}={seen}")
        if words and words in run.text.replace("\n", "") and "Enter keeps it" not in run.text:
            shown += 1
            state = State.open(self.state_db)
            kept_words = [
                m.note + " ".join(m.tags) for m in state.marks(map(self.key, range(ARTICLES))).values()
            ]
            state.close()
            if not any(words in text for text in kept_words):
                self.lost.append(f"{kind}: {words} was shown")
        self.counts["marks shown"] += shown
        self.counts["kills after a mark was shown"] += bool(shown)

    def migrate(self) -> None:
        """Start on marks of the first version of the tables; kill while they are brought forward."""
        home = self.home / "old"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        path = home / "data" / "state.db"
        newest, state_schema.MIGRATIONS = state_schema.MIGRATIONS, state_schema.MIGRATIONS[:1]
        try:
            state = State.open(path)
            state.set_read([f"k{number}" for number in range(500)], True)
            state.set_note("k7", "kept")
            state.close()
        finally:
            state_schema.MIGRATIONS = newest
        run = Run(home, self.folder)
        end = time.monotonic() + self.chance.random() * 0.25
        while time.monotonic() < end:
            run.read_for(0.005)
        run.kill()
        state = State.open(path)
        if len(state.changed_since(0)) != 500 or state.mark("k7").note != "kept" or state.verify():
            self.lost.append(f"migrate: {len(state.changed_since(0))} of 500 marks are left; {state.notice}")
        self.counts["kills while migrating"] += 1
        state.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    gc.freeze()  # what is loaded is shared with every child
    with tempfile.TemporaryDirectory(prefix="newsfold-kill-") as folder:
        killing = Killing(Path(folder), options.seed)
        try:
            for number in range(options.kills):
                killing.cycle(number)
            state = State.open(killing.state_db)
            problems = state.verify()
            state.close()
        finally:
            killing.close()
    print(
        json.dumps(
            {
                **killing.counts,
                "lost": killing.lost,
                "verify": problems,
                "seconds": round(time.monotonic() - started),
            }
        )
    )
    return 1 if killing.lost or problems else 0


if __name__ == "__main__":
    sys.exit(main())
