"""A made-up archive for the pictures of links: outlets that are none, a loopback server behind all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import loopback

from reader.config import locate
from reader.model import LinkCheck, Outcome
from reader.store.state import State

OUTLETS = (
    "Harbour Gazette", "The Lantern", "Nordlys Weekly", "Field & Orchard", "Signal Review", "Open Circuit",
    "Meridian Post", "The Slow Train", "Kite and Compass", "Evening Ledger", "Quarry Street Journal",
    "Tidewater Times",
)  # fmt: skip
TOPICS = ("Astronomy", "Railways", "Harbours", "Gardens", "Open data", "Weather")
SUBJECTS = (
    "The old observatory", "A night train", "The harbour bridge", "A winter garden", "The tide gauge",
    "A public archive", "The lighthouse", "The weather ship", "A river crossing", "The seed library",
)  # fmt: skip
EVENTS = (
    "opens again after ten years", "gets a second life", "is measured anew", "asks for volunteers",
    "finds its lost plans", "turns one hundred", "moves up the hill", "is put on the map",
)  # fmt: skip
SURVIVAL = dict(zip(range(2013, 2024), (38, 44, 47, 55, 58, 63, 70, 74, 81, 88, 94), strict=True))
DEATHS = (
    (Outcome.GONE, 40), (Outcome.MISSING, 14), (Outcome.DNS_ERROR, 16), (Outcome.SOFT_404, 9),
    (Outcome.BLOCKED, 9), (Outcome.TLS_ERROR, 5), (Outcome.SERVER_ERROR, 4), (Outcome.TIMEOUT, 3),
)  # fmt: skip
NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)


def write(folder: Path, count: int, address: str) -> list[tuple[str, int, int]]:
    """Write *count* articles; *address* holds ``{outlet}`` and ``{n}``. (address, year, outlet) of each."""
    chance = random.Random(7)
    made = []
    folder.mkdir(parents=True)
    for n in range(count):
        outlet = min(int(chance.expovariate(0.28)), len(OUTLETS) - 1)
        when = NOW - timedelta(days=3740 * (n + 0.5) / count, minutes=chance.randrange(900))
        where = address.format(outlet=outlet, n=n)
        fields = {
            "title": f"{SUBJECTS[n % len(SUBJECTS)]} {EVENTS[n * 7 // 3 % len(EVENTS)]}",
            "excerpt": "What became of it, who remembers it, and where the papers are kept now.",
            "publishedDateTime": when.isoformat(),
            "webUrl": where,
            "quality": chance.randrange(20, 160),
            "provider": {"name": OUTLETS[outlet]},
            "topics": [TOPICS[n % len(TOPICS)]],
        }
        lines = [f"{name}: {json.dumps(value)}" for name, value in fields.items()]
        (folder / f"{n:04}.md").write_text("\n".join(["---", *lines, "---", ""]), encoding="utf-8")
        made.append((where, when.year, outlet))
    return made


@contextlib.contextmanager
def asked(folder: Path) -> Iterator[None]:
    """An archive whose links were asked a while ago; call it with HOME set."""
    chance = random.Random(3)
    checks = []
    for address, year, outlet in write(folder, 1_400, "https://outlet-{outlet}.test/story/{n}"):
        if chance.random() < 0.03:
            continue
        alive = chance.randrange(100) < SURVIVAL[max(2013, min(2023, year))] - (outlet - 4) * 3
        target, outcome = "", Outcome.ALIVE
        if alive and chance.random() < 0.12:
            outcome, target = Outcome.MOVED, address.replace(".test/story/", ".test/archive/")
        elif not alive:
            outcome = chance.choices([o for o, _ in DEATHS], [w for _, w in DEATHS])[0]
        when = datetime.now(UTC) - timedelta(days=1, seconds=chance.randrange(9_000))
        status = {Outcome.ALIVE: 200, Outcome.MOVED: 200, Outcome.GONE: 410, Outcome.MISSING: 404}.get(
            outcome
        )
        checks.append(LinkCheck(address, outcome, when, status, target, elapsed_ms=chance.randrange(30, 900)))
    with contextlib.closing(State.open(locate({}).state_db)) as state:
        state.record_checks(checks)
    yield


@loopback.route("paced")  # /paced/<what>/<n>: in its own time
async def _paced(r: loopback.Reply) -> None:
    what, n = r.name.split("/")[2:]
    await asyncio.sleep(0.05 + int(n) % 11 / 40)
    if what == "moved":
        await r.go(301, f"/ok/{n}")
    else:
        await r.say(
            {"alive": "200 OK", "gone": "410 Gone", "blocked": "403 Forbidden"}.get(what, "404 Not Found")
        )


@contextlib.contextmanager
def asking(folder: Path) -> Iterator[None]:
    """An archive of 900 links to loopback hosts that answer as pages do."""
    hosts = [f"127.0.0.{n + 1}" for n in range(len(OUTLETS))]
    with loopback.Loopback(hosts) as server:
        chance = random.Random(5)
        words = ["alive"] * 13 + ["moved"] * 2 + ["gone"] * 3 + ["missing"] + ["blocked"]
        write(folder, 900, f"http://127.0.0.{{outlet}}:{server.port}/paced/WHAT/{{n}}")
        for path in folder.glob("*.md"):
            text = path.read_text(encoding="utf-8").replace("WHAT", chance.choice(words))
            path.write_text(text.replace("//127.0.0.0:", "//127.0.0.12:"), encoding="utf-8")
        config = locate({}).config_file
        config.parent.mkdir(parents=True)
        config.write_text("allow_private_links = true\n", encoding="utf-8")
        yield
