"""Years, months, days, instants and spans of time as typed. Local days; UTC comes out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

ZERO: Final = timedelta(0)
_EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_SPAN: Final = re.compile(r"([0-9]{1,7})(mo|min|m|h|d|w|y)", re.IGNORECASE)
_SECONDS: Final = {
    "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 30 * 86_400, "y": 365 * 86_400,
}  # fmt: skip
_LONGEST: Final = 10**12  # seconds, longer than time itself here
_DATE: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2})"
    r"(?:[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)


def span(text: str) -> timedelta | None:
    """``36h`` and the like; months have 30 days, years 365. None when it is no span."""
    found = _SPAN.fullmatch(text)
    if not found:
        return None
    return timedelta(seconds=min(int(found[1]) * _SECONDS[found[2].lower()], _LONGEST))


def ago(length: timedelta, now: datetime) -> datetime:
    """That long before *now* in UTC, or the earliest there is."""
    now = _utc(now)
    return now - length if now - _EARLIEST > length else _EARLIEST


def period(text: str, now: datetime, zone: tzinfo | None) -> tuple[datetime, datetime] | None:
    """What *text* names as ``[start, end)`` in UTC; start and end are one for an instant.

    *zone* gives the local days; None is the machine's own. None comes back
    when *text* is no time.
    """
    word = text.lower()
    if word == "now":
        return _utc(now), _utc(now)
    if word in ("today", "yesterday"):
        local = _utc(now).astimezone(zone)
        day = datetime(local.year, local.month, local.day)  # noqa: DTZ001 - made aware below
        start = day - timedelta(days=word == "yesterday") if day.toordinal() > 1 else day
        return _aware(start, zone), _aware(_later(start, timedelta(days=1)), zone)
    if (length := span(text)) is not None:
        instant = ago(length, now)
        return instant, instant
    found = _DATE.fullmatch(text)
    return _dated(found, zone) if found else None


def _dated(found: re.Match[str], zone: tzinfo | None) -> tuple[datetime, datetime] | None:
    year, month, day, hour, minute, second, offset = found.groups()
    try:
        start = datetime(  # noqa: DTZ001 - made aware below
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0)
        )
        if offset:
            zone = datetime.fromisoformat(f"2000-01-01T00:00{offset.upper()}").tzinfo
    except ValueError:
        return None
    if second:
        return _aware(start, zone), _aware(start, zone)
    if hour:
        end = _later(start, timedelta(minutes=1))
    elif day:
        end = _later(start, timedelta(days=1))
    elif month:
        end = start.replace(year=min(start.year + start.month // 12, 9999), month=start.month % 12 + 1)
    else:
        end = start.replace(year=min(start.year + 1, 9999))
    if end <= start:  # the end of time
        end = _LATEST.replace(tzinfo=None)
    return _aware(start, zone), _aware(end, zone)


def _later(start: datetime, length: timedelta) -> datetime:
    limit = _LATEST.replace(tzinfo=None)
    return start + length if limit - start > length else limit


def _aware(local: datetime, zone: tzinfo | None) -> datetime:
    try:
        placed = local.replace(tzinfo=zone) if zone else local
        return placed.astimezone(UTC)
    except (
        OverflowError,
        ValueError,
        OSError,
    ):  # the first and last day of all, or beyond the system's rules
        return local.replace(tzinfo=UTC)


def _utc(now: datetime) -> datetime:
    """*now* in UTC, whole seconds, and two days from the ends of time so that any zone has it."""
    now = _aware(now, now.tzinfo or UTC).replace(microsecond=0)
    margin = timedelta(days=2)
    return min(max(now, _EARLIEST + margin), _LATEST - margin)
