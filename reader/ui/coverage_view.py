"""An article's story below it, and a story on a page of its own: blocks of styled text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import set_cell_size
from rich.text import Text

from reader.coverage import Telling, source_of
from reader.editions import changes
from reader.model import OUTCOMES, LinkCheck, Outcome
from reader.store.rows import PieceRow
from reader.store.state import Headline
from reader.stories.piece import TextGroup, summary
from reader.ui import human
from reader.ui.document import Block, Lines, Rule
from reader.ui.styling import ACCENT, BAD, DIM, GOOD, LEAD, STRONG, TITLE, below, styled
from reader.ui.widgets.lines import fit

if TYPE_CHECKING:
    from reader.stories.report import Best, Fragment, Timeline
    from reader.ui.aiming import Loaded

SHOWN_PIECES: Final = 200
"""Pieces drawn below an article; the story's own page has them all."""
_LANES: Final = 24
"""Outlets with a lane of their own in the picture."""
_LANE_NAME: Final = 18
_UNITS: Final = (
    (364 * 86_400, "year"),
    (7 * 86_400, "week"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
)

Styled = tuple[str, str] | str


def coverage(loaded: Loaded, unfolded: frozenset[str], keys: Mapping[str, str]) -> list[Block]:
    """The story of what is shown, by time, same texts folded; then what is listed of other stories.

    *unfolded* holds the first key of every text that is not to be folded;
    *keys* are the keys of the commands that are spoken of.
    """
    telling, pieces = loaded.telling, loaded.coverage
    if not pieces:
        return []
    if telling is None:
        return [*_plain(loaded), Lines(Text())]
    number = {piece.key: index for index, piece in enumerate(pieces)}
    blocks: list[Block] = []
    if len(telling.pieces) > 1:
        counts, _, rest = _counts(telling).partition(", ")
        blocks += [Rule(f"Coverage: {counts}"), Lines(styled((rest, DIM)), indent=2)]
        if told := telling.row.news:
            blocks.append(Lines(styled((told, ACCENT)), indent=2))
        blocks += _story_lines(telling, loaded.row.key, number, unfolded, keys)
        if warning := telling.warning():
            blocks.append(Lines(styled((f"! {warning}", BAD)), indent=2, hang=2))
    own = {piece.key for piece in telling.pieces}
    others = [piece for piece in pieces if piece.key not in own]
    if others:
        blocks.append(
            Rule(f"Listed beside it, told as {'other stories' if len(others) > 1 else 'another story'}")
        )
        blocks += [
            _piece_line(piece, number[piece.key], "", _outcome(piece, loaded.checks))
            for piece in others[:SHOWN_PIECES]
        ]
        blocks += _more(len(others) - SHOWN_PIECES, "")
    if any(piece.article is None for piece in pieces):
        blocks.append(Lines(styled(("○ only mentioned: not in the library itself", DIM)), indent=2))
    return [*blocks, Lines(Text())]


def _plain(loaded: Loaded) -> Iterable[Block]:
    """What the file itself lists, while its story is still to be made."""
    pieces = loaded.coverage
    yield Rule(f"Coverage: {_many(len(pieces), 'piece')}, their story is still to be made")
    times = [t for t in (loaded.row.published, *(p.published for p in pieces)) if t is not None]
    for index, piece in enumerate(pieces[:SHOWN_PIECES]):
        label = _offset(piece.published, min(times, default=None))
        yield _piece_line(piece, index, label, _outcome(piece, loaded.checks))
    yield from _more(len(pieces) - SHOWN_PIECES, "")


def _counts(telling: Telling) -> str:
    outlets, texts = summary(telling.groups)
    pieces = _many(len(telling.pieces), "piece")
    return f"{pieces}, {_many(outlets, 'outlet')}, {_many(texts, 'independent text')}"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _story_lines(
    telling: Telling, own: str, number: Mapping[str, int], unfolded: frozenset[str], keys: Mapping[str, str]
) -> Iterable[Block]:
    rows = {piece.key: piece for piece in telling.pieces}
    start = telling.row.first
    drawn = 0

    def line(key: str, *, inner: bool = False) -> Block:
        piece = rows[key]
        label = _offset(piece.published, start)
        lead = "  " if inner else ""
        if key == own:
            return _own_line(piece, f"{lead}{label}", telling.outcome(piece))
        return _piece_line(piece, number[key], f"{lead}{label}", telling.outcome(piece))

    for at, group in enumerate(telling.groups):
        if drawn >= SHOWN_PIECES:
            rest = sum(len(g.keys) for g in telling.groups[at:])
            yield from _more(rest, keys.get("story", ""))
            return
        first, *copies = group.keys
        yield line(first)
        drawn += 1
        if copies:
            open_ = first in unfolded
            yield _fold_line(group, rows, open_=open_, key=keys.get("unfold", ""))
            shown = copies if open_ else [key for key in copies if key == own]
            for key in shown[:SHOWN_PIECES]:
                yield line(key, inner=True)
            yield from _more(len(shown) - SHOWN_PIECES, keys.get("story", ""))
            drawn += len(shown)


def _more(count: int, key: str) -> list[Block]:
    if count <= 0:
        return []
    where = f": {key} shows them all" if key else ""
    return [Lines(styled((f"and {count:,} more{where}", DIM)), indent=2)]


def _offset(published: int | None, start: int | None) -> str:
    from reader.stories.report import offset_label

    return offset_label(None if published is None or start is None else published - start)


def _own_line(piece: PieceRow, label: str, outcome: Outcome) -> Block:
    facts: list[Styled] = [(f"{label:<9} ", DIM), ("▸ ", ACCENT), (_outlet(piece), ACCENT)]
    if piece.quality is not None:
        facts.append((f"  q{piece.quality}", DIM))
    facts += [*_link(outcome), ("  this piece", ACCENT)]
    return Lines(styled(*facts), indent=2, id=f"own:{piece.key}")


def _piece_line(piece: PieceRow, index: int, label: str, outcome: Outcome) -> Block:
    facts: list[Styled] = [(f"{label:<9} ", DIM)] if label else []
    if piece.article is None:
        facts.append(("○ ", DIM))
    else:
        facts.append(("  ", "") if piece.read else ("● ", ACCENT))
    facts.append((_outlet(piece), ACCENT))
    if piece.quality is not None:
        facts.append((f"  q{piece.quality}", DIM))
    facts += _link(outcome)
    if not label and piece.published is not None:
        facts.append((f"  {human.local(piece.published)}", DIM))
    unread = piece.article is not None and not piece.read
    title = styled((piece.title or "(untitled)", STRONG if unread else ""))
    return Lines(below(styled(*facts), title), id=f"piece:{index}", item=True)


def _fold_line(group: TextGroup, rows: Mapping[str, PieceRow], *, open_: bool, key: str) -> Block:
    hint = f" ({key} {'folds' if open_ else 'unfolds'})" if key else ""
    words = f"{'▾' if open_ else '▸'} {describe(group)}"
    facts: list[Styled] = [(" " * 8, ""), (words, STRONG)]
    if not open_ and group.copied:
        names = list(dict.fromkeys(_outlet(rows[k]) for k in group.keys[1:]))
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        facts.append((f": also {', '.join(names[:4])}{more}", DIM))
    facts.append((hint, DIM))
    return Lines(styled(*facts), id=f"text:{group.keys[0]}", item=True, hang=10)


def describe(group: TextGroup) -> str:
    """``3 outlets, one text: probable wire copy``; ``2 versions of one page``."""
    if group.copied:
        again = f", {_many(group.versions, 'version')} more" if group.versions else ""
        return f"{len(group.outlets)} outlets, one text: probable wire copy{again}"
    return f"{len(group.keys)} versions by one outlet"


def _outlet(piece: PieceRow) -> str:
    return piece.outlet or piece.domain or "unknown outlet"


def _outcome(piece: PieceRow, checks: Mapping[str, LinkCheck]) -> Outcome:
    check = checks.get(piece.url)
    return check.outcome if check else piece.link or Outcome.UNCHECKED


def _link(outcome: Outcome) -> list[Styled]:
    if outcome is Outcome.UNCHECKED:
        return []
    info = OUTCOMES[outcome]
    return [(f"  {info.glyph} {info.word}", GOOD if info.readable else BAD)]


def history(editions: Sequence[Headline]) -> list[Block]:
    """What an article said before; empty when newsfold never saw it change."""
    told = changes(editions)
    if not told:
        return []
    blocks: list[Block] = [Rule(told[0].upper() + told[1:])]
    before: Headline | None = None
    for edition in editions:
        when = human.local(int(edition.seen_at.timestamp()))
        if before is None or edition.title != before.title:
            blocks.append(Lines(styled((f"{when}  ", DIM), edition.title or "(untitled)"), indent=2, hang=2))
        if before is not None and edition.excerpt != before.excerpt:
            lead = "" if edition.title != before.title else f"{when}  "
            blocks.append(
                Lines(styled((f"{lead}excerpt: ", DIM), edition.excerpt or "(none)"), indent=2, hang=2)
            )
        before = edition
    return [*blocks, Lines(Text())]


# -- the story's own page ---------------------------------------------------------


def story_page(telling: Telling, width: int) -> list[Block]:
    """Everything of a story at *width* cells: counts, picture, best source, texts, outlets, pieces."""
    best = telling.best()
    lead = next((p for p in telling.pieces if best and p.key == best.key), telling.pieces[0])
    blocks: list[Block] = [Lines(styled((lead.title or "(untitled)", TITLE)))]
    blocks.append(Lines(styled((_counts(telling), STRONG))))
    if told := telling.row.news:
        blocks.append(Lines(styled((told, ACCENT))))
    if telling.topics:
        blocks.append(Lines(styled(("in ", DIM), " · ".join(telling.topics[:12])), hang=3))
    blocks.append(Lines(styled(("quality ", DIM), _spread(telling))))
    if warning := telling.warning():
        blocks.append(Lines(styled((f"! {warning}", BAD)), hang=2))
    if best is not None:
        words = ": ".join(best_line(telling, best))
        blocks.append(Lines(styled(("best source ", DIM), (words, ACCENT)), hang=12))
    blocks += [Lines(Text()), *picture(telling, width), Lines(Text())]
    blocks += _texts(telling)
    blocks.append(Rule("Pieces"))
    start = telling.row.first
    for piece in telling.pieces:
        mark = "○" if piece.article is None else " " if piece.read else "●"
        head: list[Styled] = [
            (f"{_offset(piece.published, start):<10}", DIM),
            (f"{mark} ", DIM),
            (_outlet(piece), ACCENT),
        ]
        if piece.quality is not None:
            head.append((f"  q{piece.quality}", DIM))
        head += _link(telling.outcome(piece))
        blocks += [Lines(styled(*head)), Lines(styled(piece.title or "(untitled)"), indent=12)]
    blocks += [Lines(Text()), Lines(styled(("● unread  ○ only mentioned: not in the library itself", DIM)))]
    return blocks


def best_line(telling: Telling, best: Best) -> tuple[str, str]:
    """The outlet, and why: ``quality 87, the highest of 5; link works; a text of its own``."""
    piece = next(p for p in telling.pieces if p.key == best.key)
    return _outlet(piece), "; ".join(best.reasons)


def _spread(telling: Telling) -> str:
    spread = telling.spread()
    if spread.lowest is None:
        return "of no piece is known"
    unrated = f", {spread.unrated} unrated" if spread.unrated else ""
    if spread.lowest == spread.highest:
        return f"{spread.lowest}{unrated}"
    return f"{spread.lowest} to {spread.highest}, median {spread.median}{unrated}"


def _texts(telling: Telling) -> list[Block]:
    rows = {piece.key: piece for piece in telling.pieces}
    shared = [group for group in telling.groups if len(group.keys) > 1]
    if not shared:
        return []
    blocks: list[Block] = [Rule("Same texts")]
    for group in shared:
        names = ", ".join(dict.fromkeys(_outlet(rows[key]) for key in group.keys))
        blocks.append(Lines(styled((f"{describe(group)}: ", STRONG), names), indent=2, hang=2))
    return [*blocks, Lines(Text())]


def picture(telling: Telling, width: int) -> list[Block]:
    """The pieces over time: bars for all, a lane of dots for each outlet."""
    room = max(8, width - _LANE_NAME - 2)
    line = telling.timeline(room)
    if not line.counts:
        return [Rule("Timeline"), Lines(styled(("no piece has a date", DIM)), indent=2)]
    title = f"Timeline from {human.local(line.start)}, the earliest in this archive"
    blocks: list[Block] = [Rule(title)]
    width = room if len(line.counts) > 1 else 1
    blocks.append(_lane("pieces", _bars(line, width), ACCENT))
    blocks += _lanes(telling, line, width)
    blocks.append(_lane("", "└" + "─" * (width - 1), DIM))
    from reader.stories.report import offset_label

    last = max((moment.offset for moment in line.moments if moment.offset is not None), default=0)
    end = offset_label(last) if last else ""
    gap = max(1, width - len("earliest") - len(end))
    blocks.append(_lane("", f"earliest{' ' * gap}{end}".rstrip(), DIM))
    undated = sum(moment.offset is None for moment in line.moments)
    told = f"a bar is {_unit(line.unit)}" + (f"; {undated} undated" if undated else "")
    return [*blocks, _lane("", told, DIM)]


def _at(line: Timeline, column: int, width: int) -> int:
    """The cell of *width* in which count *column* stands: the last one stands at the end."""
    return column * (width - 1) // max(1, len(line.counts) - 1)


def _bars(line: Timeline, width: int) -> str:
    cells = [" "] * width
    thick = max(1, min(3, width // len(line.counts) - 1))
    for column, bar in enumerate(line.bars()):
        if bar != " ":
            first = min(_at(line, column, width), width - thick)
            cells[first : first + thick] = [bar] * thick
    return "".join(cells)


def _lanes(telling: Telling, line: Timeline, width: int) -> list[Block]:
    """A lane an outlet: what is counted as one is one, under its domain where it has several names."""
    rows = {piece.key: piece for piece in telling.pieces}
    lanes: dict[str, dict[int, list[PieceRow]]] = {}
    for moment in line.moments:
        if moment.column is not None:
            piece = rows[moment.key]
            cell = _at(line, moment.column, width)
            lanes.setdefault(source_of(piece), {}).setdefault(cell, []).append(piece)
    blocks: list[Block] = []
    shown = list(lanes.items())
    for source, dots in shown[:_LANES]:
        names = {_outlet(piece) for pieces in dots.values() for piece in pieces}
        name = names.pop() if len(names) == 1 else source
        cells = [" "] * width
        for cell, pieces in dots.items():
            inside = any(piece.article is not None for piece in pieces)
            cells[cell] = str(min(9, len(pieces))) if len(pieces) > 1 else "●" if inside else "○"
        blocks.append(_lane(name, "".join(cells), LEAD))
    if len(shown) > _LANES:
        blocks.append(_lane("", f"and {len(shown) - _LANES} more outlets", DIM))
    return blocks


def _lane(name: str, cells: str, style: str) -> Block:
    label = set_cell_size(fit(name, _LANE_NAME), _LANE_NAME)
    text = Text()
    # Not cleaned as a line: the blanks are the picture. The name is, and the cells are our own.
    text.append_text(styled((label, DIM))).append(" ").append(cells, style or None)
    return Lines(text)


def _unit(seconds: int) -> str:
    for size, word in _UNITS:
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {word}s" if count > 1 else f"one {word}"
    return f"{seconds} seconds"


def differences_page(telling: Telling) -> list[Block]:
    """The headlines by time; words that only one outlet uses stand between asterisks, and bold."""
    blocks: list[Block] = [
        Lines(styled(("*so*", STRONG), (": a word that only this outlet uses in its headline", DIM))),
        Lines(Text()),
    ]
    start = telling.row.first
    rows = {piece.key: piece for piece in telling.pieces}
    for headline in telling.headlines():
        label = _offset(rows[headline.key].published, start)
        blocks.append(Lines(styled((f"{label:<9} ", DIM), (headline.outlet or "unknown outlet", ACCENT))))
        text = Text()
        for words, unique in joined(headline.fragments):
            text.append_text(styled((words, STRONG if unique else "")))
        blocks += [Lines(text, indent=2, hang=2), Lines(Text())]
    return blocks


def joined(fragments: Sequence[Fragment]) -> list[tuple[str, bool]]:
    """Fragments as they are printed: unique ones between asterisks, neighbours under one pair."""
    runs: list[tuple[str, bool]] = []
    for at, fragment in enumerate(fragments):
        text, unique = fragment.text, fragment.unique
        between = text.isspace() and at + 1 < len(fragments)
        if runs and runs[-1][1] and (unique or between):
            runs[-1] = (runs[-1][0] + text, True)
        else:
            runs.append((text, unique))
    return [(f"*{text}*" if unique else text, unique) for text, unique in runs]
