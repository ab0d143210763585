"""Same texts: probable wire copies and versions."""

from __future__ import annotations

import random

import pytest

from reader.stories.piece import Piece, TextGroup, summary
from reader.stories.wire import texts
from reader.stories.words import telling, without_agency, words

WIRE = (
    "The river rose above its banks on Monday and forced two thousand people in the valley to leave "
    "their homes, officials said, as rain was forecast to last until the weekend."
)
OWN = (
    "Families along the valley packed what they could carry when the water came at night. We spoke to "
    "three of them in the school where they are sleeping now."
)


def piece(key: str, outlet: str, title: str, excerpt: str = "", at: int = 0) -> Piece:
    return Piece(key, title, excerpt, outlet, f"{outlet}.example", at)


def keys(groups: tuple[TextGroup, ...]) -> list[tuple[str, ...]]:
    return [group.keys for group in groups]


@pytest.mark.parametrize(
    "told",
    [
        WIRE,
        f"SPRINGFIELD (AP) — {WIRE}",
        f"SPRINGFIELD, Ill. (AP) -- {WIRE}",
        f"(Reuters) - {WIRE}",
        f"Reuters: {WIRE}",
        WIRE.replace("on Monday ", ""),
        WIRE[:110] + "...",
        WIRE.upper(),
        WIRE.replace("'", "’").replace(" and ", " &amp; ").replace("&amp;", "and"),
    ],
)
def test_agency_tags_cuts_and_small_words_do_not_hide_a_copy(told: str) -> None:
    groups = texts(
        [piece("1", "one", "River rises", WIRE), piece("2", "two", "Thousands flee flood", told, 1)]
    )
    assert keys(groups) == [("1", "2")]
    assert groups[0].copied
    assert groups[0].outlets == ("one.example", "two.example")
    assert summary(groups) == (2, 1)


@pytest.mark.parametrize("told", [OWN, "", WIRE[:40], "The river rose. " + OWN, WIRE[: len(WIRE) // 3] + OWN])
def test_other_texts_short_ones_and_shared_openings_are_no_copies(told: str) -> None:
    groups = texts(
        [piece("1", "one", "River rises", WIRE), piece("2", "two", "Thousands flee flood", told, 1)]
    )
    assert keys(groups) == [("1",), ("2",)]
    assert not any(group.copied for group in groups)


def test_a_long_title_word_for_word_is_the_same_text_a_short_one_is_not() -> None:
    long = "Valley families sleep in school gym after river floods homes"
    assert len(texts([piece("1", "one", long, OWN), piece("2", "two", f"{long} | Reuters", WIRE)])) == 1
    assert (
        len(
            texts(
                [piece("1", "one", "River floods homes", OWN), piece("2", "two", "River floods homes", WIRE)]
            )
        )
        == 2
    )
    assert len(texts([piece("1", "one", ""), piece("2", "two", "")])) == 2


def test_what_one_outlet_prints_again_is_a_version_not_a_copy() -> None:
    groups = texts(
        [
            piece("1", "one", "River guide", WIRE),
            piece("2", "one", "River guide", OWN, 1),
            piece(
                "3",
                "one",
                "River: what we know",
                WIRE.replace("two thousand", "six thousand").replace("Monday", "Friday"),
                2,
            ),
        ]
    )
    assert keys(groups) == [("1", "2", "3")]
    assert not groups[0].copied
    assert groups[0].versions == 2


def test_outlets_are_told_apart_by_domain_else_by_name() -> None:
    bare = [
        Piece("1", "A", WIRE, "The Daily"),
        Piece("2", "B", WIRE, "the  daily"),
        Piece("3", "C", WIRE, "The Weekly"),
    ]
    assert [group.outlets for group in texts(bare)] == [("the daily", "the weekly")]


def test_groups_are_by_time_hold_every_piece_once_and_do_not_depend_on_order() -> None:
    pieces = [piece(str(at), f"o{at % 5}", f"Title {at}", [WIRE, OWN][at % 2], 100 - at) for at in range(20)]
    groups = texts(pieces)
    shuffled = pieces[:]
    random.Random(3).shuffle(shuffled)
    assert texts(shuffled) == groups
    assert sorted(key for group in groups for key in group.keys) == sorted(p.key for p in pieces)
    assert groups[0].keys[0] == "19"


def test_five_thousand_pieces_of_one_text_and_of_as_many_texts_are_bounded() -> None:
    rng = random.Random(5)
    bank = [f"w{at}" for at in range(300)]
    one = [piece(str(at), f"o{at}", f"T{at}", WIRE, at) for at in range(5_000)]
    assert len(texts(one)) == 1
    many = [
        piece(
            str(at), f"o{at}", f"T{at}", "The river rose above its banks " + " ".join(rng.choices(bank, k=30))
        )
        for at in range(5_000)
    ]
    assert len(texts(many)) == 5_000


def test_words() -> None:
    assert words("Blizzard’s Diablo IV isn't “out” &amp; about") == (
        "blizzard",
        "diablo",
        "4",
        "isn't",
        "out",
        "about",
    )
    assert words("地震で\x1b[0m") == ("地震", "震で", "0m")
    assert telling("The announcement is announced") == telling("announces") == {"announc"}
    assert without_agency("PARIS (AFP) — It rained") == "It rained"
    assert without_agency("It rained in Paris — a lot") == "It rained in Paris — a lot"
