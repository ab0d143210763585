"""The run over the files in a process of its own, beside the screen. Both ends of the pipe.

Reading, writing the index and folding stories hold the interpreter for
seconds: in the screen's process every key would wait for it, a thread or not.
The process is told in one line of JSON what to run over, and says in such lines
how far it is, and what came of it: a report or an error. A line to it stops it,
and so does the end of its input: it is never left alone. Whatever end it comes
to, the index holds whole articles.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reader import child, errors
from reader.errors import NewsfoldError, StoreDamaged
from reader.progress import Progress, Report
from reader.sources import Source
from reader.store.state import Change
from reader.store.state_core import Told
from reader.store.state_table import Row, Value

if TYPE_CHECKING:
    from typing import IO

    from reader.ingest import Ingest
    from reader.store.library import Library
    from reader.store.state import State

_GRACE: Final = 0.6
"""Seconds that a run has to come to an end of its own when the reader leaves."""
_ALONE: Final = 10.0
"""Seconds after which a run that nobody waits for any more is over, whatever it does."""
_EDITS: Final = 500
"""Edits of a rule's change in one line."""
_NICE: Final = 10
"""Keys come first."""


class Refresher:
    """One run of :class:`reader.ingest.Ingest`; it may be stopped from any thread."""

    def __init__(
        self,
        library: Library,
        state: State,
        found: Sequence[Source],
        log: Path,
    ) -> None:
        self._library = library
        self._state = state
        self._sources = found
        self._log = log
        self.progress: Callable[[Progress], None] = lambda _: None
        """Told from the thread of :meth:`run` how far it is."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._here: Ingest | None = None
        self._stopped = False
        self.notice = ""
        """One sentence when the run found the reader's marks damaged, and put them right."""

    @property
    def pid(self) -> int | None:
        """The process that does it, None before and after, and where none can be started."""
        return self._process.pid if self._process is not None else None

    def begin(self) -> None:
        """Begin already, though nobody listens yet. What cannot be begun now is not before :meth:`run`."""
        with contextlib.suppress(OSError), self._lock:
            self._process = self._process or child.start("reader.refresher")
            self._send(self._question())

    def run(self) -> Report:
        """Bring the library up to date; where no process can be started, in this one.

        Marks found damaged or replaced are put right first: here, where they are open.

        Raises:
            StoreError: the library cannot be written, or the marks cannot be put right.
            NewsfoldError: the run was ended from outside.
        """
        self.notice = self._state.mend()
        try:
            return self._run()
        except StoreDamaged:
            self.notice = self._state.mend()
            if not self.notice:
                raise
            return self._run()

    def _run(self) -> Report:
        if self._process is None:
            self.begin()
        process = self._process
        if process is None:
            return self._run_here()
        if self._stopped:
            self.stop()
        try:
            return self._listen(_end(process.stdout))
        finally:
            with self._lock:
                self._process = None
                process.kill()  # it has said all it had to say
                with contextlib.suppress(OSError):
                    _end(process.stdin).close()
            process.wait()
            _end(process.stdout).close()

    def stop(self) -> None:
        """End soon; everything finished is kept."""
        with self._lock:
            self._stopped = True
            if self._here is not None:
                self._here.stop()
            if self._process is not None:
                self._send("stop")

    def leave(self) -> None:
        """Stop, and do not wait long for it."""
        self.stop()
        timer = threading.Timer(_GRACE, self._kill)
        timer.daemon = True
        timer.start()

    def _kill(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _run_here(self) -> Report:
        from reader.ingest import Ingest

        with self._lock:
            self._here = Ingest(self._library, self._state, self._sources, self.progress)
            if self._stopped:
                self._here.stop()
        return self._here.run()

    def _question(self) -> dict[str, Any]:
        return {
            "library": os.fsdecode(self._library.path),
            "state": os.fsdecode(self._state.path),
            "mend": self._state.frozen,  # what it has in memory is in nobody's way
            "log": os.fsdecode(self._log),
            "sources": [(source.name, os.fsdecode(source.root)) for source in self._sources],
        }

    def _send(self, what: object) -> None:
        assert self._process is not None
        with contextlib.suppress(OSError):  # it is gone: its silence tells
            _write(_end(self._process.stdin), what)

    def _listen(self, pipe: IO[bytes]) -> Report:
        edits: list[Told] = []
        for line in pipe:
            try:
                (word, told), *_ = json.loads(line).items()
            except ValueError:  # it was killed in the middle of a word
                break
            if word == "progress":
                self.progress(Progress(*told))
            elif word == "notice":
                self.notice = told
            elif word == "edits":
                edits += ((name, key, _row(before), _row(after)) for name, key, before, after in told)
            elif word == "ruled":
                label, keys, seq = told
                self._state.learn(Change(label, tuple(keys), seq), edits)
                edits = []
            elif word == "followed":
                self._state.take_back_both([(old, new) for old, new in told])
            elif word == "report":
                return Report(**told | {"unreadable": [(name, why) for name, why in told["unreadable"]]})
            else:
                kind, words = told
                raise getattr(errors, kind, NewsfoldError)(words)
        if self._stopped:
            return Report(stopped=True)
        raise NewsfoldError("the look for new files was ended from outside; what it had read is kept")


def _row(told: list[Value] | None) -> Row | None:
    return None if told is None else tuple(told)


def _end(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _write(pipe: IO[bytes], value: object) -> None:
    pipe.write(json.dumps(value).encode("ascii") + b"\n")
    pipe.flush()


# -- in the process itself


def serve() -> None:
    """Do what the first line asks for; end soon after a second one, or when nobody is there any more."""
    # Not buffered: what the first line does not take is left for the thread, which holds no lock on it.
    asked = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - until the end
    line = asked.readline()
    if not line:
        return
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    told = json.loads(line)
    log = Path(told["log"])
    answer: dict[str, Any]
    try:
        answer = {"report": asdict(_run(told, asked))}
    except NewsfoldError as error:
        answer = {"error": (type(error).__name__, str(error))}
    except Exception as error:  # noqa: BLE001 - handed on, with its details in the log
        from reader import crash

        answer = {"error": (NewsfoldError.__name__, crash.report(error, log))}
    _tell(answer)


def _run(told: dict[str, Any], asked: IO[bytes]) -> Report:
    from reader.ingest import Ingest
    from reader.store.library import Library
    from reader.store.state import State

    found = [Source(name, Path(root)) for name, root in told["sources"]]
    with contextlib.ExitStack() as opened:
        # The screen has it open: it is the one to mend it.
        state = opened.enter_context(contextlib.closing(State.open(Path(told["state"]), mend=told["mend"])))
        if state.notice:
            _tell({"notice": state.notice})
        library = opened.enter_context(contextlib.closing(Library(Path(told["library"]))))
        run = Ingest(library, state, found, lambda p: _tell({"progress": (p.source, p.done, p.total)}))
        run.ruled = lambda change: _tell_of(change, state.edits_of(change))
        run.followed = _tell_of_following
        run.glance = True
        threading.Thread(target=_watch, args=(asked, run), daemon=True).start()
        return run.run()


def _tell_of(change: Change, edits: Sequence[Told]) -> None:
    for start in range(0, len(edits), _EDITS):  # a long line would hold the screen's interpreter
        _tell({"edits": edits[start : start + _EDITS]})
    _tell({"ruled": (change.label, change.keys, change.seq)})


def _tell_of_following(moves: Sequence[tuple[str, str]]) -> None:
    for start in range(0, len(moves), _EDITS):
        _tell({"followed": moves[start : start + _EDITS]})


def _watch(asked: IO[bytes], run: Ingest) -> None:
    while True:
        line = asked.readline()
        run.stop()
        if not line:
            time.sleep(_ALONE)
            os._exit(1)


def _tell(what: object) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more: its input has ended too
        _write(sys.stdout.buffer, what)


if __name__ == "__main__":
    serve()
