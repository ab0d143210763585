"""Opening addresses: real programs, real streams; what reached them is read from their own record."""

from __future__ import annotations

import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from reader import browser
from reader.browser import Plan, plan, run, safe_address, shown, unusual
from reader.errors import BrowserError

PATIENCE = 60.0
"""Seconds after which something that should come is given up: a bound, never a measure."""
GOOD = "https://example.org/a/b?x=1&y=2#part"
SLOW = """n=0
until [ -e "$HOME/../release" ] || [ $n -gt 600 ]; do sleep 0.1; n=$((n + 1)); done
echo ended >> "$HOME/../record"
"""
SAFE = re.compile(r"https?://[A-Za-z0-9.\-_:\[\]]+/[A-Za-z0-9\-._~/?#=&+%:;,@]*")

HOSTILE = [
    "",
    " ",
    "-evil",
    "--remote-debugging-port=1",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,<script>1</script>",
    "ftp://example.org/",
    "//example.org/x",
    "https:///path",
    "https:example.org",
    "http://user:pass@example.org/",
    "https://good.example\\@evil.example/",
    "https://example.org/\n--incognito",
    "https://example.org/ -evil",
    "https://example.org/\x1b]0;x\x07",
    "https://example.org/$(touch PWNED)",
    "https://example.org/`touch${IFS}PWNED`",
    "https://example.org/;touch${IFS}PWNED;#",
    "https://example.org/'&touch${IFS}PWNED&'",
    'https://example.org/"|touch${IFS}PWNED|"',
    "https://example.org/%s%s%n%00%0a-evil",
    "https://example.org/*?[a]{b,c}~<>^!",
    "https://-oProxyCommand=touch.example/",
    "https://\u202egro.elpmaxe/",
    "https://[::1%25eth0]/",
    "https://example.org:99999/",
    "https://exa mple.org/",
    "https://ex\u2044ample.org@evil/",
    "https://" + "a" * 70 + ".org/",
    "https://example.org/" + "a" * 5000,
    "HTTPS://EXAMPLE.ORG/\u202e\u2066",
    "view-source:https://example.org/",
    "https://example.org/;pwned;",
    "https://example.org/?a&pwned&b",
]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with programs that record their arguments, one a line, and nothing else on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    recorder = (
        f'#!/bin/sh\nfor a in "$@"; do printf "%s\\n" "$a" >> {shlex.quote(str(tmp_path / "record"))}; done\n'
    )
    for name, more in [
        ("recorder", ""),
        ("noisy", "echo NOISE; echo NOISE >&2; : > /dev/null; read x\n"),
        ("failing", "exit 3\n"),
        ("dying", "kill -9 $$\n"),
        ("slow", SLOW),
        ("w3m", ""),
        ("pwned", f"touch {shlex.quote(str(tmp_path / 'PWNED'))}\n"),  # in the safe spelling ; and & stay
        ("careless", None),
    ]:
        # The careless one hands on what it was given without quotes, as many a script of one line does.
        script(folder / name, "#!/bin/sh\nrecorder $*\n" if more is None else recorder + more)
    return folder


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def world(desk: Path, browser: str = "", **more: str) -> dict[str, str]:
    return {"PATH": f"{desk}:/usr/bin:/bin", "HOME": str(desk), "BROWSER": browser, **more}


def open_address(address: str, *, timeout: float = PATIENCE, **more: Any) -> str:
    """As the program's own, watched until the browser ends: a busy machine decides nothing."""
    return browser.open_address(address, timeout=timeout, **more)


def come(desk: Path, line: str) -> None:
    """Wait until the browser has written *line* into its record."""
    end = time.monotonic() + PATIENCE
    while line not in record(desk):
        assert time.monotonic() < end, f"the browser never wrote {line!r}"
        time.sleep(0.01)


def record(desk: Path) -> list[str]:
    path = desk.parent / "record"
    return path.read_text().splitlines() if path.exists() else []


# -- addresses


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        (GOOD, GOOD),
        ("HTTP://Example.ORG", "http://example.org/"),
        ("  https://example.org/x\n", "https://example.org/x"),
        ("https://example.org:443/", "https://example.org/"),
        ("https://example.org:/", "https://example.org/"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        ("https://example.org./", "https://example.org/"),
        (
            "https://münchen.example/straße?q=ü#ß",
            "https://xn--mnchen-3ya.example/stra%C3%9Fe?q=%C3%BC#%C3%9F",
        ),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://127。0。0。1/", "https://127.0.0.1/"),
        ("https://[2001:DB8::1]/", "https://[2001:db8::1]/"),
        ("https://example.org/100%/%41%zz", "https://example.org/100%25/%41%25zz"),
        ("https://example.org/a'b(c)|d", "https://example.org/a%27b%28c%29%7Cd"),
        ("https://example.org/\\..\\x", "https://example.org/%5C..%5Cx"),
        ("https://example.org?q=1", "https://example.org/?q=1"),
    ],
)
def test_an_address_is_spelled_safely(given: str, safe: str) -> None:
    assert safe_address(given) == safe
    assert safe_address(safe) == safe


def test_a_hostile_address_is_refused_or_made_harmless() -> None:
    refused = 0
    for address in HOSTILE:
        try:
            safe = safe_address(address)
        except BrowserError as error:
            refused += 1
            assert "\n" not in str(error) and str(error).isprintable()
        else:
            assert SAFE.fullmatch(safe), safe
    assert refused >= 20


@pytest.mark.parametrize(
    "code", [*range(0x21), *range(0x7F, 0xA1), 0x2028, 0x2029, 0x202E, 0x2066, 0x3000, 0xD800]
)
def test_no_control_blank_or_direction_character_passes(code: int) -> None:
    with pytest.raises(BrowserError):
        safe_address(f"https://example.org/a{chr(code)}b")


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("https://аррӏе.example/", "plain ASCII"),
        ("https://xn--80ak6aa92e.example/", "plain ASCII"),
        ("https://example.org:8080/", "8080"),
        ("https://203.0.113.9/", "number"),
        ("https://2130706433/", "number"),
        ("https://0x7f.1/", "number"),
        ("https://[::1]/", "number"),
        ("https://intranet/", "local name"),
        ("https://example.org/" + "a" * 600, "characters long"),
        ("javascript:1", "only http"),
    ],
)
def test_what_is_unusual_is_said(address: str, word: str) -> None:
    assert word in unusual(address)


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("https://аpple.example/x", "https://аpple.example/x (the host is xn--pple-43d.example)"),
        ("https://bücher.example/ü", "https://bücher.example/ü (the host is xn--bcher-kva.example)"),
        ("https://ex\u200dample.example/", "https://ex\u200dample.example/ (no valid host)"),
        ("https://plain.example/ü?a=\x1b[31m", "https://plain.example/ü?a=␛[31m"),
        ("http://[::1", "http://[::1"),
        ("", ""),
    ],
)
def test_the_real_host_is_shown_beside_letters_that_are_not_plain(address: str, seen: str) -> None:
    assert shown(address) == seen


def test_an_everyday_address_is_not_unusual() -> None:
    assert unusual("https://www.example.org/2020/06/11/a-long-enough-slug-of-a-story/?page=2") == ""


# -- what reaches the program

FORMS = [
    "recorder",
    "recorder %s",
    "recorder --new-tab %s",
    "recorder --url=%s",
    "'recorder' \"%s\" &",
    "absent-browser %s:recorder",
    "careless %s",
    "sh ./recorder %s",
    "sh ./careless",
    "env recorder",
    "nice -n 5 recorder %s",
    "sh -c 'recorder %s':recorder",
    "sh -c 'x:%s':recorder",
]


@pytest.mark.parametrize("form", FORMS)
def test_only_an_address_reaches_the_browser(form: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.parent)
    opened = 0
    for address in [*HOSTILE, GOOD]:
        try:
            open_address(address, environ=world(desk, form))
        except BrowserError:
            continue
        opened += 1
    assert opened >= 5
    got = [line.removeprefix("--url=") for line in record(desk)]
    assert got.count("--new-tab") == (opened if "--new-tab" in form else 0)
    addresses = [line for line in got if line != "--new-tab"]
    assert len(addresses) == opened
    for line in addresses:
        assert SAFE.fullmatch(line) and urlsplit(line).hostname
    assert GOOD in addresses
    assert not list(desk.parent.rglob("PWNED*"))


CODE_FORMS = [
    "sh -c 'recorder %s'",
    "sh -c recorder\\ %s",
    "sh -c 'recorder \"$1\"' sh %s",
    "sh -c recorder",
    "/bin/bash -lc 'recorder %s'",
    "bash -o pipefail -c x %s",
    "sh",
    "sh %s",
    "env sh -c 'recorder %s'",
    "env -S 'sh -c recorder' %s",
    "env %s",
    "nice -n 5 sh -c x %s",
    "busybox sh -c x %s",
    "python3 -c 'import os; os.system(\"recorder %s\")'",
    "python3 -c x %s",
    "perl -e 'system shift' %s",
    "perl -ne x %s",
    "node --eval x %s",
    "ruby -e x %s",
    "php -r x %s",
    "awk 'BEGIN{system(\"recorder %s\")}'",
    "awk BEGIN{} %s",
    "osascript -e 'open location \"%s\"'",
    "cmd.exe /c start %s",
    "pwsh -Command x %s",
    "xterm -e 'w3m %s'",
    "xterm -e %s",
    "xterm -e sh -c x %s",
    "ssh desk recorder %s",
    "su -c recorder %s",
    "tmux new-window %s",
    "%s",
    "recorder 'openURL(%s)'",
    "recorder '%s; touch PWNED'",
    "recorder 'a b%s'",
    "recorder 'unbalanced",
    "''",
    "&",
    "sh -c 'x:%s'",
    "sh -cx %s",
    "sh -s %s",
    "timeout 5 sh -c x %s",
    "exec sh -c x %s",
    "viewer -c %s",
    "viewer %s",
    "env viewer -c %s",
    "python3 -m webbrowser %s",
    "python3 -mwebbrowser %s",
    "python3 -I -m webbrowser -t %s",
    "python3 -i ./recorder %s",
    "env python3 -m webbrowser %s",
    "perl -Mevil ./recorder %s",
    "perl -I. ./recorder %s",
    "node -r ./evil.js ./recorder %s",
    "node --import=./evil.mjs ./recorder %s",
    "ruby -revil ./recorder %s",
    "php -d auto_prepend_file=evil.php ./recorder %s",
    "bash --rcfile ./evil -i ./recorder %s",
    "env -S sh\\_-c\\_x %s",
    "env --split-string=sh\\_-c\\_x %s",
    "env -vS 'sh\t-c' %s",
    "busybox xargs sh -c %s",
    "busybox %s",
    "xargs sh -c %s",
    "xargs -I{} %s",
    "xargs %s",
    "find . -exec %s",
    "nsenter -a sh -c %s",
    "viewer-of-mine --then sh -c %s",
    "ld-linux-x86-64.so.2 %s",
    "uv run %s",
    "pip install %s",
    "deno run %s",
    "npx %s",
    "sqlite3 ./x.db %s",
    "flock ./lock -c %s",
    "./recorder %s",
    "bin/recorder %s",
]
STAND_INS = (
    *("sh", "bash", "env", "nice", "busybox", "python3", "perl", "node", "ruby", "php", "awk", "osascript"),
    *("cmd.exe", "pwsh", "xterm", "ssh", "su", "tmux", "timeout", "exec", "xargs", "find", "nsenter", "uv"),
    *("viewer-of-mine", "ld-linux-x86-64.so.2", "pip", "deno", "npx", "sqlite3", "flock"),
)
"""The programs of :data:`CODE_FORMS`: here they tell of a start, so that none is refused for its absence."""


@pytest.mark.parametrize("form", CODE_FORMS)
def test_a_command_that_makes_the_address_code_is_refused(form: str, desk: Path) -> None:
    """As the configured command and as $BROWSER, whatever the address: nothing is started at all."""
    for name in STAND_INS:
        script(desk / name, (desk / "recorder").read_text())
    (desk / "viewer").symlink_to("sh")
    good = 0
    for address in [*HOSTILE, GOOD]:
        try:
            safe_address(address)
        except BrowserError as error:
            word = str(error)  # refused for itself
        else:
            word = "cannot be used"
            good += 1
        for command, variable in ((form, ""), ("", form)):
            with pytest.raises(BrowserError) as refusal:
                open_address(address, command=command, environ=world(desk, variable))
            said = str(refusal.value)
            assert word in said
            assert "/recorder" in form[:12] or "no program" not in said.replace("names no program", "")
            assert "\n" not in said
    assert good >= 9
    assert record(desk) == [] and not list(desk.parent.rglob("PWNED*"))


def test_a_script_run_by_an_interpreter_is_a_browser(desk: Path) -> None:
    assert open_address(GOOD, command=f"sh {desk}/recorder %s", environ=world(desk))
    assert record(desk) == [GOOD]
    (desk / "viewer").symlink_to("/bin/sh")
    assert open_address(GOOD, command="viewer ./recorder %s", environ=world(desk))
    assert record(desk) == [GOOD, GOOD]


def test_nothing_of_the_current_folder_is_run(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though PATH names it, the command is spelled from there, or Python would look for modules in it."""
    here = desk.parent / "archive"
    ran = f"{shlex.quote(str(desk.parent / 'PWNED'))}"
    for name in ("recorder", "w3m", "absent", "https:/example.org/a/b"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        script(here / name, f"#!/bin/sh\ntouch {ran}\n")
    for name in ("webbrowser", "sitecustomize", "usercustomize", "os", "sys"):
        (here / f"{name}.py").write_text(f"open({str(desk.parent / 'PWNED')!r}, 'w')\n")
    browser = script(desk / "python-browser", f"#!{sys.executable}\nimport sys, webbrowser\n")
    browser.write_text(
        browser.read_text() + f"open({str(desk.parent / 'record')!r}, 'a').write(sys.argv[1])\n"
    )
    monkeypatch.chdir(here)
    path = f":.:{here.name}:../archive:{desk}:/usr/bin:/bin"
    more = {"PATH": path, "PYTHONPATH": "", "HOME": str(desk)}
    for form in ("recorder %s", "env recorder %s", "w3m %s", "python-browser %s"):
        way = plan("https://example.org/a/b", environ=more | {"BROWSER": form})
        run(way, environ=more, timeout=PATIENCE)
    for form in (
        "absent",
        "./recorder",
        "../archive/recorder",
        "xargs %s",
        "find -exec %s",
        "python3 -m webbrowser",
    ):
        with pytest.raises(BrowserError):
            open_address("https://example.org/a/b", environ=more | {"BROWSER": form})
    assert len("".join(record(desk)).split("https://")) == 5
    assert not (desk.parent / "PWNED").exists()


def test_the_configured_command_goes_before_the_variable(desk: Path) -> None:
    ran = open_address(GOOD, command="recorder --mine", environ=world(desk, "failing"))
    assert ran == shlex.join([str(desk / "recorder"), "--mine", GOOD])
    assert record(desk) == ["--mine", GOOD]


def test_a_path_with_blanks_and_a_home_folder(desk: Path, tmp_path: Path) -> None:
    script(desk / "my browser", (desk / "recorder").read_text())
    open_address(GOOD, environ=world(desk, f"'{desk}/my browser'"))
    open_address(GOOD, environ=world(desk, "~/recorder"))
    assert record(desk) == [GOOD, GOOD]


# -- how it runs


def test_the_next_browser_is_tried_when_one_fails(desk: Path) -> None:
    assert "recorder" in open_address(GOOD, environ=world(desk, "failing:recorder"))
    assert record(desk) == [GOOD, GOOD]


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ("failing", "exit status 3"),
        ("dying", "signal 9"),
        ("absent-browser", "no program absent-browser"),
        ("/nowhere/browser %s", "no program /nowhere/browser"),
        ("w3m", "w3m needs the terminal"),
    ],
)
def test_a_failure_has_its_reason(form: str, word: str, desk: Path) -> None:
    with pytest.raises(BrowserError, match=word):
        open_address(GOOD, environ=world(desk, form))


def test_a_program_that_cannot_start_has_its_reason(desk: Path) -> None:
    script(desk / "odd", "#!/nowhere/interpreter\n")
    with pytest.raises(BrowserError, match=r"odd could not be started: No such file"):
        open_address(GOOD, environ=world(desk, "odd"))


def test_a_noisy_browser_draws_nothing_and_reads_nothing(
    desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BrowserError, match="exit status 1"):  # its `read` found the end of the file at once
        open_address(GOOD, environ=world(desk, "noisy"))
    assert capfd.readouterr() == ("", "")


def test_a_slow_browser_counts_as_opened(desk: Path) -> None:
    open_address(GOOD, environ=world(desk, "slow"), timeout=0.2)
    come(desk, GOOD)
    assert record(desk) == [GOOD]  # it has not ended: it was not waited for
    (desk.parent / "release").touch()
    come(desk, "ended")


def test_the_browser_is_detached(desk: Path) -> None:
    out = desk.parent / "seen"
    look = "f'{os.getsid(0) == os.getpid()} {os.getcwd()} {os.isatty(0)}'"
    code = f"import os; open({str(out)!r}, 'w').write({look})"
    script(desk / "looker", f"#!{sys.executable}\n{code}\n")
    open_address(GOOD, environ=world(desk, "looker"), timeout=PATIENCE)
    assert out.read_text() == f"True {desk} False"


def test_a_text_browser_gets_the_terminal(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script(desk / "lynx", '#!/bin/sh\necho "page of $1"; pwd\n')
    way = plan(GOOD, environ=world(desk, "env lynx"))
    assert way.needs_terminal
    run(way, environ=world(desk))
    assert capfd.readouterr().out == f"page of {GOOD}\n{desk}\n"


def test_a_text_browser_behind_another_name_gets_the_terminal(desk: Path) -> None:
    (desk / "x-browser").symlink_to(desk / "w3m")
    assert plan(GOOD, environ=world(desk, "x-browser")).needs_terminal
    assert not plan(GOOD, environ=world(desk, "recorder")).needs_terminal


# -- what the machine has


def alone(desk: Path, **more: str) -> dict[str, str]:
    return {"PATH": str(desk), "HOME": str(desk), **more}


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has its own opener")
def test_the_machine_s_own_browser(desk: Path) -> None:
    for name in ("xdg-open", "wslview"):
        script(desk / name, (desk / "recorder").read_text())
    assert plan(GOOD, environ=alone(desk, DISPLAY=":0")) == Plan((str(desk / "xdg-open"), GOOD))
    assert plan(GOOD, environ=alone(desk, WAYLAND_DISPLAY="wayland-0")).name == "xdg-open"
    assert plan(GOOD, environ=alone(desk, WSL_DISTRO_NAME="x")).name == "wslview"
    assert plan(GOOD, environ=alone(desk, SSH_CONNECTION="x")) == Plan(
        (str(desk / "w3m"), GOOD), needs_terminal=True
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has its own opener")
def test_no_display_and_no_browser_suggests_copying(desk: Path) -> None:
    (desk / "w3m").unlink()
    script(desk / "firefox", "#!/bin/sh\n")
    with pytest.raises(BrowserError, match=r"no display.*copy the address"):
        plan(GOOD, environ=alone(desk))
    (desk / "firefox").unlink()
    with pytest.raises(BrowserError, match=r"no browser was found.*copy the address"):
        plan(GOOD, environ=alone(desk, DISPLAY=":0"))
