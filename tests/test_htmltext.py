"""HTML becomes text that reads like Markdown, whatever the HTML is like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reader.htmltext import (
    attributes,
    iter_markdown,
    looks_like_html,
    to_markdown,
    unescape_excerpt,
    web_address,
)


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one\n  two&nbsp;three</p>", "one two\u00a0three"),
        ("one<br>two<br/>three", "one  \ntwo  \nthree"),
        ("<h1>One</h1><h3>Three <b>b</b></h3>text", "# One\n\n### Three **b**\n\ntext"),
        ("<p>a <b>bold</b>, <i>it</i>, <s>gone</s></p>", "a **bold**, *it*, ~~gone~~"),
        ("a<strong> bold </strong>b", "a **bold** b"),
        ("<b><b>twice</b></b> <b></b>x", "**twice** x"),
        ("<b>never closed", "**never closed**"),
        ("never opened</b></p></ul></table></a>", "never opened"),
        ("<code>a*b_c</code>", "`a*b_c`"),
        ("<pre>a\n  b &lt; c\n</pre>x", "```\na\n  b < c\n```\n\nx"),
        ("<pre>```</pre>", "````\n```\n````"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        ('<ol start="9"><li>nine<li>ten</ol>', "9. nine\n10. ten"),
        (
            "<ul><li>a<ul><li>b<ol><li>c</ol></ul><li>d</ul>e",
            "- a\n  - b\n    1. c\n- d\n\ne",
        ),
        ("<blockquote>said<p>more</blockquote>after", "> said\n\n> more\n\nafter"),
        ("a<hr>b", "a\n\n---\n\nb"),
        (
            "<table><tr><th>A<th>B</tr><tr><td>1<td>2|3</tr></table>",
            "| A | B |\n| --- | --- |\n| 1 | 2\\|3 |",
        ),
        (
            "<table><tr><td>A<td>B</tr><tr><td>1</tr><tr><td>1<td>2<td>3</tr></table>",
            "| A | B |\n| --- | --- |\n| 1 |  |\n| 1 | 2 3 |",
        ),
        ("<table><tr><td><p>layout</p><p>only</p></td></tr></table>", "layout only"),
        ("<table><tr><td>a<table><tr><td>in</table><td>b</table>c", "| a in | b |\n| --- | --- |\n\nc"),
        ("<script>evil()</script>a<style>p{}</style>b<SCRIPT>x</Script >c", "abc"),
        ("a<!-- no -->b<!doctype html>c<?php x ?>d", "abcd"),
        ("a <!-- never closed", "a \\<!-- never closed"),
        ("1 < 2 <3 </3 a<", "1 < 2 <3 \\</3 a<"),
        ("<p title='>'>quoted</p>", "quoted"),
        ('<p title=">never closed>text', "never closed>text"),
        ("&lt;b&gt; &amp;amp; *x* [y] _z_ a_b", "\\<b> \\&amp; \\*x\\* \\[y\\] \\_z\\_ a_b"),
        (
            "<p># no heading<p>- no item<p>1. no item<p>> no quote",
            "\\# no heading\n\n\\- no item\n\n1\\. no item\n\n\\> no quote",
        ),
    ],
)
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert to_markdown(html) == markdown


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ('<a href="https://example.org/a?b=1&amp;c=2">t</a>', "[t](https://example.org/a?b=1&c=2)"),
        ("<a href=https://example.org/x>https://example.org/x</a>", "<https://example.org/x>"),
        ("<a href='https://example.org/'></a>", "<https://example.org/>"),
        ("<a href='https://example.org/a (b)\"<'>t</a>", "[t](https://example.org/a%20%28b%29%22%3C)"),
        ("<a href='//example.org/x'>t</a>", "[t](https://example.org/x)"),
        ("<a href='javascript:alert(1)'>t</a>", "t"),
        ("<a href='JaVaScRiPt:x'>t</a>", "t"),
        ("<a href=' \tdata:text/html,x'>t</a>", "t"),
        ("<a href='/relative'>t</a><a>u</a>", "tu"),
        ("<a href='https://[bad'>t</a>", "t"),
        ("<img src='https://example.org/i.png' alt='a [b]'>", "![a \\[b\\]](https://example.org/i.png)"),
        ("<img src='/smile.png' alt=':smile:'>", ":smile:"),
        ("<img src='data:image/png;base64,AAAA'>x", "x"),
        ("<iframe src='//video.example/1' title='A film'></iframe>", "[A film](https://video.example/1)"),
        (
            "a<iframe src='https://video.example/1'></iframe>b",
            "a\n\n[embedded page](https://video.example/1)\n\nb",
        ),
        (
            "<a href=https://example.org/><img src=https://example.org/i alt=p></a>",
            "[![p](https://example.org/i)](https://example.org/)",
        ),
    ],
)
def test_links_and_pictures(html: str, markdown: str) -> None:
    assert to_markdown(html) == markdown


def test_what_was_text_stays_text_when_read_as_markdown() -> None:
    said = "a *b* _c_ `d` [e](https://example.org/) <b>f</b> &lt; ~~g~~ # h | i \\ ![j](k)"
    escaped = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    rendered = MarkdownIt().render(to_markdown(f"<p>{escaped}</p>"))
    assert rendered == MarkdownIt("zero").render(said)


@pytest.mark.parametrize(
    ("excerpt", "plain"),
    [
        ("no entity", "no entity"),
        ("we&#8217;re &amp; you", "we’re & you"),
        ("The &amp;quot;Handshake&amp;quot;", 'The "Handshake"'),
        ("a & b &nosuch; &", "a & b &nosuch; &"),
        ("&amp;amp;amp;amp;amp;", "&amp;amp;"),
        pytest.param(
            "a&#" + "9" * 5000 + ";b&#x" + "f" * 5000 + ";c", "a\ufffdb\ufffdc", id="endless numbers"
        ),
        ("&#0000000065;&#x110000;&#xd800;", "A\ufffd\ufffd"),
    ],
)
def test_excerpts(excerpt: str, plain: str) -> None:
    assert unescape_excerpt(excerpt) == plain


@pytest.mark.parametrize(
    ("body", "is_html"),
    [
        ("", False),
        ("plain < text > here", False),
        ("<p>one</p>", True),
        ("<!DOCTYPE html><html><body>x</body></html>", True),
        ("text first <br> then <b>tags</b> <i>and</i> <a href='x'>more</a> <img src=y>", True),
        ("# Heading\n\nA paragraph with a<br>break.\n\nAnother one.", False),
        ("<img src='logo.png'>\n\n# Heading\n\nText.\n\nText.", False),
        ("`<p>` is a paragraph, as `<div>` is not", False),
        ("<https://example.org/> says so", False),
        ("<div>\n\n# x\n\n</div>", False),
    ],
)
def test_html_is_told_from_markdown(body: str, is_html: bool) -> None:
    assert looks_like_html(body) is is_html


def test_attributes() -> None:
    assert attributes(""" A=1 b="two &amp; 2" c='3' d e=f/g A=9 """) == {
        "a": "1",
        "b": "two & 2",
        "c": "3",
        "d": "",
        "e": "f/g",
    }


@pytest.mark.parametrize("scheme", ["javascript:", "data:", "file:///", "vbscript:", "ftp://", "mailto:", ""])
def test_only_web_addresses_are_links(scheme: str) -> None:
    assert web_address(f"{scheme}example.org/x") == ""


UNITS = [
    *("<", "<!", "<!--", "-->", "<a", "<a'", '<a"', "<a href=https://x.org>", "</a>", "<b>", "</b>", "<p>"),
    *("<ul>", "</ul>", "<ol>", "<li>", "<blockquote>", "<pre>", "</pre>", "<code>", "<h1>", "<br>", "<hr>"),
    *("<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<img>", "<script>", "</script", "<svg/>"),
    *(
        "<iframe>",
        "&",
        "&amp;",
        "&#8238;",
        "&#27;",
        "&#" + "9" * 5000,
        ">",
        "'",
        '"',
        "`",
        "*",
        "_",
        "[",
        "]",
        "|",
        "\\",
        "x",
    ),
    *("\n", "\x00", "\x1b", "\ud800", "漢", "](", "<![CDATA[", "<?x", " "),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(UNITS), max_size=60).map("".join))
def test_no_html_is_too_broken(html: str) -> None:
    pieces = list(iter_markdown(html))
    assert "".join(pieces).strip("\n") == to_markdown(html)
    unescape_excerpt(html)
    looks_like_html(html)


@pytest.mark.parametrize("unit", [*UNITS, "<b><i><a href=https://x.org>t", "<ul></ol>", "<a x=y "])
def test_a_long_hostile_text_comes_to_an_end(unit: str) -> None:
    """Quadratic work would take minutes here; the linear kind well below a second."""
    text = unit * (100_000 // len(unit))
    assert len(to_markdown(text)) < 12 * len(text) + 100
    assert len(to_markdown(text + "\"'>")) < 12 * len(text) + 100


def test_pieces_come_as_the_text_goes() -> None:
    pieces = list(iter_markdown("<p>A paragraph of some words.</p>\n" * 10_000))
    assert 5 < len(pieces) < 60
    assert all(piece.endswith("\n\n") for piece in pieces if piece)


def test_the_real_bodies(corpus: Path) -> None:
    seen = 0
    for path in corpus.rglob("*.md"):
        body = re.sub(r"\A---\n.*?\n---\n?", "", path.read_text("utf-8", "replace"), count=1, flags=re.DOTALL)
        if not body.strip():
            continue
        seen += 1
        assert looks_like_html(body)
        text = to_markdown(body)
        assert text and "</" not in text and not re.search(r"<(?!https?://)[a-z]", text)
        assert (
            sorted(set(re.findall(r"[^\W_]{4,}", re.sub(r"<[^>]*>", " ", body))))
            and len(text) > len(body) // 20
        )
    assert seen > 10
