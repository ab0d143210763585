"""Best source, headline differences, timeline, concentration, quality spread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reader.model import Outcome
from reader.stories.piece import Piece
from reader.stories.report import (
    Best,
    best_source,
    concentration,
    headline_diff,
    offset_label,
    quality_spread,
    timeline,
)
from reader.stories.wire import texts

WIRE = "The river rose above its banks on Monday and forced two thousand people in the valley to leave home."


def piece(key: str, quality: int | None = None, at: int | None = 0, **more: object) -> Piece:
    given = {
        "title": f"Title {key}",
        "outlet": key,
        "domain": f"{key}.example",
        "address": f"https://{key}.example/",
    }
    return Piece(key=key, quality=quality, published=at, **(given | more))  # type: ignore[arg-type]


def best(pieces: list[Piece], **outcomes: Outcome) -> Best:
    found = best_source(pieces, texts(pieces), outcomes)
    assert found is not None
    return found


def test_quality_decides_then_time_then_key() -> None:
    assert best([piece("a", 5), piece("b", 70)]) == Best(
        "b", ("quality 70, the highest of 2", "link not checked yet", "a text of its own")
    )
    assert best([piece("a", 5, 9), piece("b", 5, 3)]).key == "b"
    assert best([piece("b", 5), piece("a", 5)]).key == "a"
    assert best([piece("a", None), piece("b", 1)]).key == "b"
    assert best([piece("a")]).reasons[0] == "quality unknown"


@pytest.mark.parametrize(
    "bad", [Outcome.GONE, Outcome.WALLED, Outcome.DNS_ERROR, Outcome.BLOCKED, Outcome.SOFT_404]
)
def test_a_page_that_cannot_be_read_loses_to_any_that_can(bad: Outcome) -> None:
    assert best([piece("a", 90), piece("b", 1)], a=bad).key == "b"
    only = best([piece("a", 90), piece("b", 1, has_amp=True)], a=bad, b=bad)
    assert only.key == "b"
    assert any("no readable link" in reason for reason in only.reasons)
    assert "has an AMP copy" in only.reasons


def test_a_link_known_to_work_is_worth_some_quality() -> None:
    assert best([piece("a", 50), piece("b", 45)], b=Outcome.ALIVE).key == "b"
    assert best([piece("a", 50), piece("b", 30)], b=Outcome.MOVED).key == "a"
    assert "link works" in best([piece("b", 45)], b=Outcome.MOVED).reasons
    assert "not walled" in best([piece("a", 9), piece("b", 1)], a=Outcome.WALLED).reasons


def test_a_wire_copy_loses_to_an_own_text_of_like_quality() -> None:
    copies = [piece("first", 10, 1, excerpt=WIRE), piece("copy", 60, 2, excerpt=WIRE)]
    assert best([*copies, piece("own", 50, 3)]).key == "own"
    alone = best(copies)
    assert alone.key == "copy"
    assert "a probable wire copy, as at 2 outlets" in alone.reasons
    assert "earliest here of a text at 2 outlets" in best([replace(copies[0], quality=55), copies[1]]).reasons


def test_what_has_no_address_cannot_be_best() -> None:
    assert best([piece("a", 90, address=""), piece("b", 1)]).key == "b"
    assert best_source([piece("a", 90, address="")], (), {}) is None
    assert best_source([], (), {}) is None


def test_headlines_mark_words_of_one_outlet_and_lose_nothing() -> None:
    pieces = [
        piece("a", at=1, title="Amazon bans police use of face recognition"),
        piece("b", at=2, title="Amazon “suspends” Police use of its Face Recognition"),
        piece("c", at=3, title="[@click=app.quit] Amazon \x1bbans police"),
    ]
    found = headline_diff(pieces)
    marked = [[f.text for f in headline.fragments if f.unique] for headline in found]
    assert marked == [[], ["suspends"], ["click", "app", "quit"]]
    assert (
        "".join(f.text for f in found[1].fragments) == "Amazon “suspends” Police use of its Face Recognition"
    )
    assert "\x1b" not in "".join(f.text for f in found[2].fragments)
    assert [headline.key for headline in found] == ["a", "b", "c"]


def test_one_outlet_alone_differs_from_nobody_and_two_pieces_of_one_are_one_voice() -> None:
    one = [piece("a", title="River rises"), piece("a2", title="River falls", domain="a.example")]
    assert not any(f.unique for headline in headline_diff(one) for f in headline.fragments)
    both = headline_diff([*one, piece("b", title="River stays")])
    assert [[f.text for f in h.fragments if f.unique] for h in both] == [["rises"], ["falls"], ["stays"]]
    assert headline_diff([piece("a", title="")])[0].fragments == ()


def test_a_number_is_one_word_of_a_headline() -> None:
    found = headline_diff(
        [piece("a", title="River rises 1.5 metres"), piece("b", title="River rises 1.55 metres.")]
    )
    assert [[f.text for f in headline.fragments if f.unique] for headline in found] == [["1.5"], ["1.55"]]


@pytest.mark.parametrize("width", [1, 2, 3, 10, 79, 80, 140])
@pytest.mark.parametrize("span", [0, 1, 59, 60, 3_600, 86_399, 86_400, 40 * 86_400, 40 * 365 * 86_400])
def test_a_timeline_fits_its_width_and_counts_every_dated_piece(width: int, span: int) -> None:
    pieces = [
        piece("a", at=1_000),
        piece("b", at=1_000 + span),
        piece("c", at=1_000 + span // 2),
        piece("d", at=None),
    ]
    line = timeline(pieces, width)
    assert 1 <= len(line.counts) <= width
    assert sum(line.counts) == 3
    assert len(line.bars()) == len(line.counts)
    assert line.moments[-1].key == "d"
    assert line.moments[-1].column is None
    assert all(0 <= m.column < len(line.counts) for m in line.moments if m.column is not None)
    assert (line.start, line.moments[0].offset) == (1_000, 0)


def test_timelines_of_little() -> None:
    assert timeline([], 80).counts == ()
    assert timeline([piece("a", at=None)], 80).bars() == ""
    assert timeline([piece("a", at=7)], 0).counts == (1,)
    assert timeline([piece(str(at), at=0) for at in range(9)] + [piece("z", at=60)], 80).bars() == "█▁"
    assert timeline([piece("a", at=0), piece("b", at=7_200)], 80).unit == 120


@pytest.mark.parametrize(
    ("seconds", "label"),
    [
        (None, "undated"),
        (0, "earliest"),
        (30, "+0m"),
        (14 * 60, "+14m"),
        (8_040, "+2h 14m"),
        (7_200, "+2h"),
        (86_400, "+1d"),
        (3 * 86_400 + 4 * 3_600, "+3d 4h"),
        (412 * 86_400, "+412d"),
    ],
)
def test_offsets(seconds: int | None, label: str) -> None:
    assert offset_label(seconds) == label


def test_concentration_warns_of_one_text_behind_many_or_one_outlet() -> None:
    wire = [piece(k, excerpt=WIRE) for k in "abc"]
    own = [piece(k) for k in "def"]
    assert (
        concentration([*wire, *own], texts([*wire, *own]))
        == "3 of 6 outlets have one text, probably from one source"
    )
    assert concentration([*wire, *own, piece("g")], texts([*wire, *own, piece("g")])) == ""
    assert concentration(wire[:2], texts(wire[:2])) == ""
    mine = [piece(f"m{at}", domain="m.example") for at in range(3)]
    assert concentration([*mine, own[0]], texts([*mine, own[0]])) == "3 of 4 pieces are from m.example"
    assert concentration(mine, texts(mine)) == ""
    assert concentration([], ()) == ""


def test_quality_spread() -> None:
    spread = quality_spread([piece("a", 5), piece("b", 90), piece("c", 40), piece("d")])
    assert (spread.lowest, spread.median, spread.highest, spread.rated, spread.unrated) == (5, 40, 90, 3, 1)
    assert quality_spread([piece("d")]).median is None
