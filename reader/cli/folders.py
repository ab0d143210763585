"""``refresh``, ``problems``, and the remembered folders."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from reader.cli.opening import begin, bring_up_to_date
from reader.cli.output import Output, document, say
from reader.config import Locations
from reader.errors import NotFound, SourceError
from reader.progress import Report
from reader.session import Session
from reader.sources import from_text, real_folder
from reader.store.rows import ProblemRow
from reader.store.state import State


def refresh(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold refresh``: who names folders here has scripts to come that will not."""
    with begin(args, locations, remember=True) as session:
        report = bring_up_to_date(session, args)
        out.line(_summary(report))
        problems = session.library.problems()
        for problem in problems:
            if not problem.warning:
                out.line(_told(session, problem))
        if warnings := sum(problem.warning for problem in problems):
            out.line(f"{_count(warnings, 'warning')} about fields: newsfold problems --warnings lists them")
    return SourceError.exit_code if report.unreadable else 0


def _summary(report: Report) -> str:
    counts = {
        "new": report.added,
        "changed": report.changed,
        "moved": report.moved,
        "gone": report.removed,
        "unreadable": report.problems,
    }
    parts = [f"{count:,} {word}" for word, count in counts.items() if count]
    return f"{_count(report.files, 'file')}: {', '.join(parts) or 'nothing new'}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def problems(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold problems``."""
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        found = [p for p in session.library.problems() if args.warnings or not p.warning]
        if args.json:
            items = (
                {
                    "path": p.path,
                    "file": os.fsencode(_file(session, p.path)).decode("utf-8", "backslashreplace"),
                    "line": p.line,
                    "field": p.field,
                    "reason": p.reason,
                    "warning": p.warning,
                }
                for p in found
            )
            document(out, "problems", items, {})
        else:
            for problem in found:
                out.line(_told(session, problem))
    return 1 if args.fail and found else 0


def _told(session: Session, problem: ProblemRow) -> str:
    """``path:line: field: reason``, as compilers do, so that editors can jump there."""
    path = _file(session, problem.path)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    line = f":{problem.line}" if problem.line else ""
    field = f"{problem.field}: " if problem.field else ""
    return f"{shown}{line}: {field}{problem.reason}"


def _file(session: Session, path: str) -> Path:
    """Where the file lies that the library knows as *path*."""
    name, _, inner = path.partition("/")
    roots = {source.name: source.root for source in session.sources}
    return roots[name] / from_text(inner) if name in roots else Path(path)


def remembered(args: Namespace, locations: Locations, out: Output) -> int:  # noqa: ARG001 - as all commands
    """``newsfold folders``."""
    state = State.open(locations.state_db)
    try:
        for path in state.sources():
            out.line(str(path))
    finally:
        state.close()
    return 0


def forget(args: Namespace, locations: Locations, out: Output) -> int:  # noqa: ARG001 - as all commands
    """``newsfold forget``."""
    state = State.open(locations.state_db)
    try:
        known = state.sources()
        wanted = [_known(Path(folder), known) for folder in args.forgotten]
        for path in wanted:
            state.remove_source(path)
            say(f"forgot {path}")
    finally:
        state.close()
    return 0


def _known(folder: Path, known: list[Path]) -> Path:
    """The remembered folder that *folder* means, there or not."""
    try:
        real = real_folder(folder)
    except SourceError:
        real = Path.cwd() / folder
    for path in (real, folder):
        if path in known:
            return path
    raise NotFound(f"{folder} is none of the remembered folders")
