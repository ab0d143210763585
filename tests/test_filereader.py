"""Files read by processes beside: the same as here, in order, whatever becomes of the processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from reader import filereader, sources
from reader.filereader import MANY, Team, read, read_all, read_by
from reader.model import Problem
from reader.sources import Source, to_text
from reader.store.preparing import Prepared


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A thousand files: articles, problems, odd names, one long body."""
    root = tmp_path / "in"
    (root / "deep").mkdir(parents=True)
    for number in range(1_000):
        text = f'---\ntitle: "Title {number}"\npublished: {number % 2 == 0}\n---\n{"body " * (number % 7)}'
        if number % 50 == 3:
            text = "---\ntitle: never closed"
        (root / "deep" / f"{number:04}.md").write_text(text)
    (root / "long.md").write_text("---\ntitle: Long\n---\n" + "words " * 700_000)
    Path(os.fsdecode(os.fsencode(root) + b"/odd-\xff.md")).write_text("---\ntitle: Odd\n---\n")
    return Source("in", root)


def names(source: Source) -> list[str]:
    found = [str(p.relative_to(source.root)) for p in sorted(source.root.rglob("*.md"))]
    return [*map(to_text, found), "not-there.md"]


@pytest.mark.parametrize("helpers", [1, 2, 3])
def test_the_same_as_here_and_in_order(source: Source, helpers: int) -> None:
    wanted = names(source)
    here = [read(source, name) for name in wanted]
    beside = list(read_all(source, wanted, helpers))
    assert beside == here
    assert {type(found) for found in beside} == {Prepared, Problem}


def test_long_names_and_long_texts_make_nobody_wait_for_ever(tmp_path: Path) -> None:
    deep = tmp_path / "s" / ("d" * 240) / ("e" * 240)
    deep.mkdir(parents=True)
    text = "---\ntitle: T\n---\n" + "word " * 13_000
    for number in range(450):
        (deep / f"{number:03}{'f' * 240}.md").write_text(text)
    source = Source("s", tmp_path / "s")
    wanted = names(source)
    found = []
    for number, one in enumerate(read_all(source, wanted, 2)):
        if number == 250:
            time.sleep(0.1)  # they read on meanwhile, until what they have is enough
        found.append(one.path)
    assert found == [f"s/{name}" for name in wanted]


def test_few_files_and_none(source: Source) -> None:
    assert list(read_all(source, [], 2)) == []
    assert list(read_all(source, names(source)[:1], 3)) == [read(source, names(source)[0])]


@pytest.mark.parametrize("after", [0, 1, 60, 700])
def test_killed_processes_are_not_missed(source: Source, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    enter = filereader._Helper.__enter__

    def entering(self: filereader._Helper) -> filereader._Helper:
        helper = enter(self)
        assert helper._process is not None
        begun.append(helper._process.pid)
        return helper

    monkeypatch.setattr(filereader._Helper, "__enter__", entering)
    wanted = names(source)
    found = []
    for number, one in enumerate(read_all(source, wanted, 2)):
        if number == after:
            for pid in begun:
                os.kill(pid, signal.SIGKILL)
        found.append(one)
    assert found == [read(source, name) for name in wanted]
    assert len(begun) == 2


def test_a_process_that_cannot_start_is_not_missed(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filereader.sys, "executable", "/nowhere/python")
    assert len(list(read_all(source, names(source), 2))) == len(names(source))


def test_closing_ends_the_processes(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    helpers: list[filereader._Helper] = []
    enter = filereader._Helper.__enter__
    monkeypatch.setattr(filereader._Helper, "__enter__", lambda self: helpers.append(self) or enter(self))
    reading = read_all(source, names(source), 2)
    next(reading)
    processes = [h._process for h in helpers]
    reading.close()
    assert all(p is not None and p.returncode is not None for p in processes)


def test_nothing_of_the_folder_one_stands_in_is_run(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    (trap / "reader").mkdir(parents=True)
    for name in ("reader/__init__.py", "marshal.py", "sqlite3.py", "yaml.py"):
        (trap / name).write_text(f"open({str(trap / 'sprung')!r}, 'w')")
    monkeypatch.chdir(trap)
    assert len(list(read_all(source, names(source), 1))) == len(names(source))
    time.sleep(0.05)
    assert not (trap / "sprung").exists()


def test_processes_start_while_the_files_are_still_looked_for(source: Source) -> None:
    told: list[int] = []
    scan = sources.scan(source, {}, expect=told.append)
    assert told == sorted(told)
    assert told[-1] == scan.changed
    with Team(source) as team:
        team.expect(MANY - 1)
        assert not team.members
        team.expect(MANY)
        team.expect(MANY + 1)
        assert len(team.members) == filereader._HELPERS
        wanted = names(source)
        assert list(read_by(team, source, wanted)) == [read(source, one) for one in wanted]
        for pid in (m._process.pid for m in team.members if m._process is not None):
            assert os.getpgid(pid) == pid, "or Ctrl-C would end it"
            assert os.getsid(pid) == os.getsid(0), "or being nice to us would count for nothing"
