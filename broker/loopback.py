"""Whether a host is this machine: in sandbox mode no gateway may talk to any other."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """True for a literal loopback address or "localhost"; a name is never resolved to find out."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
