"""Teams, by workflows of Power Automate. It only translates; what refusals mean stands in `channels.teams.codes`.

A workflow answers as soon as it begins. Whether it has posted it tells nobody, and a post cannot be taken back by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import SecretStr

from broker.channel import Item, Receipt
from broker.errors import ContentRejected, Uncertain
from channels.calling import Answer, Caller
from channels.classes import Classes
from channels.teams import codes

ACCEPTED = frozenset({200, 202})
RUN = "x-ms-workflow-run-id"


class Gateway:
    """The workflows of one account."""

    def __init__(self, places: Classes[SecretStr], timeout: timedelta) -> None:
        addresses = {name: each.get_secret_value() for name, each in places.places.items()}
        self._paths: Mapping[str, tuple[str, str]] = {name: _parted(each) for name, each in addresses.items()}
        self._callers = {base: Caller(base, timeout, "Teams") for base, _ in self._paths.values()}

    def send(self, item: Item) -> Receipt:
        """Exactly one try."""
        known = self._paths.get(item.message.fields["place"])
        if known is None:
            raise ContentRejected("these people have no class of their own at Teams", code="no_class")
        base, path = known
        body = item.message.fields["body"].encode()
        answer = self._callers[base].ask(
            "POST", path, body=body, headers={"Content-Type": "application/json"}
        )
        if answer.status not in ACCEPTED:
            raise codes.failure(answer.status, answer.known(), answer.headers)
        return Receipt(_run(answer))

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        for caller in self._callers.values():
            caller.close()

    def __repr__(self) -> str:
        return "<Gateway to Teams>"


def _run(answer: Answer) -> str:
    """The run that began. Raises Uncertain for an answer that is none of a workflow's."""
    run = answer.headers.get(RUN, "")
    if not (0 < len(run) <= 100 and run.isascii() and run.isalnum()):
        raise Uncertain("Teams answered without naming the run that posts the card", code="no_run")
    return run


def _parted(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}", f"{parts.path.removeprefix('/')}?{parts.query}"
