"""What a reader is told of one story: its best source, headlines, timeline and concentration.

Neutral by intent: figures and words, no labels of leaning.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median_low
from typing import Final

from reader.model import OUTCOMES, Outcome
from reader.stories.clustering import by_time
from reader.stories.piece import Piece, TextGroup
from reader.stories.words import telling
from reader.text import clean
from reader.values import dataclass

COPY_COST: Final = 20
"""Quality points a probable wire copy loses against an own text."""
ALIVE_GAIN: Final = 10
"""Quality points a link gains that is known to work against one never asked."""
_FEWEST_OUTLETS: Final = 3
_FEWEST_PIECES: Final = 4
# A number keeps its decimals: "1.5" is marked whole, not "1.*5*".
_WORD: Final = re.compile(r"[^\W_]+(?:[’'][^\W_]+|(?<=\d)[.,]\d+)*")
_BARS: Final = " ▁▂▃▄▅▆▇█"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS: Final = (
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 91, 182, 364)),
)


@dataclass(frozen=True, slots=True)
class Best:
    """The piece to read and why, each reason a few words without a full stop."""

    key: str
    reasons: tuple[str, ...]


def best_source(
    pieces: Iterable[Piece], groups: Iterable[TextGroup], outcomes: Mapping[str, Outcome]
) -> Best | None:
    """The piece of a story most worth opening; None when none can be opened.

    *outcomes* by piece key; absent is unchecked. A page that cannot be read
    (dead, walled, blocked) comes after all that can, one with an AMP copy
    before one without. Else quality decides, with ``ALIVE_GAIN`` for a link
    known to work and ``COPY_COST`` off for a probable wire copy that was not
    the first to print it; then the earlier piece.
    """
    candidates = [piece for piece in pieces if piece.address]
    if not candidates:
        return None
    copies = {key: group for group in groups if group.copied for key in group.keys}

    def rank(piece: Piece) -> tuple[int, int, tuple[bool, int, str]]:
        outcome = outcomes.get(piece.key, Outcome.UNCHECKED)
        points = piece.quality or 0
        points += ALIVE_GAIN if OUTCOMES[outcome].readable and outcome is not Outcome.UNCHECKED else 0
        points -= COPY_COST if _is_copy(piece, copies) else 0
        barred = 0 if OUTCOMES[outcome].readable else 1 if piece.has_amp else 2
        return (barred, -points, by_time(piece))

    best = min(candidates, key=rank)
    return Best(best.key, tuple(_reasons(best, candidates, copies, outcomes)))


def _is_copy(piece: Piece, copies: Mapping[str, TextGroup]) -> bool:
    return piece.key in copies and copies[piece.key].keys[0] != piece.key


def _reasons(
    best: Piece, candidates: Sequence[Piece], copies: Mapping[str, TextGroup], outcomes: Mapping[str, Outcome]
) -> Iterable[str]:
    rated = [piece.quality for piece in candidates if piece.quality is not None]
    if best.quality is None:
        yield "quality unknown"
    elif len(rated) > 1 and best.quality == max(rated):
        yield f"quality {best.quality}, the highest of {len(rated)}"
    else:
        yield f"quality {best.quality}"
    outcome = outcomes.get(best.key, Outcome.UNCHECKED)
    info = OUTCOMES[outcome]
    if outcome is Outcome.UNCHECKED:
        yield "link not checked yet"
    elif info.readable:
        yield "link works"
    else:
        yield f"no readable link in the story, this one: {info.word}"
        if best.has_amp:
            yield "has an AMP copy"
    if best.key not in copies:
        yield "a text of its own"
    elif _is_copy(best, copies):
        yield f"a probable wire copy, as at {len(copies[best.key].outlets)} outlets"
    else:
        yield f"earliest here of a text at {len(copies[best.key].outlets)} outlets"
    if any(outcomes.get(piece.key) is Outcome.WALLED for piece in candidates) and info.readable:
        yield "not walled"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of a headline; ``unique`` when only this outlet uses the word."""

    text: str
    unique: bool


@dataclass(frozen=True, slots=True)
class Headline:
    """One outlet's headline, clean and cut into fragments that joined give it whole."""

    key: str
    outlet: str
    fragments: tuple[Fragment, ...]


def headline_diff(pieces: Iterable[Piece]) -> tuple[Headline, ...]:
    """Every piece's headline by time, with the telling words only its outlet uses marked.

    Words are compared by stem, articles and auxiliaries never marked. With a
    single outlet nothing is marked: there is nobody to differ from.
    """
    ordered = sorted(pieces, key=by_time)
    users: defaultdict[str, set[str]] = defaultdict(set)
    for piece in ordered:
        for stem in telling(clean(piece.title)):
            users[stem].add(piece.source)
    several = len({piece.source for piece in ordered}) > 1
    unique = {stem for stem, sources in users.items() if several and len(sources) == 1}
    return tuple(
        Headline(piece.key, clean(piece.outlet or piece.domain), _fragments(clean(piece.title), unique))
        for piece in ordered
    )


def _fragments(title: str, unique: set[str]) -> tuple[Fragment, ...]:
    found: list[Fragment] = []

    def put(text: str, marked: bool) -> None:
        if found and found[-1].unique == marked:
            found[-1] = Fragment(found[-1].text + text, marked)
        elif text:
            found.append(Fragment(text, marked))

    end = 0
    for match in _WORD.finditer(title):
        put(title[end : match.start()], False)
        put(match[0], bool(telling(match[0]) & unique))
        end = match.end()
    put(title[end:], False)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Moment:
    """One piece on the timeline: seconds after the earliest and its column, None without a date."""

    key: str
    offset: int | None
    column: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A story over time, ready to draw: ``counts[i]`` pieces in ``unit`` seconds from ``start + i * unit``.

    ``start`` is the earliest piece's time in epoch seconds; no counts when no
    piece has a date. ``moments`` are all pieces by time, undated last.
    """

    start: int
    unit: int
    counts: tuple[int, ...]
    moments: tuple[Moment, ...]

    def bars(self) -> str:
        """One character a count, higher for more; blank for none."""
        most = max(self.counts, default=0)
        return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] if count else " " for count in self.counts)


def timeline(pieces: Iterable[Piece], width: int) -> Timeline:
    """Lay *pieces* out over at most *width* columns of a round length (minutes to years)."""
    ordered = sorted(pieces, key=by_time)
    dated = [piece.published for piece in ordered if piece.published is not None]
    if not dated:
        return Timeline(0, _UNITS[0], (), tuple(Moment(piece.key, None, None) for piece in ordered))
    start, span = dated[0], dated[-1] - dated[0]
    width = max(1, width)
    unit = next((unit for unit in _UNITS if span // unit < width), span // width + 1)
    counts = [0] * (span // unit + 1)
    moments: list[Moment] = []
    for piece in ordered:
        if piece.published is None:
            moments.append(Moment(piece.key, None, None))
            continue
        offset = piece.published - start
        counts[offset // unit] += 1
        moments.append(Moment(piece.key, offset, offset // unit))
    return Timeline(start, unit, tuple(counts), tuple(moments))


def offset_label(offset: int | None) -> str:
    """``earliest``, ``+14m``, ``+2h 14m``, ``+3d 4h``, ``+412d``; ``undated`` for None. Seconds in."""
    if offset is None:
        return "undated"
    if offset < _MINUTE:
        return "earliest" if offset == 0 else "+0m"
    days, hours, minutes = offset // _DAY, offset % _DAY // _HOUR, offset % _HOUR // _MINUTE
    if days >= 100:
        return f"+{days}d"
    if days:
        return f"+{days}d {hours}h" if hours else f"+{days}d"
    if hours:
        return f"+{hours}h {minutes}m" if minutes else f"+{hours}h"
    return f"+{minutes}m"


@dataclass(frozen=True, slots=True)
class Spread:
    """Quality over a story's pieces; all None when no piece is rated."""

    lowest: int | None
    median: int | None
    highest: int | None
    rated: int
    unrated: int


def quality_spread(pieces: Iterable[Piece]) -> Spread:
    """Lowest, median and highest quality of *pieces*, and how many have one."""
    all_pieces = list(pieces)
    rated = sorted(piece.quality for piece in all_pieces if piece.quality is not None)
    if not rated:
        return Spread(None, None, None, 0, len(all_pieces))
    return Spread(rated[0], median_low(rated), rated[-1], len(rated), len(all_pieces) - len(rated))


def concentration(pieces: Iterable[Piece], groups: Iterable[TextGroup]) -> str:
    """A warning when much of the coverage has one source, else empty. Clean text, no full stop.

    Either one text is at half or more of at least three outlets, or one
    outlet has half or more of at least four pieces and another outlet exists.
    """
    all_pieces = list(pieces)
    outlets = Counter(piece.source for piece in all_pieces)
    widest = max(groups, key=lambda group: len(group.outlets), default=None)
    if (
        widest is not None
        and widest.copied
        and len(outlets) >= _FEWEST_OUTLETS
        and 2 * len(widest.outlets) >= len(outlets)
    ):
        return f"{len(widest.outlets)} of {len(outlets)} outlets have one text, probably from one source"
    if len(outlets) > 1 and len(all_pieces) >= _FEWEST_PIECES:
        source, count = min(outlets.items(), key=lambda item: (-item[1], item[0]))
        if 2 * count >= len(all_pieces):
            return f"{count} of {len(all_pieces)} pieces are from {clean(source) or 'an unnamed outlet'}"
    return ""
