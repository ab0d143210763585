"""``searches`` and ``rules``: what is kept of the query language."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from reader import rules as rules_of
from reader.cli.opening import begin
from reader.cli.output import Output
from reader.config import Locations
from reader.errors import NotFound, UsageError
from reader.session import utc_now
from reader.store.state import SavedRule, State


def searches(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold searches``: list, export, import."""
    with closing(State.open(locations.state_db)) as state:
        if args.what == "list":
            for saved in state.searches():
                out.columns([(saved.name, 24), (saved.query, 0)])
        elif args.what == "export":
            _write(rules_of.export(state), args.file, out)
        else:
            for change in rules_of.import_(state, _read(args.file), utc_now()):
                out.line(change.label)
    return 0


def _write(text: str, file: str | None, out: Output) -> None:
    if file in (None, "-"):
        out.raw(text)
        return
    try:
        Path(str(file)).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error


def _read(file: str | None) -> str:
    try:
        data = sys.stdin.buffer.read() if file in (None, "-") else Path(str(file)).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file or 'the input'} is not UTF-8") from error


def rules(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold rules``: list, try, add, on, off, remove."""
    does: dict[str, Callable[[Namespace, Locations, Output], None]] = {
        "list": _list_rules,
        "try": _try_rule,
        "add": _add_rule,
        "on": _change_rule,
        "off": _change_rule,
        "remove": _change_rule,
    }
    does[args.what](args, locations, out)
    return 0


def _list_rules(_: Namespace, locations: Locations, out: Output) -> None:
    with closing(State.open(locations.state_db)) as state:
        for number, rule in enumerate(state.rules(), 1):
            reason = rules_of.fault(rule.query, utc_now())
            status = "on" if rule.enabled else "off"
            status = f"not run: {reason}" if rule.enabled and reason else status
            columns = [(str(number), 3), (status, 4), (rule.action, 12), (rule.name, 24), (rule.query, 0)]
            out.columns(columns)


def _try_rule(args: Namespace, locations: Locations, out: Output) -> None:
    query = _words(args.words, "rules try QUERY")
    with begin(args, locations) as session:
        out.line(str(rules_of.try_rule(session.library, query, utc_now())))


def _add_rule(args: Namespace, locations: Locations, out: Output) -> None:
    usage = "rules add ACTION QUERY, as in: rules add hide outlet=Example; rules add 'tag later' topic:diablo"
    if len(args.words) < 2:
        raise UsageError(usage)
    action, *words = args.words
    with closing(State.open(locations.state_db)) as state:
        out.line(rules_of.add(state, "", _words(words, usage), action, utc_now()).label)


def _change_rule(args: Namespace, locations: Locations, out: Output) -> None:
    with closing(State.open(locations.state_db)) as state:
        for rule in _numbered(state.rules(), args.words, args.what):
            if args.what == "remove":
                out.line(state.remove_rule(rule.id).label)
            else:
                state.change_rule(rule.id, enabled=args.what == "on")
                out.line(f"{rule.name} is {args.what}")


def _numbered(known: Sequence[SavedRule], words: Sequence[str], what: str) -> list[SavedRule]:
    if not words:
        raise UsageError(f"rules {what} N: the numbers of rules, as newsfold rules lists them")
    found = []
    for word in words:
        number = int(word) if word.isascii() and word.isdigit() and len(word) < 9 else 0
        if not 1 <= number <= len(known):
            raise NotFound(f"there is no rule {word}")
        found.append(known[number - 1])
    return found


def _words(words: Sequence[str], usage: str) -> str:
    if not words:
        raise UsageError(usage)
    return " ".join(words)
