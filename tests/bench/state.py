"""What keeping marks safe costs: opening, marking, undoing, checking, backing up.

    python tests/bench/state.py [--marks 50000] [--rounds 7] [--folder DIR]

Medians in milliseconds, by the wall and of the processor. *After a crash* the
file does not bear the seal of a clean close, so every row is checked. Marking
one article is two syncs of the disk, so the folder decides by the wall:
``--folder /dev/shm`` shows what is left without.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from reader.store.state import State  # noqa: E402


def say(
    what: str, rounds: int, work: Callable[[int], object], reset: Callable[[], object] = lambda: None
) -> None:
    """Print the medians of *rounds* runs of *work*; *reset* is not timed."""
    wall, busy = [], []
    for number in range(rounds):
        start, cpu = time.perf_counter(), time.process_time()
        work(number)
        wall.append((time.perf_counter() - start) * 1e3)
        busy.append((time.process_time() - cpu) * 1e3)
        reset()
    print(f"{what:30}{statistics.median(wall):10.2f}{statistics.median(busy):10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--marks", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    keys = [
        f"https://outlet{n % 97}.example/2020/{n % 12}/some-longer-slug-{n}" for n in range(options.marks)
    ]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "state.db"
        state = State.open(path)
        print(f"{'ms':30}{'wall':>10}{'cpu':>10}")
        say("one mark", 200, lambda n: state.set_read([f"{n}"], True))
        say(f"{len(keys):,} marks in one change", 1, lambda _: state.set_read(keys, True))
        say("undo them", 1, lambda _: state.undo())
        state.set_read(keys, True)
        say("look at 60 marks", 50, lambda n: state.marks(keys[n * 60 :][:60]))
        state.set_starred(keys[:1], True)
        say("what the last change was", 20, lambda _: state.changed_since(state.seq() - 1))
        say("back up", 3, lambda _: state.backup())
        say("verify", 3, lambda _: state.verify())
        say("close", 1, lambda _: state.close())
        opened: list[State] = []
        seal = path.with_name("state.db.safety") / "sealed"
        for name in ("open", "open after a crash"):
            say(name, options.rounds, lambda _: opened.append(State.open(path)), lambda: opened.pop().close())
            seal.unlink(missing_ok=True)
        path.write_bytes(b"broken")
        say("open a broken file", 1, lambda _: opened.append(State.open(path)))
        print(opened[0].notice)
        opened.pop().close()


if __name__ == "__main__":
    main()
