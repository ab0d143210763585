"""Rules: a query and what is done with every newly arrived article that it finds.

Rules look at articles as they came, one after the other, and only once: what
is in the library when a rule is made, or when the library is built anew, stays
as it is. A rule that is not understood whole is not run: the part that is
might find everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from reader.errors import UsageError
from reader.store.library import Library
from reader.store.query.canonical import quoted
from reader.store.query.nodes import All
from reader.store.query.parsing import complaint, parse
from reader.store.rows import Place, PlaceKind
from reader.store.state import Change, SavedRule, State
from reader.values import dataclass

READ: Final = "read"
STAR: Final = "star"
HIDE: Final = "hide"
TAG: Final = "tag"
ACTIONS: Final = (READ, STAR, HIDE, f"{TAG} NAME")
"""What a rule can do, as it is written."""

TRIED: Final = 500


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule would have found ``found`` of the newest ``total`` articles."""

    found: int
    total: int

    def __str__(self) -> str:
        return f"would have matched {self.found:,} of the last {self.total:,}"


def action(text: str) -> tuple[str, str]:
    """The verb and, of ``tag``, its name.

    Raises:
        UsageError: there is no such action.
    """
    verb, _, rest = " ".join(text.split()).partition(" ")
    verb = verb.lower()
    if verb == TAG and "," in rest:
        raise UsageError("a tag has no comma, which parts one from the next: make a rule for each")
    if (verb in (READ, STAR, HIDE) and not rest) or (verb == TAG and rest):
        return verb, rest
    raise UsageError(f"a rule can do one of: {', '.join(ACTIONS)}; not {text.strip() or 'nothing'}")


def fault(query: str, now: datetime) -> str:
    """Why a rule with *query* is not run, or empty."""
    everything = isinstance(parse(query, now).root, All)
    return complaint(query, now) or ("it would find everything" if everything else "")


def add(state: State, name: str, query: str, wanted: str, now: datetime) -> Change:
    """Make a rule.

    Raises:
        UsageError: its query or action is not understood.
        StoreError: it cannot be kept.
    """
    verb, rest = action(wanted)
    if reason := fault(query, now):
        raise UsageError(f"this query cannot be a rule: {reason}")
    return state.add_rule(name.strip() or query, query, f"{verb} {rest}".strip())


def mute(state: State, place: Place) -> Change:
    """Hide from now on what comes of a topic or an outlet.

    Raises:
        UsageError: *place* is neither, or muted already.
        StoreError: it cannot be kept.
    """
    if place.kind not in (PlaceKind.TOPIC, PlaceKind.OUTLET):
        raise UsageError("only a topic or an outlet can be muted")
    query = f"{place.kind.value}={quoted(place.name)}"
    if any(rule.query == query and rule.action == HIDE and rule.enabled for rule in state.rules()):
        raise UsageError(f"{place.name} is muted already; F shows the rules")
    return state.add_rule(f"mute {place.name}", query, HIDE)


def try_rule(library: Library, query: str, now: datetime, last: int = TRIED) -> Trial:
    """What a rule with *query* would have found.

    Raises:
        UsageError: it is not understood.
        StoreError
    """
    if reason := fault(query, now):
        raise UsageError(f"this query cannot be a rule: {reason}")
    ids = library.newest(last)
    return Trial(library.count(parse(query, now), within=ids), len(ids))


def run(library: Library, state: State, keys: Sequence[str], now: datetime) -> Iterator[Change]:
    """Do what the enabled rules say of the articles of *keys*; gives each change when it is done.

    Raises:
        StoreError: a mark cannot be kept; rules before are done.
    """
    rules = [rule for rule in state.rules() if rule.enabled and _runs(rule, now)]
    ids = library.ids_of(keys) if rules else []
    # All look first: what one does is not what the next one sees.
    found = [(rule, library.search(parse(rule.query, now), within=ids, sort="newest").ids) for rule in rules]
    for rule, some in found:
        if some:
            change = _do(state, rule, list(dict.fromkeys(row.key for row in library.rows(some))))
            if change.keys:
                yield change


def _runs(rule: SavedRule, now: datetime) -> bool:
    try:
        action(rule.action)
    except UsageError:
        return False
    return not fault(rule.query, now)


def _do(state: State, rule: SavedRule, keys: Sequence[str]) -> Change:
    verb, name = action(rule.action)
    if verb == TAG:
        return state.add_tags(keys, [name])
    does: dict[str, Callable[[Sequence[str], bool], Change]] = {
        READ: state.set_read,
        STAR: state.set_starred,
        HIDE: state.set_hidden,
    }
    return does[verb](keys, True)


# -- with the configuration ---------------------------------------------------


def export(state: State) -> str:
    """Saved searches and rules as TOML, in their order."""
    lines = ["# newsfold: saved searches and rules"]
    for search in state.searches():
        lines += ["", "[[search]]", f"name = {_quoted(search.name)}", f"query = {_quoted(search.query)}"]
    for rule in state.rules():
        lines += ["", "[[rule]]", f"name = {_quoted(rule.name)}", f"query = {_quoted(rule.query)}"]
        lines += [f"action = {_quoted(rule.action)}", f"enabled = {'true' if rule.enabled else 'false'}"]
    return "\n".join(lines) + "\n"


def import_(state: State, text: str, now: datetime) -> list[Change]:
    """Add the searches and rules of *text* that are not there yet; what was added.

    Raises:
        UsageError: it is not what :func:`export` writes; nothing was added.
        StoreError
    """
    searches, rules = _read(text, now)
    have = {(s.name, s.query) for s in state.searches()}
    done = [state.add_search(*pair) for pair in dict.fromkeys(searches) if pair not in have]
    known = {(r.name, r.query, r.action) for r in state.rules()}
    done += [state.add_rule(*rule) for rule in dict.fromkeys(rules) if rule[:3] not in known]
    return done


def _read(text: str, now: datetime) -> tuple[list[tuple[str, str]], list[tuple[str, str, str, bool]]]:
    import tomllib

    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"this is no TOML: {error}") from error
    if unknown := sorted(set(table) - {"search", "rule"}):
        raise UsageError(f"only [[search]] and [[rule]] are known, not {unknown[0]}")
    searches = [(_word(s, "name"), _word(s, "query")) for s in _entries(table, "search")]
    rules = []
    for entry in _entries(table, "rule"):
        query, enabled = _word(entry, "query"), entry.get("enabled", True)
        if not isinstance(enabled, bool):
            raise UsageError("enabled is true or false")
        if enabled and (reason := fault(query, now)):
            raise UsageError(f"the query {query} cannot be a rule: {reason}")
        verb, name = action(_word(entry, "action"))
        rules.append((_word(entry, "name"), query, f"{verb} {name}".strip(), enabled))
    return searches, rules


def _entries(table: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise UsageError(f"{name} must be written [[{name}]]")
    return found


def _word(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"every search and rule needs a {name}, in quotes")
    return value


def _quoted(text: str) -> str:
    """*text* as a basic string of TOML."""
    escapes = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(escapes.get(c) or (f"\\u{ord(c):04x}" if _odd(c) else c) for c in text) + '"'


def _odd(char: str) -> bool:
    return char < " " or char == "\x7f"
