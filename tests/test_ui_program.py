"""The program's own keys and pages, settings, first start, odd archives, strings from strangers."""

from __future__ import annotations

import importlib
import os
import signal
from array import array
from pathlib import Path
from typing import Any

import pytest
from state_tools import locked
from textual import events
from textual.command import CommandPalette
from textual.widgets import Input
from ui_tools import (
    Desk,
    desk,
    harmful,
    locations,
    make_session,
    marks,
    related,
    shows,
    small_folder,
    url,
    when,
    whole,
    write,
    write_many,
)

from reader.ui.app import OPEN_SAMPLE
from reader.ui.commands import COMMANDS, build_keymap
from reader.ui.places import Pane
from reader.ui.screens.main import MainScreen
from reader.ui.screens.pages import TextPage


def page(d: Desk) -> str:
    assert isinstance(d.app.screen, TextPage)
    return whole(d.app.screen._document)


SHOWN_ELSEWHERE = {
    "query": "test_ui_searching.test_a_query_is_counted_as_it_is_typed_then_listed_and_left_again",
    "searches": "test_ui_searching.test_saved_renamed_moved_removed_and_undone",
    "mute": "test_ui_searching.test_an_outlet_is_muted_with_one_key_and_back_with_another",
    "stories": "test_ui_stories.test_one_row_a_story_and_back",
    "unfold": "test_ui_stories.test_coverage_by_time_with_same_texts_folded",
    "story": "test_ui_stories.test_the_storys_own_page",
    "differences": "test_ui_stories.test_headlines_differ_without_colour_at_80",
    "best": "test_ui_stories.test_best_source_named_then_opened",
    "split": "test_ui_stories.test_split_and_join_and_undo",
    "archived": "test_ui_links.test_the_archived_copy",
    "health": "test_ui_links.test_the_health_of_all",
    "join": "test_ui_stories.test_split_and_join_and_undo",
}


def test_every_command_is_shown() -> None:
    shown: set[str] = set()
    for file in Path(__file__).parent.glob("test_ui_*.py"):
        for test in vars(importlib.import_module(file.stem)).values():
            shown.update(getattr(test, "shows", ()))
    for command, where in SHOWN_ELSEWHERE.items():
        module, test = where.split(".")
        assert callable(getattr(importlib.import_module(module), test)), command
        shown.add(command)
    assert shown - {c.id for c in COMMANDS} == set(), "no such command"
    assert [c.id for c in COMMANDS if c.id not in shown] == [], "commands without a test"


# -- pages -----------------------------------------------------------------------


@shows("help")
async def test_help_tells_every_key(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, (80, 24)) as d:
        for pane in ("list", "article", "topics"):
            await d.press("?")
            text = page(d)
            assert text.startswith(f"── In the {pane} pane ")
            told = " ".join(text.split())
            assert all(c.help in told for c in COMMANDS)
            assert max(map(len, text.split("\n"))) <= 80
            await d.press("G", "j", "space", "k", "g", "ctrl+d", "ctrl+u", "end", "home")
            assert isinstance(d.app.screen, TextPage)
            await d.press({"list": "q", "article": "escape", "topics": "?"}[pane])
            assert isinstance(d.app.screen, MainScreen)
            await d.press("l" if pane == "list" else "h", *([] if pane == "list" else ["h"]))


@pytest.mark.parametrize(
    ("width", "there"), [(40, "? help"), (60, "? help  q quit"), (200, "? help  q quit")]
)
async def test_how_to_get_help_and_to_leave_stays_in_sight(tmp_path: Path, width: int, there: str) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, (80, 24)) as d:
        await d.resize(width)
        await d.settle()
        assert d.text.rstrip().endswith(there)
        await d.press("l")
        assert d.text.rstrip().endswith("? help")


@shows("palette")
async def test_the_palette_runs_commands(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, (120, 40)) as d:
        for key in (":", "ctrl+p"):
            await d.tap(key)
            await d.until(lambda: isinstance(d.app.screen, CommandPalette))
            await d.pilot.press(*"star")
            await d.until(lambda: "Star (s)" in d.text)
            await d.pilot.press("down", "enter")
            await d.until(lambda: isinstance(d.app.screen, MainScreen))
            await d.settle()
            assert marks(tmp_path, url(0))[0].starred is (key == ":")
        await d.tap(":")
        await d.until(lambda: isinstance(d.app.screen, CommandPalette))
        await d.pilot.press("q")
        await d.until(lambda: "Quit (q)" in d.text and "Query" not in d.text)  # :q is what it is elsewhere
        await d.pilot.press("escape")
        await d.until(lambda: isinstance(d.app.screen, MainScreen))
        await d.tap(":")
        await d.until(
            lambda: "Previous coverage ([)" in d.text or "Next coverage (])" in d.text or "Down" in d.text
        )
        await d.pilot.press(*"coverage")
        await d.until(lambda: "Previous coverage ([)" in d.text and "Next coverage (])" in d.text)
        await d.pilot.press("escape")
        await d.until(lambda: isinstance(d.app.screen, MainScreen))


@shows("problems")
async def test_problems_are_listed_with_line_and_reason(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    (folder / "broken.md").write_text("---\ntitle: x\n  bad: [\n---\n")
    (folder / "evil\x1b]0;x\x07[red].md").write_text("---\n{{{\n")
    write(folder, "odd", quality="very", publishedDateTime="2020-13-45")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        assert "could not be read" in d.status
        await d.press("E")
        text = page(d)
        assert "Files without an article: " in text and "broken.md:" in text and "[red]" in text
        assert "odd.md:" in text and "quality" in text and not harmful(d)
        await d.press("q")
        assert d.pane is Pane.LIST


@shows("fields")
async def test_all_fields_as_written(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    write(
        folder,
        "one",
        publishedDateTime=when(hours=1),
        price="3.10",
        secured="QUJD;REVG",
        nested={"a": [1, None]},
    )
    write(folder, "two", publishedDateTime=when(hours=2), mood="[b]calm[/b]")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("i")
        text = page(d)
        assert "price: 3.10" in text and "sealed" in text and "QUJD" not in text and '"a"' in text
        await d.press("escape")
        await d.rush("j", "i")  # at once: the row one stands on, though its article is still coming
        assert "mood: [b]calm[/b]" in page(d)
        await d.press("escape")
        assert "also has mood" in d.article
        (folder / "two.md").unlink()
        await d.press("k", "j", "i")
        assert "gone" in d.status and "what the index remembers is shown" in " ".join(d.article.split())


@shows("quit", "suspend")
async def test_leaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_folder(tmp_path / "news")
    for key in ("q", "ctrl+c", "ctrl+q"):
        async with desk(make_session(tmp_path, folder), beside=True) as d:
            await d.tap(key)
            await d.until(lambda: d.app._exit)
            assert not d.app.return_code
    asked = []
    async with desk(make_session(tmp_path, folder)) as d:
        monkeypatch.setattr(d.app, "action_suspend_process", lambda: asked.append(True))
        await d.press("ctrl+z")
        assert asked == [True]


# -- keys and settings ----------------------------------------------------------------


async def test_keys_of_ones_own(tmp_path: Path) -> None:
    keys = {"star": ("ctrl+p", "*"), "top": ("home",), "sort": ("g",), "down": ("j", "é")}
    session = make_session(tmp_path, small_folder(tmp_path / "news"), keys=keys)
    async with desk(session) as d:
        await d.press("ctrl+p")
        assert d.row.starred and isinstance(d.app.screen, MainScreen)
        await d.press("*", "s")
        assert not d.row.starred
        await d.press("é")
        assert d.main.list.cursor == 1
        await d.press("g")
        assert d.main.navigation.listing.sort.value == "oldest"
        assert "C-p star" in d.line("keys")
        await d.press("?")
        assert "C-p *" in page(d)


async def test_the_newsboat_preset(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"), preset="newsboat")
    async with desk(session) as d:
        await d.press("N")
        assert marks(tmp_path, url(0))[0].read
        await d.press("l")
        assert d.main.navigation.listing.unread_only and d.pane is Pane.LIST
        await d.press("enter")
        assert d.pane is Pane.ARTICLE
        await d.press("q")
        assert d.pane is Pane.LIST
        await d.tap("Q")
        await d.until(lambda: d.app._exit)


def test_keymaps_complain_of_what_cannot_be() -> None:
    wrong = {
        "nonsense": ("x",),
        "star": ("C-s", "spacebar", "Esc", "ctrl+q", "ctrl+", ""),
        "read": ("z",),
        "note": ("z",),
        "copy": ("f5", "ctrl+y", "question_mark", "g", "shift+tab"),
    }
    keymap = build_keymap("vim", wrong)
    told = "\n".join(keymap.complaints)
    assert "nonsense: there is no such command" in told
    for key in ("C-s", "spacebar", "Esc"):
        assert f"star: {key} is no key" in told
    assert "star: C-q always leaves" in told and "z stands for both read and note" in told
    assert keymap.keys["copy"] == wrong["copy"] and keymap.keys["note"] == ("z",) and not keymap.keys["zen"]
    assert "g g" not in keymap.keys["top"]  # g alone is taken
    readme = build_keymap("newsboat", {"star": ("s", "*"), "top": ("g g",)})  # its own example
    assert readme.keys["top"] == ("g g",) and readme.keys["sort"] == ("\\",) and readme.complaints == ()
    named = build_keymap("vim", {"copy": ("g",), "top": ("g g",)})
    assert named.keys["top"] == () and named.complaints == ("[keys] g is copy: top cannot begin with it",)
    for preset in ("vim", "newsboat"):
        assert build_keymap(preset, {}).complaints == ()
        assert all(build_keymap(preset, {}).keys.values())
    assert build_keymap("vim", {"quit": ()}).keys["quit"] == ("ctrl+q",)
    assert build_keymap("vim", {"star": ("q",)}).keys["quit"] == ("ctrl+q",)


async def test_what_is_wrong_with_the_settings_is_said(tmp_path: Path) -> None:
    config = locations(tmp_path).config_file
    config.parent.mkdir(parents=True)
    config.write_text('theme = 3\nnonsense = 1\n[keys]\nstar = "spacebar"\n')
    (tmp_path / "other").mkdir()
    other = locations(tmp_path / "other").config_file
    other.parent.mkdir(parents=True)
    other.write_text('theme = "nosuch"\n')
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        assert "config.toml:1" in d.status and "and 2 more, E lists them" in d.status
        await d.press("E")
        assert all(word in page(d) for word in ("theme", "nonsense", "spacebar"))
    async with desk(make_session(tmp_path / "other", folder)) as d:
        assert "there is no theme nosuch" in d.status


@pytest.mark.parametrize("theme", ["newsfold-light", "textual-ansi", "no such theme"])
async def test_themes(tmp_path: Path, theme: str) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"), theme=theme)
    async with desk(session) as d:
        assert "Story 00" in d.text


async def test_no_color_marks_the_cursor_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with desk(make_session(tmp_path, small_folder(tmp_path / "news"))) as d:
        styles = [s.style for s in d.main.list.render_line(0)]
        assert any(style is not None and style.reverse for style in styles)


# -- first start, empty and broken archives ---------------------------------------------


async def test_first_run(tmp_path: Path) -> None:
    for key, result in (("enter", OPEN_SAMPLE), ("q", 0)):
        session = make_session(tmp_path)
        async with desk(session, (80, 24)) as d:
            assert "Welcome to newsfold" in d.text and "newsfold ~/news" in d.text
            await d.tap(key)
            await d.until(lambda: d.app._exit)
            assert d.app.return_value == result


async def test_an_empty_folder(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        assert "nothing here" in d.text and "0 articles" in d.line("masthead")
        keys = [k.keys[0] for k in COMMANDS if k.id not in ("quit", "suspend")]
        for key in keys:
            await d.press(*key.split(" "))
            while not isinstance(d.app.screen, MainScreen):
                await d.press("escape")
            if d.main.focused is not None:
                await d.press("escape")
        assert isinstance(d.app.screen, MainScreen) and not harmful(d)
        write(folder, "first", title="The first")
        await d.press("R")
        assert "The first" in d.text and d.shown == "The first"
    (folder / "first.md").write_text("---\n{{{\n---\n")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        assert not d.main.list.count and d.article == ""
        await d.press("E")
        assert "first.md" in page(d)


# -- files that change, ingest under way --------------------------------------------------


@shows("refresh")
async def test_files_changed_on_disk(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session) as d:
        await d.press("j", "j", "j", "l")
        write(
            folder, "story-03", title="Story 03", excerpt="Now otherwise.", publishedDateTime=when(minutes=1)
        )
        write(folder, "story-12", publishedDateTime=when(minutes=2))
        (folder / "story-00.md").unlink()
        (folder / "sub").mkdir()
        (folder / "story-05.md").rename(folder / "sub" / "story-05.md")
        await d.press("R")
        assert (
            "1 new" in d.status and "1 changed" in d.status and "1 gone" in d.status and "1 moved" in d.status
        )
        assert sorted(d.stories) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        assert d.story() == 3 and d.main.list.cursor == 0  # it is dated anew; one still stands on it
        assert d.shown == "Story 03" and "Now otherwise." in d.article
        (folder / "story-03.md").unlink()
        await d.press("R", "h")
        assert 3 not in d.stories and d.shown == f"Story {d.story():02}"


@shows("stop")
async def test_keys_answer_while_files_are_read_and_it_can_be_stopped(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "news")
    session = make_session(tmp_path, folder)
    async with desk(session, beside=True) as d:
        write(folder, "story-12", publishedDateTime=when(minutes=2))
        with locked(session.library.path):  # it cannot end as long as another program writes
            await d.press("R", long=False)
            await d.until(lambda: d.main.refreshing.pid)
            pid = d.main.refreshing.pid or 0
            os.kill(pid, signal.SIGSTOP)  # nor while it stands still; for the other it waits five seconds
        try:
            await d.press("j", "j", "l", "h", "\\", "/", long=False)
            await d.type_while_busy("birch")
            await d.press("enter", "?", "q", "R", long=False)
            assert "already looking" in d.status and d.main.refreshing.running
            assert d.stories == [9, 5, 1]
        finally:
            os.kill(pid, signal.SIGCONT)
        await d.settle()
        assert not d.main.refreshing.running
        await d.press("escape")
        assert 12 in d.stories
        write(folder, "story-13", publishedDateTime=when(minutes=1))
        with locked(session.library.path):
            await d.press("R", long=False)
            await d.press("ctrl+x", long=False)
        await d.settle()
        assert "stopped" in d.status
        await d.press("R")
        assert 13 in d.stories


async def test_a_first_start_shows_articles_while_it_reads(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    write_many(folder, 1500)
    session = make_session(tmp_path, folder)
    async with desk(session, settled=False, beside=True) as d:
        await d.until(lambda: d.app.main is not None and d.main.list.count)
        await d.tap("j")
        await d.until(lambda: d.main.list.cursor == 1)
        row = d.main.list.ids[1]
        await d.settle()
        assert d.main.list.count == 1500 and d.main.list.ids[d.main.list.cursor] == row
        assert "1,500 new" in d.status


async def test_who_has_not_moved_stays_at_the_top_of_a_first_load(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    write_many(folder, 1500)
    for n in range(3):  # they are read last
        write(folder / "z", f"newer-{n}", publishedDateTime=when(seconds=10 + n))
    session = make_session(tmp_path, folder)
    async with desk(session, settled=False, beside=True) as d:
        await d.until(lambda: d.app.main is not None and d.main.list.count)
        await d.until(lambda: "1,503 new" in d.status)
        await d.settle()
        assert d.main.list.cursor == 0 and d.main.list.top == 0
        assert d.main.list.current is not None and d.main.list.current.title == "Newer 0"
        assert d.shown == "Newer 0"


async def test_two_hundred_thousand_rows(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session, beside=True) as d:
        view = d.main.list
        d.main.refreshing._polling = True  # nothing puts the real list back meanwhile
        view.set_ids(array("q", list(view.ids) * 16_667), 0, {})
        await d.press("G")
        assert view.cursor == 200_003 and d.row.title == "Story 11" and "Story 11" in d.text
        assert "200k" in d.line("list-head")
        await d.press("ctrl+b", "ctrl+b", "k", "g", "g")
        assert view.cursor == 0 and view.top == 0 and "Story 00" in d.text
        for _ in range(30):
            await d.tap("ctrl+f")
        await d.settle()
        assert d.row is not None and "…" not in d.drawn_row(view.cursor)
        assert len(view._rows) < 64 and len(view._strips) <= 512
        await d.press("V")
        assert "200,004 selected" not in d.line("list-head") and len(view.selected) == 12
        await d.press("end", "home")
        assert view.cursor == 0


# -- strings from strangers ---------------------------------------------------------------

HOSTILE = {
    "click": "[@click=app.quit]x[/] [@click=screen.dismiss]y",
    "close": "[/] [/red] [b] [[ ]] \\[ $t",
    "escape": "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.test\x1b\\link\x9b31m\x90q\x9c",
    "controls": "bell\x07 back\x08 null\x00 del\x7f tab\t nl\n cr\r vt\x0b",
    "bidi": "\u202egnp.exe\u202c \u2066iso\u2069 \u200f\u200e \u061c",
    "combining": "Z" + "\u0335\u0321\u0322" * 60 + "algo",
    "wide": "漢字かな交じり文" * 30,
    "emoji": "👩‍👩‍👧‍👦🇺🇦🏳️‍🌈❤️👍🏽" * 20,
    "rtl": "שלום עולם مرحبا بالعالم " * 8,
    "long": "word " * 2000,
    "longest": "x" * 10_000,
    "odd": "\ufeff\u200b\u00ad\u2028\u2029\ufffe\U000e0041 \u3164",
    "empty": "",
    "blank": "   ",
}


def hostile_article(folder: Path, name: str, text: str, n: int) -> None:
    piece = related(f"mention-{n}", text, title=text, excerpt=text, type=text)
    fields: dict[str, Any] = {
        "title": text,
        "excerpt": text,
        "publishedDateTime": when(hours=n + 1),
        "provider": {
            "name": text,
            "domain": text,
            "authors": [text],
            "images": [{"url": text, "title": text}],
        },
        "topics": [text, "plain"],
        "type": text,
        "category": text,
        "related": [piece, {**piece, "webUrl": f"https://news.test/{text}"}],
        "images": [{"url": text, "title": text, "attribution": text, "width": 3, "height": 4}],
        "secured": text,
        "ampWebUrl": text,
        text[:200] or "key": {text[:200]: [text]},
        "quality": text,
    }
    write(folder, f"hostile-{name}", f"{text}\n\n# {text}\n\n[{text}](https://news.test/{text})\n", **fields)


async def test_strings_from_strangers_are_inert_everywhere(tmp_path: Path) -> None:
    folder = tmp_path / "news[b]"
    for n, (name, text) in enumerate(HOSTILE.items()):
        hostile_article(folder, name, text, n)
    session = make_session(tmp_path, folder)
    async with desk(session, (120, 40)) as d:
        assert d.main.list.count == len(HOSTILE)
        keys = [row.key for row in session.library.rows(list(d.main.list.ids))]
        for key, text in zip(keys, HOSTILE.values(), strict=True):
            session.state.set_note(key, text)
            session.state.set_tags(key, [text, "tag"])
        await d.press("R")
        assert not harmful(d)
        await d.press("h", "G")
        assert not harmful(d)
        await d.press("l", "home", "enter")
        for _ in HOSTILE:
            assert not harmful(d), d.row.path
            await d.rush("ctrl+f", "J")
        await d.resize(60, 16)
        await d.press("h", "home", "l")
        for name in HOSTILE:
            await d.rush("]", "y", "Y")
            assert not harmful(d), d.row.path
            await d.press("enter")
            assert not harmful(d), d.row.path
            await d.press("escape")
            for key in "iet" if name in ("click", "escape", "bidi", "odd") else "":
                await d.press(key)
                assert not harmful(d), (d.row.path, key)
                await d.press("escape")
            await d.press("J")
        await d.resize(120, 40)
        await d.press("h", "g", "g")
        for y in range(0, 6, 2):  # [@click=app.quit] stands there
            await d.click(d.main.list, 12, y)
            await d.click(d.main.document, 6, y)
            while not isinstance(d.app.screen, MainScreen):
                await d.press("escape")
        assert not d.app._exit
        await d.press("/")
        d.main._input.post_message(events.Paste("\x1b]0;x\x07[@click=app.quit]\u202epaste"))
        await d.settle()
        assert not harmful(d)
        await d.press("escape", "?", "q", "E")
        assert not harmful(d)


async def test_hostile_files(hostile: Path, tmp_path: Path) -> None:
    session = make_session(tmp_path, hostile / "files")
    async with desk(session, (100, 30)) as d:
        await d.press("l")
        for _ in range(d.main.list.count):
            assert not harmful(d), d.row.path
            await d.rush("J")
        await d.press("E")
        assert not harmful(d)


async def test_the_real_corpus(corpus: Path, tmp_path: Path) -> None:
    session = make_session(tmp_path, corpus)
    async with desk(session, (120, 40)) as d:
        assert d.main.list.count >= 620
        await d.press("/")
        await d.type("amazon bans police")
        await d.press("enter", "l")
        assert d.shown.startswith("Amazon bans police use of its face")
        assert "Coverage" in d.article and not harmful(d)


async def test_pasting_into_a_prompt_is_inert(tmp_path: Path) -> None:
    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("e")
        d.app.screen.query_one(Input).post_message(events.Paste("\x1b[31mred\x07\u202e [@click=app.quit]q"))
        await d.settle()
        assert not harmful(d)
        await d.press("enter")
        assert not harmful(d) and "[@click=app.quit]q" in d.article


async def test_a_new_day_and_ages_that_grow(tmp_path: Path) -> None:
    from datetime import timedelta

    from ui_tools import NOW

    session = make_session(tmp_path, small_folder(tmp_path / "news"))
    async with desk(session) as d:
        await d.press("h", "j", "j", "j", "enter")
        assert d.stories == [0, 1, 2]
        d.main.refreshing.poll()
        await d.settle()
        assert " 1h" in d.drawn_row(0)
        session.clock = lambda: NOW + timedelta(hours=2)
        d.main.refreshing.poll()
        await d.settle()
        assert " 3h" in d.drawn_row(0)
        session.clock = lambda: NOW + timedelta(hours=20)
        d.main.refreshing.poll()
        await d.settle()
        assert d.stories == [] and "nothing from today" in d.text and "Mon 11 Mar" in d.line("masthead")
