"""Feeds: RSS 2.0, Atom and JSON Feed, for anybody to read without an account anywhere (R10, R17).

A feed is read from the ledger, and an announcement stands in it while its delivery is `sent`. So there is no provider:
publishing is the ledger's own write-back, and the truth is the feed as it is fetched over HTTP.

`kit` is what the entry point `carillon.channels: rss` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from broker.announcement import Attachment, Content
from broker.channel import Key, Message, Receipt, Recipient, Surroundings, Traits
from broker.errors import ContentRejected, Problem, SetupError
from broker.policy import Policy
from broker.retry import RetryPolicy
from channels.rss import policies, render
from channels.rss.feed import Feed, Format, guid
from channels.rss.json_feed import write as write_json
from channels.rss.settings import Settings
from channels.rss.xml import write as write_xml

# Nobody can be asked whether a lost try was published, and nobody need be: what the ledger does not call sent is in no
# feed, and publishing the same item twice is publishing it once.
TRAITS = Traits(address_kind=None, duplicates_harmless=True, in_place=True, grace=timedelta(seconds=2))
RETRY = RetryPolicy(attempts=3, first=timedelta(seconds=5), most=timedelta(minutes=1))


class Rss:
    """One rss account."""

    name = "rss"
    traits = TRAITS
    policies: Sequence[Policy] = policies.POLICIES
    retry = RETRY

    def __init__(self, account: str) -> None:
        self._account = account

    def __repr__(self) -> str:
        return f"<rss account {self._account}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """What is wrong with this wording for everybody to read. Attachments stay with the channels that carry them."""
        return policies.check(content)

    def render(self, content: Content, to: Recipient) -> Message:
        """The item. Fields: guid (the announcement's public id), title, summary, html."""
        return render.render(content, to)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Publish: the receipt alone does it, for the ledger keeps it and the feed is read from the ledger."""
        try:
            return Receipt(guid(UUID(message.fields["guid"])))
        except ValueError:
            why = "it has no public id, so that no reader could tell it from another"
            raise ContentRejected(why, code="no_public_id") from None

    def withdraw(self, receipt: Receipt) -> None:
        """Nothing is left to do: a feed shows no announcement that the ledger calls withdrawn."""

    def close(self) -> None:
        """There is nothing to let go of."""


class RssKit:
    """How to open an rss account."""

    def __init__(self) -> None:
        self.name = Rss.name
        self.traits = TRAITS
        self.settings: type[Any] = Settings

    def open(self, account: str, settings: Settings, around: Surroundings) -> Rss:
        """The channel of one account. Raises SetupError."""
        if around.public_url is None:
            hint = "set CARILLON_PUBLIC_URL to the address at which readers reach the web"
            message = "a feed needs to know its own address, for its links are read far from here"
            raise SetupError(Problem("no_public_url", f"{account}.public_url", message, hint))
        return Rss(account)


def write(feed: Feed, format: Format) -> bytes:
    """A feed in one of its formats, UTF-8."""
    return write_json(feed) if format is Format.JSON else write_xml(feed, format)


kit = RssKit()
