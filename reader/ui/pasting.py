"""What a terminal sends between the marks of a paste is text, whatever is in it.

Most terminals take ESC out of what is pasted; tmux and some others do not, and
Textual takes what follows an ESC for keys, in a paste, too. A stranger's text
that holds the closing mark itself ends the paste: only the terminal can tell that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

_ESC: Final = "\x1b"
_BEGIN: Final = "\x1b[200~"
_END: Final = "\x1b[201~"
_SEEN: Final = "\u241b"  # the picture of ESC


class PasteParser(XTermParser):
    """Textual's, with each ESC of a paste made visible."""

    def __init__(self, debug: bool = False) -> None:
        self._pasting = False
        self._tail = ""  # of what went through: the opening mark may come in two pieces
        self._held = ""  # of a paste: what may be the first piece of the closing mark
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """Take *data* as it comes from the terminal, ``""`` at the end."""
        text = self._as_text(data) if data else ""
        if text or not data:
            yield from super().feed(text)

    def _as_text(self, data: str) -> str:
        text, self._held = self._held + data, ""
        done: list[str] = []
        while text:
            if self._pasting:
                body, end, text = text.partition(_END)
                if not end:
                    kept = next((n for n in range(len(_END) - 1, 0, -1) if body.endswith(_END[:n])), 0)
                    body, self._held = body[: len(body) - kept], body[len(body) - kept :]
                done.append(body.replace(_ESC, _SEEN) + end)
                self._pasting = not end
                continue
            seen = self._tail + text
            at = seen.find(_BEGIN)
            if at < 0:
                done.append(text)
                self._tail = seen[1 - len(_BEGIN) :]
                break
            cut = at + len(_BEGIN) - len(self._tail)
            done.append(text[:cut])
            text, self._tail, self._pasting = text[cut:], "", True
        return "".join(done)


def guard() -> None:
    """Have the terminal read so from now on."""
    linux_driver.XTermParser = PasteParser  # type: ignore[attr-defined]
