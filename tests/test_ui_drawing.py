"""What updates leave on a terminal is what drawing everything anew would leave there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyte
import pytest
from hostile_text import strings
from rich.cells import cell_len
from rich.console import Console, RenderableType
from textual._compositor import CompositorUpdate
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from ui_tools import LONG_BODY, desk, make_session, small_folder, when, write

from reader.ui.app import NewsfoldApp
from reader.ui.steady import steadied, steady
from reader.ui.widgets.scrolling import thumb

CONSOLE = Console(force_terminal=True, color_system="truecolor", width=200)


class Drawn(NewsfoldApp):
    """The app, and a terminal that is sent what it draws."""

    terminal: pyte.Screen | None = None

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        size = (self.size.width, self.size.height)
        if self._held or not isinstance(renderable, CompositorUpdate) or screen is not self.screen:
            return
        if self.terminal is None:
            self.terminal = pyte.Screen(*size)
        elif (self.terminal.columns, self.terminal.lines) != size:
            self.terminal.resize(lines=size[1], columns=size[0])
        feed(self.terminal, steadied(renderable))

    def cells(self) -> list[list[pyte.screens.Char]]:
        assert self.terminal is not None
        return cells(self.terminal)

    def anew(self) -> list[list[pyte.screens.Char]]:
        """Everything, drawn on a new terminal by Textual's own way of drawing a whole screen."""
        terminal = pyte.Screen(self.size.width, self.size.height)
        compositor = self.screen._compositor
        due = set(compositor._dirty_regions)
        kept = {widget: widget._styles_cache for widget in compositor.visible_widgets}
        bars = [(w, w._render_cache, set(w._dirty_regions)) for w in kept if isinstance(w, ScrollBar)]
        for bar, _, _ in bars:
            bar._layout_cache.clear()
            bar._render_content()  # else as it was drawn when it was last told that it had changed
        for widget, cache in kept.items():
            widget._styles_cache = type(cache)()
        feed(terminal, steadied(compositor.render_full_update()))
        for widget, cache in kept.items():
            widget._styles_cache = cache
        for bar, content, changed in bars:
            bar._layout_cache.clear()
            bar._render_cache = content
            bar._dirty_regions |= changed
        compositor._dirty_regions |= due
        return cells(terminal)

    @property
    def due(self) -> bool:
        """Whether something is still to be drawn."""
        screen = self.screen
        return bool(
            screen._dirty_widgets
            or screen._compositor._dirty_regions
            or any(widget._repaint_required or widget._layout_required for widget in screen.walk_children())
            or (self.main is not None and self.main._heads_due)
        )


def feed(terminal: pyte.Screen, update: RenderableType | None) -> None:
    assert isinstance(update, CompositorUpdate)
    pyte.Stream(terminal).feed(update.render_segments(CONSOLE).replace("\n", "\r\n"))


def cells(terminal: pyte.Screen) -> list[list[pyte.screens.Char]]:
    return [[terminal.buffer[y][x] for x in range(terminal.columns)] for y in range(terminal.lines)]


KEYS = (
    *("j", "j", "k", "G", "g g", "j", "enter", "j", "space", "]", "]", "[", "h"),
    *("z", "z", "h", "h", "j", "enter", "s", "n", "V", "V", "o r", "u", "f", "/"),
    *("a", "m", "escape", "escape", "?", "q", "T", "escape", "S", "S", "v", "j", "v"),
)


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_every_update_leaves_what_a_whole_screen_would(tmp_path: Path, width: int) -> None:
    folder = small_folder(tmp_path / "news")
    for n in range(60):
        words = f"表 {n} ﷽ e\u0301 🙂 of the lists" if n % 3 else f"Long {'title ' * 30}{n}"
        write(
            folder,
            f"more-{n:02}",
            LONG_BODY if n % 2 else "",
            title=words,
            publishedDateTime=when(hours=n),
            topics=[f"topic-{n % 40}"],
        )
    session = make_session(tmp_path, folder)
    async with desk(session, (width, 15), kind=Drawn) as d:
        app = d.app
        assert isinstance(app, Drawn)
        updates = 0
        for key in KEYS:
            before = app.cells()
            await d.press(*key.split())
            await d.until(lambda: not app.due)
            assert app.cells() == app.anew(), key
            updates += app.cells() != before
        assert updates > len(KEYS) // 2
        await d.resize(width - 7)
        await d.press("j")
        await d.until(lambda: not app.due)
        assert app.cells() == app.anew()


async def test_a_scroll_bar_that_is_left_alone_would_be_drawn_the_same(tmp_path: Path) -> None:
    async with desk(make_session(tmp_path, small_folder(tmp_path / "news")), (120, 15)) as d:
        bar = d.main.list.vertical_scrollbar
        for whole in (14, 20, 50, 333, 50_000):
            bar.set_reactive(ScrollBar.window_virtual_size, whole)
            bar.set_reactive(ScrollBar.window_size, bar.size.height)
            looks: dict[int | None, Any] = {}
            for position in [*range(min(whole, 200) + 1), whole - bar.size.height]:
                drawn = bar.renderer.render_bar(bar.size.height, whole, bar.size.height, position).segments
                begins = thumb(bar, position)
                assert looks.setdefault(begins, list(drawn)) == list(drawn)
            assert len(looks) > 1 or whole <= bar.size.height


# -- terminals that count cells their own way -------------------------------------------

SIGNS = (
    *("❤️", "👍🏽", "🇺🇦", "👩‍👩‍👧‍👦", "🏳️‍🌈", "1️⃣", "™️", "⌚︎", "❤️‍🔥", "🏽", "🇺", "🏴\u200d☠️"),
    *("❤", "👍", "漢字", "e\u0301", "می‌خواهم", "שָׁלוֹם", "ที่", "1\u20e3"),
)


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_takes_the_same_cells_counted_whole_or_by_code_points(sign: str) -> None:
    text = f"a {sign} b {sign}{sign}"
    shown = steady(text)
    assert cell_len(shown) == cell_len(text) == sum(map(cell_len, shown))
    assert steady(shown) == shown


def test_letters_that_need_a_joiner_keep_it_and_hostile_strings_their_cells() -> None:
    assert steady("क्‍ष ශ්‍රී") == "क्‍ष ශ්‍රී"
    for text in strings():
        assert cell_len(steady(text)) == cell_len(text)
        assert steady(steady(text)) == steady(text)


async def test_a_sign_that_the_terminal_counts_otherwise_moves_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    # The terminal here goes by code points: some of these take more cells there than they were measured at.
    drawable = [sign for sign in SIGNS if not set(sign) & set("\u200c\u20e3")]  # where pyte ends a string
    for n, sign in enumerate((*drawable, "நி கி", "ក្សិ")):
        write(folder, f"sign-{n:02}", title=f"{sign} of {sign}", publishedDateTime=when(hours=n))
    async with desk(make_session(tmp_path, folder), (120, 50), kind=Drawn) as d:
        app = d.app
        assert isinstance(app, Drawn)
        for key in ("j", "k", "s", "G", "z", "z", "u"):
            await d.press(key)
            await d.until(lambda: not app.due)
            assert app.cells() == app.anew(), key
        await d.resize(119)
        await d.until(lambda: not app.due)
        edge = d.main.list.region.right
        column = {row[edge].data for row in app.cells()[2:-3]}
        assert len(column) == 1 and not column & {" "}, column
