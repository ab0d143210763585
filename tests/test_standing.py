"""Files read anew: what says the same changes nothing, what is nothing to a story leaves it as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reader.ingest import Ingest, Report
from reader.sources import Source
from reader.store.library import Library
from reader.store.rows import ArticleRow
from reader.store.state import State
from reader.store.writer import Batch

FILE = """---
title: {title}
webUrl: https://example.org/one
publishedDateTime: {when}
heat: {heat}
topics: [Space]
related:
  - title: The same elsewhere
    webUrl: https://example.com/other
---
{body}
"""
BEFORE = {"title": "A ring of light", "when": "2019-04-10T13:07:00Z", "heat": 3, "body": "words of it"}


class News:
    """A folder with one article, and its library."""

    def __init__(self, root: Path) -> None:
        (root / "in").mkdir()
        self.file = root / "in" / "one.md"
        self.library = Library(root / "library.db")
        self.state = State.open(root / "state.db")
        self.sources = [Source("in", root / "in")]
        self.turn = 0

    def write(self, **changes: object) -> Report:
        self.turn += 1
        self.file.write_text(FILE.format(**(BEFORE | changes)))
        os.utime(self.file, (1_600_000_000 + self.turn,) * 2)
        return Ingest(self.library, self.state, self.sources).run()

    @property
    def row(self) -> ArticleRow:
        (row,) = self.library.rows(self.library.ids())
        return row

    def stories(self) -> list[tuple[object, ...]]:
        return self.library.db.execute("SELECT id, key, lead FROM story ORDER BY id").fetchall()

    def whole(self) -> None:
        """The full-text index holds what it should, and the counters are right."""
        db = self.library.db
        db.execute("INSERT INTO fts(fts, rank) VALUES ('integrity-check', 0)")
        assert self.library.total() == 1
        counted = db.execute("SELECT count(*) FROM placing p JOIN section s ON s.id = p.section").fetchone()
        assert counted == db.execute("SELECT sum(total) FROM section").fetchone()


@pytest.fixture
def news(tmp_path: Path) -> News:
    made = News(tmp_path)
    made.write()
    return made


def test_the_same_again_changes_nothing(news: News) -> None:
    row, stories, era = news.row, news.stories(), news.library.meta("era")
    report = news.write()
    assert report.changed == 1  # the file is another
    assert (news.row, news.stories(), news.library.meta("era")) == (row, stories, era)
    assert news.write().changed == 1 and Ingest(news.library, news.state, news.sources).run().changed == 0
    news.whole()


@pytest.mark.parametrize("change", [{"heat": 900}, {"body": "quite other ones"}])
def test_what_is_nothing_to_a_story_leaves_it(news: News, change: dict[str, object]) -> None:
    row, stories = news.row, news.stories()
    news.write(**change)
    assert news.row.id == row.id
    assert news.stories() == stories
    assert news.row.heat == change.get("heat", row.heat)
    found = {word: len(news.library.search(word).ids) for word in ("words", "quite")}
    assert found == ({"words": 0, "quite": 1} if "body" in change else {"words": 1, "quite": 0})
    news.whole()


def test_another_title_makes_its_story_anew_at_the_same_place(news: News) -> None:
    row = news.row
    news.write(title="A shadow in the ring")
    assert news.row.id == row.id
    assert ("https://example.org/one", row.id) in [(key, lead) for _, key, lead in news.stories()]
    assert not news.library.search("light").ids and news.library.search("shadow").ids
    news.whole()


def test_another_time_moves_it(news: News) -> None:
    row = news.row
    news.write(when="2020-01-01T00:00:00Z")
    assert news.row.id > row.id
    news.whole()


def test_a_file_that_breaks_and_heals(news: News) -> None:
    row = news.row
    news.file.write_text("")
    os.utime(news.file, (1_700_000_000,) * 2)
    assert Ingest(news.library, news.state, news.sources).run().problems == 1
    assert news.library.total() == 0
    assert news.write().cleared == 1
    assert news.row.title == row.title
    news.whole()


def test_a_mark_made_meanwhile_is_counted(news: News, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the copying of marks and the writing of a change the reader may go on."""
    write = Ingest._write

    def marked(self: Ingest, batch: Batch) -> int:
        news.state.set_read([news.row.key], True)
        return write(self, batch)

    monkeypatch.setattr(Ingest, "_write", marked)
    news.write(body="other words")
    Ingest(news.library, news.state, news.sources).run()
    assert news.row.read
    assert not any(place.unread for place in news.library.places(0))
    news.whole()
