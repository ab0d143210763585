"""Asked by lists.py: answers queries over a notmuch database with times in ms. Needs python3-notmuch2."""

from __future__ import annotations

import itertools
import json
import sys
import time

try:
    import notmuch2
except ImportError:
    print("absent", flush=True)
    sys.exit(0)


def main() -> None:
    with notmuch2.Database(sys.argv[1], mode=notmuch2.Database.MODE.READ_ONLY) as database:
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
