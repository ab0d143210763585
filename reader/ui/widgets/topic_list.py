"""The topics pane: views, topics, outlets, each with unread and total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment

from reader.store.rows import Place, PlaceKind, PlaceRow
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


@dataclass(frozen=True, slots=True)
class _Heading:
    text: str


class TopicList(LineList):
    """Places with headings between their groups."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._entries: list[PlaceRow | _Heading] = []

    def set_places(self, rows: Sequence[PlaceRow], current: Place) -> None:
        """Show *rows*; the cursor goes to *current*, or stays on its place."""
        wanted = self.place if self._entries and self.active else current
        entries: list[PlaceRow | _Heading] = [_Heading("Views")]
        group: PlaceKind | None = None
        for row in rows:
            if row.place.kind in _HEADINGS and row.place.kind is not group:
                group = row.place.kind
                entries.append(_Heading(_HEADINGS[group]))
            entries.append(row)
        self._entries = entries
        places = [e.place if isinstance(e, PlaceRow) else None for e in entries]
        cursor = places.index(wanted) if wanted in places else 1
        offset = self.scroll_offset.y
        self.set_count(len(entries), cursor)
        self.scroll_to(y=offset, animate=False, force=True, immediate=True)
        self.show_cursor()

    @property
    def place(self) -> Place | None:
        """The place under the cursor."""
        entry = self._entries[self.cursor] if self.cursor < len(self._entries) else None
        return entry.place if isinstance(entry, PlaceRow) else None

    def can_rest(self, index: int) -> bool:
        return isinstance(self._entries[index], PlaceRow)

    def show_cursor(self) -> None:
        super().show_cursor()
        if self.cursor <= 1:  # the first heading belongs to the first row
            self.scroll_to(y=0, animate=False, force=True, immediate=True)

    def render_row(self, index: int, width: int) -> list[list[Segment]]:
        entry = self._entries[index]
        dim = self.style_of("dim")
        if isinstance(entry, _Heading):
            return [[Segment(f" {entry.text}", self.style_of("accent"))]]
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
