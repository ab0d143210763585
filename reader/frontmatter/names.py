"""What a file's name and a bare body say, for want of better."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])[-_. ]*")
_ENDING: Final = re.compile(r"(?<=.)\.(?:md|markdown|mdown|mkd|mdx|txt|html?)$", re.IGNORECASE)
_HEADING: Final = re.compile(r"^ {0,3}#{1,6}[ \t]+(\S[^\n]*)$", re.MULTILINE)
_CLOSING_HASHES: Final = re.compile(r"[ \t]#+$")
_UNDERLINED: Final = re.compile(r"^ {0,3}([^\s#>`~\-=+*][^\n]*)\n {0,3}(?:=+|-{2,})[ \t]*$", re.MULTILINE)
_CODE: Final = re.compile(r"^ {0,3}(`{3}|~{3})[^\n]*\n.*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_SEARCHED: Final = 16_384


def title_of(path: str) -> str:
    """The file's name made readable: no folder, date or ending, dashes as blanks."""
    name = path.rpartition("/")[2]
    words = _ENDING.sub("", name)
    words = _DATE.sub("", words, count=1) if _DATE.match(words) else words
    return words.replace("-", " ").replace("_", " ").strip() or name


def date_of(path: str) -> datetime | None:
    """Midnight UTC of the date that starts the file's name, or None."""
    match = _DATE.match(path.rpartition("/")[2])
    if match is None:
        return None
    try:
        return datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC)
    except ValueError:
        return None


def heading_of(body: str) -> str:
    """The first Markdown heading near the start of *body*, or ""."""
    start = _CODE.sub("", body[:_SEARCHED])
    found = [match for match in (_HEADING.search(start), _UNDERLINED.search(start)) if match]
    if not found:
        return ""
    heading = min(found, key=lambda match: match.start())[1].rstrip(" \t")
    return _CLOSING_HASHES.sub("", heading).strip()
