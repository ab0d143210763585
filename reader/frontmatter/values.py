"""Scalars: what an unquoted word stands for, and how times are read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from reader.model import JsonValue

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?")
_DIGITS: Final = frozenset("0123456789")
_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{0,30}))?)?"
    r"[ \t]*(?:([Zz])|([+-])([0-9]{1,2})(?::?([0-9]{2}))?)?)?"
)
_WORDS: Final[dict[str, JsonValue]] = {"": None, "~": None, "null": None, "true": True, "false": False}
TRUTHS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def plain(text: str) -> JsonValue:
    """The JSON value of an unquoted scalar.

    Null for nothing, ``~`` and ``null``; true and false so written; a number
    where JSON would write it with the same characters; text for all else. So
    ``no``, ``12:30``, ``3.10``, ``010`` and ``1_000`` stay what they are.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[-1] in _DIGITS and (text[0] in _DIGITS or text[0] == "-"):
        if _INTEGER.fullmatch(text):
            return int(text) if text != "-0" else text
        if _FLOAT.fullmatch(text) and repr(number := float(text)) == text:
            return number
    return text


def written(value: JsonValue) -> str | None:
    """The text of a scalar as the publisher wrote it: "" for null, None for a list or map."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return None


def integer(value: JsonValue) -> int | None:
    """A decimal number, quoted or not, of at most 18 digits; else None."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def moment(text: str) -> datetime | None:
    """A time in UTC, or None when *text* is none or out of range.

    Date and time parted by ``T`` or blanks, seconds and fraction optional, ``Z``
    or an offset; without an offset it is UTC; a date alone is its midnight.
    """
    if len(text) == 20 and text[4::3] == "--T::Z" and text[11:13] != "24":
        # The usual form; the library's own reader knows only this one of that shape.
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    match = _TIME.fullmatch(text.strip(" \t"))
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, _zulu, sign, off_hours, off_minutes = match.groups()
    try:
        zone = UTC
        if sign:
            offset = timedelta(hours=int(off_hours), minutes=int(off_minutes or 0))
            zone = timezone(-offset if sign == "-" else offset)
        when = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")),
            tzinfo=zone,
        )
        return when.astimezone(UTC) if sign else when
    except (ValueError, OverflowError):
        return None
