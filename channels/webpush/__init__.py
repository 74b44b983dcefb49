"""Web push: notifications of browsers that subscribed by a group's private link, with no account and no number.

`kit` is what the entry point `carillon.channels: webpush` names. Without the extra `webpush` all of this can be asked;
only an account cannot be opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from broker.address import AddressKind
from broker.announcement import Attachment, Content
from broker.audience import Audience
from broker.channel import Item, Key, MayStart, Message, Outcome, Receipt, Recipient, Surroundings, Traits
from broker.errors import MissingExtra, Problem
from broker.outward import LeadsInward, Reach, looked_up
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.webpush import policies
from channels.webpush.render import render
from channels.webpush.settings import KEY_BYTES, Settings, padless
from channels.webpush.subscription import BadSubscription, of_address, of_browser

if TYPE_CHECKING:
    from channels.webpush.gateway import Gateway

# Nobody hears one twice: while it is not delivered a second one takes its place (its Topic), and a browser that has
# shown it shows it again without a sound (web/static/push_worker.js). So what was lost is sent again.
TRAITS = Traits(
    address_kind=AddressKind.PUSH,
    duplicates_harmless=True,
    grace=timedelta(seconds=30),
)
RETRY = RetryPolicy(attempts=6, first=timedelta(seconds=30), most=timedelta(minutes=15))


class WebPush:
    """Tells browsers."""

    name = "webpush"
    traits = TRAITS
    policies: Sequence[Policy] = policies.POLICIES
    retry = RETRY

    def __init__(self, account: str, gateway: Gateway, services: tuple[str, ...], *, sandbox: bool) -> None:
        self._account = account
        self._gateway = gateway
        self._services = services
        self._sandbox = sandbox

    def __repr__(self) -> str:
        return f"<webpush account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Empty, or personal. Attachments stay with the channels that carry them."""
        return policies.check(content)

    def suits(self, audience: Audience) -> Sequence[Problem]:
        """Whole groups alone."""
        return policies.suits(audience)

    def render(self, content: Content, to: Recipient) -> Message:
        """Title and short text."""
        return render(content, to)

    def offered(self) -> str:
        """The public key under which a browser subscribes, in base64url."""
        return self._gateway.public_key

    def address_of(self, told: Mapping[str, Any]) -> str:
        """The address that a browser's own words come to. Raises BadSubscription."""
        return of_browser(told, self.offered(), self._services, sandbox=self._sandbox).as_address()

    def must_be_reachable(self, address: str) -> None:
        """Look its push service up. Raises BadSubscription where it leads inward, or is not known just now."""
        to = of_address(address)
        try:
            if to is not None:
                looked_up(to.host, to.port, Reach(here=self._sandbox).may)
        except LeadsInward:
            why = "the push service of this browser is not one that the school knows"
            raise BadSubscription(
                Problem("unknown_service", "subscription", why, "tell the school")
            ) from None
        except OSError:
            why = "the push service of this browser cannot be found just now"
            raise BadSubscription(Problem("not_now", "subscription", why, "try again in a minute")) from None

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try."""
        return self._gateway.send(Item(key, message, to))

    def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Several at once."""
        return self._gateway.send_many(items, may_start=may_start)

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._gateway.close()


class WebPushKit:
    """How to read settings for web push and open an account."""

    def __init__(self) -> None:
        self.name = WebPush.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def new_key(self) -> str:
        """The private half of a P-256 pair: 32 bytes in base64url."""
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - for this one command

        made = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        return padless(made.to_bytes(KEY_BYTES, "big"))

    def open(self, account: str, settings: Settings, around: Surroundings) -> WebPush:
        """The channel of one account. Raises MissingExtra where pywebpush is not installed."""
        try:
            # Here and not above: web push is optional, and everything else runs without it.
            from channels.webpush.gateway import Gateway  # noqa: PLC0415
        except ModuleNotFoundError as missing:
            message = f"an account for web push needs a package that is not installed: {missing.name}"
            hint = "pip install 'carillon[webpush]', or take the account out of the settings"
            raise MissingExtra(Problem("missing_extra", account, message, hint)) from None
        gateway = Gateway(settings, around.timeout, sandbox=around.sandbox)
        return WebPush(account, gateway, settings.services, sandbox=around.sandbox)


kit = WebPushKit()
