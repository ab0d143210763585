"""The reader's marks: kept first, shown after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from reader.store.rows import ArticleRow
from reader.store.state import Change
from reader.syncing import sync
from reader.text import clean
from reader.ui.control import Controller, Handler, in_thread
from reader.ui.places import Pane
from reader.ui.widgets.line_list import Move

_TITLE = 45  # characters in a prompt
_BREAK = "\u23ce"  # a note's line end in a prompt of one line


class Marking(Controller):
    """Read, star, tags, notes, and the undo of each."""

    def handlers(self) -> Mapping[str, Handler]:
        self._turn = asyncio.Lock()  # marks are made in the order of their keys, undo above all
        return {
            "read": self.toggle_read,
            "all_read": self.all_read,
            "star": self.toggle_star,
            "tags": self.edit_tags,
            "note": self.edit_note,
            "undo": self.undo,
        }

    def targets(self) -> list[int]:
        """The rowids a mark is for: the selection, else the article shown, else the row."""
        view = self.screen.list
        if view.selected and self.screen.pane is not Pane.ARTICLE:
            return [i for i in view.ids if i in view.selected]
        return self.here()

    def here(self) -> list[int]:
        """The same for what is done to one article, whatever is selected."""
        view, shown = self.screen.list, self.screen.reading.shown
        if self.screen.pane is Pane.ARTICLE and shown is not None:
            return [shown.article] if shown.mention is None else []
        return [view.ids[view.cursor]] if view.count else []

    # -- keeping -----------------------------------------------------------------

    def keep(self, change: Callable[[], Change | None], *, say: bool = True) -> None:
        """Run *change* off the loop; when it is durable, show it."""
        self.screen.work("marks", self._kept(change, say=say), exclusive=False)

    async def _kept(self, change: Callable[[], Change | None], *, say: bool) -> None:
        await self._keep(change, say=say)

    async def _keep(self, change: Callable[[], Change | None], *, say: bool) -> Change | None:
        async with self._turn:
            done = await in_thread(self._keep_and_copy, change)
        if done is None:
            self.screen.say("nothing to take back" if say else "")
            return None
        if say:
            self.screen.say(done.label)
        self.changed()
        return done

    def _keep_and_copy(self, change: Callable[[], Change | None]) -> Change | None:
        done = change()
        sync(self.library, self.state)
        self.screen.refreshing.note_own_change()
        return done

    def changed(self) -> None:
        """Marks or link states changed: fetch what is in sight again."""
        if self.screen.navigation.lets_go or self.screen.navigation.listing.stories:
            self.screen.navigation.reload()
            return
        self.screen.list.forget_rows()
        self.screen.placing.load()
        self.screen.reading.marks_changed()

    # -- commands ----------------------------------------------------------------

    def toggle_read(self) -> None:
        """Read, or unread again; a selection becomes read unless all of it is."""
        ids = self.targets()
        alone = len(ids) == 1
        self.screen.reading.stop_dwell()
        if ids:
            self.keep(lambda: self._toggle_read(ids))
        if alone and self.screen.pane is Pane.LIST:
            self.screen.list.move(Move.DOWN)
        self._deselect()

    def _toggle_read(self, ids: Sequence[int]) -> Change:
        keys = self.screen.storying.keys(ids)
        marks = self.state.marks(keys)
        if any(not (key in marks and marks[key].read) for key in keys):
            return self.screen.storying.read(ids)
        return self.state.set_read(keys, False)

    def all_read(self) -> None:
        """The whole list is read; one undo takes it all back."""
        ids = self.screen.navigation.whole()
        self.keep(lambda: self.screen.storying.all_read(ids()))

    def mark_read(self, article: int) -> None:
        """Read by having been looked at."""
        self.keep(lambda: self.screen.storying.read([article]), say=False)

    async def read_to_the_end(self, article: int) -> None:
        """The same, when the next article waits for it."""
        await self._keep(lambda: self.screen.storying.read([article]), say=False)

    def toggle_star(self) -> None:
        """Star, or no longer; a selection becomes starred unless all of it is."""
        ids = self.targets()
        if ids:
            self.keep(lambda: self._toggle_star(ids))
        self._deselect()

    def _toggle_star(self, ids: Sequence[int]) -> Change:
        keys = _keys(r.key for r in self.library.rows(ids))
        marks = self.state.marks(keys)
        wanted = any(not (key in marks and marks[key].starred) for key in keys)
        return self.state.set_starred(keys, wanted)

    def undo(self) -> None:
        """Take back the newest change, whatever its size."""
        self.screen.work("marks", self._undo(), exclusive=False)

    async def _undo(self) -> None:
        reading = self.screen.reading
        shown, was = reading.shown, reading.loaded.mark.read if reading.loaded else False
        await self._keep(self.state.undo, say=True)
        if was and shown is not None and not (await in_thread(self.state.mark, shown.key)).read:
            reading.stop_dwell()  # unread by hand
        self.screen.navigation.reload()  # what a rule hid or tagged is none of the rows in sight

    def edit_tags(self) -> None:
        """Ask for the tags of the article, or for those that all of a selection are to have too."""
        self.screen.work("prompt", self._edit_tags(self.targets()))

    async def _edit_tags(self, ids: Sequence[int]) -> None:
        from reader.ui.screens.prompt import Prompt

        if len(ids) > 1:
            keys = _keys(row.key for row in await in_thread(self.library.rows, ids))
            title, hint = f"Tags for {len(ids):,} articles", "words parted by commas, for each of them"
            answer = await self.screen.app.push_screen_wait(Prompt(title, "", hint=hint))
            if tags := _words(answer or ""):
                self.keep(lambda: self.state.add_tags(keys, tags))
                self._deselect()
            return
        row = await self._one(ids)
        if row is None:
            return
        mark = await in_thread(self.state.mark, row.key)
        hint = "words parted by commas; empty removes them all"
        prompt = Prompt(_of("Tags", row), ", ".join(mark.tags), hint=hint)
        answer = await self.screen.app.push_screen_wait(prompt)
        if answer is not None:
            self.keep(lambda: self.state.set_tags(row.key, _words(answer)))
            self._deselect()

    def edit_note(self) -> None:
        """Ask for the note on one article."""
        self.screen.work("prompt", self._edit_note())

    async def _edit_note(self) -> None:
        from reader.ui.screens.prompt import Prompt

        row = await self._one(self.here())
        if row is None:
            return
        mark = await in_thread(self.state.mark, row.key)
        hint = f"empty removes it, {_BREAK} is a new line"
        prompt = Prompt(_of("Note", row), mark.note.replace("\n", _BREAK), hint=hint)
        answer = await self.screen.app.push_screen_wait(prompt)
        if answer is not None:
            self.keep(lambda: self.state.set_note(row.key, answer.replace(_BREAK, "\n").strip()))

    async def _one(self, ids: Sequence[int]) -> ArticleRow | None:
        rows = await in_thread(self.library.rows, ids[:1])
        if not rows:
            self.screen.say("no article here", bad=True)
            return None
        return rows[0]

    def _deselect(self) -> None:
        if self.screen.list.selected and self.screen.pane is not Pane.ARTICLE:
            self.screen.list.selected.clear()
            self.screen.list.redraw()


def _of(what: str, row: ArticleRow) -> str:
    """A prompt's title: what is asked for, and of which article."""
    return f"{what}: {clean(row.title, _TITLE)}"


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))


def _keys(keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(keys))
