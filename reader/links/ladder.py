"""What can still be read of an article whose own page cannot, best first.

1. where its page moved to; 2. its AMP page; 3. the AMP page in the cache;
4. the archived copy nearest its date; 5. another outlet's telling of the same
story, those known to live before those never asked. Addresses known to be
unreadable are left out, and so is everything that is no plain http(s) address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from reader.address import canonical, host_of
from reader.model import OUTCOMES, Article, LinkCheck, Outcome, Related
from reader.text import clean
from reader.values import dataclass

ARCHIVE: Final = "https://web.archive.org"


class RungKind(StrEnum):
    """Which way round a dead page a rung is."""

    TARGET = "target"
    AMP = "amp"
    CDN_AMP = "cdn-amp"
    ARCHIVED = "archived"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to read on: ``address`` as it may be opened, ``why`` in one clean line."""

    kind: RungKind
    address: str
    why: str


def ladder(
    article: Article,
    checks: Mapping[str, LinkCheck],
    others: Sequence[Related | str],
    archive: str = ARCHIVE,
) -> list[Rung]:
    """The rungs of *article*, best first; an address stands once.

    *checks* by address or by canonical address; *others* are the tellings of
    other outlets, best first. *archive* is the archive's base address; its rung
    is where the archive would look the page up: nothing is asked here. An
    article without an address has no rungs but the others.
    """
    known = Checks(checks)
    own = canonical(article.address)
    rungs: dict[str, Rung] = {}
    for rung in (*_own(article, known, archive), *_others(others, known)):
        key = canonical(rung.address)
        if key and (key != own or rung.kind not in (RungKind.TARGET, RungKind.OTHER)):
            rungs.setdefault(rung.address, rung)
    return list(rungs.values())


class Checks:
    """Link checks found by an address or by its canonical spelling."""

    def __init__(self, checks: Mapping[str, LinkCheck]) -> None:
        self._checks = checks

    def outcome(self, address: str) -> Outcome:
        """The last outcome of *address*, UNCHECKED where there is none."""
        check = self.of(address)
        return check.outcome if check else Outcome.UNCHECKED

    def of(self, address: str) -> LinkCheck | None:
        """The last check of *address*."""
        return self._checks.get(address) or self._checks.get(canonical(address))


def archive_address(address: str, at: datetime | None, archive: str = ARCHIVE) -> str:
    """Where *archive* looks up the copy of *address* nearest to *at*, the newest without it."""
    when = f"{at.astimezone(UTC):%Y%m%d%H%M%S}/" if at else ""
    return f"{archive.rstrip('/')}/web/{when}{address.partition('#')[0]}"


def _own(article: Article, known: Checks, archive: str) -> Iterator[Rung]:
    check = known.of(article.address)
    if check and check.target and OUTCOMES[check.outcome].readable:
        how = "for good" if check.outcome is Outcome.MOVED else "for now"
        yield Rung(RungKind.TARGET, check.target, f"moved {how} to {clean(host_of(check.target), 80)}")
    for kind, address, name in (
        (RungKind.AMP, article.amp_url, "its AMP page"),
        (RungKind.CDN_AMP, article.cdn_amp_url, "its AMP page in the cache"),
    ):
        # Its AMP page shares the canonical address of the page itself, so only its own check counts.
        own = known.of(address) if address else None
        outcome = own.outcome if own and own.address == address else Outcome.UNCHECKED
        if address and OUTCOMES[outcome].readable:
            yield Rung(kind, address, f"{name}: {OUTCOMES[outcome].word}")
    if canonical(article.address):
        when = f" nearest {article.published_at:%Y-%m-%d}" if article.published_at else ""
        address = archive_address(article.address.strip(), article.published_at, archive)
        yield Rung(RungKind.ARCHIVED, address, f"the archived copy{when}, if there is one")


def _others(others: Sequence[Related | str], known: Checks) -> list[Rung]:
    found: list[tuple[bool, Rung]] = []
    for other in others:
        address = other if isinstance(other, str) else other.address
        outcome = known.outcome(address)
        if not OUTCOMES[outcome].readable:
            continue
        outlet = "" if isinstance(other, str) else other.provider.name or other.provider.domain
        teller = clean(outlet or host_of(address), 80)
        rung = Rung(RungKind.OTHER, address, f"told by {teller}: {OUTCOMES[outcome].word}")
        found.append((outcome is Outcome.UNCHECKED, rung))
    return [rung for _, rung in sorted(found, key=lambda pair: pair[0])]
