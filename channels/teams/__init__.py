"""Microsoft Teams: cards in the channels of classes, posted by workflows that the school makes there.

`kit` is what the entry point `carillon.channels: teams` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from broker.announcement import Attachment, Content
from broker.audience import Audience
from broker.channel import Item, Key, Message, Receipt, Recipient, Surroundings, Traits
from broker.errors import Problem, SetupError
from broker.loopback import is_loopback
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.classes import Classes
from channels.teams.policies import POLICIES
from channels.teams.render import check, render
from channels.teams.settings import Settings

if TYPE_CHECKING:
    from channels.teams.gateway import Gateway

# A workflow takes the same card twice and posts it twice, and nobody can be asked.
TRAITS = Traits(
    address_kind=None,
    never_alone=True,
    asks={
        "class_members": "each channel's members are those of the group that it stands for, and no others",
        "replies_settled": "who may answer below a card is settled, and somebody looks at the answers (R4)",
        "workflow_owned": "the workflows belong to an account of the school's, with a second owner (R7)",
    },
    service="Microsoft Teams",
)
RETRY = RetryPolicy(attempts=5, first=timedelta(seconds=30), most=timedelta(minutes=15))


class Teams:
    """Posts cards from one account."""

    name = "teams"
    traits = TRAITS
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(
        self, account: str, gateway: Gateway, places: Classes[SecretStr], public_url: str | None
    ) -> None:
        self._account = account
        self._gateway = gateway
        self._places = places
        self._public_url = public_url

    def __repr__(self) -> str:
        return f"<teams account {self._account}>"

    def suits(self, audience: Audience) -> Sequence[Problem]:
        """Whether these people have a channel there."""
        return self._places.suits(audience, self.name)

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Empty, personal or too long. Attachments stay with the channels that carry them."""
        return check(content, self._public_url)

    def render(self, content: Content, to: Recipient) -> Message:
        """The card for the class that the announcement is for."""
        place = self._places.name_for(to.audience)
        return render(content, to, "?" if place is None else place, self._public_url)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class TeamsKit:
    """How to read settings for Teams and open an account."""

    def __init__(self) -> None:
        self.name = Teams.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Teams:
        """The channel of one account. Raises SetupError where it may not talk to an address it is given."""
        # Here, for no command but one that sends needs an HTTP client.
        from channels.teams.gateway import Gateway  # noqa: PLC0415

        places = settings.places()
        hosts = {urlsplit(each.get_secret_value()).hostname or "" for each in places.places.values()}
        if around.sandbox and not all(map(is_loopback, hosts)):
            message = "in sandbox mode cards go to a stand-in on this machine and nowhere else"
            hint = "set each workflow to the sandbox's address, or leave sandbox mode"
            raise SetupError(Problem("not_loopback", f"{account}.workflow", message, hint))
        return Teams(account, Gateway(places, around.timeout), places, around.public_url)


kit = TeamsKit()
