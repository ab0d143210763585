"""Keeps the README's tables equal to the program's own: keys, settings, outcomes.

.venv/bin/python tests/readme.py
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from reader.config import describe  # noqa: E402
from reader.model import OUTCOMES  # noqa: E402
from reader.store.query.fields import help_rows  # noqa: E402
from reader.ui.commands import COMMANDS, GROUPS, shown  # noqa: E402


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """*text* as inline code, whatever it holds."""
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def sections() -> dict[str, str]:
    """The text between each pair of markers."""
    keys = [
        table(
            [group, ""],
            [[" ".join(code(shown(k)) for k in c.keys), c.help] for c in COMMANDS if c.group == group],
        )
        for group in GROUPS
    ]
    outcomes = [[info.glyph, info.word, info.meaning] for info in OUTCOMES.values()]
    query = [[code(row.syntax), row.meaning, code(row.example)] for row in help_rows()]
    return {
        "query": table(["typed", "finds", "for example"], query),
        "keys": "\n\n".join(keys),
        "settings": describe().strip(),
        "outcomes": table(["", "word", "meaning"], outcomes),
    }


def renewed(readme: str) -> str:
    """*readme* with every section made anew."""
    for name, text in sections().items():
        readme = re.sub(
            rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)",
            lambda m, text=text: m[1] + text + m[2],
            readme,
            flags=re.DOTALL,
        )
    return readme


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
