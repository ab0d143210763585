"""What is drawn takes the cells it was measured at, whichever way a terminal counts them.

Terminals and tmux disagree about how many cells a heart with a variation
selector, a skin tone, a flag or a family of emoji takes; where one counts
otherwise than Textual does, all that stands to the right in the row moves. So
what consists of several code points is drawn as the first of them, a flag as its
two letters, with blanks for the cells that are left over:

    ============================================  =========================
    drawn                                         as
    ============================================  =========================
    anything and U+FE0F, U+FE0E, a keycap         that thing
    an emoji and its skin tone                    the emoji
    emoji joined by U+200D                        the first of them
    regional indicators                           their letters
    ============================================  =========================

ZWJ between letters stays: Devanagari and others are not readable without it. What
one code point takes is in doubt for signs that are newer than a terminal and for
spacing vowel signs: there each piece of a row is put at its own column, over
blanks, so that it does not move its neighbours.
"""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

_SIGN: Final = "\u203c-\u3299\U0001f000-\U0001faff"
_TONE: Final = "\U0001f3fb-\U0001f3ff"
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]")
_MANY: Final = re.compile(f"(.?)(?:\ufe0f\u20e3?|\ufe0e|[{_TONE}]|(?<=[{_SIGN}\ufe0f])\u200d[{_SIGN}])+")
_DOUBTED: Final = "\u0900-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\uabff\U0001f000-\U0010ffff"
_IN_DOUBT: Final = re.compile(f"[{_DOUBTED}]")
_PLAIN: Final = re.compile(f"[^{_DOUBTED}\u200d\ufe0e\ufe0f]*")
"""Nothing that any of those would find."""


def steady(text: str) -> str:
    """*text* of the same cells, by Textual's count, of code points that terminals agree on; see the table."""
    if text.isascii() or _PLAIN.fullmatch(text):
        return text
    plain = _FLAG.sub(_letter, _MANY.sub(r"\1", text))
    return text if plain == text else set_cell_size(plain, cell_len(text))


def _letter(flag: re.Match[str]) -> str:
    return chr(ord(flag[0]) - 0x1F1E6 + ord("A"))


def in_doubt(strip: Strip) -> bool:
    """Whether a terminal may give *strip* more or fewer cells than it was measured at."""
    return any(not text.isascii() and _IN_DOUBT.search(text) for text, _, _ in strip._segments)


def _is_plain(strip: Strip) -> bool:
    return all(text.isascii() or _PLAIN.fullmatch(text) for text, _, _ in strip._segments)


def steadied(drawn: RenderableType | None) -> RenderableType | None:
    """What Textual is about to draw, its rows steady and each of their pieces at its own column."""
    if isinstance(drawn, ChopsUpdate):
        return SteadyUpdate(drawn.chops, drawn.spans, drawn.chop_ends)
    if isinstance(drawn, LayoutUpdate):
        return _placed(drawn)
    return drawn


def _steady_strip(strip: Strip) -> Strip:
    if not any(_MANY.search(text) or _FLAG.search(text) for text, _, _ in strip if not text.isascii()):
        return strip
    segments = [Segment(text if control else steady(text), style, control) for text, style, control in strip]
    return Strip(segments, strip.cell_length)


def _placed(drawn: LayoutUpdate) -> SteadyUpdate:
    """A whole screen, whose rows know their pieces' order but not their columns."""
    region = drawn.region
    rows: list[dict[int, Strip | None]] = [{} for _ in range(region.y)]
    ends: list[list[int]] = [[] for _ in range(region.y)]
    for line in drawn.strips:
        row: dict[int, Strip | None] = {}
        x = region.x
        for strip in line:
            row[x] = strip
            x += strip.cell_length
        rows.append(row)
        ends.append([*list(row)[1:], x])
    spans = [(y, region.x, region.right) for y in range(region.y, region.y + len(drawn.strips))]
    return SteadyUpdate(rows, spans, ends)


class SteadyUpdate(ChopsUpdate):
    """Textual's, with a piece that is in doubt put over blanks: a narrower one leaves nothing stale."""

    def render_segments(self, console: Console) -> str:
        sent: list[str] = []
        for y, first, after in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= after or end <= first:
                    continue
                part = strip.crop(0, after - x) if end > after else strip
                place = f"\x1b[{y + 1};{x + 1}H"
                if not _is_plain(part):
                    part = _steady_strip(part)
                    if in_doubt(part):
                        *_, last = part
                        sent += (place, Strip([Segment(" " * part.cell_length, last.style)]).render(console))
                sent += (place, part.render(console))
        return "".join(sent)
