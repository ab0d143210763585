"""What can be said on the command line, and the help."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from reader.cli.output import Output
from reader.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

_ABOUT: Final = """\
Read a folder (or git clone) of Markdown articles with front matter: the
outlets' coverage of one story folded together, in the terminal.

Folders that are opened or refreshed are remembered, one after the other;
without any, the remembered ones are opened. A folder called like a command is
written ./list."""

_KEYS: Final = """\
KEY is an article's address in any spelling, its file, or the end of its path
that no other article has."""

_EXIT: Final = """\
exit codes:
  0    done
  1    what --fail or --fail-on speaks of was found, or newsfold itself failed
  2    what was asked for makes no sense
  3    a folder cannot be read
  4    a database cannot do what it must
  5    no such article, topic, outlet or remembered folder
  6    an address that will not be asked
  7    an address that could not be opened
  130  interrupted by Ctrl-C
  141  nobody read the output to its end"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong as a UsageError, so that every error looks the same."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (try {self.prog} --help)")

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        if file is None:
            Output().raw(self.format_help())
        else:
            file.write(self.format_help())


def _common() -> Parser:
    parser = Parser(prog="newsfold", add_help=False, allow_abbrev=False)
    places = parser.add_argument_group("where things are kept")
    for name, what in (
        ("data", "marks, notes, remembered folders, link checks"),
        ("config", "config.toml"),
        ("cache", "the index, which can be built again"),
        ("state", "the log"),
    ):
        places.add_argument(
            f"--{name}-dir", metavar="DIR", help=f"{what} (or the variable NEWSFOLD_{name.upper()}_DIR)"
        )
    parser.add_argument("--sample", action="store_true", help="use the articles that come with newsfold")
    return parser


def _folders(parser: Parser) -> None:
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="else the remembered folders")


def _fresh(parser: Parser) -> None:
    parser.add_argument(
        "--no-refresh", action="store_true", help="take the index as it is, without a look at the files"
    )


def _json(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--json", action="store_true", help='one document: {"schema": 1, "articles": […]}, in ASCII'
    )


def _refresh(parser: Parser) -> None:
    _folders(parser)


def _list(parser: Parser) -> None:
    _folders(parser)
    parser.add_argument("--topic", metavar="T", help="only this topic")
    parser.add_argument("--outlet", metavar="O", help="only this outlet")
    parser.add_argument("--unread", action="store_true", help="only what is not read")
    parser.add_argument("--starred", action="store_true", help="only what is starred")
    from reader.config import SORTS

    parser.add_argument("--sort", choices=SORTS, help="the order; else the setting, else newest")
    parser.add_argument("--limit", type=_count, metavar="N", help="no more than N")
    _json(parser)
    _fresh(parser)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise argparse.ArgumentTypeError("must be a whole number")
    return int(text)


def _show(parser: Parser) -> None:
    parser.add_argument("keys", nargs=1, metavar="KEY")
    _json(parser)
    _fresh(parser)


def _story(parser: Parser) -> None:
    parser.add_argument("keys", nargs=1, metavar="KEY", help="any piece of the story")
    parser.add_argument("--json", action="store_true", help='one document: {"schema": 1, "stories": […]}')
    _fresh(parser)


def _stories(parser: Parser) -> None:
    _folders(parser)
    parser.add_argument(
        "--since", metavar="7d", help="only with a piece since: 36h, 7d, yesterday, 2024-05-01"
    )
    parser.add_argument(
        "--outlets", type=_count, default=1, metavar="N", help="only what at least N outlets tell"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="no more than N")
    parser.add_argument("--json", action="store_true", help='one document: {"schema": 1, "stories": […]}')
    _fresh(parser)


def _open(parser: Parser) -> None:
    parser.add_argument("keys", nargs="+", metavar="KEY")
    _fresh(parser)


def _mark(parser: Parser) -> None:
    parser.add_argument("keys", nargs="+", metavar="KEY")
    read = parser.add_mutually_exclusive_group()
    read.add_argument("--read", dest="read", action="store_true", default=None)
    read.add_argument("--unread", dest="read", action="store_false", default=None)
    star = parser.add_mutually_exclusive_group()
    star.add_argument("--star", dest="star", action="store_true", default=None)
    star.add_argument("--unstar", dest="star", action="store_false", default=None)
    hide = parser.add_mutually_exclusive_group()
    hide.add_argument("--hide", dest="hide", action="store_true", default=None, help="from every list")
    hide.add_argument("--unhide", dest="hide", action="store_false", default=None)
    _fresh(parser)


def _check(parser: Parser) -> None:
    parser.add_argument("keys", nargs="+", metavar="KEY")
    _json(parser)
    _fresh(parser)


def _links(parser: Parser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="check|report|moved")
    check = what.add_parser("check", allow_abbrev=False, help="ask the addresses of all articles")
    check.add_argument("query", nargs="*", metavar="QUERY", help="only these; else every article")
    check.add_argument("--stale", metavar="7d", help="ask again what was asked before that long")
    check.add_argument("--force", action="store_true", help="ask all again")
    check.add_argument("--all", action="store_true", help="AMP and original addresses as well")
    check.add_argument("--fail-on", metavar="W,…", help="exit with 1 for these outcomes, as gone,error")
    check.add_argument("--suggest", action="store_true", help="say what can be read instead")
    check.add_argument("--probe", action="store_true", help="find pages that pretend, by a made-up neighbour")
    check.add_argument("--allow-private", action="store_true", help="private and loopback addresses too")
    report = what.add_parser("report", allow_abbrev=False, help="how many live, by year and by outlet")
    moved = what.add_parser("moved", allow_abbrev=False, help="what moved for good, and where to")
    for one, more, words in (
        (check, "--csv", "a table"),
        (report, "", ""),
        (moved, "--patch", "a unified diff for git apply; no file is written to"),
    ):
        form = one.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="one document")
        if more:
            form.add_argument(more, action="store_true", help=words)
        _fresh(one)


def _state(parser: Parser) -> None:
    parser.add_argument("what", choices=("backup", "backups", "restore", "export", "import", "verify"))
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="else the rota of backups, or the standard streams"
    )


def _problems(parser: Parser) -> None:
    _folders(parser)
    parser.add_argument(
        "--warnings", action="store_true", help="also fields that are not what they should be"
    )
    parser.add_argument("--fail", action="store_true", help="exit with 1 when there are any")
    parser.add_argument("--json", action="store_true", help='one document: {"schema": 1, "problems": […]}')
    _fresh(parser)


def _forget(parser: Parser) -> None:
    parser.add_argument("forgotten", nargs="+", metavar="FOLDER")


def _search(parser: Parser) -> None:
    from reader.store.query.fields import SORTS as ORDERS

    parser.add_argument(
        "query", nargs="+", metavar="QUERY", help="newsfold help query says what can be asked"
    )
    form = parser.add_mutually_exclusive_group()
    _json(form)
    form.add_argument("--ids", action="store_true", help="only the keys, one a line")
    form.add_argument("--count", action="store_true", help="only how many there are")
    parser.add_argument("--limit", type=_count, metavar="N", help="no more than N")
    parser.add_argument("--sort", choices=ORDERS, help="the order; else the query's, else best match first")
    _fresh(parser)


def _searches(parser: Parser) -> None:
    parser.add_argument("what", nargs="?", choices=("list", "export", "import"), default="list")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the TOML file; else the standard streams")


def _rules(parser: Parser) -> None:
    parser.add_argument(
        "what", nargs="?", choices=("list", "try", "add", "on", "off", "remove"), default="list"
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="try QUERY; add ACTION QUERY; on, off, remove N. ACTION: read, star, hide or 'tag NAME'",
    )


def _help(parser: Parser) -> None:
    parser.add_argument("topic", choices=("query",), help="what can be asked, in / and = and search")
    parser.add_argument("--markdown", action="store_true", help="as a table")


def _nothing(_: Parser) -> None:
    return


COMMANDS: Final[dict[str, tuple[str, Callable[[Parser], None]]]] = {
    "refresh": ("read what is new, changed or gone; print counts and problems", _refresh),
    "list": ("list articles; when piped in full, tab-separated, the key last", _list),
    "search": ("find articles by a query, best match first", _search),
    "show": ("print one article with its coverage", _show),
    "story": ("print the story that an article, or a piece only mentioned, is part of", _story),
    "stories": ("list stories, the latest first", _stories),
    "open": ("open articles in the browser", _open),
    "mark": ("mark articles read, starred, hidden, or not", _mark),
    "check": ("ask whether the articles' addresses still answer, and keep the answers", _check),
    "links": ("the links of the whole archive: check, report, moved", _links),
    "searches": ("list saved searches; export or import them and the rules", _searches),
    "rules": ("what is done with new articles: list, try, add, on, off, remove", _rules),
    "state": ("marks and notes: backup, backups, restore, export, import, verify", _state),
    "problems": ("list files that gave no article, as path:line: reason", _problems),
    "folders": ("list the remembered folders", _nothing),
    "help": ("what can be asked in a query", _help),
    "forget": ("no longer remember these folders; marks on their articles stay", _forget),
}


_QUERIES: Final = ("search", "links", "rules")
"""Commands that are given queries, and of which no option has a single dash but ``-h``."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options and ``command`` (``""``: the screen) of *arguments*.

    Raises:
        UsageError: they make no sense.
        SystemExit: the help was asked for and printed.
    """
    common = _common()
    known, rest = common.parse_known_args(arguments)
    if rest and rest[0] in COMMANDS:
        name = rest.pop(0)
        what, add = COMMANDS[name]
        parser = Parser(
            prog=f"newsfold {name}",
            description=what[0].upper() + what[1:] + ".",
            epilog=f"{_KEYS}\n\n{_EXIT}",
            parents=[common],
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add(parser)
        known.command = name
        if name in _QUERIES:
            rest = [_of_a_query(word) for word in rest]
    else:
        parser = _screen(common)
        known.command = ""
    return parser.parse_args(rest, known)


def _of_a_query(word: str) -> str:
    """*word* so that what a query leaves out, ``-beta``, is no option: none begins with a blank."""
    left_out = word.startswith("-") and word[1:2] not in ("", "-") and word != "-h"
    return f" {word}" if left_out else word


def _screen(common: Parser) -> Parser:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:{width}}  {what}" for name, (what, _) in COMMANDS.items())
    parser = Parser(
        prog="newsfold",
        usage="newsfold [option …] [FOLDER …]\n       newsfold [option …] COMMAND [argument …]",
        description=_ABOUT,
        epilog=f"commands (newsfold COMMAND --help says more):\n{commands}\n\n{_KEYS}\n\n{_EXIT}",
        parents=[common],
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _folders(parser)
    parser.add_argument("--version", action="store_true", help="print the version")
    return parser
