"""What a key is for: the article or the piece of coverage under the cursor, and its addresses."""

from __future__ import annotations

from collections.abc import Mapping

from reader.coverage import Telling
from reader.errors import NotFound, SourceError
from reader.model import Article, LinkCheck, Mark
from reader.rereading import reread
from reader.store.rows import ArticleRow, PieceRow
from reader.store.state import Headline
from reader.ui.control import Controller, in_thread
from reader.ui.places import Pane, Shown
from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything the article pane knows of what it shows. ``missing`` says why the file gave nothing.

    ``coverage`` are the other pieces of its story, ``telling``, then those it lists beside.
    """

    row: ArticleRow
    article: Article | None
    coverage: tuple[PieceRow, ...]
    checks: Mapping[str, LinkCheck]
    mark: Mark
    same_key: tuple[str, ...]
    missing: str = ""
    telling: Telling | None = None
    history: tuple[Headline, ...] = ()


class Aiming(Controller):
    """Knows what is shown and what stands under the cursor."""

    shown: Shown | None
    loaded: Loaded | None

    def _load(self, shown: Shown) -> Loaded | None:
        # Its file read anew, an article may stand under another number.
        rows = self.library.rows([shown.article]) or (self.library.by_key(shown.key) if shown.key else [])
        if not rows:
            return None
        row = rows[0]
        missing = ""
        article: Article | None = None
        try:
            article = reread(self.session.sources, row.path)
        except (NotFound, SourceError) as error:
            missing = str(error)
        telling, coverage = self.screen.storying.around(row)
        history = tuple(self.state.headline_history(row.key))
        addresses = _addresses(article) if article else ([row.url] if row.url else [])
        checks = self.state.checks([*addresses, *(p.url for p in coverage if p.url)])
        copies = tuple(r.path for r in self.library.by_key(row.key) if r.path != row.path)
        mark = self.state.mark(row.key)
        return Loaded(row, article, coverage, checks, mark, copies, missing, telling, history)

    def piece_under_cursor(self) -> PieceRow | None:
        """The piece of coverage that is the current item, or that is shown though only mentioned."""
        if self.shown is not None and self.shown.mention is not None:
            return self.shown.mention
        return self._piece(self.screen.document.current_item)

    def _piece(self, item: str) -> PieceRow | None:
        if self.loaded is None or not item.startswith("piece:"):
            return None
        index = int(item[6:])
        return self.loaded.coverage[index] if index < len(self.loaded.coverage) else None

    def address(self) -> str:
        """The address that a key is for: of the piece under the cursor, else of what is shown."""
        if self.screen.pane is Pane.LIST:
            row = self.screen.list.current
            return row.url if row else ""
        if self.loaded is None or self.shown is None:
            return ""
        if self.shown.mention is not None:
            return self.shown.mention.url
        item = self.screen.document.current_item
        if item.startswith("address:"):
            return item[8:]
        piece = self._piece(item)
        return piece.url if piece is not None else self.loaded.row.url

    async def current(self) -> Loaded | None:
        """Everything of the article a key is for: in the list the row's, though another is shown yet."""
        row = self.screen.list.current
        if self.screen.pane is Pane.ARTICLE or row is None:
            return self.loaded
        if self.loaded is not None and self.loaded.row.id == row.id:
            return self.loaded
        return await in_thread(self._load, Shown(row.id, row.key))

    async def all_addresses(self) -> list[str]:
        """The article's address and those of all its coverage."""
        loaded = await self.current()
        return [loaded.row.url, *(p.url for p in loaded.coverage)] if loaded is not None else []

    async def own_addresses(self) -> list[str]:
        """Every address the article itself gives: web, original, AMP, CDN AMP; or the chosen piece's."""
        piece = self.piece_under_cursor() if self.screen.pane is Pane.ARTICLE else None
        if piece is not None:
            return [piece.url] if piece.url else []
        loaded = await self.current()
        if loaded is None:
            return []
        if loaded.article is None:
            return [loaded.row.url] if loaded.row.url else []
        return _addresses(loaded.article)

    def citation(self) -> tuple[str, str, str, int | None] | None:
        """Title, address, outlet and time of what :meth:`address` is of."""
        if self.screen.pane is Pane.LIST:
            row = self.screen.list.current
            return (row.title, row.url, row.outlet, row.published) if row else None
        if self.loaded is None or self.shown is None:
            return None
        piece = self.shown.mention or self._piece(self.screen.document.current_item)
        if piece is not None:
            return piece.title, piece.url, piece.outlet, piece.published
        row = self.loaded.row
        return row.title, row.url, row.outlet, row.published


def _addresses(article: Article) -> list[str]:
    wanted = (article.web_url, article.original_url, article.amp_url, article.cdn_amp_url)
    return list(dict.fromkeys(a for a in wanted if a))
