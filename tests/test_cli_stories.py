"""``newsfold story`` and ``stories``: what they print, and the document programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from test_cli import newsfold, on_terminal

from reader.config import locate
from reader.ingest import Ingest
from reader.model import LinkCheck, Outcome
from reader.session import open_session, utc_now

START = "2020-06-11-amazon-bans-police-use-of-its-face-recognition-technology-for-a-year.md"
GLOBE = (
    "https://www.bostonglobe.com/2020/06/10/business/"
    "amazon-bans-police-use-its-face-recognition-technology-year/"
)


def told(*arguments: str) -> list[dict[str, Any]]:
    done = newsfold(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    found = json.loads(done.stdout)
    assert found["schema"] == 1 and set(found) == {"schema", "stories"}
    stories: list[dict[str, Any]] = found["stories"]
    return stories


def open_folder(folder: Path) -> None:
    with open_session(locate({}), [folder], remember=True) as session:
        Ingest(session.library, session.state, session.sources).run()


def test_the_start_articles_story(corpus: Path) -> None:
    open_folder(corpus)
    (story,) = told("story", START)
    assert story["counts"] | {"unread": 0} == {
        "pieces": 6, "outlets": 6, "texts": 4, "articles": 1, "unread": 0, "new_pieces": 0, "new_outlets": 0,
    }  # fmt: skip
    assert story["lead"] == GLOBE
    copies = [text for text in story["texts"] if text["probable_wire_copy"]]
    assert [text["outlets"] for text in copies] == [3]
    offsets = [piece["offset_s"] for piece in story["pieces"]]
    assert offsets[0] == 0 and offsets == sorted(offsets)
    assert sum(story["timeline"]["counts"]) == 6 and story["timeline"]["start"] == story["first"]
    assert story["best"]["address"] and "quality 74, the highest of 6" in story["best"]["reasons"]
    assert story["concentration"].startswith("3 of 6 outlets have one text")
    assert [piece["in_library"] for piece in story["pieces"]].count(True) == 1
    mentioned = next(piece for piece in story["pieces"] if not piece["in_library"])
    assert told("story", mentioned["address"]) == [story]  # by a piece that no file is
    assert told("story", mentioned["address"] + "?utm_source=x#top") == [story]  # in any spelling

    page = newsfold("story", START).stdout
    assert "6 pieces, 6 outlets, 4 independent texts" in page
    assert "the earliest in this archive" in page and "probable wire copy" in page


def test_link_states_count(corpus: Path) -> None:
    open_folder(corpus)
    (before,) = told("story", START)
    best = before["best"]
    with open_session(locate({})) as session:
        session.state.record_checks([LinkCheck(best["address"], Outcome.GONE, utc_now(), status=410)])
    (after,) = told("story", START)
    assert after["best"]["key"] != best["key"]
    gone = next(piece for piece in after["pieces"] if piece["key"] == best["key"])
    assert gone["outcome"] == "gone" and gone["link"]["status"] == 410


def test_lists_of_stories(corpus: Path) -> None:
    open_folder(corpus)
    everything = told("stories")
    assert sum(story["counts"]["articles"] for story in everything) == 625
    lasts = [story["last"] or "" for story in everything]
    assert lasts == sorted(lasts, reverse=True)
    since = told("stories", "--since", "2023-05-01")
    assert since and since == [s for s in everything if s["last"] and s["last"] >= "2023-05-01"]
    assert len(told("stories", "--limit", "3")) == 3
    assert all(story["counts"]["outlets"] >= 4 for story in told("stories", "--outlets", "4"))
    lines = newsfold("stories", "--outlets", "4").stdout.splitlines()
    assert len(lines) == len(told("stories", "--outlets", "4")) and all("\t" in line for line in lines)
    assert told("stories", "--since", "1h") == []


def test_while_the_screen_is_open(corpus: Path) -> None:
    open_folder(corpus)
    with open_session(locate({})) as session:
        Ingest(session.library, session.state, session.sources).run()
        session.library.ids()
        assert told("story", START)[0]["counts"]["pieces"] == 6


def test_what_makes_no_sense(corpus: Path) -> None:
    open_folder(corpus)
    assert newsfold("stories", "--since", "soon").returncode == 2
    assert newsfold("story", "https://nowhere.test/").returncode == 5
    assert newsfold("story").returncode == 2


def test_hostile_text_is_inert(hostile: Path) -> None:
    open_folder(hostile)
    code, screen = on_terminal("stories", columns=100)
    assert code == 0
    assert not any(ord(char) < 32 and char not in "\r\n" for char in screen)
