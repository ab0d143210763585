"""The checker against a server that reaches every outcome and misbehaves in every way."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from loopback import MISBEHAVIOURS, Loopback, to_loopback

from reader.errors import LinkError, UsageError
from reader.links import Checker, Policy, Report
from reader.links.http1 import Connection, request_bytes
from reader.model import LinkCheck, Outcome
from reader.text import clean

POLICY = Policy(
    gap=0,
    total=20.0,  # so much that a busy machine decides nothing; what waits for the end of it says less
    connect=10.0,
    backoff=0.02,
    retry_after_cap=3.0,
    allow_private=True,
    user_agent="tester/1",
)
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for site.test that signs itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "2", "-subj", "/CN=site.test", "-addext", "subjectAltName=DNS:site.test"]
    subprocess.run([*command, "-out", str(cert), "-keyout", str(key)], check=True, capture_output=True)
    return cert, key


def check(
    addresses: Sequence[str], policy: Policy = POLICY, known: Sequence[LinkCheck] = (), **kwargs: object
) -> Report:
    before = {one.address: one for one in known}
    kept: list[LinkCheck] = []
    resolve = kwargs.pop("resolve", to_loopback)
    checker = Checker(policy, known=lambda _: before, keep=kept.extend, clock=lambda: NOW, resolve=resolve)
    report = checker.check(addresses, **kwargs)
    assert list(report.checks) == kept
    return report


def one(address: str, policy: Policy = POLICY, **kwargs: object) -> LinkCheck:
    (result,) = check([address], policy, **kwargs).checks
    return result


# -- outcomes


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/ok", Outcome.ALIVE),
        ("/status/204", Outcome.ALIVE),
        ("/to/301/story/new", Outcome.MOVED),
        ("/to/308/story/new", Outcome.MOVED),
        ("/to/301/to/308/story/new", Outcome.MOVED),
        ("/to/302/story/new", Outcome.REDIRECTED),
        ("/to/301/to/302/story/new", Outcome.REDIRECTED),
        ("/to/301/", Outcome.SOFT_404),
        ("/jump/302/deep/page?/search?q=new", Outcome.SOFT_404),
        ("/status/404", Outcome.MISSING),
        ("/to/301/status/404", Outcome.MISSING),
        ("/status/410", Outcome.GONE),
        ("/status/401", Outcome.BLOCKED),
        ("/status/403", Outcome.BLOCKED),
        ("/status/451", Outcome.BLOCKED),
        ("/status/429", Outcome.RATE_LIMITED),
        ("/status/402", Outcome.WALLED),
        ("/status/999", Outcome.WALLED),
        ("/challenge", Outcome.WALLED),
        ("/cookie-loop", Outcome.WALLED),
        ("/jump/302/deep/page?/login?next=/page", Outcome.WALLED),
        ("/status/500", Outcome.SERVER_ERROR),
        ("/status/503", Outcome.SERVER_ERROR),
        ("/silent-close", Outcome.CONNECT_ERROR),
        ("/hang", Outcome.TIMEOUT),
        ("/no-http", Outcome.PROTOCOL_ERROR),
        ("/circle", Outcome.PROTOCOL_ERROR),
        ("/deeper", Outcome.PROTOCOL_ERROR),
        ("/to-broken", Outcome.PROTOCOL_ERROR),
        ("/to-nowhere", Outcome.PROTOCOL_ERROR),
        ("/to-file", Outcome.REFUSED),
        ("/to-password", Outcome.REFUSED),
    ],
)
def test_outcome(server: Loopback, path: str, outcome: Outcome) -> None:
    result = one(server.url(path), replace(POLICY, total=1.0) if outcome is Outcome.TIMEOUT else POLICY)
    assert (result.outcome, result.checked_at) == (outcome, NOW)
    if outcome is Outcome.MOVED:
        assert result.target == server.url("/story/new")
    if outcome not in (Outcome.ALIVE, Outcome.MOVED, Outcome.REDIRECTED):
        assert result.reason


@pytest.mark.parametrize(
    "address",
    [
        *(
            "ftp://site.test/x",
            "http://user:pw@site.test/",
            "javascript:alert(1)",
            "/only/a/path",
            "",
            "http://",
        ),
        *("http://[::1", "http://site.test/a b", "http://site.test:0/", "http://site.test:99999/"),
        *("http://a\x1bb.test/", "http:///x", "http://site.test\\@other.test/"),
    ],
)
def test_an_address_that_is_none_is_not_asked(address: str) -> None:
    report = check([address])
    assert report.checks[0].outcome is Outcome.REFUSED
    assert report.requests == 0


def test_dns_connection_and_tls_errors_are_told_apart(server: Loopback) -> None:
    assert one("http://nobody.example.invalid/").outcome is Outcome.DNS_ERROR
    nobody = one("http://site.test:1/")
    assert (nobody.outcome, nobody.reason) == (Outcome.CONNECT_ERROR, "connection refused")
    assert one(server.url("/ok").replace("http:", "https:")).outcome is Outcome.TLS_ERROR


def test_tls(certificate: tuple[Path, Path]) -> None:
    with Loopback(tls=certificate) as secure, Loopback() as plain:
        unknown = one(secure.url("/ok"))
        assert (unknown.outcome, "certificate" in unknown.reason) == (Outcome.TLS_ERROR, True)
        trusting = Policy(gap=0, allow_private=True, ca_file=str(certificate[0]))
        assert one(secure.url("/ok"), trusting).outcome is Outcome.ALIVE
        assert one(secure.url("/ok", "other.test"), trusting).outcome is Outcome.TLS_ERROR
        many = check([secure.url(f"/ok?{n}") for n in range(20)], trusting)
        assert many.by_outcome == {Outcome.ALIVE: 20}
        down = one(secure.url(f"/to-host/301/site.test:{plain.port}/story/x"), trusting)
        assert (down.outcome, down.reason) == (Outcome.REDIRECTED, "redirected from https down to http")


_AS_THE_SCREEN = """
import sys, threading
from reader import tls
tls.leave_out()
import asyncio
assert not {"ssl", "_ssl", "_hashlib"} & {name for name, module in sys.modules.items() if module}

async def main():
    from loopback import to_loopback
    from reader.links import Checker, Policy
    policy = Policy(gap=0, total=20, allow_private=True, ca_file=sys.argv[1])
    checker = Checker(policy, known=lambda _: {}, keep=lambda _: None, resolve=to_loopback)
    report = await asyncio.to_thread(checker.check, sys.argv[2:])
    print(*(check.outcome for check in report.checks))

asyncio.run(main())
"""


def test_tls_where_the_screen_has_begun_without(certificate: tuple[Path, Path]) -> None:
    with Loopback(tls=certificate) as secure:
        addresses = [secure.url("/ok?1"), secure.url("/ok?2", "other.test")]
        done = subprocess.run(
            [sys.executable, "-c", _AS_THE_SCREEN, str(certificate[0]), *addresses],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert sorted(done.stdout.split()) == ["alive", "tls-error"], done.stderr


def test_head_is_asked_first_and_get_only_where_it_lies(server: Loopback) -> None:
    assert one(server.url("/ok?alone")).outcome is Outcome.ALIVE
    assert server.asked("/ok?alone") == ["HEAD"]
    for status in (400, 403, 404, 405, 501):
        path = f"/head/{status}?lies"
        assert one(server.url(path)).outcome is Outcome.ALIVE
        assert server.asked(path) == ["HEAD", "GET"]
    hanging = replace(POLICY, total=4.0)  # half of it for the HEAD
    assert one(server.url("/head-hangs"), hanging).outcome is Outcome.ALIVE
    check([server.url(f"/head/405?{n}") for n in range(6)], Policy(gap=0, per_host=1, allow_private=True))
    asked = [server.asked(f"/head/405?{n}") for n in range(6)]
    assert asked == [["HEAD", "GET"]] + [["GET"]] * 5  # learnt once


def test_hops_are_bounded_and_loops_named(server: Loopback) -> None:
    five = "/to/302" * 5 + "/story/end"
    assert one(server.url(five)).outcome is Outcome.REDIRECTED
    six = one(server.url("/to/302" + five))
    assert (six.outcome, six.reason) == (Outcome.PROTOCOL_ERROR, "more than 5 redirects")
    assert "redirect loop" in one(server.url("/circle")).reason


def test_nothing_is_carried_from_one_request_to_the_next(server: Loopback) -> None:
    check(
        [server.url("/cookies"), server.url("/ok?after-cookies")],
        Policy(gap=0, per_host=1, allow_private=True),
    )
    (seen,) = [seen for seen in server.log if seen.path == "/ok?after-cookies"]
    assert set(seen.headers) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert seen.headers["accept-encoding"] == "identity"
    assert one(server.url("/ok?agent")).outcome is Outcome.ALIVE
    assert server.log[-1].headers["user-agent"] == "tester/1"


def test_the_proxies_of_the_environment_are_used_only_when_asked(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Loopback() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        assert one(server.url("/ok?direct")).outcome is Outcome.ALIVE
        assert not proxy.log
        asking = Policy(gap=0, allow_private=True, trust_env=True)
        one(server.url("/ok?by-proxy"), asking)
        assert proxy.log[0].path == server.url("/ok?by-proxy")
        closed = Policy(gap=0, trust_env=True)
        for address in ("http://127.1/", "http://0x7f000001/", "http://[::1]/", "http://localhost/"):
            assert one(address, closed).outcome is Outcome.REFUSED


def test_soft_404_probe(server: Loopback) -> None:
    probing = Policy(gap=0, allow_private=True, soft404_probe=True)
    assert one(server.url("/catch-all/page"), probing).outcome is Outcome.SOFT_404
    assert one(server.url("/catch-all/page")).outcome is Outcome.ALIVE
    assert one(server.url("/honest/page"), probing).outcome is Outcome.ALIVE
    assert one(server.url("/swept/page"), probing).outcome is Outcome.SOFT_404
    assert one(server.url("/swept/page")).outcome is Outcome.REDIRECTED
    assert one(server.url("/"), probing).outcome is Outcome.ALIVE


# -- manners


@pytest.mark.parametrize(("path", "least"), [("/later/429/1/a", 1.0), ("/later/503/date/a", 0.9)])
def test_retry_after_is_honoured(server: Loopback, path: str, least: float) -> None:
    other = f"{path}-other"
    report = check([server.url(path), server.url(other)], Policy(gap=0, per_host=1, allow_private=True))
    assert report.by_outcome == {Outcome.ALIVE: 2}
    first, second = [seen.at for seen in server.log if seen.path.startswith(path)][:2]
    assert second - first >= least  # whichever address came next: the whole host is left in peace


def test_an_anchor_goes_along_unless_the_redirect_has_its_own(server: Loopback) -> None:
    assert one(server.url("/to/301/moved-here#part2")).target == server.url("/moved-here#part2")
    own = server.url("/jump-raw/" + b"/moved-here#own".hex())
    assert one(f"{own}#part2").target == server.url("/moved-here#own")
    assert one(server.url("/ok#part2")).outcome is Outcome.ALIVE


def test_a_host_that_asks_for_a_longer_peace_than_a_run_waits_is_left_alone(server: Loopback) -> None:
    addresses = [server.url(f"/later/429/86400/{n}", "long.test") for n in range(5)]
    hop = server.url("/jump/302/far?" + server.url("/later/429/86400/hop", "long.test"))
    report = check([*addresses, hop], Policy(gap=0, per_host=1, allow_private=True, retry_after_cap=5.0))
    assert [check.outcome for check in report.checks] == [Outcome.RATE_LIMITED]
    assert sorted(report.put_off) == sorted([*addresses[1:], hop])
    assert report.elapsed_s < 5
    assert len([seen for seen in server.log if seen.host.startswith("long.test")]) == 1


def test_what_can_pass_is_asked_again_and_nothing_else(server: Loopback) -> None:
    assert one(server.url("/flaky?once")).outcome is Outcome.ALIVE
    assert (
        one(server.url("/flaky?never"), Policy(gap=0, allow_private=True, retries=0)).outcome
        is Outcome.SERVER_ERROR
    )
    one(server.url("/status/410?final"))
    assert server.asked("/status/410?final") == ["HEAD"]


def test_a_host_that_keeps_asking_for_peace_gets_it(server: Loopback) -> None:
    addresses = [server.url(f"/always-later?{n}", "tired.test") for n in range(30)]
    report = check([*addresses, server.url("/ok?not-tired")])
    assert report.by_outcome[Outcome.ALIVE] == 1
    assert report.by_outcome[Outcome.RATE_LIMITED] + len(report.put_off) == 30
    assert len(report.put_off) >= 25
    assert report.requests < 10


def test_a_host_that_nobody_answers_at_is_given_up(server: Loopback) -> None:
    report = check(
        [f"http://dead.test:1/{n}" for n in range(40)], Policy(gap=0, backoff=0.01, allow_private=True)
    )
    assert report.by_outcome == {Outcome.CONNECT_ERROR: 40}
    assert report.requests < 12


def test_never_more_than_per_host_at_once() -> None:
    with Loopback() as server:
        addresses = [server.url(f"/wait?{n}", f"h{n % 3}.test") for n in range(30)]
        counts: list[int] = []

        def look(progress: object) -> None:
            counts.append(len(server.log))
            if sum(count >= 6 for count in counts) == 3:
                server.release.set()

        report = check(addresses, Policy(gap=0, per_host=2, allow_private=True), on_progress=look)
        assert [count for count in counts if count >= 6][2] == 6  # three hosts, two each, while all wait
        assert report.by_outcome == {Outcome.ALIVE: 30}


def test_a_slow_host_delays_nobody() -> None:
    with Loopback() as server:
        slow = [server.url(f"/wait?{n}", "slow.test") for n in range(20)]
        quick = [server.url(f"/ok?{n}", f"quick{n % 5}.test") for n in range(40)]

        def look(progress: object) -> None:
            if progress.done >= 40:
                server.release.set()

        # The slow ones answer only once all others are kept: were those held back, this would never end well.
        report = check(
            slow + quick, Policy(gap=0, in_flight=4, total=30, allow_private=True), on_progress=look
        )
        assert report.by_outcome == {Outcome.ALIVE: 60}
        assert {one.address for one in report.checks[:40]} == set(quick)


def test_the_host_with_most_to_ask_goes_first(server: Loopback) -> None:
    """It decides when a run ends, so it must not wait for hosts that were added after it."""
    server.log.clear()
    many = [server.url(f"/ok/{n}", "many.test") for n in range(16)]
    few = [server.url("/ok", f"few-{n}.test") for n in range(16)]
    check([*many, *few], replace(POLICY, in_flight=1))
    first = [seen.host.partition(":")[0] for seen in server.log[:15]]
    assert first == ["many.test"] * 15 and len(server.log) == 32


def test_each_address_is_asked_once(server: Loopback) -> None:
    report = check([server.url("/ok?shared")] * 50)
    assert len(report.checks) == 1
    assert server.asked("/ok?shared") == ["HEAD"]


# -- lifetimes, history, cancelling


def test_fresh_results_are_not_asked_again_unless_forced(server: Loopback) -> None:
    address = server.url("/ok?fresh")
    fresh = LinkCheck(address, Outcome.ALIVE, NOW - timedelta(days=1), last_alive=NOW - timedelta(days=1))
    report = check([address], known=[fresh])
    assert (report.checks, report.fresh, report.requests) == ((), (fresh,), 0)
    assert check([address], known=[fresh], force=True).requests == 1
    assert check([address], known=[fresh], lifetime=timedelta(hours=1)).requests == 1
    stale = LinkCheck(address, Outcome.ALIVE, NOW - timedelta(days=40))
    assert check([address], known=[stale]).requests == 1


def test_missing_becomes_gone_a_day_later_and_history_is_carried(server: Loopback) -> None:
    address, alive = server.url("/status/404?history"), NOW - timedelta(days=300)
    before = LinkCheck(address, Outcome.ALIVE, alive, last_alive=alive)
    first = one(address, known=[before])
    assert (first.outcome, first.first_dead, first.last_alive) == (Outcome.MISSING, NOW, alive)
    soon = LinkCheck(
        address, Outcome.MISSING, NOW - timedelta(hours=23), first_dead=NOW - timedelta(hours=23)
    )
    assert one(address, known=[soon], force=True).outcome is Outcome.MISSING
    day = LinkCheck(address, Outcome.MISSING, NOW - timedelta(days=1), first_dead=NOW - timedelta(days=1))
    gone = one(address, known=[day])
    assert (gone.outcome, gone.first_dead) == (Outcome.GONE, day.first_dead)
    back = LinkCheck(server.url("/ok?back"), Outcome.GONE, alive, first_dead=alive)
    assert one(back.address, known=[back]).first_dead is None


def test_cancel_keeps_what_is_finished(server: Loopback) -> None:
    kept: list[LinkCheck] = []
    checker = Checker(POLICY, known=lambda _: {}, keep=kept.extend, resolve=to_loopback)
    addresses = [server.url(f"/ok?cancel{n}", f"c{n}.test") for n in range(10)]
    addresses += [server.url("/hang", f"hang{n}.test") for n in range(10)]

    def look(progress: object) -> None:
        if progress.done >= 10:
            checker.cancel()

    report = checker.check(addresses, on_progress=look)
    assert report.cancelled
    assert (len(report.checks), len(report.unasked)) == (10, 10)
    assert kept == list(report.checks)
    again = checker.check(report.unasked[:0] + tuple(addresses[:1]))
    assert (again.cancelled, len(again.checks)) == (False, 1)


def test_a_store_that_fails_ends_the_run_with_its_error(server: Loopback) -> None:
    def fail(_: object) -> None:
        raise OSError("disk full")

    checker = Checker(POLICY, known=lambda _: {}, keep=fail, resolve=to_loopback)
    with pytest.raises(OSError, match="disk full"):
        checker.check([server.url("/ok"), server.url("/hang")])


def test_only_one_check_at_a_time(server: Loopback) -> None:
    checker = Checker(POLICY, known=lambda _: {}, keep=lambda _: None, resolve=to_loopback)
    refused: list[str] = []

    def look(_: object) -> None:
        with pytest.raises(LinkError) as error:
            checker.check([server.url("/ok")])
        refused.append(str(error.value))

    checker.check([server.url("/ok?single")], on_progress=look)
    assert refused[0] == "a check is already running"


def test_policies_that_make_no_sense_are_refused() -> None:
    for wrong in (
        {"user_agent": "x\r\nEvil: 1"},
        {"user_agent": ""},
        {"per_host": 0},
        {"gap": -1},
        {"total": 0},
    ):
        with pytest.raises(UsageError):
            Policy(**wrong)


CHILD = """
import os, sys
sys.path[:0] = [{tests!r}, {root!r}]
from datetime import datetime, timezone
from loopback import to_loopback
from reader.links import Checker, Policy
from reader.model import LinkCheck, Outcome
done = {{line.split()[0] for line in open({kept!r})}}
out = open({kept!r}, "a")
def known(some):
    return {{a: LinkCheck(a, Outcome.ALIVE, datetime.now(timezone.utc)) for a in some if a in done}}
def keep(checks):
    out.writelines(c.address + " " + c.outcome + "\\n" for c in checks)
    out.flush(); os.fsync(out.fileno())
policy = Policy(gap=0.02, per_host=1, allow_private=True)
report = Checker(policy, known=known, keep=keep, resolve=to_loopback).check(
    sys.argv[1:], on_progress=lambda p: print(p.done, flush=True))
print("fresh", len(report.fresh), flush=True)
"""


def test_kill_9_loses_no_finished_result_and_the_next_run_goes_on(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    here = Path(__file__).parent
    code = CHILD.format(tests=str(here), root=str(here.parent), kept=str(kept))
    with Loopback() as server:
        addresses = [server.url(f"/ok?{n}", f"k{n % 4}.test") for n in range(200)]
        command = [sys.executable, "-c", code, *addresses]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            reported = 0
            while reported < 20:
                reported = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            rest = child.stdout.read().split()
        reported = max([reported, *map(int, rest)])
        finished = kept.read_text().splitlines()
        assert reported <= len(finished) < 200
        before = len(server.log)
        second = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert second.stdout.split()[-1] == str(len(finished))
        assert len(server.log) - before == 200 - len(finished)
        assert len({line.split()[0] for line in kept.read_text().splitlines()}) == 200


# -- misbehaviour


PROBE = """
import json, resource, sys
sys.path[:0] = [{tests!r}, {root!r}]
from loopback import to_loopback
from reader.links import Checker, Policy
total = float(sys.argv[1])
policy = Policy(gap=0, total=total, connect=total / 2, backoff=0.02, allow_private=True)
report = Checker(policy, known=lambda _: {{}}, keep=lambda _: None, resolve=to_loopback).check(sys.argv[2:])
checks = [[c.address, c.outcome, c.reason, c.target, c.elapsed_ms] for c in report.checks]
def own_peak():
    try:  # ru_maxrss begins with what the parent held when it forked
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([own_peak(), checks]))
"""
ENDS = {
    "head-hangs": Outcome.ALIVE,
    "drip-body": Outcome.ALIVE,
    "flood-body": Outcome.ALIVE,
    "flood-chunks": Outcome.ALIVE,
    "bomb": Outcome.ALIVE,
    "many-encodings": Outcome.ALIVE,
    "odd-lengths": Outcome.ALIVE,
    "broken-lines": Outcome.ALIVE,
    "cookies": Outcome.ALIVE,
    "to-bytes": Outcome.REDIRECTED,
    "to-smuggle": Outcome.REDIRECTED,
    "control-phrase": Outcome.MISSING,
    "long-phrase": Outcome.MISSING,
    "two-answers": Outcome.MISSING,
    "hang": Outcome.TIMEOUT,
    "drip-head": Outcome.TIMEOUT,
    "drip-interim": Outcome.PROTOCOL_ERROR,
    "silent-close": Outcome.CONNECT_ERROR,
    "half-head": Outcome.CONNECT_ERROR,
    "reset": Outcome.CONNECT_ERROR,
    "to-file": Outcome.REFUSED,
    "to-script": Outcome.REFUSED,
    "to-password": Outcome.REFUSED,
}


def _end(address: str) -> Outcome:
    return ENDS.get(address.rpartition("/")[2], Outcome.PROTOCOL_ERROR)


def test_every_misbehaviour_ends_within_its_bound_in_little_memory(server: Loopback) -> None:
    assert len(MISBEHAVIOURS) >= 25
    here = Path(__file__).parent
    code = PROBE.format(tests=str(here), root=str(here.parent))
    addresses = [server.url(f"/{name}", f"{name}.test") for name in MISBEHAVIOURS]
    checks: dict[str, list[Any]] = {}
    for total in (2.0, 2.0, 10.0, 40.0):  # a busy machine may answer too late: then it is given more
        child = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", code, str(total), *addresses],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "never retrieved" not in child.stderr
        peak_kib, found = json.loads(child.stdout)
        assert (peak_kib if sys.platform != "darwin" else peak_kib / 1024) < 100 * 1024
        assert len(found) == len(addresses)
        checks |= {check[0]: check for check in found}
        late = {a for a, *_, ms in found if ms >= 1_250 * total}
        addresses = [a for a, outcome, *_ in found if a in late or outcome == Outcome.TIMEOUT != _end(a)]
        if not addresses:
            break
    assert not late
    assert len(checks) == len(MISBEHAVIOURS)
    for address, outcome, reason, target, _ in checks.values():
        name = address.rpartition("/")[2]
        assert (name, outcome) == (name, _end(address))
        assert (reason, target) == (clean(reason, 300), clean(target))
        assert "secret" not in target


_ODD = st.text(
    st.sampled_from("aZ0.-_~:/?#[]@!$&'()*+,;=%\\ \t\r\n\x00\x1b\x7f\u00fc\u0430\u202e\ud800\U0001f600xn--"),
    max_size=24,
)


@settings(max_examples=12, deadline=None)
@example(hosts=["xn--", "xn--a", "a.xn--"], paths=["xn--"], locations=[b"http://xn--.test/", b"//xn--a.test"])
@given(
    hosts=st.lists(_ODD, min_size=12, max_size=12),
    paths=st.lists(_ODD, min_size=12, max_size=12),
    locations=st.lists(st.binary(max_size=24), min_size=12, max_size=12),
)
def test_no_address_and_no_redirect_can_end_a_run(
    server: Loopback, hosts: list[str], paths: list[str], locations: list[bytes]
) -> None:
    addresses = [f"http{'s' * (n % 2)}://{host}.test:{server.port}/ok" for n, host in enumerate(hosts)]
    addresses += [f"http://site.test:{server.port}/ok/{path}" for path in paths] + paths + hosts
    addresses += [server.url(f"/jump/302/page?{path}") for path in paths]
    addresses += [server.url("/jump-raw/" + location.hex()) for location in locations]
    report = check(addresses, Policy(gap=0, total=2, connect=0.5, per_host=20, backoff=0, allow_private=True))
    assert len(report.checks) + len(report.put_off) == len(set(addresses))
    assert all(
        one.target == clean(one.target) and one.reason == clean(one.reason, 300) for one in report.checks
    )
    assert {seen.method for seen in server.log} <= {"HEAD", "GET"}


def test_a_lying_head_does_not_answer_for_the_next_address(server: Loopback) -> None:
    """A connection that said more than it was asked is not used again."""
    alone = Policy(gap=0, per_host=1, allow_private=True)
    report = check([server.url("/two-answers?a"), server.url("/status/410?b"), server.url("/ok?c")], alone)
    assert {one.address.rpartition("?")[2]: one.outcome for one in report.checks} == {
        "a": Outcome.MISSING,
        "b": Outcome.GONE,
        "c": Outcome.ALIVE,
    }


async def test_an_answer_that_comes_as_the_time_is_up_leaves_no_connection_open(server: Loopback) -> None:
    _, line = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", server.port)
    transport, receive = line._transport, line.data_received

    def receive_too_late(data: bytes) -> None:
        receive(data)
        asking.cancel()

    line.data_received = receive_too_late  # type: ignore[method-assign]
    request = request_bytes("HEAD", b"/ok", [(b"Host", b"site.test")])
    asking = asyncio.create_task(line.ask(request, bodiless=True))
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert transport is not None and transport.is_closing() and not line.usable


def test_only_an_answer_that_is_surely_over_leaves_its_connection_for_the_next(server: Loopback) -> None:
    alone = Policy(gap=0, per_host=1, retries=0, allow_private=True)
    doubtful = (
        "HTTP/1.1 404 N\nContent-Length: 6\n\nhello",
        "HTTP/1.1 404 N\nContent-Length: 4\n\nhello",
        "HTTP/1.1 404 N\nContent-Length: 5\nContent-Length: 5\n\nhello",
        "HTTP/1.1 404 N\nContent-Length: 5\nTransfer-Encoding: chunked\n\nhello",
        "HTTP/1.1 404 N\nContent-Length: 5\nConnection: close\n\nhello",
        "HTTP/1.0 404 N\nContent-Length: 5\n\nhello",
        "HTTP/1.1 404 N\n\nhello",
        "HTTP/1.1 404 N\n\n",
    )
    for answer in ("HTTP/1.1 404 N\nContent-Length: 5\n\nhello", *doubtful):
        del server.log[:]
        report = check([server.url(f"/said/{answer.encode().hex()}?{n}") for n in range(3)], alone)
        assert report.by_outcome == {Outcome.MISSING: 3}
        gets = [seen.line for seen in server.log if seen.method == "GET"]
        assert (len(gets), len(set(gets))) == (3, 3 if answer in doubtful else 1), answer
