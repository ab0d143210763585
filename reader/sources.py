"""Folders of articles, git clones among them -> the files that changed.

Only regular files are articles: ``*.md`` and ``*.markdown`` below the folder,
hidden folders left out. Links to folders are not followed, so no loop can
catch us; a link to a file counts while its target lies inside the source, and
is a problem where it does not.
git itself is never run: a clone's own configuration could make it run others'
commands.

File names may be any bytes. As text each byte that is no UTF-8 becomes one of
U+EF80-U+EFFF, so that a path can be stored, shown and turned back; a name that
holds such a character itself has it written as its three bytes.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reader.errors import SourceError, StoreDamaged

ENDINGS = (".md", ".markdown")
MAX_FILE = 16 * 1024 * 1024
"""Bytes. A larger file is a problem, not an article."""

_SKIPPED = {"node_modules", "__pycache__"}
_UNPROVEN = -1  # a time so recent that a later edit could bear it too
_UNREAD = -2  # no time at all: the file is there, or was, and its article may be in
_SECOND = 1_000_000_000
_RACY_NS = 100_000_000  # longer than a tick of any kernel's file clock
_RACY_COARSE_NS = 2 * _SECOND  # the same for times in whole seconds, as some file systems keep them (FAT)
_ENTRY = struct.Struct("<qqQ")
_ODD = {chr(c): chr(c + 0x1300) for c in range(0xDC80, 0xDD00)} | {
    chr(c): "".join(chr(0xEF00 + byte) for byte in chr(c).encode()) for c in range(0xEF80, 0xF000)
}


@dataclass(frozen=True, slots=True)
class Source:
    """A folder: the ``name`` that its articles' paths begin with, and where it lies."""

    name: str
    root: Path


@dataclass(slots=True)
class FolderChange:
    """What differs in one folder since it was last seen.

    ``path`` is relative to the source, ``""`` for its root; ``changed`` and
    ``removed`` are the names of files in it, all as text; ``stats`` is to be
    kept once they are in.
    """

    path: str
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    stats: bytes = b""
    gone: bool = False

    def stats_after(self, done: int) -> bytes:
        """What to keep when only the first *done* of the changed files are in: the rest is read again."""
        entries = _unpack(self.stats)
        entries.update(dict.fromkeys([*self.changed[done:], *self.removed], (_UNREAD, 0, 0)))
        return _pack(entries)


@dataclass(slots=True)
class Scan:
    """What a look through one source found. ``unreadable`` folders keep what was known of them."""

    changes: list[FolderChange] = field(default_factory=list)
    files: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """How many files are to be read."""
        return sum(len(c.changed) for c in self.changes)


def real_folder(folder: Path) -> Path:
    """The one path of *folder*, links in it resolved and ``~`` filled in.

    Raises:
        SourceError: it is missing or is no folder.
    """
    if folder.parts[:1] == ("~",):
        folder = folder.expanduser()
    try:
        root = folder.resolve()
        if not root.exists():
            raise SourceError(f"no such folder: {folder}")
        if not root.is_dir():
            raise SourceError(f"not a folder: {folder}")
    except (OSError, RuntimeError, ValueError) as error:  # no access; a loop of links; a NUL
        raise SourceError(f"cannot read {folder}: {getattr(error, 'strerror', None) or error}") from error
    return root


def name_sources(roots: Sequence[Path]) -> list[Source]:
    """Give each of *roots* (real paths) a short name: its last part, numbered when two are alike.

    The same set of folders gets the same names in whatever order. A folder
    that lies in another of them is part of that one, and no source of its own.
    """
    sources: list[Source] = []
    taken: set[str] = set()
    for root in sorted(set(roots)):
        if any(_covers(s.root, root) for s in sources):
            continue
        base = name = to_text(root.name) or "articles"
        number = 2
        while name in taken:
            name, number = f"{base}~{number}", number + 1
        taken.add(name)
        sources.append(Source(name, root))
    return sources


def _covers(root: Path, inner: Path) -> bool:
    """Whether a scan of *root* comes by *inner*."""
    if not inner.is_relative_to(root):
        return False
    return not any(p.startswith(".") or p in _SKIPPED for p in inner.relative_to(root).parts)


def to_text(name: str) -> str:
    """A file name as text that can be stored and shown: see the module's first words."""
    if name.isascii():
        return name
    return "".join(_ODD.get(c) or c for c in name)


def from_text(name: str) -> str:
    """Turn :func:`to_text` back into what the system knows the file by."""
    return "".join(chr(ord(c) - 0x1300) if "\uef80" <= c <= "\uefff" else c for c in name)


def scan(source: Source, known: Mapping[str, bytes], *, stop: Callable[[], bool] = bool) -> Scan:
    """Look through *source* and compare with *known* (packed times by folder).

    *stop* is asked between folders; when it says so the scan ends with what it has.

    Raises:
        SourceError: the source itself cannot be listed; what was known of it stands.
        StoreDamaged: *known* is not what was packed.
    """
    found = Scan()
    seen: set[str] = set()
    pending = [""]
    while pending and not stop():
        path = pending.pop()
        text = to_text(path)
        seen.add(text)
        try:
            names, folders = _list(source, path)
        except OSError as error:
            if path == "":
                raise SourceError(f"cannot read {source.root}: {error.strerror}") from error
            found.unreadable.append((f"{source.name}/{text}", error.strerror or "unreadable"))
            seen.update(p for p in known if p.startswith(text + "/"))
            continue
        pending.extend(sorted(folders, reverse=True))
        found.files += len(names)
        stats = _pack(names)
        before = known.get(text)
        if before == stats and not any(entry[0] == _UNPROVEN for entry in names.values()):
            continue
        if before is None and not names:
            continue
        found.changes.append(_compare(text, names, stats, before))
    if not stop():
        found.changes.extend(
            FolderChange(path, removed=list(_unpack(stats)), gone=True)
            for path, stats in known.items()
            if path not in seen
        )
    return found


def _list(source: Source, path: str) -> tuple[dict[str, tuple[int, int, int]], list[str]]:
    """The article files of one folder, as text, with (time, size, inode), and the folders in it, as they are.

    The time is the later of the contents' and the inode's: the second cannot be
    set, so an edit that puts the first back (``touch -r``, ``rsync -t``) is seen.
    """
    now = time.time_ns()
    names: dict[str, tuple[int, int, int]] = {}
    folders: list[str] = []
    prefix = f"{path}/" if path else ""
    with os.scandir(source.root / path) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if name not in _SKIPPED:
                    folders.append(prefix + name)
                continue
            if not name.lower().endswith(ENDINGS):
                continue
            try:
                info = _stat(source.root, entry)
            except OSError:
                continue  # vanished
            if info is None:
                continue
            racy = _RACY_NS if info.st_mtime_ns % _SECOND else _RACY_COARSE_NS
            proven = abs(now - info.st_mtime_ns) > racy
            when = max(info.st_mtime_ns, info.st_ctime_ns) if proven else _UNPROVEN
            names[to_text(name)] = (when, info.st_size, info.st_ino)
    return names, folders


def _stat(root: Path, entry: os.DirEntry[str]) -> os.stat_result | None:
    """What tells whether *entry* changed; None when it is no file. Of a link that leads astray, the link."""
    info = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(info.st_mode):
        try:
            target = entry.stat()
        except OSError:
            return info
        if not stat.S_ISREG(target.st_mode):
            return None
        return target if _inside(root, entry.path) else info
    return info if stat.S_ISREG(info.st_mode) else None


def _inside(root: Path, path: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def _compare(
    path: str, names: Mapping[str, tuple[int, int, int]], stats: bytes, before: bytes | None
) -> FolderChange:
    old = {} if before is None else _unpack(before)
    change = FolderChange(path, stats=stats)
    change.changed = sorted(
        name for name, entry in names.items() if entry[0] == _UNPROVEN or old.get(name) != entry
    )
    change.removed = [name for name in old if name not in names]
    return change


def _pack(names: Mapping[str, tuple[int, int, int]]) -> bytes:
    ordered = sorted(names)
    times = b"".join(_ENTRY.pack(*names[name]) for name in ordered)
    return struct.pack("<I", len(ordered)) + times + "\0".join(ordered).encode()


def _unpack(stats: bytes) -> dict[str, tuple[int, int, int]]:
    try:
        (count,) = struct.unpack_from("<I", stats)
        end = 4 + count * _ENTRY.size
        names = stats[end:].decode().split("\0")
        return dict(zip(names, _ENTRY.iter_unpack(stats[4:end]), strict=True)) if count else {}
    except (struct.error, ValueError) as error:
        raise StoreDamaged("the library index is damaged: a folder's file times") from error


def read_file(root: Path, path: str) -> bytes:
    """The bytes of the regular file at *path* (text, relative) below *root*.

    A FIFO or device neither hangs nor answers. The file is read as it is now.

    Raises:
        SourceError: with one line saying why not.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | getattr(os, "O_NOCTTY", 0)
    full = os.path.join(root, from_text(path))  # noqa: PTH118 - this is called once a file
    try:
        if os.path.islink(full):  # noqa: PTH114
            if not _inside(root, full):
                raise SourceError("a link that leads out of the source")
            if not os.path.exists(full):  # noqa: PTH110
                raise SourceError("a link to nowhere")
        number = os.open(full, flags)
    except OSError as error:
        raise SourceError(_reason(error)) from error
    try:
        info = os.fstat(number)
        if not stat.S_ISREG(info.st_mode):
            raise SourceError("not a regular file")
        if info.st_size > MAX_FILE:
            raise SourceError(f"larger than {MAX_FILE >> 20} MiB")
        return b"".join(_chunks(number, info.st_size))
    except OSError as error:
        raise SourceError(_reason(error)) from error
    finally:
        os.close(number)


def _chunks(number: int, size: int) -> Iterator[bytes]:
    """Read to the end, whatever the size was said to be; a growing file is cut at the cap."""
    total = 0
    want = size + 1
    while total <= MAX_FILE and (data := os.read(number, want)):
        total += len(data)
        yield data
        want = 65_536
    if total > MAX_FILE:
        raise SourceError(f"larger than {MAX_FILE >> 20} MiB")


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ESTALE):
        return "the file has gone"
    return error.strerror or "cannot be read"
