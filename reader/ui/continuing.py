"""The terminal is begun with anew when the program is continued though nobody told it to stop.

Debuggers and whoever holds programs down stop one by SIGSTOP, of which it learns
nothing. Textual takes every SIGCONT for the end of its own suspension: it starts
a second thread that reads keys, which never ends, and keeps the terminal's raw
state as the one to restore.
"""

from __future__ import annotations

import signal
from asyncio import AbstractEventLoop
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


def watch(app: App[Any], loop: AbstractEventLoop) -> None:
    """From now on, for *app* that runs in *loop*; nothing where it has no terminal."""
    driver = app._driver
    if not isinstance(driver, LinuxDriver):
        return

    def begin_anew() -> None:
        if driver._auto_restart and not app._exit:
            driver.suspend_application_mode()
            driver._must_signal_resume = True
            driver.resume_application_mode()
            app.refresh(layout=True)

    def continued(*_: object) -> None:
        if driver._must_signal_resume:  # it was told: Ctrl-Z
            driver._sigcont_application()
        elif loop.is_running():
            loop.call_soon_threadsafe(begin_anew)

    signal.signal(signal.SIGCONT, continued)
