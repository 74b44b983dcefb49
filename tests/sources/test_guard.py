"""The guard: nothing inward gets through it, however it is written, and whatever the resolver says."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from broker.outward import is_public
from sources.guard import FetchRefused, checked, session

pytestmark = pytest.mark.security


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]"]
)
def test_an_address_that_is_a_number_is_looked_at_before_it_is_asked(host: str):
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
        try:
            asyncio.run(ask())
        except FetchRefused:
            assert any(not is_public(one) for one in found)
            return
    assert all(is_public(one) for one in found)
    assert {ip_address(each.partition("%")[0]) for each in tried} <= set(found)
