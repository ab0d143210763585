"""Searching through SQL against the plain filter of the query language, on real and made-up articles."""

from __future__ import annotations

import html
import random
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from reader import frontmatter, sources
from reader.address import canonical
from reader.errors import SearchStopped
from reader.folding import Folding
from reader.ingest import Ingest, sync
from reader.model import OUTCOMES, Article, LinkCheck, Mark, Outcome, Provider, Related
from reader.store import tallying
from reader.store.library import Library
from reader.store.preparing import outlet_name
from reader.store.query.matching import Facts, matches
from reader.store.query.nodes import State, walk
from reader.store.query.parsing import parse
from reader.store.rows import Place, PlaceKind, StoryRow
from reader.store.state import State as Marks
from reader.store.tallying import tally
from reader.store.writer import Batch, Writer

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def facts(article: Article, mark: Mark, link: Outcome | None, story: StoryRow | None) -> Facts:
    """*article* as the query language sees it, told plainly."""
    urls = (article.web_url, article.original_url, article.amp_url, article.cdn_amp_url)
    return Facts(
        key=article.key,
        title=html.unescape(article.title),
        excerpt=html.unescape(article.excerpt),
        body=html.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", " ", article.body)).strip(),
        related=tuple(html.unescape(r.title) for r in article.related),
        topics=tuple(article.topics),
        outlet=outlet_name(article.provider),
        domain=article.provider.domain,
        type=article.type,
        category=article.category,
        urls=tuple(filter(None, urls)),
        published_at=article.published_at and article.published_at.replace(microsecond=0),
        updated_at=article.updated_at and article.updated_at.replace(microsecond=0),
        quality=article.quality,
        heat=article.heat,
        coverage=len(article.related),
        outlets=story.outlets if story else 1,
        texts=story.texts if story else 1,
        published=article.published,
        sealed=bool(article.secured),
        story=story is not None and story.pieces > 1,
        has_image=bool(article.images),
        has_amp=bool(article.amp_url or article.cdn_amp_url),
        read=mark.read,
        starred=mark.starred,
        hidden=mark.hidden,
        note=mark.note,
        tags=mark.tags,
        link=OUTCOMES[link].group if link else "unchecked",
    )


@dataclass
class Archive:
    """A library and, beside it, the facts of every article by path."""

    library: Library
    state: Marks
    facts: dict[str, Facts]

    def expected(self, text: str) -> set[str]:
        root = parse(text, NOW, UTC).root
        shown = any(node == State("hidden") for node in walk(root))
        return {p for p, f in self.facts.items() if matches(root, f) and (shown or not f.hidden)}

    def found(self, text: str, **more: object) -> list[str]:
        ids = self.library.search(parse(text, NOW, UTC), **more).ids  # type: ignore[arg-type]
        return [row.path for row in self.library.rows(ids)]

    def check(self, text: str) -> int:
        expected = self.expected(text)
        found = self.found(text)
        assert len(found) == len(set(found)), text
        assert set(found) == expected, text
        query = parse(text, NOW, UTC)
        assert self.library.count(query) == len(expected), text
        newest = self.library.search(query, sort="newest").ids  # may be asked for in another way
        assert list(newest) == sorted(self.library.search(query).ids, reverse=True), text
        for order, first in (("newest", newest[:3]), ("oldest", newest[::-1][:3])):
            assert self.library.search(query, sort=order, limit=3).ids == first, text
        return len(expected)


def made_archive(folder: Path, articles: Sequence[Article], seed: int) -> Archive:
    """*articles* in a library, some of them marked and checked at random, but the same each time."""
    state = Marks.open(folder / "data" / "state.db", clock=lambda: NOW)
    library = Library(folder / "library.db")
    chosen = random.Random(seed)
    keys = sorted({a.key for a in articles})

    def some(count: int) -> list[str]:
        return chosen.sample(keys, min(count, len(keys)))

    state.set_read(some(200), True)
    state.set_starred(some(40), True)
    state.set_hidden(some(25), True)
    for number, key in enumerate(some(12)):
        state.set_note(key, ["compare with the Café's list", "later", "a 'quote' \"x\""][number % 3])
    for number, key in enumerate(some(15)):
        state.set_tags(key, [["later"], ["to do", "Later!"], ["東京"]][number % 3])
    writer = Writer(library)
    for start in range(0, len(articles), 100):
        writer.apply(Batch(articles=list(articles[start : start + 100])), state.marks, state.checks)
    sync(library, state)
    Folding(library, state).run()
    addresses = sorted({a.address for a in articles if a.address})
    links = {
        canonical(a): chosen.choice(list(Outcome)) for a in chosen.sample(addresses, min(80, len(addresses)))
    }
    checks = [
        (n, LinkCheck(address, links[canonical(address)], NOW))
        for n, address in enumerate((a for a in addresses if canonical(a) in links), 1)
    ]
    writer.sync([], checks)
    marks = state.marks(keys)
    paths = {row.id: row.path for row in library.rows(library.newest(len(articles)))}
    stories = {paths[i]: story for i, story in library.stories_of(list(paths)).items()}

    def told(a: Article) -> Facts:
        link = links.get(a.key) if a.address else None
        return facts(a, marks.get(a.key, Mark(a.key)), link, stories.get(a.path))

    return Archive(library, state, {a.path: told(a) for a in articles})


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Iterator[Archive]:
    found = [
        frontmatter.read(path.read_bytes(), f"corpus/{path.relative_to(corpus).as_posix()}")
        for path in sorted(corpus.rglob("*.md"))
    ]
    archive = made_archive(tmp_path_factory.mktemp("real"), [a for a in found if isinstance(a, Article)], 1)
    yield archive
    archive.library.close()
    archive.state.close()


QUERIES = [
    "", "amazon", "amazon OR is:starred", "-amazon", "amazon -police", "topic:diablo", "is:hidden",
    "outlet:the",
    "is:hidden topic:diablo", "is:hidden OR outlet:the", "-is:hidden topic:diablo", "has:body",
    "has:amp -has:image",
    "quality>=60 after:2021 -is:read", "link:gone", "link:unchecked", "-link:gone", "url:diablo", "key:http",
    "key:file:", "tag:later", 'tag="to do"', "tag:東京", "note:cafe", "is:noted OR is:tagged", "-is:noted",
    "texts>2 outlets>2", "texts=1", "-outlets>1", "outlets<2 OR texts>9",
    "-is:story", "before:2021", "-before:2021", "updated>2000", "-updated>2000", "domain:com",
    "type:video",
    "category:news", "-category:news", 'title:"diablo iv"', "(a OR -b) is:unread", "-(is:read topic:diablo)",
    "related:diablo*", "published:2022", "since:900d", "age<900d", "is:sealed", "is:published",
    "is:unpublished",
    "-is:published -is:unpublished", "is:story", "https://www.", "d*", "-d*", "heat<0", "-heat<0",
    "diablo beta OR iv",
    '"power apps" -topic:power', "zzzzzz", "-zzzzzz", "zzzzzz OR topic:zzzz", "outlet=nosuch",
    "-outlet=nosuch",
    "body:the", "excerpt:the -title:the", "url:/2022/", "domain:youtube.com OR domain:uk",
    "the and of a to in",
]  # fmt: skip


@pytest.mark.parametrize("text", QUERIES)
def test_finds_what_the_plain_filter_finds(real: Archive, text: str) -> None:
    real.check(text)


@pytest.mark.parametrize(("seed", "number"), [(7, 120), pytest.param(8, 1_000, marks=pytest.mark.slow)])
def test_random_queries_find_what_the_plain_filter_finds(real: Archive, seed: int, number: int) -> None:
    chosen = random.Random(seed)
    words = sorted({w for f in real.facts.values() for w in f"{f.title} {f.excerpt}".split() if w.isalnum()})
    told = list(real.facts.values())
    some = 0
    for _ in range(number):
        query = " ".join(_random_term(chosen, words, told) for _ in range(chosen.randint(1, 4)))
        if chosen.random() < 0.3:
            query = f"-({query}) {_random_term(chosen, words, told)}"
        elif chosen.random() < 0.3:
            query = f"{query} OR {_random_term(chosen, words, told)}"
        some += real.check(query) > 0
    assert some > number / 4  # else the queries are no test


def _random_term(chosen: random.Random, words: Sequence[str], told: Sequence[Facts]) -> str:
    fact, word = chosen.choice(told), chosen.choice(words)
    made = chosen.choice([
        word, word[: chosen.choice((2, 4, 5))] + "*",
        f"title:{word}", f"excerpt:{word}", f"related:{word}", f"body:{word}",
        '"' + " ".join(fact.title.split()[1:3]).replace('"', "") + '"',
        f'topic:"{fact.topics[0]}"' if fact.topics else "topic:a", f'outlet="{fact.outlet}"',
        f"domain:{fact.domain or 'x'}",
        f"quality>{chosen.randint(0, 80)}", f"heat<={chosen.randint(-1, 90)}",
        f"coverage>={chosen.randint(0, 4)}",
        f"outlets>{chosen.randint(0, 4)}", f"texts<{chosen.randint(0, 4)}",
        f"after:{chosen.randint(2018, 2023)}-{chosen.randint(1, 12):02}",
        f"before:{chosen.randint(2018, 2023)}",
        f"is:{chosen.choice(['read', 'unread', 'starred', 'published', 'story', 'hidden', 'tagged'])}",
        f"link:{chosen.choice(['alive', 'gone', 'error', 'unchecked'])}",
        f"has:{chosen.choice(['image', 'amp', 'body', 'related'])}",
        f"url:{word.lower()}", f"type:{fact.type or 'video'}",
    ])  # fmt: skip
    return chosen.choice(["", "", "", "-"]) + made


def test_orders(real: Archive) -> None:
    rows = {row.id: row for row in real.library.rows(real.library.search("").ids)}

    def order(sort: str, query: str = "is:unread") -> list[int]:
        result = real.library.search(query, sort=sort)
        assert result.sort == sort
        return list(result.ids)

    newest = order("newest")
    assert newest == sorted(newest, reverse=True)
    assert order("oldest") == newest[::-1]
    heat = [rows[i].heat for i in order("heat")]
    assert heat == sorted(heat, key=lambda h: (h is None, -(h or 0)))
    quality = [rows[i].quality for i in order("quality")]
    assert quality == sorted(quality, key=lambda q: (q is None, -(q or 0)))
    coverage = [rows[i].coverage for i in order("coverage")]
    assert coverage == sorted(coverage, reverse=True)
    assert sorted(order("title")) == sorted(order("outlet")) == sorted(order("updated")) == sorted(newest)
    assert list(real.library.search("is:unread sort:oldest").ids) == newest[::-1]
    assert list(real.library.search("is:unread sort:oldest", sort="newest").ids) == newest


def test_the_best_match_comes_first_and_ties_by_time(tmp_path: Path) -> None:
    places = {"title": 0, "excerpt": 1, "body": 2, "related": 3}
    when = datetime(2023, 1, 1, tzinfo=UTC)
    articles = [
        Article(
            key=f"file:{column}{age}", path=f"s/{column}{age}",
            title="beta" if column == "title" else "other",
            excerpt="beta" if column == "excerpt" else "other", body="beta" if column == "body" else "other",
            related=(frontmatter_related("beta" if column == "related" else "other"),),
            published_at=when - timedelta(days=age),
        )
        for age in (0, 1)
        for column in ["related", "body", "excerpt", "title"]
    ]  # fmt: skip
    archive = made_archive(tmp_path, articles, 0)
    archive.state.set_hidden([a.key for a in articles], False)
    sync(archive.library, archive.state)
    result = archive.library.search("beta")
    assert (result.sort, result.ranked_among) == ("best", None)
    assert [row.path for row in archive.library.rows(result.ids)] == [
        f"s/{column}{age}" for column in places for age in (0, 1)
    ]
    archive.library.close()
    archive.state.close()


def frontmatter_related(title: str) -> Related:
    return Related(key="", title=title)


def test_common_words_are_ranked_among_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reader.store.search.RANKED", 10)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    articles = [
        Article(
            f"file:{n}", f"s/{n}", "beta" if n % 5 else "beta beta", published_at=start + timedelta(days=n)
        )
        for n in range(30)
    ]
    archive = made_archive(tmp_path, articles, 0)
    archive.state.set_hidden([a.key for a in articles], False)
    sync(archive.library, archive.state)
    result = archive.library.search("beta")
    newest = list(archive.library.search("beta", sort="newest").ids)
    assert result.ranked_among == 10
    assert sorted(result.ids) == sorted(newest)
    assert set(result.ids[:11]) == set(newest[:11])
    assert list(result.ids[11:]) == newest[11:]
    assert list(archive.library.search("beta", limit=3).ids) == list(result.ids[:3])
    assert list(archive.library.search("beta", limit=15).ids) == list(result.ids[:15])
    monkeypatch.setattr("reader.store.search.RANKED_CLOSELY", 5)
    for closely in ('"beta beta"', "beta coverage=0"):
        assert archive.library.search(closely).ranked_among == 5
    monkeypatch.setattr("reader.store.search.RANKED_RARELY", 3)
    archive.state.set_starred([a.key for a in articles], True)
    sync(archive.library, archive.state)
    starred = archive.library.search("beta is:starred")
    assert starred.ranked_among == 3 and len(starred.ids) == 30
    assert archive.library.search("beta -is:noted").ranked_among == 5  # which is most of them
    archive.library.close()
    archive.state.close()


def test_only_in_a_place(real: Archive) -> None:
    library = real.library
    for place in (
        Place(PlaceKind.ALL), Place(PlaceKind.UNREAD), Place(PlaceKind.STARRED), Place(PlaceKind.BROKEN),
        Place(PlaceKind.UNPUBLISHED), Place(PlaceKind.TODAY), Place(PlaceKind.TOPIC, "Power Apps"),
        Place(PlaceKind.TOPIC, "no such"), Place(PlaceKind.OUTLET, "YouTube"),
    ):  # fmt: skip
        for unread in (False, True):
            inside = library.ids(place, today=1_600_000_000, unread=unread)
            assert library.search("", place=place, today=1_600_000_000, unread=unread).ids == inside
            for text in ("the", "quality>50", "topic:diablo"):
                everywhere = set(library.search(text).ids)
                found = library.search(
                    text, place=place, today=1_600_000_000, unread=unread, sort="newest"
                ).ids
                assert list(found) == [i for i in inside if i in everywhere], (place, text)
                count = library.count(text, place=place, today=1_600_000_000, unread=unread)
                assert count == len(found)
    some = list(library.search("the").ids[::3])
    assert set(library.search("", within=some).ids) == set(some)
    assert set(library.search("topic:diablo", within=some).ids) == set(some) & set(
        library.search("topic:diablo").ids
    )


@pytest.mark.parametrize("text", [*QUERIES, "outlet:a* OR topic:d*", "outlet:a*", "amazon OR -outlet:the"])
def test_the_first_of_all_by_time_are_those_of_a_limit(
    real: Archive, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reader.store.search._PART", 40)  # looked at first for what words are not in
    for sort in ("newest", "oldest"):
        whole = real.library.search(text, sort=sort).ids
        for limit in (1, 7, 10_000):
            assert real.library.search(text, sort=sort, limit=limit).ids == whole[:limit]
    unread = real.library.search(text, unread=True).ids
    assert real.library.count(text) == len(whole)
    assert real.library.count(text, unread=True) == len(unread)
    assert real.library.count(text, place=Place(PlaceKind.UNREAD), at_most=3) == min(3, len(unread))


@pytest.mark.parametrize("text", ["outlets>1", "texts>=2 the", "is:story", "-texts>1", "outlets<2"])
def test_articles_of_many_stories_are_those_of_few(
    real: Archive, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = real.library.search(text, sort="newest").ids
    monkeypatch.setattr("reader.store.search._STORIES", 0)
    assert real.library.search(text, sort="newest").ids == few != []


def test_outlets_are_found_as_they_come_and_in_another_index(tmp_path: Path) -> None:
    def article(n: int, outlet: str) -> Article:
        return Article(f"file:{n}", f"s/{n}", str(n), provider=Provider(outlet), topics=("Öl", "Gas"))

    archive = made_archive(tmp_path, [article(0, "Alpha"), article(1, "Alpha  Béta")], 0)
    archive.state.set_hidden(["file:0", "file:1"], False)
    sync(archive.library, archive.state)
    library, found = archive.library, archive.library.count
    asked = ("outlet:alpha", 'outlet="alpha"', 'outlet="alpha"*', "outlet:beta", "outlet:lpha", "topic:*")
    assert [found(text) for text in asked] == [2, 1, 2, 1, 0, 2]
    Writer(library).apply(
        Batch(articles=[article(2, "Betä"), article(3, "alpha")]), lambda _: {}, lambda _: {}
    )
    assert [found(text) for text in asked] == [3, 2, 3, 2, 0, 4]
    library.rebuild()
    assert [found(text) for text in asked] == [0] * 6
    Writer(library).apply(Batch(articles=[article(4, "Beta")]), lambda _: {}, lambda _: {})
    assert [found(text) for text in asked] == [0, 0, 0, 1, 0, 1]
    library.close()
    archive.state.close()


def test_beginnings_of_few_and_of_many_words(tmp_path: Path) -> None:
    def article(number: int, title: str) -> Article:
        return Article(f"file:{number}", f"s/{number}", title, published_at=NOW + timedelta(days=number))

    titles = ["diablo", "diablo", "Diabolic", "diábł", "diab", "diab-lo", "diabя", "東京都 diab京", "d" * 70]
    titles += [f"beta{n:03}" for n in range(70)]
    archive = made_archive(tmp_path, [article(n, title) for n, title in enumerate(titles)], 0)
    texts = (
        "diab*", "title:diablo*", "excerpt:diab*", "diab* OR beta00*", "beta*", "-diab*", "diab* -diabo*",
        f"{'d' * 64}*", f"{'d' * 70}*", "diab-l*", '"diab l*"', "beta* diab*", "betax*", "diab* is:unread",
        "東京*",
    )  # fmt: skip
    found = [archive.check(text) for text in texts]
    assert found[4] > 40
    assert archive.library.count("diab*") == found[0]
    Writer(archive.library).apply(Batch(articles=[article(99, "diabetes")]), lambda _: {}, lambda _: {})
    assert archive.library.count("diab*") == found[0] + 1  # the words are not those of before
    assert len(archive.library.search("diab*", sort="newest", limit=99).ids) == found[0] + 1
    other = Library(archive.library.path)  # nor when another process wrote
    Writer(other).apply(Batch(articles=[article(98, "diabolo")]), lambda _: {}, lambda _: {})
    other.close()
    assert archive.library.count("diab*") == found[0] + 2
    assert len(archive.library.search("diab*", sort="newest", limit=99).ids) == found[0] + 2
    archive.library.close()
    archive.state.close()


def test_addresses_are_found_before_and_after_an_odd_one(tmp_path: Path) -> None:
    def article(number: int, **more: str) -> Article:
        return Article(
            f"file:{number}", f"s/{number}", "a", published_at=NOW + timedelta(days=number), **more
        )

    texts = ("url:CAFE", "url:/2", "url:café", "-url:cafe", 'url:"/a_b"')
    plain = [article(1, web_url="https://x.org/Cafe"), article(2, amp_url="https://x.org/2/a_b")]
    odd = [article(3, web_url="https://x.org/caf\xe9"), article(4, amp_url="https://x.org/caf\xe9/2")]
    for number, articles in enumerate((plain, [*plain, odd[0]], [*plain, odd[1]])):
        archive = made_archive(tmp_path / str(number), articles, 0)
        archive.state.set_hidden([a.key for a in articles], False)
        sync(archive.library, archive.state)
        assert archive.library.meta("plain_addresses") == (number == 0)
        paths = {text: set(archive.found(text)) for text in texts}
        assert len(paths["url:CAFE"]) == 1 + (number > 0), paths
        assert paths["url:CAFE"] == paths["url:café"]
        assert len(paths["-url:cafe"]) == 1
        assert paths['url:"/a_b"'] == {"s/2"}
        archive.library.close()
        archive.state.close()


def test_limits_and_counts(real: Archive) -> None:
    whole = real.library.search("the", sort="newest").ids
    assert real.library.search("the", sort="newest", limit=5).ids == whole[:5]
    assert real.library.count("the", at_most=7) == 7
    assert real.library.count("the", at_most=10**6) == len(whole)
    without = real.library.count("-the")
    for most in (1, 7, without, without + 1):
        assert real.library.count("-the", at_most=most) == min(most, without)


def test_what_takes_long_to_count_is_told_as_far_as_it_is_known(
    real: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = parse("-(url:zzz) is:unread", NOW)
    found = real.library.search(query).ids
    assert tally(real.library, query, at_most=10**6, seconds=60) == (len(found), True)
    assert tally(real.library, query, at_most=7, seconds=60) == (7, True)
    with pytest.raises(SearchStopped):
        for _ in range(20):
            tally(real.library, query, at_most=10**6, seconds=60, stop=lambda: True)
    monkeypatch.setattr(tallying, "_FIRST", 50)
    times = iter([0.0])
    # More than half of the time has gone, and no more goes.
    monkeypatch.setattr(tallying, "time", SimpleNamespace(monotonic=lambda: next(times, 0.6)))
    newest = set(real.library.newest(200))
    told = tally(real.library, query, at_most=10**6, seconds=1)
    assert told == (sum(number in newest for number in found), False) and 0 < told.number < len(found)
    assert told.number == real.library.count(query, among=200)
    times = iter([0.0])
    assert tally(real.library, query, at_most=20, seconds=1) == (20, True)
    times = iter([0.0])
    assert tally(real.library, query, at_most=10**6, seconds=0.5) == (0, False)


def test_a_search_can_be_stopped(real: Archive) -> None:
    for _ in range(20):  # SQLite counts the steps of a statement over all its runs: any may be the one
        with pytest.raises(SearchStopped):
            real.library.search("-zzz -(url:zzz)", stop=lambda: True)
    assert len(real.library.search("is:unread").ids) > 5  # the connection is as good as before


@pytest.mark.parametrize(
    ("wide", "plain"),
    [
        (" ".join(["the"] * 200), "the"),
        (" OR ".join(["the"] * 200), "the"),
        (" OR ".join(["-the"] * 200), "-the"),
        ("(" * 16 + "the OR is:read" + ")" * 16, "the OR is:read"),
        ("-(" * 15 + "the" + ")" * 15, "-the"),
        ("-(of OR -(" * 8 + "the" + "))" * 8, "-of the"),
        (" ".join(["topic:diablo"] * 200), "topic:diablo"),
        (" OR ".join(["url:diablo"] * 200), "url:diablo"),
        (" OR ".join(f"the quality>{n}" for n in range(99)), "the quality>0"),
    ],
    ids=range(9),
)
def test_the_widest_queries_run(real: Archive, wide: str, plain: str) -> None:
    assert parse(wide, NOW).complaints == ()
    assert real.found(wide, sort="newest") == real.found(plain, sort="newest") != []


def test_what_is_said_of_a_query(real: Archive) -> None:
    result = real.library.search("the qualty>3 sort:heat")
    assert [c.column for c in result.complaints] == [4]
    assert result.sort == "heat"
    assert real.library.search("is:starred").sort == "newest"


def test_the_index_follows_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    state = Marks.open(tmp_path / "data" / "state.db")
    library = Library(tmp_path / "library.db")
    found = sources.name_sources([folder])
    long = "word " * 300

    def write(name: str, title: str, body: str, excerpt: str = "") -> None:
        related = "related:\n- title: Elsewhere told\n  webUrl: https://example.com/x\n"
        text = f"---\ntitle: {title}\nexcerpt: {excerpt}\n{related}---\n{body}\n"
        (folder / name).write_text(text, encoding="utf-8")

    def words(*expected: tuple[str, int]) -> None:
        Ingest(library, state, found).run()
        library.db.execute("INSERT INTO fts(fts) VALUES('integrity-check')")
        for text, count in expected:
            assert library.count(text) == count, text

    write("a.md", "First é title", "<p class='x'>Some&nbsp;body</p>", long + "tail &amp; end")
    write("b.md", "Second", "")
    words(
        ("first", 1),
        ("e", 1),
        ("body:some", 1),
        ("class", 0),
        ("nbsp", 0),
        ("tail", 1),
        ("amp", 0),
        ("elsewhere", 2),
    )
    write("a.md", "Third", "Another text altogether", "short")
    words(
        ("first", 0),
        ("some", 0),
        ("tail", 0),
        ("third", 1),
        ("altogether", 1),
        ("short", 1),
        ("elsewhere", 2),
    )
    (folder / "a.md").unlink()
    (folder / "b.md").unlink()
    words(("third", 0), ("elsewhere", 0), ("", 0))
    # A contentless index that was not given the same words again would still hold some.
    words_left = sqlite3.connect(tmp_path / "library.db")
    words_left.execute("CREATE VIRTUAL TABLE temp.left USING fts5vocab(main, fts, row)")
    assert words_left.execute("SELECT count(*) FROM temp.left").fetchone()[0] == 0
    words_left.close()
    library.close()
    state.close()


def test_searches_from_several_threads(real: Archive) -> None:
    expected = {text: real.library.count(text) for text in QUERIES[:20]}
    wrong: list[str] = []

    def run() -> None:
        wrong.extend(t for t in expected if len(real.library.search(t).ids) != expected[t])

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_values_to_complete_with(real: Archive) -> None:
    library = real.library
    counts = {p.place.name: p.total for p in library.places(0) if p.place.kind is PlaceKind.TOPIC}
    topics = library.values("topic")
    assert [counts[t] for t in topics] == sorted(counts.values(), reverse=True)
    assert {f.type for f in real.facts.values()} - {""} == set(library.values("type"))
    assert library.values("title") == []
