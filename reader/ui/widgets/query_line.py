"""The line a query is typed in: what could come next above it, what it finds or lacks below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from reader.text import clean
from reader.ui.widgets.line_input import LineInput
from reader.ui.widgets.lines import Piece, TextLine

if TYPE_CHECKING:
    from reader.store.query.completion import Completion
    from reader.store.query.nodes import Complaint

_HINT = " Tab completes   ↑ ↓ earlier ones   Enter lists   C-s saves   C-r makes a rule   Esc leaves"


_ROOM_FOR_BOTH = 80  # columns; where there are fewer, the reason is worth more than the count


class Owner(Protocol):
    """Who reads the line."""

    def typed(self, text: str) -> None:
        """The text changed."""

    def done(self, text: str) -> None:
        """It is to be listed."""

    def left(self) -> None:
        """It is to be forgotten."""

    def save(self, text: str) -> None:
        """It is to be kept under a name."""

    def make_rule(self, text: str) -> None:
        """It is to become a rule."""

    def offers(self, text: str, cursor: int) -> Sequence[Completion]:
        """What could be typed next."""


class QueryLine(Vertical):
    """An input with completion and history."""

    def __init__(self, owner: Owner) -> None:
        super().__init__(id="query-bar")
        self._owner = owner
        self._input = LineInput(id="query", placeholder="what is to be found", select_on_focus=False)
        self._offers_line = TextLine(id="query-offers")
        self._says_line = TextLine(id="query-says")
        self._offers: Sequence[Completion] = ()
        self._chosen = -1
        self._base = ""
        self._inserted = ""
        self._history: Sequence[str] = ()
        self._age = 0
        self._draft = ""

    def compose(self) -> ComposeResult:
        yield self._offers_line
        yield self._input
        yield self._says_line

    def on_mount(self) -> None:
        self.display = False

    # -- coming and going -------------------------------------------------------

    def open(self, text: str, history: Sequence[str]) -> None:
        """Show the line with *text*; *history* has the newest first."""
        self._history, self._age, self._draft = history, 0, text
        self.display = True
        self._input.value = text
        self._input.cursor_position = len(text)
        self._input.focus()
        self._look()
        self._owner.typed(text)

    def close(self) -> None:
        """Hide it."""
        self.display = False
        self.screen.set_focus(None)

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return bool(self.display)

    # -- what it says --------------------------------------------------------------

    def tell(self, found: str, complaints: Sequence[Complaint]) -> None:
        """Show how much is found and, at its column, the first thing that is not understood."""
        left: list[Piece] = []
        if complaints:
            first = complaints[0]
            typed = self._input.value[: first.column]
            column = max(0, cell_len(clean(typed, 10_000)) - int(self._input.scroll_offset.x)) + 1
            if typed.endswith(" "):
                column += 1  # clean() takes blanks away at the end
            more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
            reason = f"{first.reason}{more}"
            if column + cell_len(reason) + cell_len(found) + 4 > self.size.width < _ROOM_FOR_BOTH:
                found = ""
            room = self.size.width - cell_len(found) - 3
            if column + cell_len(reason) + 2 <= room or column < cell_len(reason):
                left = [(f"{' ' * column}^ {reason}", "bad")]
            else:
                left = [(f"{' ' * (column - cell_len(reason) - 1)}{reason} ^", "bad")]
        self._says_line.set_text(left, [(f"{found} ", "accent")])

    # -- completion ----------------------------------------------------------------

    def _look(self) -> None:
        text = self._input.value
        self._base, self._chosen, self._inserted = text, -1, ""
        self._offers = self._owner.offers(text, self._input.cursor_position) if text else ()
        self._show_offers()

    def _show_offers(self) -> None:
        if not self._offers:
            self._offers_line.set_text([(_HINT, "dim")])
            return
        start = max(0, self._chosen - 3)
        pieces: list[Piece] = [(" ", "dim")]
        for number, offer in enumerate(self._offers[start : start + 24], start):
            pieces += [(offer.label, "accent" if number == self._chosen else "plain"), ("  ", "dim")]
        meaning = self._offers[max(0, self._chosen)].meaning
        self._offers_line.set_text(pieces, [(f"{meaning} ", "dim")] if meaning else "")

    def _complete(self, step: int) -> None:
        if not self._offers:
            return
        self._chosen = (self._chosen + step) % len(self._offers) if self._chosen >= 0 or step > 0 else -1
        offer = self._offers[self._chosen]
        text = self._base[: offer.start] + offer.insert + self._base[offer.end :]
        self._put(text, offer.start + len(offer.insert))
        if len(self._offers) == 1:
            self._look()  # go on with what follows, a field's values say
        else:
            self._show_offers()

    def _put(self, text: str, cursor: int) -> None:
        self._inserted = text
        self._input.value = text
        self._input.cursor_position = cursor

    # -- keys ----------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Keys that the input itself has no use for."""
        text = self._input.value
        match event.key:
            case "tab":
                self._complete(1)
            case "shift+tab":
                self._complete(-1)
            case "up":
                self._remember(1)
            case "down":
                self._remember(-1)
            case "escape":
                self._owner.left()
            case "ctrl+s":
                self._owner.save(text)
            case "ctrl+r":
                self._owner.make_rule(text)
            case _:
                return
        event.stop()
        event.prevent_default()

    def _remember(self, step: int) -> None:
        if self._age == 0:
            self._draft = self._input.value
        self._age = max(0, min(self._age + step, len(self._history)))
        text = self._history[self._age - 1] if self._age else self._draft
        self._put(text, len(text))
        self._look()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if not self.display:
            return
        if event.value != self._inserted:
            self._look()
        self._owner.typed(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._owner.done(event.value)
