"""Stories: how well they are cut, and what making and keeping them costs.

    python tests/bench/stories.py --quality    precision and recall on tests/fixtures/stories.json
    python tests/bench/stories.py              cluster all and update after 1% changed: JSON, Markdown
    python tests/bench/stories.py --store      the same through the library, as an ingest does it

The 50,000 articles are the corpus over and over with other titles, addresses
and dates: each copy is an archive of its own in which a third of the words are
replaced, so ties and topics are as many and as long as in the real files.
``NEWSFOLD_SHARED`` says where the corpus lies (default: beside the project).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import random
import re
import statistics
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from reader.coverage import tell  # noqa: E402
from reader.folding import Folding  # noqa: E402
from reader.frontmatter import read  # noqa: E402
from reader.model import Article, Problem  # noqa: E402
from reader.store.library import Library  # noqa: E402
from reader.store.state import State  # noqa: E402
from reader.store.writer import Batch, Writer  # noqa: E402
from reader.stories.clustering import Story, cluster  # noqa: E402
from reader.stories.pieces import Tie, names, pieces_and_ties  # noqa: E402
from reader.stories.updating import update  # noqa: E402
from reader.stories.vocabulary import Vocabulary  # noqa: E402
from reader.stories.wire import texts  # noqa: E402

FIXTURE = ROOT / "tests" / "fixtures" / "stories.json"
Labels = list[dict[str, object]]


def load(corpus: Path) -> list[Article]:
    """Every article of the folder *corpus*; files that are none are left out."""
    found = (
        read(f.read_bytes(), f"corpus/{f.relative_to(corpus).as_posix()}")
        for f in sorted(corpus.rglob("*.md"))
    )
    return [article for article in found if not isinstance(article, Problem)]


@dataclasses.dataclass(frozen=True)
class Score:
    """Pairs over all parts together; B-cubed: mean purity and completeness of each piece's story."""

    parts: int
    pieces: int
    precision: float
    recall: float
    b3_precision: float
    b3_recall: float


def labels(use: str | None = None) -> list[list[list[str]]]:
    """The hand-made stories of each part; *use* is ``tuning`` or ``held-out``."""
    clusters = json.loads(FIXTURE.read_text())["clusters"]
    return [c["stories"] for c in clusters if use is None or c["use"] == use]


def score(stories: Iterable[Iterable[str]], parts: Sequence[list[list[str]]]) -> Score:
    """Compare *stories* with labelled *parts*, pair by pair within each part."""
    story_of = {key: at for at, keys in enumerate(stories) for key in keys}
    both = only_found = only_labelled = pieces = 0
    purity = completeness = 0.0
    for part in parts:
        label_of = {key: at for at, keys in enumerate(part) for key in keys}
        keys = [key for key in label_of if key in story_of]
        for at, a in enumerate(keys):
            same_label = same_story = same_both = 0
            for i, b in enumerate(keys):
                label, found = label_of[a] == label_of[b], story_of[a] == story_of[b]
                same_label, same_story, same_both = (
                    same_label + label,
                    same_story + found,
                    same_both + (label and found),
                )
                if i < at:
                    both, only_found = both + (label and found), only_found + (found and not label)
                    only_labelled += label and not found
            purity, completeness, pieces = (
                purity + same_both / same_story,
                completeness + same_both / same_label,
                pieces + 1,
            )
    return Score(
        len(parts),
        pieces,
        both / (both + only_found),
        both / (both + only_labelled),
        purity / pieces,
        completeness / pieces,
    )


def quality(corpus: Path) -> dict[str, Score]:
    """Scores of the rule on the corpus by use of the labels; ``ties alone``: every tie believed."""
    pieces, ties = pieces_and_ties(load(corpus))
    stories = [story.keys for story in cluster(pieces, ties, (), Vocabulary.of(pieces.values()))]
    believed = _components(pieces, ties)
    return {
        "all": score(stories, labels()),
        "tuning": score(stories, labels("tuning")),
        "held-out": score(stories, labels("held-out")),
        "ties alone, all": score(believed, labels()),
    }


def _components(pieces: Iterable[str], ties: Iterable[Tie]) -> list[list[str]]:
    near: defaultdict[str, set[str]] = defaultdict(set)
    for tie in ties:
        near[tie.a].add(tie.b)
        near[tie.b].add(tie.a)
    seen: set[str] = set()
    found: list[list[str]] = []
    for key in pieces:
        if key in seen:
            continue
        part, ask = [], [key]
        seen.add(key)
        while ask:
            part.append(at := ask.pop())
            ask += near[at] - seen
            seen |= near[at]
        found.append(part)
    return found


_WORD = re.compile(r"\w{4,}")


def library(articles: Sequence[Article], size: int) -> Iterator[Article]:
    """*size* articles made of *articles*, each round with other words, addresses, dates and topics."""
    for at in range(size):
        yield _varied(articles[at % len(articles)], at // len(articles))


def _varied(article: Article, turn: int) -> Article:
    if turn == 0:
        return article

    def text(value: str) -> str:
        return _WORD.sub(
            lambda m: f"{m[0]}{turn}" if zlib.crc32(f"{m[0]}{turn}".encode()) % 3 == 0 else m[0], value
        )

    def address(value: str) -> str:
        return f"{value}{'&' if '?' in value else '?'}copy={turn}" if value else ""

    shift = timedelta(days=37 * turn % 3_000, minutes=turn)
    related = tuple(
        dataclasses.replace(
            r,
            key=address(r.key),
            title=text(r.title),
            excerpt=text(r.excerpt),
            web_url=address(r.web_url),
            original_url=address(r.original_url),
            published_at=r.published_at and r.published_at - shift,
        )
        for r in article.related
    )
    return dataclasses.replace(
        article,
        key=address(article.key) if article.web_url or article.original_url else f"{article.key}-{turn}",
        path=f"{article.path}-{turn}",
        title=text(article.title),
        excerpt=text(article.excerpt),
        web_url=address(article.web_url),
        original_url=address(article.original_url),
        published_at=article.published_at and article.published_at - shift,
        topics=tuple(f"{topic} {turn % 7}" if turn % 7 else topic for topic in article.topics),
        related=related,
    )


class Index:
    """What the store keeps for updates: which articles have a name."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self.by_path: dict[str, Article] = {}
        self.paths: defaultdict[str, set[str]] = defaultdict(set)
        for article in articles:
            self.put(article)

    def put(self, article: Article) -> frozenset[str]:
        """Put *article* in the place of the one with its path; the names both have."""
        old = self.by_path.get(article.path)
        before = names(old) if old else frozenset()
        for name in before:
            self.paths[name].discard(article.path)
        self.by_path[article.path] = article
        after = names(article)
        for name in after:
            self.paths[name].add(article.path)
        return before | after

    def naming(self, wanted: Collection[str]) -> list[Article]:
        """Every article with one of the names."""
        return [self.by_path[path] for path in {path for name in wanted for path in self.paths.get(name, ())}]


def _timed(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def measure(articles: Sequence[Article], times: int) -> dict[str, float]:
    """Processor seconds (medians of *times*; all is one thread) and counts for one library."""
    made: dict[str, object] = {}

    def fold() -> None:
        made["pieces"], made["ties"] = pieces_and_ties(articles)

    folded = _timed(fold, times)
    pieces, ties = pieces_and_ties(articles)
    weighed = _timed(lambda: Vocabulary.of(pieces.values()), times)
    vocabulary = Vocabulary.of(pieces.values())
    clustered = _timed(lambda: cluster(pieces, ties, (), vocabulary), times)
    stories = cluster(pieces, ties, (), vocabulary)
    grouped = _timed(lambda: [texts([pieces[k] for k in s.keys]) for s in stories], 1)
    index = Index(articles)
    changing = random.Random(1).sample(list(articles), max(1, len(articles) // 100))
    changed: set[str] = set()
    for at, article in enumerate(changing):
        related = article.related[:-1] if at % 2 and article.related else article.related
        changed |= index.put(
            dataclasses.replace(article, title=f"{article.title} (updated)", related=related)
        )
    updated = _timed(lambda: update(changed, index.naming, (), vocabulary), times)
    result = update(changed, index.naming, (), vocabulary)
    one = [names(article) for article in changing[:50]]
    alone = [_timed(lambda n=n: update(n, index.naming, (), vocabulary), 1) for n in one]
    _check(index, vocabulary, stories, result.dropped, result.stories)
    return {
        "articles": len(articles),
        "pieces": len(pieces),
        "ties": len(ties),
        "stories": len(stories),
        "stories of two and more": sum(len(s.keys) > 1 for s in stories),
        "largest": max(len(s.keys) for s in stories),
        "fold into pieces, CPU s": round(folded, 3),
        "weigh words, CPU s": round(weighed, 3),
        "cluster all, CPU s": round(clustered, 3),
        "texts of all stories, CPU s": round(grouped, 3),
        "changed": len(changing),
        "pieces touched": len(result.pieces),
        "update after 1%, CPU s": round(updated, 3),
        "update after one article, median, CPU ms": round(statistics.median(alone) * 1000, 2),
        "update after one article, slowest of 50, CPU ms": round(max(alone) * 1000, 2),
    }


def through_the_store(articles: Sequence[Article], folder: Path) -> dict[str, float]:
    """Processor seconds of what an ingest does with stories, on a library on the disk; all in one thread."""
    library, state = Library(folder / "library.db"), State.open(folder / "state.db")
    writer = Writer(library)

    def put(changed: Sequence[Article]) -> float:
        start = time.process_time()
        for at in range(0, len(changed), 1_000):
            writer.apply(Batch(articles=list(changed[at : at + 1_000])), lambda _: {}, lambda _: {})
        return time.process_time() - start

    def timed(work: Callable[[], object], times: int = 1) -> float:
        taken = []
        for _ in range(times):
            start = time.process_time()
            work()
            taken.append(time.process_time() - start)
        return statistics.median(taken)

    fold = Folding(library, state).run
    written = put(articles)
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = library.path.stat().st_size
    whole = timed(fold)
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    grown = library.path.stat().st_size - before
    again = timed(fold, 5)
    changing = random.Random(1).sample(list(articles), max(1, len(articles) // 100))
    changed = [
        dataclasses.replace(a, title=f"{a.title} (updated)", related=a.related[:-1] if n % 2 else a.related)
        for n, a in enumerate(changing)
    ]
    put(changed)
    update_all = timed(fold)
    alone = []
    for article in changing[:50]:
        put([article])
        alone.append(timed(fold))
    _check_store(library)
    ids = library.ids()
    leads = library.leads(ids)
    rows = list(leads[:64])
    largest = max(library.stories(), key=lambda story: story.pieces)
    result = {
        "articles": library.total(),
        "stories": len(library.stories()),
        "written, CPU s": round(written, 2),
        "fold all, CPU s": round(whole, 2),
        "stories take, MB": round(grown / 1e6, 1),
        "a start with nothing new, CPU ms": round(again * 1000, 2),
        "changed": len(changed),
        "fold after 1%, CPU s": round(update_all, 2),
        "fold after one article, median, CPU ms": round(statistics.median(alone) * 1000, 1),
        "fold after one article, slowest of 50, CPU ms": round(max(alone) * 1000, 1),
        "all articles' ids, CPU ms": round(timed(library.ids, 5) * 1000, 1),
        "their stories' leads, CPU ms": round(timed(lambda: library.leads(ids), 5) * 1000, 1),
        "only those with news, CPU ms": round(timed(lambda: library.leads(ids, fresh=True), 5) * 1000, 1),
        "the stories of 64 rows, CPU ms": round(timed(lambda: library.stories_of(rows), 9) * 1000, 2),
        "a story of the largest, CPU ms": round(
            timed(lambda: tell(library, state, largest.key), 9) * 1000, 2
        ),
    }
    library.close()
    state.close()
    return result


def _check_store(library: Library) -> None:
    told = library.told([row[0] for row in library._all("SELECT id FROM article")])
    pieces, ties = pieces_and_ties(told.values())
    whole = {s.keys for s in cluster(pieces, ties, (), Vocabulary(library.vocabulary() or {}))}
    kept: defaultdict[int, list[str]] = defaultdict(list)
    for story, key in library._all("SELECT story, key FROM piece ORDER BY story, n"):
        kept[story].append(key)
    if {tuple(keys) for keys in kept.values()} != whole:
        raise SystemExit("the library's stories are not what clustering the whole gives")


def _check(
    index: Index,
    vocabulary: Vocabulary,
    before: Iterable[Story],
    dropped: Collection[str],
    put: Iterable[Story],
) -> None:
    pieces, ties = pieces_and_ties(index.by_path.values())
    whole = {story.keys for story in cluster(pieces, ties, (), vocabulary)}
    kept = {story.keys for story in before if not set(story.keys) & set(dropped)}
    if kept | {story.keys for story in put} != whole:
        raise SystemExit("the update is not what clustering the whole gives")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--size", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args(argv)
    corpus = Path(os.environ.get("NEWSFOLD_SHARED", ROOT.parent / "shared")) / "corpus"
    if not corpus.is_dir():
        print(f"no {corpus} here", file=sys.stderr)
        return 3
    if options.quality:
        scores = {use: dataclasses.asdict(s) for use, s in quality(corpus).items()}
        print(json.dumps(scores, indent=1))
        columns = ("parts", "pieces", "precision", "recall", "b3_precision", "b3_recall")
        rows = [
            (use, *(f"{s[c]:.3f}" if isinstance(s[c], float) else str(s[c]) for c in columns))
            for use, s in scores.items()
        ]
        _table(("labels", *columns), rows)
        return 0
    articles = load(corpus)
    sizes = [articles, list(library(articles, options.size))] if options.size else [articles]
    results = []
    for size in sizes:
        if options.store:
            with tempfile.TemporaryDirectory() as folder:
                results.append(through_the_store(size, Path(folder)))
        else:
            results.append(measure(size, options.times))
    from measuring import peak_mb  # found where this is run as a program

    memory = round(peak_mb())
    print(
        json.dumps({"python": platform.python_version(), "peak MB": memory, "libraries": results}, indent=1)
    )
    _table(
        ("", *(f"{r['articles']:,} articles" for r in results)),
        [(k, *(f"{r[k]:,}" for r in results)) for k in results[0]],
    )
    return 0


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print("\n| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    raise SystemExit(main())
