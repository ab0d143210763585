"""Asked by lists.py: answers queries over a notmuch database with times in ms. Needs python3-notmuch2."""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable

import notmuch2


def main() -> None:
    kind = notmuch2.Database
    # Without a word it looks for a configuration in the home folder, and gives up where there is none.
    with kind(sys.argv[1], mode=kind.MODE.READ_ONLY, config=kind.CONFIG.EMPTY) as database:
        print("ready", flush=True)
        for line in sys.stdin:
            query = line.rstrip("\n")

            def newest(header: bool, query: str = query) -> None:
                found = database.messages(query, sort=notmuch2.Database.SORT.NEWEST_FIRST)
                for message in itertools.islice(found, 50):
                    if header:
                        message.header("subject")

            count = database.count_messages
            answer = {"first": once(newest, True), "first_count": once(count, query)}
            answer |= {"newest": warm(newest, True), "count": warm(count, query), "ids": warm(newest, False)}
            print(json.dumps(answer | {"n": count(query)}), flush=True)


def once(work: Callable[..., object], *arguments: object) -> float:
    """Milliseconds that *work* takes."""
    begun = time.perf_counter()
    work(*arguments)
    return (time.perf_counter() - begun) * 1_000


def warm(work: Callable[..., object], *arguments: object) -> float:
    """The middle of three times."""
    return statistics.median(once(work, *arguments) for _ in range(3))


if __name__ == "__main__":
    main()
