"""The guard: nothing inward gets through it, however it is written, and whatever the resolver says."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from sources.guard import FetchRefused, checked, is_public, session

pytestmark = pytest.mark.security
INWARD = [
    IPv4Network(each)
    for each in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                 "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
                 "224.0.0.0/4", "240.0.0.0/4")
]  # fmt: skip
INWARD_6 = ("::1/128", "fe80::/10", "fec0::/10", "fc00::/7", "ff00::/8", "2001:db8::/32", "100::/64")
inward = st.one_of([st.ip_addresses(v=4, network=each) for each in INWARD])


def wrapped(address: IPv4Address) -> list[IPv6Address]:
    """Every way in which an IPv6 address leads to an IPv4 one."""
    number = int(address)
    return [
        IPv6Address(number),
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x64FF9B0001 << 80) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
        IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
    ]


@given(inward)
def test_nothing_inward_is_public_however_it_is_wrapped(address: IPv4Address):
    assert not is_public(address)
    assert not any(is_public(one) for one in wrapped(address))


@given(st.one_of([st.ip_addresses(v=6, network=each) for each in INWARD_6]))
def test_nothing_inward_is_public_in_ipv6(address: IPv6Address):
    assert not is_public(address)


@given(inward)
def test_an_address_that_is_a_number_is_looked_at_before_it_is_asked(address: IPv4Address):
    for host in (str(address), *(f"[{one}]" for one in wrapped(address))):
        with pytest.raises(FetchRefused):
            checked(f"http://{host}/", is_public)


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "0", "①②⑦.⓪.⓪.①", "127。0。0。1", "[::1%25lo]",
     "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "169.254.169.254", "168.63.129.16", "[fd00:ec2::254]"],
)  # fmt: skip
def test_a_number_in_disguise_is_refused(host: str):
    with pytest.raises(FetchRefused):
        checked(f"http://{host}/", is_public)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "[2a00:1450:4001::1]", "school.example", "xn--bcher-kva.example", "3com.com"]
)
def test_what_is_outside_passes(host: str):
    assert checked(f"https://{host}/", is_public) == URL(f"https://{host}/")


@given(st.text(max_size=60))
def test_whatever_is_typed_is_an_address_or_refused(text: str):
    for url in (text, f"http://{text}", f"https://school.example:{text}/"):
        try:
            at = checked(url, is_public)
        except FetchRefused:
            continue
        assert at.scheme in {"http", "https"}
        assert at.raw_host


@given(st.lists(st.ip_addresses(), min_size=1, max_size=4))
def test_of_what_a_name_means_all_must_be_outside_or_nobody_is_asked(found: list[IPv4Address | IPv6Address]):
    """A name with an inward address beside an outward one is somebody's attempt: not even the good one is asked."""

    def resolved(host: object, port: object, *more: object, **named: object) -> object:
        return [
            (socket.AF_INET if one.version == 4 else socket.AF_INET6, socket.SOCK_STREAM, 6, "",
             (str(one), 1) if one.version == 4 else (str(one), 1, 0, 0))
            for one in found
        ]  # fmt: skip

    tried: list[str] = []

    async def ask() -> None:
        async with session(is_public, {}, timedelta(seconds=5)) as asking:
            resolver = asking.connector._resolver  # type: ignore[union-attr]
            tried.extend(each["host"] for each in await resolver.resolve("name.example", 1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolved)
        patch.setattr(socket, "getnameinfo", lambda at, flags: (str(at[0]), str(at[1])))
        try:
            asyncio.run(ask())
        except FetchRefused:
            assert any(not is_public(one) for one in found)
            return
    assert all(is_public(one) for one in found)
    assert {ip_address(each.partition("%")[0]) for each in tried} <= set(found)
