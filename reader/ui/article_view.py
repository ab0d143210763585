"""An article as blocks of styled text, in the order a newspaper would print it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from reader import browser
from reader.editions import changes
from reader.htmltext import unescape_excerpt
from reader.model import Article, Image, LinkCheck
from reader.store.query.highlight import hits
from reader.store.query.nodes import ALL, Node
from reader.store.rows import PieceRow
from reader.text import clean
from reader.ui import human
from reader.ui.coverage_view import coverage, history
from reader.ui.document import Block, Body, Lines, Rule
from reader.ui.styling import ACCENT, BAD, DIM, LEAD, STRONG, TITLE, below, lit, styled
from reader.values import dataclass

if TYPE_CHECKING:
    from reader.ui.aiming import Loaded

_TYPES_SHOWN = {"", "article"}


@dataclass(frozen=True, slots=True)
class Page:
    """What the article pane is given."""

    blocks: tuple[Block, ...]


def article_page(
    loaded: Loaded,
    now: int,
    key_of: Callable[[str], str],
    unfolded: frozenset[str] = frozenset(),
    query: Node = ALL,
) -> Page:
    """The page of an article of the library; what *query* looks for is lit up."""
    row, article = loaded.row, loaded.article
    title = lit(row.title or "(untitled)", TITLE, hits(query, row.title, "title"))
    blocks: list[Block] = [Lines(title, id=TITLE)]
    blocks.append(Lines(_byline(loaded, now)))
    badges = _badges(loaded)
    if badges:
        blocks.append(Lines(_joined(badges)))
    if article is not None and article.topics:
        blocks.append(Lines(styled(("in ", DIM), " · ".join(clean(t) for t in article.topics))))
    if loaded.mark.tags:
        blocks.append(Lines(styled(("tags ", DIM), (", ".join(loaded.mark.tags), ACCENT))))
    blocks.append(Lines(Text()))
    if loaded.missing:
        blocks += [
            Lines(styled((f"! {loaded.missing}: what the index remembers is shown", BAD))),
            Lines(Text()),
        ]
    excerpt = clean(unescape_excerpt(article.excerpt if article else row.excerpt), 20_000)
    if excerpt:
        blocks += [Lines(lit(excerpt, LEAD, hits(query, excerpt, "excerpt"))), Lines(Text())]
    if loaded.mark.note:
        blocks += [Rule("Your note"), Lines(styled(loaded.mark.note)), Lines(Text())]
    if article is not None and article.body.strip():
        blocks += [Body(article.body), Lines(Text())]
    blocks += history(loaded.history)
    blocks += coverage(loaded, unfolded, {name: key_of(name) for name in ("story", "unfold")})
    blocks += _addresses(loaded, now)
    if article is not None:
        blocks += _images(article.images)
        blocks += _rest(loaded, article, key_of)
    return Page(tuple(blocks))


def mention_page(piece: PieceRow, loaded: Loaded, now: int) -> Page:
    """What is known of a piece that is not in the library itself."""
    blocks: list[Block] = [Lines(styled((piece.title or "(untitled)", TITLE)), id=TITLE)]
    facts = [piece.outlet or "unknown outlet"]
    if piece.published is not None:
        facts.append(f"{human.local(piece.published)} ({human.ago(piece.published, now)})")
    blocks.append(Lines(styled((" · ".join(facts), DIM))))
    if piece.quality is not None:
        blocks.append(Lines(styled((f"quality {piece.quality}", DIM))))
    blocks.append(Lines(Text()))
    if piece.excerpt:
        blocks += [Lines(styled((unescape_excerpt(piece.excerpt), LEAD))), Lines(Text())]
    blocks.append(Lines(styled(("This piece is not in the library; it is mentioned by:", DIM))))
    blocks.append(Lines(styled((loaded.row.title, STRONG)), indent=2))
    blocks.append(Lines(Text()))
    if piece.url:
        blocks.append(_address_line("web", piece.url, loaded.checks.get(piece.url), now))
    else:
        blocks.append(Lines(styled(("It gives no address.", DIM))))
    return Page(tuple(blocks))


def _byline(loaded: Loaded, now: int) -> Text:
    row, article = loaded.row, loaded.article
    pieces: list[tuple[str, str] | str] = [(row.outlet or "unknown outlet", ACCENT)]
    if article is not None and article.provider.authors:
        pieces.append((f", {', '.join(clean(a, 100) for a in article.provider.authors[:4])}", DIM))
    if row.published is not None:
        pieces.append((f"  {human.local(row.published)} ({human.ago(row.published, now)})", DIM))
    else:
        pieces.append(("  no date", DIM))
    if article is not None and article.date_origin.value == "filename":
        pieces.append((" by its file name", DIM))
    if article is not None and article.updated_at is not None:
        pieces.append((f", updated {human.local(int(article.updated_at.timestamp()))}", DIM))
    return styled(*pieces)


def _badges(loaded: Loaded) -> list[tuple[str, str]]:
    row, mark = loaded.row, loaded.mark
    badges: list[tuple[str, str]] = []
    if not mark.read:
        badges.append(("● unread", ACCENT))
    if mark.starred:
        badges.append(("★ starred", ACCENT))
    if row.type not in _TYPES_SHOWN:
        badges.append((row.type, STRONG))
    if row.front is False:
        badges.append(("◌ unpublished", STRONG))
    if told := changes(loaded.history):
        badges.append((told, STRONG))
    if row.quality is not None:
        badges.append((f"quality {row.quality}", DIM))
    if row.heat is not None:
        badges.append(("gone cold" if row.heat < 0 else f"heat {row.heat}", DIM))
    if loaded.article is not None and loaded.article.secured:
        badges.append((f"sealed, {human.size(_sealed_size(loaded.article.secured))}", DIM))
    return badges


def _sealed_size(secured: str) -> int:
    """The bytes of a base64 ``;`` base64 payload, which nobody here reads."""
    return sum(len(part.rstrip("=")) * 3 // 4 for part in secured.split(";"))


def _joined(badges: Sequence[tuple[str, str]]) -> Text:
    pieces: list[tuple[str, str] | str] = []
    for badge in badges:
        if pieces:
            pieces.append((" · ", DIM))
        pieces.append(badge)
    return styled(*pieces)


def _addresses(loaded: Loaded, now: int) -> list[Block]:
    article = loaded.article
    if article is None:
        named: Mapping[str, str] = {"web": loaded.row.url}
    else:
        named = {
            "web": article.web_url,
            "original": article.original_url if article.original_url != article.web_url else "",
            "AMP": article.amp_url,
            "CDN AMP": article.cdn_amp_url,
        }
    lines = [_address_line(name, url, loaded.checks.get(url), now) for name, url in named.items() if url]
    if not lines:
        return [Lines(styled(("It gives no address.", DIM))), Lines(Text())]
    return [Rule("Addresses"), *lines, Lines(Text())]


def _address_line(name: str, url: str, check: LinkCheck | None, now: int) -> Block:
    text = styled((f"{name}  ", DIM), browser.shown(url))
    if check is not None:
        from reader.ui.link_view import check_text

        text = below(text, check_text(check, now))
    return Lines(text, id=f"address:{url}", item=True)


def _images(images: Sequence[Image]) -> list[Block]:
    if not images:
        return []
    blocks: list[Block] = [Rule(f"Images: {len(images)}")]
    for image in images[:50]:
        size = f"{image.width}×{image.height}" if image.width and image.height else "size unknown"
        caption = clean(" ".join(filter(None, (image.title, image.attribution))), 300)
        text = styled((f"{size}  ", DIM), clean(image.url, 4096))
        blocks.append(Lines(below(text, styled((caption, DIM))) if caption else text, indent=2))
    return [*blocks, Lines(Text())]


def _rest(loaded: Loaded, article: Article, key_of: Callable[[str], str]) -> list[Block]:
    lines: list[Block] = []
    if loaded.same_key:
        others = ", ".join(clean(p) for p in loaded.same_key[:4])
        lines.append(Lines(styled((f"the same address is also in {others}", DIM))))
    if article.warnings:
        first = article.warnings[0]
        more = f" and {len(article.warnings) - 1} more" if len(article.warnings) > 1 else ""
        lines.append(Lines(styled((f"! line {first.line}: {clean(first.reason)}{more}", BAD))))
    names = ", ".join(clean(name, 40) for name in list(article.extra)[:8])
    if names:
        lines.append(Lines(styled((f"also has {names} ({key_of('fields')} shows every field)", DIM))))
    lines.append(Lines(styled((clean(article.path), DIM))))
    return lines
