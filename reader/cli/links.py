"""``open`` and ``check``: the commands that reach out of the machine."""

from __future__ import annotations

from argparse import Namespace

from reader import browser, linkstate
from reader.cli.articles import addresses_of, as_json, status
from reader.cli.opening import begin, bring_up_to_date, find_all
from reader.cli.output import Output, document, say
from reader.config import Locations
from reader.errors import LinkError, UsageError
from reader.links import Checker
from reader.model import Outcome
from reader.rereading import reread
from reader.syncing import sync


def open_(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold open``."""
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        rows = find_all(session, args.keys)
        command = session.settings.browser
        articles = [reread(session.sources, row.path) for row in rows]
        if missing := [article for article in articles if not addresses_of(article)]:
            raise UsageError(f"{missing[0].path} has no address to open")
        for article in articles:
            address = addresses_of(article)[0]
            plan = browser.plan(address, command=command)
            if plan.needs_terminal:
                browser.run(plan)
            else:
                browser.open_address(address, command=command)
            out.line(f"opened {browser.shown(address)}")
    return 0


def check(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold check``."""
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        rows = find_all(session, args.keys)
        articles = [reread(session.sources, row.path) for row in rows]
        addresses = list(dict.fromkeys(a for article in articles for a in addresses_of(article)))
        if not addresses:
            raise LinkError(f"{articles[0].path} has no address to ask")
        checker = Checker(
            linkstate.policy(session.settings), known=session.state.checks, keep=session.state.record_checks
        )
        report = checker.check(addresses, force=True)
        sync(session.library, session.state)
        if args.json:
            document(out, "articles", (as_json(session, row) for row in rows), {})
        else:
            answers = {check.address: check for check in report.checks}
            for address in addresses:
                told = status(answers[address]) if address in answers else "put off by its host"
                out.columns([(told, 0), (address, 0)] if not out.tty else [(f"{address}  {told}", 0)])
    refused = [check for check in report.checks if check.outcome is Outcome.REFUSED]
    if args.json and refused:
        say(f"{len(refused):,} of {len(addresses):,} not asked: {refused[0].reason}")
    return LinkError.exit_code if len(refused) == len(addresses) else 0
