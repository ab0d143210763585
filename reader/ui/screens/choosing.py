"""Pages and dialogues of lines, some of which can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical

from reader.ui.document import Block, Document
from reader.ui.screens.page import ENDS, Page
from reader.ui.widgets.lines import Piece

_BY_LINE: Final = ("j", "down", "k", "up", "g", "home", "G", "end")
"""Keys that go to another line; the others scroll."""
_MOST_HIGH: Final = 0.7
"""The share of the screen that a dialogue takes at most."""


class ChoosingScreen(Page[str]):
    """A page whose lines with an id can be chosen; answers that id, ``""`` when it was left."""

    def __init__(
        self, title: str, blocks_at: Callable[[int], Sequence[Block]], does: str, leave: Sequence[str] = ()
    ) -> None:
        super().__init__(title, blocks_at)
        self._does = does
        self._leave = ("escape", "q", *leave)

    def keys(self) -> list[Piece]:
        pairs = (("j/k", "choose"), ("Enter", self._does), ("Space", "page"), ("q", "back"))
        return [piece for key, words in pairs for piece in ((f" {key}", "key"), (f" {words} ", "dim"))]

    def _draw(self) -> bool:
        first = super()._draw()
        if first and self._document.items:
            self._document.focus_item(self._document.items[0])
            self._document.scroll_to_line(0)
        return first

    # -- keys ------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        event.stop()
        document, items, steps = self._document, self._document.items, self.steps()
        if event.key in self._leave or event.character in self._leave:
            self.dismiss("")
        elif event.key == "enter":
            if document.current_item:
                self.dismiss(document.current_item)
        elif event.key in _BY_LINE:
            self._step(items, steps[event.key])
        elif event.key in steps:
            self._page(items, steps[event.key])
        elif event.character is not None and event.character in "123456789":
            self.number_pressed(items, int(event.character))

    def number_pressed(self, items: Sequence[str], number: int) -> None:
        """A digit does nothing here."""

    def _step(self, items: Sequence[str], by: int) -> None:
        document = self._document
        if not items:
            document.scroll_lines(by)
            return
        at = items.index(document.current_item) + by if document.current_item in items else 0
        at = max(0, min(at, len(items) - 1))
        document.focus_item(items[at])
        if at in (0, len(items) - 1):  # what stands before the first or after the last is seen too
            document.scroll_lines(-ENDS if at == 0 else ENDS)

    def _page(self, items: Sequence[str], lines: int) -> None:
        """Scroll, and choose the first line that is seen then."""
        document = self._document
        document.scroll_lines(lines)
        top, bottom = round(document.scroll_y), round(document.scroll_y) + document.size.height
        seen = [item for item in items if top <= (document.line_of(item) or 0) < bottom]
        if seen and document.current_item not in seen:
            document.focus_item(seen[0] if lines > 0 else seen[-1])

    @on(Document.ItemChosen)
    def _clicked(self, event: Document.ItemChosen) -> None:
        event.stop()
        self.dismiss(event.id)


class ChoosingDialogue(ChoosingScreen):
    """The same as a small dialogue: the first nine can be chosen by their number."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialogue"):
            yield from super().compose()

    def keys(self) -> list[Piece]:
        return [("1-9", "key"), (f" or Enter {self._does}  ", "dim"), ("Esc", "key"), (" leaves", "dim")]

    def _draw(self) -> bool:
        first = super()._draw()
        most = max(3, int(self.app.size.height * _MOST_HIGH))
        self._document.styles.height = min(self._document.line_count, most)
        self.call_after_refresh(lambda: self._document.focus_item(self._document.current_item))
        return first

    def number_pressed(self, items: Sequence[str], number: int) -> None:
        """Choose the line with that number."""
        if number <= len(items):
            self.dismiss(items[number - 1])
