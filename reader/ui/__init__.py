"""The screen."""

from __future__ import annotations

from reader import tls

tls.leave_out()
