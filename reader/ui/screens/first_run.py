"""What newsfold shows who has not told it of any folder yet."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

_WORDS = """\
newsfold reads folders of articles kept as Markdown files with YAML front \
matter: a git clone of such a repository, or any folder.

Point it at yours, once; it is remembered:

    newsfold ~/news

Or look around first: the sample holds some forty articles about space, \
standards, languages and science.
"""


class FirstRun(Screen[None]):
    """Explains how to begin and offers the sample."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialogue"):
            yield Static(Content("Welcome to newsfold"), classes="dialogue--title")
            yield Static(Content(_WORDS), classes="dialogue--body")
            yield Static(Content("Enter  read the sample     q  leave"), classes="dialogue--hint")

    def on_key(self, event: events.Key) -> None:
        if event.key in ("enter", "s"):
            event.stop()
            from reader.ui.app import OPEN_SAMPLE

            self.app.exit(OPEN_SAMPLE)
        elif event.key in ("q", "escape", "ctrl+q"):
            event.stop()
            self.app.exit(0)
