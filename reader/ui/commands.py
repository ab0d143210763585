"""Every command of the screen, once: keys, palette, help, footer and README come from this table."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from textual.keys import Keys

from reader.ui.widgets.line_list import Move
from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a key does. ``footer`` names the panes whose key bar shows it."""

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: str
    footer: tuple[str, ...] = ()


MOVES: Final = "Moving"
READING: Final = "Reading"
LISTS: Final = "Lists"
MARKS: Final = "Marks"
OUT: Final = "Browser and links"
PROGRAM: Final = "Program"

GROUPS: Final = (MOVES, READING, LISTS, MARKS, OUT, PROGRAM)

COMMANDS: Final[tuple[Command, ...]] = (
    Command("down", ("j", "down"), "down", "One row or line down", MOVES),
    Command("up", ("k", "up"), "up", "One row or line up", MOVES),
    Command("top", ("g g", "home"), "top", "To the first row or line", MOVES),
    Command("bottom", ("G", "end"), "bottom", "To the last row or line", MOVES),
    Command("half_down", ("ctrl+d",), "half page down", "Half a page down", MOVES),
    Command("half_up", ("ctrl+u",), "half page up", "Half a page up", MOVES),
    Command("page_down", ("ctrl+f", "pagedown"), "page down", "A page down", MOVES),
    Command("page_up", ("ctrl+b", "pageup"), "page up", "A page up", MOVES),
    Command("right", ("l", "right", "tab"), "pane right", "To the pane on the right", MOVES),
    Command("left", ("h", "left", "shift+tab"), "pane left", "To the pane on the left", MOVES),
    Command(
        "enter", ("enter",), "open", "Go in: place, article, piece of coverage", MOVES, ("topics", "list")
    ),
    Command("back", ("escape",), "back", "Go back to where you came from", MOVES, ("article",)),
    Command(
        "space",
        ("space",),
        "read on",
        "Scroll the article, then on to the next unread",
        READING,
        ("list", "article"),
    ),
    Command("next_unread", ("n",), "next unread", "To the next unread article", READING, ("article",)),
    Command("prev_unread", ("p",), "previous unread", "To the previous unread article", READING),
    Command("next", ("J",), "next article", "To the next article, while reading", READING),
    Command("prev", ("K",), "previous article", "To the previous article, while reading", READING),
    Command("next_piece", ("]",), "next coverage", "To the next piece of coverage", READING, ("article",)),
    Command("prev_piece", ("[",), "previous coverage", "To the previous piece of coverage", READING),
    Command(
        "unfold", ("x",), "unfold", "Unfold the texts several outlets share, or fold them again", READING
    ),
    Command(
        "story",
        ("T",),
        "story",
        "The story on a page: timeline, outlets, texts, topics",
        READING,
        ("article",),
    ),
    Command("differences", ("D",), "headlines", "How the outlets' headlines differ", READING),
    Command("best", ("b",), "best source", "Name the best source and why; again to open it", READING),
    Command("fields", ("i",), "all fields", "Every field of the file, as written", READING),
    Command("stories", ("S",), "stories", "One row a story, or one an article again", LISTS, ("list",)),
    Command("narrow", ("/",), "narrow", "Narrow the list as you type", LISTS, ("list",)),
    Command("query", ("=",), "find", "Find by words, fields, numbers and times", LISTS, ("topics", "list")),
    Command("searches", ("F",), "searches", "Saved searches and rules: open, rename, move, remove", LISTS),
    Command("mute", ("M",), "mute", "Hide new articles of this topic or outlet from now on", LISTS),
    Command("sort", ("\\",), "sort", "Next order: newest, oldest, heat, quality, coverage, outlet", LISTS),
    Command("unread_only", ("U",), "unread only", "Show only what is unread, or all again", LISTS, ("list",)),
    Command("select", ("v",), "select", "Select the article, or no longer", LISTS),
    Command("select_all", ("V",), "select all", "Select the whole list, or nothing", LISTS),
    Command("read", ("r",), "read/unread", "Mark read, or unread again", MARKS, ("list",)),
    Command("all_read", ("A",), "all read", "Mark the whole list read", MARKS),
    Command("star", ("s",), "star", "Star, or no longer", MARKS, ("list", "article")),
    Command("tags", ("t",), "tags", "Set the article's tags, or add some to all selected", MARKS),
    Command("note", ("e",), "note", "Write a note on the article", MARKS),
    Command("split", ("X",), "split out", "Take the piece out of its story", MARKS),
    Command(
        "join",
        ("+",),
        "join stories",
        "Join two stories: press it on one, or select one, then on the other",
        MARKS,
    ),
    Command("undo", ("u",), "undo", "Take back the last mark, of one or of thousands", MARKS),
    Command(
        "open",
        ("o",),
        "browser",
        "Open in the browser; of a dead page, choose what to read instead",
        OUT,
        ("list", "article"),
    ),
    Command("open_all", ("O",), "open all", "Open the selection, or all coverage, in the browser", OUT),
    Command(
        "archived", ("w",), "archived copy", "Ask the archive for the copy nearest its date; open it", OUT
    ),
    Command("copy", ("y",), "copy address", "Copy the address", OUT),
    Command("cite", ("Y",), "copy citation", "Copy a Markdown citation", OUT),
    Command(
        "check", ("c",), "check links", "Ask whether the article's addresses still answer", OUT, ("article",)
    ),
    Command("check_all", ("C",), "check list", "Ask for every article of the list", OUT),
    Command("health", ("H",), "link health", "How many links still live, by year and by outlet", OUT),
    Command("stop", ("ctrl+x",), "stop", "Stop the run that is under way; what it found is kept", OUT),
    Command("refresh", ("R",), "rescan", "Look for new and changed files", PROGRAM),
    Command(
        "problems", ("E",), "problems", "Files and fields that could not be read, with the reason", PROGRAM
    ),
    Command("zen", ("z",), "zen", "The article alone, or all panes again", PROGRAM),
    Command("palette", (":", "ctrl+p"), "commands", "Every command by name", PROGRAM),
    Command("help", ("?",), "help", "What the keys do here", PROGRAM, ("topics", "list", "article")),
    Command("suspend", ("ctrl+z",), "suspend", "Leave to the shell for a while; fg comes back", PROGRAM),
    Command("quit", ("q",), "quit", "Leave; your place is kept", PROGRAM, ("topics", "list")),
)

BY_ID: Final[Mapping[str, Command]] = {c.id: c for c in COMMANDS}

MOVE_OF: Final[Mapping[str, Move]] = {
    "down": Move.DOWN,
    "up": Move.UP,
    "top": Move.TOP,
    "bottom": Move.BOTTOM,
    "half_down": Move.HALF_DOWN,
    "half_up": Move.HALF_UP,
    "page_down": Move.PAGE_DOWN,
    "page_up": Move.PAGE_UP,
}

PRESETS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "vim": {},
    # newsboat's own defaults, as far as the commands meet.
    "newsboat": {
        "unread_only": ("l", "U"),
        "right": ("right", "tab"),
        "left": ("h", "left", "shift+tab"),
        "back": ("escape", "q"),
        "quit": ("Q", "ctrl+q"),
        "read": ("N", "r"),
        "prev": ("K",),
        "next": ("J",),
        "refresh": ("R", "ctrl+r"),
        "sort": ("\\", "g"),
        "top": ("home",),
        "bottom": ("end",),
        "fields": ("i",),
    },
}

_SHOWN = {
    "down": "↓", "up": "↑", "left": "←", "right": "→", "enter": "Enter", "escape": "Esc", "space": "Space",
    "tab": "Tab", "shift+tab": "S-Tab", "home": "Home", "end": "End", "pagedown": "PgDn", "pageup": "PgUp",
}  # fmt: skip


_NAMED: Final = frozenset(key.value.split("+")[-1] for key in Keys)
_LEAVING: Final = ("ctrl+c", "ctrl+q")
"""Keys that leave whatever happens."""


def shown(key: str) -> str:
    """A key as people write it: ``ctrl+d`` is ``C-d``."""
    if key.startswith("ctrl+"):
        return "C-" + key[5:]
    return _SHOWN.get(key, key.replace(" ", ""))


@dataclass(frozen=True, slots=True)
class Keymap:
    """Keys by command, after preset and configuration. ``complaints`` are one clean line each."""

    keys: Mapping[str, tuple[str, ...]]
    complaints: tuple[str, ...] = ()

    def table(self) -> dict[str, str]:
        """Command by key: Textual's name or the character itself; ``g g`` stands under both keys."""
        return {key: command for command, keys in self.keys.items() for key in keys}

    def first(self, command: str) -> str:
        """The key to show for *command*, ``""`` when it has none."""
        keys = self.keys.get(command, ())
        return shown(keys[0]) if keys else ""


def build_keymap(preset: str, changes: Mapping[str, Sequence[str]]) -> Keymap:
    """The keymap of *preset* with the reader's own *changes*; nothing is ignored silently."""
    keys = {c.id: c.keys for c in COMMANDS} | dict(PRESETS.get(preset, {}))
    complaints: list[str] = []
    for command, wanted in changes.items():
        if command not in BY_ID:
            complaints.append(f"[keys] {command}: there is no such command")
            continue
        good = tuple(k for k in wanted if _plausible(k) and k not in _LEAVING)
        for key in wanted:
            if key not in good and not (key in _LEAVING and command == "quit"):
                why = "always leaves" if key in _LEAVING else "is no key"
                complaints.append(f"[keys] {command}: {shown(key)} {why}")
        if good or not wanted:
            keys[command] = good
    _settle_clashes(keys, changes, complaints)
    if not keys["quit"]:
        keys["quit"] = ("ctrl+q",)
    return Keymap(keys, tuple(complaints))


def _settle_clashes(keys: dict[str, tuple[str, ...]], changes: Iterable[str], complaints: list[str]) -> None:
    """A key that two commands claim goes to the one the reader named, else to the later in the table."""
    named = [c for c in changes if c in keys]
    owner: dict[str, str] = {}
    for command in [*(c for c in keys if c not in named), *named]:
        for key in keys[command]:
            previous = owner.get(key)
            if previous is not None:
                keys[previous] = tuple(k for k in keys[previous] if k != key)
                if previous in named or command not in named:
                    complaints.append(f"[keys] {shown(key)} stands for both {previous} and {command}")
            owner[key] = command
    firsts = {k.split(" ")[0]: c for c in keys for k in keys[c] if " " in k}
    for first, command in firsts.items():
        other = owner.get(first, command)
        if other == command:
            continue
        if command in named and other not in named:  # as for one key: the reader named it
            keys[other] = tuple(k for k in keys[other] if k != first)
            continue
        if command in named:
            complaints.append(f"[keys] {shown(first)} is {other}: {command} cannot begin with it")
        keys[command] = tuple(k for k in keys[command] if not k.startswith(first + " "))


def _plausible(key: str) -> bool:
    parts = key.split(" ")
    return 1 <= len(parts) <= 2 and all(map(_is_key, parts))


def _is_key(name: str) -> bool:
    """Whether a terminal can send *name*: a character, ``f5``, ``ctrl+x``, ``question_mark``."""
    *modifiers, base = name.split("+") if len(name) > 1 else [name]
    if not set(modifiers) <= {"ctrl", "alt", "shift"}:
        return False
    if len(base) == 1:
        return base.isprintable()
    try:
        return base in _NAMED or unicodedata.lookup(base.replace("_", " ").upper()).isprintable()
    except KeyError:
        return False
