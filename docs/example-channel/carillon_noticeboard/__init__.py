"""The screen in the corridor: an example of a channel in a package of its own.

It imports from `carillon` alone. `kit` is what the entry point `carillon.channels: noticeboard` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from carillon import (
    Attachment,
    Content,
    Key,
    Message,
    Policy,
    Problem,
    Receipt,
    Recipient,
    RetryPolicy,
    SetupError,
    Surroundings,
    Traits,
)
from carillon_noticeboard import policies, render
from carillon_noticeboard.gateway import Board
from carillon_noticeboard.settings import Settings

# The screen shows each id once, and a delivery keeps its id through every try: a second line is not seen.
TRAITS = Traits(address_kind=None, duplicates_harmless=True, grace=timedelta(seconds=5))


class Noticeboard:
    """One screen."""

    name = "noticeboard"
    traits = TRAITS
    policies: Sequence[Policy] = policies.POLICIES
    retry = RetryPolicy()

    def __init__(self, account: str, board: Board) -> None:
        self._account = account
        self._board = board

    def __repr__(self) -> str:
        return f"<noticeboard account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """What is wrong with this wording for the corridor. Attachments stay with the channels that carry them."""
        return policies.check(content)

    def render(self, content: Content, to: Recipient) -> Message:
        """The notice. Fields: title, text."""
        return render.render(content)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Put the notice up: one line."""
        notice = str(key.delivery)
        self._board.append({"id": notice, **message.fields})
        return Receipt(notice)

    def withdraw(self, receipt: Receipt) -> None:
        """Take the notice down; a second line that says so does no harm."""
        self._board.append({"id": receipt.provider_id, "down": True})

    def close(self) -> None:
        """There is nothing to let go of."""


class NoticeboardKit:
    """How to open a noticeboard account."""

    def __init__(self) -> None:
        self.name = Noticeboard.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Noticeboard:
        """The channel of one account. Raises SetupError."""
        if not settings.file.parent.is_dir():
            hint = "make the folder, or name another file"
            raise SetupError(Problem("no_folder", f"{account}.file", "its folder does not exist", hint))
        return Noticeboard(account, Board(settings.file))


kit = NoticeboardKit()
