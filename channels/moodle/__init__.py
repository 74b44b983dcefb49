"""Moodle: a discussion in the announcements forum of the course that a class has, or of the site.

`kit` is what the entry point `carillon.channels: moodle` names.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import replace
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
from channels.moodle.policies import POLICIES
from channels.moodle.render import check, render
from channels.moodle.settings import Settings

if TYPE_CHECKING:
    from channels.moodle.gateway import Gateway

TRAITS = Traits(
    address_kind=None,
    can_reconcile=True,
    never_alone=True,
    grace=timedelta(seconds=60),  # an account may set its own
    asks={
        "class_members": "each course's members are those of the group that it stands for, and no others",
        "forums_announce": "each forum is of the kind for announcements, in which pupils do not answer (R4)",
        "token_narrow": "the token's user may post and delete there and nothing else, and is no person's (R7)",
    },
    service="Moodle",
)
RETRY = RetryPolicy(attempts=6, first=timedelta(seconds=30), most=timedelta(minutes=30))


class Moodle:
    """Posts discussions from one account."""

    name = "moodle"
    policies: Sequence[Policy] = POLICIES
    retry = RETRY

    def __init__(
        self, account: str, gateway: Gateway, places: Classes[int], public_url: str | None, traits: Traits
    ) -> None:
        self.traits = traits
        self._account = account
        self._gateway = gateway
        self._places = places
        self._public_url = public_url

    def __repr__(self) -> str:
        return f"<moodle account {self._account}>"

    def suits(self, audience: Audience) -> Sequence[Problem]:
        """Whether these people have a forum there."""
        return self._places.suits(audience, self.name)

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Empty, personal or too long. Attachments stay with the channels that carry them."""
        return check(content)

    def render(self, content: Content, to: Recipient) -> Message:
        """Subject and HTML for the forum of the class that the announcement is for."""
        place = self._places.name_for(to.audience)
        return render(content, to, "?" if place is None else place, self._public_url)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look for the discussion in the account's forums."""
        return self._gateway.find(attempt)

    def withdraw(self, receipt: Receipt) -> None:
        """Delete the discussion. Raises DeliveryFailure."""
        self._gateway.withdraw(receipt)

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class MoodleKit:
    """How to read settings for Moodle and open an account."""

    def __init__(self) -> None:
        self.name = Moodle.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Moodle:
        """The channel of one account. Raises SetupError with every fault."""
        # Here, for no command but one that sends needs an HTTP client.
        from channels.calling import Caller  # noqa: PLC0415
        from channels.moodle.gateway import Gateway  # noqa: PLC0415

        problems = [*_not_here(account, settings, around), *_no_certificates(account, settings)]
        if problems:
            raise SetupError(problems)
        reach, places = settings.reach(sandbox=around.sandbox), settings.places()
        caller = Caller(settings.site, around.timeout, "Moodle", reach=reach, ca_file=settings.ca_file)
        gateway = Gateway(caller, settings.token.get_secret_value(), places)
        return Moodle(account, gateway, places, around.public_url, replace(TRAITS, grace=settings.grace))


def _not_here(account: str, settings: Settings, around: Surroundings) -> Sequence[Problem]:
    if not around.sandbox or is_loopback(urlsplit(settings.site).hostname or ""):
        return ()
    message = "in sandbox mode announcements go to a stand-in on this machine and nowhere else"
    hint = "set site to the sandbox's address, or leave sandbox mode"
    return (Problem("not_loopback", f"{account}.site", message, hint),)


def _no_certificates(account: str, settings: Settings) -> Sequence[Problem]:
    try:
        if settings.ca_file is not None:
            ssl.create_default_context(cafile=str(settings.ca_file))
    except OSError:
        hint = "it must hold certificates in PEM"
        return (Problem("bad_ca_file", f"{account}.ca_file", "cannot be read as certificates", hint),)
    return ()


kit = MoodleKit()
