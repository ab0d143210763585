"""Rules on what newly arrives, mutes, trials, and searches and rules as TOML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader import rules, sources
from reader.errors import StoreDamaged, StoreReadOnly, UsageError
from reader.ingest import Ingest, Report, sync
from reader.store.library import Library
from reader.store.rows import EVERYTHING, Place, PlaceKind
from reader.store.state import Change, State

NOW = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass
class Desk:
    """A folder, its library and the reader's marks."""

    folder: Path
    library: Library
    state: State

    def write(self, name: str, title: str, more: str = "") -> None:
        text = f"---\ntitle: {title}\npublishedDateTime: 2023-01-01T00:00:00Z\n{more}---\n"
        (self.folder / name).write_text(text, encoding="utf-8")

    def ingest(self) -> Report:
        found = sources.name_sources([self.folder])
        return Ingest(self.library, self.state, found, clock=lambda: NOW).run()

    def found(self, query: str) -> list[str]:
        ids = self.library.search(query, sort="newest").ids
        return sorted(row.title for row in self.library.rows(ids))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "news"
    folder.mkdir()
    desk = Desk(folder, Library(tmp_path / "library.db"), State.open(tmp_path / "data" / "state.db"))
    yield desk
    desk.library.close()
    desk.state.close()


def test_rules_look_at_new_articles_alone(desk: Desk) -> None:
    rules.add(desk.state, "no beta", "title:beta", "hide", NOW)
    desk.write("old.md", "Old beta")
    assert desk.ingest().ruled == []
    desk.write("new.md", "New beta")
    desk.write("other.md", "Other")
    assert desk.ingest().ruled == ["hid 1 article"]
    assert desk.found("") == ["Old beta", "Other"]
    assert desk.found("is:hidden") == ["New beta"]
    desk.write("old.md", "Old beta, once more")  # changed, not new
    (desk.folder / "other.md").rename(desk.folder / "moved.md")
    assert desk.ingest().ruled == []
    assert desk.found("title:beta") == ["Old beta, once more"]


def test_every_action(desk: Desk) -> None:
    desk.ingest()
    for query, action in (
        ("a", "read"),
        ("b", "star"),
        ("c", "hide"),
        ("d", "tag to do"),
        ("d", "TAG  more"),
    ):
        rules.add(desk.state, "", query, action, NOW)
    desk.write("1.md", "a b")
    desk.write("2.md", "c")
    desk.write("3.md", "d a")
    report = desk.ingest()
    assert len(report.ruled) == 5
    assert desk.found("is:read") == ["a b", "d a"]
    assert desk.found("is:starred") == ["a b"]
    assert desk.found("is:hidden") == ["c"]
    assert desk.found('tag="to do" tag=more') == ["d a"]
    while desk.state.undo():
        pass
    sync(desk.library, desk.state)
    assert desk.found("is:unread -is:tagged -is:starred") == ["a b", "c", "d a"]


def test_what_a_rule_does_the_next_one_does_not_see(desk: Desk) -> None:
    desk.ingest()
    rules.add(desk.state, "", "beta", "hide", NOW)
    rules.add(desk.state, "", "beta is:unread", "read", NOW)
    desk.write("1.md", "beta")
    desk.ingest()
    assert desk.found("is:hidden is:read") == ["beta"]


def test_a_tag_of_a_rule_is_one_that_can_be_edited(desk: Desk) -> None:
    with pytest.raises(UsageError, match="no comma"):
        rules.add(desk.state, "", "title:x", "tag a,b", NOW)
    assert desk.state.rules() == []


def test_a_rule_can_be_switched_off(desk: Desk) -> None:
    desk.ingest()
    rules.add(desk.state, "", "beta", "hide", NOW)
    desk.state.change_rule(desk.state.rules()[0].id, enabled=False)
    desk.write("1.md", "beta")
    desk.ingest()
    assert desk.found("beta") == ["beta"]


@pytest.mark.parametrize("query", ["", "   ", "sort:heat", "qualty>3 beta", "is:", "(beta", '"beta'])
def test_what_is_not_understood_whole_is_no_rule(desk: Desk, query: str) -> None:
    with pytest.raises(UsageError, match="cannot be a rule"):
        rules.add(desk.state, "", query, "hide", NOW)
    with pytest.raises(UsageError, match="cannot be a rule"):
        rules.try_rule(desk.library, query, NOW)
    desk.ingest()
    desk.state.add_rule("from elsewhere", query, "hide")
    desk.write("1.md", "beta")
    desk.ingest()
    assert desk.found("is:hidden") == []


@pytest.mark.parametrize("action", ["", "burn", "tag", "read it", "tag  "])
def test_what_is_no_action(desk: Desk, action: str) -> None:
    with pytest.raises(UsageError):
        rules.add(desk.state, "", "beta", action, NOW)
    desk.ingest()
    desk.state.add_rule("from elsewhere", "beta", action)
    desk.write("1.md", "beta")
    desk.ingest()
    assert desk.found("is:unread") == ["beta"]


def test_an_index_built_anew_has_nothing_new(desk: Desk) -> None:
    desk.write("1.md", "beta")
    desk.ingest()
    rules.add(desk.state, "", "beta", "hide", NOW)
    desk.library.rebuild()
    desk.ingest()
    assert desk.found("beta") == ["beta"]


def test_arrived_before_a_crash_is_looked_at_after_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ingest()
    rules.add(desk.state, "", "beta", "hide", NOW)
    desk.write("1.md", "beta")

    def crash(*_: object) -> list[Change]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rules, "run", crash)
        with pytest.raises(KeyboardInterrupt):
            desk.ingest()
    assert desk.found("beta") == ["beta"]
    assert desk.ingest().ruled == ["hid 1 article"]
    assert desk.found("beta") == []
    assert desk.library.arrived() == []


def test_marks_that_cannot_be_kept_do_not_stop_the_news(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ingest()
    rules.add(desk.state, "", "beta", "hide", NOW)
    desk.write("1.md", "beta")

    def full(*_: object) -> Change:
        raise StoreReadOnly("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(desk.state, "set_hidden", full)
        assert desk.ingest().added == 1
    assert desk.found("beta") == ["beta"]
    assert desk.ingest().ruled == ["hid 1 article"]


def test_what_a_rule_did_before_the_file_was_away_can_be_taken_back(desk: Desk) -> None:
    desk.ingest()
    for action in ("hide", "tag later"):
        rules.add(desk.state, "", "beta", action, NOW)
    desk.write("1.md", "beta")
    away = desk.state.path.with_name("away.db")
    run = Ingest(desk.library, desk.state, sources.name_sources([desk.folder]), clock=lambda: NOW)
    run.ruled = lambda _: desk.state.path.rename(away)
    with pytest.raises(StoreDamaged, match="removed or replaced"):
        run.run()
    away.rename(desk.state.path)
    undone = desk.state.undo()
    assert undone is not None and undone.label == "undid: hid 1 article"
    assert desk.ingest().ruled == ["hid 1 article", "tagged 1 article"]  # neither had looked to the end


def test_a_trial_says_how_many_it_would_have_found(desk: Desk) -> None:
    for number in range(30):
        desk.write(f"{number:02}.md", "beta" if number % 3 == 0 else "other")
    desk.ingest()
    desk.state.set_hidden(["file:news/00.md"], True)
    sync(desk.library, desk.state)
    assert str(rules.try_rule(desk.library, "beta", NOW)) == "would have matched 9 of the last 30"
    trial = rules.try_rule(desk.library, "other", NOW, last=12)
    assert trial.total == 12
    assert 6 <= trial.found <= 9


def test_muting(desk: Desk) -> None:
    desk.ingest()
    rules.mute(desk.state, Place(PlaceKind.TOPIC, 'The "C++"'))
    rules.mute(desk.state, Place(PlaceKind.OUTLET, "Times"))
    desk.write("1.md", "one", "topics: ['the \"c++\"']\n")
    desk.write("2.md", "two", "provider: {name: Times}\n")
    desk.write("3.md", "three", "provider: {name: The Times}\ntopics: [C]\n")
    desk.ingest()
    assert desk.found("") == ["three"]
    with pytest.raises(UsageError, match="already"):
        rules.mute(desk.state, Place(PlaceKind.OUTLET, "Times"))
    with pytest.raises(UsageError):
        rules.mute(desk.state, EVERYTHING)
    assert [r.name for r in desk.state.rules()] == ['mute The "C++"', "mute Times"]


def test_exported_and_imported(desk: Desk, tmp_path: Path) -> None:
    desk.state.add_search('Näme "x"\n\t', "a\\b \x7f 😀 topic:x since:7d")
    desk.state.add_search("two", "is:unread")
    rules.add(desk.state, "r", "beta", "tag to do", NOW)
    desk.state.add_rule("off", "what:ever", "hide", enabled=False)
    text = rules.export(desk.state)
    other = State.open(tmp_path / "other" / "state.db")
    other.add_search("two", "is:unread")
    assert len(rules.import_(other, text, NOW)) == 3
    assert {(s.name, s.query) for s in other.searches()} == {(s.name, s.query) for s in desk.state.searches()}
    assert other.rules() == desk.state.rules()
    assert rules.import_(other, text, NOW) == []
    other.close()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip), min_size=2))
@settings(max_examples=60, deadline=None)
def test_any_text_survives_export(words: list[str]) -> None:
    class Two:
        """Just what is asked of a state."""

        def searches(self) -> list[object]:
            from reader.store.state import SavedSearch

            return [SavedSearch(n, word, words[0]) for n, word in enumerate(words)]

        def rules(self) -> list[object]:
            return []

    text = rules.export(Two())  # type: ignore[arg-type]
    assert rules._read(text, NOW)[0] == [(word, words[0]) for word in words]


@pytest.mark.parametrize(
    "text",
    [
        "x", "[search]\nname='a'", "search = 3", "[[search]]\nname='a'", "[[search]]\nname=''\nquery='a'",
        "[[other]]",
        "[[rule]]\nname='a'\nquery='b'", "[[rule]]\nname='a'\nquery='b'\naction='burn'",
        "[[rule]]\nname='a'\nquery=''\naction='hide'",
        "[[rule]]\nname='a'\nquery='b'\naction='hide'\nenabled=3",
    ],
)  # fmt: skip
def test_an_import_is_all_or_nothing(desk: Desk, text: str) -> None:
    good = "[[search]]\nname='good'\nquery='good'\n"
    with pytest.raises(UsageError):
        rules.import_(desk.state, f"{text}\n{good}", NOW)
    assert desk.state.searches() == []
