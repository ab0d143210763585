"""Pieces, ties, clustering, overrules and updates."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader.model import Article, Provider, Related
from reader.stories.clustering import Edit, Story, cluster
from reader.stories.piece import Piece
from reader.stories.pieces import Tie, key_of, names, pieces_and_ties, signature
from reader.stories.updating import update
from reader.stories.vocabulary import Vocabulary

DAY0 = datetime(2023, 3, 1, tzinfo=UTC)


def url(name: str) -> str:
    return f"https://{name}.example/piece"


def related(name: str, title: str, days: float | None = 0, **more: object) -> Related:
    when = None if days is None else DAY0 + timedelta(days=days)
    key = more.pop("key", url(name))
    provider = Provider(name=name, domain=f"{name}.example")
    return Related(key=key, title=title, published_at=when, provider=provider, web_url=key, **more)  # type: ignore[arg-type]


def article(
    name: str, title: str, days: float | None = 0, lists: Iterable[Related] = (), **more: object
) -> Article:
    when = None if days is None else DAY0 + timedelta(days=days)
    given_ = {
        "key": url(name),
        "path": f"s/{name}.md",
        "web_url": url(name),
        "provider": Provider(name=name, domain=f"{name}.example"),
    }
    return Article(title=title, published_at=when, related=tuple(lists), **(given_ | more))  # type: ignore[arg-type]


def stories_of(*articles: Article, edits: Iterable[Edit] = ()) -> set[frozenset[str]]:
    pieces, ties = pieces_and_ties(articles)
    stories = cluster(pieces, ties, tuple(edits))
    covered = [key for story in stories for key in story.keys]
    assert sorted(covered) == sorted(pieces), "every piece in exactly one story"
    return {frozenset(story.keys) for story in stories}


def together(*names_: str) -> frozenset[str]:
    return frozenset(url(name) for name in names_)


# --- pieces -----------------------------------------------------------------


def test_a_file_speaks_before_a_mention_and_mentions_fill_what_it_leaves_empty() -> None:
    pieces, _ = pieces_and_ties(
        [
            article("a", "What the file says", lists=()),
            article("b", "Another", lists=[related("a", "What b says", 5, excerpt="told by b", quality=7)]),
        ]
    )
    piece = pieces[url("a")]
    assert (piece.title, piece.excerpt, piece.quality, piece.in_library) == (
        "What the file says",
        "told by b",
        7,
        True,
    )
    assert piece.published == int(DAY0.timestamp())


def test_of_two_files_of_one_key_the_later_update_speaks() -> None:
    old = article("a", "Old", path="s/z.md", updated_at=DAY0)
    new = article("a", "New", path="s/b.md", updated_at=DAY0 + timedelta(days=1))
    for order in ([old, new], [new, old]):
        assert pieces_and_ties(order)[0][url("a")].title == "New"
    same = article("a", "First path", path="s/a.md", updated_at=DAY0)
    assert pieces_and_ties([old, same])[0][url("a")].title == "First path"


def test_of_contradicting_mentions_most_win_and_of_equals_the_smallest() -> None:
    lists = [("x", "Wrong"), ("y", "Right"), ("z", "Right")]
    pieces, _ = pieces_and_ties(article(n, f"By {n}", lists=[related("m", said)]) for n, said in lists)
    assert pieces[url("m")].title == "Right"
    pieces, _ = pieces_and_ties(article(n, f"By {n}", lists=[related("m", said)]) for n, said in lists[:2])
    assert pieces[url("m")].title == "Right"
    assert not pieces[url("m")].in_library


def test_an_entry_without_address_is_one_piece_wherever_it_is_listed() -> None:
    video = related("tube", "A reaction to the trailer", 1, key="")
    one, two = article("a", "One", lists=[video]), article("b", "Two", lists=[video, video])
    pieces, ties = pieces_and_ties([one, two])
    key = key_of(one, video)
    assert key.startswith("mention:")
    assert set(pieces) == {url("a"), url("b"), key}
    assert ties == {Tie(url("a"), key), Tie(url("b"), key)}
    assert pieces[key].address == ""


def test_an_entry_without_address_is_the_file_with_its_outlet_title_and_second() -> None:
    video = article("tube", "A reaction to the trailer", 1)
    lister = article("a", "One", lists=[related("tube", "A  REACTION to the trailer", 1, key="")])
    pieces, ties = pieces_and_ties([lister, video])
    assert set(pieces) == {url("a"), url("tube")}
    assert ties == {Tie(url("a"), url("tube"))}
    assert signature(video) in names(video) & names(lister)


@pytest.mark.parametrize("entry", [related("t", "", 1, key=""), related("t", "Undated", None, key="")])
def test_an_entry_that_cannot_be_compared_belongs_to_its_lister_alone(entry: Related) -> None:
    pieces, ties = pieces_and_ties([article("a", "One", lists=[entry]), article("b", "Two", lists=[entry])])
    assert len(pieces) == 4
    assert len({tie.b for tie in ties}) == 2


def test_self_references_make_no_tie_and_ties_end_in_pieces() -> None:
    pieces, ties = pieces_and_ties([article("a", "One", lists=[related("a", "One"), related("b", "Two")])])
    assert ties == {Tie(url("a"), url("b"))}
    assert set(pieces) == {url("a"), url("b")}


# --- the rule ---------------------------------------------------------------

QUAKE = "Strong earthquake shakes the northern coast"


def test_tied_pieces_of_one_day_that_share_words_are_one_story() -> None:
    assert stories_of(
        article(
            "a", QUAKE, lists=[related("b", "Earthquake on northern coast leaves hundreds homeless", 0.3)]
        )
    ) == {together("a", "b")}


def test_a_story_is_tied_through_others() -> None:
    assert stories_of(
        article("a", QUAKE, 0, lists=[related("b", "Coast earthquake: what we know", 0.2)]),
        article(
            "c", "Earthquake shakes coast, schools closed", 0.5, lists=[related("b", "Coast earthquake", 0.2)]
        ),
    ) == {together("a", "b", "c")}


def test_untied_pieces_are_never_one_story_however_alike() -> None:
    assert stories_of(article("a", QUAKE), article("b", QUAKE)) == {together("a"), together("b")}


def test_tied_pieces_without_a_word_in_common_stay_apart() -> None:
    assert stories_of(article("a", QUAKE, lists=[related("b", "Minister resigns over budget", 0.1)])) == {
        together("a"),
        together("b"),
    }


def test_the_further_apart_in_days_the_more_words_must_agree() -> None:
    other = "Aid reaches the earthquake region after bridges reopen"
    assert stories_of(article("a", QUAKE, lists=[related("b", other, 0.1)])) == {together("a", "b")}
    assert stories_of(article("a", QUAKE, lists=[related("b", other, 4)])) == {together("a"), together("b")}
    assert stories_of(article("a", QUAKE, lists=[related("b", QUAKE, 4)])) == {together("a", "b")}


def test_excerpts_count_but_less_than_titles() -> None:
    lists = [related("b", "Hundreds homeless", 0.1, excerpt="An earthquake on the northern coast")]
    assert stories_of(article("a", QUAKE, lists=lists)) == {together("a", "b")}
    pieces, ties = pieces_and_ties([article("a", QUAKE, lists=[replace(lists[0], excerpt="Much else")])])
    assert len(cluster(pieces, ties)) == 2


def test_a_story_never_spans_more_than_three_weeks() -> None:
    names_ = [f"d{at:03d}" for at in range(60)]
    chain = [
        article(
            name, QUAKE, at, lists=[related(names_[at + 1], QUAKE, at + 1)] if at + 1 < len(names_) else ()
        )
        for at, name in enumerate(names_)
    ]
    stories = stories_of(*chain)
    assert len(stories) > 2
    for story in stories:
        days = sorted(int(key[9:12]) for key in story)
        assert days[-1] - days[0] <= 21


def test_an_evergreen_page_does_not_chain_the_stories_of_years() -> None:
    guide = related("guide", "Earthquake on the coast: everything we know", 0)
    months = [
        article(f"m{at}", f"Earthquake number {at} on the coast", 30 * at, lists=[guide]) for at in range(40)
    ]
    stories = stories_of(*months)
    assert len(stories) == 40
    assert together("guide", "m0") in stories


@pytest.mark.parametrize("days", [None, 0])
def test_an_undated_hub_is_in_one_story_at_most_and_loses_nobody(days: float | None) -> None:
    lists = [related(f"m{at}", f"Earthquake report {at} on the coast", 30 * at) for at in range(30)]
    stories = stories_of(article("hub", "Earthquake on the coast: all reports", days, lists=lists))
    assert max(map(len, stories)) <= 3


def test_entries_side_by_side_may_make_a_story_their_hub_is_not_in() -> None:
    lists = [
        related("x", "Volcano museum opens in capital", 0.1),
        related("y", "Capital gets its volcano museum", 0.2),
    ]
    assert stories_of(article("hub", "Your guide to the weekend", lists=lists)) == {
        together("hub"),
        together("x", "y"),
    }


@pytest.mark.parametrize(("others", "stories"), [(1, 1), (16, 2)])
def test_a_piece_joins_a_grown_story_with_what_would_not_join_two_grown_ones(
    others: int, stories: int
) -> None:
    there = [related(f"b{at}", "Quake: bridge closed nearby", 0.01) for at in range(others)]
    here = [related(f"a{at}", "Quake shakes northern coast", 0.01) for at in range(1, 16)]
    hub = article("a0", "Quake shakes northern coast", lists=[*here, there[0]])
    found = stories_of(hub, article("b0", "Quake: bridge closed nearby", 0.01, lists=there[1:]))
    assert len(found) == stories


def test_the_mean_times_of_stories_count_where_two_of_their_pieces_are_near() -> None:
    def told(last: float) -> int:
        near = related("a2", "Quake shakes northern coast", 6)
        one = article("a", "Quake shakes northern coast", 0, lists=[near])
        other = related("b2", "Quake: bridge closed nearby", last)
        return len(stories_of(one, article("b", "Quake: bridge closed nearby", 6.5, lists=[other, near])))

    assert told(-0.5) == 1
    assert told(6.5) == 2


def test_words_common_on_a_topic_do_not_join() -> None:
    game = [
        article(f"g{at}", f"Hellgate beta {word}", 100 + 30 * at, topics=("Hellgate",))
        for at, word in enumerate(
            ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet"] * 5
        )
    ]
    pair = article(
        "a", "Hellgate beta queues", topics=("Hellgate",), lists=[related("b", "Hellgate beta rewards", 1)]
    )
    pieces, ties = pieces_and_ties([*game, pair])
    assert Story(url("a"), (url("a"), url("b"))) in cluster(pieces, ties)
    weighed = Vocabulary.of(pieces.values())
    assert weighed.weights(["Hellgate"])["hellgat"] == 0.0
    assert Story(url("a"), (url("a"),)) in cluster(pieces, ties, (), weighed)


def test_a_vocabulary_needs_titles_enough_and_survives_being_kept() -> None:
    few = [Piece(f"k{at}", "Hellgate beta", in_library=True, topics=("T",)) for at in range(39)]
    assert Vocabulary.of(few).common == {}
    enough = Vocabulary.of([*few, Piece("k", "Hellgate full", in_library=True, topics=("T",))])
    assert enough.common["T"]["hellgat"] == 0.0
    assert 0 < enough.common["T"]["full"] < 1
    assert Vocabulary({topic: dict(stems) for topic, stems in enough.common.items()}) == enough
    assert Vocabulary.of([replace(piece, in_library=False) for piece in few * 2]).common == {}


def test_a_story_is_named_by_its_earliest_piece_and_undated_come_last() -> None:
    pieces, ties = pieces_and_ties(
        [article("a", QUAKE, 1, lists=[related("b", QUAKE, 0.5), related("c", QUAKE, None)])]
    )
    assert cluster(pieces, ties) == (Story(url("b"), (url("b"), url("a"), url("c"))),)


# --- bad input --------------------------------------------------------------


def test_cycles_and_order_change_nothing() -> None:
    ring = [article(f"r{at}", QUAKE, at / 10, lists=[related(f"r{(at + 1) % 5}", QUAKE)]) for at in range(5)]
    assert stories_of(*ring) == stories_of(*reversed(ring)) == {together(*(f"r{at}" for at in range(5)))}


def test_nothing_at_all() -> None:
    assert cluster({}, [], [Edit("split", "nowhere")]) == ()
    assert cluster({}, [Tie("a", "b")]) == ()


def test_titles_of_controls_other_scripts_and_nothing_are_grouped_without_error() -> None:
    odd = [
        "",
        "\x1b]8;;x\x07[@click=app.quit]",
        "地震で数百人が家を失う",
        "地震で数百人が避難",
        "\ud800",
        "🙂" * 3000,
        "a" * 100_000,
    ]
    lists = [related(f"o{at}", title, 0.1, excerpt=title) for at, title in enumerate(odd)]
    stories = stories_of(article("a", "地震で数百人が", lists=lists))
    assert any({url("a"), url("o2"), url("o3")} <= story for story in stories)


@pytest.mark.parametrize("alike", [True, False])
def test_hubs_of_thousands_are_bounded(alike: bool) -> None:
    rng = random.Random(7)
    words = [f"word{at}" for at in range(400)]

    def title(at: int) -> str:
        return QUAKE if alike else " ".join(rng.sample(words, 7))

    lists = [related(f"p{at}", title(at), rng.random() * 400, excerpt=title(at) * 3) for at in range(5_000)]
    stories = stories_of(
        article("hub", QUAKE, lists=lists[:1000], path="s/1"), article("hub", QUAKE, 3, lists, path="s/2")
    )
    assert sum(map(len, stories)) == 5_001


def test_a_thousand_entries_in_one_file_side_by_side() -> None:
    lists = [related(f"p{at}", f"Item {at} of the list about gardens", at / 100) for at in range(1_000)]
    assert sum(map(len, stories_of(article("hub", "Everything about bridges", lists=lists)))) == 1_001


# --- overrules --------------------------------------------------------------


def three() -> list[Article]:
    return [
        article("a", QUAKE, lists=[related("b", QUAKE, 0.1), related("c", QUAKE, 0.2)]),
        article("z", "Minister resigns", 50),
    ]


def test_split_takes_a_piece_out_alone() -> None:
    assert together("a", "c") in stories_of(*three(), edits=[Edit("split", url("b"))])
    assert together("b", "c") in stories_of(*three(), edits=[Edit("split", url("a"))])


def test_join_makes_one_of_two_stories_over_any_distance() -> None:
    joined = stories_of(*three(), edits=[Edit("join", url("b"), url("z"))])
    assert joined == {together("a", "b", "c", "z")}
    assert joined == stories_of(*three(), edits=[Edit("join", url("z"), url("a"))])


def test_edits_apply_in_order_and_leaving_one_out_undoes_it() -> None:
    split, join = Edit("split", url("b")), Edit("join", url("b"), url("z"))
    assert stories_of(*three(), edits=[split, join]) == {together("a", "c"), together("b", "z")}
    assert stories_of(*three(), edits=[join, split]) == {together("a", "c", "z"), together("b")}
    assert stories_of(*three(), edits=[join]) == {together("a", "b", "c", "z")}
    assert stories_of(*three(), edits=[]) == {together("a", "b", "c"), together("z")}


def test_an_edit_waits_while_a_piece_it_names_is_gone() -> None:
    edits = [Edit("join", url("a"), url("z")), Edit("split", url("nobody")), Edit("join", url("c"), url("c"))]
    assert stories_of(three()[0], edits=edits) == {together("a", "b", "c")}
    assert stories_of(*three(), edits=edits) == {together("a", "b", "c", "z")}


# --- updates ----------------------------------------------------------------

TITLES = ["quake coast", "quake coast aid", "vote budget", "vote", "", "quake vote budget coast"]
KEYS = [f"k{at}" for at in range(9)]


@st.composite
def entries(draw: st.DrawFn) -> Related:
    name = draw(st.sampled_from(KEYS))
    key = draw(st.sampled_from([url(name), ""]))
    days = draw(st.sampled_from([None, 0, 0, 1, 2, 30]))
    return related(name, draw(st.sampled_from(TITLES)), days, key=key)


@st.composite
def articles(draw: st.DrawFn) -> Article:
    name = draw(st.sampled_from(KEYS))
    days = draw(st.sampled_from([None, 0, 0, 1, 2, 30]))
    path = draw(st.sampled_from([f"s/{name}.md", f"s/{name}-copy.md"]))
    lists = draw(st.lists(entries(), max_size=3))
    topics = draw(st.sampled_from([(), ("vote",)]))
    return article(name, draw(st.sampled_from(TITLES)), days, lists, path=path, topics=topics)


edits_made = st.lists(
    st.builds(
        Edit,
        st.sampled_from(["split", "join"]),
        st.sampled_from([*map(url, KEYS)]),
        st.sampled_from([*map(url, KEYS)]),
    ),
    max_size=3,
)


class Library:
    """As a store keeps it: articles by path, and which have a name."""

    def __init__(self, articles_: Iterable[Article]) -> None:
        self.articles = {a.path: a for a in articles_}

    def naming(self, wanted: Collection[str]) -> list[Article]:
        return [a for a in self.articles.values() if names(a) & set(wanted)]

    def whole(self, edits: Iterable[Edit]) -> set[Story]:
        pieces, ties = pieces_and_ties(self.articles.values())
        return set(cluster(pieces, ties, tuple(edits)))


@settings(max_examples=250, deadline=None)
@given(
    before=st.lists(articles(), max_size=9),
    written=st.lists(articles(), max_size=3),
    gone=st.sets(st.integers(0, 8), max_size=2),
    edits=edits_made,
    new_edits=edits_made,
)
def test_updating_gives_what_clustering_the_whole_gives(
    before: list[Article], written: list[Article], gone: set[int], edits: list[Edit], new_edits: list[Edit]
) -> None:
    library = Library(before)
    stories = library.whole(edits)
    changed: set[str] = set()
    for path in [a.path for at, a in enumerate(before) if at in gone]:
        if path in library.articles:
            changed |= names(library.articles.pop(path))
    for new in written:
        if new.path in library.articles:
            changed |= names(library.articles[new.path])
        library.articles[new.path] = new
        changed |= names(new)
    # The newest edits are undone and others made: the pieces they name are touched.
    now = [*edits[:-1], *new_edits]
    for edit in [*edits[-1:], *new_edits]:
        changed |= {edit.key, edit.other}
    result = update(changed, library.naming, now)
    kept = {story for story in stories if not set(story.keys) & result.dropped}
    assert all(set(story.keys) <= result.dropped for story in stories - kept), "stories are dropped whole"
    assert kept | set(result.stories) == library.whole(now)
    assert {key for story in result.stories for key in story.keys} == set(result.pieces)


def test_an_update_touches_only_what_names_connect() -> None:
    library = Library(
        [*three(), article("far", "Minister resigns", 50, lists=[related("farther", "Resigns", 50)])]
    )
    asked: list[str] = []

    def naming(wanted: Collection[str]) -> list[Article]:
        asked.extend(wanted)
        return library.naming(wanted)

    result = update(names(library.articles["s/a.md"]), naming)
    assert set(result.pieces) == together("a", "b", "c")
    assert len(asked) == len(set(asked)), "each name is asked for once"
    assert not {url("far"), url("farther"), url("z")} & result.dropped


def test_an_article_that_held_a_story_together_leaves_it_in_parts() -> None:
    library = Library(
        [article("hub", QUAKE, lists=[related("b", "Northern coast", 0), related("c", "Strong shakes", 0)])]
    )
    gone = library.articles.pop("s/hub.md")
    library.articles["s/b.md"] = article("b", "Northern coast")
    result = update(names(gone) | names(library.articles["s/b.md"]), library.naming)
    assert {story.keys for story in result.stories} == {(url("b"),)}
    assert {url("hub"), url("c")} <= result.dropped
