"""Out of the screen: the browser and the clipboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reader import browser
from reader.errors import BrowserError
from reader.text import clean
from reader.ui import human
from reader.ui.control import Controller, Handler, in_thread
from reader.ui.places import Pane
from reader.ui.rescue import Page


class Opening(Controller):
    """Opens and copies addresses."""

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "open": self.open_one,
            "open_all": self.open_all,
            "copy": self.copy,
            "cite": self.cite,
        }

    def open_one(self) -> None:
        """Open the piece of coverage under the cursor, else the article; for a dead page, offer others."""
        address = self.screen.reading.address()
        if not address:
            self.screen.say("there is no address here to open", bad=True)
            return
        self.screen.work("browser", self._open_or_offer(address, self.screen.rescue.page()), exclusive=False)

    async def _open_or_offer(self, address: str, page: Page | None) -> None:
        if page is None or not await self.screen.rescue.offer(page):
            await self.open_now([address])

    def open_these(self, addresses: Sequence[str]) -> None:
        """Open *addresses*, one after the other."""
        self.screen.work("browser", self._open_these(addresses), exclusive=False)

    async def _open_these(self, addresses: Sequence[str]) -> None:
        await self.open_now(addresses)

    def open_all(self) -> None:
        """Open the selected articles, or the article and all its coverage."""
        self.screen.work("browser", self._open_all(), exclusive=False)

    async def _open_all(self) -> None:
        from reader.ui.screens.prompt import Question

        view = self.screen.list
        if view.selected and self.screen.pane is not Pane.ARTICLE:
            wanted = [i for i in view.ids if i in view.selected]
            addresses = [r.url for r in await in_thread(self.library.rows, wanted)]
        else:
            addresses = await self.screen.reading.all_addresses()
        addresses = list(dict.fromkeys(a for a in addresses if a))
        if not addresses:
            self.screen.say("there is nothing here to open", bad=True)
            return
        if len(addresses) > self.session.settings.open_without_asking:
            question = Question(
                "Open all?", f"{len(addresses)} pages would open in the browser.", {"y": "open them"}
            )
            if await self.screen.app.push_screen_wait(question) != "y":
                return
        await self.open_now(addresses)

    async def open_now(self, addresses: Sequence[str]) -> bool:
        """Open *addresses*, one after the other; True when all were opened. Call it from a worker."""
        from reader.ui.screens.prompt import Question

        left = False
        refused: list[str] = []
        for address in addresses:
            try:
                target = browser.safe_address(address)
            except BrowserError as error:
                refused.append(f"{error}: {clean(address, 200)}")
                continue
            strange = browser.unusual(address)
            question = Question("Open this?", f"{target}\n\n{strange}", {"y": "open it"})
            if strange and await self.screen.app.push_screen_wait(question) != "y":
                left = True
                continue
            try:
                await self._open_one(address, target)
            except BrowserError as error:
                hint = f"{self.screen.key_of('copy')} copies the address"
                self.screen.say(f"could not open it ({hint}): {error}", bad=True)
                return False
        if refused:
            number = f"{len(refused)} of {len(addresses)} " if len(addresses) > 1 else ""
            hint = f"{self.screen.key_of('copy')} copies the address"
            self.screen.say(f"{number}not opened: {refused[0]} ({hint})", bad=True)
        return not refused and not left

    async def _open_one(self, address: str, target: str) -> None:
        command = self.session.settings.browser
        plan = await in_thread(browser.plan, address, command=command)
        self.screen.say(f"opening {target}")
        if plan.needs_terminal:
            self._run_here(plan)
        else:
            await in_thread(browser.open_address, address, command=command)

    def _run_here(self, plan: browser.Plan) -> None:
        """A text browser takes the terminal until it ends."""
        failure: BrowserError | None = None
        with self.screen.app.suspend():
            try:
                browser.run(plan)
            except BrowserError as error:  # suspend() would not restore the screen
                failure = error
        self.screen.app.refresh()
        if failure is not None:
            raise failure

    def copy(self) -> None:
        """Copy the address by way of the terminal (OSC 52)."""
        address = self.screen.reading.address()
        if not address:
            self.screen.say("there is no address here to copy", bad=True)
            return
        address = clean(address, 4096)
        self.screen.app.copy_to_clipboard(address)
        self.screen.say(f"copied {address}")

    def cite(self) -> None:
        """Copy ``[title](address), outlet, date`` as Markdown."""
        found = self.screen.reading.citation()
        if found is None:
            self.screen.say("there is nothing here to cite", bad=True)
            return
        title, address, outlet, published = found
        escaped = clean(title).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
        target = clean(address, 4096).replace("(", "%28").replace(")", "%29")
        parts = [f"[{escaped}]({target})" if target else escaped, clean(outlet)]
        if published is not None:
            parts.append(human.local(published).rsplit(" ", 1)[0])
        text = ", ".join(p for p in parts if p)
        self.screen.app.copy_to_clipboard(text)
        self.screen.say(f"copied {text}")
