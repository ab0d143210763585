"""The newspaper: topics, articles, the article. It lays out and hands on; the controllers decide."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input
from textual.worker import Worker

from reader.errors import NewsfoldError, StoreDamaged, StoreError
from reader.text import clean
from reader.ui.commands import COMMANDS, Keymap, shown
from reader.ui.control import Handler
from reader.ui.document import Document
from reader.ui.drawing import RowCompositor
from reader.ui.early import Early
from reader.ui.framing import AT_REST, Keeping
from reader.ui.linking import Linking
from reader.ui.marking import Marking
from reader.ui.navigation import Navigation
from reader.ui.opening import Opening
from reader.ui.places import Pane
from reader.ui.placing import Placing
from reader.ui.program import Program
from reader.ui.reading import Reading
from reader.ui.refreshing import Refreshing
from reader.ui.rescue import Rescue
from reader.ui.screens.speaking import Speaking
from reader.ui.searching import Searching
from reader.ui.stepping import Stepping
from reader.ui.storying import Storying
from reader.ui.widgets.article_list import ArticleList
from reader.ui.widgets.line_input import LineInput
from reader.ui.widgets.line_list import LineList, Move
from reader.ui.widgets.topic_list import TopicList

if TYPE_CHECKING:
    from reader.session import Session
    from reader.ui.app import NewsfoldApp

_PLACES_FIRST = 200  # outlets without which no frame is drawn: an archive may have thousands
_PLACES_AFTER = 0.1  # seconds after the first frame
_HELD = 0.5  # seconds at most without a frame, however slow the store is
_HEADS_AFTER = 0.05  # seconds after a move of the cursor
MEDIUM, WIDE = 80, 120
"""Columns from which there are two panes, and three."""


class MainScreen(Speaking):
    """Three panes, a status line and a key bar."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (MEDIUM, "-medium"), (WIDE, "-wide")]  # noqa: RUF012 - as in the class above
    AUTO_FOCUS = ""  # None would mean the app's: the first widget that takes it, a hidden input line

    def __init__(self, session: Session, keymap: Keymap, width: int) -> None:
        # The classes of the first frame from the beginning: each change looks up every widget's styles.
        _, size = max(pair for pair in self.HORIZONTAL_BREAKPOINTS if pair[0] <= width)
        super().__init__(session, keymap, f"{size} -at-list" if width < MEDIUM else size)
        self._compositor = RowCompositor()
        self.topics = TopicList(id="topics")
        self.list = ArticleList(id="list")
        self.document = Document(id="article")
        self._input = LineInput(id="narrow", placeholder="narrow the list", select_on_focus=False)
        self._keys = keymap.table()
        self._first_key = ""
        self._heads_due = False
        self._begun = False
        self.early = Early(self)
        self.storying = Storying(self)
        self.navigation = Navigation(self)
        self.placing = Placing(self)
        self.stepping = Stepping(self)
        self.reading = Reading(self)
        self.marking = Marking(self)
        self.opening = Opening(self)
        self.linking = Linking(self)
        self.rescue = Rescue(self)
        self.refreshing = Refreshing(self)
        self.program = Program(self)
        self.searching = Searching(self)
        self.keeping = Keeping(self)
        self._handlers: dict[str, Handler] = {}
        for part in (
            self.navigation,
            self.stepping,
            self.storying,
            self.reading,
            self.marking,
            self.opening,
            self.linking,
            self.rescue,
            self.refreshing,
            self.program,
            self.searching,
        ):
            self._handlers.update(part.handlers())

    # -- layout ------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield self._line("masthead")
        with Horizontal(id="panes"):
            with Vertical(id="topics-pane", classes="pane"):
                yield self._line("topics-head")
                yield self.topics
            with Vertical(id="list-pane", classes="pane"):
                yield self._line("list-head")
                yield self.list
            with Vertical(id="article-pane", classes="pane"):
                yield self._line("article-head")
                yield self.document
        yield self._input
        yield self.searching.line
        yield self._line("status")
        yield self._line("keys")

    def on_mount(self) -> None:
        self._input.display = False
        self.document.can_focus = False
        self.show_pane(Pane.LIST)
        self.newsfold.hold()
        self.set_timer(_HELD, self.newsfold.release)

    def _compositor_refresh(self) -> None:
        if not self._begun and self.list.size:
            self._begun = True
            self.list.call_later(self._begin)  # when it has taken note of its size
        if self.newsfold.held:  # what is not drawn need not be rendered: the full frame comes later
            self._dirty_widgets.clear()
        else:
            super()._compositor_refresh()

    @property
    def newsfold(self) -> NewsfoldApp:
        """The program."""
        return cast("NewsfoldApp", self.app)

    def _begin(self) -> None:
        self.work("list", self._restore())
        if self.complaints and not self._notice:
            more = len(self.complaints) - 1
            where = f" (and {more} more, {self.key_of('problems')} lists them)" if more else ""
            self.say(f"{self.complaints[0]}{where}", bad=True)
        self._show_status()

    async def _restore(self) -> None:
        places = asyncio.ensure_future(self.placing.fetch(_PLACES_FIRST))  # beside the list
        places.add_done_callback(lambda done: done.cancelled() or done.exception())  # said below, or never
        try:
            await self.navigation.restore_last()
            await self.placing.put_first(await places)
            await self.reading.arrived()
        except NewsfoldError as error:
            if not (isinstance(error, StoreError) and self.session.library.doubt(error)):
                self.say(str(error), bad=True)  # an index in doubt is begun anew by the look at the files
        self.call_after_refresh(self._arrive)
        self.set_timer(_PLACES_AFTER, self.placing.load_rest)
        self.searching.recount()
        self.refreshing.start()
        self.set_interval(AT_REST, self.keeping.look)

    def _arrive(self) -> None:
        self.newsfold.release()
        self.early.arrived()

    def on_unmount(self) -> None:
        """Nobody waits for a run that nobody will see."""
        self.refreshing.leave()
        self.linking.stop()
        self.rescue.stop()

    @property
    def is_small(self) -> bool:
        """Whether there is room for one pane only."""
        return self.has_class("-narrow")

    def on_resize(self, event: events.Resize) -> None:
        self._show_panes(event.size.width)
        self._show_keys()

    def _show_panes(self, width: int) -> None:
        """Say in classes which pane is seen where not all are; each class styles the whole screen anew."""
        narrow, drawer = width < MEDIUM, width < WIDE
        self.update_classes(
            {
                f"-at-{other.value}": other is self.pane and (narrow or (drawer and other is Pane.TOPICS))
                for other in Pane
            },
            animate=False,
        )

    def show_pane(self, pane: Pane) -> None:
        """Make *pane* the active one."""
        self.pane = pane
        if pane is not Pane.ARTICLE:
            self.remove_class("-zen")
        for other in Pane:
            self._line(f"{other.value}-head").set_class(other is pane, "-here")
        self._show_panes(self.size.width or self.app.size.width)  # the app has one from the beginning
        self.topics.active = pane is Pane.TOPICS
        self.list.active = pane is Pane.LIST
        self.reading.pane_changed()
        self.show_heads()
        self._show_keys()

    def set_zen(self, zen: bool) -> None:
        """The article alone, or all panes."""
        self.set_class(zen, "-zen")
        if zen:
            self.show_pane(Pane.ARTICLE)

    # -- keys ------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Every key that no input line took."""
        if self._input.has_focus:
            self._key_while_narrowing(event)
        elif not self.searching.line.is_open:
            if self.early.takes(event, self._keys.get(event.character or event.key, "")):
                event.stop()
                event.prevent_default()
            else:
                self.handle(event)

    @property
    def listens(self) -> bool:
        """Whether keys come here, to no prompt and no input line."""
        return self.app.screen is self and not self._input.has_focus and not self.searching.line.is_open

    def handle(self, event: events.Key) -> None:
        """Run what the key is for; the first of two waits for the second."""
        first, self._first_key = self._first_key, ""
        for name in (event.character, event.key):
            if name is None:
                continue
            command = self._keys.get(f"{first} {name}") if first else None
            if command is None and any(k.startswith(name + " ") for k in self._keys) and not first:
                self._first_key = name
                event.stop()
                return
            command = command or self._keys.get(name)
            if command is not None:
                event.stop()
                event.prevent_default()
                self.run(command)
                return

    def _key_while_narrowing(self, event: events.Key) -> None:
        move = {"down": Move.DOWN, "up": Move.UP, "pagedown": Move.PAGE_DOWN, "pageup": Move.PAGE_UP}.get(
            event.key
        )
        if event.key == "escape":
            self.work("list", self.navigation.stop_narrow(), exclusive=False)
        elif move is not None:
            self.list.move(move)
        else:
            return
        event.stop()
        event.prevent_default()

    def run(self, command: str) -> None:
        """Run a command by its id."""
        command = self.storying.before(command)
        result = self._handlers[command]()
        if result is not None:
            self.work(f"command-{command}", result)  # type: ignore[arg-type]

    def work(self, group: str, job: Coroutine[Any, Any, None], *, exclusive: bool = True) -> None:
        """Run *job* as a worker of *group*; what newsfold itself refuses is said, not raised."""

        async def run() -> None:
            await self._guarded(job)

        worker: Worker[None] = self.run_worker(run, group=group, name=group, exclusive=exclusive)
        # One that is cancelled before it began would leave its coroutine to complain of it.
        weakref.finalize(worker, job.close).atexit = False
        self.early.asked = worker

    async def _guarded(self, job: Coroutine[Any, Any, None]) -> None:
        try:
            await job
        except StoreDamaged as error:
            if self.session.library.doubt(error) and not self.refreshing.running:
                self.refreshing.refresh()  # which begins it anew, without a question
                return
            self.say(f"{clean(str(error))} {self.key_of('refresh')} opens it anew.", bad=True)
        except NewsfoldError as error:
            self.say(clean(str(error)), bad=True)

    # -- messages ------------------------------------------------------------------

    def _show_heads_soon(self) -> None:
        # Two rows are drawn in a fraction of what all between them and the heads would take.
        if not self._heads_due:
            self._heads_due = True
            self.set_timer(_HEADS_AFTER, self._show_heads_now)

    def _show_heads_now(self) -> None:
        self._heads_due = False
        self.show_heads()

    @on(LineList.CursorMoved, "#list")
    def _list_moved(self) -> None:
        self.navigation.cursor_moved()
        self._show_heads_soon()
        self.reading.preview()

    @on(LineList.Chosen)
    def _row_clicked(self, event: LineList.Chosen) -> None:
        self._leave_input()
        self.show_pane(Pane.TOPICS if event.list is self.topics else Pane.LIST)
        if event.again or event.list is self.topics:
            self.navigation.enter()

    @on(ArticleList.PagesWanted)
    def _pages_wanted(self, event: ArticleList.PagesWanted) -> None:
        self.navigation.fetch_pages(event.pages)

    @on(Document.ItemChosen)
    def _item_clicked(self, event: Document.ItemChosen) -> None:
        self._leave_input()
        self.show_pane(Pane.ARTICLE)
        self.reading.item_clicked(event.id)

    @on(Document.AddressChosen)
    def _address_clicked(self, event: Document.AddressChosen) -> None:
        self.opening.open_these([event.address])

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        event.refresh_styles &= self._begun  # the first time all have been looked up a moment ago
        self._show_keys()

    # -- the narrow line ------------------------------------------------------------

    def open_input(self, value: str) -> None:
        """Show the line that narrows, with *value* in it."""
        self._input.value = value
        self._input.display = True
        self._input.focus()

    def close_input(self) -> None:
        """Hide it again."""
        self._input.display = False
        self.set_focus(None)

    def _leave_input(self) -> None:
        """A click elsewhere keeps what was typed."""
        if self.searching.line.is_open:
            self.searching.left()
        if self._input.display:
            self.navigation.keep_narrow(self._input.value)

    @on(Input.Changed, "#narrow")
    def _narrow_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._input.display and self._input.has_focus:
            self.navigation.narrow(event.value)

    @on(Input.Submitted, "#narrow")
    def _narrow_done(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.navigation.keep_narrow(event.value)
            self.show_pane(Pane.LIST)
        else:
            self.work("list", self.navigation.stop_narrow(), exclusive=False)


def describe_keys(keymap: Keymap) -> list[tuple[str, str, str, str]]:
    """(group, keys, label, help) of every command that has a key, for help and README."""
    return [
        (c.group, " ".join(shown(k) for k in keymap.keys[c.id]), c.label, c.help)
        for c in COMMANDS
        if keymap.keys[c.id]
    ]
