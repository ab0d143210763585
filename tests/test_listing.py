"""What an article lists, packed and found again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader.errors import StoreDamaged
from reader.model import Article, Related
from reader.store import listing
from reader.store.library import Library
from reader.store.writer import Batch, Writer

TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.text(
    st.sampled_from("\x1d\x1e\x1f[a"), max_size=3
)
NUMBER = st.none() | st.integers(-(1 << 62), 1 << 62)
KEYS = TEXT | st.just("https://example.org/a")
ENTRIES = st.lists(st.tuples(KEYS, TEXT, TEXT, TEXT, TEXT, NUMBER, NUMBER, TEXT, KEYS, TEXT), max_size=5)


@given(ENTRIES, st.sampled_from(["", "what makes a list long " * 40]))
def test_what_is_packed_comes_back(entries: list[listing.Entry], more: str) -> None:
    entries = [(*e[:2], e[2] + more, *e[3:]) for e in entries]
    packed = listing.pack(entries)
    assert listing.unpack(packed) == entries
    assert packed == listing.pack(list(entries))
    assert bool(packed) == bool(entries)
    assert listing.numbers(entries) == {listing.number(e[0]) for e in entries if e[0]}


@pytest.mark.parametrize("excerpt", ["", "so long that it is packed " * 30])
def test_a_damaged_list_is_told_as_such_and_gives_nothing_else(excerpt: str) -> None:
    entries = [("https://example.org/a", "One", excerpt, "", "", None, 5, "", "", "")]
    packed = listing.pack(entries)
    for at in range(1, len(packed)):
        with pytest.raises(StoreDamaged):
            listing.unpack(packed[:at])
    for bit in range(8 * (len(packed) - 1)):  # the last byte is filled up with bits that say nothing
        bad = bytearray(packed)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StoreDamaged):
            listing.unpack(bytes(bad))


def _library(path: Path) -> Library:
    library = Library(path / "library.db")
    a, b = "https://example.org/a", "https://example.org/b"
    one = Article(key=a, path="in/a.md", title="A", related=(Related(b, "B"), Related("", "no address")))
    two = Article(key=b, path="in/b.md", title="B")
    Writer(library).apply(Batch(articles=[one, two]), lambda _: {}, lambda _: {})
    return library


def test_who_lists_a_key_is_looked_at_once_more(tmp_path: Path) -> None:
    """Two keys of one number are two keys."""
    library = _library(tmp_path)
    a, b = library.by_key("https://example.org/a")[0].id, library.by_key("https://example.org/b")[0].id
    other = "https://example.org/other"
    library.db.execute("INSERT INTO listed VALUES (?, ?)", (listing.number(other), a))
    assert library.listing(["https://example.org/b"]) == {a}
    assert library.listing([other]) == set()
    assert library.listers("https://example.org/b") == ["https://example.org/a"]
    assert library.listers("") == [] == library.listers(other)
    assert [(piece.key, piece.article, piece.listed_by) for piece in library.coverage(b)] == [
        ("https://example.org/a", a, True)
    ]
    assert [(piece.key, piece.article, piece.listed_by) for piece in library.coverage(a)] == [
        ("https://example.org/b", b, False),
        ("", None, False),
    ]
    library.close()


def test_what_is_gone_lists_nothing(tmp_path: Path) -> None:
    library = _library(tmp_path)
    Writer(library).apply(Batch(removed=["in/a.md"]), lambda _: {}, lambda _: {})
    for table in ("mention", "listed"):
        assert library.db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert library.listing(["https://example.org/b"]) == set()
    library.close()
