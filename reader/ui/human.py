"""Times and numbers as people read them. Epoch seconds in, short text out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

_STEPS = ((60, "s"), (3600, "m"), (86_400, "h"), (7 * 86_400, "d"), (60 * 86_400, "w"), (730 * 86_400, "mo"))
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "mo": 30.44 * 86_400}
_YEAR = 365.25 * 86_400
_PATH_FIRST = re.compile(r"(/.*?) ((?:cannot be|is|was) .*?)\.?", re.DOTALL)


def age(then: int | None, now: int) -> str:
    """How long ago in at most four cells: ``now``, ``12m``, ``3h``, ``6d``, ``5w``, ``4mo``, ``6y``."""
    if then is None:
        return "–"
    passed = abs(now - then)
    sign = "+" if then - now > 60 else ""
    if passed < 60:
        return "now"
    for limit, unit in _STEPS[1:]:
        if passed < limit:
            return f"{sign}{int(passed / _UNITS[unit])}{unit}"
    return f"{sign}{int(passed / _YEAR)}y"


def ago(then: int, now: int) -> str:
    """The same in words: ``3 hours ago``, ``in 2 days``."""
    passed = abs(now - then)
    for size, word in (
        (_YEAR, "year"),
        (30.44 * 86_400, "month"),
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
    ):
        if passed >= size:
            count = int(passed / size)
            text = f"{count} {word}{'s' if count > 1 else ''}"
            return f"{text} ago" if then <= now else f"in {text}"
    return "just now"


def local(then: int) -> str:
    """The local date and time: ``11 Jun 2020 02:01``."""
    return _local(then).strftime("%-d %b %Y %H:%M")


def _local(then: int) -> datetime:
    try:
        return datetime.fromtimestamp(then, UTC).astimezone()
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(0, UTC)


def offset(seconds: int) -> str:
    """A span after the earliest piece: ``+2h 14m``, ``+3d 1h``, ``earliest`` for none."""
    if seconds <= 0:
        return "earliest"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes = rest // 60
    if days >= 10:
        return f"+{days}d"
    if days:
        return f"+{days}d {hours}h"
    if hours:
        return f"+{hours}h {minutes:02d}m"
    return f"+{minutes}m"


def day_start(now: datetime) -> int:
    """The epoch second at which the local day of *now* began."""
    return int(now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def size(count: int) -> str:
    """Bytes: ``812 bytes``, ``3.4 KB``, ``1.2 MB``."""
    if count < 1000:
        return f"{count} bytes"
    if count < 1_000_000:
        return f"{count / 1000:.1f} KB"
    return f"{count / 1_000_000:.1f} MB"


def number(count: int, whole_below: int = 100_000) -> str:
    """A count in six cells: ``625``, ``12,345``, ``165k``, ``1.2M``; in thousands from *whole_below* on."""
    if count < whole_below:
        return f"{count:,}"
    return f"{count // 1000}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def reason_first(text: str, files: Mapping[str, str]) -> str:
    """*text* that begins with a path, as errors do, with the path last: a line may be cut there.

    *files* says by the folder above it what a file is called in its place.
    """
    match = _PATH_FIRST.fullmatch(text)
    if match is None:
        return text
    path, said = match.groups()
    name = next((word for folder, word in files.items() if path.startswith(folder)), path.rpartition("/")[2])
    return f"{name} {said} ({path})"
