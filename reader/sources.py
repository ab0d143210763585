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
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import compress
from operator import le, ne
from pathlib import Path
from types import MappingProxyType

from reader.errors import SourceError, StoreDamaged
from reader.values import dataclass

ENDINGS = (".md", ".markdown")
MAX_FILE = 9 * 1024 * 1024
"""Bytes. A larger file is a problem, not an article."""

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | getattr(os, "O_NOCTTY", 0)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_LISTED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_DEEP = 4_096  # characters of a folder's path: what the system takes in one piece
_KIND = 0o170000  # the bits of a mode that tell what it is
_SKIPPED = {"node_modules", "__pycache__"}
_UNPROVEN = -1  # a time so recent that a later edit could bear it too
_UNREAD = -2  # no time at all: the file is there, or was, and its article may be in
_SECOND = 1_000_000_000
_RACY_NS = 100_000_000  # longer than a tick of any kernel's file clock
_RACY_COARSE_NS = 2 * _SECOND  # the same for times in whole seconds, as some file systems keep them (FAT)
_COUNT = struct.Struct("=I")
_EACH = 24  # bytes of numbers kept of a file
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

    ``path`` is relative to the source, ``""`` for its root; ``some`` and
    ``removed`` are the names of files in it, all as text; ``stats`` is to be
    kept once they are in. ``some`` is None for all that ``stats`` tells of:
    of an archive that is new the names need not be held twice.
    """

    path: str
    some: list[str] | None = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    stats: bytes = b""
    gone: bool = False

    @property
    def changed(self) -> list[str]:
        """The names of the files to be read, sorted."""
        return sorted(_names(self.stats)) if self.some is None else self.some

    def __len__(self) -> int:
        """How many files are to be read."""
        return _COUNT.unpack_from(self.stats)[0] if self.some is None else len(self.some)

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
        return sum(map(len, self.changes))


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


def name_sources(roots: Sequence[Path], known: Mapping[Path, str] = MappingProxyType({})) -> list[Source]:
    """Give each of *roots* (real paths) a short name: its last part, numbered when two are alike.

    *known* are the names that folders have already, and no other gets. The same
    set of folders gets the same names in whatever order. A folder that lies in
    another of them is part of that one, and no source of its own.
    """
    sources: list[Source] = []
    taken = set(known.values())
    for root in sorted(set(roots)):
        if any(_covers(s.root, root) for s in sources):
            continue
        base = to_text(root.name) or "articles"
        if (name := known.get(root, "")) == "":
            name, number = base, 2
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
    if name.isascii():
        return name
    return "".join(chr(ord(c) - 0x1300) if "\uef80" <= c <= "\uefff" else c for c in name)


def scan(
    source: Source,
    known: Mapping[str, bytes],
    *,
    stop: Callable[[], bool] = bool,
    most: int = 0,
    expect: Callable[[int], object] = bool,
) -> Scan:
    """Look through *source* and compare with *known* (packed times by folder).

    *stop* is asked between folders; when it says so the scan ends with what it has. With
    *most* it ends with the first so many files: of the last folder a part, nothing gone.
    *expect* is told how many files are to be read, as far as is known.

    Raises:
        SourceError: the source itself cannot be listed; what was known of it stands.
        StoreDamaged: *known* is not what was packed.
    """
    found = Scan()
    seen: set[str] = set()
    changed = 0
    pending = [""]
    while pending and not stop() and not (most and found.files >= most):
        path = pending.pop()
        text = to_text(path)
        seen.add(text)
        try:
            before = known.get(text)
            files, folders = _list(source, path, before)
        except OSError as error:
            if path == "":
                raise SourceError(f"cannot read {source.root}: {error.strerror}") from error
            found.unreadable.append((f"{source.name}/{text}", error.strerror or "unreadable"))
            seen.update(p for p in known if p.startswith(text + "/"))
            continue
        pending.extend(sorted(folders, reverse=True))
        found.files += len(files.times)
        stats = files.pack()
        if (files.proven and before == stats) or (before is None and not files.times):
            continue
        change = _compare(text, files, stats, before)
        if before is None or len(change) or change.removed:
            found.changes.append(change)
            changed += len(change)
            expect(changed)
    if most:
        found.changes = _first(found.changes, most)
    elif not stop():
        found.changes.extend(
            FolderChange(path, removed=list(_unpack(stats)), gone=True)
            for path, stats in known.items()
            if path not in seen
        )
    return found


def _first(changes: Sequence[FolderChange], most: int) -> list[FolderChange]:
    """The first *most* changed files of *changes*."""
    some = []
    for change in changes:
        part = change.changed[: max(0, most)]
        most -= len(part)
        if part:
            some.append(replace(change, some=part, stats=change.stats_after(len(part))))
    return some


Entry = tuple[int, int, int]
"""Time in nanoseconds, size, inode of a file."""


@dataclass(slots=True)
class _Files:
    """The article files of one folder, as text, each with its :data:`Entry`, side by side.

    In the order in which the folder gave them, which is the same while nothing changes.
    """

    names: bytes = b""
    """All of them, a NUL between two."""
    times: Sequence[int] = ()
    sizes: Sequence[int] = ()
    inodes: Sequence[int] = ()
    proven: bool = True
    """Whether every time is old enough that a later edit has another."""

    def pack(self) -> bytes:
        """What is kept of them."""
        numbers = (array("q", self.times), array("q", self.sizes), array("Q", self.inodes))
        return b"".join([_COUNT.pack(len(self.times)), *numbers, self.names])

    def entries(self) -> dict[str, Entry]:
        """Each by its name."""
        names = _split(self.names) if self.times else []
        return dict(zip(names, zip(self.times, self.sizes, self.inodes, strict=True), strict=True))


def _list(source: Source, path: str, before: bytes | None) -> tuple[_Files, list[str]]:
    """The article files of one folder, and the folders in it, as they are; *before*: what is kept of it.

    The time is the later of the contents' and the inode's: the second cannot be
    set, so an edit that puts the first back (``touch -r``, ``rsync -t``) is seen.
    """
    # Done for every file at each refresh: beside the stat itself there is next to nothing.
    now = time.time_ns()
    # By no link: a folder that became one since it was found would show another place's names.
    if len(path) > _DEEP:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    here = _open(source.root, path, _LISTED)
    try:
        with os.scandir(here) as listed:
            entries = list(listed)
        known = before is not None and _as_before(entries, before)
        names, infos, folders = known or _sorted_out(source, path, entries)
    finally:
        os.close(here)
    found = _Files(names)
    changed = [info.st_mtime_ns for info in infos]
    found.times = [info.st_ctime_ns for info in infos]
    if not all(map(le, changed, found.times)):
        found.times = list(map(max, changed, found.times))
    found.sizes = [info.st_size for info in infos]
    found.inodes = [info.st_ino for info in infos]
    if changed and max(changed) > now - _RACY_COARSE_NS:
        found.times = [
            _UNPROVEN if abs(now - at) <= (_RACY_NS if at % _SECOND else _RACY_COARSE_NS) else when
            for at, when in zip(changed, found.times, strict=True)
        ]
        found.proven = _UNPROVEN not in found.times
    return found, folders


_Found = tuple[bytes, list[os.stat_result], list[str]]
"""The names of the article files as they are kept, what each file is like, and the folders."""


def _as_before(entries: Sequence[os.DirEntry[str]], before: bytes) -> _Found | None:
    """What is in a folder that holds the very files it held before and nothing else; None: look closer."""
    names = to_text("\0".join([entry.name for entry in entries])).encode()
    (count,) = _COUNT.unpack_from(before) if len(before) >= _COUNT.size else (0,)
    if len(entries) != count or names != before[_COUNT.size + count * _EACH :]:
        return None
    try:
        infos = [entry.stat(follow_symlinks=False) for entry in entries]
    except OSError:
        return None  # one has vanished
    if any(mode & _KIND != stat.S_IFREG for mode in {info.st_mode for info in infos}):
        return None
    return names, infos, []


def _sorted_out(source: Source, path: str, entries: Iterable[os.DirEntry[str]]) -> _Found:
    """What is in a folder, whatever it holds."""
    names: list[str] = []
    infos: list[os.stat_result] = []
    folders: list[str] = []
    prefix = f"{path}/" if path else ""
    for entry in entries:
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            if name[0] != "." and name not in _SKIPPED:
                folders.append(prefix + name)
        elif (name[-3:] == ".md" or name.lower().endswith(ENDINGS)) and name[0] != ".":
            try:
                info: os.stat_result | None = entry.stat(follow_symlinks=False)
                if info.st_mode & _KIND != stat.S_IFREG:  # type: ignore[union-attr]
                    info = _linked(source.root, prefix, entry)
            except OSError:
                continue  # vanished
            if info is not None:
                names.append(name)
                infos.append(info)
    return to_text("\0".join(names)).encode(), infos, folders


def _linked(root: Path, prefix: str, entry: os.DirEntry[str]) -> os.stat_result | None:
    """What tells whether a link changed: its target, or the link that leads astray; None for no file."""
    info = entry.stat(follow_symlinks=False)
    if not stat.S_ISLNK(info.st_mode):
        return None
    try:
        target = entry.stat()
    except OSError:
        return info
    if not stat.S_ISREG(target.st_mode):
        return None
    return target if _inside(root, f"{root}{os.sep}{prefix}{entry.name}") else info


def _inside(root: Path, path: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def _compare(path: str, files: _Files, stats: bytes, before: bytes | None) -> FolderChange:
    if before is None and files.proven:
        return FolderChange(path, None, stats=stats)
    change = FolderChange(path, stats=stats)
    was = _Files() if before is None else _known(before)
    if was.names == files.names:  # the same files side by side: mostly one of them was edited
        pairs = ((files.times, was.times), (files.sizes, was.sizes), (files.inodes, was.inodes))
        places = range(len(files.times))
        differ = {place for new, old in pairs for place in compress(places, map(ne, new, old))}
        if not files.proven:
            differ.update(place for place in places if files.times[place] == _UNPROVEN)
        names = _split(files.names) if differ else []
        change.some = sorted(names[place] for place in differ)
        return change
    old, new = was.entries(), files.entries()
    change.some = sorted(
        name for name, entry in new.items() if entry[0] == _UNPROVEN or old.get(name) != entry
    )
    change.removed = [name for name in old if name not in new]
    return change


def _pack(entries: Mapping[str, Entry]) -> bytes:
    files = _Files("\0".join(entries).encode())
    if entries:
        files.times, files.sizes, files.inodes = zip(*entries.values(), strict=True)
    return files.pack()


def _unpack(stats: bytes) -> dict[str, Entry]:
    return _known(stats).entries()


def _split(names: bytes) -> list[str]:
    return names.decode().split("\0")


def _names(stats: bytes) -> list[str]:
    (count,) = _COUNT.unpack_from(stats)
    return _split(stats[_COUNT.size + count * _EACH :]) if count else []


def _known(stats: bytes) -> _Files:
    try:
        (count,) = _COUNT.unpack_from(stats)
        if not count:
            return _Files()
        end = _COUNT.size + count * _EACH
        numbers = struct.unpack(f"={2 * count}q{count}Q", stats[_COUNT.size : end])
        if stats.count(b"\0", end) != count - 1:
            raise ValueError(count)
        str(stats[end:], "utf-8")
        return _Files(stats[end:], numbers[:count], numbers[count : 2 * count], numbers[2 * count :])
    except (struct.error, ValueError) as error:
        raise StoreDamaged("the library index is damaged: a folder's file times") from error


class Near:
    """The folder of the file that was read last, kept open: mostly the next lies in it too."""

    __slots__ = ("_folder", "_number", "_root")

    def __init__(self) -> None:
        self._root: Path | None = None
        self._folder = ""
        self._number = -1

    def open(self, root: Path, path: str) -> int:
        """As :func:`_open`."""
        folder, _, name = path.rpartition("/")
        if not folder:
            return _open(root, path)
        if root is not self._root or folder != self._folder:
            self.close()
            self._number = _open(root, folder, _FOLDER)
            self._root, self._folder = root, folder
        try:
            return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=self._number)
        except OSError:  # another folder may have come in its place
            self.close()
            return _open(root, path)

    def close(self) -> None:
        """Let go of it."""
        if self._root is not None:
            self._root = None
            os.close(self._number)


def read_file(root: Path, path: str, near: Near | None = None) -> bytes:
    """The bytes of the regular file at *path* (text, relative) below *root*.

    A FIFO or device neither hangs nor answers. The file is read as it is now. *near* is for many of them.

    Raises:
        SourceError: with one line saying why not.
    """
    path = from_text(path)
    try:
        try:
            number = _open(root, path) if near is None else near.open(root, path)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EMLINK):  # the second on some BSDs
                raise
            number = _open_linked(root, path)
    except OSError as error:
        raise SourceError(_reason(error)) from error
    try:
        info = os.fstat(number)
        if info.st_mode & _KIND != stat.S_IFREG:
            raise SourceError("not a regular file")
        if info.st_size > MAX_FILE:
            raise SourceError(f"larger than {MAX_FILE >> 20} MiB")
        data = os.read(number, info.st_size + 1)
        # One byte less than asked for is the end; anything else has changed under our hands.
        return data if len(data) == info.st_size else b"".join([data, *_rest(number, len(data))])
    except OSError as error:
        raise SourceError(_reason(error)) from error
    finally:
        os.close(number)


def _open(root: Path, path: str, flags: int = _FLAGS) -> int:
    """Open what lies at *path* (as the system spells it, relative) below *root*, by no link at all.

    Folder by folder: one that became a link since it was listed would lead anywhere.
    """
    if "/" not in path:
        return os.open(f"{root}{os.sep}{path}", flags | os.O_NOFOLLOW)
    *folders, name = path.split("/")
    here = os.open(root, _FOLDER)
    try:
        for folder in folders:
            inner = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        return os.open(name, flags | os.O_NOFOLLOW, dir_fd=here)
    finally:
        os.close(here)


def _open_linked(root: Path, path: str) -> int:
    """Open what the link at *path* leads to, when that is below *root* by real folders all the way."""
    target = Path(os.path.realpath(root / path))
    if not target.is_relative_to(root):
        raise SourceError("a link that leads out of the source")
    try:
        return _open(root, str(target.relative_to(root)))
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise SourceError("a link to nowhere") from error
        raise


def _rest(number: int, total: int) -> Iterator[bytes]:
    """Read to the end, whatever the size was said to be; a growing file is cut at the cap."""
    while total <= MAX_FILE and (data := os.read(number, 65_536)):
        total += len(data)
        yield data
    if total > MAX_FILE:
        raise SourceError(f"larger than {MAX_FILE >> 20} MiB")


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ESTALE):
        return "the file has gone"
    return error.strerror or "cannot be read"
