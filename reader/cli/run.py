"""From the words of the command line to an exit code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

from reader import __version__, crash
from reader.cli.output import Output, abandon_output, prepare_streams, say
from reader.errors import NewsfoldError, UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from types import TracebackType

    from reader.config import Locations

Command = Callable[["Namespace", "Locations", Output], int]

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


def run(arguments: Sequence[str]) -> int:
    """Do what *arguments* say; returns the exit code. See ``newsfold --help`` for their list."""
    prepare_streams()
    out = Output()
    try:
        try:
            return _dispatch(arguments, out)
        finally:
            out.flush()
    except BrokenPipeError:
        abandon_output()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except NewsfoldError as error:
        say(str(error))
        return error.exit_code


def _dispatch(arguments: Sequence[str], out: Output) -> int:
    try:
        args = plain(arguments) or _parsed(arguments)
    except SystemExit:  # the help has been printed
        return 0
    if not args.command and args.version:
        out.line(f"newsfold {__version__}")
        return 0
    from reader.config import locate

    locations = locate({name: getattr(args, f"{name}_dir") for name in ("data", "config", "cache", "state")})
    sys.excepthook = _hook(locations)
    with crash.watched(locations.log_file, say):
        command = _command(args.command)
        if command is not screen:  # which has more to import
            gc.freeze()  # what was imported stays: looking through it took a twentieth of a list
            gc.enable()
        return command(args, locations, out)


_WHERE: Final = {
    "refresh": ("folders", "refresh"),
    "folders": ("folders", "remembered"),
    "forget": ("folders", "forget"),
    "problems": ("folders", "problems"),
    "list": ("articles", "list_"),
    "search": ("search", "search"),
    "searches": ("rules", "searches"),
    "rules": ("rules", "rules"),
    "help": ("search", "help_"),
    "show": ("articles", "show"),
    "story": ("stories", "story"),
    "stories": ("stories", "stories"),
    "mark": ("marks", "mark"),
    "open": ("links", "open_"),
    "check": ("links", "check"),
    "links": ("health", "links"),
    "state": ("state", "state"),
}
"""Where each command is done; only that module is loaded, for a short start."""


def plain(arguments: Sequence[str]) -> Namespace | None:
    """What :func:`.parser.parse` makes of folders alone, of nothing, of ``--version``; None of all else.

    Most starts of the screen say no more, and need no parser.
    """
    version = list(arguments) == ["--version"]
    options = any(argument.startswith("-") for argument in arguments)
    if (options and not version) or (arguments and arguments[0] in _WHERE):
        return None
    said = SimpleNamespace(
        **dict.fromkeys(("data_dir", "config_dir", "cache_dir", "state_dir")),
        sample=False,
        folders=[] if version else list(arguments),
        version=version,
        command="",
    )
    return cast("Namespace", said)


def _parsed(arguments: Sequence[str]) -> Namespace:
    from reader.cli.parser import parse

    return parse(arguments)


def _command(name: str) -> Command:
    if not name:
        return screen
    module, function = _WHERE[name]
    command: Command = getattr(import_module(f"reader.cli.{module}"), function)
    return command


def screen(args: Namespace, locations: Locations, _: Output) -> int:
    """The reader itself."""
    from pathlib import Path

    from reader.session import open_session

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("the reader needs a terminal; newsfold list does without one")
    folders = [Path(folder) for folder in args.folders]
    from reader.frame import Ahead

    with open_session(locations, folders, sample=args.sample, remember=True) as session:
        session.begin()
        with Ahead(session):
            session.library.rest()  # the screen asks on other threads: half a megabyte of pages
            from reader.ui.app import OPEN_SAMPLE
            from reader.ui.app import run as run_screen

            code = run_screen(session)
    if code == OPEN_SAMPLE:  # the first-run screen was asked for it
        with open_session(locations, sample=True) as session:
            code = run_screen(session)
    return code


def _hook(
    locations: Locations,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """What the interpreter does with an error nobody foresaw: one line, and the details in the log."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        del kind, trace
        say(crash.report(error, locations.log_file))

    return hook
