"""Sources -> frontmatter -> library: incremental, cancellable, safe to stop anywhere.

A folder's file times are kept in the same transaction as the last of its
articles, and now and then on the way there, the rest marked as unread. So a
run that was cut off leaves only whole articles behind, and the next one knows
of each of them and reads what is not yet in (after a kill a little more).

What only a change needs (the parser, the rules, the stories) is imported when
there is one.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from reader import editions, filereader, sources
from reader.errors import SourceError, StoreDamaged, StoreReadOnly
from reader.model import LinkCheck, Mark
from reader.progress import Progress, Report
from reader.rereading import reread
from reader.sources import Source
from reader.store.library import Library
from reader.store.preparing import Prepared
from reader.store.state import Change, State, utc_now
from reader.store.writer import Batch, Writer
from reader.syncing import sync

if TYPE_CHECKING:
    from reader.filereader import Found

__all__ = ["BATCH", "Ingest", "Progress", "Report", "reread", "sync"]

BATCH = 800
"""Files in one transaction. With five times as many a load is as fast, and takes up 35 MB more."""

_FIRST_BATCH = 200  # of many: small, so that the first page shows soon
_LAST = 500  # in the last transactions of many
_HEAVY = 16_000_000  # characters of text after which a transaction ends, however few its files
_KEEP_EVERY = 6  # batches of one folder between two notes of how far it is


@dataclass(slots=True)
class _Moves:
    """Keys seen leaving and coming, to tell a move from a loss and a find."""

    gone: set[str] = field(default_factory=set)
    come: set[str] = field(default_factory=set)


class Ingest:
    """One run over *found*; :meth:`stop` may be called from any thread."""

    def __init__(
        self,
        library: Library,
        state: State,
        found: Sequence[Source],
        progress: Callable[[Progress], None] = lambda _: None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.library = library
        self.state = state
        self.sources = found
        self.progress = progress
        self.clock = clock
        self._writer = Writer(library)
        self._stopped = False
        self._moves = _Moves()
        self._rules_look = False
        self._left_out = False  # whether files wait for marks that cannot be kept now
        self._empty = False  # at the start of the run: nothing can have gone or moved
        self.helpers: int | None = None
        """Processes that read files beside this one; None: as many as are worth it."""
        self.ruled: Callable[[Change], None] = lambda _: None
        """Told of each change that a rule made."""
        self.followed: Callable[[Sequence[tuple[str, str]]], None] = lambda _: None
        """Told of articles whose marks went along: (old key, new key) of each."""
        self.glance = False
        """Whether somebody waits for an empty index to show its first page."""

    def stop(self) -> None:
        """End soon; everything finished is kept."""
        self._stopped = True

    def run(self) -> Report:
        """Bring the library up to date with the sources and with the reader's marks.

        A library found damaged on the way is begun anew.

        Raises:
            StoreError: the library cannot be written, or the marks cannot be read.
        """
        with _quiet_collector():
            try:
                return self._run()
            except StoreDamaged as error:
                if str(self.state.path) in str(error):  # put right by whoever has them open, not here
                    raise
                self.library.rebuild()
                self._writer, self._moves = Writer(self.library), _Moves()
                return self._run()

    def _run(self) -> Report:
        report = Report()
        self.library.write_much()
        sync(self.library, self.state)
        self._apply_rules(report)
        self._drop_other_sources()
        self._empty = not self.library.kept()
        if self.glance and self.sources and self._empty:
            self._take_a_glance(self.sources[0], report)
        for source in self.sources:
            with filereader.Team(source, self.helpers) as team:
                self._look_through(source, team, report)
            if self._stopped:
                break
        report.moved = len(self._moves.gone & self._moves.come)
        report.added -= report.moved
        report.removed -= report.moved
        if not self._stopped:
            from reader.folding import Folding

            Folding(self.library, self.state, self._folding, lambda: self._stopped).run()
        report.stopped = self._stopped
        return report

    def _look_through(self, source: Source, team: filereader.Team, report: Report) -> None:
        try:
            known = self.library.folders(source.name)
            scan = sources.scan(source, known, stop=lambda: self._stopped, expect=team.expect)
        except SourceError as error:
            report.unreadable.append((source.name, str(error)))
            return
        report.files += scan.files
        report.unreadable.extend(scan.unreadable)
        # What a new index finds was there before: only what comes later has arrived.
        settled = f"settled:{source.name}"
        self._rules_look = bool(self.library.meta(settled)) and any(r.enabled for r in self.state.rules())
        self._take(source, scan, team, report)
        if not self._stopped and not self.library.meta(settled):
            self._writer.note(settled, 1)

    def _take_a_glance(self, source: Source, report: Report) -> None:
        """Take in the first files there are, before the rest is even looked for."""
        with contextlib.suppress(SourceError):  # it will be said
            known = self.library.folders(source.name)
            scan = sources.scan(source, known, stop=lambda: self._stopped, most=_FIRST_BATCH)
            with filereader.Team(source, 0) as here:
                self._take(source, scan, here, report)

    def _folding(self, done: int, total: int) -> None:
        self.progress(Progress("", done, total))

    def _drop_other_sources(self) -> None:
        """A library belongs to one set of sources; a folder renamed in it leaves nothing behind."""
        names = {s.name for s in self.sources}
        for source in self.library.sources():
            if source not in names:
                batch = Batch(removed=self.library.paths_below(source))
                batch.gone_folders = [(source, path) for path in self.library.folders(source)]
                self._write(batch)

    def _take(self, source: Source, scan: sources.Scan, team: filereader.Team, report: Report) -> None:
        inner = (f"{c.path}/{name}" if c.path else name for c in scan.changes for name in c.changed)
        much = self._writer.loading() if scan.changed > BATCH else contextlib.nullcontext()
        with much, contextlib.closing(filereader.read_by(team, source, inner)) as found:
            self._take_found(source, scan, found, report)

    def _take_found(self, source: Source, scan: sources.Scan, found: Iterator[Found], report: Report) -> None:
        total, done = scan.changed, 0
        batch, limit = Batch(), _FIRST_BATCH if total > BATCH else BATCH
        self.progress(Progress(source.name, 0, total))
        for change in scan.changes:
            batches = 0
            for number in range(len(change)):
                if self._stopped or len(batch) >= limit or batch.weight > _HEAVY:
                    if self._stopped or batches % _KEEP_EVERY == 0:
                        batch.folders.append((source.name, change.path, change.stats_after(number)))
                    self._flush(batch, report)
                    self.progress(Progress(source.name, done, total))
                    batch, limit, batches = Batch(), _next(total - done), batches + 1
                if self._stopped:
                    return
                batch.add(next(found))
                done += 1
            prefix = f"{source.name}/{change.path}/" if change.path else f"{source.name}/"
            batch.removed.extend(prefix + name for name in change.removed)
            if change.gone:
                batch.gone_folders.append((source.name, change.path))
            else:
                batch.folders.append((source.name, change.path, change.stats))
        self._flush(batch, report)
        self.progress(Progress(source.name, done, total))

    def _flush(self, batch: Batch, report: Report) -> None:
        if not len(batch) and not batch.folders and not batch.gone_folders:
            return
        known = self.library.keys_of([*(a.path for a in batch.articles), *batch.removed])
        if not self._empty:
            self._moves.gone.update(known[p] for p in batch.removed if p in known)
            self._moves.come.update(a.key for a in batch.articles if a.path not in known)
        followed = self._follow(batch, known)
        if self._left_out:
            batch.folders.clear()
            batch.gone_folders.clear()
        if self._rules_look:
            keys = {a.key for a in batch.articles} - self._moves.gone - followed
            batch.arrived.extend(sorted(keys - self.library.known_keys(keys)))
        self._remember(batch, bool(known))
        report.cleared += self._write(batch)
        if batch.arrived:
            self._apply_rules(report)
        old = sum(a.path in known for a in batch.articles)
        report.changed += old
        report.added += len(batch.articles) - old
        report.removed += sum(path in known for path in batch.removed)
        report.problems += len(batch.problems)
        report.warnings += sum(len(a.warnings) for a in batch.articles)

    def _follow(self, batch: Batch, known: Mapping[str, str]) -> set[str]:
        """Have what was said of articles that come under another key go along; their new keys."""
        if not known:
            return set()
        from reader.readdressing import Unfollowed, follow, may

        coming = [a for a in batch.articles if isinstance(a, Prepared)]
        if not may(known, coming):
            return set()
        try:
            moves = follow(self.library, self.state, known, coming, batch.removed)
        except Unfollowed as error:
            # They stay in the index as they were; no folder's times are kept: the next run meets them.
            batch.articles = [a for a in batch.articles if a.path not in error.paths]
            batch.removed = [path for path in batch.removed if not known.get(path, "").startswith("file:")]
            self._left_out = True
            return set()
        if moves:
            self.followed(moves)
        return {new for _, new in moves}

    def _remember(self, batch: Batch, any_known: bool) -> None:
        """Keep the headlines that *batch* is about to change, before the index forgets them."""
        # Marks that cannot be written now cost this, not the news.
        with contextlib.suppress(StoreReadOnly):
            if any_known or self.state.headline_keys():  # else there is nothing that could differ
                told = [article.headline for article in batch.articles if isinstance(article, Prepared)]
                editions.remember(self.library, self.state, told, batch.removed, self.clock())

    def _write(self, batch: Batch) -> int:
        return self._writer.apply(batch, self._marks, self._links)

    def _apply_rules(self, report: Report) -> None:
        """Let the rules look at what has arrived; whatever happens, at each article at least once."""
        arrived = self.library.arrived()
        if arrived:
            from reader import rules

            try:
                # One by one: what is done can be taken back, though the next one fails.
                for change in rules.run(self.library, self.state, arrived, self.clock()):
                    report.ruled.append(change.label)
                    self.ruled(change)
            except StoreReadOnly:  # no mark can be kept now: they wait for the next run
                return
            sync(self.library, self.state)
            self._writer.looked_at(arrived)

    def _marks(self, keys: Iterable[str]) -> Mapping[str, Mark]:
        return self.state.marks(keys)

    def _links(self, addresses: Iterable[str]) -> Mapping[str, LinkCheck]:
        return self.state.checks(addresses)


@contextlib.contextmanager
def _quiet_collector() -> Iterator[None]:
    """Articles hold no circles, and looking for some among many would stop every thread, a screen's too."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _next(left: int) -> int:
    """Files of the transaction after another, *left* being all there are."""
    # In the end fewer, as nothing is read beside the last; a few would cost as much as many.
    return left if left < _LAST else min(BATCH, max(_LAST, left // 2))
