"""``links moved --patch``: the change to the files, for those who keep them; nothing is written here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from reader.cli.output import Output, say
from reader.errors import SourceError
from reader.links.patch import moved_patch
from reader.session import Session
from reader.sources import from_text, read_file


def patch(session: Session, table: Mapping[str, str], out: Output) -> None:
    """Print the diff that puts the new addresses of *table* into every file that names an old one.

    On a pipe byte for byte; a terminal is shown it clean. Its paths are
    relative to the folder, of several folders to the one that holds them all.

    Raises:
        BrokenPipeError: nobody reads on.
        OutputError: it cannot be written.
    """
    if not table:
        say("no link is known to have moved for good: newsfold links check asks")
        return
    base = Path(os.path.commonpath([source.root for source in session.sources]))
    unchanged = True
    for name, data in _files(session, base):
        diff = moved_patch([(name, data)], table)
        unchanged = unchanged and not diff
        if out.tty:
            for line in diff.splitlines():
                out.line(line)
        else:
            out.exact(diff.encode("utf-8", "surrogateescape"))
    say("no file names an address that moved as it is written" if unchanged else f"to be applied in {base}")


def _files(session: Session, base: Path) -> Iterator[tuple[str, bytes]]:
    """(path below *base* as the system knows it, with ``/``; bytes) of every article's file."""
    for source in session.sources:
        below = source.root.relative_to(base).as_posix()
        for path in sorted(session.library.paths_below(source.name)):
            inner = path.partition("/")[2]
            try:
                data = read_file(source.root, inner)
            except SourceError as error:
                say(f"{path}: {error}")
                continue
            name = from_text(inner)
            if not _is_itself(source.root, name):
                continue  # git follows no link, and would refuse the whole patch; what it leads to is here
            yield (name if below == "." else f"{below}/{name}"), data


def _is_itself(root: Path, name: str) -> bool:
    """Whether no part of the path *name* below *root* is a link."""
    return (root / name).resolve() == root.resolve() / name
