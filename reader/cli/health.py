"""``links``: the links of a whole archive, for those who maintain one."""

from __future__ import annotations

import csv
import io
import re
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from reader import linkstate
from reader.cli.articles import addresses_of, status
from reader.cli.opening import begin, bring_up_to_date
from reader.cli.output import Output, document, fit, say
from reader.cli.patch import patch
from reader.config import Locations
from reader.errors import NotFound, SourceError, UsageError
from reader.links import Checker, Progress
from reader.links.health import Share, by_outlet, by_year, overall
from reader.model import OUTCOMES, JsonValue, LinkCheck, Outcome
from reader.rereading import reread
from reader.session import Session, utc_now
from reader.store.query.parsing import complaint, parse
from reader.store.rows import ArticleRow
from reader.syncing import sync
from reader.text import clean, inert

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_BAR = 30  # cells
_FORMULA = ("=", "+", "-", "@")


def links(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold links check|report|moved``."""
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        return {"check": _check, "report": _report, "moved": _moved}[args.what](args, session, out)


# -- check ------------------------------------------------------------------


def _check(args: Namespace, session: Session, out: Output) -> int:
    failing = _failing(args.fail_on)
    lifetime = _period(args.stale) if args.stale else None
    rows = _rows(session, " ".join(args.query))
    named = dict(_addresses(session, rows, everything=args.all))
    checker = Checker(
        linkstate.policy(session.settings, allow_private=args.allow_private, probe=args.probe),
        known=session.state.checks,
        keep=session.state.record_checks,
    )
    told = _Told()
    try:
        report = checker.check(named, lifetime=lifetime, force=args.force, on_progress=told)
    finally:
        told.clear()
        sync(session.library, session.state)
    checks = session.state.checks(named)
    found = [(address, named[address], checks[address]) for address in named if address in checks]
    if args.json:
        document(
            out, "links", _as_json(session, found, suggest=args.suggest), {"put_off": list(report.put_off)}
        )
    elif args.csv:
        _as_csv(found, out)
    else:
        _as_lines(session, found, out, suggest=args.suggest)
        counts = _counts(check.outcome for _, _, check in found)
        asked = f"{report.requests:,} requests to {report.hosts:,} hosts" if report.requests else "no request"
        say(f"{asked}; {counts}")
    outcomes = {address: check.outcome for address, _, check in found}
    stands = sum(c.outcome is Outcome.REFUSED is not outcomes.get(c.address) for c in report.checks)
    if stands:
        say(f"{stands:,} not asked, as their addresses are private: what they answered before stands")
    if report.put_off:
        say(f"{len(report.put_off):,} put off: their hosts asked for peace; run it again later")
    return 1 if any(check.outcome in failing for _, _, check in found) else 0


def _failing(words: str | None) -> frozenset[Outcome]:
    """The outcomes that ``--fail-on`` names, by their own words or their groups'."""
    known: dict[str, set[Outcome]] = {}
    for outcome, info in OUTCOMES.items():
        known.setdefault(outcome.value, set()).add(outcome)
        known.setdefault(info.group, set()).add(outcome)
    failing: set[Outcome] = set()
    for word in filter(None, (words or "").split(",")):
        if word.strip() not in known:
            raise UsageError(f"--fail-on: {word.strip()} is none of {', '.join(sorted(known))}")
        failing |= known[word.strip()]
    return frozenset(failing)


def _period(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})([mhdw])", text)
    if match is None:
        raise UsageError(f"--stale: {text} is no period such as 12h, 7d or 4w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _rows(session: Session, text: str) -> list[ArticleRow]:
    if not text:
        return session.library.rows(session.library.ids())
    query = parse(text, utc_now())
    if reason := complaint(text, utc_now()):  # what is left of it may be all there is, and is to be asked
        raise UsageError(f"{text}: {reason}")
    return session.library.rows(session.library.search(query, sort="newest").ids)


def _addresses(
    session: Session, rows: Sequence[ArticleRow], *, everything: bool
) -> Iterator[tuple[str, str]]:
    """(address, path of an article that gives it), each address once."""
    seen: set[str] = set()
    for row in rows:
        addresses = [row.url] if row.url else []
        if everything:
            try:
                addresses = addresses_of(reread(session.sources, row.path))
            except (NotFound, SourceError) as error:
                say(f"{row.path}: {error}")
        for address in addresses:
            if address not in seen:
                seen.add(address)
                yield address, row.path


class _Told:
    """How far the run is, on one line of a terminal that goes away again."""

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, progress: Progress) -> None:
        if progress.total and sys.stderr.isatty():
            self._shown = True
            left = f", {progress.left}" if progress.left else ""
            text = f"{progress.done:,} of {progress.total:,}, {progress.rate_per_s:.0f} a second{left}"
            sys.stderr.write(f"\r\x1b[K{fit(text, 76)}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")


Found = Sequence[tuple[str, str, LinkCheck]]


def _as_lines(session: Session, found: Found, out: Output, *, suggest: bool) -> None:
    for address, path, check in found:
        if out.tty and check.outcome is Outcome.ALIVE:
            continue  # a terminal is for what needs a look; a pipe gets everything
        out.columns([(OUTCOMES[check.outcome].word, 13), (status(check), -1), (address, 0), (path, -1)])
        for rung in _rungs(session, path, check) if suggest else ():
            out.columns([("  instead", 13), (rung["why"], -1), (rung["address"], 0), (path, -1)])


def _as_csv(found: Found, out: Output) -> None:
    _csv_line(out, ["outcome", "status", "address", "target", "reason", "checked_at", "elapsed_ms", "path"])
    for address, path, check in found:
        when = check.checked_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        told = (check.outcome.value, str(check.status or ""), address, check.target, check.reason, when)
        _csv_line(out, [*told, str(check.elapsed_ms), path])


def _csv_line(out: Output, cells: Sequence[str]) -> None:
    """One line of a table. A cell that a spreadsheet would reckon with is quoted for it."""
    line = io.StringIO()
    clean_cells = [inert(cell) for cell in cells]
    csv.writer(line, lineterminator="\n").writerow(
        [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in clean_cells]
    )
    out.raw(line.getvalue())


def _as_json(session: Session, found: Found, *, suggest: bool) -> Iterator[JsonValue]:
    for address, path, check in found:
        item: dict[str, JsonValue] = {
            "address": address,
            "path": path,
            "outcome": check.outcome.value,
            "group": OUTCOMES[check.outcome].group,
            "status": check.status,
            "target": check.target or None,
            "reason": check.reason,
            "elapsed_ms": check.elapsed_ms,
            "checked_at": check.checked_at.isoformat(),
            "first_dead": check.first_dead.isoformat() if check.first_dead else None,
            "last_alive": check.last_alive.isoformat() if check.last_alive else None,
        }
        if suggest:
            item["suggestions"] = _rungs(session, path, check)
        yield item


def _rungs(session: Session, path: str, check: LinkCheck) -> list[Mapping[str, str]]:
    """What can be read instead of a page that is not alive."""
    row = None if OUTCOMES[check.outcome].group == "alive" else session.library.at(path)
    if row is None:
        return []
    try:
        article = reread(session.sources, path)
    except (NotFound, SourceError):
        return []
    pieces = linkstate.tellings(session.library, session.state, row.id, row.key)
    found = linkstate.rungs(article, pieces, session.state, session.settings.archive_url)
    return [{"kind": r.kind.value, "address": r.address, "why": r.why} for r in found]


def _counts(outcomes: Iterable[Outcome]) -> str:
    counts = Counter(outcomes).most_common()
    return ", ".join(f"{count:,} {OUTCOMES[outcome].word}" for outcome, count in counts) or "nothing to ask"


# -- report and moved -----------------------------------------------------------


def _report(args: Namespace, session: Session, out: Output) -> int:
    rows = linkstate.link_rows(session.library)
    years, outlets = by_year(rows), by_outlet(rows)
    if args.json:
        more = {"outlets": [_share(s) for s in outlets], "all": _share(overall(rows))}
        document(out, "years", map(_share, years), more)
        return 0
    for title, shares in (("All", [overall(rows)]), ("By year", years), ("By outlet, worst first", outlets)):
        out.line(title)
        width = min(28, max((len(s.label) for s in shares), default=0))
        for share in shares:
            out.columns([(fit(clean(share.label), width), width), (bar(share), 0)])
        out.line()
    return 0


def bar(share: Share, cells: int = _BAR) -> str:
    """A share as a bar with its figures: ``██████░░░░  61% of 120 alive, 30 never asked``."""
    if share.share is None:
        return f"{'·' * cells}    –  {share.total:,} never asked"
    full = round(share.share * cells)
    rest = f", {share.total - share.checked:,} never asked" if share.total > share.checked else ""
    return f"{'█' * full}{'░' * (cells - full)} {share.share:4.0%} of {share.checked:,} alive{rest}"


def _share(share: Share) -> JsonValue:
    return {
        "label": share.label,
        "total": share.total,
        "checked": share.checked,
        "alive": share.alive,
        "share": share.share,
        "groups": dict(share.groups),
    }


def _moved(args: Namespace, session: Session, out: Output) -> int:
    found = linkstate.moved(session.library, session.state)
    if args.patch:
        patch(session, {m.address: m.target for m in found}, out)
    elif args.json:
        items = ({"address": m.address, "target": m.target, "paths": list(m.paths)} for m in found)
        document(out, "moved", items, {})
    else:
        for m in found:
            out.columns([(m.address, 0), (m.target, -1), (", ".join(m.paths), -1)])
            if out.tty:
                out.columns([("  →", 3), (m.target, 0)])
    return 0
