"""What a program sends to a terminal, as a set of control sequences.

Colours and places differ from frame to frame: their numbers are left out.
Everything else stays, so that a sequence nobody meant to send is seen.
Characters that a terminal or a font acts on without showing them (bidi
controls, zero-width ones, tags) are kinds of their own.
"""

# ruff: noqa: E501
from __future__ import annotations

import re
from collections.abc import Iterator

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f"
_TOKEN = re.compile(
    "(?:\x1b\\[|\x9b)(?P<csi>[0-?]*[ -/]*[@-~]?)"
    "|(?:\x1b\\]|\x9d)(?P<osc>[^\x07\x1b\x9c]*)(?:\x07|\x1b\\\\|\x9c)?"
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])(?P<string>[^\x1b\x9c]*)(?:\x1b\\\\|\x9c)?"
    "|\x1b(?P<esc>[ -/]*[0-~]?)"
    f"|(?P<single>[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029{_BIDI}{_UNSEEN}])"
)
_PLACES = "Hfd`G"  # to a row, a column, or both
_TO_A_LINE = re.compile("\x1b\\[[0-9;]*[Hfd]")


def sequences(raw: bytes) -> set[str]:
    """Every kind of control sequence in *raw*; bytes that are no UTF-8 are kinds too."""
    return kinds(tokens(raw.decode("utf-8", "surrogateescape")))


def tokens(text: str) -> set[str]:
    """Every control sequence in *text*, as it is; the cheap half of :func:`sequences`."""
    return {match[0] for match in _TOKEN.finditer(text)}


def kinds(found: set[str]) -> set[str]:
    """The kinds of the sequences *found*."""
    return {kind for token in found for kind in _all(token)}


def words(text: str) -> str:
    """*text* without its control sequences, a line for each place that was gone to."""
    return _TOKEN.sub("", _TO_A_LINE.sub("\n", text).replace("\r\n", "\n").replace("\n", "\ue000")).replace(
        "\ue000", "\n"
    )


def _all(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        body = match[kind]
        lead = ascii(match[0][: len(match[0]) - len(body)][:2])[1:-1] if kind != "single" else ""
        if kind == "csi" and body.endswith("m") and match[0][0] == "\x1b":
            yield from (f"SGR {number}" for number in _attributes(body[:-1]))
        elif kind == "csi" and body[-1:] and body[-1] in _PLACES and match[0][0] == "\x1b":
            yield f"CSI {re.sub('[0-9]+', 'n', body)}"
        elif kind == "osc":
            yield f"OSC {lead} {body.split(';')[0]}{' pwn' if 'pwn' in body else ''}"
        else:
            yield f"{kind} {lead} {body!a}"


def _attributes(numbers: str) -> Iterator[str]:
    """The attributes of one SGR; of colours by number the kind alone."""
    parts = numbers.split(";")
    while parts:
        part = parts.pop(0)
        if part in ("38", "48", "58") and parts:
            kind = parts.pop(0)
            del parts[: 3 if kind == "2" else 1]
            part = f"{part};{kind}"
        yield part
