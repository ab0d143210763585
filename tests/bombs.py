"""Files made to stop, crash or flood a reader: by name, each as its bytes. For the tests and the bench."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from reader.frontmatter import MAX_FILE, MAX_FRONT_MATTER

FRONT: Final = MAX_FRONT_MATTER - 100
BODY: Final = MAX_FILE - 100


def front(text: str) -> bytes:
    """A file of this front matter, cut at what is looked into."""
    return b"---\n" + text[:FRONT].encode("utf-8", "surrogatepass") + b"\n---\n"


def toml(text: str) -> bytes:
    """A file of this TOML, whole lines of it, about as much as is looked into."""
    return b"+++\n" + text[:32_000].rpartition("\n")[0].encode() + b"\n+++\n"


def body(unit: str | bytes, size: int = BODY) -> bytes:
    """A good front matter, then *unit* again and again."""
    raw = unit.encode("utf-8", "surrogatepass") if isinstance(unit, str) else unit
    return b"---\ntitle: t\n---\n" + raw * ((size - 20) // len(raw))


def lines(unit: Callable[[int], str], count: int, head: str = "") -> bytes:
    """Front matter of *count* parts."""
    return front(head + "".join(map(unit, range(count))))


def letters(first: int, last: int, size: int, between: str = "") -> bytes:
    """A body of characters drawn from a range."""
    chance = random.Random(first)
    return b"---\ntitle: t\n---\n" + "".join(
        chr(chance.randrange(first, last)) + between for _ in range(size)
    ).encode("utf-8", "surrogatepass")


def _yaml() -> dict[str, bytes]:
    return {
        "laughs": lines(lambda i: f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n", 30, "a0: &a0 [x, x]\n"),
        "merges": lines(lambda i: f"a{i}: &a{i}\n  <<: [*a{i - 1}, *a{i - 1}]\n", 12, "a0: &a0 {k: v}\n"),
        "alias to itself": front("a: &a [*a]"),
        "dashes": front("- " * 400_000),
        "brackets": front("[" * FRONT),
        "braces": front("a: " + "{a: " * 200_000),
        "question marks": front("? " * 400_000),
        "nested keys": front("\n".join(" " * i + "a:" for i in range(1_400))),
        "many parts": front("a: [" + "a," * 500_000 + "]"),
        "many keys": lines(lambda i: f"k{i}: [1]\n", 40_000),
        "one key": front("a: 1\n" * 200_000),
        "anchors": lines(lambda i: f"&a{i} k{i}: &b{i} !t v\n", 30_000),
        "tags": front("a: [" + "!t x," * 100_000 + "]"),
        "long anchor": front("a: &" + "a" * FRONT),
        "long tag": front("a: !" + "%41" * 300_000 + " b"),
        "question keys": front("? a\n: b\n" * 20_000),
        "flow of pairs": front("[" + "? a : b," * 20_000 + "]"),
        "simple keys": front("{" + "a,\n" * 30_000),
        "long text": front('a: "' + "x" * FRONT),
        "long plain": front("a: " + "x y " * 260_000),
        "literal": front("a: |\n" + " x\n" * 340_000),
        "folded": front("a: >\n" + " x\n\n" * 250_000),
        "plain lines": front("a: x\n" + " x\n" * 170_000),
        "half folded": front("a: >\n" + " x\n\n" * 125_000),
        "quoted line ends": front('a: "' + "\n" * 500_000 + '"'),
        "line ends": front("\n" * 500_000 + "a: 1"),
        "comments": front("#x\n" * 170_000 + "a: [1]"),
        "directives": front("%TAG ! tag:x\n" * 40_000),
        "version": front("%YAML 1." + "9" * 5_000),
        "half characters": front('a: "' + "\\ud800" * 10_000 + '"'),
        "escapes": front('a: [1]\nb: "' + "\\x41" * 120_000 + '"'),
        "quick escapes": front('a: "' + "\\n" * 500_000 + '"'),
        "controls": front('a: "' + "\x01" * 65_000 + '"'),
        "kinds of controls": front('a: "' + "".join(map(chr, range(0x80, 0xA0))) * 2_000 + '"'),
        "surrogates": front('a: "' + "\ud800" * 20_000 + '"'),
        "quotes": front("'" * FRONT),
        "colons": front("a:" * 400_000),
        "bars": front("a: |\n" * 100_000),
        "indents": lines(lambda i: " " * (i % 200) + "x\n", 10_000, "a: |\n"),
        "classes": front("x: !!python/object/apply:os._exit [3]"),
        "odd types": front("2020-13-45: 2020-13-45\nx: !!bool x\ny: !!timestamp z\nz: !!int x\n"),
        "number": front("quality: " + "9" * FRONT),
        "documents": front("--- a\n" * 100_000),
        "conflicts": front("<<<<<<<" * 100_000),
        "fences in a quotation": b'---\na: "x\n' + b"b: c\n---\n" * 100_000,
        "many fences": b'---\na: "x\n' + b"---\n" * 16_000,
        "never closed": b"---\n" + b"a: 1\n" * 1_800_000,
        "long key": front("a" * FRONT + ": 1"),
    }


def _toml() -> dict[str, bytes]:
    return {
        "TOML brackets": b"+++\na = " + b"[" * 32_000 + b"\n+++\n",
        "TOML braces": b"+++\na = " + b"{a=" * 10_000 + b"\n+++\n",
        "TOML dots": b"+++\n" + b"a." * 16_000 + b"a = 1\n+++\n",
        "TOML list": b"+++\na=[" + b"1," * 16_000 + b"]\n+++\n",
        "TOML keys": toml("".join(f'"k{i}"=1\n' for i in range(5_000)) + "title=[]\n\n"),
        "TOML warnings": toml("title=[]\n" + "".join(f"k{i}=1\n" for i in range(5_000))),
        "TOML tables": toml("[[a]]\n" * 8_000),
        "TOML inline": toml("".join(f"a{i}={{b={{c=1}}}}\n" for i in range(3_500))),
        "TOML escapes": b'+++\na="' + b"\\n" * 16_000 + b'"\n+++\n',
        "TOML number": b"+++\na=0x" + b"f" * 32_000 + b"\n+++\n",
        "TOML digits": b"+++\na=" + b"1" * 32_000 + b"\n+++\n",
    }


def _plain() -> dict[str, bytes]:
    """What the strict reader takes, up to its bounds."""
    at = "https://a.example/"
    related = "related:\n"
    return {
        "a thousand related": lines(
            lambda i: (
                f'- title: "T {i}"\n  webUrl: "{at}{i}"\n  quality: {i}\n  provider:\n    name: N\n'
                f'    domain: d.example\n  images:\n  - url: "{at}{i}.jpg"\n    width: 1\n    height: 2\n'
                "    isCached: true\n"
            ),
            1_000,
            related,
        ),
        "wrong fields": lines(lambda _: "- quality: x\n  heat: y\n", 6_300, related),
        "wrong images": lines(lambda _: "- width: x\n", 12_700, "images:\n"),
        "too late": front("".join(f"k{i}: v\n" for i in range(12_600)) + "x: [a]\n"),
        "empty topics": lines(lambda _: "- \n", 12_700, "topics:\n"),
        "topics": lines(lambda i: f"- t{i}\n", 12_700, "topics:\n"),
        "addresses": lines(lambda i: f'- webUrl: "HTTP://é{i}.example/%41?utm_a=b&c=d#é"\n', 12_700, related),
        "times": lines(
            lambda _: f"- publishedDateTime: 2020-06-11 02:01:00.{'9' * 30} +01:00\n", 12_700, related
        ),
        "titles of marks": lines(lambda _: '- title: "' + "a\u0301\u0316" * 1_000 + '"\n', 300, related),
        "titles of many scripts": lines(lambda i: f'- title: "{"é漢" * 20}{i}"\n', 12_000, related),
        "long titles": lines(lambda _: '- title: "' + "é漢" * 1_000 + '"\n', 300, related),
        "long address": front('webUrl: "http://' + "é." * 300_000 + '/"'),
        "long query": front('webUrl: "http://a.example/?' + "a=b&" * 250_000 + '"'),
        "long excerpt": front('excerpt: "' + "é" * 600_000 + '"'),
        "excerpt of marks": front('excerpt: "' + "\u0301\u0316" * 300_000 + '"'),
        "title of marks": front('title: "' + "\u0301\u0316" * 300_000 + '"'),
        "entity in the title": front('title: "&#' + "9" * 5_000 + ';"\nexcerpt: "&#x' + "9" * 5_000 + '"'),
        "entity in a related title": front(related + '- title: "&#' + "9" * 5_000 + ';"'),
    }


def _encodings() -> dict[str, bytes]:
    return {
        "not UTF-16": b"\xff\xfe" + b"\x00\xd8" * (BODY // 2),
        "UTF-16": b"\xff\xfe" + ("---\na: b\n---\n" + "w" * (BODY // 2 - 20)).encode("utf-16-le"),
        "not UTF-8": b"\xffa" * (BODY // 2),
        "a little not UTF-8": (b"\xff" + b"a" * 200) * 5_000,
        "a MiB not UTF-8": b"---\na: b\n---\n" + b"\xffa" * 520_000,
        "NUL": b"a" * BODY + b"\0",
        "CRLF": b"---\r\na: b\r\n---\r\n" + b"w\r\n" * (BODY // 3 - 10),
        "CR": b"---\ra: b\r---\r" + b"w\r" * (BODY // 2 - 10),
        "only blanks": b" " * BODY,
        "only line ends": b"\n" * BODY,
        "only hashes": b"#" * BODY,
        "headings": b"#\n" * (BODY // 2),
        "a heading": b"# a" + b" " * (BODY - 9) + b"b",
        "backticks": b"`" * BODY,
        "line ends before": b"\n" * BODY + b"---\na: 1\n---\n",
    }


def _bodies() -> dict[str, bytes]:
    units = {
        "prose": "words and ",
        "body of blanks": " ",
        "body of line ends": "\n",
        "emoji": "\U0001f600",
        "Chinese": "漢字",
        "Arabic": "نص طويل ",
        "colours": "\x1b[31m",
        "paragraphs": "<p>x</p>",
        "entities": "&amp;",
        "unended entities": "&amp",
        "half entities": "&notit;",
        "long entities": "&abcdefghijklmnopqrstuvwxyzabcdef",
        "huge entities": "&#" + "9" * 5_000,
        "unended tags": "<a ",
        "unended comments": "<!-- ",
        "unended scripts": "<script <style ",
        "closing scripts": "</script " * 9 + "<script ",
        "marks": "\u0301\u0316",
        "marks on letters": "a" + "\u0316\u0301" * 300,
        "letters that are sentences": "\ufdfa",
        "sentences and letters": "\ufdfaé",
        "surrogates in the body": "\ud800a",
        "nulls": "\0",
    }
    return {name: body(unit) for name, unit in units.items()} | {
        "all letters": letters(0xA0, 0xD7FF, 100_000),
        "all letters apart": letters(0xA0, 0xD7FF, 100_000, " "),
        "Latin": letters(0xC0, 0x2AF, 100_000, "b"),
        "Hangul": letters(0xAC00, 0xD7A0, 100_000),
        "Hangul letters": letters(0x1100, 0x1200, 100_000),
        "other planes": letters(0x10000, 0x10FFFF, 100_000),
    }


def bombs() -> dict[str, bytes]:
    """All of them, by name."""
    return _yaml() | _toml() | _plain() | _encodings() | _bodies()
