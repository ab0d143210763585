"""Which links still live: the checker and its manners.

What to read instead, patches and shares are in modules of their own (``ladder``, ``archive``,
``patch``, ``health``). Importing this package imports neither httpx nor asyncio; a run does.
"""

from __future__ import annotations

import sys

from reader.links.checker import Checker
from reader.links.policy import Policy, Progress, Report

# httpx takes its own command line along wherever click is installed: 40 ms of processor time and
# 5 MB for nothing.
# A name that stands for None cannot be imported, and httpx then goes without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

__all__ = ["Checker", "Policy", "Progress", "Report"]
