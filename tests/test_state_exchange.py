"""Export and import: everything goes out, and merging takes nothing away."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from state_tools import NOON, Clock, address, content, fill, kept

from reader.errors import UsageError
from reader.model import LinkCheck, Mark, Outcome
from reader.store.state import NOTHING, State

HEADER = '{"newsfold": "state", "schema": 1}\n'


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[State]:
    state = State.open(tmp_path / "mine.db", clock=Clock())
    yield state
    state.close()


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[State]:
    state = State.open(tmp_path / "theirs.db", clock=Clock(NOON + timedelta(days=1)))
    yield state
    state.close()


def exported(state: State) -> str:
    stream = io.StringIO()
    lines = state.export(stream)
    assert len(stream.getvalue().splitlines()) == lines + 1
    return stream.getvalue()


def said(mark: Mark) -> tuple[object, ...]:
    return mark.key, mark.read, mark.starred, mark.hidden, mark.note, mark.tags


def not_blank(state: State) -> list[tuple[object, ...]]:
    marks = map(said, state.changed_since(0))
    return [mark for mark in marks if mark[1:] != said(Mark(""))[1:]]


def test_into_an_empty_state(mine: State, theirs: State) -> None:
    fill(theirs)
    text = exported(theirs)
    assert text.isascii()
    change = mine.import_(io.StringIO(text))
    assert change.label == "imported 301 marks"
    assert sorted(map(said, mine.changed_since(0))) == sorted(not_blank(theirs))
    assert mine.sources() == theirs.sources()
    assert [(s.name, s.query) for s in mine.searches()] == [(s.name, s.query) for s in theirs.searches()]
    assert mine.rules() == theirs.rules()
    assert [(e.kind, e.key, e.other) for e in mine.story_edits()] == [
        (e.kind, e.key, e.other) for e in theirs.story_edits()
    ]
    assert mine.get("place") == {"topic": "space", "row": 12}
    keys = [address(number) for number in range(60)]
    assert mine.checks(keys) == theirs.checks(keys)
    assert mine.check_history(keys[3]) == theirs.check_history(keys[3])
    assert mine.headline_history(keys[3]) == theirs.headline_history(keys[3])
    assert mine.story_seen(keys[4]) == theirs.story_seen(keys[4])
    assert mine.verify() == []


def test_again_changes_nothing(mine: State) -> None:
    fill(mine)
    before = kept(mine)
    change = mine.import_(io.StringIO(exported(mine)))
    assert change.label == NOTHING
    assert kept(mine) == before


def test_marks_merge(mine: State, theirs: State) -> None:
    mine.set_starred(["a", "b"], True)
    mine.set_read(["b", "c"], True)
    mine.set_tags("a", ["x"])
    mine.set_note("a", "my note")
    mine.set_note("d", "only here")
    theirs.set_read(["a", "b"], True)  # a day later
    theirs.set_read(["b"], False)
    theirs.set_hidden(["c"], True)
    theirs.set_tags("a", ["y", "x"])
    theirs.set_note("a", "their note")
    mine.import_(io.StringIO(exported(theirs)))
    a, b, c, d = (mine.mark(key) for key in "abcd")
    assert (a.read, a.starred, a.tags) == (True, True, ("x", "y"))
    assert a.note == "their note\n\nmy note"
    assert (b.read, b.starred) == (False, True)
    assert (c.read, c.hidden) == (False, True)
    assert d.note == "only here"


def test_the_older_side_does_not_win(mine: State, theirs: State) -> None:
    mine.set_read(["a"], True)
    theirs.set_read(["a"], True)
    theirs.set_read(["a"], False)
    theirs.set_starred(["a"], True)
    theirs.import_(io.StringIO(exported(mine)))
    assert (theirs.mark("a").read, theirs.mark("a").starred) == (False, True)


def test_checks_merge(mine: State, theirs: State) -> None:
    mine.record_checks([LinkCheck("http://a/", Outcome.ALIVE, NOON)])
    theirs.record_checks([LinkCheck("http://a/", Outcome.GONE, NOON + timedelta(days=1), 410)])
    mine.import_(io.StringIO(exported(theirs)))
    assert mine.checks(["http://a/"])["http://a/"].outcome is Outcome.GONE
    assert [c.outcome for c in mine.check_history("http://a/")] == [Outcome.GONE, Outcome.ALIVE]
    theirs.import_(io.StringIO(exported(mine)))
    assert theirs.checks(["http://a/"])["http://a/"].outcome is Outcome.GONE
    assert len(mine.checks_since(1)) == 1


def test_settings_here_stay(mine: State, theirs: State) -> None:
    mine.put("sort", "newest")
    theirs.put("sort", "heat")
    theirs.put("width", 40)
    mine.import_(io.StringIO(exported(theirs)))
    assert (mine.get("sort"), mine.get("width")) == ("newest", 40)


def test_undo(mine: State, theirs: State) -> None:
    mine.set_starred(["a"], True)
    before = not_blank(mine)
    fill(theirs, 50)
    mine.import_(io.StringIO(exported(theirs)))
    mine.undo()
    assert not_blank(mine) == before
    assert mine.searches() == []
    assert mine.sources() == []


MARK = {
    "key": "k",
    "read": True,
    "starred": False,
    "hidden": False,
    "note": "",
    "tags": [],
    "changed_at": None,
}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "nothing was read"),
        ("\n", "Line 1"),
        ("hello\n", "Line 1"),
        ("[]\n", "Line 1"),
        ('{"newsfold": "library", "schema": 1}\n', "Line 1"),
        ('{"newsfold": "state", "schema": 2}\n', "its schema is 2"),
        (HEADER + "{\n", "Line 2"),
        (HEADER + "[1]\n", "Line 2"),
        (HEADER + '{"nonsense": {}}\n', "'nonsense' is not known"),
        (HEADER + '{"mark": 1}\n', "must be an object"),
        (HEADER + '{"mark": {"key": "k"}}\n', "it lacks 'read'"),
        (HEADER + json.dumps({"mark": MARK | {"read": 1}}), "true or false"),
        (HEADER + json.dumps({"mark": MARK | {"key": 5}}), "text is expected"),
        (HEADER + json.dumps({"mark": MARK | {"tags": ["a", None]}}), "text is expected"),
        (HEADER + json.dumps({"mark": MARK | {"changed_at": "yesterday"}}), "Line 2"),
        (HEADER + '{"story": {"kind": "melt", "key": "a", "other": ""}}\n', "'melt'"),
        (HEADER + '{"source": {"path": "/a"}}\n' + "[" * 100_000, "Line 3"),
        (HEADER + '{"check": {"address": "a", "outcome": "odd", "checked_at": "2026-01-01"}}', "Line 2"),
        (HEADER + '{"headline": {"key": "a", "seen_at": null, "title": "", "excerpt": ""}}', "seen_at"),
    ],
)
def test_what_is_no_export_is_refused_whole(mine: State, text: str, where: str) -> None:
    mine.set_read(["a"], True)
    before = content(mine.path)
    with pytest.raises(UsageError, match=where):
        mine.import_(io.StringIO(text))
    assert content(mine.path) == before


def test_bytes_are_refused(mine: State, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\xfe\x00")
    with (tmp_path / "file").open(encoding="utf-8") as stream, pytest.raises(UsageError):
        mine.import_(stream)
