"""The program's own commands: help, palette, problems, zen, leaving."""

from __future__ import annotations

from collections.abc import Mapping

from reader.ui.control import Controller, Handler, in_thread


class Program(Controller):
    """What is about newsfold and not about news."""

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "help": self.help,
            "palette": self.screen_palette,
            "problems": self.problems,
            "zen": lambda: self.screen.set_zen(not self.screen.has_class("-zen")),
            "stop": self.stop,
            "suspend": lambda: self.screen.app.action_suspend_process(),
            "quit": self.quit,
        }

    def help(self) -> None:
        """What the keys do, those of this pane first."""
        from reader.ui.screens.pages import TextPage, help_page

        self.screen.app.push_screen(TextPage("Help", help_page(self.screen.keymap, self.screen.pane)))

    def screen_palette(self) -> None:
        """Every command by name."""
        self.screen.app.action_command_palette()

    def problems(self) -> None:
        """Files and fields that could not be read."""
        self.screen.work("problems", self._problems())

    async def _problems(self) -> None:
        from reader.ui.screens.pages import TextPage, problems_page

        rows = await in_thread(self.library.problems)
        self.screen.app.push_screen(TextPage("Problems", problems_page(rows, self.screen.complaints)))

    def stop(self) -> None:
        """Stop what is under way."""
        screen = self.screen
        if not (screen.rescue.stop() or screen.linking.stop() or screen.refreshing.stop()):
            self.screen.say("nothing is under way")

    def quit(self) -> None:
        """Leave."""
        self.screen.app.exit()
