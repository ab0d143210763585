"""``search`` and ``help``: the query language on the command line."""

from __future__ import annotations

from argparse import Namespace

from reader.cli.articles import print_rows, write_json
from reader.cli.opening import begin, bring_up_to_date
from reader.cli.output import Output, say, wrap
from reader.config import Locations
from reader.session import utc_now
from reader.store.query.fields import help_rows
from reader.store.query.nodes import Complaint
from reader.store.query.parsing import parse
from reader.store.search import SearchResult


def search(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold search``."""
    query = parse(" ".join(args.query), utc_now())
    for complaint in query.complaints:
        say(_told(complaint))
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        library = session.library
        if args.count:
            out.line(str(library.count(query)))
            return 0
        found = library.search(query, sort=args.sort, limit=args.limit)
        if args.json:
            write_json(session, found.ids, out, _of_search(query.text, found))
            return 0
        if found.ranked_among is not None:
            say(f"ranked among the newest {found.ranked_among:,} matches; the others follow, newest first")
        print_rows(session, found.ids, out, keys_only=args.ids)
    return 0


def _told(complaint: Complaint) -> str:
    return f"column {complaint.column + 1}: {complaint.reason}"


def _of_search(text: str, found: SearchResult) -> dict[str, object]:
    complaints = [{"column": c.column + 1, "length": c.length, "reason": c.reason} for c in found.complaints]
    return {"query": text, "sort": found.sort, "ranked_among": found.ranked_among, "complaints": complaints}


def help_(args: Namespace, locations: Locations, out: Output) -> int:  # noqa: ARG001 - as all commands
    """``newsfold help query``: the language, as columns or with ``--markdown`` as a table."""
    rows = help_rows()
    if args.markdown:
        out.raw("| what is typed | what it finds | for example |\n| --- | --- | --- |\n")
        for row in rows:
            cells = (f"`{row.syntax}`", row.meaning, f"`{row.example}`")
            out.raw(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
        return 0
    indent = 24
    for row in rows:
        room = (out.width or 100) - indent
        first, *others = wrap(f"{row.meaning}  ({row.example})", max(20, room))
        lead = f"{row.syntax:{indent - 1}} " if len(row.syntax) < indent else f"{row.syntax}\n{' ' * indent}"
        out.raw(f"{lead}{first}\n")
        for line in others:
            out.raw(f"{' ' * indent}{line}\n")
    return 0
