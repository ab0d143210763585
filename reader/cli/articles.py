"""``list`` and ``show``: articles as lines, as a page, as JSON."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from reader.cli.opening import begin, bring_up_to_date, find
from reader.cli.output import Output, document, fit
from reader.config import Locations
from reader.errors import NotFound, SourceError
from reader.model import OUTCOMES
from reader.session import Session
from reader.store.rows import EVERYTHING, ArticleRow, CoverageRow, Place, PlaceKind, Sort
from reader.text import inert

if TYPE_CHECKING:
    from reader.model import Article, JsonValue, LinkCheck, Mark

_CHUNK = 200  # articles held at a time


def list_(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold list``."""
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        ids = chosen(session, args)
        if args.json:
            write_json(session, ids, out)
            return 0
        print_rows(session, ids, out)
    return 0


def print_rows(session: Session, ids: Sequence[int], out: Output, *, keys_only: bool = False) -> None:
    """A line for each of *ids*, or its key alone."""
    for start in range(0, len(ids), _CHUNK):
        for row in session.library.rows(ids[start : start + _CHUNK]):
            if keys_only:
                out.raw(f"{inert(row.key)}\n")
            else:
                _line(row, out)


def chosen(session: Session, args: Namespace) -> Sequence[int]:
    """The rowids that the options of ``list`` leave, in order.

    Raises:
        NotFound: no such topic or outlet.
    """
    library = session.library
    sort = Sort(args.sort or session.settings.sort)
    places = [
        Place(kind, _name(session, kind, name))
        for kind, name in ((PlaceKind.TOPIC, args.topic), (PlaceKind.OUTLET, args.outlet))
        if name is not None
    ]
    if args.starred:
        places.append(Place(PlaceKind.STARRED))
    first, *others = places or [EVERYTHING]
    at_most = None if others else args.limit
    ids: Sequence[int] = library.ids(first, sort, unread=args.unread, limit=at_most)
    for place in others:
        also = set(library.ids(place))
        ids = [i for i in ids if i in also]
    return ids if args.limit is None else ids[: args.limit]


def _name(session: Session, kind: PlaceKind, wanted: str) -> str:
    """The topic or outlet called *wanted*, whatever its case."""
    names = [row.place.name for row in session.library.places(0) if row.place.kind is kind]
    if wanted in names:
        return wanted
    for name in names:
        if name.casefold() == wanted.casefold():
            return name
    from difflib import get_close_matches

    near = get_close_matches(wanted, names, n=3)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise NotFound(f"there is no {kind.value} {wanted}{hint}")


def _line(row: ArticleRow, out: Output) -> None:
    marks = ("★" if row.starred else " ") + (" " if row.read else "●")
    link = OUTCOMES[row.link].glyph if row.link else " "
    when = local(row.published)
    date = when[:10] if out.tty else when
    columns = [
        (marks, 2),
        (link, 1),
        (date or "–", 10),
        (row.outlet or "–", 20),
        (row.title, 0),
        (row.key, -1),
    ]
    out.columns(columns)


def local(epoch: int | None) -> str:
    """``2020-06-11 02:01`` in local time; empty for no time at all."""
    if epoch is None:
        return ""
    try:
        return datetime.fromtimestamp(epoch, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):  # local time would leave the calendar
        return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%MZ")


def show(args: Namespace, locations: Locations, out: Output) -> int:
    """``newsfold show``."""
    with begin(args, locations) as session:
        bring_up_to_date(session, args)
        row = find(session, args.keys[0])
        if args.json:
            document(out, "articles", [as_json(session, row)], {})
        else:
            _page(session, row, out)
    return 0


# -- JSON -----------------------------------------------------------------------


def write_json(
    session: Session, ids: Sequence[int], out: Output, more: Mapping[str, JsonValue] = MappingProxyType({})
) -> None:
    """One document with every article of *ids*, read from its file and written as it comes, and *more*.

    Files that gave nothing any more are named under ``problems`` at the end.
    """
    problems: list[JsonValue] = []

    def items() -> Iterator[JsonValue]:
        for start in range(0, len(ids), _CHUNK):
            for row in session.library.rows(ids[start : start + _CHUNK]):
                try:
                    yield as_json(session, row)
                except (NotFound, SourceError) as error:
                    problems.append({"path": row.path, "reason": str(error)})

    document(out, "articles", items(), {**more, "problems": problems})


def as_json(session: Session, row: ArticleRow) -> JsonValue:
    """Every field of the file behind *row*, its marks, and what is known of its addresses.

    Raises:
        NotFound, SourceError: the file gives no article any more.
    """
    from reader.frontmatter import to_json
    from reader.rereading import reread

    article = reread(session.sources, row.path)
    mark = session.state.mark(article.key)
    checks = session.state.checks(addresses_of(article))
    return to_json(article) | {
        "read": mark.read,
        "starred": mark.starred,
        "hidden": mark.hidden,
        "tags": list(mark.tags),
        "note": mark.note,
        "links": [check_json(check) for check in checks.values()],
    }


def addresses_of(article: Article) -> list[str]:
    """The addresses under which *article* can be read: its own, its AMP page, the cached AMP page."""
    return list(dict.fromkeys(a for a in (article.address, article.amp_url, article.cdn_amp_url) if a))


def check_json(check: LinkCheck) -> JsonValue:
    """What asking an address gave."""

    def time(when: datetime | None) -> str | None:
        return when.isoformat().replace("+00:00", "Z") if when else None

    return {
        "address": check.address,
        "outcome": check.outcome.value,
        "checked_at": time(check.checked_at),
        "status": check.status,
        "target": check.target,
        "reason": check.reason,
        "elapsed_ms": check.elapsed_ms,
        "first_dead": time(check.first_dead),
        "last_alive": time(check.last_alive),
    }


# -- a page ----------------------------------------------------------------------


def _page(session: Session, row: ArticleRow, out: Output) -> None:
    from reader.browser import shown
    from reader.rereading import reread

    article = reread(session.sources, row.path)
    out.block(article.title)
    epoch = int(article.published_at.timestamp()) if article.published_at else None
    about = [row.outlet, local(epoch), *_badges(article, session.state.mark(article.key))]
    out.line(" · ".join(part for part in about if part))
    if article.topics:
        out.line(f"topics: {', '.join(article.topics)}")
    checks = session.state.checks(addresses_of(article))
    for address in addresses_of(article):
        check = checks.get(address)
        out.line(f"{shown(address)}{'  ' + status(check) if check else ''}")
    out.line(f"file: {row.path}")
    if row.key != article.address:
        out.line(f"key: {row.key}")
    for text in (article.excerpt, article.body.strip("\n")):
        if text.strip():
            out.line()
            out.block(text)
    coverage = session.library.coverage(row.id)
    if coverage:
        out.line()
        out.line(f"coverage ({len(coverage)}):")
    for piece in coverage:
        _piece(piece, out)


def _badges(article: Article, mark: Mark) -> list[str]:
    badges = [article.type if article.type != "article" else ""]
    badges.append("not on the front page" if article.published is False else "")
    badges.append(f"quality {article.quality}" if article.quality is not None else "")
    badges.append(f"heat {article.heat}" if article.heat is not None else "")
    badges.append(f"sealed, {_sealed(article.secured)} bytes" if article.secured else "")
    badges += ["read" if mark.read else "unread", "starred" if mark.starred else ""]
    badges.append(f"tags: {', '.join(mark.tags)}" if mark.tags else "")
    return badges


def _sealed(secured: str) -> int:
    """The size of a sealed payload: base64 carries three bytes in four characters."""
    return sum(len(part.strip().rstrip("=")) * 3 // 4 for part in secured.split(";"))


def _piece(piece: CoverageRow, out: Output) -> None:
    here = "●" if piece.article is not None and not piece.read else " "
    quality = f"quality {piece.quality}" if piece.quality is not None else ""
    when = local(piece.published) or "–"
    title = piece.title
    outlet = fit(piece.outlet or "–", 20) if out.tty else piece.outlet
    out.columns([(here, 1), (when, 16), (outlet, 20), (quality, 11), (title, 0), (piece.key, -1)])


def status(check: LinkCheck) -> str:
    """What asking gave, in one line: ``moved 301 120 ms -> https://…``."""
    from reader.browser import shown

    parts = [OUTCOMES[check.outcome].word, str(check.status or ""), f"{check.elapsed_ms} ms"]
    parts.append(f"→ {shown(check.target)}" if check.target else "")
    parts.append(f"({check.reason})" if check.reason else "")
    return " ".join(part for part in parts if part)
