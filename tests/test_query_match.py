"""What every field asks of an article, what completion offers, where hits stand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reader.model import OUTCOMES
from reader.store.query.completion import Completion, complete
from reader.store.query.fields import FIELDS, LINK_GROUPS
from reader.store.query.highlight import hits
from reader.store.query.matching import Facts, matches
from reader.store.query.parsing import parse

NOW = datetime(2023, 6, 15, 12, tzinfo=UTC)

PIECE = Facts(
    key="https://www.bbc.co.uk/news/1",
    title="Diablo IV: the Open Beta",
    excerpt="Early access starts in Łódź",
    body="Patch notes for the Barbarian",
    related=("Beta delayed", "東京で発売"),
    topics=("Diablo 4", "C++"),
    outlet="The New York Times",
    domain="www.bbc.co.uk",
    type="article",
    category="news",
    urls=("https://www.bbc.co.uk/news/1?x=Y", "https://cdn.ampproject.org/c/s/bbc.co.uk"),
    published_at=datetime(2023, 6, 14, 12, tzinfo=UTC),
    updated_at=datetime(2023, 6, 15, 1, tzinfo=UTC),
    quality=60,
    heat=-1,
    coverage=3,
    outlets=6,
    texts=2,
    published=True,
    sealed=True,
    story=True,
    has_image=True,
    has_amp=True,
    read=True,
    starred=True,
    hidden=True,
    note="Compare with the café's list",
    tags=("later", "to do"),
    link="gone",
)
BARE = Facts(title="Nothing else")


@pytest.mark.parametrize(
    "text",
    [
        "diablo", "BETA open", '"open beta"', "barb*", "lodz", "東京", "発売", "diablo OR zzz", "-zzz",
        "delayed", "title:diablo", 'title:"iv the"', "excerpt:early", "body:patch", "related:delayed",
        "related:東京",
        'topic:"diablo 4"', "topic:diablo", "topic:DIAB*", 'topic="diablo 4"', "topic:c++", "topic:c",
        "outlet:times", 'outlet:"york times"', 'outlet="the new york times"', "outlet=the*",
        "domain:bbc.co.uk", "domain:www.bbc.co.uk", "domain:bbc*", "domain=www.bbc.co.uk", "domain:uk",
        "type:article", "type=ARTICLE", "category:news",
        "url:/news/1", "url:X=y", "url:ampproject", "https://www.bbc.co.uk/news/1",
        "tag:later", 'tag="to do"', "note:cafe", 'note:"compare with"', "note:comp*",
        "key:bbc", "key=https://www.bbc.co.uk/news/1",
        "quality>=60", "quality:60", "quality<61", "heat<0", "heat:-1", "coverage>2", "outlets>5", "texts>=2",
        "after:2023-06", "before:2023-06-15", "since:2d", "age<25h", "age>=24h", "published:2023-06-14",
        "updated:today", "updated>2022", "published:yesterday",
        "is:read", "is:starred", "is:published", "is:noted", "is:tagged", "is:sealed", "is:story",
        "is:hidden", "link:gone", "has:image", "has:amp", "has:body", "has:related",
        "-is:unread", "-is:unpublished", "-quality>60", "(zzz OR diablo) -zzz",
    ],
)  # fmt: skip
def test_holds_for_the_piece_and_not_for_a_bare_one(text: str) -> None:
    query = parse(text, NOW, UTC)
    assert query.complaints == ()
    assert matches(query.root, PIECE)
    if not text.startswith("-"):
        assert not matches(query.root, BARE)


@pytest.mark.parametrize(
    "text",
    [
        "zzz", "diabl", '"beta open"', '"delayed 東京"', "title:patch", "body:diablo", "-diablo", "barb",
        "topic:diab", "topic=diablo", "topic:c#", 'topic:"diablo 4 x"', "outlet:time", "outlet:ork",
        "outlet=times",
        "domain:bc.co.uk", "domain:bbc", "domain=bbc.co.uk", "type:video", "url:zzz", "tag:lat", "tag=to",
        "note:caf", "key=https://www.bbc.co.uk", "quality>60", "heat>-1", "coverage>3", "texts<2",
        "after:2023-06-15", "before:2023-06-14", "age<24h", "age>24h", "updated:2022", "updated<2023-06-15",
        "is:unread", "is:unpublished", "link:alive", "link:unchecked", "zzz OR yyy",
    ],
)  # fmt: skip
def test_does_not_hold_for_the_piece(text: str) -> None:
    query = parse(text, NOW, UTC)
    assert query.complaints == ()
    assert not matches(query.root, PIECE)


def test_what_is_absent_is_never_compared() -> None:
    for text in ("quality<1", "quality>=0", "heat<1", "after:0001", "before:9999", "age>1m", "updated>0001"):
        assert not matches(parse(text, NOW, UTC).root, BARE), text
        assert matches(parse(f"-{text}", NOW, UTC).root, BARE), text


def test_the_front_page_flag_may_be_absent() -> None:
    for flag, held in ((True, "is:published"), (False, "is:unpublished")):
        assert matches(parse(held, NOW, UTC).root, Facts(published=flag))
        assert not matches(parse(held, NOW, UTC).root, Facts(published=not flag))
        assert not matches(parse(held, NOW, UTC).root, BARE)


def test_every_field_and_choice_can_be_asked_for() -> None:
    for field in FIELDS:
        for choice in field.choices or ():
            query = parse(f"{field.name}:{choice}", NOW, UTC)
            assert query.complaints == ()
            assert isinstance(matches(query.root, PIECE), bool)
    assert set(LINK_GROUPS) == {info.group for info in OUTCOMES.values()}


VALUES = {"topic": ["Power Apps", "Portals", "The Power", "Éxito", 'a "b"'], "outlet": ["The Times"]}


@pytest.mark.parametrize(
    ("before", "after", "becomes"),
    [
        ("to", "", ["topic:"]),
        ("x -ou", "", ["x -outlet:", "x -outlets>="]),
        ("qual", "", ["quality>="]),
        ("prov", "", ["provider:"]),
        ("to", "pic:x", ["topic:x"]),
        ("topic:po", "", ['topic:"Power Apps"', "topic:Portals", 'topic:"The Power"']),
        ("topic=POW", "", ['topic="Power Apps"', 'topic="The Power"']),
        ("(topic:ex", ") y", ["(topic:Éxito) y"]),
        ('topic:"power a', '" y', ['topic:"Power Apps" y']),
        ('topic:"power a', "", ['topic:"Power Apps"']),
        ("topic:a", "", [r'topic:"a \"b\""', 'topic:"Power Apps"']),
        ("is:un", "", ["is:unread", "is:unpublished"]),
        ("link:", "", [f"link:{group}" for group in LINK_GROUPS]),
        ("sort:he", "zz", ["sort:heat"]),
        ("after:to", "", ["after:today"]),
        ("zzz:a", "", []),
        ("zzz", "", []),
        ("topic:po*", "", []),
        ('topic:"po"', "", []),
        ("a OR", "", []),
        ('"to', "", []),
    ],
)
def test_completion(before: str, after: str, becomes: list[str]) -> None:
    text = before + after
    offers = complete(text, len(before), VALUES)
    assert [text[: o.start] + o.insert + text[o.end :] for o in offers] == becomes


def test_a_blank_offers_every_field() -> None:
    offers = complete("a ", 2, {})
    assert [o.insert.rstrip(":<>=") for o in offers] == [f.name for f in FIELDS]
    assert offers[0] == Completion(2, 2, "title:", "title:", FIELDS[0].help)


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("ios", "The new iOS and IOS", "The new [iOS] and [IOS]"),
        ("cafe", "Un Cafe\u0301 noir", "Un [Cafe\u0301] noir"),
        ("caf*", "Café, cafeteria", "[Café], [cafeteria]"),
        ('"open beta"', "beta open — Open-Beta!", "beta open — [Open-Beta]!"),
        ("東京 -震", "昨日東京都で地震", "昨日[東京]都で地震"),
        ("ﾊﾟﾝ", "フライパンとﾊﾟﾝ", "フライ[パン]と[ﾊﾟﾝ]"),
        ("strasse", "Große Straße 1", "Große [Straße] 1"),
        ("file", "a ﬁle", "a [ﬁle]"),
        ("i", "ﬁ fi i", "ﬁ fi [i]"),
        ("title:a excerpt:b topic:c -d", "a b c d", "[a] b c d"),
        ('"x 京"', "x 京都", "x 京都".replace("x 京", "[x 京]")),
        ("ab abc*", "ab abcd", "[ab] [abcd]"),
        ("🚀", "🚀", "🚀"),
        ("1", "½ 1", "[½] [1]"),
        ("株式", "㍿ x", "[㍿] x"),
    ],
)
def test_hits(query: str, text: str, marked: str) -> None:
    spans = hits(parse(query, NOW, UTC).root, text, "title")
    for start, end in reversed(spans):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    assert text == marked
