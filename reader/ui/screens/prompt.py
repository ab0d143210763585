"""Small dialogues: a line to fill in, a question to answer."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from reader.text import clean, clean_block
from reader.ui.widgets.line_input import LineInput

_LONGEST: Final = 100_000  # characters of an answer


class Prompt(ModalScreen[str | None]):
    """Asks for a line; answers it, or None when it was left with Escape or as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, value: str, *, hint: str = "") -> None:
        super().__init__()
        self._head = title
        self._value = clean(value, _LONGEST)
        self._hint = hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialogue"):
            yield Static(Content(clean(self._head)), classes="dialogue--title")
            yield LineInput(value=self._value, id="answer", select_on_focus=False)
            yield Static(
                Content(f"Enter keeps it, Esc leaves it as it was; {clean(self._hint)}"),
                classes="dialogue--hint",
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        # What was only looked at stays as it is, lines and all.
        self.dismiss(None if event.value == self._value else event.value)


class Question(ModalScreen[str]):
    """Asks for one of a few single keys; Escape answers ``""``."""

    def __init__(self, title: str, body: str, answers: dict[str, str]) -> None:
        super().__init__()
        self._head = title
        self._body = body
        self._answers = answers

    def compose(self) -> ComposeResult:
        keys = "   ".join(f"{key}  {meaning}" for key, meaning in self._answers.items())
        with Vertical(classes="dialogue"):
            yield Static(Content(clean(self._head)), classes="dialogue--title")
            yield Static(Content(clean_block(self._body)), classes="dialogue--body")
            yield Static(Content(f"{keys}   Esc  leave it"), classes="dialogue--hint")

    def on_key(self, event: events.Key) -> None:
        event.stop()
        if event.key == "escape":
            self.dismiss("")
            return
        key = "enter" if event.key == "enter" else event.character or ""
        for answer in self._answers:
            if key == answer.lower() or key == answer:
                self.dismiss(answer)
                return
