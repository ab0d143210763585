"""Settings and places: what is taken, what is complained of, and that nothing stops the start."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from reader import assets
from reader.config import SORTS, Loaded, Settings, describe, load, locate
from reader.errors import UsageError
from reader.store.rows import Sort

NO_FLAGS: dict[str, str | None] = {}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def said(file: Path, text: str | bytes) -> Loaded:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(file)


# -- settings ------------------------------------------------------------------


def test_no_file_means_the_defaults(file: Path) -> None:
    assert load(file) == Loaded()
    assert said(file, "") == Loaded()


def test_what_can_be_set(file: Path) -> None:
    loaded = said(
        file,
        """\
# mine
theme = "nord"
browser = "firefox --new-tab"
dwell = 2
preset = "newsboat"
sort = "heat"
open_without_asking = 0
check_without_asking = 50
user_agent = "me/1.0"
allow_private_links = true
archive_url = "http://127.0.0.1:8000/web/"
[keys]
star = "*"
quit = ["q", " ctrl+q "]
""",
    )
    assert loaded.complaints == ()
    assert loaded.settings == Settings(
        theme="nord",
        browser="firefox --new-tab",
        dwell=2.0,
        preset="newsboat",
        keys={"star": ("*",), "quit": ("q", "ctrl+q")},
        sort="heat",
        open_without_asking=0,
        check_without_asking=50,
        user_agent="me/1.0",
        allow_private_links=True,
        archive_url="http://127.0.0.1:8000/web/",
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("themes = 'x'", "themes: there is no such setting"),
        ("theme = 3", "theme: must be text in quotes"),
        ("dwell = '1'", "dwell: must be a number"),
        ("dwell = true", "dwell: must be a number"),
        ("dwell = nan", "dwell: must lie between 0 and 60"),
        ("dwell = -1", "dwell: must lie between 0 and 60"),
        ("preset = 'emacs'", "preset: must be one of vim, newsboat"),
        ("sort = 'best'", f"sort: must be one of {', '.join(SORTS)}"),
        ("open_without_asking = 2.5", "open_without_asking: must be a whole number"),
        ("open_without_asking = false", "open_without_asking: must be a whole number"),
        ("allow_private_links = 1", "allow_private_links: must be true or false"),
        ('user_agent = "a\\nb"', "user_agent: must be printable ASCII without blanks around it"),
        ('user_agent = "é"', "user_agent: must be printable ASCII without blanks around it"),
        ("archive_url = 'ftp://x/'", "archive_url: must be an http or https address"),
        ("archive_url = 'http://[::1'", "archive_url: must be an http or https address"),
        ("archive_url = 'https://me:pw@x/'", "archive_url: must be an http or https address"),
        ("keys = 3", "keys: must be a table: [keys]"),
        ("keys.star = 3", "keys.star: must be a key or a list of keys, in quotes"),
        ("keys.star = ['s', '']", "keys.star: must be a key or a list of keys, in quotes"),
    ],
)
def test_what_makes_no_sense(file: Path, line: str, complaint: str) -> None:
    good, rest = "dwell = 9", Settings(dwell=9.0)
    if "dwell" in line:
        good, rest = "sort = 'heat'", Settings(sort="heat")
    loaded = said(file, f"# mine\n{good}\n{line}\n")
    assert loaded.settings == rest  # the rest is taken
    (told,) = loaded.complaints
    assert told.endswith(complaint)
    assert told.startswith((f"{file}:3: ", f"{file}: "))


def test_the_line_is_named(file: Path) -> None:
    text = "dwell = 'x'\n\n[keys]\nstar = 1\n\"read\" = 2\n"
    assert [c.split(": ")[0] for c in said(file, text).complaints] == [
        f"{file}:1",
        f"{file}:4",
        f"{file}:5",
    ]


@pytest.mark.parametrize(
    "text", [b"theme = \n", b"\xff\xfe", b"a = " + b"[" * 50_000, b"a = 1\na = 2\n", b"x\x00 = 1", b"]\n"]
)
def test_what_is_no_toml(file: Path, text: bytes) -> None:
    loaded = said(file, text)
    assert loaded.settings == Settings()
    assert len(loaded.complaints) == 1
    assert str(file) in loaded.complaints[0]


def test_a_byte_order_mark_is_no_matter(file: Path) -> None:
    assert said(file, b"\xef\xbb\xbfdwell = 3\n").settings.dwell == 3.0


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    loaded = load(tmp_path / "config.toml")
    assert loaded.settings == Settings()
    assert "Is a directory" in loaded.complaints[0]


def test_the_orders_are_those_of_the_lists() -> None:
    assert tuple(sort.value for sort in Sort) == SORTS


def test_every_setting_is_described() -> None:
    table = describe()
    for setting in fields(Settings):
        assert f"| `{setting.name}` |" in table
        assert len(setting.metadata["help"]) > 20


# -- places --------------------------------------------------------------------


def test_the_platforms_own_places(tmp_path: Path) -> None:
    places = locate(NO_FLAGS)
    home = tmp_path / "home"
    assert places.data == home / "data/newsfold"
    assert places.config == home / "config/newsfold"
    assert places.cache == home / "cache/newsfold"
    assert places.state == home / "state/newsfold"
    assert places.state_db == home / "data/newsfold/state.db"
    assert places.config_file == home / "config/newsfold/config.toml"
    assert not home.exists()  # looking makes nothing


def test_flags_go_before_variables(tmp_path: Path) -> None:
    environ = {"NEWSFOLD_DATA_DIR": "/env/data", "NEWSFOLD_CACHE_DIR": "/env/cache", "NEWSFOLD_STATE_DIR": ""}
    places = locate({"data": "/flag/data", "cache": None}, environ)
    assert places.data == Path("/flag/data")
    assert places.cache == Path("/env/cache")
    assert places.state == tmp_path / "home/state/newsfold"


def test_relative_places_stay_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    places = locate({"data": "here", "cache": "~/there"}, {})
    assert places.data == tmp_path / "here"
    assert places.cache == tmp_path / "home/there"


def test_places_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        locate({"data": str(tmp_path / "file")})
    with pytest.raises(UsageError, match="--data-dir"):
        locate({"data": ""})


# -- what comes along ------------------------------------------------------------


def test_the_assets_are_there() -> None:
    assert list(assets.sample().rglob("*.md"))
    assert assets.styles().is_dir()
