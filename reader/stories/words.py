"""Titles and excerpts as words that can be compared. Standard library only.

Text here is compared, never shown: it is folded to lower case, so nothing of
what a publisher put into it (controls, bidi marks, look-alikes) survives.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

TEXT_LIMIT: Final = 2_000
"""Characters of a title or excerpt that are looked at; the rest is ignored."""

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_POSSESSIVE: Final = re.compile(r"'s(?!\w)")
# Scripts written without spaces: every pair of neighbouring letters is a word.
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f]{2,}")
_ROMAN: Final = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_STOP: Final = frozenset(
    re.findall(
        r"\S+",
        "a about after all also an and any are as at be been being but by can could did do does for from "
        "get gets getting had has have he her here him his how i if in into is it its just like may me "
        "might more most my no not now of off on one or our out over she should so some than that the "
        "their them then there these they this those to too up us via was we were what when where which "
        "who why will with won't would you your ",
    )
)
_SUFFIXES: Final = ("ements", "ement", "ings", "ing", "ies", "ed", "es", "s")
_AGENCY: Final = (
    r"ap|a\.p\.|afp|upi|pa|dpa|ani|ians|pti|tass|xinhua|reuters|bloomberg|associated press|"
    r"the associated press|cnn|efe|kyodo|cp|the canadian press|aap|bbc|getty images"
)
_TAG: Final = re.compile(
    rf"[(\[]\s*(?:{_AGENCY})\s*[)\]]"  # "WASHINGTON (AP) -"
    rf"|^\s*(?:by\s+)?(?:{_AGENCY})\s*(?:[-–—:|]|\b-{{2}})\s*"  # "Reuters - …"
    rf"|\s[-–—|]\s*(?:{_AGENCY})\s*$",  # "… | Reuters"
    re.IGNORECASE,
)
_DATELINE: Final = re.compile(r"^\s*[A-Z][A-Z .,'’]{2,40}(?:,\s*[A-Z][a-z.]+\.?)?\s*(?:\(\s*\))?\s*[-–—]+\s+")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_ENTITIES: Final = {"&amp;": "&", "&quot;": '"', "&apos;": "'", "&#39;": "'", "&rsquo;": "’", "&nbsp;": " "}


def fold(text: str) -> str:
    """*text* for comparing: NFKC, lower case, entities read, blanks folded."""
    text = text[:TEXT_LIMIT]
    if "&" in text:
        text = _ENTITY.sub(lambda m: _ENTITIES.get(m[0], " "), text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def without_agency(text: str) -> str:
    """*text* without datelines and agency tags: ``SEATTLE (AP) — Amazon…`` is ``Amazon…``."""
    return _DATELINE.sub("", _TAG.sub(" ", text[:TEXT_LIMIT])).strip()


def words(text: str) -> tuple[str, ...]:
    """Every word of *text* in order, folded, possessives dropped. ``Blizzard’s IV`` -> blizzard, 4."""
    text = _POSSESSIVE.sub("", fold(text).replace("’", "'"))
    found = _WORD.findall(text)
    if not text.isascii() and _UNSPACED.search(text):
        found = [part for word in found for part in _pairs(word)]
    return tuple([_ROMAN.get(word, word) for word in found])


def _pairs(word: str) -> list[str]:
    if len(word) < 3 or not _UNSPACED.search(word):
        return [word]
    return [word[i : i + 2] for i in range(len(word) - 1)]


@lru_cache(maxsize=32_768)
def stem(word: str) -> str:
    """A crude English stem: announced, announces, announcement -> announc. Never shown."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)] + ("y" if suffix == "ies" else "")
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def telling(text: str) -> frozenset[str]:
    """The stems of *text* that say what it is about: no articles, no auxiliaries."""
    return frozenset([stem(word) for word in words(text) if word not in _STOP])
