"""``mark``."""

from __future__ import annotations

from argparse import Namespace

from reader.cli.opening import begin, bring_up_to_date, find_all
from reader.cli.output import Output
from reader.config import Locations
from reader.errors import UsageError
from reader.syncing import sync


def mark(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold mark``."""
    if args.read is None and args.star is None and args.hide is None:
        raise UsageError("mark needs --read, --unread, --star, --unstar, --hide or --unhide")
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        keys = [row.key for row in find_all(session, args.keys)]
        state = session.state
        # Kept first, told after.
        if args.read is not None:
            out.line(state.set_read(keys, args.read).label)
        if args.star is not None:
            out.line(state.set_starred(keys, args.star).label)
        if args.hide is not None:
            out.line(state.set_hidden(keys, args.hide).label)
        sync(session.library, state)
    return 0
