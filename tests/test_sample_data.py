"""The sample is the first thing a new reader sees: every file sound, and every feature to be met in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reader.address import canonical, host_of
from reader.frontmatter import read
from reader.model import Article, DateOrigin, Problem, Related
from reader.text import clean, clean_block

SAMPLE = Path(__file__).resolve().parents[1] / "sample_data"
FILES = sorted(path for path in SAMPLE.rglob("*") if path.is_file())


def _in(article: Article, letters: tuple[str, str]) -> bool:
    return any(letters[0] <= char <= letters[1] for char in article.title)


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    found = [read(path.read_bytes(), f"sample_data/{path.relative_to(SAMPLE).as_posix()}") for path in FILES]
    assert [item for item in found if isinstance(item, Problem)] == []
    return [item for item in found if isinstance(item, Article)]


@pytest.fixture(scope="module")
def by_key(articles: list[Article]) -> dict[str, Article]:
    return {article.key: article for article in articles}


def test_nothing_but_articles_lies_there() -> None:
    assert {path.suffix for path in FILES} == {".md"}
    assert {path.parent.name for path in FILES} == {"_news", "_archive", "_videos", "_people"}


def test_no_file_costs_a_field(articles: list[Article]) -> None:
    assert {article.path: article.warnings for article in articles if article.warnings} == {}


def test_enough_articles_topics_and_outlets(articles: list[Article]) -> None:
    topics = Counter(topic for article in articles for topic in article.topics)
    outlets = Counter(article.provider.name for article in articles)
    assert len(articles) >= 40
    assert len(topics) >= 8
    assert min(topics.values()) >= 2
    assert len(outlets) >= 15
    assert max(outlets.values()) >= 4
    assert all(article.topics and article.provider.name and article.provider.domain for article in articles)


def test_every_article_has_a_headline_an_excerpt_and_a_day(articles: list[Article]) -> None:
    for article in articles:
        assert clean(article.title), article.path
        assert 20 <= len(article.excerpt) <= 400, article.path
        assert article.published_at is not None, article.path
        assert datetime(2012, 1, 1, tzinfo=UTC) <= article.published_at < datetime(2026, 1, 1, tzinfo=UTC)
        assert Path(article.path).name.startswith(f"{article.published_at:%Y-%m-%d}-"), article.path


def test_nothing_in_it_needs_cleaning(articles: list[Article]) -> None:
    for article in articles:
        for line in (article.title, article.excerpt, article.provider.name):
            assert clean(line) == line, article.path
        assert clean_block(article.body) == article.body, article.path


def test_every_address_can_be_a_key(articles: list[Article]) -> None:
    for article in articles:
        shown: list[Article | Related] = [article, *article.related]
        for item in shown:
            assert item.address, article.path
            for address in (item.web_url, item.original_url, item.amp_url, item.cdn_amp_url):
                assert not address or canonical(address), (article.path, address)
            assert item.key == canonical(item.address), article.path
        assert all(canonical(image.url) for image in article.images), article.path


def test_keys_are_one_to_a_file(articles: list[Article], by_key: dict[str, Article]) -> None:
    assert len(by_key) == len(articles)


def test_coverage_points_both_ways(articles: list[Article], by_key: dict[str, Article]) -> None:
    inside = outside = 0
    for article in articles:
        keys = [related.key for related in article.related]
        assert article.key not in keys, article.path
        assert len(set(keys)) == len(keys), article.path
        for related in article.related:
            there = by_key.get(related.key)
            if there is None:
                outside += 1
                continue
            inside += 1
            assert article.key in {back.key for back in there.related}, (article.path, there.path)
            assert (related.title, related.excerpt) == (there.title, there.excerpt), article.path
            assert (related.provider.name, related.quality) == (there.provider.name, there.quality)
            assert there.date_origin is not DateOrigin.FIELD or related.published_at == there.published_at
    assert inside >= 40
    assert outside >= 15
    assert max(len(article.related) for article in articles) >= 5


def test_two_stories_are_wire_copies(articles: list[Article]) -> None:
    outlets: dict[str, set[str]] = defaultdict(set)
    for article in articles:
        outlets[article.excerpt].add(article.provider.domain)
    assert sum(len(domains) >= 3 for domains in outlets.values()) >= 2


@pytest.mark.parametrize(
    ("what", "least", "holds"),
    [
        (
            "with AMP and AMP cache",
            3,
            lambda a: bool(a.amp_url and host_of(a.cdn_amp_url).endswith(".cdn.ampproject.org")),
        ),
        ("whose AMP cache page is the article's own key", 2, lambda a: canonical(a.cdn_amp_url) == a.key),
        (
            "moved: originalUrl is not webUrl",
            3,
            lambda a: bool(a.original_url and a.web_url) and a.original_url != a.web_url,
        ),
        ("unpublished", 5, lambda a: a.published is False),
        ("without the published flag", 2, lambda a: a.published is None),
        ("gone cold", 5, lambda a: a.heat == -1),
        ("hot", 5, lambda a: (a.heat or 0) >= 300),
        ("good source", 5, lambda a: (a.quality or 0) >= 150),
        ("poor source", 1, lambda a: a.quality is not None and a.quality < 20),
        ("no quality", 2, lambda a: a.quality is None),
        ("video", 3, lambda a: a.type == "video" and host_of(a.original_url) == "www.youtube.com"),
        ("profile, named by name", 1, lambda a: a.type == "profile" and a.title == a.fields["name"]),
        ("updated", 2, lambda a: a.updated_at is not None and a.updated_at > a.published_at),
        ("date only in the file name", 3, lambda a: a.date_origin is DateOrigin.FILENAME),
        (
            "Markdown body to scroll",
            2,
            lambda a: (
                a.body.count("\n") >= 40
                and "\n## " in a.body
                and "\n| ---" in a.body
                and "\n```python" in a.body
                and "\n> " in a.body
                and "](https://" in a.body
                and "\n1. " in a.body
            ),
        ),
        ("HTML body", 1, lambda a: a.body.lstrip().startswith("<h2>") and "<table>" in a.body),
        (
            "several images with a caption",
            2,
            lambda a: len(a.images) >= 2 and all(i.title and i.attribution for i in a.images),
        ),
        ("image with its size", 3, lambda a: any(i.width and i.height for i in a.images)),
        ("authors", 5, lambda a: bool(a.provider.authors)),
        ("Arabic", 1, lambda a: _in(a, ("\u0600", "\u06ff"))),
        ("Japanese", 1, lambda a: _in(a, ("\u3040", "\u30ff"))),
        ("sealed", 1, lambda a: a.secured.count(";") == 1 and len(a.secured) > 100),
        ("keys nobody knows", 1, lambda a: bool({"affiliation", "bio"} & set(a.extra))),
        ("HTML entity in the excerpt", 1, lambda a: "&amp;" in a.excerpt),
        ("on a host that is reserved", 1, lambda a: host_of(a.address).endswith(".example")),
        ("taken down", 1, lambda a: host_of(a.address) == "nca2023.globalchange.gov"),
        ("without related pieces", 5, lambda a: not a.related),
    ],
)
def test_there_is_one(
    articles: list[Article], what: str, least: int, holds: Callable[[Article], bool]
) -> None:
    assert sum(map(holds, articles)) >= least, what


def test_prices_lengths_and_levels_are_kept(articles: list[Article]) -> None:
    kept = [article.fields for article in articles if {"price", "length", "levels"} <= set(article.fields)]
    assert [fields["levels"] for fields in kept] == [["Beginner", "Everyone"]]


def test_one_file_has_the_line_ends_of_windows() -> None:
    crlf = [path for path in FILES if b"\r\n" in path.read_bytes()]
    assert len(crlf) == 1
    assert crlf[0].read_bytes().count(b"\r\n") == crlf[0].read_bytes().count(b"\n")
