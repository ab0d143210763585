"""``story`` and ``stories``: the coverage folded together, as lines, as a page, as JSON."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime

from reader.address import canonical
from reader.cli.articles import check_json, local
from reader.cli.opening import begin, bring_up_to_date, find
from reader.cli.output import Output, document, fit
from reader.config import Locations
from reader.coverage import Telling, tell
from reader.editions import changes
from reader.errors import NotFound, UsageError
from reader.model import OUTCOMES, JsonValue, Outcome
from reader.session import Session
from reader.sources import to_text
from reader.store.query.times import period
from reader.store.rows import PieceRow
from reader.stories.piece import summary
from reader.stories.report import offset_label

_WIDTH = 60  # counts of a timeline in JSON, at most


def story(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold story``."""
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        telling = _find(session, args.keys[0])
        if args.json:
            document(out, "stories", [as_json(session, telling)], {})
        else:
            _page(session, telling, out)
    return 0


def stories(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold stories``."""
    with begin(args, locations) as session:
        since = _since(args.since, session) if args.since else None
        bring_up_to_date(session, args)
        rows = [row for row in session.library.stories(since) if row.outlets >= args.outlets]
        rows = rows if args.limit is None else rows[: args.limit]

        def told() -> Iterator[Telling]:
            for row in rows:
                found = tell(session.library, session.state, row.key)
                if found is not None:  # another process may have made it anew
                    yield found

        if args.json:
            document(out, "stories", (as_json(session, telling) for telling in told()), {})
            return 0
        for telling in told():
            _line(telling, out)
    return 0


def _find(session: Session, key: str) -> Telling:
    """The story of what *key* means: a piece, in the library or only mentioned.

    Raises:
        NotFound: there is no such piece.
    """
    for name in (canonical(key), to_text(key)):
        if name and (telling := tell(session.library, session.state, name)) is not None:
            return telling
    row = find(session, key)
    telling = tell(session.library, session.state, row.key)
    if telling is None:
        raise NotFound(f"the story of {row.key} is still to be made: newsfold refresh makes it")
    return telling


def _since(text: str, session: Session) -> int:
    """The epoch second that ``7d``, ``2024-05-01`` or ``yesterday`` means.

    Raises:
        UsageError: it is no time.
    """
    found = period(text, session.clock(), None)
    if found is None:
        raise UsageError(f"--since {text}: no time; 36h, 7d, 2w, yesterday and 2024-05-01 are some")
    return int(found[0].timestamp())


# -- lines ------------------------------------------------------------------------


def _line(telling: Telling, out: Output) -> None:
    row = telling.row
    when = local(row.last)
    outlets, texts = summary(telling.groups)
    out.columns(
        [
            ("●" if row.is_new else " ", 1),
            ((when[:10] if out.tty else when) or "–", 10),
            (_many(row.pieces, "piece"), 10),
            (_many(outlets, "outlet"), 10),
            (_many(texts, "text"), 8),
            (_lead(telling).title or "(untitled)", 0),
            (row.key, -1),
        ]
    )


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _lead(telling: Telling) -> PieceRow:
    """The piece that stands for the story."""
    lead = telling.row.lead
    return next((p for p in telling.pieces if p.article is not None and p.article == lead), telling.pieces[0])


def _page(session: Session, telling: Telling, out: Output) -> None:
    outlets, texts = summary(telling.groups)
    out.block(_lead(telling).title or "(untitled)")
    told = [
        _many(len(telling.pieces), "piece"),
        _many(outlets, "outlet"),
        _many(texts, "independent text"),
        telling.row.news,
    ]
    out.line(", ".join(part for part in told if part))
    if telling.topics:
        out.line(f"topics: {', '.join(telling.topics)}")
    if (spread := telling.spread()).lowest is not None:
        out.line(f"quality: {spread.lowest} to {spread.highest}, median {spread.median}")
    if warning := telling.warning():
        out.line(f"note: {warning}")
    if (best := telling.best()) is not None:
        piece = next(p for p in telling.pieces if p.key == best.key)
        out.block(f"best source: {piece.outlet or piece.domain}: {'; '.join(best.reasons)}")
        out.line(f"  {piece.url}")
    line = telling.timeline(min(out.width or _WIDTH, 100))
    if line.counts:
        out.line(f"from {local(line.start)}, the earliest in this archive:")
        out.raw(f"{line.bars().rstrip()}\n")
    for group in telling.groups:
        if group.copied:
            number = telling.groups.index(group) + 1
            out.line(f"{_many(len(group.outlets), 'outlet')}, one text: probable wire copy (text {number})")
    out.line()
    for piece in telling.pieces:
        _piece(telling, piece, out)
        history = session.state.headline_history(piece.key)
        if piece.article is not None and (words := changes(history)):
            out.line(f"    {words}: {' → '.join(h.title for h in history)}")


def _piece(telling: Telling, piece: PieceRow, out: Output) -> None:
    start = telling.row.first
    offset = None if piece.published is None or start is None else piece.published - start
    info = OUTCOMES[telling.outcome(piece)]
    outlet = piece.outlet or piece.domain or "–"
    out.columns(
        [
            ("○" if piece.article is None else " " if piece.read else "●", 1),
            (offset_label(offset), 10),
            (fit(outlet, 20) if out.tty else outlet, 20),
            (f"quality {piece.quality}" if piece.quality is not None else "", 11),
            (f"text {_text(telling, piece)}", 7),
            (info.word if telling.outcome(piece) is not Outcome.UNCHECKED else "", 9),
            (piece.title or "(untitled)", 0),
            (piece.key, -1),
        ]
    )


def _text(telling: Telling, piece: PieceRow) -> int:
    return next(n for n, group in enumerate(telling.groups, 1) if piece.key in group.keys)


# -- JSON -------------------------------------------------------------------------


def as_json(session: Session, telling: Telling) -> JsonValue:
    """Everything that is known of a story. Times are UTC, offsets in seconds after the earliest piece."""
    row = telling.row
    outlets, texts = summary(telling.groups)
    line = telling.timeline(_WIDTH)
    best = telling.best()
    spread = telling.spread()
    unique = {h.key: [f.text for f in h.fragments if f.unique] for h in telling.headlines()}
    return {
        "key": row.key,
        "lead": _lead(telling).key,
        "title": _lead(telling).title,
        "first": _utc(row.first),
        "last": _utc(row.last),
        "counts": {
            "pieces": len(telling.pieces),
            "outlets": outlets,
            "texts": texts,
            "articles": row.articles,
            "unread": row.unread,
            "new_pieces": row.new_pieces,
            "new_outlets": row.new_outlets,
        },
        "topics": list(telling.topics),
        "quality": {"lowest": spread.lowest, "median": spread.median, "highest": spread.highest},
        "concentration": telling.warning(),
        "timeline": {"start": _utc(row.first), "unit_s": line.unit, "counts": list(line.counts)},
        "texts": [
            {
                "keys": list(group.keys),
                "outlets": len(group.outlets),
                "versions": group.versions,
                "probable_wire_copy": group.copied,
            }
            for group in telling.groups
        ],
        "best": None
        if best is None
        else {
            "key": best.key,
            "address": next(p.url for p in telling.pieces if p.key == best.key),
            "reasons": list(best.reasons),
        },
        "pieces": [
            _piece_json(session, telling, piece) | {"unique_words": unique.get(piece.key, [])}
            for piece in telling.pieces
        ],
    }


def _piece_json(session: Session, telling: Telling, piece: PieceRow) -> dict[str, JsonValue]:
    start = telling.row.first
    check = telling.checks.get(piece.url)
    history = session.state.headline_history(piece.key) if piece.article is not None else []
    return {
        "key": piece.key,
        "title": piece.title,
        "outlet": piece.outlet,
        "domain": piece.domain,
        "published_at": _utc(piece.published),
        "offset_s": None if piece.published is None or start is None else piece.published - start,
        "quality": piece.quality,
        "type": piece.type,
        "address": piece.url,
        "text": _text(telling, piece),
        "in_library": piece.article is not None,
        "read": piece.read,
        "outcome": telling.outcome(piece).value,
        "link": check_json(check) if check else None,
        "headlines": [
            {"title": h.title, "excerpt": h.excerpt, "seen_at": h.seen_at.isoformat().replace("+00:00", "Z")}
            for h in history
        ],
    }


def _utc(epoch: int | None) -> str | None:
    if epoch is None:
        return None
    return datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
