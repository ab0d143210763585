"""An index with any page lost, cut off anywhere or of another program: what is shown is right soon."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from library_tools import dump

from reader.errors import StoreError
from reader.ingest import Ingest
from reader.sources import Source
from reader.store.checking import DailyCheck
from reader.store.library import Library
from reader.store.query.parsing import parse
from reader.store.state import State, utc_now
from tests.ui_tools import small_folder, write


class Desk:
    """A sound index of a small archive, to be hurt in copies."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources = [Source("news", small_folder(root / "news"))]
        write(root / "news", "broken", title=[1])
        for n in range(30):
            write(root / "news" / "more", f"more-{n}", f"Words of body {n}. " * 40, topics=[f"t{n % 9}"])
        self.state = State.open(root / "data" / "state.db")
        self.sound = root / "sound.db"
        library = Library(self.sound)
        self.run(library)
        self.state.set_starred([row.key for row in library.rows(library.ids())[:5]], True)
        self.run(library)
        library.close()
        self.expected = dump(self.sound)
        self.bytes = self.sound.read_bytes()
        self.page = int.from_bytes(self.bytes[16:18], "big")
        self.path = root / "hurt.db"

    def run(self, library: Library) -> None:
        Ingest(library, self.state, self.sources).run()

    def comes_back(self, data: bytes) -> str:
        """When it was right: at the first opening, or at the second, having been doubted."""
        for old in self.root.glob("hurt.db*"):
            old.unlink()
        self.path.write_bytes(data)
        for word in ("at once", "at the next opening"):
            library = Library(self.path)
            try:
                self.run(library)
                look(library)
            except StoreError as error:
                assert library.doubt(error), error
                continue
            finally:
                library.close()
            return word if dump(self.path) == self.expected else "never"
        return "never"


def look(library: Library) -> None:
    """All that a reader sees of it."""
    library.places(utc_now().date().toordinal())
    rows = library.rows(library.ids())
    library.problems()
    for row in rows:
        library.by_key(row.key)
        library.coverage(row.id)
        library.telling([row.id])
    for query in ("words", "topic:t1", "outlet:aurora", "is:starred"):
        for sort in ("newest", "heat", "quality", "coverage"):
            library.search(parse(query, utc_now()), sort=sort)
    for story in library.stories():
        library.pieces(story.id)
    library.pieces_of([row.key for row in rows])
    library.keys_of([row.path for row in rows])
    library.paths_below("news")
    library.link_facts()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("damage"))
    yield desk
    desk.state.close()


def zeroed(desk: Desk, page: int) -> bytes:
    size = desk.page
    return desk.bytes[: page * size] + bytes(size) + desk.bytes[(page + 1) * size :]


def others(desk: Desk) -> list[bytes]:
    """What may lie in its place: nothing, text, zeros, another program's database, the marks."""
    foreign = desk.root / "foreign.db"
    db = sqlite3.connect(foreign)
    db.execute("CREATE TABLE IF NOT EXISTS article(a)")
    db.commit()
    db.close()
    marks = desk.root / "marks.db"
    shutil.copy(desk.state.path, marks)
    return [b"", b"news" * 9_000, bytes(36_864), foreign.read_bytes(), marks.read_bytes()]


def all_come_back(desk: Desk, many: list[bytes]) -> set[str]:
    how = {desk.comes_back(data) for data in many}
    assert "never" not in how
    return how


def test_some_pages_lost_some_cuts_and_other_files(desk: Desk) -> None:
    pages = len(desk.bytes) // desk.page
    db = sqlite3.connect(desk.sound)
    roots = dict(db.execute("SELECT name, rootpage FROM sqlite_master"))
    db.close()
    # The header, a table that opening looks at, an index that only a look for a key needs.
    many = [zeroed(desk, page) for page in (0, roots["section"] - 1, roots["article_key"] - 1)]
    many += [desk.bytes[:at] for at in (50, 3 * desk.page, (pages - 1) * desk.page + 7)]
    assert all_come_back(desk, [*many, others(desk)[1]]) == {"at once", "at the next opening"}


def half_zeroed(desk: Desk, half: int) -> bytes:
    size = desk.page // 2
    return desk.bytes[: half * size] + bytes(size) + desk.bytes[(half + 1) * size :]


def noticed(desk: Desk, data: bytes) -> bool:
    """Whether the daily look through the whole file tells of damage."""
    desk.path.write_bytes(desk.bytes)
    library = Library(desk.path)
    desk.path.write_bytes(data)
    try:
        DailyCheck(library).run()
    except StoreError as error:
        return library.doubt(error)
    finally:
        library.close()
        for old in desk.root.glob("hurt.db*"):
            old.unlink()
    return False


def test_half_a_page_lost_is_noticed_where_its_rows_lie(desk: Desk) -> None:
    with contextlib.closing(sqlite3.connect(desk.sound)) as db:
        pages = [row[0] for row in db.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 1")]
    hurt = [data for page in pages if (data := half_zeroed(desk, 2 * page - 1)) != desk.bytes]
    unnoticed = [data for data in hurt if not noticed(desk, data)]
    assert len(hurt) - len(unnoticed) > 20
    assert all(desk.comes_back(data) != "never" for data in unnoticed)  # an empty table's


def test_it_is_looked_through_once_a_day_and_may_be_stopped(desk: Desk) -> None:
    library = Library(desk.sound)
    check = DailyCheck(library)
    assert [check.run(now) for now in (1e9, 1e9 + 3_600, 1e9 + 90_000)] == [True, False, True]
    stopped = DailyCheck(library)
    stopped.stop()
    assert [stopped.run(2e9), check.run(2e9)] == [False, True]
    library.close()


@pytest.mark.slow
def test_each_half_page_lost_is_noticed_or_does_no_harm(desk: Desk) -> None:
    halves = 2 * len(desk.bytes) // desk.page
    unnoticed = [h for h in range(halves) if not noticed(desk, half_zeroed(desk, h))]
    assert [h for h in unnoticed if desk.comes_back(half_zeroed(desk, h)) == "never"] == []
    print(f"{halves} half pages, {len(unnoticed)} of them not noticed: right all the same")


@pytest.mark.slow
def test_each_page_lost_two_hundred_cuts_and_other_files(desk: Desk) -> None:
    pages = len(desk.bytes) // desk.page
    chance = random.Random(7)
    many = [zeroed(desk, page) for page in range(pages)]
    cuts = [desk.bytes[: chance.randrange(len(desk.bytes))] for _ in range(200)]
    assert all_come_back(desk, [*many, *cuts, *others(desk)]) == {"at once", "at the next opening"}
    print(f"{pages} pages, {len(cuts)} cuts, {len(others(desk))} other files")
