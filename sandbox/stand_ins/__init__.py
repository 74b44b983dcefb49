"""Stand-ins that need nothing but HTTP: a module each, found here by its name, so that another one touches no list.

A module `name` gives `KINDS` (the faults it can be ordered to have, as `name:kind`), `open(truth, faults)` for its
`WebApi`, and `account(url)`, the settings of an account that posts to it; or, where it is a gateway beside others,
`gateways(url)`, what that is set to by its channel. It answers at `/name/…` on Twilio's port.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


@cache
def found() -> Mapping[str, ModuleType]:
    """Every stand-in of this folder by its name."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}") for name in names}
