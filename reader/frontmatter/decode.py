"""Bytes to text, whatever the encoding; nothing here raises on any input."""

from __future__ import annotations

import codecs
import re
from typing import Final

from reader.model import FieldWarning

from .tree import Fault

_MAX_REPAIRS: Final = 4096
_MAX_REPAIRED: Final = 1024 * 1024
_MAX_REPLACED: Final = 200_000
_STEP: Final = 1024 * 1024
_MAX_BROKEN_WIDE: Final = 65_536
# UTF-32 first: its little-endian mark starts with that of UTF-16.
_WIDE: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BAD: Final = re.compile("[\udc80-\udcff]+")
_AS_WINDOWS: Final = "not all of it is UTF-8: the rest was read as Windows-1252"
# Windows-1252, its five holes filled from Latin-1: every byte means something.
_HOLES: Final = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_WINDOWS: Final = "".join(
    bytes([code]).decode("latin-1" if code in _HOLES else "cp1252") for code in range(256)
)


def decode(data: bytes) -> tuple[str, tuple[FieldWarning, ...]] | Fault:
    """The text with ``\\n`` line ends and no byte order mark, and what was odd about it.

    UTF-8, or UTF-16/32 by its mark. Bytes that are not UTF-8 are read as
    Windows-1252, each for itself, or the whole file when there are thousands;
    in a file beyond a MiB, where that takes too long, they become U+FFFD,
    unless there are very many.
    """
    for mark, encoding in _WIDE:
        if data.startswith(mark):
            return _wide(data[len(mark) :], encoding)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return _newlines(data.decode()), ()
    except UnicodeDecodeError as error:
        return _repaired(data, error.start)


def _wide(data: bytes, encoding: str) -> tuple[str, tuple[FieldWarning, ...]] | Fault:
    name = encoding[:6].upper()
    try:
        return _newlines(data.decode(encoding)), ()
    except UnicodeDecodeError:
        # Mending costs time for each error, so only a small file is mended.
        if len(data) > _MAX_BROKEN_WIDE:
            return Fault(0, f"the file starts like {name} but is not")
    text = _newlines(data.decode(encoding, "replace"))
    line = text.count("\n", 0, max(text.find("\ufffd"), 0)) + 1
    return text, (FieldWarning(line, "", f"not all of it is {name}: what is not became \ufffd"),)


def _repaired(data: bytes, first: int) -> tuple[str, tuple[FieldWarning, ...]]:
    line = _newlines(data[:first].decode()).count("\n") + 1
    if len(data) > _MAX_REPAIRED:
        text = _replaced(data)
        if text is not None:
            reason = "not all of it is UTF-8: what is not became \ufffd"
            return _newlines(text), (FieldWarning(line, "", reason),)
        text = _from_windows(data)
        return _newlines(text), (FieldWarning(line, "", _AS_WINDOWS),)
    text = _BAD.sub(_as_windows, data.decode("utf-8", "surrogateescape"), count=_MAX_REPAIRS)
    if _BAD.search(text):
        text = _from_windows(data)
    return _newlines(text), (FieldWarning(line, "", _AS_WINDOWS),)


def _replaced(data: bytes) -> str | None:
    """What is not UTF-8 as U+FFFD; None where that is so much that it would take long."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    parts: list[str] = []
    wrong = 0
    for at in range(0, len(data), _STEP):
        parts.append(decoder.decode(data[at : at + _STEP], at + _STEP >= len(data)))
        wrong += parts[-1].count("\ufffd")
        if wrong > _MAX_REPLACED:
            return None
    return "".join(parts)


def _as_windows(match: re.Match[str]) -> str:
    return _from_windows(match[0].encode("utf-8", "surrogateescape"))


def _from_windows(data: bytes) -> str:
    return codecs.charmap_decode(data, "strict", _WINDOWS)[0]


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
