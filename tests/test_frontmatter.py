"""One file after another: what each shape of front matter becomes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader import address
from reader.frontmatter import MAX_FILE, MAX_FRONT_MATTER, read, to_json
from reader.frontmatter.values import moment, plain
from reader.model import Article, DateOrigin, FieldWarning, Image, Problem, Provider, Related

PATH = "news/_news/2020-06-11-a-slug.md"


def article(front: str, body: str = "", path: str = PATH) -> Article:
    made = read(f"---\n{front}\n---\n{body}".encode(), path)
    assert isinstance(made, Article), made
    return made


def problem(data: str | bytes) -> Problem:
    made = read(data if isinstance(data, bytes) else data.encode(), PATH)
    assert isinstance(made, Problem), made
    assert made.path == PATH
    assert "\n" not in made.reason
    assert "Error" not in made.reason
    return made


def warned(made: Article) -> list[tuple[int, str]]:
    assert all(warning.reason for warning in made.warnings)
    return [(warning.line, warning.field) for warning in made.warnings]


FULL = """\
title: "A \\"quoted\\" [title]"
excerpt: "Some &amp; thing"
category: news
type: article
publishedDateTime: 2020-06-11T02:01:00Z
updatedDateTime: 2020-06-12 03:00:00.5+02:00
webUrl: "https://A.example/b?utm_source=x#c"
originalUrl: "https://a.example/original"
ampWebUrl: "https://a.example/amp/b"
cdnAmpWebUrl: "https://a-example.cdn.ampproject.org/c/s/a.example/b"
quality: 41
heat: -1
published: false

provider:
  name: The Outlet
  domain: outlet.example
  images:
    - url: "/logo.png"
      width: 50
      height: 50
  authors:
    - name: An Author
    - Another

topics:
  - One
  - Two
  - One

related:
  - title: "Other"
    excerpt: "Else"
    publishedDateTime: 2020-06-11T00:03:00Z
    webUrl: "https://b.example/x"
    ampWebUrl: "https://b.example/amp/x"
    cdnAmpWebUrl: "https://cdn.example/x"
    type: video
    provider:
      name: B
      domain: b.example
    quality: 74
    images:
      - url: "https://b.example/i.png"
        width: 1280
        height: 640
        isCached: true

images:
  - url: "https://a.example/i.png"
    width: 1
    height: 2
    title: "T"
    attribution: "By"
    isCached: false
secured: "abc;def=="
length: PT9M
levels:
  - 100"""


@pytest.mark.parametrize("front", [FULL, "# not strict\n" + FULL])
def test_every_field(front: str) -> None:
    made = article(front, "The *body*.\n")
    assert made == Article(
        key="https://a.example/b",
        path=PATH,
        title='A "quoted" [title]',
        excerpt="Some &amp; thing",
        category="news",
        type="article",
        published_at=datetime(2020, 6, 11, 2, 1, tzinfo=UTC),
        updated_at=datetime(2020, 6, 12, 1, 0, 0, 500_000, tzinfo=UTC),
        date_origin=DateOrigin.FIELD,
        web_url="https://A.example/b?utm_source=x#c",
        original_url="https://a.example/original",
        amp_url="https://a.example/amp/b",
        cdn_amp_url="https://a-example.cdn.ampproject.org/c/s/a.example/b",
        quality=41,
        heat=-1,
        published=False,
        provider=Provider(
            "The Outlet", "outlet.example", (Image("/logo.png", 50, 50),), ("An Author", "Another")
        ),
        topics=("One", "Two"),
        related=(
            Related(
                "https://b.example/x",
                "Other",
                "Else",
                datetime(2020, 6, 11, 0, 3, tzinfo=UTC),
                "https://b.example/x",
                "",
                "https://b.example/amp/x",
                "https://cdn.example/x",
                "video",
                Provider("B", "b.example"),
                74,
                (Image("https://b.example/i.png", 1280, 640, "", "", True),),
            ),
        ),
        images=(Image("https://a.example/i.png", 1, 2, "T", "By", False),),
        secured="abc;def==",
        body="The *body*.\n",
        fields=made.fields,
        extra={"length": "PT9M", "levels": [100]},
    )
    assert list(made.fields)[:3] == ["title", "excerpt", "category"]
    assert made.fields["related"][0]["images"][0]["isCached"] is True
    assert hash(made.images[0]) == hash(Image("https://a.example/i.png", 1, 2, "T", "By", False))
    with pytest.raises(AttributeError):
        made.title = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("12:30", "12:30"),
        ("3.10", "3.10"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x1f", "0x1f"),
        ("2020-13-45", "2020-13-45"),
        ("2020-06-11", "2020-06-11"),
        ("True", "True"),
        ("NULL", "NULL"),
        (".inf", ".inf"),
        ("nan", "nan"),
        ("1e3", "1e3"),
        ("-0", "-0"),
        ("+1", "+1"),
        ("1234567890123456789", "1234567890123456789"),
        ("٣", "٣"),
        ("<<", "<<"),
        ("=", "="),
        ("41", 41),
        ("-1", -1),
        ("0", 0),
        ("1.5", 1.5),
        ("1e+16", 1e16),
        ("true", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("quick", [True, False])
def test_unquoted_scalars_keep_their_text(text: str, value: object, quick: bool) -> None:
    made = article(f"{'' if quick else '# slow'}\ntitle: {text}\nx: {text}\ny: '{text}'")
    assert made.title == (text if value is not None else "a slug")
    assert made.fields["x"] == value
    assert type(made.fields["x"]) is type(value)
    assert made.fields["y"] == text
    assert plain(text) == value
    assert value is None or json.dumps(value, ensure_ascii=False).strip('"') == text


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2020-06-11T02:01:00Z", datetime(2020, 6, 11, 2, 1)),
        ("2020-06-11t02:01:00z", datetime(2020, 6, 11, 2, 1)),
        ("2020-06-11 02:01:00", datetime(2020, 6, 11, 2, 1)),
        ("2020-06-11  02:01:00 Z", datetime(2020, 6, 11, 2, 1)),
        ("2020-06-11T02:01", datetime(2020, 6, 11, 2, 1)),
        ("2020-06-11T02:01:00.1234567Z", datetime(2020, 6, 11, 2, 1, 0, 123456)),
        ("2020-06-11T02:01:00,5+02:00", datetime(2020, 6, 11, 0, 1, 0, 500000)),
        ("2020-06-11T02:01:00-0330", datetime(2020, 6, 11, 5, 31)),
        ("2020-06-11T02:01:00+5", datetime(2020, 6, 10, 21, 1)),
        ("2020-6-1", datetime(2020, 6, 1)),
        (" 2020-06-11 ", datetime(2020, 6, 11)),
        ("0001-01-01", datetime(1, 1, 1)),
        ("2020-13-45", None),
        ("0000-01-01", None),
        ("2020-06-11T25:00:00Z", None),
        ("2020-06-11T24:00:00Z", None),
        ("2020-06-11T02:01:60Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("2020-06-11T02:01:00+25:00", None),
        ("2020-W24-4T02:01:00Z", None),
        ("2020-06-11T02:01:0٣Z", None),
        ("yesterday", None),
        ("", None),
        ("20200611", None),
        ("2020-06-11x", None),
        ("٢020-06-11", None),
        ("2020-06-11T02:01:00ZZ", None),
    ],
)
def test_times(text: str, when: datetime | None) -> None:
    assert moment(text) == (when.replace(tzinfo=UTC) if when else None)
    made = article(f'title: t\npublishedDateTime: "{text}"')
    if when:
        assert (made.published_at, made.date_origin) == (when.replace(tzinfo=UTC), DateOrigin.FIELD)
        assert made.published_at.utcoffset() == datetime.now(UTC).utcoffset()
    else:
        assert (made.published_at, made.date_origin) == (
            datetime(2020, 6, 11, tzinfo=UTC),
            DateOrigin.FILENAME,
        )
        assert warned(made) == ([(3, "publishedDateTime")] if text else [])
        assert made.fields["publishedDateTime"] == text


@given(
    st.text("0123456789-:TtZz+. W", min_size=8, max_size=24)
    | st.datetimes().map(lambda d: d.isoformat()[:19] + "Z")
)
def test_no_text_breaks_the_reading_of_times(text: str) -> None:
    when = moment(text)
    assert when is None or when.tzinfo is UTC


@pytest.mark.parametrize(
    ("path", "when"),
    [
        ("s/2020-06-11-slug.md", datetime(2020, 6, 11, tzinfo=UTC)),
        ("s/2020-06-11.md", datetime(2020, 6, 11, tzinfo=UTC)),
        ("s/2020-06-11_x.md", datetime(2020, 6, 11, tzinfo=UTC)),
        ("s/2020-13-45-slug.md", None),
        ("s/2020-06-111.md", None),
        ("2020-06-11/slug.md", None),
        ("s/x.md", None),
    ],
)
def test_date_of_the_file_name(path: str, when: datetime | None) -> None:
    made = article("title: t", path=path)
    assert made.published_at == when
    assert made.date_origin is (DateOrigin.FILENAME if when else DateOrigin.NONE)


@pytest.mark.parametrize(
    ("front", "title"),
    [
        ("title: T\nname: N", "T"),
        ("name: N", "N"),
        ("title: ''\nname: N", "N"),
        ("title: ~\nname: N", "N"),
        ("title: '  '", "a slug"),
        ("x: y", "a slug"),
        ("title: [a]", "a slug"),
        ("title: 5", "5"),
        ("title: '[@click=app.quit]x[/]'", "[@click=app.quit]x[/]"),
        ('title: "a\\x1bb"', "a\x1bb"),
    ],
)
def test_titles(front: str, title: str) -> None:
    assert article(front, "# Heading\n").title == title


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("s/2020-06-11-two-words.md", "two words"),
        ("s/under_score.markdown", "under score"),
        ("s/README", "README"),
        ("s/2020-06-11.md", "2020-06-11.md"),
        ("s/.md", ".md"),
        ("s/v1.2-notes.md", "v1.2 notes"),
        ("s/---.md", "---.md"),
    ],
)
def test_title_of_the_file_name(path: str, title: str) -> None:
    assert article("x: y", path=path).title == title


def test_name_is_extra_unless_it_is_the_title() -> None:
    assert article("title: T\nname: N").extra == {"name": "N"}
    assert article("name: N\nz: 1").extra == {"z": 1}


@pytest.mark.parametrize(
    ("front", "key"),
    [
        ("webUrl: https://a.example/x\noriginalUrl: https://b.example/", "https://a.example/x"),
        ("originalUrl: HTTPS://B.example", "https://b.example/"),
        ("webUrl: javascript:alert(1)\noriginalUrl: https://b.example/", "https://b.example/"),
        ("webUrl: /relative", f"file:{PATH}"),
        ("x: y", f"file:{PATH}"),
        ("webUrl: [a]", f"file:{PATH}"),
    ],
)
def test_keys(front: str, key: str) -> None:
    assert article(front).key == key


@pytest.mark.parametrize(
    ("front", "field", "value", "where"),
    [
        ("quality: '41'", "quality", 41, None),
        ("quality: good", "quality", None, "quality"),
        ("quality: 4.5", "quality", None, "quality"),
        ("quality: true", "quality", None, "quality"),
        ("quality: [1]", "quality", None, "quality"),
        ("quality: 010", "quality", None, "quality"),
        ("quality: ~", "quality", None, None),
        ("heat:", "heat", None, None),
        ("heat: 99999999999999999999", "heat", None, "heat"),
        ("published: Yes", "published", True, None),
        ("published: OFF", "published", False, None),
        ("published: 'true'", "published", True, None),
        ("published: maybe", "published", None, "published"),
        ("published: 1", "published", None, "published"),
        ("title: {a: b}", "title", "a slug", "title"),
        ("excerpt: [a]", "excerpt", "", "excerpt"),
        ("excerpt: 3.10", "excerpt", "3.10", None),
        ("topics: AI", "topics", ("AI",), "topics"),
        ("topics: [AI, ML]", "topics", ("AI", "ML"), None),
        ("topics: [AI, ~, '', [x], 5]", "topics", ("AI", "5"), "topics[1]"),
        ("topics:\n  -\n  - AI", "topics", ("AI",), "topics[0]"),
        ("topics: ~", "topics", (), None),
        ("provider: BBC", "provider", Provider("BBC"), None),
        ("provider: [BBC]", "provider", Provider(), "provider"),
        ("provider: ~", "provider", Provider(), None),
        ("provider: {name: [x], domain: d}", "provider", Provider("", "d"), "provider.name"),
        ("provider: {authors: Jo}", "provider", Provider(authors=("Jo",)), "provider.authors"),
        ("provider: {authors: [{x: y}]}", "provider", Provider(), "provider.authors[0]"),
        ("images: https://a.example/i", "images", (Image("https://a.example/i"),), "images"),
        ("images: {url: u, width: w}", "images", (Image("u"),), "images"),
        ("images: [{url: u, width: w}]", "images", (Image("u"),), "images[0].width"),
        ("images: [{width: 1}]", "images", (), "images[0]"),
        ("images: [~, u]", "images", (Image("u"),), "images[0]"),
        ("related: [x]", "related", (), "related[0]"),
        ("related: [~]", "related", (), "related[0]"),
        ("related: {title: R}", "related", (Related("", "R"),), "related"),
        ("related: [{title: R, quality: x}]", "related", (Related("", "R"),), "related[0].quality"),
        ("related: [{name: R, provider: P}]", "related", (Related("", "R", provider=Provider("P")),), None),
        (
            "related: [{originalUrl: 'https://a.example/'}]",
            "related",
            (Related("https://a.example/", original_url="https://a.example/"),),
            None,
        ),
        ("webUrl: [a]", "web_url", "", "webUrl"),
        ("updatedDateTime: soon", "updated_at", None, "updatedDateTime"),
        ("title: a\ntitle: b", "title", "b", "title"),
        ("a: b\nx: &y z", "extra", {"a": "b", "x": "z"}, "x"),
        ("x: !!int '5'", "extra", {"x": "5"}, "x"),
        ("x: !!python/object:os.system [ls]", "extra", {"x": ["ls"]}, "x"),
        ("<<: {a: b}", "extra", {"<<": {"a": "b"}}, None),
        ("true: a\n5: b\n~: c", "extra", {"true": "a", "5": "b", "~": "c"}, None),
        ("related:\n- a: b\n  a: c", "related", (Related(""),), "related[0].a"),
    ],
)
def test_a_wrong_type_costs_that_field_only(front: str, field: str, value: object, where: str | None) -> None:
    made = article(f"category: news\n{front}")
    assert getattr(made, field) == value
    assert made.category == "news"
    assert (where in [name for _, name in warned(made)]) if where else not made.warnings


def test_warnings_name_the_line() -> None:
    front = "title: t\ntopics:\n  - a\n  -\n\nrelated:\n  - title: x\n    quality: bad\n  - y\nheat: hot"
    expected = [(5, "topics[1]"), (9, "related[0].quality"), (10, "related[1]"), (11, "heat")]
    assert warned(article(front)) == expected
    assert warned(article("# slow\n" + front)) == [(line + 1, name) for line, name in expected]


def test_very_many_warnings_are_counted() -> None:
    made = article("topics:\n" + "  -\n" * 500)
    assert len(made.warnings) == 100
    assert made.warnings[-1].reason == "and 401 more warnings"


@pytest.mark.parametrize(
    ("data", "title", "body"),
    [
        (b"\xef\xbb\xbf---\ntitle: T\n---\nb", "T", "b"),
        (b"---\r\ntitle: T\r\n---\r\na\r\nb\r\n", "T", "a\nb\n"),
        (b"---\rtitle: T\r---\ra\rb", "T", "a\nb"),
        ("---\ntitle: Té\n---\nb\n".encode("utf-16"), "Té", "b\n"),
        (b"\xfe\xff" + "---\ntitle: Té\n---\nb\n".encode("utf-16-be"), "Té", "b\n"),
        ("---\ntitle: Té\n---\n".encode("utf-32"), "Té", ""),
        (b"---  \ntitle: T\n--- \t\nb", "T", "b"),
        (b"\n \n---\ntitle: T\n---\nb", "T", "b"),
        (b"---\ntitle: T\n...\nb\n---\nc", "T", "b\n---\nc"),
        (b"---\ntitle: T\n---", "T", ""),
        (b"---\ntitle: T\n---\n\n \n", "T", ""),
        (b"---\ntitle: T\n---\n\n---\nb", "T", "\n---\nb"),
        (b'---\ntitle: "a\n---\nb"\nx: y\n---\nbody\n', "a --- b", "body\n"),
        (b"---\ntitle: 'a\n---\nb\n...\nc'\n---\nbody", "a --- b ... c", "body"),
        (b"---\ntitle: T\nx: |\n  a\n  ---\n  b\n---\nbody", "T", "body"),
        (b"---\ntitle: a ----\n---\nbody", "a ----", "body"),
        (b"---\n---\n# Body\n", "a slug", "# Body\n"),
        (b"---\n# only a comment\n---\nb", "a slug", "b"),
        (b"---\ntitle: caf\xe9 \x93q\x94\n---\nb\x81", "café “q”", "b\x81"),
        (b"---\ntitle: \xc3\xa9\xe9\n---\n", "éé", ""),
        (b"---\ntitle: a\x00b\x1bc\n---\n", "a\x00b\x1bc", ""),
        ("---\ntitle: a\u2028b\x85c\ufeffd\n---\n".encode(), "a\u2028b\x85c\ufeffd", ""),
        (b'---\ntitle: "\\ud83d\\ude00"\n---\n', "\U0001f600", ""),
        (b'---\ntitle: "a\\ud83db"\n---\n', "a\ufffdb", ""),
        (b'---\ntitle: "a\\\\ud83d \\ud83d\\ude00"\n---\n', "a\\ud83d \U0001f600", ""),
        (b"---\ntitle: T\n", "T", ""),
    ],
)
def test_fences_and_encodings(data: bytes, title: str, body: str) -> None:
    made = read(data, PATH)
    assert isinstance(made, Article), made
    assert (made.title, made.body) == (title, body)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"---\ntitle: caf\xe9\n---\n", 2),
        (b"---\ntitle: t\n---\na\n\xff\n", 5),
        (b"---\ntitle: t\n", 1),
        (b"---\ntitle: t\nx: \x01\n---\n", 3),
        (b"just text", 1),
        (b'---\na: b\nx: "\\ud800"\n---\n', 3),
        ("---\ntitle: t\n---\na".encode("utf-16") + b"\x00\xd8", 4),
    ],
)
def test_what_was_odd_about_a_file_is_said(data: bytes, line: int) -> None:
    made = read(data, PATH)
    assert isinstance(made, Article)
    assert [warning.line for warning in made.warnings] == [line]


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# One\n", "One"),
        ("text\n\n## Two ##\n# One", "Two"),
        ("One\n===\n", "One"),
        ("a\n\nTwo words\n---\n", "Two words"),
        ("```\n# no\n```\n# Yes\n", "Yes"),
        ("~~~\n# no\n", "a slug"),
        ("#no\n", "a slug"),
        ("text", "a slug"),
        ("----\ntitle: x\n----\n", "title: x"),
        ("--- x\ntitle: y\n---\n", "title: y"),
        ("# C# and F#", "C# and F#"),
    ],
)
def test_a_file_without_front_matter(body: str, title: str) -> None:
    made = read(body.encode(), PATH)
    assert isinstance(made, Article)
    assert (made.title, made.body, made.fields) == (title, body, {})
    assert [warning.reason for warning in made.warnings] == ["no front matter"]


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        ("", 0, "empty"),
        ("\ufeff \n", 0, "empty"),
        ("---\ntitle: a: b\n---\n", 2, "colon"),
        ("---\na: b\ntitle: T\nbody\n---\n", 4, "no colon"),
        ("---\ntitle a\nwebUrl: https://a.example/8\n---\n", 2, "no colon"),
        ("---\ntitle a\n\n# a comment\nwebUrl: x\n---\n", 2, "no colon"),
        ("---\nprovider:\n name: x\n  domain: y\n---\n", 4, "wrong indentation"),
        ("---\ne: on Monday and\n  late at night\n  said: not a penny\n---\n", 4, "a colon and a blank"),
        ("---\na: b\n\ntitle a\nwebUrl: x\n---\n", 4, "no colon"),
        ("---\ntitle: One: two\nwebUrl: x\n---\n", 2, "a colon and a blank"),
        ('---\ntitle: "a\nb: c\n---\nbody', 2, "never closed"),
        ("---\ntitle: T\nbody\n", 1, "never closed"),
        ("---\n\n# A rule above\n\ntext\n", 1, "never closed"),
        ("---\n- a\n- b\n---\n", 2, "a list"),
        ("---\n\njust text\n---\n", 3, "a single value"),
        ("---\na: b\nx: *y\n---\n", 3, "*y"),
        ("---\na: &y b\nx: *y\n---\n", 3, "*y"),
        ("---\ntitle: *bold*\n---\n", 2, "*"),
        ("---\ntitle: {{ title }}\n---\n", 2, "must be quoted"),
        ("---\ntitle: @a\n---\n", 2, "quoted"),
        ("---\na: [b, c\nd: e\n---\n", 3, "["),
        ("---\na:\n  - b\n c: d\n---\n", 4, "indentation"),
        ('---\na: "\\q"\n---\n', 2, "backslash"),
        ("---\na: b\n<<<<<<< HEAD\nc: d\n=======\nc: e\n>>>>>>> x\n---\n", 3, "conflict"),
        ("<<<<<<< HEAD\n---\na: b\n---\n", 1, "conflict"),
        ("---\na: " + "[" * 65 + "]" * 65 + "\n---\n", 2, "64 deep"),
        ("---\na: b\n--- c\n---\n", 3, "document"),
        ("---\n" + "a: b\n" * 40_000 + "---\n", 2, "20,000"),
        ("---\na: " + "x" * MAX_FRONT_MATTER + "\n---\n", 1, "1024 KiB"),
        ("a\n\0\n", 2, "NUL"),
        ("+++\na = 1\nb = \n+++\n", 3, "TOML"),
        ("+++\na = 1\nb\n", 1, "never closed"),
        ("+++\na = " + "[" * 5000 + "\n+++\n", 2, "deep"),
        ("+++\n" + "a." * 5000 + "b = 1\n+++\n", 2, "parts"),
        ("+++\n# " + "x" * 50_000 + "\n+++\n", 2, "KiB"),
    ],
)
def test_problems(data: str, line: int, words: str) -> None:
    found = problem(data)
    assert (found.line, words in found.reason) == (line, True), found


def test_a_file_too_large_is_not_looked_into() -> None:
    assert "9 MiB" in problem(b"x" * (MAX_FILE + 1)).reason


def test_broken_utf_16() -> None:
    assert "UTF-16" in problem(b"\xff\xfe" + b"\x00\xd8" * 100_000).reason


def test_toml() -> None:
    made = read(
        b'+++\ntitle = "T"\npublishedDateTime = 2020-06-11T02:01:00Z\nday = 2020-06-11\nat = 07:32:00\n'
        b"quality = 41\nver = 3.10\nhalf = 0.5\ninf = inf\nbig = 123456789012345678901\ntopics = ['a', 'b']\n"
        b"heat = 'x'\n[provider]\nname = 'P'\n[[related]]\ntitle = 'R'\n+++\nbody\n",
        PATH,
    )
    assert isinstance(made, Article)
    assert (made.title, made.quality, made.topics, made.provider) == ("T", 41, ("a", "b"), Provider("P"))
    assert made.published_at == datetime(2020, 6, 11, 2, 1, tzinfo=UTC)
    assert made.related == (Related("", "R"),)
    assert made.extra == {
        "day": "2020-06-11",
        "at": "07:32:00",
        "ver": "3.10",
        "half": 0.5,
        "inf": "inf",
        "big": "123456789012345678901",
    }
    assert warned(made) == [(12, "heat")]
    assert made.body == "body\n"
    json.dumps(to_json(made), allow_nan=False)


def test_json_survives_everything() -> None:
    made = read(b'---\ntitle: "a\\0b\\x1b"\nquality: x\n---\n\x00\n', "s/\udce9.md")
    assert isinstance(made, Article)
    shown = json.loads(json.dumps(to_json(made), ensure_ascii=True))
    assert shown == {
        "key": "file:s/\udce9.md",
        "path": "s/\udce9.md",
        "title": "a\0b\x1b",
        "published_at": None,
        "address": "",
        "warnings": [{"line": 3, "field": "quality", "reason": "a whole number expected"}],
        "fields": {"title": "a\0b\x1b", "quality": "x"},
        "body": "\0\n",
    }
    timed = to_json(article("publishedDateTime: 2020-06-11T02:01:00+01:00"))
    assert timed["published_at"] == "2020-06-11T01:01:00Z"
    assert FieldWarning(1, "", "no front matter") in read(b"x", "p").warnings


def test_yaml_is_imported_only_when_needed() -> None:
    code = (
        "import sys; from reader.frontmatter import read;"
        "read(b'---\\ntitle: \"T\"\\nx:\\n  - a: 1\\n---\\nb', 'p');"
        "assert not {'yaml', 'tomllib', 'textual', 'httpx'} & set(sys.modules);"
        "read(b'---\\ntitle: >\\n  T\\n---\\n', 'p'); assert 'yaml' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@given(
    st.sampled_from(["http", "https", "HTTP"]),
    st.text("aA.-:1@m", max_size=12),
    st.text("/aAmp.~%?#&=2e x-:@", max_size=24),
)
def test_the_short_way_of_canonical_changes_nothing(scheme: str, host: str, rest: str) -> None:
    usual = address._USUAL
    found = address.canonical(f"{scheme}://{host}{rest}")
    try:
        address._USUAL = address.re.compile(r"(?!)")
        assert address.canonical(f"{scheme}://{host}{rest}") == found
    finally:
        address._USUAL = usual
