"""No connection leads where it must not: addresses, rebinding, redirects inward."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from loopback import Loopback, to_loopback

from reader import address
from reader.errors import LinkError
from reader.links import Checker, Policy
from reader.links.guard import check_form, is_public, may_connect
from reader.model import LinkCheck, Outcome

OPEN = Policy(gap=0, allow_private=True)
CLOSED = Policy(gap=0)


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


def one(address: str, policy: Policy, resolve: object) -> LinkCheck:
    checker = Checker(policy, known=lambda _: {}, keep=lambda _: None, resolve=resolve)
    return checker.check([address]).checks[0]


@pytest.mark.parametrize(
    "number",
    [
        *(
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
        ),
        *("169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.88.99.1", "198.18.0.1"),
        *(
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
        ),
        *(
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
        ),
        *("64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "fe80::1", "fe80::1%eth0"),
        *("fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1", "5f00::1", "localhost", "", "0x7f.1"),
    ],
)
def test_what_is_not_public(number: str) -> None:
    assert not is_public(number)


@pytest.mark.parametrize(
    "number",
    ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1", "2a00:1450::1"],
)
def test_what_is_public(number: str) -> None:
    assert is_public(number)


def test_private_when_allowed_never_means_link_local_or_metadata() -> None:
    for number in ("127.0.0.1", "10.0.0.1", "192.168.0.1", "::1", "fd12::1", "::ffff:127.0.0.1", "8.8.8.8"):
        assert may_connect(number, allow_private=True)
    for number in ("169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "224.0.0.1", "0.0.0.0"):
        assert not may_connect(number, allow_private=True)
    for number in ("::ffff:169.254.169.254", "::ffff:100.100.100.200", "2002:a9fe:a9fe::", "nonsense"):
        assert not may_connect(number, allow_private=True)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "0x7f.1", "0x7f000001", "2130706433", "127.1", "0177.0.0.1", "[::1]"),
        *("[::ffff:127.0.0.1]", "0.0.0.0", "①27.0.0.1", "[::ffff:7f00:1]"),
    ],
)
def test_loopback_in_any_spelling_is_refused_by_the_real_resolver(server: Loopback, host: str) -> None:
    """These are numbers (and ``localhost``): resolving them asks nobody."""
    before = len(server.log)
    checker = Checker(CLOSED, known=lambda _: {}, keep=lambda _: None)
    outcome = checker.check([f"http://{host}:{server.port}/ok"]).checks[0].outcome
    assert outcome is Outcome.REFUSED
    assert len(server.log) == before


def test_one_private_number_among_public_ones_is_enough_to_refuse(server: Loopback) -> None:
    before = len(server.log)
    result = one(server.url("/ok"), CLOSED, lambda host, port: ["8.8.8.8", "127.0.0.1"])
    assert (result.outcome, result.reason) == (Outcome.REFUSED, "a private, local or special address")
    assert len(server.log) == before


def test_a_name_is_resolved_once_and_the_judged_number_is_used(server: Loopback) -> None:
    """Rebinding: the second answer would lead elsewhere, so there is no second question."""
    answers = itertools.chain(["127.0.0.1"], itertools.repeat("169.254.169.254"))
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [next(answers)]

    result = one(server.url("/to/302/to/302/story/x", "rebind.test"), OPEN, rebinding)
    assert (result.outcome, asked) == (Outcome.REDIRECTED, ["rebind.test"])


def test_rebinding_to_loopback_is_refused(server: Loopback) -> None:
    answers = itertools.cycle(["127.0.0.1"])
    before = len(server.log)
    for _ in range(3):
        assert (
            one(server.url("/ok", "rebind.test"), CLOSED, lambda *_: [next(answers)]).outcome
            is Outcome.REFUSED
        )
    assert len(server.log) == before


@pytest.mark.parametrize(
    "inward",
    [
        "meta.test/latest/",
        "169.254.169.254/latest/",
        "[fe80::1]/",
        "[fd00:ec2::254]/",
        "100.100.100.200/",
        "224.0.0.1/",
    ],
)
def test_redirects_inward_are_refused_even_where_loopback_is_allowed(server: Loopback, inward: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        if host == "meta.test":
            return ["169.254.169.254"]
        return [host] if host[0].isdigit() or ":" in host else list(to_loopback(host, port))

    result = one(server.url(f"/jump/302/deep/page?http://{inward}"), OPEN, resolve)
    assert (result.outcome, result.target) == (Outcome.REFUSED, f"http://{inward}")
    assert result.reason == "after a redirect: a private, local or special address"


def test_a_private_host_with_many_addresses_is_asked_for_its_number_once(server: Loopback) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["10.0.0.1"]

    checker = Checker(Policy(), known=lambda _: {}, keep=lambda _: None, resolve=resolve)
    report = checker.check([server.url(f"/ok?{n}") for n in range(50)])
    assert (report.by_outcome, len(asked)) == ({Outcome.REFUSED: 50}, 1)


def test_forms() -> None:
    for good in ("http://a.test", "https://a.test:8443/x?y#z", "HTTPS://A.test/ü", "http://[2606:4700::1]/"):
        check_form(good)
    for bad in (
        "http://a.test/\x00",
        "http://a.test/\u2028",
        "mailto:a@b",
        "//a.test/",
        "http://@a.test/",
        "x" * 5000,
    ):
        with pytest.raises(LinkError):
            check_form(bad)


@given(
    st.sampled_from(["http", "https", "HTTP", "ftp", " http", ""]),
    st.text("aA.-:0169@[]\t\u00fc", max_size=12),
    st.text("/?#aA:@[]\\ \n\u00fc\ud800", max_size=8),
)
@example("http", "a.test:65535", "")
@example("http", "a:65536", "/")
@example("http", "a:0", "/")
@example("http", "a:", "?")
def test_the_short_way_to_a_host_changes_nothing(scheme: str, host: str, rest: str) -> None:
    def told() -> tuple[str, str]:
        found = f"{scheme}://{host}{rest}"
        try:
            return address.host_of(found), check_form(found)
        except LinkError as error:
            return address.host_of(found), str(error)

    usual, found = address._PLAIN, told()
    try:
        address._PLAIN = address.re.compile(r"(?!)")
        assert told() == found
    finally:
        address._PLAIN = usual


def test_importing_the_links_brings_in_no_http_client() -> None:
    code = (
        "import sys, reader.links; print({'httpx', 'asyncio', 'ssl', 'textual', 'yaml'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
