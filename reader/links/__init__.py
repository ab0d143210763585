"""Which links still live: the checker, its manners and outcomes, and what to read instead.

Importing this package imports neither httpx nor asyncio; a run does.
"""

from __future__ import annotations

import sys

from reader.links.archive import Archived, archived
from reader.links.checker import Checker
from reader.links.guard import is_public
from reader.links.health import LinkRow, Share, by_outlet, by_year, overall
from reader.links.ladder import ARCHIVE, Rung, RungKind, archive_address, ladder
from reader.links.patch import moved_patch
from reader.links.policy import LIFETIMES, Policy, Progress, Report, is_stale, with_history

# httpx takes its own command line along wherever click is installed: 40 ms of processor time and
# 5 MB for nothing.
# A name that stands for None cannot be imported, and httpx then goes without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

__all__ = [
    "ARCHIVE",
    "LIFETIMES",
    "Archived",
    "Checker",
    "LinkRow",
    "Policy",
    "Progress",
    "Report",
    "Rung",
    "RungKind",
    "Share",
    "archive_address",
    "archived",
    "by_outlet",
    "by_year",
    "is_public",
    "is_stale",
    "ladder",
    "moved_patch",
    "overall",
    "with_history",
]
