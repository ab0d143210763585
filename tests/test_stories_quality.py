"""The rule on the real files: precision and recall, the start article's story."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from reader.model import Article
from reader.stories.clustering import cluster
from reader.stories.piece import Piece, summary
from reader.stories.pieces import pieces_and_ties
from reader.stories.report import best_source, concentration, offset_label, timeline
from reader.stories.vocabulary import Vocabulary
from reader.stories.wire import texts

HERE = Path(__file__).parent


def _bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_stories", HERE / "bench" / "stories.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bench = _bench()


@pytest.fixture(scope="module")
def articles(corpus: Path) -> list[Article]:
    return bench.load(corpus)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def told(articles: list[Article]) -> tuple[dict[str, Piece], dict[str, tuple[str, ...]]]:
    pieces, ties = pieces_and_ties(articles)
    stories = cluster(pieces, ties, (), Vocabulary.of(pieces.values()))
    return pieces, {key: story.keys for story in stories for key in story.keys}


def test_the_fixture_holds_keys_and_decisions_only() -> None:
    doc = json.loads((HERE / "fixtures" / "stories.json").read_text())
    keys = [key for c in doc["clusters"] for story in c["stories"] for key in story]
    assert len(keys) == len(set(keys))
    assert all(key.startswith(("https://", "http://", "mention:", "file:")) for key in keys)
    held = [c for c in doc["clusters"] if c["use"] == "held-out"]
    assert len(held) >= 20
    assert {c["use"] for c in doc["clusters"]} == {"held-out", "tuning"}


def test_precision_and_recall_on_real_stories(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = bench.quality(corpus)
    with capsys.disabled():
        for use, s in scores.items():
            print(f"\n{use}: precision {s.precision:.3f}, recall {s.recall:.3f}", end="")
    # Aims: 0.95 and 0.90. What keeps recall of the held-out below its aim is told in the fixture's notes.
    assert scores["all"].precision >= 0.95
    assert scores["held-out"].precision >= 0.95
    assert scores["tuning"].recall >= 0.90
    assert scores["all"].recall >= 0.85
    assert scores["held-out"].recall >= 0.82
    assert scores["ties alone, all"].precision < 0.7, (
        "believing every tie is what the rule is measured against"
    )


def test_the_start_article_s_story(told: tuple[dict[str, Piece], dict[str, tuple[str, ...]]]) -> None:
    pieces, story_of = told
    boston = next(key for key in pieces if "bostonglobe.com" in key)
    story = [pieces[key] for key in story_of[boston]]
    assert len(story) == 6
    assert story[0].domain == "scmagazine.com"
    assert [offset_label(m.offset) for m in timeline(story, 80).moments] == [
        "earliest",
        "+1d 20h",
        "+1d 22h",
        "+2d 9h",
        "+2d 9h",
        "+2d 15h",
    ]
    groups = texts(story)
    assert summary(groups) == (6, 4)
    copied = [group for group in groups if group.copied]
    assert [group.outlets for group in copied] == [("bostonglobe.com", "washingtontimes.com", "pbs.org")]
    assert concentration(story, groups) == "3 of 6 outlets have one text, probably from one source"
    best = best_source(story, groups, {})
    assert best is not None
    assert pieces[best.key].domain == "wsj.com"


def test_every_real_piece_is_in_one_story_and_one_text(
    told: tuple[dict[str, Piece], dict[str, tuple[str, ...]]],
) -> None:
    pieces, story_of = told
    assert set(story_of) == set(pieces)
    assert max(map(len, story_of.values())) < 60, "no runaway merging"
    for keys in set(story_of.values()):
        assert sorted(k for g in texts([pieces[k] for k in keys]) for k in g.keys) == sorted(keys)


def test_real_copies_and_real_near_misses(told: tuple[dict[str, Piece], dict[str, tuple[str, ...]]]) -> None:
    pieces, _ = told

    def one(domain: str, word: str) -> Piece:
        return next(p for k, p in sorted(pieces.items()) if p.domain == domain and word in p.title)

    same = [
        ("bbc.com", "director and two others", "msn.com", "loses Diablo 4 game director"),
        ("thesun.co.uk", "tattoo", "thesun.ie", "tattoo"),
        ("usatoday.com", "leaked on Reddit", "msn.com", "leaked on Reddit"),
    ]
    for domain, word, other, its in same:
        assert len(texts([one(domain, word), one(other, its)])) == 1, (domain, other)
    apart = [
        ("truetrophies.com", "this year", "trueachievements.com", "in 2021"),
        ("rockpapershotgun.com", "director", "trueachievements.com", "director"),
    ]
    for domain, word, other, its in apart:
        assert len(texts([one(domain, word), one(other, its)])) == 2, (domain, other)


def test_the_benchmark_s_library_is_as_tied_as_the_corpus(articles: list[Article]) -> None:
    two = list(bench.library(articles, 2 * len(articles)))
    one, ties = pieces_and_ties(articles)
    pieces, all_ties = pieces_and_ties(two)
    assert len(pieces) == 2 * len(one)
    assert len(all_ties) == 2 * len(ties)
