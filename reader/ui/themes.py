"""newsfold's own colours: a dark one and a light one, beside all of Textual's."""

from __future__ import annotations

from textual.theme import Theme

NEWSFOLD = Theme(
    name="newsfold",
    dark=True,
    primary="#6f9fd8",
    secondary="#b9a27a",
    accent="#e0a458",
    foreground="#d9d5cb",
    background="#16181d",
    surface="#1e2128",
    panel="#2a2e37",
    success="#87b38d",
    warning="#e8c268",
    error="#e07a6f",
)
NEWSFOLD_LIGHT = Theme(
    name="newsfold-light",
    dark=False,
    primary="#2f5d94",
    secondary="#7a6233",
    accent="#9a5b13",
    foreground="#26241f",
    background="#faf7f0",
    surface="#f1ecdf",
    panel="#e4ddcb",
    success="#3c6e44",
    warning="#8a6a00",
    error="#a83a2e",
)
