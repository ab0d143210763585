"""The two databases: a disposable index of the files, and the reader's own marks."""

from __future__ import annotations
