"""What the newspaper says in its single lines: masthead, pane heads, status, key bar."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from reader.store.rows import EVERYTHING, Place, PlaceKind, PlaceRow
from reader.text import clean
from reader.ui import human
from reader.ui.commands import BY_ID, COMMANDS, Command, Keymap
from reader.ui.places import Pane
from reader.ui.widgets.lines import Piece, TextLine
from reader.ui.widgets.topic_list import place_name

if TYPE_CHECKING:
    from datetime import datetime

    from reader.session import Session
    from reader.ui.linking import Linking
    from reader.ui.navigation import Navigation
    from reader.ui.reading import Reading
    from reader.ui.refreshing import Refreshing
    from reader.ui.searching import Searching
    from reader.ui.widgets.article_list import ArticleList

_LINES = ("masthead", "topics-head", "list-head", "article-head", "status", "keys")
_CLASSES = {"topics-head": "head", "list-head": "head -here", "article-head": "head"}
_SAID = 6.0  # seconds a message stays
_ALWAYS = ("help", "quit")  # in sight at any width, the first of them below _NARROW
_NARROW = 60  # columns
_GAP = "  "


class TaskNews(Message):
    """From any thread: how far a long run is. Posting never waits, not even while the app is closing."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TaskNews)


class Speaking(Screen[None]):
    """The lines around the panes. The screen itself fills the panes."""

    list: ArticleList
    navigation: Navigation
    reading: Reading
    linking: Linking
    refreshing: Refreshing
    searching: Searching

    def __init__(self, session: Session, keymap: Keymap, classes: str) -> None:
        super().__init__(classes=classes)
        self.session = session
        self.keymap = keymap
        self.pane = Pane.LIST
        self.everything = PlaceRow(EVERYTHING, 0, 0)
        self._lines = {name: TextLine(id=name, classes=_CLASSES.get(name)) for name in _LINES}
        self._task_text = ""
        self._said = ("", False)
        self._notice = session.state.notice
        self._unsaying: Timer | None = None
        said = (session.state.notice, *session.complaints, *keymap.complaints)
        self._files = {
            os.fspath(session.state.path.parent): "marks file",
            os.fspath(session.library.path.parent): "index file",
        }
        self.complaints = [clean(complaint) for complaint in said if complaint]

    def now(self) -> datetime:
        """The time of day, aware."""
        return self.session.clock()

    def show_heads(self) -> None:
        """Bring masthead and pane heads up to date."""
        if not self.is_mounted:
            return
        names = ", ".join(s.name for s in self.session.sources)
        day = self.now().astimezone().strftime("%a %-d %b %Y")
        facts = f"{self.everything.total:,} articles, {self.everything.unread:,} unread"
        self._line("masthead").set_text(
            [("newsfold", "accent"), (f"  {names}", "plain"), (f"  {facts}", "dim")], [(f"{day} ", "dim")]
        )
        listing = self.navigation.listing
        tone = {pane: "accent" if pane is self.pane else "dim" for pane in Pane}
        self._line("topics-head").set_text([("Contents", tone[Pane.TOPICS])])
        found = self.navigation.found
        extra = [found.sort]
        if found.ranked_among is not None:
            extra.append(f"among the newest {found.ranked_among:,}")
        if listing.stories:
            extra.append("by story")
        if listing.unread_only:
            extra.append("unread only")
        if listing.narrow:
            extra.append(f"/{listing.narrow}")
        if self.list.selected:
            extra.append(f"{len(self.list.selected):,} selected")
        self._line("list-head").set_text(
            [(self._place_name(listing.place), tone[Pane.LIST]), (f"  {', '.join(extra)}", "dim")],
            [(f"{'/'.join(map(_number, found.standing(self.list.cursor, self.list.count)))} ", "dim")],
        )
        self._line("article-head").set_text([(self.reading.head, tone[Pane.ARTICLE])], self.reading.position)

    def _place_name(self, place: Place) -> str:
        return self.searching.name_of(place.name) if place.kind is PlaceKind.SEARCH else place_name(place)

    def _line(self, name: str) -> TextLine:
        return self._lines[name]

    def say(self, text: str, *, bad: bool = False, polite: bool = False) -> None:
        """Show one line of news about the program itself; a *polite* one waits behind bad news, for good."""
        if polite and (self._said[1] or self._notice or self.session.state.read_only):
            return
        self._said, self._notice = (text, bad), ""
        self._show_status()
        if self._unsaying is not None:
            self._unsaying.stop()
        self._unsaying = self.set_timer(_SAID, self._unsay) if text else None

    def _unsay(self) -> None:
        self._said = ("", False)
        self._show_status()

    def show_task(self, text: str) -> None:
        """Show the progress of a long run, ``""`` when it is over."""
        self._task_text = text
        self._show_status()

    def on_task_news(self, event: TaskNews) -> None:
        if self.refreshing.running or self.linking.running:  # else it comes after the end
            self.show_task(event.text)

    def task_news(self, text: str) -> None:
        """:meth:`show_task` from any thread."""
        self.post_message(TaskNews(text))

    def _show_status(self) -> None:
        if self.is_mounted:
            text, bad = self._said
            if not text and (text := self.session.state.read_only or self._notice):
                bad = True  # as long as it is so
            text = human.reason_first(text, self._files)
            line = self._line("status").set_class(bool(text), "-said")
            tone = "bad" if bad else "plain"
            lead = "! " if bad else ""
            line.set_text([(f" {lead}{text}", tone)] if text else "", [(f"{self._task_text} ", "dim")])

    def _show_keys(self) -> None:
        if not self.is_mounted:
            return
        here = [c for c in COMMANDS if self.pane.value in c.footer]
        width = self.size.width or _NARROW
        always = [c for c in here if c.id in _ALWAYS[: 2 if width >= _NARROW else 1]]
        others = [c for c in here if c not in always]
        edge = [(" ", "dim")] if width > _NARROW + 3 else []  # the line gives a quarter to its right end
        self._line("keys").set_text(self._told(others), [*self._told(always), *edge])

    def _told(self, commands: Sequence[Command]) -> Sequence[Piece]:
        pieces: tuple[Piece, ...] = ()
        for command in commands:
            if key := self.keymap.first(command.id):
                pieces += ((f"{_GAP if pieces else _GAP[1:]}{key}", "key"), (f" {command.label}", "dim"))
        return pieces

    def key_of(self, command: str) -> str:
        """The key that runs *command*, as people write it."""
        return self.keymap.first(command) or BY_ID[command].label


def _number(number: int | None) -> str:
    return "…" if number is None else human.number(number)
