"""The receiver, told by Standard Webhooks. It only translates; what answers mean stands in `channels.webhook.codes`.

A message keeps its id through every try, and a receiver takes what comes twice under one id for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from broker.channel import Item, Receipt
from broker.errors import ContentRejected, Uncertain
from broker.standard_webhooks import signed
from channels.calling import Caller
from channels.webhook import codes
from channels.webhook.render import URN, withdrawal


class Gateway:
    """One receiver."""

    def __init__(self, line: Caller, path: str, keys: Sequence[bytes]) -> None:
        self._line = line
        self._path = path
        self._keys = keys

    def send(self, item: Item) -> Receipt:
        """Exactly one try."""
        try:
            about = UUID(item.message.fields["about"])
        except ValueError:
            why = "it has no public id, so that no receiver could tell it from another"
            raise ContentRejected(why, code="no_public_id") from None
        self._tell(f"published_{about.hex}", item.message.fields["body"])
        return Receipt(f"{URN}{about}")

    def withdraw(self, receipt: Receipt) -> None:
        """Tell that it is taken back; said twice it is the same."""
        name = receipt.provider_id.removeprefix(URN).replace("-", "")
        self._tell(f"withdrawn_{name}", withdrawal(receipt.provider_id))

    def _tell(self, name: str, body: str) -> None:
        told = body.encode()
        headers = signed(name, datetime.now(UTC), told, self._keys)
        answer = self._line.ask("POST", self._path, body=told, headers=headers)
        if not answer.ok:
            raise codes.failure(answer.status, answer.headers)
        if answer.is_page:
            raise Uncertain(codes.A_PAGE, code="page")

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._line.close()

    def __repr__(self) -> str:
        return "<Gateway to a receiver>"
