"""The one place where front matter becomes an article, whoever read it.

Field by field: a value of the wrong type costs that field, which stays in
``fields`` as written and is named in a warning with its line.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from reader.address import canonical
from reader.model import Article, DateOrigin, FieldWarning, Image, JsonValue, Provider, Related

from . import names
from .making import maker
from .tree import Fields, Path, Tree, dotted
from .values import TRUTHS, integer, moment, written

MAX_WARNINGS: Final = 100
"""Of one file; the last one then says how many more there are."""

MAX_ITEMS: Final = 1_000
"""Of one list: real files have 39 at most. The rest stays in ``fields``."""

_KNOWN: Final = frozenset(
    {
        "title",
        "excerpt",
        "category",
        "type",
        "publishedDateTime",
        "updatedDateTime",
        "webUrl",
        "originalUrl",
        "ampWebUrl",
        "cdnAmpWebUrl",
        "quality",
        "heat",
        "published",
        "provider",
        "topics",
        "related",
        "images",
        "secured",
    }
)
_NO_PROVIDER: Final = Provider()
_ROOT: Final[Path] = ()
_article, _related, _image = maker(Article), maker(Related), maker(Image)


def article(path: str, tree: Tree, body: str, fenced: bool, notes: tuple[FieldWarning, ...] = ()) -> Article:
    """The article of *tree* and *body*; never raises.

    *path* is ``<source>/<path in it>``; *fenced* is false for a file without
    front matter; *notes* are warnings already made about the file.
    """
    build = _Builder()
    fields = tree.root
    text = build.text
    web_url, original_url = text(fields, "webUrl", _ROOT), text(fields, "originalUrl", _ROOT)
    published_at = build.moment(fields, "publishedDateTime", _ROOT)
    origin = DateOrigin.FIELD
    if published_at is None:
        published_at = names.date_of(path)
        origin = DateOrigin.FILENAME if published_at else DateOrigin.NONE
    extra: Fields = {}
    if not _KNOWN.issuperset(fields):
        extra = {name: value for name, value in fields.items() if name not in _KNOWN}
    title = text(fields, "title", _ROOT)
    if not title.strip() and "name" in extra:
        title = text(fields, "name", _ROOT)
        if title:
            del extra["name"]
    if not title.strip():
        title = (names.heading_of(body) if not fenced else "") or names.title_of(path)
    return _article(
        canonical(web_url) or canonical(original_url) or f"file:{path}",
        path,
        title,
        text(fields, "excerpt", _ROOT),
        text(fields, "category", _ROOT),
        text(fields, "type", _ROOT),
        published_at,
        build.moment(fields, "updatedDateTime", _ROOT),
        origin,
        web_url,
        original_url,
        text(fields, "ampWebUrl", _ROOT),
        text(fields, "cdnAmpWebUrl", _ROOT),
        build.integer(fields, "quality", _ROOT),
        build.integer(fields, "heat", _ROOT),
        build.truth(fields, "published", _ROOT),
        build.provider(fields, _ROOT),
        build.topics(fields),
        build.related(fields),
        build.images(fields, _ROOT),
        text(fields, "secured", _ROOT),
        "" if body.isspace() else body,
        fields,
        extra,
        _warnings(tree, build.notes, notes),
    )


def _warnings(
    tree: Tree, notes: list[tuple[Path, str]], earlier: tuple[FieldWarning, ...]
) -> tuple[FieldWarning, ...]:
    if not (notes or earlier or tree.notes):
        return ()
    found = list(earlier)
    found += [FieldWarning(line, name, reason) for line, name, reason in tree.notes[: MAX_WARNINGS + 1]]
    found += [FieldWarning(tree.line_of(p), dotted(p), reason) for p, reason in notes[: MAX_WARNINGS + 1]]
    found.sort(key=lambda warning: warning.line)
    total = len(earlier) + len(tree.notes) + len(notes)
    if total > MAX_WARNINGS:
        last = found[MAX_WARNINGS - 1]
        found[MAX_WARNINGS - 1 :] = [
            FieldWarning(last.line, "", f"and {total - MAX_WARNINGS + 1} more warnings")
        ]
    return tuple(found)


@lru_cache(maxsize=4096)
def _outlet(name: str, domain: str) -> Provider:
    # The same few hundred outlets stand in every library.
    return Provider(name, domain)


class _Builder:
    """Reads typed values out of maps and notes what was not as it should be."""

    __slots__ = ("notes",)

    def __init__(self) -> None:
        self.notes: list[tuple[Path, str]] = []

    def text(self, fields: Fields, name: str, where: Path) -> str:
        value = fields.get(name)
        if value.__class__ is str:
            return value
        if value is None:
            return ""
        text = written(value)
        if text is None:
            self.notes.append(((*where, name), f"text expected, not {_kind(value)}"))
            return ""
        return text

    def integer(self, fields: Fields, name: str, where: Path) -> int | None:
        value = fields.get(name)
        if value is None or value.__class__ is int:
            return value
        number = integer(value)
        if number is None and value != "":
            self.notes.append(((*where, name), "a whole number expected"))
        return number

    def truth(self, fields: Fields, name: str, where: Path) -> bool | None:
        value = fields.get(name)
        if value is None or value.__class__ is bool:
            return value
        truth = TRUTHS.get(value.lower()) if isinstance(value, str) else None
        if truth is None and value != "":
            self.notes.append(((*where, name), "true or false expected"))
        return truth

    def moment(self, fields: Fields, name: str, where: Path) -> datetime | None:
        value = fields.get(name)
        if value is None or value == "":
            return None
        when = moment(value) if isinstance(value, str) else None
        if when is None:
            self.notes.append(((*where, name), "not a date and time that exists"))
        return when

    def items(self, fields: Fields, name: str, where: Path, of: str) -> list[JsonValue]:
        value = fields.get(name)
        if value is None or value.__class__ is list:
            if value and len(value) > MAX_ITEMS:
                self.notes.append(
                    ((*where, name), f"only the first {MAX_ITEMS:,} of {len(value):,} are taken")
                )
                return value[:MAX_ITEMS]
            return value or []
        self.notes.append(((*where, name), f"a list of {of} expected; taken as a list of one"))
        return [value]

    def provider(self, fields: Fields, where: Path) -> Provider:
        value = fields.get("provider")
        if value is None:
            return _NO_PROVIDER
        if not isinstance(value, dict):
            name = written(value)
            if name is None:
                self.notes.append(((*where, "provider"), f"a name or a map expected, not {_kind(value)}"))
            return Provider(name=name or "")
        if len(value) == 2 and (name := value.get("name")).__class__ is str:
            domain = value.get("domain")
            if domain.__class__ is str:
                return _outlet(name, domain)
        within = (*where, "provider")
        return Provider(
            self.text(value, "name", within),
            self.text(value, "domain", within),
            self.images(value, within) if "images" in value else (),
            self.authors(value, within) if "authors" in value else (),
        )

    def authors(self, fields: Fields, where: Path) -> tuple[str, ...]:
        found: list[str] = []
        for at, value in enumerate(self.items(fields, "authors", where, "authors")):
            within = (*where, "authors", at) if isinstance(fields["authors"], list) else (*where, "authors")
            name = self.text(value, "name", within) if isinstance(value, dict) else written(value)
            if name:
                found.append(name)
            else:
                self.notes.append((within, "an author without a name"))
        return tuple(found)

    def topics(self, fields: Fields) -> tuple[str, ...]:
        values = self.items(fields, "topics", _ROOT, "topics")
        for value in values:
            if value.__class__ is not str or not value:
                break
        else:
            return tuple(dict.fromkeys(values))
        found: dict[str, None] = {}
        for at, value in enumerate(values):
            text = written(value)
            if text:
                found[text] = None
            else:
                where: Path = ("topics", at) if isinstance(fields["topics"], list) else ("topics",)
                self.notes.append((where, f"text expected, not {_kind(value)}"))
        return tuple(found)

    def images(self, fields: Fields, where: Path) -> tuple[Image, ...]:
        if fields.get("images") is None:
            return ()
        found: list[Image] = []
        for at, value in enumerate(self.items(fields, "images", where, "images")):
            if value.__class__ is dict:
                get = value.get
                url, width, height, cached = get("url"), get("width"), get("height"), get("isCached")
                if (
                    len(value) == 4
                    and url
                    and url.__class__ is str
                    and width.__class__ is height.__class__ is int
                    and cached.__class__ is bool
                ):
                    # The usual image: just these four.
                    found.append(_image(url, width, height, "", "", cached))
                    continue
            within = (*where, "images", at) if isinstance(fields["images"], list) else (*where, "images")
            if isinstance(value, dict) and (url := self.text(value, "url", within)):
                found.append(
                    Image(
                        url,
                        self.integer(value, "width", within),
                        self.integer(value, "height", within),
                        self.text(value, "title", within),
                        self.text(value, "attribution", within),
                        self.truth(value, "isCached", within),
                    )
                )
            elif isinstance(value, str) and value:
                found.append(Image(value))
            else:
                self.notes.append((within, "an image without an address"))
        return tuple(found)

    def related(self, fields: Fields) -> tuple[Related, ...]:
        if fields.get("related") is None:
            return ()
        found: list[Related] = []
        for at, value in enumerate(self.items(fields, "related", _ROOT, "articles")):
            within: Path = ("related", at) if fields["related"].__class__ is list else ("related",)
            if value.__class__ is dict:
                found.append(self.one_related(value, within))
            else:
                self.notes.append((within, f"a map expected, not {_kind(value)}"))
        return tuple(found)

    def one_related(self, value: Fields, within: Path) -> Related:
        get, text = value.get, self.text
        # Nearly all are text: the call is for those that are not.
        if (title := get("title", "")).__class__ is not str:
            title = text(value, "title", within)
        if (excerpt := get("excerpt", "")).__class__ is not str:
            excerpt = text(value, "excerpt", within)
        if (web_url := get("webUrl", "")).__class__ is not str:
            web_url = text(value, "webUrl", within)
        if (original_url := get("originalUrl", "")).__class__ is not str:
            original_url = text(value, "originalUrl", within)
        if (amp_url := get("ampWebUrl", "")).__class__ is not str:
            amp_url = text(value, "ampWebUrl", within)
        if (cdn_amp_url := get("cdnAmpWebUrl", "")).__class__ is not str:
            cdn_amp_url = text(value, "cdnAmpWebUrl", within)
        if (kind := get("type", "")).__class__ is not str:
            kind = text(value, "type", within)
        return _related(
            canonical(web_url) or canonical(original_url),
            title or text(value, "name", within),
            excerpt,
            self.moment(value, "publishedDateTime", within),
            web_url,
            original_url,
            amp_url,
            cdn_amp_url,
            kind,
            self.provider(value, within),
            self.integer(value, "quality", within),
            self.images(value, within) if "images" in value else (),
        )


def _kind(value: JsonValue) -> str:
    if value is None or value == "":
        return "nothing"
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else "a single value"
