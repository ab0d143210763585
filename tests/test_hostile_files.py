"""Files made to stop the program: each gives an article or a problem, and costs nobody else anything."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from bombs import bombs
from hypothesis import given, settings
from hypothesis import strategies as st

from reader.config import Locations
from reader.errors import SourceError
from reader.frontmatter import read
from reader.frontmatter.build import MAX_ITEMS
from reader.ingest import Ingest, reread
from reader.model import Article, Problem
from reader.session import Session, open_session
from reader.sources import Near, Source, read_file, scan
from reader.store import indexing, listing
from reader.store.preparing import prepare
from reader.store.query import folding

ROOT = Path(__file__).resolve().parents[1]

# A runaway ends by the limit on processor time, a flood by that on memory, deep recursion by the small stack.
CHILD = """
import resource, sys, threading
sys.path[:0] = sys.argv[1:]
from bombs import bombs
from reader.frontmatter import read
from reader.model import Article, Problem
from reader.store.preparing import prepare
made = bombs()
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
resource.setrlimit(resource.RLIMIT_AS, (1500 << 20, 1500 << 20))
def run():
    counts = {Article: 0, Problem: 0}
    for name, data in made.items():
        found = read(data, "s/x.md")
        counts[type(found)] += 1
        if isinstance(found, Article):
            prepare(found)
    print(*counts.values(), flush=True)
threading.stack_size(256 * 1024)
worker = threading.Thread(target=run); worker.start(); worker.join()
"""


def test_no_bomb_ends_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", CHILD, str(ROOT), str(ROOT / "tests")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    articles, problems = map(int, done.stdout.split())
    assert articles + problems == len(bombs()) > 100
    assert articles > 60 and problems > 20


def session(tmp_path: Path, folder: Path) -> Session:
    return open_session(Locations(*(tmp_path / name for name in "dcks")), [folder])


def test_bombs_cost_their_own_files_only(tmp_path: Path) -> None:
    """Through the whole ingest, beside a good file; what is an article can be opened again."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.md").write_text("---\ntitle: Good\n---\nfindable\n")
    names = {"in/good.md"}
    for number, data in enumerate(bombs().values()):
        if len(data) < 1_500_000:
            (folder / f"{number}.md").write_bytes(data)
            names.add(f"in/{number}.md")
    for path in folder.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))  # long enough ago to prove something
    with session(tmp_path, folder) as found:
        report = Ingest(found.library, found.state, found.sources).run()
        articles = {row.path for row in found.library.rows(list(found.library.ids()))}
        problems = {p.path for p in found.library.problems() if not p.warning}
        assert articles | problems == names and not articles & problems
        assert report.files == len(names) > 80
        for path in articles:
            assert reread(found.sources, path).path == path
        assert not Ingest(found.library, found.state, found.sources).run().touched


@pytest.mark.parametrize("where", ["title", "excerpt", "related", "body"])
def test_entities_that_are_no_numbers_python_reads(where: str) -> None:
    entity = "&#" + "9" * 5_000 + "; &#x" + "f" * 5_000 + ";"
    front = {
        "related": f'related:\n- title: "words {entity}"\n',
        "body": "title: t\n",
    }.get(where, f'{where}: "words {entity}"\n')
    data = f"---\n{front}---\n{'words ' + entity if where == 'body' else ''}"
    made = read(data.encode(), "s/x.md")
    assert isinstance(made, Article)
    assert any("words" in column for column in prepare(made).columns)


def test_an_address_that_is_its_own_key_is_cleaned_all_the_same() -> None:
    front = 'webUrl: "https://a.example/b\u202ec\u200b"'
    made = read(f"---\n{front}\nrelated:\n- {front}\n---\n".encode(), "s/x.md")
    assert isinstance(made, Article)
    assert made.key == made.address == made.related[0].key, "as odd as it was written"
    made_ready = prepare(made)
    assert "https://a.example/bc" in made_ready.values
    assert listing.unpack(made_ready.mentions)[0][8] == "https://a.example/bc"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("a <!-- b --> c", "a   c"),
        ("a <!-- b", "a <!-- b"),
        ("a <script>b</script> c <SCRIPT x>d</script > e", "a   c   e"),
        ("a <style>b <!-- c</style> d --> e", "a   d --> e"),
        ("<!-- a <script> --> b </script>", "  b  "),
        ("<script> a <style>b</style> c", "  a   c"),
        ("<!-- <!-- a --> b -->", "  b -->"),
        ("<scripted>a</scripted> b", " a  b"),
    ],
)
def test_what_of_a_body_is_seen(body: str, text: str) -> None:
    assert indexing.body_text(body) == text


def test_the_words_of_a_long_body_are_found_up_to_the_limit() -> None:
    body = ("early " + "word " * indexing.MAX_INDEXED)[: indexing.MAX_INDEXED - 7] + " within beyond"
    made = read(f"---\ntitle: t\n---\n{body}".encode(), "s/x.md")
    assert isinstance(made, Article)
    words = prepare(made).columns[2].split()
    assert "early" in words and "within" in words and "beyond" not in words
    assert made.body == body


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.integers(1, 30))
@settings(max_examples=300, deadline=None)
def test_folding_by_the_piece_is_folding(text: str, times: int) -> None:
    long = (text + " ") * times
    whole = folding._fold_piece.__wrapped__
    assert (
        folding.fold(long)
        == "".join(part if part.isascii() else whole(part) for part in folding._pieces(long)).lower()
    )
    if unicodedata.normalize("NFKD", text) == text and len(long) <= folding._PIECE:
        assert folding.fold(long) == folding._BEYOND_ASCII.sub(folding._fold_run, long).lower()
    dense, sparse = folding.words("é" * 200 + " " + long), folding.words("e" * 200 + " " + long)
    assert dense[1:] == sparse[1:] or not text


@given(st.text("aé漢\u0301\u0316가ᄀ\u1161\u11a8क\u094dஆﬁ \n", max_size=400))
@settings(max_examples=300, deadline=None)
def test_pieces_are_cut_where_nothing_joins(text: str) -> None:
    pieces = list(folding._pieces(text))
    assert "".join(pieces) == text
    assert all(len(piece) <= folding._PIECE for piece in pieces)
    if "\u0301\u0316" * 60 not in text:
        assert "".join(unicodedata.normalize("NFC", p) for p in pieces) == unicodedata.normalize("NFC", text)


def test_a_list_longer_than_any_real_one_is_taken_in_part() -> None:
    count = MAX_ITEMS + 5
    front = "related:\n" + "".join(f"- title: T{i}\n" for i in range(count))
    front += "topics:\n" + "".join(f"- t{i}\n" for i in range(count))
    made = read(f"---\n{front}---\n".encode(), "s/x.md")
    assert isinstance(made, Article)
    assert (len(made.related), len(made.topics)) == (MAX_ITEMS, MAX_ITEMS)
    assert len(made.fields["related"]) == count  # type: ignore[arg-type]
    assert [(w.line, w.field) for w in made.warnings] == [(count + 3, "topics"), (2, "related")][::-1]
    assert "1,000 of 1,005" in made.warnings[0].reason


def test_a_thousand_related_articles_are_read() -> None:
    made = read(bombs()["a thousand related"], "s/x.md")
    assert isinstance(made, Article)
    assert len(made.related) == 1_000 and not made.warnings


def test_a_warning_far_down_has_a_line_all_the_same() -> None:
    front = "".join(f"k{i}: v\n" for i in range(9_000)) + "related:\n- quality: x\n"
    made = read(f"---\n{front}---\n".encode(), "s/x.md")
    assert isinstance(made, Article)
    assert [(w.field, w.line) for w in made.warnings] == [("related[0].quality", 0)]


def test_large_files_that_are_no_utf_8() -> None:
    start = b"---\ntitle: Caf\xe9\n---\n"
    few = read(start + b"words " * 300_000 + "é".encode(), "s/x.md")
    many = read(start + b"\xe9a" * 900_000, "s/x.md")
    assert isinstance(few, Article) and isinstance(many, Article)
    assert (few.title, few.body[-1]) == ("Caf\ufffd", "é")
    assert (many.title, many.body[:4]) == ("Café", "éaéa")


@pytest.mark.parametrize("inner", ["a", "a/deep"])
def test_a_folder_that_becomes_a_link_before_it_is_looked_into_gives_no_names(
    tmp_path: Path, inner: str
) -> None:
    root = tmp_path / "news"
    outside = tmp_path / "private"
    (outside / "deep").mkdir(parents=True)
    (root / "a" / "deep").mkdir(parents=True)
    for folder in (outside, outside / "deep", root / "a", root / "a" / "deep"):
        (folder / f"of-{folder.parent.name}-{folder.name}.md").write_text("---\ntitle: Secret\n---\n")
    looks = 0

    def swap() -> bool:
        """Asked before each folder: *inner* was found, and is a link when it comes to its turn."""
        nonlocal looks
        looks += 1
        if looks == 1 + len(inner.split("/")):
            (root / inner).rename(tmp_path / "moved")
            (root / inner).symlink_to(outside)
        return False

    found = scan(Source("news", root), {}, stop=swap)
    assert (root / inner).is_symlink()
    names = [name for change in found.changes for name in change.changed]
    assert not [name for name in names if "private" in name]
    assert f"news/{inner}" in [path for path, _ in found.unreadable]


def test_a_folder_that_became_a_link_gives_nothing(tmp_path: Path) -> None:
    """Between the listing and the reading; and links to files by way of such a folder."""
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "a.md").write_text("---\ntitle: Secret\n---\n")
    (outside / "deep" / "a.md").write_text("---\ntitle: Secret\n---\n")
    root = tmp_path / "in"
    root.mkdir()
    (root / "sub").symlink_to(outside)
    (root / "real").mkdir()
    (root / "real" / "sub").symlink_to("../../outside/deep")
    (root / "link.md").symlink_to("sub/a.md")
    (root / "real" / "up.md").symlink_to("../../outside/a.md")
    (root / "real" / "fine.md").symlink_to("../good.md")
    (root / "good.md").write_text("good")
    for path in ("sub/a.md", "sub/deep/a.md", "real/sub/a.md", "link.md", "real/up.md"):
        for near in (None, Near()):
            with pytest.raises(SourceError):
                read_file(root, path, near)
    assert read_file(root, "real/fine.md") == b"good"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/tty", "/dev/stdin", "/proc/self/mem", "/proc/kmsg"])
def test_links_to_devices_give_a_problem(tmp_path: Path, device: str) -> None:
    if not os.path.exists(device):
        pytest.skip(f"there is no {device} here")
    (tmp_path / "a.md").symlink_to(device)
    with pytest.raises(SourceError, match="out of the source"):
        read_file(tmp_path, "a.md")


def test_a_socket_and_a_loop_of_links(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(tmp_path)  # the name of a socket may not be long
        try:
            server.bind("a.md")
        finally:
            os.chdir(here)
        with pytest.raises(SourceError):
            read_file(tmp_path, "a.md")
    (tmp_path / "b.md").symlink_to("c.md")
    (tmp_path / "c.md").symlink_to("b.md")
    with pytest.raises(SourceError):
        read_file(tmp_path, "b.md")


def test_a_problem_is_one_line_with_a_place() -> None:
    for name, data in bombs().items():
        if len(data) < 100_000 and isinstance(made := read(data, "s/x.md"), Problem):
            assert made.reason and "\n" not in made.reason and made.line >= 0, name
