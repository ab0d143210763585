"""Where things are kept, and the reader's settings.

Settings are read from ``config.toml`` in the config folder. A setting that is
unknown or makes no sense is complained of and the default taken: a typing
error must never keep anybody from their news.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from reader.errors import UsageError

APP = "newsfold"
CONFIG_FILE = "config.toml"
SORTS = ("newest", "oldest", "heat", "quality", "coverage", "outlet")
PRESETS = ("vim", "newsboat")

_Check = Callable[[Any], str]  # what is wrong with a value of the right type; "" when nothing


@dataclass(frozen=True, slots=True)
class Locations:
    """The four folders everything is kept in; made when first written to."""

    data: Path
    config: Path
    cache: Path
    state: Path

    @property
    def state_db(self) -> Path:
        """Marks, notes, sources, link checks: what no file can give back."""
        return self.data / "state.db"

    @property
    def config_file(self) -> Path:
        """The settings."""
        return self.config / CONFIG_FILE

    @property
    def log_file(self) -> Path:
        """What went wrong inside newsfold itself."""
        return self.state / "newsfold.log"


def locate(flags: Mapping[str, str | None], environ: Mapping[str, str] = os.environ) -> Locations:
    """Find the four folders: by flag, else by ``NEWSFOLD_<NAME>_DIR``, else as the platform has them.

    *flags* maps ``data``, ``config``, ``cache``, ``state`` to what was given on the command line.

    Raises:
        UsageError: a folder is named that cannot be one.
    """
    usual = platformdirs.PlatformDirs(APP, appauthor=False)
    return Locations(
        data=_place("data", usual.user_data_dir, flags, environ),
        config=_place("config", usual.user_config_dir, flags, environ),
        cache=_place("cache", usual.user_cache_dir, flags, environ),
        state=_place("state", usual.user_state_dir, flags, environ),
    )


def _place(name: str, usual: str, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Path:
    given = flags.get(name)
    if given == "":
        raise UsageError(f"--{name}-dir needs the name of a folder")
    place = Path(given or environ.get(f"NEWSFOLD_{name.upper()}_DIR") or usual)
    if place.parts[:1] == ("~",):
        place = place.expanduser()
    place = Path.cwd() / place  # relative to where newsfold was started, wherever it goes later
    if place.exists() and not place.is_dir():
        raise UsageError(f"the {name} folder is not a folder: {place}")
    return place


def _any(_: Any) -> str:
    return ""


def _one_of(*words: str) -> _Check:
    return lambda value: "" if value in words else f"must be one of {', '.join(words)}"


def _between(low: float, high: float) -> _Check:
    return lambda value: "" if low <= value <= high else f"must lie between {low:g} and {high:g}"


def _header(value: str) -> str:
    good = value.isascii() and value.isprintable() and value == value.strip()
    return "" if good else "must be printable ASCII without blanks around it"


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        return "must be an http or https address"
    good = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    return "" if good and value.isprintable() and " " not in value else "must be an http or https address"


def _setting(default: Any, text: str, check: _Check = _any) -> Any:
    return field(default=default, metadata={"help": text, "check": check})


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``config.toml`` can say. Each one's ``help`` feeds the README (:func:`describe`)."""

    theme: str = _setting("newsfold", "Colour theme: `newsfold` or any of Textual's.")
    browser: str = _setting(
        "", "Command that opens addresses, the address put last; empty: `$BROWSER`, else the desktop's own."
    )
    dwell: float = _setting(
        0.8, "Seconds an article stays open before it counts as read; 0: at once.", _between(0, 60)
    )
    preset: str = _setting("vim", "Key preset: `vim` or `newsboat`.", _one_of(*PRESETS))
    keys: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict,
        metadata={"help": 'Keys by command, over the preset: under `[keys]`, `star = "s"` or `["s", "*"]`.'},
    )
    sort: str = _setting("newest", f"Order of lists at the start: {', '.join(SORTS)}.", _one_of(*SORTS))
    open_without_asking: int = _setting(
        5, "How many addresses are opened at once without a question.", _between(0, 1000)
    )
    check_without_asking: int = _setting(
        200, "How many addresses are checked at once without a question.", _between(0, 1_000_000)
    )
    user_agent: str = _setting("", "What link checks call themselves; empty: newsfold's own.", _header)
    allow_private_links: bool = _setting(
        False, "Whether links to private and loopback addresses may be checked and opened."
    )
    link_proxies: bool = _setting(
        False, "Whether link checks go through the proxies that the environment names."
    )
    archive_url: str = _setting(
        "https://web.archive.org", "The web archive where copies are looked for.", _base_url
    )


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and what was wrong with the file: one line each, the file and line named."""

    settings: Settings = Settings()
    complaints: tuple[str, ...] = ()


def load(path: Path) -> Loaded:
    """Read *path*; a missing file means the defaults. Never raises for what the file holds."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Loaded()
    except OSError as error:
        return Loaded(complaints=(f"{path}: {error.strerror}; all settings are the defaults",))
    import tomllib

    try:
        text = data.decode("utf-8-sig")
        table = tomllib.loads(text)
    except UnicodeDecodeError:
        return Loaded(complaints=(f"{path}: not UTF-8; all settings are the defaults",))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Loaded(complaints=(f"{path}: {error}; all settings are the defaults",))
    return _validated(path, text, table)


def _validated(path: Path, text: str, table: Mapping[str, Any]) -> Loaded:
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, Any] = {}
    complaints: list[str] = []
    for name, value in table.items():
        if name not in known:
            why = "there is no such setting"
        elif name == "keys":
            values[name], wrong = _keys(value)
            complaints.extend(
                f"{_at(path, text, key)}: keys{key and '.'}{key}: {reason}" for key, reason in wrong
            )
            continue
        else:
            value, why = _fitting(known[name].default, value)
            why = why or known[name].metadata["check"](value)
        if why:
            complaints.append(f"{_at(path, text, name)}: {name}: {why}")
        else:
            values[name] = value
    return Loaded(Settings(**values), tuple(complaints))


def _fitting(default: object, value: object) -> tuple[Any, str]:
    """*value* as the type of *default*, and what is wrong with it."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        words = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number"}
        return value, f"must be {words[type(default)]}"
    return value, ""


def _keys(table: object) -> tuple[dict[str, tuple[str, ...]], list[tuple[str, str]]]:
    if not isinstance(table, dict):
        return {}, [("", "must be a table: [keys]")]
    good: dict[str, tuple[str, ...]] = {}
    wrong: list[tuple[str, str]] = []
    for command, keys in table.items():
        several = keys if isinstance(keys, list) else [keys]
        if all(isinstance(key, str) and key.strip() for key in several):
            good[command] = tuple(key.strip() for key in several)
        else:
            wrong.append((command, "must be a key or a list of keys, in quotes"))
    return good, wrong


def _at(path: Path, text: str, name: str) -> str:
    """``file:line`` of the first line that sets *name*; the file alone when it is written otherwise."""
    pattern = re.compile(
        rf"^[ \t]*\[?[ \t]*[\"']?{re.escape(name or 'keys')}[\"']?[ \t]*[=\].]", re.MULTILINE
    )
    found = pattern.search(text)
    return f"{path}:{text.count(chr(10), 0, found.start()) + 1}" if found else str(path)


def describe() -> str:
    """The settings as a Markdown table: name, default, meaning."""
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for setting in fields(Settings):
        default = {} if setting.name == "keys" else setting.default
        shown = str(default).lower() if isinstance(default, bool) else repr(default).replace("'", '"')
        lines.append(f"| `{setting.name}` | `{shown}` | {setting.metadata['help']} |")
    return "\n".join(lines) + "\n"
