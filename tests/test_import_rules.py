"""Who may import whom: the rooms of the project, late imports included."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import reader

PACKAGE = Path(reader.__file__).parent

LAYERS = (
    ("errors", "text", "address", "model", "values", "digests", "tls"),
    ("config", "assets", "child", "crash", "progress", "frontmatter", "htmltext"),
    ("store",),
    (
        "sources",
        "filereader",
        "readdressing",
        "rereading",
        "rules",
        "ingest",
        "refresher",
        "folding",
        "coverage",
        "editions",
        "stories",
        "links",
        "linkstate",
        "browser",
        "vetting",
        "session",
        "syncing",
        "frame",
    ),
    ("ui", "cli", "__main__"),
)
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
HEAVY = ("textual", "rich", "httpx", "httpcore", "yaml", "asyncio", "ssl", "hypothesis")


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package by its dotted name below ``reader``."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(name: str, path: Path) -> Iterator[str]:
    """The full names that a module imports, at whatever depth; ``from a import b`` gives ``a.b``."""
    package = ["reader", *name.split(".")]
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                module = ".".join([*base, *([node.module] if node.module else [])])
            else:
                module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


ALL = {name: list(imports(name, path)) for name, path in modules() if name}


def room(name: str) -> str:
    return name.split(".")[0]


def inner(imported: str) -> str:
    """The module below ``reader`` that *imported* names, ``""`` for others."""
    if not imported.startswith("reader."):
        return ""
    name = imported.removeprefix("reader.")
    while name and name not in ALL:
        name = name.rpartition(".")[0]
    return name


def test_the_reading_of_imports_sees_them() -> None:
    assert "reader.store.sqlite" in ALL["store.library"]
    assert any(name.startswith("reader.frontmatter.") for name in ALL["frontmatter"])  # relative ones
    assert "reader.ui.app.run" in ALL["cli.run"]  # late ones


def test_every_room_has_its_place() -> None:
    assert {room(name) for name in ALL} <= set(RANK)


@pytest.mark.parametrize("name", ALL)
def test_nobody_imports_from_above(name: str) -> None:
    wrong = [i for i in ALL[name] if (to := inner(i)) and RANK[room(to)] > RANK[room(name)]]
    assert not wrong


def test_the_screen_is_started_from_one_place() -> None:
    users = {n for n, found in ALL.items() for i in found if room(inner(i)) == "ui" and room(n) != "ui"}
    assert users == {"cli.run"}
    assert not [n for n, found in ALL.items() for i in found if room(n) == "ui" and room(inner(i)) == "cli"]


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("httpx", {"links"}),
        ("httpcore", {"links"}),
        ("sqlite3", {"store"}),
        ("yaml", {"frontmatter"}),
        ("textual", {"ui"}),
        ("platformdirs", {"config"}),
    ],
)
def test_each_library_has_its_rooms(library: str, rooms: set[str]) -> None:
    assert {room(n) for n, found in ALL.items() for i in found if i.split(".")[0] == library} <= rooms


PURE_STORE = ("store.rows", "store.query")
"""What of the store is plain values: rows, and the query language before it becomes SQL."""


def test_widgets_know_rows_and_not_the_store() -> None:
    wrong = {
        (name, imported)
        for name, found in ALL.items()
        if name.startswith("ui.widgets")
        for imported in found
        if room(to := inner(imported)) == "store" and not to.startswith(PURE_STORE)
    }
    assert not wrong


def loaded(code: str, *arguments: str, of: Iterable[str] = HEAVY) -> set[str]:
    """Which modules *of* these a fresh interpreter has loaded after *code*."""
    names = tuple(of)
    script = (
        f"import sys\n{code}\nprint('LOADED', *(m for m in {names} if m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=PACKAGE.parent,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.strip().splitlines()[-1].split()[1:])


@pytest.mark.parametrize("rooms", [("errors", "text", "address", "model"), ("config", "assets"), ("store",)])
def test_the_lower_rooms_are_light(rooms: tuple[str, ...]) -> None:
    names = [name for name in ALL if room(name) in rooms]
    assert loaded("\n".join(f"import reader.{name}" for name in names)) == set()


def test_what_reads_and_checks_is_light_until_it_must_not_be() -> None:
    names = [
        n for n in ALL if room(n) in ("frontmatter", "sources", "ingest", "stories", "browser", "session")
    ]
    assert loaded("\n".join(f"import reader.{n}" for n in [*names, "links"])) == set()


LATER = (
    *(
        "argparse",
        "html.entities",
        "encodings.idna",
        "httpx",
        "httpcore",
        "yaml",
        "tomllib",
        "statistics",
        "markdown_it",
        "rich.markdown",
    ),
    *("ssl", "hashlib", "_hashlib"),  # OpenSSL, 4 MB
    *("textual.widgets._markdown", "textual.widgets._text_area", "textual.widgets._data_table"),
    *("ingest", "filereader", "refresher", "rules", "folding", "links", "linkstate"),
    *("store.query.completion", "store.query.canonical"),
    *("store.writer", "store.preparing", "store.indexing", "store.story_writer"),
    *("stories.clustering", "stories.pieces", "stories.report", "stories.wire", "stories.words"),
    *("ui.markdown", "ui.link_view", "ui.screens.pages", "ui.screens.prompt", "ui.screens.choosing"),
    *("ui.screens.searches", "ui.screens.page", "ui.screens.first_run"),
)
"""What the screen's first frame can do without; those of our own by their names below ``reader``."""


def test_the_screen_starts_with_what_it_draws() -> None:
    ours = {name for name in LATER if name in ALL}
    later = [f"reader.{name}" if name in ours else name for name in LATER]
    start = "import reader.__main__, reader.cli.run, reader.session, reader.frame, reader.ui.app"
    assert loaded(start, of=later) == set()
    assert loaded(f"import {', '.join(later)}", of=later) == set(later)  # none of them is misspelt


def test_processes_that_read_files_load_nothing_of_the_store_they_do_not_write() -> None:
    store = ("sqlite3", "reader.store.sqlite", "reader.store.rows", "reader.store.query.nodes")
    assert loaded("import reader.filereader", of=store) == set()
    assert loaded(f"import {', '.join(store)}", of=store) == set(store)


_RUN = "from reader.cli.run import run\nassert run(sys.argv[1:]) == 0"


def test_commands_load_no_more_than_they_need() -> None:
    assert loaded(_RUN, "--version") == set()
    assert loaded(_RUN, "--help") == set()
    loaded(_RUN, "--sample", "refresh")
    for arguments in (
        ("list",),
        ("list", "--json"),
        ("search", "rust"),
        ("problems",),
        ("show", "2015-05-15-announcing-rust-10.md"),
    ):
        assert loaded(_RUN, "--sample", *arguments) == set()


def test_what_finds_nothing_to_copy_loads_nothing_to_copy_with() -> None:
    writing = [f"reader.{n}" for n in ("ingest", "folding", "stories.clustering", "store.writer")]
    loaded(_RUN, "--sample", "refresh")
    assert loaded(_RUN, "--sample", "list", "--no-refresh", of=writing) == set()
    assert loaded(_RUN, "--sample", "search", "--no-refresh", "rust", of=writing) == set()
    assert loaded(_RUN, "--sample", "list", of=writing) > {"reader.ingest"}


def test_commands_load_what_they_do_alone() -> None:
    others = [f"reader.{n}" for n in ("browser", "frontmatter", "htmltext", "rereading", "links", "config")]
    assert loaded(_RUN, "--version", of=[*others, "dataclasses"]) == set()
    loaded(_RUN, "--sample", "refresh")
    for arguments in (("list",), ("search", "rust")):
        assert loaded(_RUN, "--sample", *arguments, "--no-refresh", of=others) == {"reader.config"}
    assert loaded(_RUN, "--sample", "show", "2015-05-15-announcing-rust-10.md", of=others) > {
        "reader.browser"
    }
