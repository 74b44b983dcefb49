"""Which channels are installed: the entry points of the group `carillon.channels`, ours and anyone's."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.metadata import EntryPoint, entry_points

from broker.channel import ENTRY_POINT_GROUP, Kit
from broker.errors import MissingExtra, Problem, SetupError, UnknownChannel
from config.faults import nearest

RESERVED = frozenset({"core", "urgent", "beat"})  # queues of our own


class Registry:
    """Installed channels by name. A kit is imported when it is first asked for, and no sooner."""

    def __init__(self) -> None:
        self._kits: dict[str, Kit] = {}

    @cached_property
    def _found(self) -> Mapping[str, EntryPoint]:
        found = _installed(tuple(sys.path))
        problems = [
            Problem(
                "duplicate_channel", name, "is provided by more than one package", _providers(found, name)
            )
            for name, count in Counter(point.name for point in found).items()
            if count > 1
        ]
        problems += [
            Problem(
                "reserved_channel",
                point.name,
                "is a word that Carillon keeps for itself",
                _providers(found, point.name),
            )
            for point in found
            if point.name in RESERVED
        ]
        if problems:
            raise SetupError(problems)
        return {point.name: point for point in found}

    def names(self) -> Sequence[str]:
        """Every installed channel, sorted. Raises SetupError when two packages provide one name."""
        return sorted(self._found)

    def kit(self, name: str) -> Kit:
        """The kit of a channel. Raises UnknownChannel, or MissingExtra when its package lacks something optional."""
        if name in self._kits:
            return self._kits[name]
        point = self._found.get(name)
        if point is None:
            hint = nearest(name, self._found) or f"installed: {', '.join(self.names()) or 'none'}"
            raise UnknownChannel(
                Problem("unknown_channel", "channel", "no installed package provides this channel", hint)
            )
        try:
            kit: Kit = point.load()
        except ModuleNotFoundError as missing:
            raise _missing(point, missing) from missing
        self._kits[name] = kit
        return kit


@lru_cache(maxsize=1)
def _installed(_path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Where one looks for packages, every one of them is opened for it; a start asks more than once."""
    return tuple(entry_points(group=ENTRY_POINT_GROUP))


def _providers(found: Sequence[EntryPoint], name: str) -> str:
    packages = {point.dist.name for point in found if point.name == name and point.dist is not None}
    return f"uninstall one of: {', '.join(sorted(packages))}"


def _missing(point: EntryPoint, missing: ModuleNotFoundError) -> MissingExtra:
    package = point.dist.name if point.dist is not None else "carillon"
    wanted = f"{package}[{','.join(point.extras)}]" if point.extras else str(missing.name)
    return MissingExtra(
        Problem(
            "missing_extra",
            "channel",
            f"the channel {point.name} needs a package that is not installed: {missing.name}",
            f"pip install '{wanted}'",
        )
    )
