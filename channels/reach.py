"""Where an account may connect to: out into the Internet, to what the school listed of its own, and nowhere else.

A server that holds the school's people must not be made to ask the machines beside it. A name may mean another
machine a moment later, so it is looked up once, every answer is judged, and what was judged is what is connected to. In
the sandbox only this machine may be reached, whatever is listed.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from broker.errors import AccountRejected, Unreachable
from broker.loopback import is_loopback
from channels.deadline import left

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

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
# What a machine asks for its own credentials, and what is nobody in particular: no school has a screen there.
_NEVER: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("fe80::/10"),
    IPv6Network("ff00::/8"),
    IPv6Network("fd00:ec2::/32"),
)
_SEVERAL = 20  # networks and machines of its own that an account may list


def is_public(address: Address) -> bool:
    """Whether an address is out in the Internet, whatever it is wrapped in."""
    inner = _unwrapped(address)
    if inner is not address:
        return is_public(inner)
    inward = any(address in network for network in _INWARD if network.version == address.version)
    return address.is_global and not address.is_multicast and not inward


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _WRAPPED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be connected to: the Internet (`out`) and `own`, a school's own machines; `here`: this machine alone."""

    own: tuple[Network, ...] = ()
    out: bool = True
    here: bool = False

    def may(self, address: Address) -> bool:
        """Whether this one may be."""
        if self.here:
            return address.is_loopback
        plain = _unwrapped(address)
        listed = any(plain in network for network in self.own if network.version == plain.version)
        return listed or (self.out and is_public(plain))


def connect(reach: Reach, host: str, port: int, within: float) -> socket.socket:
    """A connection to a host, made within so many seconds; what is sent over it has as long again.

    Raises Unreachable, and AccountRejected for a host that may not be reached; no byte has left.
    """
    addresses = judged(reach, host, port)
    fault: OSError | None = None
    until = monotonic() + within
    for family, where in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(left(until))
            sock.connect(where)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(within)
            return sock
        except OSError as reason:
            sock.close()
            fault = reason
        except BaseException:
            sock.close()
            raise
    why = "in time" if isinstance(fault, TimeoutError) else "just now"
    raise Unreachable(f"no connection could be made {why}", code="connect")


def judged(reach: Reach, host: str, port: int) -> Sequence[tuple[int, tuple[Any, ...]]]:
    """Where a host is found, every place of it judged. Raises Unreachable, and AccountRejected where one may not be."""
    addresses = _looked_up(host, port)
    if not all(reach.may(ip_address(where[0].partition("%")[0])) for _, where in addresses):
        raise AccountRejected(
            "its address leads to this machine or into the school's own network, where it is not listed:"
            " set `own_network`, or another address",
            code="private_address",
        )
    return addresses


def _looked_up(host: str, port: int) -> Sequence[tuple[int, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("its name is not known", code="dns") from None
    return [(family, where) for family, _, _, _, where in found]


# --- for settings

_A_NUMBER = re.compile(r"[0-9.]+|0x[0-9a-f]*", re.IGNORECASE)  # "127.1" is 127.0.0.1 to whoever connects


def web_address(value: str) -> str:
    """An address as somebody types it into a setting. Raises ValueError with what to write."""
    parts = urlsplit(value)
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not value.isascii() or not value.isprintable() or " " in value or not host or "@" in parts.netloc:
        raise ValueError("write a whole address, such as https://somewhere.school.example/there")
    if parts.scheme not in {"https", "http"} or parts.fragment:
        raise ValueError("it begins with https://, and ends before any #")
    if _literal(host) is None and _A_NUMBER.fullmatch(host):
        raise ValueError("write the number as 203.0.113.7, or a name")
    return value


def reach_of(address: str, own: Sequence[Network], *, sandbox: bool) -> Reach:
    """Where an address may be found; in the clear nowhere but at home."""
    return Reach(tuple(own), out=address.startswith("https:"), here=sandbox)


def must_be_reachable(field: str, address: str, own: Sequence[Network]) -> None:
    """Raises ValueError for an address that could never be reached: in the clear out there, inward and not listed."""
    host = urlsplit(address).hostname or ""
    if is_loopback(host):
        return
    if address.startswith("http:") and not own:
        raise ValueError(
            f"{field}: over http it may only be a machine of the school's: list it in own_network"
        )
    literal = _literal(host)
    if literal is not None and not reach_of(address, own, sandbox=False).may(literal):
        raise ValueError(f"{field}: it is no machine out in the Internet: list it in own_network")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _split(value: Any) -> Any:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


def _networks(value: tuple[str, ...]) -> tuple[Network, ...]:
    if len(value) > _SEVERAL:
        raise ValueError(f"at most {_SEVERAL} of its own machines or networks can be listed")
    networks = []
    for each in value:
        try:
            network = ip_network(each)
        except ValueError:
            raise ValueError(
                "list addresses or networks, parted by commas: 10.20.0.7, 10.20.4.0/24"
            ) from None
        if any(network.overlaps(never) for never in _NEVER if never.version == network.version):
            raise ValueError("it holds addresses at which no machine of the school's can be")
        networks.append(network)
    return tuple(networks)


OwnNetwork = Annotated[tuple[Any, ...], AfterValidator(_networks), BeforeValidator(_split)]
OWN_NETWORK = "machines or networks of the school's own that may be reached, parted by commas; left out, none"
