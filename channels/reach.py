"""Where an account may connect to, as its settings say; what may be at all is `broker.outward`'s to judge."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_network
from time import monotonic
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from broker.errors import AccountRejected, Unreachable
from broker.loopback import is_loopback
from broker.outward import (
    LeadsInward,
    Network,
    Place,
    Reach,
    is_odd_number,
    literal,
    looked_up,
    may_be_listed,
)
from channels.deadline import left

_SEVERAL = 20  # networks and machines of its own that an account may list


def connect(reach: Reach, host: str, port: int, within: float) -> socket.socket:
    """A connection to a host, made within so many seconds; what is sent over it has as long again.

    Raises Unreachable, and AccountRejected for a host that may not be reached; no byte has left.
    """
    until = monotonic() + within
    fault: OSError | None = None
    for family, where in judged(reach, host, port):
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


def judged(reach: Reach, host: str, port: int) -> Sequence[Place]:
    """Where a host is found, every place of it judged. Raises Unreachable, and AccountRejected where one may not be."""
    try:
        return looked_up(host, port, reach.may)
    except OSError:
        raise Unreachable("its name is not known", code="dns") from None
    except LeadsInward:
        raise AccountRejected(
            "its address leads to this machine or into the school's own network, where it is not listed:"
            " set `own_network`, or another address",
            code="private_address",
        ) from None


# --- for settings


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
    if is_odd_number(host):
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
    number = literal(host)
    if number is not None and not reach_of(address, own, sandbox=False).may(number):
        raise ValueError(f"{field}: it is no machine out in the Internet: list it in own_network")


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
        if not may_be_listed(network):
            raise ValueError("it holds addresses at which no machine of the school's can be")
        networks.append(network)
    return tuple(networks)


OwnNetwork = Annotated[tuple[Any, ...], AfterValidator(_networks), BeforeValidator(_split)]
OWN_NETWORK = "machines or networks of the school's own that may be reached, parted by commas; left out, none"
