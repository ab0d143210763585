"""What the pages over the newspaper have in common: a head, blocks drawn for the width there is, the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from reader.ui.document import Block, Document
from reader.ui.widgets.lines import Piece, TextLine

T = TypeVar("T")

ENDS: Final = 10**9
"""Lines that lead to the end of any page."""


class Page(ModalScreen[T]):
    """A scrolling page. ``blocks_at`` gives its blocks for a width in cells."""

    AUTO_FOCUS = ""

    def __init__(self, title: str, blocks_at: Callable[[int], Sequence[Block]]) -> None:
        super().__init__()
        self._head = title
        self._blocks_at = blocks_at
        self._width = 0
        self._document = Document(id="page")

    def compose(self) -> ComposeResult:
        yield TextLine(id="page-head", classes="head")
        yield self._document
        yield TextLine(id="page-keys")

    def on_mount(self) -> None:
        self._document.can_focus = False
        self.query_one("#page-head", TextLine).set_text([(self._head, "accent")])
        self.query_one("#page-keys", TextLine).set_text(self.keys())

    def keys(self) -> list[Piece]:
        """What the last line says."""
        raise NotImplementedError

    def on_resize(self, event: events.Resize) -> None:
        """Draw again where the width is another."""
        del event
        self.call_after_refresh(self._draw)

    def _draw(self) -> bool:
        """Draw for the width there is; whether for the first time."""
        width = self._document.scrollable_content_region.width
        if width <= 0 or width == self._width:
            return False
        first, self._width = not self._width, width
        self._document.show(self._blocks_at(width), keep=not first)
        return first

    def steps(self) -> dict[str, int]:
        """By key: lines down, a page's among them."""
        page = max(1, self._document.size.height - 2)
        steps = {"j": 1, "down": 1, "k": -1, "up": -1, "g": -ENDS, "home": -ENDS, "G": ENDS, "end": ENDS}
        steps |= {"space": page, "pagedown": page, "ctrl+f": page, "pageup": -page, "ctrl+b": -page}
        return steps | {"ctrl+d": page // 2, "ctrl+u": -(page // 2)}
