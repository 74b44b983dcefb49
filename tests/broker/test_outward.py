"""Where a connection may lead: nothing inward is public, however it is written, and one bad answer spoils all."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.loopback import is_loopback
from broker.outward import (
    Address,
    LeadsInward,
    Reach,
    is_odd_number,
    is_public,
    literal,
    looked_up,
    may_be_listed,
)

pytestmark = pytest.mark.security
INWARD = [
    IPv4Network(each)
    for each in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                 "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
                 "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32")
]  # fmt: skip
INWARD_6 = ("::1/128", "fe80::/10", "fec0::/10", "fc00::/7", "ff00::/8", "2001:db8::/32", "100::/64", "2001::/32",
            "64:ff9b:1::/48")  # fmt: skip
inward = st.one_of([st.ip_addresses(v=4, network=each) for each in INWARD])
PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07::1", "2a00:1450:4009:81f::200e", "::ffff:93.184.215.14",
          "64:ff9b::808:808"]  # fmt: skip


def wrapped(address: IPv4Address) -> list[Address]:
    """Itself, and every way in which an IPv6 address leads to it."""
    number = int(address)
    return [
        address,
        IPv6Address(number),
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x64FF9B0001 << 80) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
        IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
    ]


@given(inward)
def test_nothing_inward_is_public_however_it_is_wrapped(address: IPv4Address):
    for one in wrapped(address):
        assert not is_public(one)
        assert not Reach().may(one)


@given(st.one_of([st.ip_addresses(v=6, network=each) for each in INWARD_6]))
def test_nothing_inward_is_public_in_ipv6(address: IPv6Address):
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_ipv6_is_judged_as_it_is_itself(plain: IPv4Address):
    for one in (f"::ffff:{plain}", f"64:ff9b::{plain}"):
        assert is_public(ip_address(one)) == is_public(plain)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_out_in_the_internet_may_be_reached(address: str):
    assert is_public(ip_address(address))
    assert Reach().may(ip_address(address))
    assert not Reach(here=True).may(ip_address(address))
    assert not Reach(out=False).may(ip_address(address))


def test_a_listed_screen_may_be_reached_and_its_neighbour_may_not():
    ours = Reach((ip_network("10.20.0.7/32"), ip_network("fd12::/64")))
    assert ours.may(ip_address("10.20.0.7"))
    assert ours.may(ip_address("::ffff:10.20.0.7"))
    assert ours.may(ip_address("fd12::5"))
    assert not ours.may(ip_address("10.20.0.8"))


def test_in_the_sandbox_this_machine_alone_is_reached_whatever_is_listed():
    sandboxed = Reach((ip_network("10.20.0.0/16"),), here=True)
    assert sandboxed.may(ip_address("127.0.0.1"))
    assert not sandboxed.may(ip_address("10.20.0.7"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "localhost", "LOCALHOST"]
)
def test_this_machine_is_known_without_asking_anybody(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "8.8.8.8", "0.0.0.0", "::", "::ffff:10.0.0.1", "127.1", "localhost.example", "127.0.0.1.nip.io"],
)
def test_what_only_looks_like_this_machine_is_another(host: str):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "network", ["0.0.0.0/0", "169.254.169.254", "::/0", "224.0.0.1", "fd00:ec2::254", "fe80::/64"]
)
def test_where_no_machine_of_the_schools_can_be_is_never_listed(network: str):
    assert not may_be_listed(ip_network(network))
    assert may_be_listed(ip_network("10.20.0.0/16"))


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "0", "0x", "1..2"]
)
def test_a_number_that_is_no_address_as_it_is_written_is_told(host: str):
    assert is_odd_number(host)
    assert literal(host) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "3com.com", "0xbeef.example", "school.example", "7b"])
def test_an_address_and_a_name_are_no_odd_numbers(host: str):
    assert not is_odd_number(host)


@pytest.mark.parametrize("numbers", [("93.184.215.14", "127.0.0.1"), ("127.0.0.1", "93.184.215.14")])
def test_a_name_that_leads_inwards_too_is_asked_nowhere(
    monkeypatch: pytest.MonkeyPatch, numbers: tuple[str, ...]
):
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 443)) for number in numbers]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(LeadsInward):
        looked_up("rebinding.example", 443, is_public)


@given(st.lists(st.ip_addresses(), min_size=1, max_size=4))
def test_of_what_a_name_means_all_must_be_outside_or_nobody_is_asked(found: list[IPv4Address | IPv6Address]):
    """A name with an inward address beside an outward one is somebody's attempt: not even the good one is asked."""

    def resolved(host: object, port: object, **more: object) -> object:
        return [
            (socket.AF_INET if one.version == 4 else socket.AF_INET6, socket.SOCK_STREAM, 6, "",
             (str(one), 1) if one.version == 4 else (str(one), 1, 0, 0))
            for one in found
        ]  # fmt: skip

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolved)
        try:
            places = looked_up("name.example", 1, is_public)
        except LeadsInward:
            assert not all(map(is_public, found))
            return
    assert all(map(is_public, found))
    assert [where[0] for _, where in places] == [str(one) for one in found]


@pytest.mark.parametrize("host", ["nowhere.invalid", ".", "a..b", "x" * 70 + ".example"])
def test_a_name_that_nobody_knows_is_an_error_of_the_system_and_nothing_else(host: str):
    with pytest.raises(OSError):  # noqa: PT011 - whatever the resolver says
        looked_up(host, 1, is_public)
