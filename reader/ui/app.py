"""The app wires session, screens, themes and signals; it decides nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.command import CommandPalette
from textual.screen import Screen
from textual.worker import WorkerFailed

from reader import assets, crash
from reader.errors import NewsfoldError
from reader.text import clean, inert
from reader.ui.commands import COMMANDS, build_keymap
from reader.ui.screens.main import MainScreen
from reader.ui.steady import steadied
from reader.ui.themes import NEWSFOLD, NEWSFOLD_LIGHT

__all__ = ["OPEN_SAMPLE", "NewsfoldApp", "run"]

if TYPE_CHECKING:
    from reader.session import Session

OPEN_SAMPLE = -1
"""The app's result that asks for the sample to be opened."""
_SETTLED = 1.0  # seconds after which what there is stays
_WRITERS_TURN = 5e-5
"""Seconds in which Textual's writing thread takes a frame; else it waits till the loop has nothing to do."""
_SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT")


class NewsfoldApp(App[int]):
    """The terminal program over one session."""

    CSS_PATH = assets.styles() / "newsfold.tcss"
    TITLE = "newsfold"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
        # Textual's own has priority, and would go before the reader's keys.
        Binding("ctrl+p", "command_palette", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        settings = session.settings
        self.keymap = build_keymap(settings.preset, settings.keys)
        self.register_theme(NEWSFOLD)
        self.register_theme(NEWSFOLD_LIGHT)
        if settings.theme in self.available_themes:
            self.theme = settings.theme
        else:
            session.complaints.append(f"theme: there is no theme {clean(settings.theme, 40)}")
            self.theme = NEWSFOLD.name
        self.main: MainScreen | None = None
        self._held = False
        self.drawn = 0
        """How often something was drawn."""

    def get_css_variables(self) -> dict[str, str]:
        """Textual's, and ``$muted``: the foreground two thirds of the way, for any theme."""
        variables = super().get_css_variables()
        foreground, background = Color.parse(variables["foreground"]), Color.parse(variables["background"])
        return {**variables, "muted": background.blend(foreground, 0.62, alpha=1).hex}

    async def on_event(self, event: events.Event) -> None:
        """What is pasted is a stranger's text, and Textual's input lines draw what they hold as it is."""
        if isinstance(event, events.Paste):
            event.text = inert(event.text)
        await super().on_event(event)

    def on_mount(self) -> None:
        if not self.is_headless:  # a program's only app
            self.set_timer(_SETTLED, gc.freeze)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._astray)
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                loop.add_signal_handler(number, self._hang_up, 128 + number)
        if not self.is_headless and sys.platform != "win32":
            from reader.ui import continuing

            continuing.watch(self, loop)

    def get_default_screen(self) -> Screen[Any]:
        """The newspaper, or how to come to one."""
        if not self.session.sources:
            from reader.ui.screens.first_run import FirstRun

            return FirstRun()
        self.main = MainScreen(self.session, self.keymap, self.size.width)
        return self.main

    def refresh_css(self, animate: bool = True) -> None:
        """Parse the styles anew, if they have been: before there is a screen only a theme was set."""
        if self._screen_stacks[self.current_mode]:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def exit(
        self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Leave; what is on the screen is kept for the next start."""
        if self.main is not None and not self._exit:
            self.main.keeping.leave()
        super().exit(result, return_code, message)

    # -- the first frame ------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether nothing is drawn yet."""
        return self._held

    def hold(self) -> None:
        """Draw nothing until :meth:`release`: the first frame is to be a whole one."""
        self._held = True

    def release(self) -> None:
        """Draw from now on, first of all everything."""
        if self._held:
            self._held = False
            self._display(self.screen, self.screen._compositor.render_update(full=True))

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # Everything that Textual draws comes this way, and what is held back is in the full frame.
        if not self._held:
            self.drawn += 1
            super()._display(screen, steadied(renderable))
            time.sleep(_WRITERS_TURN)

    def _fatal_error(self) -> None:
        """Textual would print every local variable, strangers' text among them: say one line instead."""
        error: BaseException = self._exception or RuntimeError("unknown")
        if isinstance(error, WorkerFailed):
            error = error.error
        words = crash.report(error, self.session.locations.log_file)
        self._exit_renderables.append(Text(f"newsfold: {words}"))
        self._close_messages_no_wait()

    def _astray(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error in a callback that nobody waits for: asyncio would print it as it is."""
        error = context.get("exception") or RuntimeError(str(context.get("message")))
        self.tell(crash.report(error, self.session.locations.log_file))

    def tell(self, words: str) -> None:
        """Say on the status line, from any thread, what went wrong off the screen."""
        if self.main is not None:
            self.call_later(self.main.say, words, bad=True)

    def _hang_up(self, code: int) -> None:
        self.exit(code, return_code=code)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every command of the table, then themes."""
        if isinstance(screen, CommandPalette) or self.main is None:
            return
        main = self.main
        for command in COMMANDS:
            key = self.keymap.first(command.id)
            title = f"{command.label.capitalize()}{f' ({key})' if key else ''}"
            yield SystemCommand(title, command.help, lambda c=command.id: main.run(c))
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)


def stays_as_it_is() -> None:
    """Let the garbage collector not look through what there is: that stopped a key for 60 ms now and then."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def run(session: Session) -> int:
    """Run the program until the reader leaves; returns the exit code.

    The place is kept last, when nothing is drawn any more.
    """
    stays_as_it_is()
    gc.enable()
    if sys.platform != "win32":
        from reader.ui import outlasting, pasting

        pasting.guard()
        outlasting.guard()
    app = NewsfoldApp(session)
    with crash.watched(session.locations.log_file, app.tell):
        code = app.run()
    if app.main is not None:
        with contextlib.suppress(NewsfoldError):  # a read-only store: the reader was told at the start
            app.main.navigation.save_place()
    return code or app.return_code or 0
