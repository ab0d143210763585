"""newsfold: a terminal news reader over folders of front-matter articles."""

from __future__ import annotations

__version__ = "0.1.0"
