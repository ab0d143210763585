"""A disk that fails at every operation in turn, and one that loses what was not synced.

A library between the process and the kernel (``disk.c``, compiled here)
writes down every write, sync, rename and removal, and fails when told to.
The power is cut by building, from what was written down up to some moment,
what a disk may hold then: everything synced, and of the rest any part of any
write; names in the order they were made, up to any point.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from state_tools import Clock

from reader.store.state import State

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SECTOR = 512
# Read here: a test itself sees none of our variables.
FAULTS = int(os.environ.get("NEWSFOLD_FAULTS", "30"))
CUTS = int(os.environ.get("NEWSFOLD_CUTS", "300"))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library to be preloaded."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler and Linux")
    library = tmp_path_factory.mktemp("disk") / "disk.so"
    source = Path(__file__).with_name("disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    return library


WORK = """
import sys
from pathlib import Path
from reader.errors import StoreError
from reader.store import journal
from reader.store.state import State
path, how = Path(sys.argv[1]), sys.argv[2]
if "no-journal-sync" in how:
    journal.sync = lambda handle: None
try:
    state = State.open(path)
except StoreError as error:
    print("closed", flush=True)
    sys.exit()
if "synchronous-off" in how:
    state._db.execute("PRAGMA synchronous=OFF")
for number in range(int(sys.argv[3])):
    key = f"k{number}"
    try:
        if number % 10 == 9:
            state.backup()
            continue
        if number % 10 == 8:
            state.set_read([f"{key}-{n}" for n in range(60)], True)
        else:
            state.set_note(key, "x" * 300)
        print("kept", key, flush=True)
    except StoreError as error:
        print("refused", key, flush=True)
        if state.mark(key).note or state.mark(key + "-1").read:
            print("shown", key, flush=True)
if "leave" not in how:
    for _ in range(8):  # a disk that gets well again does so before the end
        try:
            state.set_read(["end"], True)
            break
        except StoreError:
            pass
    state.close()
"""


def work(disk: Path, folder: Path, count: int, how: str = "-", **settings: str) -> list[list[str]]:
    """Run the work on a state in *folder*; the words of each line it said."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "LD_PRELOAD": str(disk),
        "NEWSFOLD_DISK_UNDER": str(folder),
        **{f"NEWSFOLD_DISK_{name.upper()}": value for name, value in settings.items()},
    }
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(folder / "state.db"), how, str(count)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [line.split() for line in done.stdout.splitlines()]


def lost(state: State, kept: list[str]) -> list[str]:
    """Those of the kept keys that are not as they were shown."""
    return [
        key
        for key in kept
        if not state.mark(key).note and len(state.marks(f"{key}-{n}" for n in range(60))) != 60
    ]


# -- a disk that fails ---------------------------------------------------------


@pytest.mark.parametrize("how", ["1", "6", "ever"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_every_operation_fails_in_turn(disk: Path, tmp_path: Path, how: str, code: int) -> None:
    """Whatever fails, and however long: what was kept is there, what was refused was not shown.

    Nor does that come back, not even when the disk failed both the commit and the
    cutting of the journal (six operations are enough for it), unless it fails for ever.
    """
    master = tmp_path / "master"
    master.mkdir()
    State.open(master / "state.db").close()
    counting = tmp_path / "counting"
    shutil.copytree(master, counting)
    work(disk, counting, 12, log=str(tmp_path / "log"))
    operations = next(record.a for record in records(tmp_path / "log") if record.op == "n")
    assert operations > 100
    step = max(1, operations // FAULTS)
    refused_at_all = came_back = 0
    for number in range(1, operations + 1, step):
        folder = tmp_path / "now"
        shutil.copytree(master, folder)
        said = work(disk, folder, 12, fail=f"{number}:{code}:{how}")
        assert [words for words in said if words[0] == "shown"] == []
        kept = [words[1] for words in said if words[0] == "kept"]
        refused = [words[1] for words in said if words[0] == "refused"]
        state = State.open(folder / "state.db")
        assert lost(state, kept) == [], f"operation {number}"
        back = [key for key in refused if state.mark(key).note or state.mark(f"{key}-1").read]
        if how != "ever":
            assert back == [], f"operation {number}"
        came_back += len(back)
        refused_at_all += len(refused)
        assert not state.notice.startswith("The file of your marks was damaged"), state.notice
        state.set_read(["after"], True)
        assert state.verify() == []
        state.close()
        shutil.rmtree(folder)
    assert refused_at_all
    print(
        f"{len(range(1, operations + 1, step))} of {operations} operations failing ({how}):"
        f" {refused_at_all} marks refused, {came_back} of them back at the next start"
    )


# -- a disk without power --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    op: str
    a: int
    b: int
    data: bytes


def records(log: Path) -> Iterator[Record]:
    """What ``disk.c`` wrote down."""
    raw = log.read_bytes()
    at = 0
    while at < len(raw):
        op, a, b, length = struct.unpack_from("<cQQI", raw, at)
        at += 21
        yield Record(op.decode(), a, b, raw[at : at + length])
        at += length


@dataclass(slots=True)
class File:
    """What is surely on the disk of one file, and what may be."""

    content: bytearray = field(default_factory=bytearray)
    pending: list[Record] = field(default_factory=list)

    def sync(self) -> None:
        for record in self.pending:
            change(self.content, record)
        self.pending.clear()

    def after_power_loss(self, chance: random.Random) -> bytes:
        content = bytearray(self.content)
        for record in self.pending:
            fate = chance.random()
            if fate < 0.4:
                change(content, record)
            elif fate < 0.6 and record.op == "w" and len(record.data) > SECTOR:
                cut = chance.randrange(1, len(record.data) // SECTOR + 1) * SECTOR
                change(content, Record("w", record.a, record.b, record.data[:cut]))
        return bytes(content)


def change(content: bytearray, record: Record) -> None:
    if record.op == "t":
        del content[record.b :]
        content.extend(bytes(record.b - len(content)))
    else:
        content.extend(bytes(max(0, record.b - len(content))))
        content[record.b : record.b + len(record.data)] = record.data


class Disk:
    """Replays what was written down; can say at any moment what is left when the power goes."""

    def __init__(self) -> None:
        self.files: dict[int, File] = {}
        self.numbers: dict[int, int] = {}  # inodes are used again; ours are not
        self.names: dict[str, int] = {}
        self.pending: list[tuple[str, str, int]] = []
        self.shown: list[str] = []
        self.said = b""

    def do(self, record: Record) -> None:
        match record.op:
            case "c":
                number = self.numbers[record.a] = len(self.files)
                self.files[number] = File()
                self.pending.append(("", record.data.decode(), number))
            case "w" | "t":
                self.files[self.numbers[record.a]].pending.append(record)
            case "s":
                if record.a in self.numbers:
                    number = self.numbers[record.a]
                    self.files[number].sync()
                    # A new file that is synced has its name, and names are kept in order.
                    made = [n for n, (_, _, which) in enumerate(self.pending) if which == number]
                    self.settle(self.names, made[-1] + 1 if made else 0, drop=True)
                else:  # a folder
                    self.settle(self.names, len(self.pending), drop=True)
            case "r" | "l":
                old, new = record.data.decode().split("\0")
                self.pending.append((old if record.op == "r" else "", new, self.number(old)))
            case "u":
                self.pending.append((record.data.decode(), "", -1))
            case "a":
                self.said += record.data
                *lines, self.said = self.said.split(b"\n")
                self.shown += [line.decode().split()[1] for line in lines if line.startswith(b"kept")]

    def number(self, path: str) -> int:
        names = dict(self.names)
        self.settle(names, len(self.pending))
        return names[path]

    def settle(self, names: dict[str, int], count: int, *, drop: bool = False) -> None:
        for old, new, number in self.pending[:count]:
            if old:
                names.pop(old, None)
            if new:
                names[new] = number
        if drop:
            del self.pending[:count]

    def cut_power(self, folder: Path, there: Path, chance: random.Random) -> None:
        """Build in *there* what may be left of *folder*."""
        names = dict(self.names)
        self.settle(names, chance.randint(0, len(self.pending)))
        (there / "state.db.safety").mkdir(parents=True)
        for path, number in names.items():
            (there / Path(path).relative_to(folder)).write_bytes(self.files[number].after_power_loss(chance))


def power_losses(disk: Path, tmp_path: Path, how: str, cuts: int) -> tuple[int, int, int]:
    """(marks shown at the moments of *cuts* power losses, of these lost, and losses that lost any)."""
    folder, log = tmp_path / "disk", tmp_path / "log"
    folder.mkdir()
    work(disk, folder, 60, how, log=str(log))
    everything = list(records(log))
    chance = random.Random(9)
    moments = sorted(chance.randrange(len(everything)) for _ in range(cuts))
    replayed, at = Disk(), 0
    shown = gone = losing = 0
    for number, moment in enumerate(moments):
        while at < moment:
            replayed.do(everything[at])
            at += 1
        there = tmp_path / f"after{number}"
        replayed.cut_power(folder, there, chance)
        state = State.open(there / "state.db", clock=Clock())
        missing = lost(state, replayed.shown)
        shown += len(replayed.shown)
        gone += len(missing)
        losing += bool(missing)
        state.set_read(["after"], True)
        if "no-journal-sync" not in how:
            assert state.verify() == []
        state.close()
        shutil.rmtree(there)
    return shown, gone, losing


def test_power_loss(disk: Path, tmp_path: Path) -> None:
    shown, gone, _ = power_losses(disk, tmp_path, "-", CUTS)
    print(f"{CUTS} power losses, {shown:,} marks shown before them, {gone} lost")
    assert gone == 0


def test_power_loss_with_the_database_unsynced(disk: Path, tmp_path: Path) -> None:
    """The journal alone brings every mark back."""
    shown, gone, _ = power_losses(disk, tmp_path, "synchronous-off leave", 150)
    print(f"synchronous=OFF: {shown:,} marks shown, {gone} lost")
    assert gone == 0


def test_control(disk: Path, tmp_path: Path) -> None:
    """With nothing synced marks must be lost, or these tests would prove nothing."""
    shown, gone, losing = power_losses(disk, tmp_path, "synchronous-off no-journal-sync leave", 100)
    print(f"control: {shown:,} marks shown, {gone} lost in {losing} of 100 power losses")
    assert losing > 20
