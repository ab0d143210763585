"""Which links still live: the checker, its manners and outcomes, and what to read instead.

Importing this package imports neither httpx nor asyncio; a run does.
"""

from __future__ import annotations

from reader.links.checker import Checker
from reader.links.guard import is_public
from reader.links.policy import LIFETIMES, Policy, Progress, Report, is_stale, with_history

__all__ = ["LIFETIMES", "Checker", "Policy", "Progress", "Report", "is_public", "is_stale", "with_history"]
