"""What is known of links, as blocks: an address's last answer, its ladder, the health of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from reader import browser
from reader.model import OUTCOMES, LinkCheck, Outcome
from reader.store.query.canonical import quoted
from reader.text import clean
from reader.ui import human
from reader.ui.document import Block, Lines, Rule
from reader.ui.styling import ACCENT, BAD, DIM, GOOD, STRONG, below, styled
from reader.ui.widgets.lines import fit

if TYPE_CHECKING:
    from reader.links.health import Share
    from reader.linkstate import Health, Moved

MOST: Final = 300
"""Outlets, and moved links, on the page; the command line has them all."""
_LABEL: Final = 26
_WIDEST_BAR: Final = 48
_NARROWEST_BAR: Final = 6
_COUNTS: Final = 18
"""Cells before the bars of counts."""
_DEAD: Final = "-link:alive -link:moved -link:unchecked"
"""The query for links that were asked and cannot be read."""


def check_text(check: LinkCheck, now: int) -> Text:
    """The last answer, and below it what the address has lived through."""
    info = OUTCOMES[check.outcome]
    words = f"{info.glyph} {info.word}"
    if check.status:
        words += f" ({check.status})"
    if check.target:
        words += f" to {browser.shown(check.target)}"
    if check.reason:
        words += f": {check.reason}"
    asked = human.ago(int(check.checked_at.timestamp()), now)
    text = styled((f"{words}, {check.elapsed_ms} ms", GOOD if info.readable else BAD), (f", {asked}", DIM))
    past = history_words(check)
    return below(text, styled((past, DIM))) if past else text


def history_words(check: LinkCheck) -> str:
    """When a page that cannot be read was first seen dead and last seen alive; empty for one that can."""
    if OUTCOMES[check.outcome].readable:
        return ""
    dead = f"first seen dead {_day(check.first_dead)}" if check.first_dead else ""
    alive = f"last seen alive {_day(check.last_alive)}" if check.last_alive else "never seen alive"
    return ", ".join(filter(None, (dead, alive)))


def _day(when: datetime) -> str:
    return human.local(int(when.timestamp())).rsplit(" ", 1)[0]


# -- the ladder -----------------------------------------------------------------


def ladder_blocks(title: str, check: LinkCheck, rungs: Iterable[tuple[str, str]], now: int) -> list[Block]:
    """What is known of a page that cannot be read, then each (why, address), numbered."""
    blocks: list[Block] = [Lines(styled((title or "(untitled)", STRONG))), Lines(check_text(check, now))]
    blocks.append(Lines(Text()))
    for number, (why, address) in enumerate(rungs, 1):
        text = below(styled((f"{number}  ", ACCENT), why), styled((f"   {clean(address, 4096)}", DIM)))
        blocks.append(Lines(text, id=str(number), item=True, hang=3))
    return blocks


# -- the health of all ------------------------------------------------------------


def health_page(health: Health, width: int) -> list[Block]:
    """Shares alive as bars, the worst outlets first, and what moved; ids are queries."""
    whole = health.all
    if not whole.checked:
        nothing = f"None of {whole.total:,} links was ever asked: nothing is, until you say so."
        return [Rule("All links"), Lines(styled(nothing))]
    blocks: list[Block] = [Rule("All links"), *_bars([whole], width, lambda _: ""), Lines(Text())]
    blocks += _groups(health, width)
    blocks += [Lines(Text()), Rule("Alive by year"), *_bars(health.years, width, _year_query)]
    blocks += [Lines(Text()), Rule("Alive by outlet, the worst first")]
    blocks += _bars(health.outlets[:MOST], width, _outlet_query)
    blocks += _more(len(health.outlets) - MOST, "newsfold links report")
    blocks += [Lines(Text()), Rule(f"Moved for good: {len(health.moved):,}")]
    blocks += map(_moved_line, health.moved[:MOST])
    blocks += _more(len(health.moved) - MOST, "newsfold links moved")
    if health.moved:
        words = "newsfold links moved --patch prints the change to the files"
        blocks += [Lines(Text()), Lines(styled((words, DIM)))]
    return blocks


def _more(count: int, command: str) -> list[Block]:
    return [Lines(styled((f"and {count:,} more: {command} lists them all", DIM)))] if count > 0 else []


def _bars(shares: Sequence[Share], width: int, query: Callable[[Share], str]) -> list[Block]:
    """A bar a line: label, bar, percentage of how many; all of them in the same columns."""
    figures = [_figures(share, roomy=width >= 80) for share in shares]
    label = min(_LABEL, max(8, width // 3), max((cell_len(clean(s.label, 80)) for s in shares), default=0))
    room = width - 4 - label - max(map(cell_len, figures), default=0)
    cells = min(_WIDEST_BAR, max(_NARROWEST_BAR, room))
    return [
        Lines(
            styled(
                (f"{set_cell_size(fit(clean(share.label, 80), label), label)} ", ""),
                *_bar(share, cells),
                (f" {words}", DIM if share.share is None else ""),
            ),
            id=(found := query(share)),
            item=bool(found),
            indent=0 if found else 2,
            hang=label + 1,
        )
        for share, words in zip(shares, figures, strict=True)
    ]


def _bar(share: Share, cells: int) -> list[tuple[str, str]]:
    """Full cells are alive; a share above nothing and below all never looks like either."""
    if share.share is None:
        return [("·" * cells, DIM)]
    full = round(share.share * cells)
    if share.alive:
        full = max(1, full)
    if share.alive < share.checked:
        full = min(cells - 1, full)
    return [("█" * full, GOOD), ("░" * (cells - full), BAD)]


def _figures(share: Share, *, roomy: bool) -> str:
    if share.share is None:
        return f"   – {share.total:,} never asked"
    rest = share.total - share.checked
    asked = f"{share.share:4.0%} of {share.checked:,}"
    return f"{asked} alive, {rest:,} never asked" if roomy and rest else asked + (" alive" if roomy else "")


def _year_query(share: Share) -> str:
    return f"published:{share.label} {_DEAD}" if _has_dead(share) and share.label.isdigit() else ""


def _outlet_query(share: Share) -> str:
    if not _has_dead(share) or share.label == "unknown outlet":
        return ""
    return f"outlet={quoted(share.label)} {_DEAD}"


def _has_dead(share: Share) -> bool:
    return share.alive < share.checked


def _groups(health: Health, width: int) -> list[Block]:
    """A line for each word of ``link:``, with the outcomes it is made of."""
    most = max(health.all.groups.values(), default=1)
    cells = min(_WIDEST_BAR, max(_NARROWEST_BAR, width - _COUNTS - 4))
    blocks: list[Block] = []
    for group in dict.fromkeys(info.group for info in OUTCOMES.values() if info.group != "unchecked"):
        count = health.all.groups.get(group, 0)
        if not count:
            continue
        members = [o for o, info in OUTCOMES.items() if info.group == group and health.outcomes.get(o)]
        readable = all(OUTCOMES[outcome].readable for outcome in members)
        bar = "█" * max(1, round(count / most * cells))
        head = styled(
            (f"{group:<8}", STRONG), f"{count:>{_COUNTS - 10},}  ", (bar, GOOD if readable else BAD)
        )
        parts = ", ".join(_outcome_words(outcome, health.outcomes[outcome]) for outcome in members)
        blocks.append(
            Lines(
                below(head, styled((" " * _COUNTS + parts, DIM))), id=f"link:{group}", item=True, hang=_COUNTS
            )
        )
    return blocks


def _outcome_words(outcome: Outcome, count: int) -> str:
    return f"{OUTCOMES[outcome].glyph} {OUTCOMES[outcome].word} {count:,}"


def _moved_line(moved: Moved) -> Block:
    files = f"in {len(moved.paths):,} file{'s' * (len(moved.paths) > 1)}"
    text = below(
        styled((f"{files}  ", DIM), clean(moved.address, 4096)),
        styled((f"→ {browser.shown(moved.target)}", GOOD)),
    )
    return Lines(text, id=f"url={quoted(moved.address)}", item=True, hang=2)
