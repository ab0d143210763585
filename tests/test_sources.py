"""Folders on a real disk: what counts as an article, and what is seen to have changed."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader.errors import SourceError, StoreDamaged
from reader.sources import (
    MAX_FILE,
    Near,
    Scan,
    Source,
    from_text,
    name_sources,
    read_file,
    real_folder,
    scan,
    to_text,
)

OLD = time.time() - 3_600


@pytest.fixture
def source(tmp_path: Path) -> Source:
    root = tmp_path / "news"
    root.mkdir()
    return Source("news", root.resolve())


def put(source: Source, name: str, text: str = "x", when: float | None = OLD) -> Path:
    """Write a file, by default an hour old, so that its time proves something."""
    path = source.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if when is not None:
        os.utime(path, (when, when))
    return path


def look(source: Source, known: dict[str, bytes]) -> Scan:
    """Scan and keep what an ingest would keep."""
    found = scan(source, known)
    for change in found.changes:
        if change.gone:
            del known[change.path]
        else:
            known[change.path] = change.stats
    return found


def changed(found: Scan) -> list[str]:
    return sorted(f"{c.path}/{name}".lstrip("/") for c in found.changes for name in c.changed)


def removed(found: Scan) -> list[str]:
    return sorted(f"{c.path}/{name}".lstrip("/") for c in found.changes for name in c.removed)


def test_only_articles_count(source: Source) -> None:
    for name in (
        "a.md",
        "B.MD",
        "deep/er/c.markdown",
        "d.txt",
        ".hidden.md",
        ".git/e.md",
        "node_modules/f.md",
    ):
        put(source, name)
    (source.root / "folder.md").mkdir()
    found = scan(source, {})
    assert changed(found) == ["B.MD", "a.md", "deep/er/c.markdown"]
    assert found.files == 3


def test_what_did_not_change_is_not_reported(source: Source) -> None:
    put(source, "a.md")
    put(source, "in/b.md")
    known: dict[str, bytes] = {}
    assert look(source, known).changed == 2
    again = look(source, known)
    assert again.changes == []
    assert again.files == 2


def test_add_change_remove_and_touch(source: Source) -> None:
    for name in ("a.md", "b.md", "c.md"):
        put(source, name)
    known: dict[str, bytes] = {}
    look(source, known)
    put(source, "d.md")
    put(source, "a.md", "longer")
    (source.root / "b.md").unlink()
    os.utime(source.root / "c.md", (OLD + 5, OLD + 5))
    found = look(source, known)
    assert changed(found) == ["a.md", "c.md", "d.md"]
    assert removed(found) == ["b.md"]
    assert look(source, known).changes == []


def test_another_file_with_the_same_time_and_size(source: Source) -> None:
    put(source, "a.md", "one")
    known: dict[str, bytes] = {}
    look(source, known)
    other = put(source, "new", "two")
    other.replace(source.root / "a.md")
    assert changed(look(source, known)) == ["a.md"]


def test_an_edit_that_puts_the_time_back(source: Source) -> None:
    put(source, "a.md", "one")
    known: dict[str, bytes] = {}
    look(source, known)
    time.sleep(0.02)  # longer than a tick of the kernel's file clock
    put(source, "a.md", "two")
    assert changed(look(source, known)) == ["a.md"]


def test_a_time_too_fresh_to_prove_anything_is_read_again(source: Source) -> None:
    put(source, "a.md", "one", when=None)
    known: dict[str, bytes] = {}
    look(source, known)
    (source.root / "a.md").write_text("two")
    assert changed(look(source, known)) == ["a.md"]
    os.utime(source.root / "a.md", (OLD, OLD))
    assert changed(look(source, known)) == ["a.md"]
    assert look(source, known).changes == []


def test_how_long_a_time_is_too_fresh_depends_on_how_fine_it_is(source: Source) -> None:
    put(source, "fine.md", when=None)
    put(source, "coarse.md", when=int(time.time()) + 2)
    time.sleep(0.15)
    known: dict[str, bytes] = {}
    look(source, known)
    assert changed(scan(source, known)) == ["coarse.md"]


def test_a_time_in_the_future_is_as_good_as_any(source: Source) -> None:
    put(source, "a.md", when=time.time() + 86_400)
    known: dict[str, bytes] = {}
    look(source, known)
    assert look(source, known).changes == []


def test_moved_and_renamed_and_deleted_folders(source: Source) -> None:
    put(source, "in/a.md")
    put(source, "in/deep/b.md")
    put(source, "out/c.md")
    known: dict[str, bytes] = {}
    look(source, known)
    (source.root / "in").rename(source.root / "inner")
    found = look(source, known)
    assert changed(found) == ["inner/a.md", "inner/deep/b.md"]
    assert removed(found) == ["in/a.md", "in/deep/b.md"]
    shutil.rmtree(source.root / "out")
    assert removed(look(source, known)) == ["out/c.md"]
    assert sorted(known) == ["inner", "inner/deep"]


def test_links(source: Source, tmp_path: Path) -> None:
    put(source, "real/a.md", "inside")
    outside = tmp_path / "secret.md"
    outside.write_text("outside")
    (source.root / "loop").symlink_to(source.root)
    (source.root / "self.md").symlink_to("self.md")
    (source.root / "in.md").symlink_to("real/a.md")
    (source.root / "out.md").symlink_to(outside)
    (source.root / "none.md").symlink_to("nowhere.md")
    (source.root / "folder.md").symlink_to("real")
    assert changed(scan(source, {})) == ["in.md", "none.md", "out.md", "real/a.md", "self.md"]
    assert read_file(source.root, "in.md") == b"inside"
    with pytest.raises(SourceError, match="leads out of the source"):
        read_file(source.root, "out.md")
    with pytest.raises(SourceError, match="nowhere"):
        read_file(source.root, "none.md")
    with pytest.raises(SourceError):
        read_file(source.root, "self.md")


def test_a_link_follows_its_target(source: Source) -> None:
    put(source, ".store/a", "one")
    (source.root / "a.md").symlink_to(".store/a")
    known: dict[str, bytes] = {}
    assert look(source, known).changed == 1
    assert look(source, known).changes == []
    put(source, ".store/a", "longer")
    assert changed(look(source, known)) == ["a.md"]


def test_pipes_and_devices_neither_hang_nor_count(source: Source) -> None:
    os.mkfifo(source.root / "x.md")
    put(source, "a.md")
    assert changed(scan(source, {})) == ["a.md"]
    with pytest.raises(SourceError, match="not a regular file"):
        read_file(source.root, "x.md")


def test_many_files_are_read_as_each_alone(source: Source, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "c.md").write_text("outside")
    for name in ("a.md", "x/a.md", "x/b.md", "x/y/a.md"):
        put(source, name, name)
    with contextlib.closing(Near()) as near:
        for name in ("x/a.md", "x/b.md", "x/y/a.md", "a.md", "x/b.md"):
            assert read_file(source.root, name, near) == name.encode()
        shutil.move(source.root / "x", source.root / "z")  # another comes in its place, then a link
        with pytest.raises(SourceError, match="has gone"):
            read_file(source.root, "x/c.md", near)
        put(source, "x/c.md", "new")
        assert read_file(source.root, "x/c.md", near) == b"new"
        shutil.rmtree(source.root / "x")
        (source.root / "x").symlink_to(tmp_path / "out")
        with pytest.raises(SourceError):
            read_file(source.root, "x/c.md", near)
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        with contextlib.closing(Near()) as near:
            read_file(source.root, "z/a.md", near)
    assert len(os.listdir("/dev/fd")) == before


def test_file_names_of_any_bytes(source: Source) -> None:
    names = [b"caf\xe9.md", b"\xff\xfe.md", b"new\nline.md", "\uef80\uefff.md".encode(), b"\xed\xa0\x80.md"]
    for name in names:
        (source.root / os.fsdecode(name)).write_bytes(name)
    known: dict[str, bytes] = {}
    found = look(source, known)
    texts = [name for change in found.changes for name in change.changed]
    assert len(set(texts)) == len(names)
    for text in texts:
        text.encode()  # can be stored
        assert read_file(source.root, text) == os.fsencode(from_text(text))
    for name in names:
        (source.root / os.fsdecode(name)).unlink()
    assert len(removed(look(source, known))) == len(names)


@given(st.binary(min_size=1).map(os.fsdecode) | st.text(st.characters(exclude_categories=["Cs"])))
def test_names_turn_back(name: str) -> None:
    text = to_text(name)
    text.encode()
    assert os.fsencode(from_text(text)) == os.fsencode(name)


def test_a_folder_that_cannot_be_listed_keeps_what_was_known(source: Source) -> None:
    put(source, "in/a.md")
    put(source, "in/deep/b.md")
    put(source, "c.md")
    known: dict[str, bytes] = {}
    look(source, known)
    # A name longer than the system takes cannot be listed by anybody, root included.
    deep = "d" * 200
    (source.root / "in").rename(source.root / "away")
    (source.root / "in").mkdir()
    here = os.open(source.root / "in", os.O_RDONLY)
    depth = 4_096 // 200 + 1
    for _ in range(depth):
        os.mkdir(deep, dir_fd=here)
        here, before = os.open(deep, os.O_RDONLY, dir_fd=here), here
        os.close(before)
    os.close(here)
    found = scan(source, known)
    assert [path.startswith("news/in/ddd") for path, _ in found.unreadable] == [True]
    assert removed(found) == ["in/a.md", "in/deep/b.md"]
    shutil.rmtree(source.root / "in")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_without_permission_keeps_what_was_known(source: Source) -> None:
    put(source, "in/deep/a.md")
    known: dict[str, bytes] = {}
    look(source, known)
    (source.root / "in").chmod(0)
    try:
        found = look(source, known)
    finally:
        (source.root / "in").chmod(0o755)
    assert removed(found) == []
    assert found.unreadable == [("news/in", "Permission denied")]


def test_a_source_that_is_gone(source: Source) -> None:
    source.root.rmdir()
    with pytest.raises(SourceError, match="cannot read"):
        scan(source, {})


def test_stopping_forgets_nothing(source: Source) -> None:
    put(source, "in/a.md")
    known: dict[str, bytes] = {}
    look(source, known)
    assert scan(source, known, stop=lambda: True).changes == []


def test_what_an_interrupted_run_keeps(source: Source) -> None:
    for name in ("a.md", "b.md", "c.md"):
        put(source, name)
    known: dict[str, bytes] = {}
    (change,) = look(source, known).changes
    known[""] = change.stats_after(1)
    assert changed(scan(source, known)) == ["b.md", "c.md"]
    (source.root / "b.md").unlink()
    found = look(source, known)
    assert (changed(found), removed(found)) == (["c.md"], ["b.md"])
    put(source, "d.md")
    (source.root / "a.md").unlink()
    (change,) = scan(source, known).changes
    known[""] = change.stats_after(0)
    found = look(source, known)
    assert (changed(found), removed(found)) == (["d.md"], ["a.md"])


def test_known_times_that_are_no_such_thing(source: Source) -> None:
    put(source, "a.md")
    for stats in (b"", b"\x01", b"\xff\xff\xff\xff", b"\x02\0\0\0" + bytes(48) + b"one"):
        with pytest.raises(StoreDamaged):
            scan(source, {"": stats})


def test_too_large(source: Source) -> None:
    with (source.root / "a.md").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(SourceError, match="larger than 9 MiB"):
        read_file(source.root, "a.md")


def test_reading_what_is_not_there(source: Source) -> None:
    with pytest.raises(SourceError, match="the file has gone"):
        read_file(source.root, "a.md")
    with pytest.raises(SourceError):
        read_file(source.root, "a" * 5_000)


def test_names_of_sources(tmp_path: Path) -> None:
    for name in ("a/news", "b/news", "c", "c/inner", "c/.own", "c/node_modules/x"):
        (tmp_path / name).mkdir(parents=True)
    roots = [real_folder(tmp_path / n) for n in ("b/news", "a/news", "c/inner", "c", "c/.own", "a/../a/news")]
    sources = name_sources(roots)
    assert [(s.name, s.root) for s in sources] == [
        ("news", tmp_path / "a/news"),
        ("news~2", tmp_path / "b/news"),
        ("c", tmp_path / "c"),
        (".own", tmp_path / "c/.own"),
    ]
    assert name_sources(list(reversed(roots))) == sources
    assert name_sources([Path("/")]) == [Source("articles", Path("/"))]


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("nowhere", "file", "loop", "file/below", "a\0b", "x" * 5_000):
        with pytest.raises(SourceError):
            real_folder(tmp_path / name)
    with pytest.raises(SourceError):
        real_folder(Path("~nobody-of-that-name/x"))


def test_a_folder_of_the_same_names_is_looked_at_quickly_and_rightly(tmp_path: Path) -> None:
    """Whatever takes the place of a file under its own name is seen, and so is nothing having changed."""
    root = tmp_path / "in"
    root.mkdir()
    (tmp_path / "outside.md").write_text("x")
    names = ["a.md", "b.MD", "é.md", "\uef80.md", os.fsdecode(b"\xff.md")]
    for name in names:
        (root / name).write_text("x")
        os.utime(root / name, (1_500_000_000,) * 2)
    source = Source("in", root)

    def kept() -> dict[str, bytes]:
        return {change.path: change.stats for change in scan(source, {}).changes}

    def seen(known: dict[str, bytes]) -> tuple[list[str], list[str]]:
        changes = scan(source, known).changes
        return [n for c in changes for n in c.changed], [n for c in changes for n in c.removed]

    known = kept()
    assert seen(known) == ([], [])
    assert scan(source, known).files == len(names)
    (root / "b.MD").write_text("longer")
    os.utime(root / "b.MD", (1_500_000_000,) * 2)
    assert seen(known) == (["b.MD"], [])
    known = kept()
    os.utime(root / "a.md", (2_000_000_000,) * 2)  # later than its inode's time
    assert seen(known) == (["a.md"], [])
    known = kept()
    assert seen(known) == ([], [])
    for name in names:
        (root / name).unlink()
        (root / name).mkdir()
        assert seen(known) == ([], [to_text(name)])
        (root / name).rmdir()
        os.mkfifo(root / name)
        assert seen(known) == ([], [to_text(name)])
        (root / name).unlink()
        (root / name).symlink_to(tmp_path / "outside.md")
        assert seen(known) == ([to_text(name)], [])
        (root / name).unlink()
        assert seen(known) == ([], [to_text(name)])
        known = kept()
    assert scan(source, known).files == 0
