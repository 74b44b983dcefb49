"""Google Classroom: announcements in the stream of the course that a class has, published or as drafts.

`kit` is what the entry point `carillon.channels: classroom` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from broker.announcement import Attachment, Content
from broker.audience import Audience
from broker.capabilities import PastAttempt
from broker.channel import Item, Key, Message, Receipt, Recipient, Surroundings, Traits
from broker.errors import Problem, SetupError
from broker.loopback import is_loopback
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.classes import Classes
from channels.classroom.policies import POLICIES
from channels.classroom.render import check, render
from channels.classroom.settings import Settings

if TYPE_CHECKING:
    from channels.classroom.gateway import Gateway

TRAITS = Traits(
    address_kind=None,
    can_reconcile=True,
    never_alone=True,
    grace=timedelta(seconds=60),  # an account may set its own
    asks={
        "class_members": "each course's members are those of the group that it stands for, and no others",
        "replies_settled": "pupils cannot comment below announcements, or somebody looks at what they write (R4)",
        "token_narrow": "the token is for announcements alone, and the account that posts is no person's (R7)",
    },
    service="Google Classroom",
)
RETRY = RetryPolicy(attempts=6, first=timedelta(seconds=30), most=timedelta(minutes=30))


@dataclass(frozen=True, slots=True)
class Look:
    """What an account makes of a wording: where its pages are, and whether a teacher publishes it."""

    public_url: str | None
    draft: bool


class Classroom:
    """Posts announcements from one account."""

    name = "classroom"
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(
        self, account: str, gateway: Gateway, places: Classes[str], look: Look, traits: Traits
    ) -> None:
        self.traits = traits
        self._account = account
        self._gateway = gateway
        self._places = places
        self._look = look

    def __repr__(self) -> str:
        return f"<classroom account {self._account}>"

    def suits(self, audience: Audience) -> Sequence[Problem]:
        """Whether these people have a course there."""
        return self._places.suits(audience, self.name)

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Empty, personal or too long. Attachments stay with the channels that carry them."""
        return check(content, self._look.public_url)

    def render(self, content: Content, to: Recipient) -> Message:
        """Plain text for the course of the class that the announcement is for."""
        place = self._places.name_for(to.audience)
        return render(
            content, to, "?" if place is None else place, self._look.public_url, draft=self._look.draft
        )

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look for it in the account's courses."""
        return self._gateway.find(attempt)

    def withdraw(self, receipt: Receipt) -> None:
        """Delete it. Raises DeliveryFailure."""
        self._gateway.withdraw(receipt)

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class ClassroomKit:
    """How to read settings for Classroom and open an account."""

    def __init__(self) -> None:
        self.name = Classroom.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Classroom:
        """The channel of one account. Raises SetupError where it may not talk to Google."""
        # Here, for no command but one that sends needs an HTTP client.
        from channels.classroom.gateway import Gateway  # noqa: PLC0415
        from channels.classroom.line import Line  # noqa: PLC0415

        if around.sandbox and not is_loopback(urlsplit(settings.api_base_url or "").hostname or ""):
            message = "in sandbox mode announcements go to a stand-in on this machine and nowhere else"
            hint = "set api_base_url to the sandbox's address, or leave sandbox mode"
            raise SetupError(Problem("not_loopback", f"{account}.api_base_url", message, hint))
        places = settings.places()
        gateway = Gateway(Line(settings, around.timeout), places, settings.state.upper())
        look = Look(around.public_url, draft=settings.state == "draft")
        return Classroom(account, gateway, places, look, replace(TRAITS, grace=settings.grace))


kit = ClassroomKit()
