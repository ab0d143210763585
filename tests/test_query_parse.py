"""Text to tree and back: every construct, every complaint at its column, and no error whatever comes in."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader.store.query.canonical import to_text
from reader.store.query.completion import complete
from reader.store.query.fields import FIELDS, SORTS, help_rows
from reader.store.query.highlight import hits
from reader.store.query.nodes import (
    ALL,
    And,
    Compare,
    FieldIs,
    Has,
    Link,
    Node,
    Not,
    Or,
    Phrase,
    Query,
    State,
    Time,
    Word,
    walk,
)
from reader.store.query.parsing import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, parse

NOW = datetime(2023, 6, 15, 12, 30, 15, 987, tzinfo=UTC)
SECOND = datetime(2023, 6, 15, 12, 30, 15, tzinfo=UTC)


def understood(text: str) -> Query:
    return parse(text, NOW, UTC)


def day(year: int, month: int = 1, date: int = 1, hour: int = 0) -> datetime:
    return datetime(year, month, date, hour, tzinfo=UTC)


A, B, C = Word("a"), Word("b"), Word("c")
PUBLISHED_2020 = And((Time("published", ">=", day(2020)), Time("published", "<", day(2021))))


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("", ALL),
        ("  \n ", ALL),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("((a b)) c", And((A, B, C))),
        ("a OR (b OR c)", Or((A, B, C))),
        ("-a", Not(A)),
        ("NOT a", Not(A)),
        ("--a", A),
        ("NOT -a", A),
        ("-(a b)", Not(And((A, B)))),
        ("a or b", And((A, Word("or"), B))),
        ("covid-19", Word("covid-19")),
        ("f(a)", And((Word("f"), A))),
        ("barb*", Word("barb", prefix=True)),
        ("barb***", Word("barb", prefix=True)),
        ('"open beta"', Phrase("open beta")),
        ('"open bet"*', Phrase("open bet", prefix=True)),
        ("“open beta”", Phrase("open beta")),
        ('a"b c"', And((A, Phrase("b c")))),
        (r'"say \"a\\b\""', Phrase(r'say "a\b"')),
        ("12:30", Word("12:30")),
        ("Exclusive: a", And((Word("Exclusive:"), A))),
        ("title:a", Word("a", field="title")),
        ("TITLE:a", Word("a", field="title")),
        ('excerpt:"a b"', Phrase("a b", field="excerpt")),
        ("body:a*", Word("a", prefix=True, field="body")),
        ("related:OR", Word("OR", field="related")),
        ("topic:a", FieldIs("topic", "a")),
        ("topics:a", FieldIs("topic", "a")),
        ("topic=a", FieldIs("topic", "a", exact=True)),
        ('outlet="The  Times"', FieldIs("outlet", "The Times", exact=True)),
        ("provider:ti*", FieldIs("outlet", "ti", prefix=True)),
        ("domain:bbc.co.uk", FieldIs("domain", "bbc.co.uk")),
        ("type:video", FieldIs("type", "video")),
        ("category:c++", FieldIs("category", "c++")),
        ("tag:-x", FieldIs("tag", "-x")),
        ("note:a", FieldIs("note", "a")),
        ("url:https://a.b/?c=d", FieldIs("url", "https://a.b/?c=d")),
        ("https://a.b/c", FieldIs("url", "https://a.b/c")),
        ("key:file:a*", FieldIs("key", "file:a")),
        ("key=https://a.b/", FieldIs("key", "https://a.b/", exact=True)),
        ("quality>=60", Compare("quality", ">=", 60)),
        ("quality:>=60", Compare("quality", ">=", 60)),
        ("heat>-1", Compare("heat", ">", -1)),
        ("coverage<+3", Compare("coverage", "<", 3)),
        ("outlets<=5", Compare("outlets", "<=", 5)),
        ("texts:2", Compare("texts", "=", 2)),
        ("texts=2", Compare("texts", "=", 2)),
        ("heat<" + "9" * 99, Compare("heat", "<", 2**63 - 1)),
        ("after:2023-01", Time("published", ">=", day(2023))),
        ("before:2023-06-01", Time("published", "<", day(2023, 6))),
        ("since:7d", Time("published", ">=", SECOND - timedelta(days=7))),
        ("until:yesterday", Time("published", "<", day(2023, 6, 14))),
        ("after:today", Time("published", ">=", day(2023, 6, 15))),
        ("age<36h", Time("published", ">", SECOND - timedelta(hours=36))),
        ("age>=2W", Time("published", "<=", SECOND - timedelta(weeks=2))),
        ("age>9999999y", Time("published", "<", datetime(1, 1, 1, tzinfo=UTC))),
        ("updated:>2020", Time("updated", ">=", day(2021))),
        ("updated>=2020", Time("updated", ">=", day(2020))),
        ("updated<2020-02", Time("updated", "<", day(2020, 2))),
        ("updated<=2020-02", Time("updated", "<", day(2020, 3))),
        ("updated<=2020-12", Time("updated", "<", day(2021))),
        ("published:2020", PUBLISHED_2020),
        ("-date:2020", Not(PUBLISHED_2020)),
        ("published>2023-01-02T08:00:00+02:00", Time("published", ">", day(2023, 1, 2, 6))),
        ("published<=2023-01-02T08:00:00Z", Time("published", "<=", day(2023, 1, 2, 8))),
        (
            "updated:1h",
            And((Time("updated", ">=", SECOND - timedelta(hours=1)), Time("updated", "<=", SECOND))),
        ),
        ("is:unread", State("unread")),
        ("IS:Starred", State("starred")),
        ("link:gone", Link("gone")),
        ("has:amp", Has("amp")),
    ],
)
def test_understood(text: str, root: Node) -> None:
    query = understood(text)
    assert query.root == root
    assert query.complaints == ()
    assert query.text == text


@pytest.mark.parametrize(
    ("text", "column", "length", "word", "suggestion", "runs"),
    [
        ("a tpic:b c", 2, 4, "tpic", "topic", "a tpic:b c"),
        ("zzz:b", 0, 3, "zzz", "", "zzz:b"),
        ('zzz:"b c"', 0, 3, "zzz", "", '"zzz:b c"'),
        ("qualty>4", 0, 6, "quality>", "quality", "qualty>4"),
        ("a is:unraed", 5, 6, "unread", "unread", "a"),
        ("link:xyz", 5, 3, "alive", "", ""),
        ("has:", 0, 4, "nothing after", "", ""),
        ("title: a", 0, 6, "nothing after", "", "a"),
        ('title:""', 0, 8, "nothing after", "", ""),
        ('a "b c', 2, 1, "quote", "", 'a "b c"'),
        ("a (b", 2, 1, "never closed", "", "a b"),
        ("a) b", 1, 1, "never opened", "", "a b"),
        ("a ()", 2, 1, "nothing between", "", "a"),
        ("a OR", 2, 2, "both sides", "", "a"),
        ("OR a", 0, 2, "both sides", "", "a"),
        ("a OR OR b", 2, 2, "both sides", "", "a OR b"),
        ("a NOT", 2, 3, "left out", "", "a"),
        ("a - b", 2, 1, "no letter", "", "a b"),
        ("a 🚀", 2, 1, "no letter", "", "a"),
        ("*", 0, 1, "no letter", "", ""),
        ("quality>x a", 0, 9, "whole number", "", "a"),
        ("quality>1.5", 0, 11, "whole number", "", ""),
        ("quality>²", 0, 9, "whole number", "", ""),
        ("after:2023-13", 0, 13, "needs a time", "", ""),
        ("after:2023-02-30", 0, 16, "needs a time", "", ""),
        ("after:0000", 0, 10, "needs a time", "", ""),
        ("age<2023", 0, 8, "age is a number", "", ""),
        ("age:7d", 3, 1, "read as <", "<", "published>2023-06-08T12:30:15Z"),
        ("after>2023", 5, 1, "colon", ":", "published>=2023-01-01T00:00:00Z"),
        ("title=a", 5, 1, "colon", ":", "title:a"),
        ("outlet>a", 6, 1, "colon", ":", "outlet:a"),
        ("sort:het", 0, 8, "heat", "", ""),
        ("-sort:heat", 1, 9, "left out", "", ""),
        ("sort:heat sort:quality", 10, 12, "last one", "", "sort:quality"),
    ],
)
def test_complaints(text: str, column: int, length: int, word: str, suggestion: str, runs: str) -> None:
    query = understood(text)
    assert len(query.complaints) == 1
    complaint = query.complaints[0]
    assert (complaint.column, complaint.length, complaint.suggestion) == (column, length, suggestion)
    assert word in complaint.reason
    assert to_text(query) == runs


@pytest.mark.parametrize("word", [*SORTS, "rank", "NEW", "date", "relevance", "old"])
def test_sorts(word: str) -> None:
    query = understood(f"a OR b sort:{word}")
    assert query.root == Or((A, B))
    assert query.sort in SORTS
    assert query.complaints == ()
    assert understood(to_text(query)) == query


def test_days_are_local() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert parse("after:2023-07-01", NOW, zone).root == Time("published", ">=", day(2023, 6, 30, 22))
    assert parse("after:2023-01-01", NOW, zone).root == Time("published", ">=", day(2022, 12, 31, 23))
    late = datetime(2023, 6, 15, 23, 0, tzinfo=UTC)
    assert parse("after:today", late, zone).root == Time("published", ">=", day(2023, 6, 15, 22))


def test_the_ends_of_time() -> None:
    for text in (
        "0001",
        "0001-01-01",
        "9999",
        "9999-12",
        "9999-12-31",
        "9999-12-31T23:59",
        "9999-12-31T23:59:59",
    ):
        for zone in (UTC, None, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Los_Angeles")):
            query = parse(f"published:{text} since:9999999y", NOW, zone)
            assert query.complaints == ()
            assert parse(to_text(query), NOW, zone) == query
    for now in (
        datetime.min,
        datetime.max,
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ):
        for zone in (UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Los_Angeles"), None):
            parse("after:today before:yesterday age<9d updated:3y", now, zone)


def test_what_is_too_long_is_cut() -> None:
    query = understood("ab " * 2000)
    last = query.complaints[-1]
    assert last.column == MAX_LENGTH
    assert last.column + last.length == 6000
    assert len(list(walk(query.root))) == MAX_TERMS + 1
    assert any(f"{MAX_TERMS} terms" in c.reason for c in query.complaints)


@pytest.mark.parametrize("sign", ["(", "-(", "NOT (", "(a OR -(b "])
def test_brackets_are_bounded(sign: str) -> None:
    query = understood(sign * 300 + "a" + ")" * 300)
    assert any("brackets" in c.reason for c in query.complaints)
    assert understood(to_text(query)) == query
    assert to_text(query).count("(") <= MAX_DEPTH
    understood("-" * MAX_LENGTH)


def test_a_period_cannot_be_negated_where_no_bracket_fits() -> None:
    """It stands for two terms, which the canonical form would have to put in brackets."""
    for depth, complaints in ((MAX_DEPTH - 1, 0), (MAX_DEPTH, 1)):
        query = understood("-(a OR " * depth + "-updated:2020" + ")" * depth)
        assert len(query.complaints) == complaints
        assert understood(to_text(query)) == query


PIECES = [
    *(f.example for f in FIELDS), *(r.example for r in help_rows()), *(f.name + ":" for f in FIELDS),
    "(", ")", "((", "))", "-", "--", "NOT", "OR", "AND", '"', "“", "”", "*", "\\", '\\"', ":", ">=", "<", "=",
    "a", "foo", "foo:bar", "zzz>3", "東京", "é", "\ud800", "\x00", "🚀", "\u202e", "'", ";", "--", "9" * 30,
    "-updated:2020", "https://", "https:", '"//a  b"', "now", "2023-01-01T08:00Z", "\u3000", "\u00a0",
    "İ", "-1",
]  # fmt: skip


def _random_text(chance: random.Random) -> str:
    parts: list[str] = []
    for _ in range(chance.randrange(14)):
        if chance.random() < 0.7:
            parts.append(chance.choice(PIECES))
        else:
            parts.append("".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(4))))
        if chance.random() < 0.5:
            parts.append(" ")
    return "".join(parts)


def _check(text: str) -> None:
    query = understood(text)
    assert understood(to_text(query)) == query, (text, to_text(query))
    for complaint in query.complaints:
        assert 0 <= complaint.column < len(text)
        assert complaint.length > 0
        assert complaint.column + complaint.length <= len(text)
    hits(query.root, text, "title")


def test_ten_thousand_random_strings() -> None:
    chance = random.Random(10_000)
    for _ in range(10_000):
        _check(_random_text(chance))


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    _check(text)


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from(["", " "]))
def test_any_order_of_pieces(pieces: list[str], gap: str) -> None:
    text = gap.join(pieces)
    _check(text)
    for cursor in range(-1, len(text) + 2):
        for offer in complete(text, cursor, {"topic": ["Power Apps", 'a "b"', ""], "outlet": ["東京"]}):
            assert 0 <= offer.start <= cursor <= offer.end <= len(text) or cursor in (-1, len(text) + 1)


def test_every_example_in_the_help_is_understood() -> None:
    rows = help_rows()
    assert {f.name for f in FIELDS} <= {row.syntax.rstrip(":<>").split(":")[0].split(">")[0] for row in rows}
    for row in rows:
        query = understood(row.example)
        assert query.complaints == (), row
        assert query.root != ALL or query.sort, row


@pytest.mark.parametrize("text", ["age<1d", "after:7d", "published:today", "updated>1w", "a (b OR -age>2d)"])
def test_what_counts_from_now_is_another_query_later(text: str) -> None:
    first, later = parse(text, NOW, UTC), parse(text, NOW + timedelta(days=3), UTC)
    assert first.root != later.root and first == parse(text, NOW, UTC)
