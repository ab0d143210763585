"""Guards that hold for the whole of the screen: no markup out of data, no traceback at the end."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from terminal import Terminal

from reader.crash import report

ROOT = Path(__file__).resolve().parents[1]
UI = ROOT / "reader" / "ui"

# Textual reads markup in a bare string given to these.
WIDGETS = {
    "Static",
    "Label",
    "Button",
    "Collapsible",
    "Tab",
    "TabPane",
    "Option",
    "Markdown",
    "Checkbox",
    "RadioButton",
}
CALLS = {"notify", "update", "add_option", "add_row", "add_column", "panic"}
TITLES = {"border_title", "border_subtitle", "tooltip"}
SAFE = {"Content", "Text", "styled"}


def unsafe(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines where a string that could hold markup reaches Textual."""
    safe = SAFE | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and isinstance(node.returns, ast.Name)
        and node.returns.id in SAFE
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            markup_off = any(
                k.arg == "markup" and isinstance(k.value, ast.Constant) and not k.value.value
                for k in node.keywords
            )
            if name == "update" and node.args and not isinstance(node.args[0], ast.JoinedStr | ast.Constant):
                continue  # a mapping's, or a set's
            if name in WIDGETS | CALLS and node.args and not markup_off and not _safe(node.args[0], safe):
                yield node.lineno, name
            if name in {"from_markup", "render_markup"}:
                yield node.lineno, name
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if (
                    isinstance(target, ast.Attribute)
                    and target.attr in TITLES
                    and not _safe(node.value, safe)
                ):
                    yield node.lineno, target.attr


def _safe(value: ast.expr, safe: set[str]) -> bool:
    if isinstance(value, ast.Call):
        name = value.func.id if isinstance(value.func, ast.Name) else getattr(value.func, "attr", "")
        return name in safe
    return isinstance(
        value, ast.Dict | ast.DictComp | ast.GeneratorExp
    )  # sets and mappings have an update too


def test_no_bare_string_reaches_a_widget() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in sorted(UI.rglob("*.py"))
        for line, what in unsafe(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_lint_sees_what_it_is_for() -> None:
    bad = "Static(f'{title}')\nself.notify(title)\nself.border_title = title\nStatic(title, markup=True)"
    assert sorted(line for line, _ in unsafe(ast.parse(bad))) == [1, 2, 3, 4]
    good = "Static(Content(title))\nself.notify(title, markup=False)\nself.border_title = Content(title)"
    assert list(unsafe(ast.parse(good))) == []


def test_report_is_one_clean_line_and_a_log(tmp_path: Path) -> None:
    log = tmp_path / "state" / "newsfold.log"
    try:
        raise ValueError("a \x1b]0;title\x07 b\nc")
    except ValueError as error:
        line = report(error, log)
    assert "\x1b" not in line
    assert "\n" not in line
    assert str(log) in line
    written = log.read_text(encoding="utf-8")
    assert "Traceback" in written
    assert "\x1b" not in written


_BROKEN = """
import sys
from reader.ui.navigation import Navigation
def broken(self):
    raise RuntimeError("no \\x1b[31m colour \\x9b here")
Navigation.load_places = broken
from reader.__main__ import main
sys.argv = ["newsfold", "--sample"]
sys.exit(main())
"""


def test_a_fault_ends_in_one_line_with_the_terminal_restored(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with Terminal([sys.executable, "-c", _BROKEN], env) as terminal:
        assert terminal.wait_end(20) == 1
        after = bytes(terminal.raw).split(b"\x1b[?1049l")[-1]
        assert b"something went wrong inside newsfold: RuntimeError: no" in after
        assert b"newsfold.log" in after
        assert b"Traceback" not in after
        assert b"\x1b[31m colour" not in after
        assert "\x9b".encode() not in after
