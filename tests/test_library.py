"""The library against a plain Python model of it: nothing it shows may drift from what is in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reader.errors import NotFound, StoreBusy, StoreDamaged, StoreError, StoreReadOnly
from reader.model import Article, FieldWarning, LinkCheck, Mark, Outcome, Problem, Provider, Related
from reader.store import library_schema as schema
from reader.store import ordering
from reader.store.library import Library
from reader.store.rows import BROKEN_OUTCOMES, VIEWS, ArticleRow, Place, PlaceKind, Sort
from reader.store.writer import Batch, Writer

TODAY = int(datetime(2024, 5, 1, tzinfo=UTC).timestamp())

PATHS = [f"news/{folder}/{name}.md" for folder in ("a", "b%_") for name in "uvwxyz"]
ADDRESSES = [f"https://x.example/{n}" for n in range(5)]
TIMES = [
    None,
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2020, 6, 11, 0, 1, tzinfo=UTC),
    datetime(2020, 6, 11, 0, 1, 59, 999_999, tzinfo=UTC),
    datetime(2024, 4, 30, 23, 59, tzinfo=UTC),
    datetime(2024, 5, 1, tzinfo=UTC),
    datetime(2024, 5, 1, 12, 30, tzinfo=UTC),
    datetime(9999, 12, 31, tzinfo=UTC),
]
NUMBERS = st.sampled_from([None, -1, 0, 1, 5, 189, 10**30])
WORDS = st.sampled_from(["", "Straße 100%", "ÖL und Gas", "a_b", "ab", "Äpfel \x1b[31m", "İstanbul", "gas"])

articles = st.builds(
    Article,
    path=st.sampled_from(PATHS),
    key=st.just(""),
    title=WORDS,
    excerpt=WORDS,
    type=st.sampled_from(["article", "video", ""]),
    published_at=st.sampled_from(TIMES),
    web_url=st.sampled_from(["", *ADDRESSES]),
    quality=NUMBERS,
    heat=NUMBERS,
    published=st.sampled_from([True, False, None]),
    provider=st.sampled_from(
        [
            Provider(),
            Provider("Alpha", "a.example"),
            Provider("", "b.example"),
            Provider("alpha"),
            Provider("Zeta"),
        ]
    ),
    topics=st.lists(st.sampled_from(["Science", "science", " Science\u200b", "", "Öl"]), max_size=4).map(
        tuple
    ),
    related=st.lists(st.builds(Related, key=st.sampled_from(["", *ADDRESSES]), title=WORDS), max_size=4).map(
        tuple
    ),
    warnings=st.sampled_from([(), (FieldWarning(3, "heat", "odd\x07"),)]),
).map(lambda a: replace(a, key=a.web_url or f"file:{a.path}"))

keys = st.sampled_from([*ADDRESSES, *(f"file:{path}" for path in PATHS[:4])])


class LibraryMachine(RuleBasedStateMachine):
    """Random batches, marks and checks; after each step every counter and list is counted anew."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.library = Library(self.folder / "library.db")
        self.files: dict[str, Article | Problem] = {}
        self.marks: dict[str, Mark] = {}
        self.checks: dict[str, LinkCheck] = {}
        self.seq = 0

    def teardown(self) -> None:
        self.library.check()
        self.library.close()
        shutil.rmtree(self.folder)

    # -- what can happen ---------------------------------------------------------

    @rule(
        found=st.lists(articles, max_size=5, unique_by=lambda a: a.path),
        gone=st.lists(st.sampled_from(PATHS)),
    )
    def files_change(self, found: list[Article], gone: list[str]) -> None:
        gone = [path for path in dict.fromkeys(gone) if path not in {a.path for a in found}]
        known = len(
            [path for path in (*gone, *(a.path for a in found)) if isinstance(self.files.get(path), Problem)]
        )
        cleared = Writer(self.library).apply(Batch(articles=found, removed=gone), self._marks, self._checks)
        assert cleared == known
        for path in gone:
            self.files.pop(path, None)
        self.files.update({a.path: a for a in found})

    @rule(path=st.sampled_from(PATHS))
    def a_file_breaks(self, path: str) -> None:
        problem = Problem(path, 4, "bad\x1b[2J")
        Writer(self.library).apply(Batch(problems=[problem]), self._marks, self._checks)
        self.files[path] = problem

    @rule(some=st.dictionaries(keys, st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1))
    def marks_change(self, some: dict[str, tuple[bool, bool, bool]]) -> None:
        changed = []
        for key, (read, starred, hidden) in some.items():
            self.seq += 1
            changed.append(Mark(key, read, starred, hidden, seq=self.seq))
        self.marks.update({mark.key: mark for mark in changed})
        Writer(self.library).sync(changed, [])
        assert self.library.meta("marks_seq") == self.seq

    @rule(address=st.sampled_from(ADDRESSES), outcome=st.sampled_from(list(Outcome)))
    def a_link_is_checked(self, address: str, outcome: Outcome) -> None:
        check = LinkCheck(address, outcome, datetime(2024, 1, 1, tzinfo=UTC))
        self.checks[address] = check
        self.seq += 1
        Writer(self.library).sync([], [(self.seq, check)])

    @precondition(lambda self: self.marks or self.checks)
    @rule(state=st.sampled_from(["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"]))
    def another_state_comes(self, state: str) -> None:
        before = self.library.meta("state")
        Writer(self.library).adopt(state, self.seq)
        if before != int(state[:12], 16):
            self.marks.clear()
            self.checks.clear()

    @rule()
    def it_is_opened_again(self) -> None:
        self.library.close()
        self.library = Library(self.folder / "library.db")
        assert not self.library.rebuilt

    def _marks(self, wanted: Iterable[str]) -> Mapping[str, Mark]:
        return {key: self.marks[key] for key in wanted if key in self.marks}

    def _checks(self, wanted: Iterable[str]) -> Mapping[str, LinkCheck]:
        return {address: self.checks[address] for address in wanted if address in self.checks}

    # -- what must hold -----------------------------------------------------------

    def mark(self, article: Article) -> Mark:
        return self.marks.get(article.key) or Mark(article.key)

    def link(self, article: Article) -> Outcome | None:
        check = self.checks.get(article.web_url)
        return check.outcome if check else None

    def articles(self) -> list[Article]:
        return [found for found in self.files.values() if isinstance(found, Article)]

    def inside(self, article: Article, place: Place) -> bool:
        mark, link = self.mark(article), self.link(article)
        if mark.hidden:
            return False
        match place.kind:
            case PlaceKind.ALL:
                return True
            case PlaceKind.UNREAD:
                return not mark.read
            case PlaceKind.STARRED:
                return mark.starred
            case PlaceKind.TODAY:
                return article.published_at is not None and article.published_at.timestamp() >= TODAY
            case PlaceKind.UNPUBLISHED:
                return article.published is False
            case PlaceKind.BROKEN:
                return link is not None and link.value in BROKEN_OUTCOMES
            case PlaceKind.TOPIC:
                return place.name in {topic.replace("\u200b", "").strip() for topic in article.topics}
            case PlaceKind.OUTLET:
                return place.name == (article.provider.name or article.provider.domain)
        raise AssertionError(place)

    @invariant()
    def places_count_right(self) -> None:
        rows = self.library.places(TODAY)
        assert [row.place.kind for row in rows[: len(VIEWS)]] == list(VIEWS)
        names = {row.place for row in rows}
        assert len(names) == len(rows)
        visible = [a for a in self.articles() if not self.mark(a).hidden]
        topics = {t.replace("\u200b", "").strip() for a in visible for t in a.topics} - {""}
        outlets = {a.provider.name or a.provider.domain for a in visible} - {""}
        assert {p.name for p in names if p.kind is PlaceKind.TOPIC} == topics
        assert {p.name for p in names if p.kind is PlaceKind.OUTLET} == outlets
        for row in rows:
            inside = [a for a in self.articles() if self.inside(a, row.place)]
            unread = [a for a in inside if not self.mark(a).read]
            assert (row.total, row.unread) == (len(inside), len(unread)), row.place
        assert self.library.total() == len(visible)
        for kind in (PlaceKind.TOPIC, PlaceKind.OUTLET):
            totals = [row.total for row in rows if row.place.kind is kind]
            assert totals == sorted(totals, reverse=True)

    @invariant()
    def lists_hold_what_they_should(self) -> None:
        places = [row.place for row in self.library.places(TODAY)]
        for place in [*places, Place(PlaceKind.TOPIC, "nobody's")]:
            inside = sorted(a.path for a in self.articles() if self.inside(a, place))
            unread = sorted(
                a.path for a in self.articles() if self.inside(a, place) and not self.mark(a).read
            )
            for sort in Sort:
                rows = self.library.rows(self.library.ids(place, sort, today=TODAY))
                assert sorted(row.path for row in rows) == inside
                assert [_sort_key(sort, row) for row in rows] == sorted(_sort_key(sort, row) for row in rows)
                only = self.library.rows(self.library.ids(place, sort, today=TODAY, unread=True))
                assert sorted(row.path for row in only) == unread
                for unread_only in (False, True):
                    self._both_ends(place, sort, unread=unread_only)

    def _both_ends(self, place: Place, sort: Sort, *, unread: bool) -> None:
        """However the first and the last of a list are found, they are those of the whole."""
        whole = self.library.ids(place, sort, today=TODAY, unread=unread)
        assert self.library.ids(place, sort, today=TODAY, unread=unread, last=True) == whole
        with walking():
            asked = {"today": TODAY, "unread": unread, "limit": 2}
            assert self.library.ids(place, sort, **asked) == whole[:2]
            assert self.library.ids(place, sort, **asked, last=True) == whole[-2:]

    @invariant()
    def narrowing_finds_words_in_any_case(self) -> None:
        everything = self.library.rows(self.library.ids())
        for narrow in ("", "GAS", "öl", "ÖL gas", "100%", "a_b", "%", "straße", "\\", "STRASSE"):
            wanted = [row.path for row in everything if _narrowed(row, narrow)]
            found = [row.path for row in self.library.rows(self.library.ids(narrow=narrow))]
            assert found == wanted, narrow

    @invariant()
    def rows_say_what_the_files_say(self) -> None:
        everything = {row.path: row for row in self._all_rows()}
        assert set(everything) == {a.path for a in self.articles()}
        for article in self.articles():
            row, mark = everything[article.path], self.mark(article)
            assert (row.key, row.url, row.front) == (article.key, article.web_url, article.published)
            assert (row.read, row.starred, row.link) == (mark.read, mark.starred, self.link(article))
            assert row.coverage == len(article.related)
            assert row.heat == (None if article.heat == 10**30 else article.heat)
            epoch = article.published_at and int(article.published_at.replace(microsecond=0).timestamp())
            assert row.published == epoch
            assert "\x1b" not in row.title + row.excerpt
            assert self.library.at(article.path) == row
            assert {r.path for r in self.library.by_key(article.key)} == {
                a.path for a in self.articles() if a.key == article.key
            }

    def _all_rows(self) -> list[ArticleRow]:
        db = sqlite3.connect(self.folder / "library.db")
        try:
            return self.library.rows([i for (i,) in db.execute("SELECT id FROM article")])
        finally:
            db.close()

    @invariant()
    def coverage_is_a_graph(self) -> None:
        by_key: dict[str, list[Article]] = {}
        for article in self.articles():
            by_key.setdefault(article.key, []).append(article)
        for row in self._all_rows():
            article = self.files[row.path]
            assert isinstance(article, Article)
            listed = {r.key for r in article.related if r.key and r.key != article.key}
            listing = {
                other.key
                for other in self.articles()
                if other.key != article.key and article.key in {r.key for r in other.related}
            }
            unkeyed = sum(not r.key for r in article.related)
            pieces = self.library.coverage(row.id)
            assert {p.key for p in pieces if p.key} == listed | listing
            assert len(pieces) == len(listed | listing) + unkeyed
            for piece in pieces:
                assert (piece.article is not None) == (piece.key in by_key)
                assert piece.listed_by == (bool(piece.key) and piece.key not in listed)
            times = [p.published for p in pieces if p.published is not None]
            assert times == sorted(times)

    @invariant()
    def problems_are_those_of_the_files(self) -> None:
        told = [(p.path, p.field, p.warning) for p in self.library.problems()]
        broken = [(p.path, "", False) for p in self.files.values() if isinstance(p, Problem)]
        warned = [(a.path, w.field, True) for a in self.articles() for w in a.warnings]
        assert sorted(told) == sorted(broken + warned)
        assert self.library.problem_count() == len(broken)
        assert all("\x1b" not in p.reason and "\x07" not in p.reason for p in self.library.problems())


@contextlib.contextmanager
def walking(patience: int = 20_000) -> Iterator[None]:
    """Meanwhile small places, too, are looked for along the orders of all articles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "_PATIENCE", patience)
        patch.setattr(ordering, "_SORTED", dict.fromkeys(ordering._SORTED, 0.0))
        yield


def _sort_key(sort: Sort, row: ArticleRow) -> tuple[object, ...]:
    newest = -row.id
    match sort:
        case Sort.NEWEST:
            return (row.published is None, -(row.published or 0) // 60)
        case Sort.OLDEST:
            return (row.published is not None, (row.published or 0) // 60)
        case Sort.HEAT:
            return (row.heat is None, -(row.heat or 0), newest)
        case Sort.QUALITY:
            return (row.quality is None, -(row.quality or 0), newest)
        case Sort.COVERAGE:
            return (-row.coverage, newest)
        case Sort.OUTLET:
            return (row.outlet == "", row.outlet.casefold(), newest)


def _narrowed(row: ArticleRow, narrow: str) -> bool:
    texts = [text.casefold() for text in (row.title, row.outlet, row.excerpt)]
    lower = [text.lower() for text in (row.title, row.outlet, row.excerpt)]
    return all(
        any((word.lower() in text) for text in lower)
        if word.isascii()
        else any(word.casefold() in text for text in texts)
        for word in narrow.split()
    )


TestLibraryMachine = LibraryMachine.TestCase
TestLibraryMachine.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


# -- opening --------------------------------------------------------------------------


def no_marks(_: Iterable[str]) -> Mapping[str, Mark]:
    return {}


def no_links(_: Iterable[str]) -> Mapping[str, LinkCheck]:
    return {}


def fill(library: Library, *paths: str) -> None:
    found = [Article(key=f"file:{path}", path=path, title=path) for path in paths]
    Writer(library).apply(Batch(articles=found), no_marks, no_links)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.db")
    yield made
    made.close()


def test_it_is_there_again(library: Library) -> None:
    fill(library, "n/a.md")
    library.close()
    again = Library(library.path)
    assert (again.total(), again.rebuilt) == (1, False)
    again.close()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"no database at all",
        b"SQLite format 3\0" + bytes(4_000),
        os.urandom(9_000),
    ],
    ids=["empty", "text", "header alone", "noise"],
)
def test_another_file_in_its_place_is_rebuilt(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "library.db"
    path.write_bytes(damage)
    library = Library(path)
    assert library.rebuilt
    fill(library, "n/a.md")
    library.check()
    library.close()


@pytest.mark.parametrize(
    "change",
    [
        "PRAGMA user_version = 999",
        "PRAGMA user_version = 0",
        "PRAGMA application_id = 1",
        "DROP TABLE section",
        "DROP TABLE meta",
    ],
)
def test_another_version_is_rebuilt(library: Library, change: str) -> None:
    fill(library, "n/a.md")
    library.close()
    db = sqlite3.connect(library.path)
    db.execute(change)
    db.commit()
    db.close()
    again = Library(library.path)
    assert (again.rebuilt, again.total()) == (True, 0)
    assert again.meta("generation") == 0
    again.close()


@pytest.mark.slow  # it waits for the other, five seconds
def test_a_busy_library_is_not_thrown_away(tmp_path: Path, library: Library) -> None:
    fill(library, "n/a.md")
    library.close()
    db = sqlite3.connect(library.path, isolation_level=None)
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    db.execute("INSERT OR REPLACE INTO meta VALUES ('x', 1)")
    with pytest.raises(StoreBusy):
        Library(library.path)
    db.execute("ROLLBACK")
    db.close()
    again = Library(library.path)
    assert (again.total(), again.rebuilt) == (1, False)
    again.close()


def test_places_where_none_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreReadOnly):
        Library(tmp_path / "file/below/library.db")
    (tmp_path / "library.db").mkdir()
    with pytest.raises(StoreReadOnly):
        Library(tmp_path / "library.db")


def test_many_open_a_new_one_at_once(tmp_path: Path) -> None:
    made: list[Library] = []

    def make(n: int) -> None:
        library = Library(tmp_path / "library.db")
        fill(library, f"n/{n}.md")
        made.append(library)

    threads = [threading.Thread(target=make, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [library.total() for library in made] == [8] * 8
    for library in made:
        library.close()


def test_flipped_bytes_give_rows_a_new_index_or_our_own_error(tmp_path: Path, library: Library) -> None:
    fill(library, *(f"n/{n}.md" for n in range(60)))
    library.close()
    sound = library.path.read_bytes()
    outcomes = set()
    heads = range(0, len(sound), int.from_bytes(sound[16:18], "big"))
    for number, head in enumerate(heads):
        at = (head or 100) + number % 9  # a page says there how it is to be read
        data = bytearray(sound)
        data[at] ^= 0x41
        path = tmp_path / "flipped.db"
        for old in tmp_path.glob("flipped.db*"):
            old.unlink()
        path.write_bytes(data)
        hurt = Library(path)
        try:
            hurt.places(TODAY)
            hurt.rows(hurt.ids())
            hurt.problems()
            hurt.folders("n")
            outcomes.add("rebuilt" if hurt.rebuilt else "read")
        except StoreError:
            outcomes.add("told")
        hurt.rebuild()
        assert hurt.total() == 0
        hurt.close()
    assert outcomes >= {"read", "rebuilt"}


def test_rebuilding_while_others_read(library: Library) -> None:
    fill(library, *(f"n/{n}.md" for n in range(200)))
    stop = threading.Event()
    wrong: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                assert len(library.rows(library.ids())) in (0, 200)
        except StoreError:
            pass  # the moment between two files
        except AssertionError as error:
            wrong.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        library.rebuild()
        fill(library, *(f"n/{n}.md" for n in range(200)))
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert library.total() == 200


def test_writing_to_a_library_that_was_replaced(library: Library) -> None:
    fill(library, "n/a.md")
    other = Library(library.path)
    other.rebuild()
    with pytest.raises(StoreDamaged):
        fill(library, "n/b.md")
    library.rebuild()  # takes the other's
    fill(library, "n/b.md")
    assert other.total() == library.total() == 1
    other.close()


# -- finding ----------------------------------------------------------------------------


def test_a_place_that_a_walk_does_not_meet_is_sorted(library: Library) -> None:
    """All of the topic come last in every order, behind more of others than a walk is patient with."""

    def article(n: int) -> Article:
        mine = n >= 20
        name = ("", "Zeta")[n % 2] if mine else "Alpha"
        return Article(
            key=f"file:{n}",
            path=f"{n}.md",
            title="",
            heat=-n,
            quality=-n,
            related=() if mine else (Related(""),),
            provider=Provider(name),
            topics=("Öl",) if mine else (),
        )

    Writer(library).apply(Batch(articles=[article(n) for n in range(30)]), no_marks, no_links)
    place = Place(PlaceKind.TOPIC, "Öl")
    for sort in Sort:
        whole = library.ids(place, sort)
        assert len(whole) == 10
        for patience in (0, 20_000):
            with walking(patience):
                assert library.ids(place, sort, limit=9) == whole[:9]
                assert library.ids(place, sort, limit=2) == whole[:2]
                assert library.ids(place, sort, limit=2, last=True) == whole[-2:]


def test_find(library: Library) -> None:
    fill(library, "n/a/x.md", "n/b/x.md", "n/b/yx.md", "n/c%d.md", "n/cxd.md", "m/n/a/x.md")
    assert library.find("n/a/x.md").path == "n/a/x.md"  # whole, though the end of another
    assert library.find("b/x.md").path == "n/b/x.md"
    assert library.find("file:n/b/x.md").path == "n/b/x.md"
    assert library.find("yx.md").path == "n/b/yx.md"
    assert library.find("c%d.md").path == "n/c%d.md"
    assert library.find("%d.md").path == "n/c%d.md"
    for unknown in ("x.md", "nothing", "", "_.md", "/"):
        with pytest.raises(NotFound):
            library.find(unknown)


def test_articles_of_one_moment_all_have_their_place(library: Library) -> None:
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    found = [Article(f"file:n/{n}.md", f"n/{n}.md", str(n), published_at=noon) for n in range(300)]
    writer = Writer(library)
    for start in range(0, 300, 70):
        writer.apply(Batch(articles=found[start : start + 70]), no_marks, no_links)
    assert len(set(library.ids())) == 300
    undated = [Article(f"file:m/{n}.md", f"m/{n}.md", str(n)) for n in range(100)]
    Writer(library).apply(Batch(articles=undated), no_marks, no_links)
    rows = library.rows(library.ids(sort=Sort.OLDEST))
    assert [row.published is None for row in rows] == [True] * 100 + [False] * 300
    assert all(row.id < schema.date_key(-(10**11)) for row in rows[:100])


def test_a_failed_batch_changes_nothing(library: Library) -> None:
    fill(library, "n/a.md")
    generation = library.meta("generation")
    twice = [Article("file:n/b.md", "n/b.md", "b"), Article("file:n/b.md", "n/b.md", "b")]
    with pytest.raises(StoreError):
        Writer(library).apply(Batch(articles=twice, removed=["n/a.md"]), no_marks, no_links)
    assert [row.path for row in library.rows(library.ids())] == ["n/a.md"]
    assert (library.total(), library.meta("generation")) == (1, generation)


FLAGS = [
    (read, starred, hidden) for read in (False, True) for starred in (False, True) for hidden in (False, True)
]


@pytest.mark.parametrize("before", FLAGS)
@pytest.mark.parametrize("after", FLAGS)
def test_every_change_of_a_mark_is_counted(
    library: Library, before: tuple[bool, bool, bool], after: tuple[bool, bool, bool]
) -> None:
    one = Article("https://x.example/", "n/a.md", "A", published=False, topics=("t",), provider=Provider("O"))
    copy = replace(one, path="n/b.md")
    other = Article("file:n/c.md", "n/c.md", "C", topics=("t",))
    first = {one.key: Mark(one.key, *before, seq=1)}
    Writer(library).apply(Batch(articles=[one, other]), lambda _: first, no_links)
    Writer(library).apply(
        Batch(articles=[copy]), no_marks, no_links
    )  # not marked yet, as another process may do
    Writer(library).sync([Mark(one.key, *after, seq=2)], [])
    read, starred, hidden = after
    seen = 0 if hidden else 2
    unread = 0 if read else seen
    counts = {(row.place.kind, row.place.name): (row.total, row.unread) for row in library.places(TODAY)}
    assert counts[PlaceKind.ALL, ""] == (seen + 1, unread + 1)
    assert counts[PlaceKind.UNREAD, ""] == (unread + 1, unread + 1)
    assert counts[PlaceKind.STARRED, ""] == ((seen, unread) if starred else (0, 0))
    assert counts[PlaceKind.UNPUBLISHED, ""] == (seen, unread)
    assert counts[PlaceKind.TOPIC, "t"] == (seen + 1, unread + 1)
    assert counts.get((PlaceKind.OUTLET, "O"), (0, 0)) == (seen, unread)
    assert len(library.ids()) == seen + 1
    assert len(library.ids(Place(PlaceKind.UNREAD))) == unread + 1
