"""Whether a host is this machine: in sandbox mode no gateway may talk to any other."""

from __future__ import annotations

from broker.outward import is_here, literal


def is_loopback(host: str) -> bool:
    """True for a literal loopback address or "localhost"; a name is never resolved to find out."""
    number = literal(host)
    return host.casefold() == "localhost" if number is None else is_here(number)
