"""Asked by lists.py: answers queries over a notmuch database with times in ms. Needs python3-notmuch2."""

from __future__ import annotations

import itertools
import json
import sys
import time

import notmuch2


def main() -> None:
    kind = notmuch2.Database
    # Without a word it looks for a configuration in the home folder, and gives up where there is none.
    with kind(sys.argv[1], mode=kind.MODE.READ_ONLY, config=kind.CONFIG.EMPTY) as database:
        print("ready", flush=True)
        for line in sys.stdin:
            query = line.rstrip("\n")
            begun = time.perf_counter()
            found = database.messages(query, sort=notmuch2.Database.SORT.NEWEST_FIRST)
            for message in itertools.islice(found, 50):
                message.header("subject")
            newest = time.perf_counter()
            count = database.count_messages(query)
            done = time.perf_counter()
            print(
                json.dumps({"newest": (newest - begun) * 1e3, "count": (done - newest) * 1e3, "n": count}),
                flush=True,
            )


if __name__ == "__main__":
    main()
