"""What an update draws: the rows it touches, and of the widgets there only those that are seen.

Textual renders, for every update, all rows of all widgets that reach into the
smallest rectangle around it: the cursor's two rows cost what the pane costs, and
a word in the first line with one in the last the whole screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import cast

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

from reader.ui.steady import in_doubt

_Span = tuple[int, int, int]
"""A row, its first column, and the column after its last."""
_Cells = dict[int, Strip | None]
"""What stands in one row, from each column where a widget begins or ends."""


class RowCompositor(Compositor):
    """Textual's, but for how much is rendered for an update; what reaches the terminal is the same."""

    def render_partial_update(self) -> ChopsUpdate | None:
        screen = self.size.region
        regions = [part for region in self._dirty_regions if (part := region.intersection(screen))]
        self._dirty_regions.clear()
        if not regions:
            return None
        spans = list(self._regions_to_spans(regions))
        cuts = self.cuts
        rows: list[_Cells] = [{}] * len(cuts)
        for y, _, _ in spans:
            rows[y] = dict.fromkeys(cuts[y][:-1])
        for band in _bands(spans):
            self._fill(rows, band)
        if doubtful := {
            y for y, _, _ in spans if any(strip and in_doubt(strip) for strip in rows[y].values())
        }:
            # What a terminal makes wider reaches into its neighbours: they are drawn after it.
            whole = [(y, 0, self.size.width) for y in sorted(doubtful)]
            spans = sorted([*(span for span in spans if span[0] not in doubtful), *whole])
            for y in doubtful:
                rows[y] = dict.fromkeys(cuts[y][:-1])
            for band in _bands(whole):
                self._fill(rows, band)
        return ChopsUpdate(rows, spans, [cut[1:] for cut in cuts])

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        del is_rendered_line  # all are, where all is drawn: what else is drawn goes the way above
        rows: list[_Cells] = [dict.fromkeys(cut[:-1]) for cut in self.cuts]
        self._fill(rows, crop)
        return cast("Sequence[Mapping[int, Strip]]", rows)

    def _fill(self, rows: list[_Cells], band: Region) -> None:
        """Put into *rows* what is seen in *band*, front to back, until nothing of it is open."""
        first, last = band.column_span
        opened = {
            y: [(cut, after) for cut, after in pairwise(self.cuts[y]) if cut < last and after > first]
            for y in band.line_range
        }
        for widget, (region, clip) in self.visible_widgets.items():
            if not opened:
                return
            seen = region.intersection(clip)
            if not seen.overlaps(band):
                continue
            begin, end = seen.column_span
            wanted = {
                y: part
                for y in seen.line_range
                if y in opened
                and (part := [cell for cell in opened[y] if begin <= cell[0] and cell[1] <= end])
            }
            if not wanted:
                continue  # nothing of it is seen
            left = min(part[0][0] for part in wanted.values())
            right = max(part[-1][1] for part in wanted.values())
            top, bottom = min(wanted), max(wanted) + 1
            strips = widget.render_lines(Region(left, top, right - left, bottom - top) - region.offset)
            for y, part in wanted.items():
                strip, row = strips[y - top], rows[y]
                if part == [(left, right)]:
                    row[left] = strip
                else:
                    cuts = sorted({edge - left for cell in part for edge in cell} - {0})
                    pieces = dict(zip([0, *cuts], strip.divide(cuts), strict=False))
                    for cut, _ in part:
                        row[cut] = pieces[cut - left]
                    strip._divide_cache.clear()  # seldom asked for again, and much larger than the text
                if len(part) == len(opened[y]):
                    del opened[y]
                else:
                    opened[y] = [cell for cell in opened[y] if cell not in part]


def _bands(spans: Iterable[_Span]) -> Iterator[Region]:
    """Rectangles around *spans*, which come in the order of rows: one for each run of neighbouring rows."""
    top = bottom = left = right = -1
    for y, begin, end in spans:
        if top >= 0 and y <= bottom:
            bottom, left, right = y + 1, min(left, begin), max(right, end)
            continue
        if top >= 0:
            yield Region(left, top, right - left, bottom - top)
        top, bottom, left, right = y, y + 1, begin, end
    if top >= 0:
        yield Region(left, top, right - left, bottom - top)
