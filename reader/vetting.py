"""Whether a command that is to open addresses could run one, or what lies in the current folder, as code.

Refused is what puts the address into a program's text, hands it to a shell,
has it run, fetched and run, or what loads code by name from wherever it
stands. An interpreter may run one script file and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from reader.errors import BrowserError

_INTERPRETER: Final = re.compile(
    r"(?:sh|bash|rbash|dash|zsh|ksh\d*|mksh|ash|yash|fish|csh|tcsh|rc|nu|elvish|xonsh|powershell|pwsh|"
    r"(?:i|b|micro)?python[\d.]*(?:[a-z]|-dbg)?|pypy[\d.]*|"
    r"(?:perl|ruby|php|lua|luajit|tclsh|wish|node|nodejs|guile|Rscript|julia|gjs)[\d.]*|"
    r"osascript|expect)(?:\.exe)?"
)
# What follows them is code, a command, or where to fetch code from: no script file makes a browser of these.
_NEVER: Final = re.compile(
    r"(?:cmd|mshta|msiexec|wscript|cscript|[gmn]?awk|sed|ed|sqlite3|gdb|lldb|make|deno|bun|bunx|java|javaws|R|"
    r"find|entr|pip[\d.]*|easy_install|pipx|uv|uvx|npm|npx|pnpm|yarn|gem|go|cargo|nix(?:-\w+)?|guix|"
    r"docker|podman|kubectl|ansible[\w-]*|ld(?:-\w+)*(?:-[\w-]+)?\.so(?:\.\d+)?|wine(?:64)?)(?:\.exe)?"
)
# Programs that put their arguments together again for a shell.
_REEVALUATES: Final = frozenset(
    {"ssh", "mosh", "su", "runuser", "sg", "newgrp", "tmux", "zellij", "byobu", "watch", "script"}
    | {"parallel", "hyperfine", "flock", "eval", "at", "batch"}
)
# Programs that run the command that follows them. Terminals take the text browser's screen upon themselves.
_TERMINALS: Final = frozenset(
    {"xterm", "uxterm", "urxvt", "rxvt", "st", "konsole", "gnome-terminal", "xfce4-terminal", "alacritty"}
    | {"kitty", "foot", "wezterm", "x-terminal-emulator", "terminator", "tilix", "screen"}
)
WRAPPERS: Final = frozenset(
    {"env", "nohup", "setsid", "nice", "ionice", "timeout", "stdbuf", "time", "command", "exec", "xargs"}
    | {"sudo", "doas", "pkexec", "busybox", "toybox", "chroot", "unshare", "nsenter", "setarch", "runcon"}
    | {"linux32", "linux64", "taskset", "chrt", "numactl", "prlimit", "cpulimit", "faketime", "rlwrap"}
    | {"strace", "ltrace", "valgrind", "firejail", "bwrap", "proxychains", "proxychains4", "torsocks"}
    | {"torify", "unbuffer", "start-stop-daemon", "systemd-run", "flatpak-spawn", "xvfb-run"}
    | {"dbus-run-session", "dbus-launch"}
)
_SPLITS: Final = re.compile(r"-[A-Za-z]*S.*|--split-string.*")
_SCRIPT_FILE: Final = re.compile(r"[^-\s;|&(){}$`\"'<>][^\s;|&(){}$`\"'<>]*")
_PLAIN_AROUND: Final = re.compile(r"[\w@%+=:,./?-]*")
_HINT: Final = "put it in a script that takes the address as its argument"


def refuse_code(words: Sequence[str], which: Callable[[str], str | None]) -> None:
    """Raise BrowserError, with the reason, where *words* are no safe way to open an address.

    One of *words* holds ``%s``, which stands for it; *which* finds the program of a name.
    """
    place = next(i for i, word in enumerate(words) if "%s" in word)
    for word in words:
        if "%s" in word and not _PLAIN_AROUND.fullmatch(word.replace("%s", "")):
            raise BrowserError(f"it would make the address part of a command; {_HINT}")
    first = Path(words[0]).name
    if first in WRAPPERS or first in _TERMINALS:
        if any(any(map(str.isspace, word)) or _SPLITS.fullmatch(word) for word in words[1:place]):
            raise BrowserError(f"{first} may hand its arguments to a shell; {_HINT}")
        if not any(not word.startswith("-") for word in words[1:place]):
            raise BrowserError(f"it would make {first} run the address itself")
    for index, word in enumerate(words[:place]):
        program = which(word)
        real = [Path(program).resolve().name] if program else []  # a shell under another name is a shell
        for name in dict.fromkeys((Path(word).name, *real)):
            if name in _REEVALUATES:
                raise BrowserError(f"{name} hands its arguments to a shell; {_HINT}")
            if _NEVER.fullmatch(name):
                raise BrowserError(f"{name} may run what it is given, and is no browser; {_HINT}")
            if _INTERPRETER.fullmatch(name):
                _refuse_interpreter(name, words[index + 1 : place])
                return  # what follows are the script's own arguments


def _refuse_interpreter(name: str, between: Sequence[str]) -> None:
    """An interpreter may run a script file on the address: no option before it, for too many take code."""
    script = between[0] if between else ""
    if script.startswith("-"):
        raise BrowserError(f"{name} {script} may run code that is no script of yours; {_HINT}")
    if not _SCRIPT_FILE.fullmatch(script) or not {".", "/"} & set(script):
        raise BrowserError(f"{name} is an interpreter, not a browser; {_HINT}")
