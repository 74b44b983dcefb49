"""Ports for tests that send nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from broker.errors import Problem, UnknownChannel
from broker.ports import Hint


class NoHints:
    """A queue that is away: the sweep would find the work."""

    def publish(self, hint: Hint) -> None:
        """Lose it."""


class NoChannels:
    """A school without a way out."""

    def names(self) -> Sequence[str]:
        """None."""
        return ()

    def traits(self, channel: str) -> NoReturn:
        """Unknown."""
        raise UnknownChannel(Problem("unknown_channel", "channel", "there is none"))

    def open(self, account: str) -> NoReturn:
        """Unknown."""
        raise UnknownChannel(Problem("unknown_channel", "channel", "there is none"))
