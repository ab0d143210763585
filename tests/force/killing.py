"""The real program under a pseudo-terminal, killed while it marks, reads files, checks links or migrates.

    python tests/force/killing.py [--kills N] [--seed N] [--control shown-first] [--evidence FOLDER]

Each cycle starts the program in a new terminal (by a fork of this process,
which has loaded the modules but run none of it), presses keys, and kills it
with SIGKILL at a moment that chance picks; the process beside it that reads
the files is killed too, or instead, or left to end by itself.

**The judgement.** The terminal answers that it knows synchronized output, so
that the program says where each of its frames begins and ends; every whole
frame is looked at, a torn one never. After the kill the state is opened again,
and for every article what the frames showed, in order, must be a part, in
order, of what was kept, by the journal: from the marks before this cycle to
those at its end. So a mark that was shown and not kept is told, and so is one
that is shown as undone though it is kept; that keys may undo a mark is no
excuse for anything. Prints the counts as JSON; exits with 1 when a mark was
lost. ``--control`` breaks the program on purpose, and must be caught.
"""

from __future__ import annotations

import argparse
import contextlib
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
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from terminal import _UNKNOWN_TO_PYTE, _Screen  # noqa: E402

from reader.__main__ import main as newsfold  # noqa: E402
from reader.config import Locations  # noqa: E402
from reader.ingest import Ingest, sync  # noqa: E402
from reader.session import open_session  # noqa: E402
from reader.store import state_schema  # noqa: E402
from reader.store.journal import Journal  # noqa: E402
from reader.store.library import Library  # noqa: E402
from reader.store.state import State  # noqa: E402
from reader.ui.marking import Marking  # noqa: E402
from reader.ui.widgets.article_list import PAGE  # noqa: E402

COLUMNS, LINES = 100, 24
ARTICLES = 150
_ROW = re.compile(r"^([ ●◆])([ ★]) A(\d{4}) ")
_ASKED, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_BEGIN, _END = b"\x1b[?2026h", b"\x1b[?2026l"
_PROMPT = "Enter keeps it"
_PATIENCE = 60.0
KINDS = (
    "star",
    "read",
    "star and read files",
    "note",
    "star and check links",
    "migrate",
    "tag",
    "all read and undo",
    "star while files change",
    "start",
)

Row = tuple[bool, bool]
"""Read, and starred."""

_NONE: Row = (False, False)


class Run:
    """One run of the program, until it is killed, and everything that was seen of it."""

    def __init__(self, home: Path, folder: Path, broken: Callable[[], None]) -> None:
        self.screen = _Screen(COLUMNS, LINES)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.frames = 0
        self.shown: dict[int, list[Row]] = defaultdict(list)
        self.worded: set[str] = set()
        self.words = ""
        self.told: list[str] = []
        self._fed = 0
        self._began = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            try:
                _become(home, folder, broken)
            finally:
                os._exit(70)  # nothing of this script ever runs in the child
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))

    def note(self, what: str) -> None:
        """For the evidence."""
        self.told.append(f"{time.monotonic() - self._began:7.3f} byte {len(self.raw):6d}: {what}")

    def read(self, seconds: float) -> bool:
        """Take what comes within *seconds*; False when there is no more to come."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.terminal, 65_536)
        except OSError:
            return False
        asked = self.raw.count(_ASKED)
        self.raw += data
        if self.raw.count(_ASKED) > asked:
            os.write(self.terminal, _ANSWER)
        self._feed()
        return bool(data)

    def _feed(self) -> None:
        """Draw all whole frames; look at the screen after each."""
        while (end := self.raw.find(_END, self._fed)) >= 0:
            end += len(_END)
            self.stream.feed(_UNKNOWN_TO_PYTE.sub(b"", bytes(self.raw[self._fed : end])))
            self._fed = end
            self._look()

    def _look(self) -> None:
        self.frames += 1
        changed = []
        for number, row in self.rows().items():
            seen = self.shown[number]
            if not seen or seen[-1] != row:
                seen.append(row)
                changed.append(f"A{number:04} {'read' if row[0] else 'unread'}{' starred' * row[1]}")
        if changed:
            self.note(f"frame {self.frames}: {', '.join(changed)}")
        if self.words and self.words not in self.worded:
            text = "".join(self.screen.display)
            if self.words in text and _PROMPT not in text:
                self.worded.add(self.words)
                self.note(f"frame {self.frames}: {self.words}")

    def read_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.read(left):
            pass

    def until(self, true: Callable[[], object], what: str) -> None:
        end = time.monotonic() + _PATIENCE
        while not true():
            if time.monotonic() > end or not self.read(0.2):
                raise SystemExit(f"{what} never came; the screen says:\n{self.text}")

    def press(self, keys: str) -> None:
        self.note(f"keys {keys!r}")
        os.write(self.terminal, keys.encode())

    def beside(self) -> list[int]:
        """The processes that it has started and that still run."""
        with contextlib.suppress(OSError):
            return [
                int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            ] + [
                int(pid)
                for task in Path(f"/proc/{self.pid}/task").iterdir()
                if task.name != str(self.pid)
                for pid in (task / "children").read_text().split()
            ]
        return []

    def kill(self) -> None:
        """Kill it, and take what it had sent before."""
        os.kill(self.pid, signal.SIGKILL)
        self.note("killed")
        end = time.monotonic() + _PATIENCE
        while self.read(0.1) and time.monotonic() < end:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def rows(self) -> dict[int, Row]:
        """By article, whether the screen shows it as read and as starred."""
        found = {}
        for y in range(LINES):
            line = self.screen.buffer[y]
            if match := _ROW.match("".join(line[x].data for x in range(9))):
                found[int(match[3])] = (match[1] == " ", match[2] == "★")
        return found


def _become(home: Path, folder: Path, broken: Callable[[], None]) -> None:
    """In the child: run the program."""
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
    broken()
    os._exit(newsfold())


# -- a program that is broken on purpose -----------------------------------------------


def _shown_first() -> None:
    """A star is drawn when its key is pressed, and kept after."""
    kept = Marking.toggle_star

    def drawn(self: Marking) -> None:
        view = self.screen.list
        row = view.current
        if row is not None:
            page, at = divmod(view.cursor, PAGE)
            rows = view._rows[page]
            rows[at] = row._replace(starred=not row.starred)
            view.redraw(view.cursor)
        kept(self)

    Marking.toggle_star = drawn  # type: ignore[method-assign]


CONTROLS: dict[str, Callable[[], None]] = {"": lambda: None, "shown-first": _shown_first}


# -- the cycles --------------------------------------------------------------------------


class Killing:
    """The archive, its marks, and what is known of them."""

    def __init__(self, home: Path, seed: int, control: str = "", evidence: Path | None = None) -> None:
        self.home = home
        self.broken = CONTROLS[control]
        self.evidence = evidence
        self.folder = home / "news"
        self.folder.mkdir(parents=True)
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.lost: list[str] = []
        self.more = 0
        self.seq = 0
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
            self.write(number)

    def write(self, number: int, excerpt: str = "") -> None:
        """One of the articles with marks, or of those below them."""
        when = (
            f"2024-03-{28 - number // 24:02}T{23 - number % 24:02}:00:00Z"
            if number < ARTICLES
            else f"2020-01-01T00:{number % 60:02}:00Z"
        )
        fields = f"title: A{number:04} headline\nwebUrl: {self.key(number)}\npublishedDateTime: {when}\n"
        text = f"---\n{fields}excerpt: {excerpt}\n---\nWords.\n"
        (self.folder / f"{number:04}.md").write_text(text)

    def key(self, number: int) -> str:
        return f"http://127.0.0.1:{self.port}/{number:04}"

    @property
    def state_db(self) -> Path:
        return self.home / "data" / "state.db"

    @property
    def places(self) -> Locations:
        return Locations(*(self.home / name for name in ("data", "config", "cache", "state")))

    def close(self) -> None:
        self.server.kill()
        self.server.wait()

    # -- a cycle ------------------------------------------------------------------

    def cycle(self, number: int) -> None:
        kind = KINDS[number % len(KINDS)]
        self.counts["kills"] += 1
        self.counts[f"while: {kind}"] += 1
        if kind == "migrate":
            self.migrate()
            return
        before = self.marks()
        if kind == "star and read files":
            for _ in range(40):
                self.more += 1
                self.write(ARTICLES + self.more % 800, f"told {self.more}")
        elif kind == "star while files change":  # those in sight, which are being starred
            for _ in range(100):
                self.more += 1
                self.write(self.chance.randrange(ARTICLES), f"told {self.more}")
        run = Run(self.home, self.folder, self.broken)
        words = ""
        if kind == "start":
            run.read_for(self.chance.random() * 0.5)
        else:
            words = self.press(kind, number, run, before)
        self.end(run)
        self.judge(kind, run, before, words)

    def press(self, kind: str, number: int, run: Run, before: dict[int, Row]) -> str:
        """Ask for marks; come back when one is to be seen, or soon. The words of a note or tag."""
        run.until(lambda: run.frames and run.rows(), "the list")
        if number % 3:
            run.press("\x06" * self.chance.randrange(1, 4))
            run.read_for(0.05)
        words = ""
        if kind == "note" or kind == "tag":
            words = run.words = f"{kind}{number}x"
            run.press("e" if kind == "note" else "t")
            run.until(lambda: _PROMPT in run.text, "the prompt")
            run.press(f"\x15{words}\r")
        elif kind == "read":
            run.press("r" * 12)
        elif kind == "all read and undo":
            run.press("A" + "u" * self.chance.randrange(2) + "sj" * 6)
        else:
            run.press(("C" if "check" in kind else "") + "sj" * 12)
        if self.chance.random() < 0.85:
            end = time.monotonic() + 3
            while time.monotonic() < end and run.read(0.02):
                if run.worded if words else self.changed(run, before):
                    break
        run.read_for(self.chance.random() * self.chance.choice((0.02, 0.1, 0.3)))
        return words

    @staticmethod
    def changed(run: Run, before: dict[int, Row]) -> list[int]:
        """The articles that were shown otherwise than before."""
        return [
            n
            for n, seen in run.shown.items()
            if n < ARTICLES and any(r != before.get(n, _NONE) for r in seen)
        ]

    def end(self, run: Run) -> None:
        """Kill the program, the process beside it, or both; or that one some time before."""
        beside = run.beside()
        self.counts["kills while files were read beside it"] += bool(beside)
        how = self.chance.choice(("it", "it", "both", "beside first"))
        if how == "beside first" and beside:
            for pid in beside:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            run.note("the process beside it killed")
            self.counts["kills of the process beside it"] += 1
            run.press("sjsj")
            run.read_for(self.chance.random() * 0.2)
        run.kill()
        if how == "both":
            for pid in beside:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.counts["kills of the process beside it"] += 1

    def marks(self) -> dict[int, Row]:
        """By article, whether it is kept as read and as starred; the state must open, whole."""
        if not self.state_db.exists():
            return {}
        with open_session(self.places, [self.folder]) as session:
            state = session.state
            sync(session.library, state)  # after a kill the index is behind until the next start
            if state.notice or state.read_only:
                self.lost.append(f"the state says: {state.notice or state.read_only}")
            self.seq = state.seq()
            found = state.marks([self.key(number) for number in range(ARTICLES)])
        known = {number: found[key] for number in range(ARTICLES) if (key := self.key(number)) in found}
        return {number: (mark.read, mark.starred) for number, mark in known.items()}

    # -- the judgement ------------------------------------------------------------

    def history(self, after: int) -> tuple[dict[str, list[Row]], str]:
        """What was kept of each key since change *after*, in order; and all notes and tags of that time."""
        journal = Journal(self.state_db.with_name("state.db.safety"))
        kept: dict[str, list[Row]] = defaultdict(list)
        words = []
        for path in journal.files():
            for record in journal.read(path):
                if record is not None and record.seq > after:
                    for key, flags, note, tags in record.put.get("marks", ()):
                        kept[str(key)].append((bool(int(flags) & 1), bool(int(flags) & 2)))
                        words.append(f"{note} {tags}")
        return kept, "\n".join(words)

    def judge(self, kind: str, run: Run, before: dict[int, Row], words: str) -> None:
        started = self.seq
        after = self.marks()
        kept, noted = self.history(started)
        wrong = []
        for number, seen in sorted(run.shown.items()):
            if number >= ARTICLES:
                continue
            was = before.get(number, _NONE)
            values = [was, *kept.get(self.key(number), ())]
            if not in_order(seen, values):
                wrong.append(f"{kind}: A{number:04} was shown as {seen}, kept was {values}")
        for number in range(ARTICLES):
            values = kept.get(self.key(number), [before.get(number, _NONE)])
            if after.get(number, _NONE) != values[-1]:
                wrong.append(f"{kind}: A{number:04} is {after.get(number)}, by the journal {values[-1]}")
        if run.worded and words not in noted:
            wrong.append(f"{kind}: {words} was shown")
        if wrong:
            self.lost += wrong
            self.keep_evidence(run, wrong, started)
        shown = sum(seen[-1] != before.get(n, _NONE) for n, seen in run.shown.items() if n < ARTICLES)
        shown += bool(run.worded)
        self.counts["marks shown"] += shown
        self.counts["kills after a mark was shown"] += bool(shown)
        self.counts["changes kept"] += self.seq - started
        self.counts["frames looked at"] += run.frames

    def keep_evidence(self, run: Run, wrong: list[str], started: int) -> None:
        """All there is to see of a mark that was lost."""
        if self.evidence is None:
            return
        there = self.evidence / f"cycle-{self.counts['kills']}"
        there.mkdir(parents=True)
        (there / "raw").write_bytes(run.raw)
        (there / "timeline").write_text("\n".join(run.told), encoding="utf-8")
        (there / "screen").write_text(run.text, encoding="utf-8")
        with contextlib.closing(sqlite3.connect(self.state_db)) as db:
            rows = db.execute("SELECT * FROM marks WHERE seq > ? ORDER BY seq", (started,)).fetchall()
        (there / "wrong").write_text(
            "\n".join([*wrong, f"changes after {started}:", *map(repr, rows)]), encoding="utf-8"
        )
        shutil.copytree(self.home / "data", there / "data")

    # -- migrating ------------------------------------------------------------------

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
        safety = path.with_name("state.db.safety")
        there = set(safety.iterdir())
        run = Run(home, self.folder, self.broken)
        if self.chance.random() < 0.7:  # not before it has begun
            end = time.monotonic() + 3
            while time.monotonic() < end and set(safety.iterdir()) == there:
                time.sleep(0.0005)
            time.sleep(self.chance.choice((0.0, 0.0, 0.02)) * self.chance.random())
        else:
            run.read_for(self.chance.random() * 0.25)
        run.kill()
        with contextlib.closing(sqlite3.connect(path)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
        begun = set(safety.iterdir()) != there
        stage = "after" if version == len(newest) else "within" if begun else "before"
        self.counts[f"kills {stage} the migration"] += 1
        state = State.open(path)
        if len(state.changed_since(0)) != 500 or state.mark("k7").note != "kept" or state.verify():
            self.lost.append(f"migrate: {len(state.changed_since(0))} of 500 marks are left; {state.notice}")
        state.close()

    # -- the end ----------------------------------------------------------------------

    def same_library(self) -> bool:
        """Whether the index that outlived the kills ends up as one that is made anew."""
        with open_session(self.places, [self.folder]) as session:
            Ingest(session.library, session.state, session.sources).run()
            session.library.check()
            with contextlib.closing(Library(self.home / "anew.db")) as anew:
                Ingest(anew, session.state, session.sources).run()
                return content(session.library) == content(anew)


def content(library: Library) -> list[tuple[object, ...]]:
    """What a library says of every article."""
    rows = library.rows(library.ids())
    return sorted((r.path, r.key, r.title, r.excerpt, r.published, r.read, r.starred, r.link) for r in rows)


def in_order(seen: Sequence[Row], kept: Iterable[Row]) -> bool:
    """Whether *seen* is what a reader sees who looks at *kept* now and then."""
    left = iter(kept)
    return all(any(row == one for one in left) for row in seen)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", choices=CONTROLS, default="")
    parser.add_argument("--evidence", type=Path)
    options = parser.parse_args()
    started = time.monotonic()
    gc.freeze()  # what is loaded is shared with every child
    with tempfile.TemporaryDirectory(prefix="newsfold-kill-", ignore_cleanup_errors=True) as folder:
        killing = Killing(Path(folder), options.seed, options.control, options.evidence)
        try:
            for number in range(options.kills):
                killing.cycle(number)
            for _ in range(20):  # where the machine ended each migration before the kill
                if killing.counts["kills within the migration"]:
                    break
                killing.migrate()
            if not killing.same_library():
                killing.lost.append("the index is not what it is when made anew")
            state = State.open(killing.state_db)
            problems = state.verify()
            state.close()
        finally:
            killing.close()
    told = {
        **killing.counts,
        "lost": killing.lost,
        "verify": problems,
        "seconds": round(time.monotonic() - started),
        "cpu": round(sum(os.times()[:4])),
    }
    print(json.dumps(told))
    return 1 if killing.lost or problems else 0


if __name__ == "__main__":
    sys.exit(main())
