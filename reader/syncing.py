"""State -> library: the marks, link states and story overrules that the index has not seen yet.

Mostly there are none, and this is asked at every start, by every command, and
every other second of a screen: what writes them is imported when there are some.
"""

from __future__ import annotations

from reader.store.library import Library
from reader.store.state import State


def sync(library: Library, state: State) -> bool:
    """Copy into *library* the marks, link states and story overrules it has not seen; True for any.

    Raises:
        StoreError: the library cannot be written.
    """
    copied = _behind(library, state) and _copy(library, state)
    if library.overrules() == state.overrules():
        return copied
    from reader.folding import Folding

    return Folding(library, state).overrule() or copied


def _behind(library: Library, state: State) -> bool:
    """Whether there is anything to copy: mostly there is not, and the index need not be held for it."""
    known, marks, checks = (library.meta(name) for name in ("state", "marks_seq", "checks_seq"))
    return known != int(state.id[:12], 16) or marks != state.seq() or bool(state.checks_since(checks))


def _copy(library: Library, state: State) -> bool:
    from reader.store.writer import Writer

    # The state is asked while nobody else can write the index. From an earlier look another thread's or
    # process's newer copy would be taken for that of another state, and wiped, or be put back to older marks.
    writer = Writer(library)
    with writer.writing():
        seq = state.seq()
        # A copy of another state's marks, or of later ones than a restored state has, is no copy.
        writer.adopt(state.id, seq)
        marks = state.changed_since(library.meta("marks_seq"))
        checks = state.checks_since(library.meta("checks_seq"))
        writer.sync(marks, checks)
        writer.copied_to(max(seq, library.meta("marks_seq")))
    return bool(marks or checks)
