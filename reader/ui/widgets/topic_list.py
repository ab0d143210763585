"""The topics pane: views, topics, outlets, each with unread and total."""

from __future__ import annotations

from bisect import bisect_right

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment

from reader.store.rows import Place, PlaceKind, PlaceRow, PlaceRows
from reader.text import clean
from reader.ui import human
from reader.ui.widgets.line_list import LineList
from reader.ui.widgets.lines import fit

VIEW_NAMES = {
    PlaceKind.ALL: ("≡", "All"),
    PlaceKind.UNREAD: ("●", "Unread"),
    PlaceKind.STARRED: ("★", "Starred"),
    PlaceKind.TODAY: ("☀", "Today"),
    PlaceKind.UNPUBLISHED: ("◌", "Unpublished"),
    PlaceKind.BROKEN: ("✗", "Broken links"),
}
_HEADINGS = {PlaceKind.SEARCH: "Searches", PlaceKind.TOPIC: "Topics", PlaceKind.OUTLET: "Outlets"}


class TopicList(LineList):
    """Places with headings between their groups."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._groups = PlaceRows([])
        self._heads: list[int] = []

    def set_places(self, rows: PlaceRows, current: Place) -> None:
        """Show *rows*, a heading before each group; the cursor goes to *current*, or stays on its place."""
        wanted = self.place if self._heads and self.active else current
        self._groups, self._heads, count = PlaceRows(filter(len, rows.groups)), [], 0
        for group in self._groups.groups:
            self._heads.append(count)
            count += 1 + len(group)
        found = self._groups.find(wanted) if wanted is not None else None
        offset = self.scroll_offset.y
        self.set_count(count, self._heads[found[0]] + 1 + found[1] if found is not None else 1)
        self.scroll_to(y=offset, animate=False, force=True, immediate=True)
        self.show_cursor()

    @property
    def whole(self) -> bool:
        """Whether all places are there that the pane says there are."""
        return self._groups.whole

    @property
    def place(self) -> Place | None:
        """The place under the cursor."""
        entry = self.entry(self.cursor) if self._heads else None
        if isinstance(entry, PlaceRow) and (entry.place.name or entry.place.kind in VIEW_NAMES):
            return entry.place
        return None  # a heading, or what is not known yet

    def entry(self, index: int) -> PlaceRow | str:
        """What is shown in row *index*: a place, or a heading."""
        number = bisect_right(self._heads, index) - 1
        within = index - self._heads[number] - 1
        group = self._groups.groups[number]
        return group[within] if within >= 0 else _HEADINGS.get(group[0].place.kind, "Views")

    def can_rest(self, index: int) -> bool:
        return index not in self._heads

    def show_cursor(self) -> None:
        super().show_cursor()
        if self.cursor <= 1:  # the first heading belongs to the first row
            self.scroll_to(y=0, animate=False, force=True, immediate=True)

    def render_row(self, index: int, width: int) -> list[list[Segment]]:
        entry = self.entry(index)
        dim = self.style_of("dim")
        if isinstance(entry, str):
            return [[Segment(f" {entry}", self.style_of("accent"))]]
        glyph, name = VIEW_NAMES.get(entry.place.kind, (" ", clean(entry.label or entry.place.name)))
        counts = f"{human.number(entry.unread)}/{human.number(entry.total)}"
        if cell_len(name) > width - len(counts) - 5:  # thousands are enough where a name needs the room
            counts = f"{human.number(entry.unread, 1_000)}/{human.number(entry.total, 1_000)}"
        room = max(1, width - len(counts) - 5)
        style = self.style_of("row") if entry.unread else dim
        return [
            [
                Segment(f" {glyph} ", dim),
                Segment(set_cell_size(fit(name, room), room), style),
                Segment(f" {counts} ", dim),
            ]
        ]


def place_name(place: Place) -> str:
    """A place as headers name it."""
    return VIEW_NAMES[place.kind][1] if place.kind in VIEW_NAMES else place.name
