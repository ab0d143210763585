"""Saved searches and rules: opened, renamed, changed, moved, tried and removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from reader import rules
from reader.errors import NewsfoldError, UsageError
from reader.store.library import Library
from reader.store.query.parsing import complaint
from reader.store.state import Change, SavedRule, SavedSearch, State
from reader.text import clean
from reader.ui.screens.prompt import Prompt
from reader.ui.widgets.lines import Piece, TextLine

_KEYS: Final = (
    ("Enter", "open"), ("n", "name"), ("e", "query"), ("a", "action"), ("K/J", "move"), ("x", "on/off"),
    ("t", "try"), ("d", "remove"), ("u", "undo"),
)  # fmt: skip
_NAME_CELLS: Final = 28


class SearchesScreen(ModalScreen[str | None]):
    """Answers the query that was chosen to be listed, or None."""

    def __init__(self, state: State, library: Library, now: datetime) -> None:
        super().__init__()
        self._turn = asyncio.Lock()
        self._state = state
        self._library = library
        self._now = now
        self._searches: list[SavedSearch] = []
        self._rules: list[SavedRule] = []
        self._list = OptionList(id="searches-list", markup=False)
        self._status = TextLine(id="searches-status")
        self._head = TextLine(id="searches-head", classes="head")
        self._foot = TextLine(id="searches-keys")

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._list
        yield self._status
        yield self._foot

    def on_mount(self) -> None:
        self._head.set_text([("Saved searches and rules", "accent")])
        pieces: list[Piece] = [(" ", "dim")]
        for key, what in _KEYS:
            pieces += [(key, "key"), (f" {what}  ", "dim")]
        self._foot.set_text(pieces, [(" Esc", "key"), (" back ", "dim")])
        self._list.focus()
        self._work(self._show(0))

    # -- what is shown -----------------------------------------------------------

    def _work(self, job: Coroutine[Any, Any, None]) -> None:
        # Not exclusive: a key struck fast must not undo half of the one before.
        self.run_worker(self._guarded(job), group="prompt-searches", name="prompt-searches")

    async def _guarded(self, job: Coroutine[Any, Any, None]) -> None:
        try:
            async with self._turn:
                await job
        except NewsfoldError as error:
            self._status.set_text([(f" ! {clean(str(error))}", "bad")])

    async def _show(self, at: int) -> None:
        self._searches, self._rules = await asyncio.to_thread(
            lambda: (self._state.searches(), self._state.rules())
        )
        options = [Option(_line("", s.name, s.query)) for s in self._searches]
        if self._rules:
            options.append(Option(Content("Rules, for what newly arrives"), disabled=True))
        options += [
            Option(_line(_status(rule, self._now), rule.name, f"{rule.action}: {rule.query}"))
            for rule in self._rules
        ]
        if not self._searches:
            hint = "no search is saved yet: C-s in the query line saves one"
            options.insert(0, Option(Content(hint), disabled=True))
        self._list.set_options(options)
        at = max(0, min(at, len(options) - 1))
        able = [index for index, option in enumerate(options) if not option.disabled]
        # Never forwards from a search to a rule: the next key may remove it.
        self._list.highlighted = next(
            (index for index in reversed(able) if index <= at), able[0] if able else at
        )

    @property
    def _at(self) -> int:
        return self._list.highlighted or 0

    def _current(self) -> SavedSearch | SavedRule | None:
        """What is under the cursor."""
        index = self._at
        if index < len(self._searches):
            return self._searches[index]
        index -= max(1, len(self._searches)) + 1
        return self._rules[index] if 0 <= index < len(self._rules) else None

    # -- keys ----------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """One key, one deed."""
        name = event.character if event.character and event.character.isprintable() else event.key
        if name in ("escape", "q", "F"):
            self.dismiss(None)
        elif name == "u":
            self._work(self._keep(self._state.undo))
        elif name in ("j", "k"):
            self._list.action_cursor_down() if name == "j" else self._list.action_cursor_up()
        elif (current := self._current()) is not None and name in "neaKJxtd":
            self._work(self._do(name, current))
        else:
            return
        event.stop()
        event.prevent_default()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if (current := self._current()) is not None:
            self.dismiss(current.query)

    async def _do(self, key: str, current: SavedSearch | SavedRule) -> None:
        match key:
            case "n":
                await self._rename(current)
            case "e":
                await self._requery(current)
            case "K" | "J":
                await self._move(current, -1 if key == "K" else 1)
            case "d":
                of_rule, of_search = self._state.remove_rule, self._state.remove_search
                remove = of_rule if isinstance(current, SavedRule) else of_search
                await self._keep(lambda: remove(current.id))
            case "t":
                trial = await asyncio.to_thread(rules.try_rule, self._library, current.query, self._now)
                self._status.set_text([(f" {trial}", "accent")])
            case "a" | "x":
                if not isinstance(current, SavedRule):
                    raise UsageError("that is a search; only a rule does anything")
                await self._alter(key, current)

    async def _alter(self, key: str, rule: SavedRule) -> None:
        if key == "x":
            await self._keep(lambda: self._state.change_rule(rule.id, enabled=not rule.enabled))
            return
        answer = await self.app.push_screen_wait(Prompt("Action", rule.action, hint=", ".join(rules.ACTIONS)))
        if answer is not None:
            verb, name = rules.action(answer)
            await self._keep(lambda: self._state.change_rule(rule.id, action=f"{verb} {name}".strip()))

    async def _rename(self, current: SavedSearch | SavedRule) -> None:
        name = await self.app.push_screen_wait(Prompt("Name", current.name))
        if name is not None and (wanted := name.strip()):
            if isinstance(current, SavedRule):
                await self._keep(lambda: self._state.change_rule(current.id, name=wanted))
            else:
                await self._keep(lambda: self._state.rename_search(current.id, wanted))

    async def _requery(self, current: SavedSearch | SavedRule) -> None:
        query = await self.app.push_screen_wait(Prompt("Query", current.query))
        if query is not None and (wanted := query.strip()):
            if isinstance(current, SavedRule):
                if reason := rules.fault(wanted, self._now):
                    raise UsageError(f"this query cannot be a rule: {reason}")
                await self._keep(lambda: self._state.change_rule(current.id, query=wanted))
            else:
                await self._keep(lambda: self._state.change_search(current.id, wanted))
                if reason := complaint(wanted, self._now):
                    raise UsageError(f"it is kept, but {reason}")

    async def _move(self, current: SavedSearch | SavedRule, step: int) -> None:
        if isinstance(current, SavedRule):
            position = self._rules.index(current) + step
            move: Callable[[int, int], Change]
            move, size = self._state.move_rule, len(self._rules)
        else:
            position = self._searches.index(current) + step
            move, size = self._state.move_search, len(self._searches)
        if 0 <= position < size:
            await self._keep(lambda: move(current.id, position), step)

    async def _keep(self, change: Callable[[], Change | None], step: int = 0) -> None:
        done = await asyncio.to_thread(change)
        self._status.set_text([(f" {clean(done.label)}" if done else " nothing to take back", "plain")])
        await self._show(self._at + step)


def _status(rule: SavedRule, now: datetime) -> str:
    if not rule.enabled:
        return "off"
    return "not run" if rules.fault(rule.query, now) else "on"


def _line(status: str, name: str, query: str) -> Content:
    lead = f"{status:8}" if status else ""
    return Content(f"{lead}{clean(name, _NAME_CELLS):{_NAME_CELLS}}  {clean(query, 500)}")
