"""The state's methods, on real files."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from state_tools import NOON, Clock, address, content, fill, journal_bytes, kept, locked

from reader.errors import NotFound, StoreBusy, StoreError, UsageError
from reader.model import LinkCheck, Mark, Outcome
from reader.store import sqlite, state_check
from reader.store.state import NOTHING, Headline, SavedRule, SavedSearch, State


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "state.db"


@pytest.fixture
def state(path: Path, clock: Clock) -> Iterator[State]:
    state = State.open(path, clock=clock)
    yield state
    state.close()


class TestMarks:
    def test_absent_is_all_defaults(self, state: State) -> None:
        assert state.mark("a") == Mark("a")
        assert state.marks(["a", "b"]) == {}
        assert state.seq() == 0

    def test_each_flag_by_itself(self, state: State) -> None:
        state.set_read(["a"], True)
        state.set_starred(["a", "b"], True)
        state.set_hidden(["b"], True)
        a, b = state.mark("a"), state.mark("b")
        assert (a.read, a.starred, a.hidden) == (True, True, False)
        assert (b.read, b.starred, b.hidden) == (False, True, True)
        state.set_starred(["a"], False)
        assert state.mark("a").read
        assert not state.mark("a").starred

    def test_change_says_what_it_did(self, state: State) -> None:
        change = state.set_read([address(n) for n in range(1_200)], True)
        assert change.label == "read 1,200 articles"
        assert len(change.keys) == 1_200
        assert change.seq == state.seq() == 1
        assert state.set_starred(["a"], True).label == "starred 1 article"

    def test_only_what_changes_is_counted(self, state: State) -> None:
        state.set_read(["a"], True)
        change = state.set_read(["a", "b", "b"], True)
        assert change.keys == ("b",)
        assert state.mark("a").seq == 1
        nothing = state.set_read(["a", "b"], True)
        assert (nothing.label, nothing.keys, nothing.seq) == (NOTHING, (), 2)
        assert state.set_read([], True).keys == ()

    def test_notes_and_tags(self, state: State) -> None:
        state.set_note("a", "line one\nline two")
        state.set_tags("a", [" later ", "", "later", "x"])
        state.add_tags(["b"], ["x"])
        assert state.add_tags(["a", "b"], ["x"]).keys == ()
        assert state.mark("a").note == "line one\nline two"
        assert state.mark("a").tags == ("later", "x")
        assert state.tags() == [("x", 2), ("later", 1)]
        state.set_tags("a", [])
        state.set_note("a", "")
        assert state.tags() == [("x", 1)]
        assert (state.mark("a").note, state.mark("a").tags) == ("", ())

    def test_changed_since_is_in_order_and_keeps_what_went_back(self, state: State) -> None:
        state.set_read(["a", "b"], True)
        state.set_starred(["c"], True)
        state.set_read(["a"], False)
        assert [(mark.key, mark.seq) for mark in state.changed_since(0)] == [("b", 1), ("c", 2), ("a", 3)]
        assert [mark.key for mark in state.changed_since(2)] == ["a"]
        assert not state.changed_since(2)[0].read
        assert state.changed_since(3) == []

    def test_time_of_change(self, state: State, clock: Clock) -> None:
        state.set_read(["a"], True)
        assert state.mark("a").changed_at == clock.now

    def test_there_again_after_closing(self, path: Path, clock: Clock) -> None:
        with_marks = State.open(path, clock=clock)
        fill(with_marks)
        before = kept(with_marks)
        with_marks.close()
        with_marks.close()  # twice does nothing
        again = State.open(path, clock=clock)
        assert kept(again) == before
        assert (again.notice, again.read_only) == ("", "")
        assert again.get("place") == {"topic": "space", "row": 12}
        again.close()

    def test_closed_is_said(self, path: Path) -> None:
        state = State.open(path)
        state.close()
        with pytest.raises(StoreError):
            state.set_read(["a"], True)
        with pytest.raises(StoreError):
            state.mark("a")

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(key=st.text(min_size=1), note=st.text(), tags=st.lists(st.text()), data=st.data())
    def test_any_text_comes_back(
        self, state: State, key: str, note: str, tags: list[str], data: st.DataObject
    ) -> None:
        odd = data.draw(st.text(alphabet=st.characters(codec=None), max_size=5))
        state.set_note(key + odd, note + odd)
        state.set_tags(key + odd, [*tags, odd])
        mark = state.mark(key + odd)
        assert mark.note == note + odd
        assert mark.tags == tuple(dict.fromkeys(t.strip() for t in [*tags, odd] if t.strip()))
        assert state_check.faults(state._db, whole=True) == []


class TestUndo:
    def test_newest_first_until_nothing(self, state: State) -> None:
        state.set_read(["a", "b"], True)
        state.set_starred(["a"], True)
        undone = state.undo()
        assert undone is not None
        assert (undone.label, undone.keys) == ("undid: starred 1 article", ("a",))
        assert state.mark("a").read
        assert not state.mark("a").starred
        state.undo()
        assert not state.mark("b").read
        assert state.undo() is None

    def test_only_keys_the_change_touched(self, state: State) -> None:
        state.set_read(["a"], True)
        state.set_read(["a", "b"], True)
        state.undo()
        assert state.mark("a").read
        assert not state.mark("b").read

    def test_what_another_copy_changed_since_stays(self, state: State, path: Path) -> None:
        state.set_read(["a", "b"], True)
        state.set_note("a", "mine")
        other = State.open(path)
        other.set_note("a", "theirs")
        other.set_starred(["b"], True)
        other.set_read(["a"], False)
        other.set_read(["a"], True)
        assert state.undo().keys == ()  # type: ignore[union-attr]
        assert state.mark("a").note == "theirs"
        assert state.undo().keys == ("a", "b")  # type: ignore[union-attr]
        assert state.mark("b").starred
        assert not state.mark("b").read
        other.close()

    def test_another_copy_does_not_undo_ours(self, state: State, path: Path) -> None:
        state.set_read(["a"], True)
        other = State.open(path)
        assert other.undo() is None
        other.close()

    def test_all_in_a_large_list(self, state: State) -> None:
        keys = [address(number) for number in range(34_000)]  # more than a statement of SQLite's takes values
        state.set_starred(keys[::3], True)
        before = [(m.key, m.read, m.starred) for m in state.marks(keys).values()]
        state.set_read(keys, True)
        undone = state.undo()
        assert undone is not None
        assert len(undone.keys) == 34_000
        after = {m.key: (m.read, m.starred) for m in state.marks(keys).values()}
        assert all(after[key] == (read, starred) for key, read, starred in before)
        assert not any(read for read, _ in after.values())

    def test_every_other_kind(self, state: State) -> None:
        state.add_source(Path("/a"))
        state.add_search("n", "q")
        state.add_rule("r", "q", "read")
        state.add_story_edit("split", "k")
        before = kept(state)
        state.rename_search(1, "m")
        state.remove_search(1)
        state.change_rule(1, enabled=False)
        state.remove_rule(1)
        state.add_story_edit("join", "a", "b")
        for _ in range(5):
            state.undo()
        assert kept(state) == before | {"stories": state.story_edits()}
        assert [(e.kind, e.key) for e in state.story_edits()] == [("split", "k")]

    def test_busy_can_be_tried_again(self, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
        state = State.open(path, clock=clock)
        state.set_read(["a"], True)
        with locked(path), pytest.raises(StoreBusy):
            state.undo()
        assert state.undo() is not None
        assert not state.mark("a").read
        state.close()


class TestPlaces:
    def test_sources_in_the_order_they_came(self, state: State) -> None:
        for name in ("/b", "/a", "/b", "/odd\udcff"):
            state.add_source(Path(name))
        assert state.sources() == [Path("/b"), Path("/a"), Path("/odd\udcff")]
        state.remove_source(Path("/b"))
        assert state.remove_source(Path("/never")).keys == ()
        assert state.sources() == [Path("/a"), Path("/odd\udcff")]

    def test_who_takes_back_marks_keeps_the_folders(self, state: State) -> None:
        state.add_source(Path("/a"))
        state.set_read(["a"], True)
        state.add_source(Path("/b"))
        state.remove_source(Path("/a"))
        undone = [state.undo() for _ in range(3)]
        assert [change.label if change else None for change in undone] == [
            "undid: read 1 article",
            None,
            None,
        ]
        assert state.sources() == [Path("/b")]

    @pytest.mark.parametrize("value", [0, False, "", [], {"a": [1, None, "é\udc80"]}, 1.5, "x" * 10_000])
    def test_values_come_back(self, state: State, value: object) -> None:
        state.put("name", value)
        assert state.get("name") == value

    def test_none_forgets(self, state: State) -> None:
        state.put("name", 1)
        state.put("name", None)
        assert state.get("name") is None

    @pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
    def test_no_json_is_refused(self, state: State, value: object) -> None:
        with pytest.raises(UsageError):
            state.put("name", value)


class TestSearches:
    def test_searches(self, state: State) -> None:
        for name in "abc":
            state.add_search(name, f"title:{name}")
        assert state.add_search("d", "q").keys == ("4",)
        state.move_search(4, 0)
        state.move_search(1, 99)
        state.rename_search(2, "B")
        state.change_search(3, "q3")
        state.remove_search(4)
        assert state.searches() == [
            SavedSearch(2, "B", "title:b"),
            SavedSearch(3, "c", "q3"),
            SavedSearch(1, "a", "title:a"),
        ]

    def test_rules(self, state: State) -> None:
        state.add_rule("r", "q", "hide")
        state.add_rule("s", "q2", "star", enabled=False)
        state.change_rule(1, query="q9")
        state.change_rule(2, enabled=True, action="read")
        state.move_rule(2, 0)
        assert state.rules() == [
            SavedRule(2, "s", "q2", "read", True),
            SavedRule(1, "r", "q9", "hide", True),
        ]
        state.remove_rule(2)
        assert [rule.id for rule in state.rules()] == [1]

    def test_one_that_is_not_there(self, state: State) -> None:
        for call in (state.remove_search, state.remove_rule):
            with pytest.raises(NotFound):
                call(7)
        with pytest.raises(NotFound, match="no search 7"):
            state.rename_search(7, "x")
        with pytest.raises(NotFound, match="no rule 7"):
            state.move_rule(7, 0)


class TestStories:
    def test_edits(self, state: State) -> None:
        state.add_story_edit("split", "a")
        state.add_story_edit("join", "a", "b")
        edits = state.story_edits()
        assert [(edit.kind, edit.key, edit.other) for edit in edits] == [
            ("split", "a", ""),
            ("join", "a", "b"),
        ]
        assert edits[0].seq < edits[1].seq
        for wrong in (("melt", "a", ""), ("join", "a", ""), ("split", "", "")):
            with pytest.raises(UsageError):
                state.add_story_edit(*wrong)

    def test_seen(self, state: State) -> None:
        assert state.story_seen("s") == frozenset()
        state.set_story_seen("s", ["b", "a", "a"])
        assert state.story_seen("s") == {"a", "b"}
        assert state.stories_seen(["s", "t"]) == {"s": {"a", "b"}}
        state.set_story_seen("s", [])
        assert state.story_seen("s") == frozenset()

    def test_headlines_are_kept_when_they_differ(self, state: State) -> None:
        seen = [("One", "x"), ("One", "x"), ("Two", "x"), ("Two", "y"), ("One", "x")]
        for number, (title, excerpt) in enumerate(seen):
            state.record_headlines([("k", Headline(title, excerpt, NOON + timedelta(hours=number)))])
        assert [h.title + h.excerpt for h in state.headline_history("k")] == ["Onex", "Twox", "Twoy", "Onex"]
        assert state.headline_history("other") == []
        assert state.headline_keys() == {"k"}

    def test_headlines_are_bounded(self, state: State) -> None:
        for number in range(30):
            state.record_headlines([("k", Headline(f"{number}", "", NOON + timedelta(hours=number)))])
        assert [h.title for h in state.headline_history("k")] == [str(n) for n in range(10, 30)]


class TestChecks:
    def answer(self, outcome: Outcome, days: float, **more: object) -> LinkCheck:
        return LinkCheck("http://a.example/", outcome, NOON + timedelta(days=days), **more)  # type: ignore[arg-type]

    def test_as_recorded(self, state: State) -> None:
        check = self.answer(
            Outcome.MOVED, 0, status=301, target="http://b.example/", reason="Moved", elapsed_ms=120
        )
        state.record_checks([check])
        [(address_, known)] = state.checks([check.address, "http://never.example/"]).items()
        assert address_ == check.address
        assert (known.outcome, known.status, known.target, known.reason) == (
            Outcome.MOVED, 301, "http://b.example/", "Moved",
        )  # fmt: skip
        assert (known.elapsed_ms, known.checked_at, known.last_alive) == (120, NOON, NOON)

    def test_death_and_life_are_carried(self, state: State) -> None:
        steps = [
            (Outcome.ALIVE, 0), (Outcome.MISSING, 1), (Outcome.TIMEOUT, 2), (Outcome.GONE, 3),
            (Outcome.ALIVE, 4), (Outcome.BLOCKED, 5),
        ]  # fmt: skip
        carried = []
        for outcome, day in steps:
            state.record_checks([self.answer(outcome, day)])
            known = state.checks(["http://a.example/"])["http://a.example/"]
            carried.append(
                tuple(None if t is None else (t - NOON).days for t in (known.first_dead, known.last_alive))
            )
        assert carried == [(None, 0), (1, 0), (1, 0), (1, 0), (None, 4), (None, 4)]
        history = state.check_history("http://a.example/")
        assert [check.outcome for check in history] == [outcome for outcome, _ in reversed(steps)]

    def test_given_times_win(self, state: State) -> None:
        state.record_checks([self.answer(Outcome.DNS_ERROR, 5, first_dead=NOON)])
        assert state.checks(["http://a.example/"])["http://a.example/"].first_dead == NOON

    def test_an_older_answer_only_joins_the_history(self, state: State) -> None:
        state.record_checks([self.answer(Outcome.ALIVE, 2), self.answer(Outcome.GONE, 1)])
        assert state.checks(["http://a.example/"])["http://a.example/"].outcome is Outcome.ALIVE
        assert len(state.check_history("http://a.example/")) == 2

    def test_history_is_bounded(self, state: State) -> None:
        for number in range(60):
            state.record_checks([self.answer(Outcome.ALIVE, number)])
        history = state.check_history("http://a.example/")
        assert len(history) == 50
        assert history[0].checked_at == NOON + timedelta(days=59)

    def test_checks_since(self, state: State) -> None:
        a, b = (LinkCheck(f"http://{name}.example/", Outcome.ALIVE, NOON) for name in "ab")
        state.record_checks([a, b])
        [(one, _), (two, _)] = state.checks_since(0)
        state.record_checks([self.answer(Outcome.GONE, 1)])
        [(again, check)] = state.checks_since(two)
        assert one < two < again
        assert check.outcome is Outcome.GONE
        assert [c.address for _, c in state.checks_since(0)] == ["http://b.example/", "http://a.example/"]
        assert state.seq() == 0


WRITES: dict[str, Callable[[State], object]] = {
    "set_read": lambda s: s.set_read(["new", address(1)], False),
    "set_starred": lambda s: s.set_starred(["new"], True),
    "set_hidden": lambda s: s.set_hidden(["new"], True),
    "set_tags": lambda s: s.set_tags("new", ["x"]),
    "add_tags": lambda s: s.add_tags(["new", address(1)], ["x"]),
    "set_note": lambda s: s.set_note("new", "x"),
    "undo": lambda s: s.undo(),
    "record_checks": lambda s: s.record_checks([LinkCheck("http://n/", Outcome.ALIVE, NOON)]),
    "add_source": lambda s: s.add_source(Path("/new")),
    "remove_source": lambda s: s.remove_source(Path("/news/one")),
    "put": lambda s: s.put("new", 1),
    "add_search": lambda s: s.add_search("n", "q"),
    "rename_search": lambda s: s.rename_search(1, "n"),
    "change_search": lambda s: s.change_search(1, "n"),
    "move_search": lambda s: s.move_search(1, 1),
    "remove_search": lambda s: s.remove_search(1),
    "add_rule": lambda s: s.add_rule("n", "q", "hide"),
    "change_rule": lambda s: s.change_rule(1, name="n"),
    "move_rule": lambda s: s.move_rule(1, 0),
    "remove_rule": lambda s: s.remove_rule(1),
    "follow": lambda s: s.follow([(address(1), "new")], (), "step"),
    "add_story_edit": lambda s: s.add_story_edit("split", "new"),
    "set_story_seen": lambda s: s.set_story_seen("new", ["a"]),
    "record_headlines": lambda s: s.record_headlines([("new", Headline("t", "e", NOON))]),
    "backup": lambda s: s.backup(),
    "restore": lambda s: s.restore(s.backups()[0]),
    "import_": lambda s: s.import_(_exported()),
}


def _exported() -> Iterator[str]:
    yield '{"newsfold": "state", "schema": 1}\n'
    yield '{"search": {"name": "new", "query": "q"}}\n'


def test_every_writing_method_is_listed() -> None:
    reading = {
        "changed_since", "check_history", "checks", "checks_since", "close", "data_version", "export",
        "get", "headline_history", "headline_keys", "id", "mark", "marks", "open", "overrules", "path",
        "rules", "searches", "seq", "sources", "stories_seen", "story_edits", "story_seen", "tags", "tend",
        "verify", "backups", "checks_with", "take_back_both", "edits_of", "frozen", "learn", "mend",
    }  # fmt: skip
    public = {name for name in dir(State) if not name.startswith("_")}
    assert public == set(WRITES) | reading


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed state with something in every table, and a backup."""
    folder = tmp_path_factory.mktemp("filled")
    state = State.open(folder / "state.db", clock=Clock())
    fill(state, 20)
    state.backup()
    state.close()
    return folder


@pytest.mark.parametrize("name", WRITES)
def test_locked_by_another_program(
    name: str, path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused as busy, and nothing changed: not in the file, not in the journal."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    shutil.copytree(filled, path.parent)
    state = State.open(path, clock=Clock())
    state.set_starred(["a"], True)
    before, lines = content(path), journal_bytes(path)
    with locked(path), pytest.raises(StoreBusy):
        WRITES[name](state)
    assert content(path) == before
    assert journal_bytes(path) == lines
    WRITES[name](state)  # and goes through afterwards
    assert state.verify() == []
    state.close()


def test_threads_share_one_state(state: State) -> None:
    """Eight threads marking and reading: every mark is there, every number given once."""
    seqs: list[int] = []

    def work(name: int) -> None:
        for number in range(25):
            seqs.append(state.set_read([f"{name}-{number}"], True).seq)
            assert state.mark(f"{name}-{number}").read

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seqs) == list(range(1, 201))
    assert len(state.changed_since(0)) == 200


def test_two_copies_see_each_other(path: Path) -> None:
    one, two = State.open(path), State.open(path)
    version = two.data_version()
    one.set_read(["a"], True)
    assert two.data_version() != version
    assert two.mark("a").read
    two.set_starred(["a"], True)
    assert [(m.read, m.starred) for m in one.changed_since(1)] == [(True, True)]
    assert (one.seq(), two.seq()) == (2, 2)
    version = two.data_version()
    two.set_read(["b"], True)
    assert two.data_version() == version  # one's own writes are no news
    one.close()
    two.close()
