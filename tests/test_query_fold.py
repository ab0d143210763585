"""What is stored in the full-text table finds what the words mean: real FTS5 tables against plain Python."""

from __future__ import annotations

import random
import sqlite3
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader.store.query.folding import COLUMNS, SIGNS, TOKENIZER, fold, fts_terms, index_text, words
from reader.store.query.matching import Facts, matches
from reader.store.query.nodes import Phrase, Word


def table() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.execute(f"CREATE VIRTUAL TABLE f USING fts5({', '.join(COLUMNS)}, content='', tokenize='{TOKENIZER}')")
    return db


def store(db: sqlite3.Connection, number: int, facts: Facts) -> None:
    row = [index_text(facts.title), index_text(facts.excerpt), index_text(facts.body)]
    db.execute("INSERT INTO f(rowid, title, excerpt, body, related) VALUES (?, ?, ?, ?, ?)",
               (number, *row, index_text(*facts.related)))  # fmt: skip


def found(db: sqlite3.Connection, node: Word | Phrase) -> set[int]:
    expression = fts_terms(node)
    if not expression:
        return set()
    return {row[0] for row in db.execute("SELECT rowid FROM f WHERE f MATCH ?", (expression,))}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("iOS", "ios"),
        ("Café Ångström Ñandú", "cafe angstrom nandu"),
        ("Straße", "strasse"),
        ("Łódź Ørsted Đà Nẵng", "lodz orsted da nang"),
        ("ĲSSEL ﬁn Ⅷ ｗｉｄｅ", "ijssel fin viii wide"),
        ("İstanbul ısı", "istanbul isi"),
        ("Ёлка й", "елка и"),
        ("Ἀθῆναι ΣΊΣΥΦΟΣ", "αθηναι σισυφοσ"),
        ("ﾊﾝｸﾞﾙ ガ", "ハングル ガ"),
        ("한국어", "한국어"),
        ("हिन्दी ज़", "हिन्दी ज़"),
        ("مُحَمَّد أحمد", "محمد احمد"),
        ("שָׁלוֹם", "שלום"),
        ("co\u00adop می\u200cخواهم", "coop میخواهم"),
        ("ภาษาไทย", "ภาษาไทย"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert unicodedata.normalize("NFD", fold(text)) == unicodedata.normalize("NFD", folded)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Diablo IV: don't!", "diablo iv don t"),
        ("東京都", "東京 京都 都"),
        ("iPhone手機 2023年", "iphone 手機 機 2023 年"),
        ("東京・大阪", "東京 京 大阪 阪"),
        ("トヨタ自動車", "トヨ ヨタ タ自 自動 動車 車"),
        ("한국", "한국 국"),
        ("", ""),
        ("—!?", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_what_is_stored(text: str, stored: str) -> None:
    assert index_text(text).split() == stored.split()


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_parts_words_as_a_blank_does(sign: str) -> None:
    assert words(f"a{sign}b") == words(f"a {sign} b") == ["a", "b"]
    assert index_text(f"a{sign}b {'x' * 70}").split() == ["a", "b", "x" * 64]


def test_a_phrase_does_not_run_across_joined_texts() -> None:
    db = table()
    store(db, 1, Facts(related=("one two", "three")))
    assert found(db, Phrase("one two")) == {1}
    assert found(db, Phrase("two three")) == set()


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("The new iOS is out", Word("IOS")),
        ("昨日東京都で地震", Word("東京")),
        ("昨日東京都で地震", Word("地震")),
        ("昨日東京都で地震", Word("震")),
        ("北京大学宣布", Word("大学")),
        ("新しいｱｯﾌﾟﾙ製品", Word("アップル")),
        ("삼성전자는 오늘", Word("삼성")),
        ("ประเทศไทยวันนี้", Word("ไทย")),
        ("हिन्दी समाचार", Word("हिन्दी")),
        ("Covid-19 in Łódź", Phrase("COVID 19")),
        ("Barbarian", Word("barb", prefix=True)),
        ("open betas", Phrase("open beta", prefix=True)),
    ],
)
def test_found_in_any_script(text: str, node: Word | Phrase) -> None:
    db = table()
    store(db, 1, Facts(title=text))
    assert found(db, node) == {1}
    assert matches(node, Facts(title=text))


ATOMS = [
    "ios", "IOS", "Café", "cafe", "a", "ab", "beta", "betas", "19", "C++", "Łódź", "ß", "ss", "हिन्दी", "ёж",
    "東", "京", "東京", "京東", "都", "ア", "ガ", "ﾊﾟ", "한", "국어", "ไทย", "ๆ", "〇", "\U00020000",
    "e\u0301", "\u0301", "\u3099",
    "\u200b", "\u00ad", "\ufe0f", "🚀", "\ud800", "\x00", "¶", "Å", "\ue000", "½",
]  # fmt: skip
GAPS = ["", "", "", " ", " ", " ", "-", "・", '"', "*", "'", "\n", ":", "^", "(", "\u3000"]


def _text(chance: random.Random, most: int) -> str:
    return "".join(chance.choice(ATOMS) + chance.choice(GAPS) for _ in range(chance.randrange(most)))


def _facts(chance: random.Random) -> Facts:
    related = tuple(_text(chance, 4) for _ in range(chance.randrange(3)))
    return Facts(title=_text(chance, 6), excerpt=_text(chance, 8), body=_text(chance, 12), related=related)


def test_the_table_agrees_with_the_plain_filter() -> None:
    chance = random.Random(4)
    db = table()
    held = [_facts(chance) for _ in range(150)]
    for number, facts in enumerate(held):
        store(db, number, facts)
    hits = 0
    for _ in range(1000):
        make = chance.choice([Word, Phrase])
        node = make(_text(chance, 4), chance.random() < 0.3, chance.choice([None, None, *COLUMNS]))
        expected = {n for n, facts in enumerate(held) if matches(node, facts)}
        assert found(db, node) == expected, (node, fts_terms(node))
        hits += bool(expected)
    assert hits > 300


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.data())
def test_any_part_that_words_allow_is_found(text: str, data: st.DataObject) -> None:
    """Any characters of Unicode at all, and a query cut out of the text itself."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    db = table()
    store(db, 1, Facts(body=text))
    for prefix in (False, True):
        node = Phrase(text[start:end], prefix)
        assert bool(found(db, node)) == matches(node, Facts(body=text))


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=40))
def test_folding_is_settled_after_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert words(fold(text)) == words(text)
    index_text(text).encode()


def _unicode61(texts: list[str]) -> Iterator[tuple[int, list[str]]]:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE f USING fts5(x, tokenize='unicode61 remove_diacritics 2')")
    db.execute("CREATE VIRTUAL TABLE v USING fts5vocab(f, instance)")
    db.executemany("INSERT INTO f(rowid, x) VALUES (?, ?)", enumerate(texts))
    terms: dict[int, list[str]] = {n: [] for n in range(len(texts))}
    for number, term in db.execute("SELECT doc, term FROM v ORDER BY doc, offset"):
        terms[number].append(term)
    yield from terms.items()


def test_words_are_those_of_unicode61_for_european_text(corpus: Path) -> None:
    """On whole real files: the same words at the same boundaries, except where we fold further."""
    texts = [
        f.read_text("utf-8", "replace").replace("\x00", " ")[:4000]
        for f in sorted(corpus.rglob("*.md"))[:200]
    ]
    plain = [
        t
        for t in texts
        if unicodedata.is_normalized("NFKC", t) and not set(t) & set("øłđħıæœßðþŧ\u00ad\u200b")
    ]
    assert len(plain) > 20
    for number, terms in _unicode61(plain):
        mine = words(plain[number])
        if not any(ord(c) > 0x24F and unicodedata.category(c)[0] in "LM" for c in plain[number]):
            assert [t[:64] for t in terms] == mine


@given(st.text(st.characters(max_codepoint=127)), st.integers(0, 80), st.sampled_from(["", *SIGNS]))
def test_ascii_is_stored_as_its_words(text: str, long: int, sign: str) -> None:
    text += sign + "x" * long
    assert index_text(text, "é!", text).split() == [*words(text), "¶", "e", "¶", *words(text)]
    assert "\n" not in index_text(text)
