"""Writing to the terminal goes on, to nobody, when the terminal is gone.

Textual's thread that writes dies of the first error, and its queue holds
thirty pieces: whoever puts in one more, or the word that it is to end, waits
for ever. So a connection that was lost while much was drawn could leave a
program that never ended, the index and the marks open.
"""

from __future__ import annotations

import contextlib

from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread


class Writing(WriterThread):
    """Textual's thread, which ends when it is told to and never before."""

    def run(self) -> None:
        """Write what is put in until None is; once the terminal has failed, only take it out."""
        failed = False
        while (text := self._queue.get()) is not None:
            if failed:
                continue
            try:
                self._file.write(text)
                if not self._queue.qsize():
                    self._file.flush()
            except UnicodeEncodeError:
                continue  # a piece that no terminal can be sent
            except (OSError, ValueError):
                failed = True
        with contextlib.suppress(OSError, ValueError):
            self._file.flush()


def guard() -> None:
    """Have the terminal written to so from now on."""
    linux_driver.WriterThread = Writing  # type: ignore[attr-defined]
