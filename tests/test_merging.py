"""The parts of the full-text index become one, and nothing else changes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from ui_tools import desk, make_session, write_many

from reader.model import Article
from reader.store import merging
from reader.store.library import Library
from reader.store.merging import merge, parts
from reader.store.writer import Batch, Writer


def _words(n: int) -> str:
    return " ".join(f"w{n * word % 977}" for word in range(30))


def _batch(library: Library, number: int) -> None:
    articles = [
        Article(
            key=f"file:{number}-{n}",
            path=f"s/{number}-{n}.md",
            title=f"word{n} common batch{number} {_words(n)}",
        )
        for n in range(150)
    ]
    Writer(library).apply(Batch(articles=articles), lambda _: {}, lambda _: {})


def test_parts_become_one_and_searches_find_the_same(tmp_path: Path) -> None:
    library = Library(tmp_path / "library.db")
    for number in range(3):
        _batch(library, number)
    queries = ("common", "word7", "word*", "batch1 word3", "nothing")
    found = [library.search(query).ids for query in queries]
    assert len(parts(library)) == 3 and len(found[0]) == 450
    assert not merge(library, lambda: False)  # too little to be worth it
    assert not merge(library, lambda: True, small=0)  # somebody wants to leave
    assert len(parts(library)) == 3
    assert merge(library, lambda: False, small=0)
    assert len(parts(library)) == 1
    assert [library.search(query).ids for query in queries] == found
    library.db.execute("INSERT INTO fts(fts) VALUES('integrity-check')")
    assert not merge(library, lambda: False, small=0)
    _batch(library, 3)
    assert library.count("common") == 600 and library.count("batch3") == 150
    library.close()


def test_what_was_begun_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reader.store.merging._SLICE", 1)
    library = Library(tmp_path / "library.db")
    for number in range(3):
        _batch(library, number)
    asked = iter((False, False, True))
    assert not merge(library, lambda: next(asked), small=0)
    assert len(parts(library)) > 1
    assert library.count("common") == 450 and library.count("batch1 word3") == 1
    assert merge(library, lambda: False, small=0)
    assert len(parts(library)) == 1
    assert library.count("common") == 450 and library.count("batch1 word3") == 1
    library.db.execute("INSERT INTO fts(fts) VALUES('integrity-check')")
    library.close()


async def test_the_screen_does_it_some_time_after_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reader.ui.refreshing._MERGE_AFTER", 0.01)
    monkeypatch.setattr("reader.store.merging.merge", partial(merge, small=0))
    write_many(tmp_path / "news", 3)
    session = make_session(tmp_path, tmp_path / "news")
    _batch(session.library, 0)
    _batch(session.library, 1)
    assert len(parts(session.library)) == 2
    async with desk(session) as d:
        await d.until(lambda: len(parts(session.library)) == 1)


def test_a_load_merges_nothing_on_its_way_and_later_rows_do_again(tmp_path: Path) -> None:
    library = Library(tmp_path / "library.db")
    writer = Writer(library)

    def merging_parts() -> int:
        row = library.db.execute("SELECT v FROM fts_config WHERE k = 'automerge'").fetchone()
        return int(row[0])

    with writer.loading():
        assert merging_parts() == merging.NEVER
    assert merging_parts() == merging.USUAL
    with pytest.raises(KeyError), writer.loading():
        raise KeyError
    assert merging_parts() == merging.USUAL
    library.close()
