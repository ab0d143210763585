"""A story on a page, drawn for the width there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events

from reader.ui.document import Block
from reader.ui.screens.pages import TextPage


class StoryPage(TextPage):
    """A scrolling page whose blocks depend on its width in cells."""

    def __init__(self, title: str, blocks_at: Callable[[int], Sequence[Block]]) -> None:
        super().__init__(title, ())
        self._blocks_at = blocks_at
        self._width = 0

    def on_resize(self, event: events.Resize) -> None:
        """Draw again where the width is another."""
        del event
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self._document.scrollable_content_region.width
        if width > 0 and width != self._width:
            kept, self._width = bool(self._width), width
            self._document.show(self._blocks_at(width), keep=kept)
