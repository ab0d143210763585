"""``search``, ``help``, ``searches`` and ``rules`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reader.cli.run import run


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A remembered folder of three articles."""
    folder = tmp_path / "news"
    folder.mkdir()
    for number, title in enumerate(("Beta opens", "Beta ends", "Nothing \x1b[31mhere"), 1):
        when = f"2023-01-0{number}T00:00:00Z"
        text = f"---\ntitle: {json.dumps(title)}\npublishedDateTime: {when}\nquality: {number}\n---\n"
        (folder / f"{number}.md").write_text(text, encoding="utf-8")
    assert run(["refresh", str(folder)]) == 0
    capsys.readouterr()
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[list[str], str]:
    """The lines printed, and what was said beside them."""
    assert run(arguments) == code
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    return out.splitlines(), err


def test_search(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, err = said(capsys, "search", "beta")
    assert [line.split("\t")[4] for line in lines] == ["Beta ends", "Beta opens"]
    assert err == ""
    assert said(capsys, "search", "beta", "--ids", "--sort", "oldest")[0] == [
        "file:news/1.md",
        "file:news/2.md",
    ]
    assert said(capsys, "search", "beta", "quality>1", "--count")[0] == ["1"]
    assert said(capsys, "search", "--ids", "--", "-beta")[0] == ["file:news/3.md"]
    assert said(capsys, "search", "--ids", "--limit", "1", "")[0] == ["file:news/3.md"]
    assert said(capsys, "search", "nothing such")[0] == []
    found = json.loads("\n".join(said(capsys, "search", "beta sort:oldest", "--json")[0]))
    assert [a["title"] for a in found["articles"]] == ["Beta opens", "Beta ends"]
    assert (found["sort"], found["complaints"]) == ("oldest", [])


def test_what_is_not_understood_is_said_and_the_rest_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, err = said(capsys, "search", "--ids", "beta is:red quality>1")
    assert lines == ["file:news/2.md"]
    assert "column 9: is: knows no red; did you mean read?" in err


def test_help_query(capsys: pytest.CaptureFixture[str]) -> None:
    lines, _ = said(capsys, "help", "query")
    assert all(len(line) <= 100 for line in lines)
    assert any(line.startswith("outlet: ") for line in lines)
    table, _ = said(capsys, "help", "query", "--markdown")
    assert all(line.startswith("| ") and line.endswith(" |") for line in table)
    said(capsys, "help", "everything", code=2)


def test_rules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "rules")[0] == []
    assert said(capsys, "rules", "try", "beta")[0] == ["would have matched 2 of the last 3"]
    said(capsys, "rules", "add", "hide", "title:beta")
    said(capsys, "rules", "add", "tag to do", "nothing", "here")
    assert [line.split("\t")[1:3] for line in said(capsys, "rules")[0]] == [
        ["on", "hide"],
        ["on", "tag to do"],
    ]
    (folder / "4.md").write_text("---\ntitle: Another beta\n---\n", encoding="utf-8")
    said(capsys, "refresh")
    assert said(capsys, "search", "--ids", "beta is:hidden")[0] == ["file:news/4.md"]
    assert said(capsys, "rules", "off", "1")[0] == ["title:beta is off"]
    assert said(capsys, "rules", "remove", "2")[0] == ["removed the rule nothing here"]
    assert len(said(capsys, "rules")[0]) == 1
    for wrong, code in (
        (("add", "hide"), 2), (("add", "burn", "x"), 2), (("add", "hide", "is:"), 2), (("try",), 2),
        (("off",), 2), (("remove", "2"), 5), (("on", "x"), 5), (("paint",), 2),
    ):  # fmt: skip
        said(capsys, "rules", *wrong, code=code)


def test_searches(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "searches.toml"
    file.write_text("[[search]]\nname = 'mine'\nquery = 'beta OR x'\n", encoding="utf-8")
    assert said(capsys, "searches", "import", str(file))[0] == ["saved the search mine"]
    assert said(capsys, "searches", "import", str(file))[0] == []
    assert said(capsys, "searches")[0] == ["mine\tbeta OR x"]
    said(capsys, "searches", "export", str(tmp_path / "out.toml"))
    assert (tmp_path / "out.toml").read_text().splitlines() == said(capsys, "searches", "export")[0]
    said(capsys, "searches", "import", str(tmp_path / "missing.toml"), code=2)
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    said(capsys, "searches", "import", str(tmp_path / "bad.toml"), code=2)
    said(capsys, "searches", "export", str(tmp_path / "no" / "out.toml"), code=2)
