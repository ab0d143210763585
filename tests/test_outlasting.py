"""The thread that writes to the terminal, on a real one that goes away."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest

from reader.ui.outlasting import Writing


def test_nobody_waits_for_a_terminal_that_is_gone() -> None:
    ours, theirs = os.openpty()
    file = os.fdopen(theirs, "w", encoding="utf-8")
    thread = Writing(file)
    thread.start()
    thread.write("seen\n")
    assert os.read(ours, 100) == b"seen\r\n"
    thread.write("\ud800")  # no terminal can be sent that; the next is
    thread.write("seen again\n")
    assert os.read(ours, 100) == b"seen again\r\n"
    os.close(ours)

    def much() -> None:
        for _ in range(200):  # many times what the queue holds
            thread.write("x" * 1_000)
        thread.stop()

    writer = threading.Thread(target=much, daemon=True)
    writer.start()
    writer.join(20)
    assert not writer.is_alive() and not thread.is_alive()
    with pytest.raises(OSError):  # it is gone
        os.write(theirs, b"x")
    with contextlib.suppress(OSError):
        file.close()
