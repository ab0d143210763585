"""Which program opens an address, and how, so that the address stays data.

An address is only ever one argument of a program that newsfold starts itself:
never part of a shell line, never an option, never anything but an absolute
http(s) address in a safe ASCII spelling. Standard library only, no UI.

``$BROWSER`` means what Python's :mod:`webbrowser` documents: a list of
commands separated by ``os.pathsep``, tried in order, ``%s`` standing for the
address (appended where there is none), split as a shell would but run by
none. Where a command or ``$BROWSER`` is set nothing else is tried: whoever set
it meant it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from reader.address import MAX_ADDRESS
from reader.errors import BrowserError
from reader.text import clean
from reader.values import dataclass
from reader.vetting import WRAPPERS, refuse_code

GRACE: Final = 1.5
"""Seconds a browser is watched for failing at once."""
LONG: Final = 512
"""Characters from which an address is worth a look before it is opened."""

_PORTS: Final = {"http": 80, "https": 443}
_UNSAFE: Final = re.compile(
    r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]"
)
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
_STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Quotes, brackets, $, `, \, |, <, >, ^, {, }, * and ! are all encoded.
_KEPT: Final = "/?=&+%:;,@~"
_NUMERIC: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?")


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to open an address. ``argv[0]`` is an absolute path.

    ``needs_terminal``: a text browser; the caller gives up the screen first.
    """

    argv: tuple[str, ...]
    needs_terminal: bool = False

    @property
    def name(self) -> str:
        """The program's own name, for messages."""
        return Path(self.argv[0]).name


# -- addresses ---------------------------------------------------------------


def safe_address(address: str) -> str:
    """*address* in a spelling that is safe to hand to a program.

    Absolute http or https with a host, ASCII only, everything outside a small
    set percent-encoded, the host in punycode. Blanks around it are dropped.
    Raises BrowserError with a one-line reason for anything else.
    """
    address = address.strip()
    if not address:
        raise BrowserError("there is no address")
    if len(address) > MAX_ADDRESS:
        raise BrowserError(f"the address is longer than {MAX_ADDRESS} characters")
    if _UNSAFE.search(address) or _BIDI.search(address):
        raise BrowserError("the address holds blanks, control or direction characters")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise BrowserError("the address is malformed") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise BrowserError("only http and https addresses are opened")
    if "@" in parts.netloc:
        raise BrowserError("the address holds a user name or password")
    host = _safe_host(parts.hostname or "", bracketed=parts.netloc.startswith("["))
    if port == 0:
        raise BrowserError("the address names port 0")
    authority = host if port is None or port == _PORTS[scheme] else f"{host}:{port}"
    rest = _encode(parts.path or "/")
    if parts.query:
        rest += "?" + _encode(parts.query)
    if parts.fragment:
        rest += "#" + _encode(parts.fragment)
    return f"{scheme}://{authority}{rest}"


def _encode(part: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", part), safe=_KEPT)


def _safe_host(host: str, *, bracketed: bool) -> str:
    if not host:
        raise BrowserError("the address names no host")
    if bracketed:
        try:
            found = ipaddress.IPv6Address(host)
        except ValueError:
            raise BrowserError("the address names no valid IPv6 host") from None
        if found.scope_id is not None:  # a network card of this machine, named by a stranger
            raise BrowserError("the address names a network interface")
        return f"[{found}]"
    labels = [_ascii_label(label) for label in _DOTS.split(host)]
    if labels[-1] == "" and len(labels) > 1:  # the root's dot
        labels.pop()
    if not all(_LABEL.fullmatch(label) for label in labels) or len(".".join(labels)) > 253:
        raise BrowserError("the address names no valid host")
    return ".".join(labels)


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label.lower()
    from encodings import idna  # with its tables, which few need

    try:
        # The standard library's IDNA 2003 turns these two into other hosts' names; browsers keep them.
        lowered = unicodedata.normalize("NFKC", label.lower())
        if "ß" in lowered or "ς" in lowered:
            idna.nameprep(lowered)  # raises for what no name may hold
            return "xn--" + lowered.encode("punycode").decode("ascii")
        if "\u200c" in lowered or "\u200d" in lowered:
            raise BrowserError("the host's name holds invisible characters")
        return idna.ToASCII(label).decode("ascii").lower()
    except UnicodeError:
        raise BrowserError("the address names no valid host") from None


def unusual(address: str) -> str:
    """Why the real target should be shown before *address* is opened; empty when nothing is odd.

    Names a host that is not plain ASCII, is a bare IP number or a local name,
    an unusual port, or an address longer than :data:`LONG`. Never raises: an
    address that cannot be opened gives the reason of :func:`safe_address`.
    """
    try:
        safe = safe_address(address)
    except BrowserError as error:
        return str(error)
    parts = urlsplit(safe)
    host = parts.hostname or ""
    reasons = []
    if any(label.startswith("xn--") for label in host.split(".")):
        reasons.append(f"the host's name is not plain ASCII: {host}")
    if ":" in host or _NUMERIC.fullmatch(host):
        reasons.append(f"the host is a bare number: {host}")
    elif "." not in host:
        reasons.append(f"the host is a local name: {host}")
    if parts.port is not None:
        reasons.append(f"the port is unusual: {parts.port}")
    if len(safe) > LONG:
        reasons.append(f"the address is {len(safe)} characters long")
    return "; ".join(reasons)


def shown(address: str) -> str:
    """*address* clean, for eyes; where its host is not plain ASCII its real name follows. Never raises."""
    text = clean(address, MAX_ADDRESS)
    try:
        host = urlsplit(address).hostname or ""
        if host.isascii():
            return text
        return f"{text} (the host is {_safe_host(host, bracketed=False)})"
    except (ValueError, BrowserError):
        return text if text.isascii() else f"{text} (no valid host)"


# -- commands ----------------------------------------------------------------

_TEXT_BROWSERS: Final = frozenset(
    {"w3m", "lynx", "links", "links2", "elinks", "browsh", "www-browser", "chawan", "cha"}
)
_DISPLAY_OPENERS: Final = (
    ("xdg-open",),
    ("gio", "open"),
    *((name,) for name in ("x-www-browser", "firefox", "chromium", "chromium-browser", "google-chrome")),
    *((name,) for name in ("brave-browser", "microsoft-edge", "vivaldi", "epiphany", "konqueror", "falkon")),
)
_TERMINAL_OPENERS: Final = tuple(
    (name,) for name in ("www-browser", "w3m", "elinks", "links", "links2", "lynx")
)


def plan(address: str, *, command: str = "", environ: Mapping[str, str] | None = None) -> Plan:
    """The first usable way to open *address*. Starts nothing.

    *command* is the configured one (it wins), else ``$BROWSER`` of *environ*
    (default: the process's), else what this machine has. Raises BrowserError
    when the address may not be opened, or with the reason why nothing can.
    """
    safe = safe_address(address)
    return next(_plans(safe, command, os.environ if environ is None else environ))


def _plans(address: str, command: str, environ: Mapping[str, str]) -> Iterator[Plan]:
    """Every usable way, best first; raises BrowserError after the last when there was none."""
    if command.strip():
        parts, origin = [command], "the configured browser"
    else:
        parts = [part for part in environ.get("BROWSER", "").split(os.pathsep) if part.strip()]
        origin = "$BROWSER"
    if not parts:
        yield from _machine_plans(address, environ)
        return
    reasons, found = [], False
    for part in parts:
        try:
            way = _plan_of(_words(part), address, environ)
        except BrowserError as error:
            reasons.append(str(error))
            continue
        found = True
        yield way
    if not found:
        raise BrowserError(f"{origin} cannot be used: {'; '.join(reasons)}")


def _words(part: str) -> list[str]:
    try:
        words = shlex.split(part)
    except ValueError:
        raise BrowserError("its quotes do not match") from None
    if words and words[-1] == "&":  # webbrowser's old way to say "in the background"; ours always is
        words.pop()
    if not words or not words[0]:
        raise BrowserError("it names no program")
    if "%s" in words[0]:
        raise BrowserError("it would run the address itself")
    return words if any("%s" in word for word in words) else [*words, "%s"]


def _plan_of(words: Sequence[str], address: str, environ: Mapping[str, str]) -> Plan:
    refuse_code(words, lambda name: _which(name, environ))
    program = _which(words[0], environ)
    if program is None:
        raise BrowserError(f"there is no program {words[0]}")
    argv = (program, *(word.replace("%s", address) for word in words[1:]))
    real = Path(program).resolve().name  # x-www-browser may well be a text browser
    return Plan(argv, needs_terminal=bool(_TEXT_BROWSERS & {real, _program(words)}))


def _which(name: str, environ: Mapping[str, str]) -> str | None:
    if name.startswith("~/"):
        name = environ.get("HOME", "~") + name[1:]
    # Never one of the current folder, which may be an archive of strangers, though PATH names it.
    if "/" in name and not Path(name).is_absolute():
        return None
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(f for f in folders if Path(f).is_absolute()))


def _program(words: Sequence[str]) -> str:
    """The name of the program that really runs, looked for behind env, nice and their like."""
    names = [Path(word).name for word in words]
    if names[0] in WRAPPERS:
        return next((name for name in names[1:] if name in _TEXT_BROWSERS), names[0])
    return names[0]


def _machine_plans(address: str, environ: Mapping[str, str]) -> Iterator[Plan]:
    display = bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    wsl = bool(environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"))
    openers: list[tuple[str, ...]] = []
    if sys.platform == "darwin":
        openers.append(("open",))
    if wsl:
        openers += [("wslview",), ("explorer.exe",)]
    if display:
        openers += _DISPLAY_OPENERS
    openers += _TERMINAL_OPENERS
    found = False
    for opener in openers:
        if program := _which(opener[0], environ):
            found = True
            yield Plan((program, *opener[1:], address), needs_terminal=opener in _TERMINAL_OPENERS)
    if not found:
        where = "no browser was found here" if display else "no display and no text browser here"
        raise BrowserError(f"{where}: copy the address, or set $BROWSER")


# -- running -----------------------------------------------------------------


def open_address(
    address: str,
    *,
    command: str = "",
    environ: Mapping[str, str] | None = None,
    timeout: float = GRACE,
) -> str:
    """Open *address*; returns the command line that was run. Call it in a worker.

    Blocks for at most *timeout* seconds a candidate, to catch a browser that
    fails at once; one still running then has been opened. A text browser is
    not started: BrowserError says so, and a caller with a terminal to give
    uses :func:`plan` and :func:`run`. Raises BrowserError with the reason.
    """
    safe = safe_address(address)
    reasons: list[str] = []
    where = os.environ if environ is None else environ
    for way in _plans(safe, command, where):
        if way.needs_terminal:
            reasons.append(f"{way.name} needs the terminal")
            continue
        try:
            return run(way, environ=environ, timeout=timeout)
        except BrowserError as error:
            reasons.append(str(error))
    raise BrowserError("; ".join(dict.fromkeys(reasons)))


def run(way: Plan, *, environ: Mapping[str, str] | None = None, timeout: float = GRACE) -> str:
    """Carry out *way*; returns its command line. Raises BrowserError when it fails.

    A plan that needs the terminal runs in it until the reader leaves the
    browser. Any other is detached: a session of its own, all three streams
    closed; watched for *timeout* seconds. Both run in the home folder.
    """
    env = None if environ is None else dict(environ)
    try:
        if way.needs_terminal:
            run_here = subprocess.run(way.argv, env=env, cwd=_away(env), check=False)  # noqa: S603
            status: int | None = run_here.returncode
        else:
            status = _detach(way.argv, env, timeout)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BrowserError(f"{way.name} could not be started: {reason}") from None
    if status:
        how = f"was stopped by signal {-status}" if status < 0 else f"failed with exit status {status}"
        raise BrowserError(f"{way.name} {how}")
    return shlex.join(way.argv)


def _away(env: Mapping[str, str] | None) -> Path:
    """Where a browser runs: not in the current folder, which may be an archive of strangers."""
    home = Path((os.environ if env is None else env).get("HOME", ""))
    return home if home.is_absolute() and home.is_dir() else Path("/")


def _detach(argv: Sequence[str], env: dict[str, str] | None, timeout: float) -> int | None:
    """Start *argv* on its own; its exit status, or None when it still runs after *timeout* seconds."""
    process = subprocess.Popen(  # noqa: S603 - a list, no shell, the address vetted by safe_address
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=_away(env),
    )
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        # Somebody has to take the exit status one day, or a zombie stays.
        threading.Thread(target=process.wait, name="browser", daemon=True).start()
        return None
