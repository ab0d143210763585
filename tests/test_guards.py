"""Guards that hold for the whole of the screen: no markup out of data, no traceback at the end."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import Terminal

from reader.crash import report

ROOT = Path(__file__).resolve().parents[1]
UI = ROOT / "reader" / "ui"

# Textual reads markup in a bare string given to these, by place or by any of the names in STRINGS.
WIDGETS = {
    "Static",
    "Label",
    "Button",
    "Collapsible",
    "Tab",
    "Tabs",
    "TabPane",
    "Option",
    "OptionList",
    "Markdown",
    "Checkbox",
    "RadioButton",
    "SelectionList",
    "Selection",
    "Select",
    "Link",
    "Digits",
    "Tree",
    "DataTable",
    "Placeholder",
}
CALLS = {
    "notify",
    "update",
    "add_option",
    "add_options",
    "set_options",
    "replace_option_prompt",
    "add_row",
    "add_rows",
    "add_column",
    "add_columns",
    "add_leaf",
    "set_label",
    "panic",
    "render_str",
    "write_line",
}
STRINGS = {
    "content",
    "label",
    "prompt",
    "message",
    "title",
    "renderable",
    "border_title",
    "border_subtitle",
    "tooltip",
    "placeholder",
}
TITLES = {"border_title", "border_subtitle", "tooltip", "placeholder"}
MARKUP = {"from_markup", "render_markup", "to_content", "markup"}
SAFE = {"Content", "Text", "styled"}
MAPPINGS = {"_handlers", "_asked"}
"""What has an ``update`` of its own, not a widget's: a dictionary and a set."""
OPTIONS = {"options"}
"""Lists of ``Option(Content(…))`` made just before; each Option is looked at by itself."""


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
            yield from _unsafe_call(node, safe)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                named = isinstance(target, ast.Attribute) and target.attr in TITLES
                if named and node.value is not None and not _safe(node.value, safe):
                    yield node.lineno, target.attr
        elif isinstance(node, ast.FunctionDef) and node.name in ("render", "render_label"):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None and _is_text(inner.value):
                    yield inner.lineno, f"{node.name}()"


def _unsafe_call(node: ast.Call, safe: set[str]) -> Iterator[tuple[int, str]]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in MARKUP:
        yield node.lineno, name
    if name == "setattr" and len(node.args) == 3 and getattr(node.args[1], "value", "") in TITLES:
        yield from [] if _safe(node.args[2], safe) else [(node.lineno, name)]
    off = any(
        k.arg == "markup" and isinstance(k.value, ast.Constant) and not k.value.value for k in node.keywords
    )
    if off:
        return
    of = node.func.value if isinstance(node.func, ast.Attribute) else None
    if name == "update" and isinstance(of, ast.Attribute) and of.attr in MAPPINGS:
        return
    wanted = list(node.args[: None if name in ("add_row", "add_columns", "OptionList", "Tabs") else 1])
    if name in WIDGETS | CALLS:
        wanted += [k.value for k in node.keywords if k.arg in STRINGS]
        yield from ((node.lineno, name) for value in wanted if not _safe(value, safe))
    else:
        keywords = (k for k in node.keywords if k.arg in TITLES - {"placeholder"})
        yield from ((node.lineno, k.arg or "") for k in keywords if not _safe(k.value, safe))


def _is_text(value: ast.expr) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_text(value.left) or _is_text(value.right)
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str)
    )


def _safe(value: ast.expr, safe: set[str]) -> bool:
    if isinstance(value, ast.Call):
        name = value.func.id if isinstance(value.func, ast.Name) else getattr(value.func, "attr", "")
        return name in safe
    if isinstance(value, ast.IfExp):
        return _safe(value.body, safe) and _safe(value.orelse, safe)
    if isinstance(value, ast.Name):
        return value.id in OPTIONS
    return isinstance(value, ast.Constant) and value.value is None


def test_no_bare_string_reaches_a_widget() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in sorted(UI.rglob("*.py"))
        for line, what in unsafe(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


BARE = [
    'Static(f"{title}")',
    "Static(title)",
    "Static(content=title)",
    "Static(title, markup=True)",
    'Static("a" + title)',
    'Static("%s" % title)',
    'Static("{}".format(title))',
    "Static(str(title))",
    "Static(clean(title))",
    "Label(title)",
    'Label(f"{title}")',
    "Button(title)",
    "Button(label=title)",
    "Collapsible(title=title)",
    "Tab(title)",
    "Tabs(one, two)",
    "self.notify(title)",
    'self.notify(f"{title}")',
    'self.notify("a", title=title)',
    "self.app.notify(message=title)",
    "self.border_title = title",
    'self.border_title = f"{title}"',
    "self.border_subtitle = title",
    "self.tooltip = title",
    "self.border_title: str = title",
    "self.border_title += title",
    'setattr(self, "border_title", title)',
    "Vertical(border_title=title)",
    "OptionList(title)",
    "OptionList(Content(title), title)",
    "Option(title)",
    'Option(f"{title}")',
    "options.add_option(title)",
    "options.add_options(titles)",
    "options.set_options(titles)",
    "table.add_row(title)",
    "table.add_row(Content(a), title)",
    "table.add_column(title)",
    "tree.root.add_leaf(title)",
    'Content.from_markup(f"{title}")',
    "Content.from_markup(title)",
    "Text.from_markup(title)",
    "render_markup(title)",
    "widget.update(title)",
    'widget.update(f"{title}")',
    'self.query_one("#a", Static).update(self._title)',
    "widget.update(find(title))",
    "Markdown(title)",
    'def render(self):\n    return f"{self.title}"',
    "Static(Content(a) if a else title)",
    "self.render_str(title)",
]
"""Every way a bare string could take; the lint must see each."""
MADE_SAFE = [
    "Static(Content(title))",
    "Static()",
    "Static(Content(a) if a else None)",
    "self.notify(title, markup=False)",
    "self.border_title = Content(title)",
    "self.border_title = None",
    "OptionList(id='a', markup=False)",
    "Option(Content(title))",
    "Option(_line(a))\ndef _line(a) -> Content: ...",
    "self._handlers.update(part.handlers())",
    "self._asked.update(new)",
    "widget.update(styled(title))",
    "def render(self):\n    return Text(self.title)",
]


@pytest.mark.parametrize("code", BARE)
def test_the_lint_sees_a_bare_string(code: str) -> None:
    assert list(unsafe(ast.parse(code))) != []


@pytest.mark.parametrize("code", MADE_SAFE)
def test_the_lint_lets_what_is_never_parsed_through(code: str) -> None:
    assert list(unsafe(ast.parse(code))) == []


def test_what_the_lint_lets_through_unseen_is_little() -> None:
    """Its own lists hold no name that the screen does not use, and few."""
    text = "".join(path.read_text(encoding="utf-8") for path in UI.rglob("*.py"))
    assert len(MAPPINGS) + len(OPTIONS) <= 3
    assert all(f"{name}.update(" in text for name in MAPPINGS)
    assert all(f"set_options({name})" in text for name in OPTIONS)


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
from reader.ui.placing import Placing
def broken(self):
    raise RuntimeError("no \\x1b[31m colour \\x9b here")
Placing.load = broken
from reader.__main__ import main
sys.argv = ["newsfold", "--sample"]
sys.exit(main())
"""


def test_a_fault_ends_in_one_line_with_the_terminal_restored(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with Terminal([sys.executable, "-c", _BROKEN], env) as terminal:
        assert terminal.wait_end() == 1
        after = bytes(terminal.raw).split(b"\x1b[?1049l")[-1]
        assert b"something went wrong inside newsfold: RuntimeError: no" in after
        assert b"newsfold.log" in after
        assert b"Traceback" not in after
        assert b"\x1b[31m colour" not in after
        assert "\x9b".encode() not in after


_QUIETLY_BROKEN = """
import asyncio, sys, threading
from reader.ui.placing import Placing
load = Placing.load
class Evil:
    def __del__(self):
        raise RuntimeError("unraisable \\x1b]0;pwn\\x07")
def broken(self):
    Placing.load = load
    load(self)
    def thread():
        raise RuntimeError("no \\x1b[31m thread \\x9b here")
    def callback():
        raise RuntimeError("no \\x1b[32m callback here")
    asyncio.get_running_loop().call_later(WAIT, callback)
    threading.Timer(0.1, thread).start()
    Evil()
Placing.load = broken
from reader.__main__ import main
sys.argv = ["newsfold", "--sample"]
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("wait", "shown"), [("60", "no ␛[31m thread � here"), ("1.5", "no ␛[32m callback here")]
)
def test_a_fault_off_the_screen_is_said_in_one_line_and_reading_goes_on(
    tmp_path: Path, wait: str, shown: str
) -> None:
    env = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "NEWSFOLD_STATE_DIR": str(tmp_path / "state")}
    with Terminal([sys.executable, "-c", _QUIETLY_BROKEN.replace("WAIT", wait)], env, (400, 36)) as terminal:
        terminal.wait_for(f"something went wrong inside newsfold: RuntimeError: {shown}")
        terminal.wait_for("newsfold.log")
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert b"Traceback" not in terminal.raw
    harmful = (b"\x1b[31m thread", b"\x1b[32m callback", b"\x1b]0;pwn")
    assert [part for part in harmful if part in terminal.raw] == []
    log = (tmp_path / "state" / "newsfold.log").read_text(encoding="utf-8")
    assert "unraisable ␛]0;pwn␇" in log
    assert "in thread" in log
    assert "\x1b" not in log
