"""Where a connection may lead: out into the Internet, to what the school listed of its own, and nowhere else.

A server that holds the school's people must not be made to ask the machines beside it. So whatever connects to an
address that somebody typed asks here, a way out or a way in. A name may mean another machine a moment later: it is
looked up once, every answer is judged, and what was judged is what is connected to. In the sandbox only this machine
may be reached, whatever is listed.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from broker.errors import BrokerError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MayAsk = Callable[[Address], bool]
Place = tuple[int, tuple[Any, ...]]  # the family of a socket, and what it is connected to

# Behind these an IPv4 address stands in the last four bytes: NAT64 (RFC 6052), and what was meant as compatible once.
_WRAPPED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
# Global by the registry, and yet no place out there: a site as it was once, Teredo, a local NAT64, relays of 6to4, a
# cloud's own doorman.
_INWARD: tuple[Network, ...] = (
    IPv6Network("fec0::/10"),
    IPv6Network("2001::/32"),
    IPv6Network("64:ff9b:1::/48"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
)
# What a machine asks for its own credentials, and what is nobody in particular: no school has a machine there.
_NOBODY: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("fe80::/10"),
    IPv6Network("ff00::/8"),
    IPv6Network("fd00:ec2::/32"),
)
_PART = re.compile(r"[0-9]*|0x[0-9a-f]*", re.IGNORECASE)


class LeadsInward(BrokerError):
    """Raised when a name means an address that may not be asked, one of several perhaps."""


def is_public(address: Address) -> bool:
    """Whether an address is out in the Internet, whatever it is wrapped in."""
    plain = _unwrapped(address)
    if plain is not address:
        return is_public(plain)
    return address.is_global and not address.is_multicast and not _is_in(address, _INWARD)


def is_here(address: Address) -> bool:
    """Whether it is this machine: in the sandbox nothing else may be asked."""
    plain = address.ipv4_mapped if isinstance(address, IPv6Address) else None  # not told by every Python
    return (plain or address).is_loopback


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be connected to: the Internet (`out`) and `own`, a school's own machines; `here`: this machine alone."""

    own: tuple[Network, ...] = ()
    out: bool = True
    here: bool = False

    def may(self, address: Address) -> bool:
        """Whether this one may be."""
        if self.here:
            return is_here(address)
        plain = _unwrapped(address)
        return _is_in(plain, self.own) or (self.out and is_public(plain))


def may_be_listed(network: Network) -> bool:
    """Whether a school's own machines can be in a network at all."""
    return not any(network.overlaps(each) for each in _NOBODY if each.version == network.version)


def literal(host: str) -> Address | None:
    """The address that a host is, None for a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def is_odd_number(host: str) -> bool:
    """Whether it is a number written as no address is: "127.1" is 127.0.0.1 to whoever connects."""
    return literal(host) is None and all(_PART.fullmatch(part) for part in host.split("."))


def looked_up(host: str, port: int, may: MayAsk) -> Sequence[Place]:
    """Where a host is found: connect to one of these, and look up no more.

    Raises OSError for a name that nobody knows, LeadsInward where any of them may not be asked: a good address beside
    a bad one is somebody's attempt.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a part of it is empty, or too long
        raise OSError("this can be no name") from None
    places = [(family, where) for family, _, _, _, where in found]
    if not all(may(ip_address(str(where[0]).partition("%")[0])) for _, where in places):
        raise LeadsInward("it leads where nobody may be asked")
    return places


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if _is_in(address, _WRAPPED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
