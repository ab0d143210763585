"""The quick way is the full way: soup, documents as programs write them, real files with accidents."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from frontmatter_tools import agree, mutated, soup
from hypothesis import given, settings
from hypothesis import strategies as st

from reader.frontmatter import read, reading, strict
from reader.frontmatter.values import plain
from reader.model import Article, JsonValue, Problem

PATH = "s/2020-06-11-x.md"
ACCIDENTS = int(os.environ.get("NEWSFOLD_ACCIDENTS", "50000"))

text = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40)
keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,12}", fullmatch=True)
scalars = st.one_of(
    text.map(lambda value: (_quoted(value), value)),
    st.integers(-(10**17), 10**17).map(lambda value: (str(value), value)),
    st.booleans().map(lambda value: (str(value).lower(), value)),
    st.just(("", None)),
    st.sampled_from(["A b", "no", "3.10", "12:30", "2020-06-11T02:01:00Z", "https://a.example/b?c#d"]).map(
        lambda value: (value, plain(value))
    ),
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4) | st.dictionaries(keys, inner, min_size=1, max_size=5)
    ),
    max_leaves=12,
)
maps = st.dictionaries(keys, documents, max_size=8)


def _quoted(value: str) -> str:
    kept = "".join(
        c if c in " \n\t" or c.isprintable() else f"\\U{ord(c):08x}" for c in value.replace("\\", "\\\\")
    )
    return '"' + kept.replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def written(value: object, column: int, own_line: bool) -> str:
    """*value* as a careful program would write it, and as the corpus is written."""
    if isinstance(value, tuple):
        return f" {value[0]}\n" if value[0] else "\n"
    blanks = " " * column
    if isinstance(value, dict):
        lines = [f"{blanks}{key}:{written(inner, column + 2, True)}" for key, inner in value.items()]
        made = "".join(lines)
        return ("\n" if own_line else "") + (made if own_line else made[column:])
    assert isinstance(value, list)
    items = []
    for inner in value:
        if isinstance(inner, list):
            items.append(f"{blanks}-{written(inner, column + 2, True)}")
        else:
            shown = written(inner, column + 2, False)
            items.append(f"{blanks}-{'' if isinstance(inner, tuple) else ' '}{shown}")
    return "\n" + "".join(items)


def meant(value: object) -> JsonValue:
    if isinstance(value, dict):
        return {key: meant(inner) for key, inner in value.items()}
    return [meant(inner) for inner in value] if isinstance(value, list) else value[1]  # type: ignore[index]


@given(maps, text)
@settings(max_examples=60, deadline=None)
def test_machine_written_documents_come_back(fields: dict[str, object], body: str) -> None:
    front = written(fields, 0, True)[1:]
    made = read(f"---\n{front}---\n{body}".encode(), PATH)
    assert isinstance(made, Article), made
    assert repr(made.fields) == repr(meant(fields))
    assert made.body == ("" if body.isspace() else body)
    agree(front)


@given(st.dictionaries(keys, scalars | st.dictionaries(keys, scalars, min_size=1), min_size=1))
@settings(max_examples=60, deadline=None)
def test_the_quick_way_reads_what_it_is_for(fields: dict[str, object]) -> None:
    front = written(fields, 0, True)[1:]
    if "\\U" not in front and not any(c in front for c in "\x85\u2028\u2029\ufeff\ufffe\uffff\t"):
        assert agree(front)


@given(st.binary(max_size=300) | text.map(lambda t: f"---\n{t}\n---\n".encode()))
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_it_raise(data: bytes) -> None:
    for start in (b"", b"---\n", b"+++\n", b"\xff\xfe", b"---\ntitle: "):
        for end in (b"", b"\n---\n", b"\n+++\n"):
            assert isinstance(read(start + data + end, PATH), Article | Problem)


@given(st.text("ab: -\"'\n#[]{}&*!|>%@?~\\0\t", max_size=60))
@settings(max_examples=500, deadline=None)
def test_no_yaml_like_text_makes_them_differ(front: str) -> None:
    agree(front)
    assert isinstance(read(f"---\n{front}\n---\n".encode(), PATH), Article | Problem)


def test_soup() -> None:
    chance = random.Random(20200611)
    assert sum(agree(soup(chance)) for _ in range(20_000)) > 2_000


def accidents(corpus: Path, count: int, seed: int) -> None:
    chance = random.Random(seed)
    files = [data for file in sorted(corpus.rglob("*.md")) if len(data := file.read_bytes()) < 6_000]
    quick = 0
    for _ in range(count):
        data = mutated(chance.choice(files), chance)
        full = reading.read_slowly(data, PATH)
        assert isinstance(full, Article | Problem)
        short = reading._read_quickly(data, PATH)
        if short is not None:
            quick += 1
            assert repr(short) == repr(full), data
            assert short == full, data
    assert quick > count // 5


def test_real_files_with_accidents(corpus: Path) -> None:
    accidents(corpus, 3_000, 1)


@pytest.mark.slow
def test_many_real_files_with_accidents(corpus: Path) -> None:
    """``NEWSFOLD_ACCIDENTS`` files."""
    accidents(corpus, ACCIDENTS, 2)
    chance = random.Random(3)
    for _ in range(4 * ACCIDENTS):
        agree(soup(chance))


def test_the_memories_of_the_quick_way_stay_small() -> None:
    for number in range(3 * strict._MEMO):
        assert strict.parse(f'k{number}: "v"\nl{number}: v\n'.encode())
    assert len(strict._heads) <= strict._MEMO
    assert len(strict._entries) <= strict._MEMO
