"""Strings that strangers could write to reach a terminal, a parser of markup or a person's eye.

:func:`strings` gives well over a thousand, always the same, in families.
Where a string names something to be done, it names ``pwn``: nothing that
newsfold itself sends holds that word.
"""

# ruff: noqa: E501 - the lines are tables
from __future__ import annotations

from collections.abc import Iterator

BEL, ST, C1_ST = "\x07", "\x1b\\", "\x9c"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060\u2061\u2062\u2063\u2064\u206a\u206f\u3164\ufeff\uffa0\ufff9\ufffb"
MARKS = (
    "\u0300\u0301\u0489\u05b0\u064e\u0e31\u0eb1\u0f71\u1ab0\u20dd\u20e3\ua66f\ufe0f\ufe20\U0001d165\U000e0101"
)


def strings() -> list[str]:
    """Every string once."""
    return list(dict.fromkeys(_all()))


def _all() -> Iterator[str]:
    yield from _controls()
    yield from _sequences()
    yield from _strings_to_terminals()
    yield from _unicode()
    yield from _markup()
    yield from _texts()
    yield from _long()


def _controls() -> Iterator[str]:
    for code in [*range(0x20), *range(0x7F, 0xA0)]:
        yield f"a{chr(code)}b"
        yield chr(code) * 3
    yield "".join(map(chr, range(0x20)))
    yield "".join(map(chr, range(0x7F, 0xA0)))
    yield from (
        "over\rwritten",
        "back\b\b\b\bspace",
        "bell\x07",
        "form\ffeed",
        "a\nb\nc",
        "nul\x00nul",
        "a\r\nb",
    )


def _sequences() -> Iterator[str]:
    for code in range(0x20, 0x7F):
        yield f"\x1b{chr(code)}pwn"
    for final in range(0x40, 0x7F):
        yield f"\x1b[{chr(final)}pwn"
        yield f"\x9b{chr(final)}pwn"
        yield f"\x1b[9;7{chr(final)}pwn"
    for mode in (1, 3, 5, 6, 7, 12, 25, 45, 47, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1047, 1048,
                 1049, 2004, 2026, 2027, 2048):  # fmt: skip
        yield f"\x1b[?{mode}hpwn"
        yield f"\x1b[?{mode}lpwn"
    for number in (1, 2, 5, 6, 7, 8, 31, 41, 53, 91, 107):
        yield f"\x1b[{number}mpwn"
        yield f"\x9b{number};{number}mpwn"
    for rest in (
        "6n",
        "5n",
        "0c",
        ">0c",
        "=0c",
        "18t",
        "21t",
        "20t",
        "2J",
        "3J",
        "!p",
        "4 q",
        "0$}",
        '61"p',
        "?1$p",
    ):
        yield f"\x1b[{rest}"
        yield f"\x9b{rest}"


def _strings_to_terminals() -> Iterator[str]:
    numbers = ("0", "1", "2", "4;1", "7", "8;", "9", "10", "11", "12", "50", "52;c", "99", "104", "133;A", "777;notify",
               "1337;File=", "5522", "666")  # fmt: skip
    for number in numbers:
        for begin in ("\x1b]", "\x9d"):
            for end in (BEL, ST, C1_ST, ""):
                yield f"{begin}{number};pwn{end}"
    for letter, c1 in (("P", "\x90"), ("X", "\x98"), ("^", "\x9e"), ("_", "\x9f")):
        for begin in (f"\x1b{letter}", c1):
            for end in (ST, C1_ST, BEL, ""):
                yield f"{begin}pwn{end}"
    yield "\x1bPtmux;\x1b\x1b]52;c;cHdu\x07\x1b\\"
    yield "\x1bP+q544e\x1b\\"
    yield "\x1bP$qm\x1b\\"
    yield "\x1bPq#0;2;0;0;0#0~~@@vv@@~~$\x1b\\"
    yield "\x1b_Ga=T,f=24,s=1,v=1;AAAA\x1b\\"
    yield "\x1b]8;;file:///etc/passwd\x1b\\pwn\x1b]8;;\x1b\\"
    yield "\x1b[200~pwn\x1b[201~"
    yield "\x1b\x1b\x1b[31m"
    yield "\x1b[38;5;196mpwn\x1b[0"
    yield "\x1b[" + "9;" * 200 + "m"
    yield "\x1b[?1049l\x1b[2J\x1b[Hpwn login: "


def _unicode() -> Iterator[str]:
    for char in BIDI:
        yield f"a{char}b"
        yield f"{char}gpj.pwn"
        yield char * 40
    for opened, closed in (("\u202e", "\u202c"), ("\u2067", "\u2069"), ("\u202d", ""), ("\u2066", "")):
        yield f"{opened}exe.pwn{closed}"
    for char in INVISIBLE:
        yield f"pay{char}pal"
        yield char * 20
    for char in "\u2028\u2029\x85\u3000\u2800\u00a0\u2007\u202f":
        yield f"a{char}{char}b"
    for mark in MARKS:
        yield "a" + mark * 100
        yield mark * 30
        yield f"a{mark}b{mark * 9}c"
    for code in (0xD800, 0xD83D, 0xDBFF, 0xDC00, 0xDC80, 0xDC9B, 0xDCFF, 0xDE00, 0xDFFF):
        yield f"a{chr(code)}b"
        yield chr(code) * 2
    yield "\ude00\ud83d"
    for code in (
        0xFDD0,
        0xFDEF,
        0xFFFE,
        0xFFFF,
        0x1FFFE,
        0x10FFFF,
        0xE0001,
        0xE0041,
        0xE007F,
        0xF0000,
        0x10FFFD,
    ):
        yield f"a{chr(code)}b"
    yield from (
        "שלום עולם",
        "مرحبا بالعالم",
        "नमस्ते",
        "สวัสดี",
        "ສະບາຍດີ",
        "漢字",
        "👩\u200d👩\u200d👧",
        "🇪🇺",
        "1\ufe0f\u20e3",
    )
    yield "https://www.pаypal.example/"
    yield "\u0430pple"
    yield "".join(f"{chr(0x1F1E6 + n)}" for n in range(26))


def _markup() -> Iterator[str]:
    for tag in ("b", "red", "bold red on blue", "link=https://pwn.example", "@click=app.quit", "@click=screen.quit()", "/",
                "/red", "$accent", "#ff0000", "not bold", "on", "blink", "reverse", "[", "]", "CVE-1", "1", "a=b", "'", '"', "\\"):  # fmt: skip
        yield f"[{tag}]pwn[/{tag}]"
        yield f"[{tag}]pwn"
        yield f"[{tag}pwn"
        yield f"\\[{tag}]pwn\\"
    for text in ("[", "]", "[/", "[/]", "[]", "[[", "]]", "[@click=", "[@click=app.bell]", "[@click='app.quit()']x[/]",
                 "\\[", "\\\\[b]", ":bomb:", ":warning", "*b*", "**b**", "_i_", "`code`", "```", "~~~", "# head", "> quote",
                 "- item", "![i](http://pwn.example/i.png)", "[l](javascript:pwn)", "[l](file:///etc/passwd)", "<b>b</b>",
                 "<script>pwn()</script>", "<a href='javascript:pwn'>x</a>", "<!-- pwn", "<![CDATA[pwn", "&#27;[31mpwn",
                 "&#x1b;]0;pwn&#7;", "&#155;31mpwn", "&#x9b;2J", "&#8238;pwn", "&#0;", "&#xd800;", "&#1114112;", "&amp;#27;",
                 "&", "&#", "&#x", "<", "<a", "</", "%s%s%n", "{0}", "{0.__class__}", "${pwn}", "$(pwn)", "`pwn`", "; pwn",
                 "| pwn", "&& pwn", "-pwn", "--pwn", "../../pwn", "~/pwn", "'", '"', "\\", "\\x1b[31m", "\\u001b", "\\e[31m",
                 "^[[31m", "\\033[0m", "%1b%5b31m", "=1+1", "NULL", "null", "---", "...", "<<: *a", "*a", "&a", "!!python/object:os.system"):  # fmt: skip
        yield text
        yield f"a {text} b"


def _texts() -> Iterator[str]:
    """What git, servers, shells and other programs say."""
    yield from ("<<<<<<< HEAD", "=======", ">>>>>>> pwn", "\x1b[33mcommit 0123abc\x1b[m (\x1b[1;36mHEAD\x1b[m)",
                 "diff --git a/\x1b[31m b/x", "remote: \x1b[Kpwn", "Receiving objects: 100%\rpwn\x1b[K", "fatal: pwn\x07",
                 "* \x1b[32mmain\x1b[m", "error: pathspec '\x1b]0;pwn\x07'", "hint: \x9b31mpwn", "From file:///\u202epwn",
                 "HTTP/1.1 200 \x1b[31mOK", "404 \x1b]52;c;cHdu\x07No", "301 \x9b2JMoved", "Location: \x1b[2J",
                 "[Errno 2] No such file: '\x1b[31m'", "Traceback (most recent call last):\n  \x1b[1mpwn",
                 "near \"\x1b[0m\": syntax error", "nodename nor \x9b servname", "certificate verify failed: \x1b[5mpwn")  # fmt: skip
    for intro in ("\x1b[", "\x9b", "\x1b]", "\x9d", "\x1bP", "\x90", "\x1b_", "\u202e", "\x1b"):
        for rest in (
            "31mpwn",
            "0;pwn\x07",
            "2J",
            "1;1Hpwn",
            "c",
            "6n",
            "?25l",
            "pwn",
            "52;c;cHdu\x07",
            "A",
            "K",
            "999B",
        ):
            yield f"Storm over the coast {intro}{rest} says agency"
            yield f"{rest}{intro}"
            yield f"\u05d0{intro}{rest}\u0301"
    for n in range(60):
        yield f"{chr(0x80 + n % 32)}{chr(n % 32)}\x1b{chr(0x40 + n)}{chr(0x202A + n % 5)}{n}"


def _long() -> Iterator[str]:
    for unit in (
        "x",
        "\x1b",
        "\x9b",
        "[",
        "]",
        "\u0301",
        "漢",
        "👩\u200d",
        "\u202e",
        " ",
        "\x00",
        "[b]",
        "\x1b[31m",
        "a b ",
        "אב ",
    ):
        yield (unit * 10_000)[:10_000]
