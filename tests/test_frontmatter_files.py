"""The real files, the hostile ones, and those that would kill a lesser parser."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from frontmatter_tools import lines_of

from reader.frontmatter import events, read, strict, to_json
from reader.frontmatter.tree import Tree
from reader.frontmatter.values import moment
from reader.model import Article, JsonValue, Problem


def files_in(folder: Path) -> list[tuple[str, bytes]]:
    return [(f"s/{file.relative_to(folder)}", file.read_bytes()) for file in sorted(folder.rglob("*.md"))]


def front_of(data: bytes) -> str:
    text = data.decode().replace("\r\n", "\n")
    return text[4 : text.index("\n---", 3) + 1]


def test_every_real_file_is_an_article(corpus: Path) -> None:
    files = files_in(corpus)
    made = [read(data, path) for path, data in files]
    assert len(made) == 625
    assert all(isinstance(one, Article) for one in made)
    articles = [one for one in made if isinstance(one, Article)]
    # The odd null topic is the only thing wrong in all of them.
    assert [(w.line, w.field) for one in articles for w in one.warnings] == [(19, "topics[0]")] * 3
    assert all((one.title and one.topics) or one.warnings for one in articles)
    assert sum(len(one.related) for one in articles) == 1521
    assert all(one.key.startswith("https://") for one in articles if one.address)
    for one in articles:
        assert json.loads(json.dumps(to_json(one)))["fields"] == one.fields


def test_the_first_article(corpus: Path) -> None:
    (file,) = corpus.glob("2020-06-11-amazon-bans-*.md")
    made = read(file.read_bytes(), f"s/{file.name}")
    assert isinstance(made, Article)
    assert made.published_at == datetime(2020, 6, 11, 2, 1, tzinfo=UTC)
    assert (made.quality, made.heat, made.published, made.provider.domain) == (
        41,
        -1,
        False,
        "bostonglobe.com",
    )
    assert made.topics == ("Computer Vision", "AI", "Natural Language Processing")
    assert made.secured.endswith("==")
    assert [(r.provider.name, r.quality, r.published_at) for r in made.related] == [
        ("Wall Street Journal", 74, datetime(2020, 6, 11, 0, 3, tzinfo=UTC)),
        ("PBS", 61, datetime(2020, 6, 11, 13, 14, tzinfo=UTC)),
        ("SC Media", 41, datetime(2020, 6, 9, 3, 34, tzinfo=UTC)),
        ("Washington Times", 24, datetime(2020, 6, 11, 12, 58, tzinfo=UTC)),
        ("Reason", 2, datetime(2020, 6, 11, 19, 25, tzinfo=UTC)),
    ]
    assert all(r.key.startswith("https://") for r in made.related)
    assert [len(r.images) for r in made.related] == [1, 1, 1, 1, 0]


def same(ours: JsonValue, theirs: object) -> bool:
    """Whether CSafeLoader's value is ours, but for the typing that we do without."""
    if isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(same(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, datetime):
        return moment(ours) == (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
    if isinstance(theirs, date):
        return ours == theirs.isoformat()
    return type(ours) is type(theirs) and ours == theirs


def test_real_files_mean_what_pyyaml_says(corpus: Path) -> None:
    for path, data in files_in(corpus):
        front = front_of(data)
        full = events.parse(front)
        assert isinstance(full, Tree)
        assert same(full.root, yaml.load(front, yaml.CSafeLoader)), path
        quick = strict.parse(front.encode())
        assert quick is not None, path
        assert repr(quick.root) == repr(full.root), path
        assert lines_of(quick) == lines_of(full), path


@pytest.fixture
def pure_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    events._yaml.cache_clear()
    yield
    monkeypatch.undo()
    events._yaml.cache_clear()


def test_without_libyaml_all_is_the_same(corpus: Path, hostile: Path, request: pytest.FixtureRequest) -> None:
    files = files_in(corpus)[::25] + [(p, d) for p, d in files_in(hostile) if "depth" not in p]
    files += [("s/escapes.md", b'---\ntitle: "\\ud83d\\ude00 \\ud800"\n---\n')]
    with_c = [(path, data, events.parse(front_of(data))) for path, data in files if _fenced(data)]
    request.getfixturevalue("pure_yaml")
    assert events._yaml()[1] is yaml.BaseLoader
    for path, data, tree in with_c:
        pure = events.parse(front_of(data))
        if isinstance(tree, Tree):
            assert isinstance(pure, Tree), path
            assert (repr(pure.root), lines_of(pure), pure.notes) == (
                repr(tree.root),
                lines_of(tree),
                tree.notes,
            )
        else:
            assert not isinstance(pure, Tree), path


def _fenced(data: bytes) -> bool:
    try:
        return data.startswith(b"---") and "\n---" in data.decode()
    except UnicodeDecodeError:
        return False


def test_hostile_files_are_articles_or_problems(hostile: Path) -> None:
    made = {path: read(data, path) for path, data in files_in(hostile)}
    assert len(made) >= 49
    lost = {path for path, one in made.items() if isinstance(one, Problem)}
    assert lost == {
        f"s/files/{name}.md"
        for name in ("fm_conflict", "fm_unterminated", "yaml_depth_30k", "yaml_laughs", "yaml_merge_bomb")
    }
    for one in made.values():
        if isinstance(one, Article):
            json.loads(json.dumps(to_json(one)))


KILLERS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
import threading
from reader.frontmatter import read
def fenced(front): return b"---\\n" + front.encode() + b"\\n---\\n"
laughs = "a0: &a0 [x, x]\\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i-1}'] * 9)}]\\n" for i in range(1, 30))
merges = "a0: &a0 {k: v}\\n" + "".join(
    f"a{i}: &a{i}\\n  <<: [{','.join([f'*a{i-1}'] * 9)}]\\n" for i in range(1, 12))
cases = [
    laughs, merges, "- " * 400_000, "[" * 900_000, "a: " + "{a: " * 200_000, "? " * 400_000, "a: &a [*a]",
    "\\n".join(" " * i + "a:" for i in range(1400)), "a: [" + "a," * 500_000 + "]", "a: 1\\n" * 200_000,
    'a: "' + "\\\\ud800" * 100_000 + '"', 'a: "' + "\\x01" * 1_000_000 + '"', "%YAML 1." + "9" * 5000,
    "x: !!python/object/apply:os._exit [3]", "2020-13-45: 2020-13-45", "x: !!bool x\\ny: !!timestamp z",
]
cases = [fenced(case) for case in cases] + [
    b"+++\\na = " + b"[" * 40_000 + b"\\n+++\\n", b"+++\\n" + b"a." * 20_000 + b"a = 1\\n+++\\n",
    b"+++\\na = " + b"{a=" * 10_000 + b"\\n+++\\n", b"---\\na: \\"x\\n" + b"b: c\\n---\\n" * 100_000,
    b"\\xff\\xfe" + b"\\x00\\xd8" * 4_000_000, b"\\xffa" * 4_000_000,
    b"# a" + b" " * 16_000 + b"b", b"`" * 16_384,
]
def run():
    for data in cases: read(data, "s/x.md")
# A small stack is where deep recursion in C kills first.
threading.stack_size(256 * 1024)
worker = threading.Thread(target=run); worker.start(); worker.join()
run()
print("alive")
"""


def test_nothing_kills_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", KILLERS], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 700 * 1024
