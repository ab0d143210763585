"""``newsfold`` and ``python -m reader``."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    gc.disable()  # until all is imported: there is nothing to collect yet, and looking took a quarter of it
    from reader.cli.run import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
