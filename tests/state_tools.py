"""For the tests of the state: a clock that can be set, a look at everything in the file, ways to break it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reader.model import LinkCheck, Outcome
from reader.store.state import Headline, State

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that moves a second at each look, or as told."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def forward(self, **much: float) -> None:
        self.now += timedelta(**much)


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table of the file at *path*, as another program reads it."""
    db = sqlite3.connect(path)
    try:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    finally:
        db.close()


def journal_bytes(path: Path) -> bytes:
    """The whole journal of the state at *path*."""
    folder = path.with_name(path.name + ".safety")
    return b"".join(file.read_bytes() for file in sorted(folder.glob("changes-*.log")))


def safety(path: Path) -> Path:
    return path.with_name(path.name + ".safety")


def address(number: int) -> str:
    return f"https://outlet{number % 17}.example/news/{number}-a-headline-as-a-slug"


def fill(state: State, count: int = 300) -> None:
    """Marks of every kind, and something in every other table."""
    keys = [address(number) for number in range(count)]
    for start in range(0, count, 50):
        state.set_read(keys[start : start + 50], True)
    state.set_starred(keys[::7], True)
    state.set_hidden(keys[::11], True)
    state.set_read(keys[::5], False)
    for number, key in enumerate(keys[:20]):
        state.set_note(key, f"note {number} — ελληνικά, עברית, 漢字")
        state.set_tags(key, ["later", f"tag-{number % 3}"])
    state.set_note("file:sources/odd-\udcff-name.md", "a name that is not UTF-8")
    state.add_source(Path("/news/one"))
    state.add_source(Path("/news/two"))
    state.add_search("Heat", "heat:>100")
    state.add_search("Mine", "is:starred")
    state.add_rule("Ads", "title:sponsored", "hide")
    state.add_story_edit("split", keys[1])
    state.add_story_edit("join", keys[2], keys[3])
    state.set_story_seen(keys[4], keys[4:9])
    state.put("place", {"topic": "space", "row": 12})
    state.record_headlines((key, Headline("As it was", "An excerpt", NOON)) for key in keys[:30])
    state.record_checks(
        [LinkCheck(key, Outcome.ALIVE, NOON, 200, elapsed_ms=80) for key in keys[:40]]
        + [LinkCheck(key, Outcome.MISSING, NOON, 404, reason="Not Found") for key in keys[40:50]]
    )


def kept(state: State) -> dict[str, object]:
    """Everything in the state that is promised to come back from any damage of the file."""
    return {
        "marks": state.changed_since(0),
        "sources": state.sources(),
        "searches": state.searches(),
        "rules": state.rules(),
        "stories": state.story_edits(),
    }


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program in the middle of a write."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")
    finally:
        db.close()


def flip(path: Path, bit: int) -> None:
    """Turn one bit of the file."""
    with path.open("rb+") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))
