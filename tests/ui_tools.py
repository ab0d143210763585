"""For the tests of the screen: real files, a real session, the real app, and a way to wait without sleeping.

``desk(session)`` runs the app; its :class:`Desk` presses keys and waits until
nothing is under way. The clock stands at :data:`NOW`.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from rich.cells import cell_len
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerState

from reader import child
from reader.config import Locations
from reader.model import Mark
from reader.session import Session, open_session
from reader.store.rows import ArticleRow
from reader.store.state import State
from reader.ui.app import NewsfoldApp
from reader.ui.places import Pane
from reader.ui.screens import speaking
from reader.ui.screens.main import MainScreen

NOW = datetime(2024, 3, 10, 12, 0, tzinfo=UTC)
BASE = "https://news.test/"
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
PATIENCE = 60.0
"""Seconds after which something that should come is given up: a bound, never a measure."""

_ASKING = ("prompt", "browser", "command-")
_LONG = ("links", "ingest", "browser-archive")

# -- files --------------------------------------------------------------------


def of_yesterday(path: Path) -> Path:
    """Have the file at *path* say that it is of yesterday.

    One that was written in the moment of a look is read again at the next, and counts as changed. That
    it is written anew is seen by its other time.
    """
    yesterday = time.time() - 86_400
    os.utime(path, (yesterday, yesterday))
    return path


def write(folder: Path, slug: str, body: str = "", **fields: Any) -> Path:
    """Write one article, :func:`of_yesterday`. Values are JSON, which is YAML.

    ``webUrl`` is made of the slug unless given.
    """
    fields = {"title": slug.replace("-", " ").capitalize(), "webUrl": BASE + slug} | fields
    lines = [f"{_quoted(name)}: {_quoted(value)}" for name, value in fields.items() if value is not None]
    path = folder / f"{slug}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n" + "\n".join(lines) + f"\n---\n{body}", encoding="utf-8")
    return of_yesterday(path)


def _quoted(value: Any) -> str:
    """As JSON that YAML reads the same: astral characters as they are, unprintable ones escaped."""
    return _UNPRINTABLE.sub(lambda m: f"\\U{ord(m[0]):08x}", json.dumps(value, ensure_ascii=False))


def when(**before: float) -> str:
    """A time so long before :data:`NOW`, as the files write it."""
    return (NOW - timedelta(**before)).isoformat()


def related(slug: str, outlet: str, **fields: Any) -> dict[str, Any]:
    """An entry of ``related`` that points to *slug*."""
    entry = {
        "title": slug.replace("-", " ").capitalize(),
        "webUrl": BASE + slug,
        "provider": {"name": outlet},
        "publishedDateTime": when(days=2),
        "type": "article",
    }
    return entry | fields


def write_many(folder: Path, count: int) -> None:
    """Write *count* articles ``piece-<n>``, newest first, in folders of a hundred."""
    for n in range(count):
        if n % 100 == 0:
            (folder / f"d{n // 100}").mkdir(parents=True)
        text = (
            f"---\ntitle: Piece {n}\nwebUrl: {BASE}piece-{n}\npublishedDateTime: {when(minutes=n + 1)}\n---\n"
        )
        path = folder / f"d{n // 100}" / f"piece-{n}.md"
        path.write_text(text, encoding="utf-8")
        of_yesterday(path)


OUTLETS = ("Aurora", "Beacon", "Courier", "Dispatch")
WORDS = ("amber", "birch", "cedar", "dune")
LONG_BODY = "\n\n".join(f"Paragraph {n} of a long report." for n in range(80))


def small_folder(folder: Path) -> Path:
    """Twelve articles, newest first ``story-00`` to ``story-11``, three topics, four outlets.

    ``story-01`` has five pieces of coverage: 00, 02 and 04 (in the library), two that are not.
    05 is long, 06 unpublished, 07 a video without quality.
    """
    for n in range(12):
        fields: dict[str, Any] = {
            "excerpt": f"On {WORDS[n % 4]}, part {n}.",
            "publishedDateTime": when(hours=1 + 5 * n),
            "provider": {"name": OUTLETS[n % 4], "domain": "news.test"},
            "topics": [("space", "law", "sea")[n % 3]],
            "quality": (n * 37) % 100,
            "heat": (n * 53) % 90,
        }
        if n == 1:
            fields["related"] = [
                related("story-02", "Courier"),
                related("story-00", "Aurora"),
                related("story-04", "Aurora"),
                related("elsewhere-one", "Echo", excerpt="Known by hearsay.", quality=41),
                related("elsewhere-two", "Fanal"),
            ]
        if n == 6:
            fields["published"] = False
        if n == 7:
            fields |= {"type": "video", "quality": None}
        write(folder, f"story-{n:02}", LONG_BODY if n == 5 else "", **fields)
    return folder


def url(n: int) -> str:
    """The address, and key, of ``story-<n>``."""
    return f"{BASE}story-{n:02}"


# -- sessions -------------------------------------------------------------------


def locations(root: Path) -> Locations:
    return Locations(root / "data", root / "config", root / "cache", root / "state")


def make_session(root: Path, *folders: Path, **settings: Any) -> Session:
    """A session over *folders*, its databases below *root*; no article comes to be read by itself."""
    time.tzset()  # TZ is UTC (conftest)
    session = open_session(locations(root), folders)
    session.settings = replace(session.settings, **{"dwell": 60.0} | settings)
    session.clock = lambda: NOW
    return session


def marks(root: Path, *keys: str) -> list[Mark]:
    """What the file of marks says of *keys*, as another process sees it."""
    with contextlib.closing(State.open(locations(root).state_db)) as state:
        return [state.mark(key) for key in keys]


# -- the app ----------------------------------------------------------------------


class Desk:
    """The running app under the hands of a test."""

    def __init__(self, app: NewsfoldApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def main(self) -> MainScreen:
        assert self.app.main is not None
        return self.app.main

    # -- waiting

    async def settle(self, *, long: bool = True) -> None:
        """Wait until every message is handled and no worker runs (with *long*, ingest and link checks too).

        A worker that waits for an answer on a dialogue is not waited for.
        """
        end = time.monotonic() + PATIENCE
        quiet = 0
        while quiet < 5:
            assert time.monotonic() < end, [w.name for w in self._busy(long)]
            await self.pilot._wait_for_screen()
            if self.app._exception is not None:
                raise self.app._exception
            if busy := self._busy(long):
                quiet = 0
                tasks = [w._task for w in busy if w._task is not None]
                if tasks:
                    await asyncio.wait(tasks, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(0)
            elif self.app.screen._refresh_styles_required or self.app.screen._layout_required:
                quiet = 0
                await asyncio.sleep(0.001)
            else:
                quiet += 1

    def _busy(self, long: bool) -> list[Any]:
        asking = not isinstance(self.app.screen, MainScreen)
        return [
            w
            for w in self.app.workers
            if w.state in (WorkerState.PENDING, WorkerState.RUNNING)
            and not (asking and w.group.startswith(_ASKING) and w.node is not self.app.screen)
            and not (not long and w.group in _LONG)
        ]

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until *true* says so."""
        end = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > end:
                faulthandler.dump_traceback()
                raise AssertionError(f"it never came; {self._busy(long=True)}:\n{self.text}")
            await asyncio.sleep(0.01)

    # -- hands

    async def press(self, *keys: str, long: bool = True) -> None:
        """Press *keys*, settling after each."""
        for key in keys:
            await self.tap(key)
            await self.settle(long=long)

    async def rush(self, *keys: str) -> None:
        """Press *keys* at one go, then settle."""
        for key in keys:
            await self.tap(key)
        await self.settle()

    async def tap(self, key: str) -> None:
        """Press one key and wait for nothing."""
        await _send(self.app, key)

    async def type(self, text: str) -> None:
        await self.rush(*text)

    async def type_while_busy(self, text: str) -> None:
        """As :meth:`type`, a long run being under way."""
        for letter in text:
            await self.tap(letter)
        await self.settle(long=False)

    async def resize(self, width: int, height: int = 30) -> None:
        await self.pilot.resize_terminal(width, height)
        await self.settle()

    async def click(self, widget: Widget, x: int, y: int) -> None:
        await self.pilot.click(widget, offset=(x, y))
        await self.settle()

    # -- eyes

    @property
    def pane(self) -> Pane:
        return self.main.pane

    @property
    def row(self) -> ArticleRow:
        """The row under the cursor."""
        row = self.main.list.current
        assert row is not None
        return row

    @property
    def titles(self) -> list[str]:
        """The titles in the list, in order."""
        rows = self.main.session.library.rows(list(self.main.list.ids))
        return [r.title for r in rows]

    def story(self) -> int:
        """The number of the story under the cursor."""
        return int(self.row.title[-2:])

    @property
    def stories(self) -> list[int]:
        return [int(title[-2:]) for title in self.titles]

    def drawn_row(self, index: int) -> str:
        """Row *index* of the list as it is drawn."""
        view = self.main.list
        lines = view.render_row(index, 80)
        return "\n".join("".join(s.text for s in line) for line in lines)

    @property
    def shown(self) -> str:
        """The title of what the article pane shows."""
        return self.article.split("\n")[0].strip()

    @property
    def article(self) -> str:
        """Everything in the article pane, one line a line."""
        return whole(self.main.document)

    @property
    def status(self) -> str:
        return self.line("status")

    def line(self, name: str) -> str:
        """What stands in one of the one-line widgets."""
        return self.main._line(name).text

    @property
    def visible(self) -> set[str]:
        """The panes in sight."""
        return {
            p.value
            for p in Pane
            if self.main.query_one(f"#{p.value}-pane").region.width and _seen(self.main, p)
        }

    @property
    def strips(self) -> list[list[str]]:
        """The texts of every segment on the screen, line by line."""
        return drawn(self.app.screen)

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join("".join(line).rstrip() for line in self.strips)

    @property
    def words(self) -> str:
        """The screen as words, however they are wrapped and framed."""
        return " ".join(self.text.replace("│", " ").split())


async def _send(app: NewsfoldApp, key: str) -> None:
    import unicodedata

    from textual import events
    from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key

    if len(key) == 1 and not key.isalnum():
        key = _character_to_key(key)
    try:
        char: str | None = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(key, key)))
    except KeyError:
        char = key if len(key) == 1 else None
    event = events.Key(key, char)
    event.set_sender(app)
    assert app._driver is not None
    app._driver.send_message(event)
    await asyncio.sleep(0)


def _seen(main: MainScreen, pane: Pane) -> bool:
    return bool(main.query_one(f"#{pane.value}-pane").display)


def drawn(screen: Screen[Any]) -> list[list[str]]:
    """The texts of every segment the compositor would draw."""
    return [[s.text for s in strip if not s.control] for strip in screen._compositor.render_strips()]


def whole(document: Any) -> str:
    """All lines of a document, those out of sight too."""
    lines = []
    for y in range(document.line_count):
        laid, line = document._column.at(y)
        lines.append(" " * laid.indent + "".join(s.text for s in laid.row(line)))
    return "\n".join(lines)


@contextlib.asynccontextmanager
async def desk(
    session: Session,
    size: tuple[int, int] = (120, 30),
    *,
    settled: bool = True,
    close: bool = True,
    beside: bool = False,
    kind: type[NewsfoldApp] = NewsfoldApp,
) -> AsyncIterator[Desk]:
    """Run the app over *session*; at the end its threads are waited for and the session is closed.

    Files are read in a thread, as they are where no process can be started, which a
    few files take a tenth as long as a process; with *beside* in a process, as usual.
    What is said stays until something else is said, however long the machine takes.
    """
    loop = asyncio.get_running_loop()
    pool = ThreadPoolExecutor(max_workers=8)
    loop.set_default_executor(pool)
    app = kind(session)
    start, said = child.start, speaking._SAID
    speaking._SAID = 3_600.0
    try:
        if not beside:
            child.start = _not_started
        async with app.run_test(size=size) as pilot:
            found = Desk(app, pilot)
            if settled and session.sources:
                await found.until(lambda: app.main is not None and app.main.refreshing._generation >= 0)
            if settled:
                await found.settle()
            yield found
    finally:
        child.start, speaking._SAID = start, said
        with ThreadPoolExecutor(max_workers=1) as other:
            await loop.run_in_executor(other, pool.shutdown)
        loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
        if app.main is not None and close:
            with contextlib.suppress(Exception):
                app.main.navigation.save_place()
        if close:
            session.close()


def _not_started(module: str) -> subprocess.Popen[bytes]:
    raise OSError(f"{module} is not to be started")


# -- which test shows which command -----------------------------------------------

_Test = TypeVar("_Test", bound=Callable[..., Any])


def shows(*commands: str) -> Callable[[_Test], _Test]:
    """Say that a test sees the effect of *commands* (``test_every_command_is_shown`` counts them)."""

    def mark(test: _Test) -> _Test:
        test.shows = commands  # type: ignore[attr-defined]
        return test

    return mark


# -- what must never be drawn -------------------------------------------------------

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def harmful(d: Desk) -> list[str]:
    """Every segment on the screen that holds what a terminal could act on, and lines of a wrong width."""
    wrong = [text for line in d.strips for text in line if CONTROL.search(text)]
    widths = {cell_len("".join(line)) for line in d.strips}
    return wrong if widths <= {d.app.size.width} else [*wrong, f"widths {widths}"]
