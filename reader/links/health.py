"""How much of an archive still lives, by year and by outlet. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from reader.model import OUTCOMES, Outcome
from reader.values import dataclass


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One article's link: its year (None: undated), its outlet as written, its last outcome."""

    year: int | None
    outlet: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Share:
    """How a group of links fares. ``groups`` counts them by the words of ``link:`` (alive, moved, …)."""

    label: str
    total: int
    checked: int
    alive: int
    """Those whose page can be read: alive, moved or redirected."""
    groups: Mapping[str, int]

    @property
    def share(self) -> float | None:
        """Alive among the checked, 0 to 1; None when none was checked."""
        return self.alive / self.checked if self.checked else None


def overall(rows: Iterable[LinkRow]) -> Share:
    """All links as one group, labelled ``all``."""
    return _share("all", Counter(row.outcome for row in rows))


def by_year(rows: Iterable[LinkRow]) -> list[Share]:
    """One share a year, oldest first; the undated, labelled ``undated``, last."""
    shares = _grouped(rows, lambda row: "undated" if row.year is None else f"{row.year:04d}")
    return sorted(shares, key=lambda share: (share.label == "undated", share.label))


def by_outlet(rows: Iterable[LinkRow], least: int = 1) -> list[Share]:
    """One share an outlet of at least *least* checked links, the worst first; of equals the larger."""
    shares = _grouped(rows, lambda row: row.outlet)
    checked = [(share.share, share) for share in shares if share.checked >= least]
    known = [(part, share) for part, share in checked if part is not None]
    return [share for _, share in sorted(known, key=lambda pair: (pair[0], -pair[1].checked, pair[1].label))]


def _grouped(rows: Iterable[LinkRow], label: Callable[[LinkRow], str]) -> list[Share]:
    counts: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for row in rows:
        counts[label(row)][row.outcome] += 1
    return [_share(name, count) for name, count in counts.items()]


def _share(label: str, counts: Counter[Outcome]) -> Share:
    groups: Counter[str] = Counter()
    for outcome, count in counts.items():
        groups[OUTCOMES[outcome].group] += count
    never = counts[Outcome.UNCHECKED]
    alive = sum(count for outcome, count in counts.items() if OUTCOMES[outcome].readable) - never
    total = counts.total()
    # What is refused was not asked either.
    checked = total - never - counts[Outcome.REFUSED]
    return Share(label, total, checked, alive, MappingProxyType(dict(groups)))
