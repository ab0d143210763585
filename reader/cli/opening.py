"""What the commands share: opening the folders, bringing the index up to date, finding articles."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path

from reader.address import canonical
from reader.cli.output import fit, say
from reader.config import Locations
from reader.errors import NotFound, UsageError
from reader.progress import Progress, Report
from reader.session import Session, open_session
from reader.sources import to_text
from reader.store.rows import ArticleRow
from reader.syncing import sync
from reader.text import clean


def begin(args: Namespace, locations: Locations, *, remember: bool = False) -> Session:
    """The session that *args* ask for, its complaints told; with *remember* its folders are kept.

    Raises:
        UsageError: there is no folder to look at.
        SourceError, StoreError: as :func:`reader.session.open_session`.
    """
    folders = [Path(folder) for folder in getattr(args, "folders", [])]
    session = open_session(locations, folders, sample=args.sample, remember=remember)
    for complaint in (*session.complaints, session.state.notice, session.state.read_only):
        if complaint:
            say(complaint)
    if not session.sources:
        session.close()
        raise UsageError("no folder is open yet: newsfold FOLDER opens one, --sample takes the sample")
    return session


def bring_up_to_date(session: Session, args: Namespace) -> Report:
    """Read what changed, unless ``--no-refresh``; folders that cannot be read are told."""
    if getattr(args, "no_refresh", False):
        sync(session.library, session.state)
        return Report()
    from reader.ingest import Ingest

    progress = _Progress()
    try:
        report = Ingest(session.library, session.state, session.sources, progress).run()
    finally:
        progress.clear()
    for path, reason in report.unreadable:
        say(f"{path}: {reason}")
    return report


class _Progress:
    """How far it is, on one line of a terminal that goes away again."""

    def __init__(self) -> None:
        self.shown = False

    def __call__(self, progress: Progress) -> None:
        if progress.total and sys.stderr.isatty():
            self.shown = True
            text = clean(str(progress))
            sys.stderr.write(f"\r\x1b[K{fit(text, 70)}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def find(session: Session, key: str) -> ArticleRow:
    """The article that *key* means: a file, an address in any spelling, a key, the end of a path.

    Raises:
        NotFound: none, or more than one.
    """
    # Also as newsfold prints it, where bytes that are no UTF-8 have their stand-ins already.
    for name in (canonical(key), key, to_text(key)):
        if name and (rows := session.library.by_key(name)):
            return rows[0]
    for name in (*_paths(session, key), key):
        if found := session.library.at(name):
            return found
    return session.library.find(to_text(key))


def _paths(session: Session, key: str) -> Iterable[str]:
    given = Path(key)
    try:
        real = given.parent.resolve() / given.name  # the file may be a link: that is what was named
    except (OSError, RuntimeError, ValueError):
        return
    for source in session.sources:
        if real.is_relative_to(source.root):
            yield f"{source.name}/{to_text(real.relative_to(source.root).as_posix())}"


def find_all(session: Session, keys: Iterable[str]) -> list[ArticleRow]:
    """The articles of several keys, each once.

    Raises:
        NotFound: one of them is none.
    """
    found = {row.key: row for row in (find(session, key) for key in keys)}
    if not found:
        raise NotFound("no article was named")
    return list(found.values())
