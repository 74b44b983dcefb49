"""What tests of posts share: settings for the stand-in, and a channel that posts there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from broker.announcement import Content, Part
from broker.capabilities import PastAttempt
from broker.channel import PUBLIC, Item, Key, Recipient, Surroundings
from channels.twitter import Twitter, kit
from channels.twitter.settings import Settings
from sandbox.client import RunningSandbox
from sandbox.settings import XCredentials

AROUND = Surroundings(
    "St Cecilia's", "GB", "https://news.stcecilias.org.uk", sandbox=True, timeout=timedelta(seconds=1)
)


def settings(url: str | None, **changed: Any) -> Settings:
    """An account at the stand-in."""
    x = XCredentials()
    told = {
        "consumer_key": x.consumer_key,
        "consumer_secret": x.consumer_secret,
        "access_token": x.access_token,
        "access_token_secret": x.access_token_secret,
        "notice_route": "the notice board at the gate",
        "api_base_url": url,
    }
    return Settings(**{**told, **changed})


def open_at(sandbox: RunningSandbox, around: Surroundings = AROUND, **changed: Any) -> Twitter:
    """A channel that posts to this stand-in."""
    return kit.open("music", settings(sandbox.x_url, **changed), around)


def public(number: int) -> Recipient:
    """The public, told of the announcement with this number."""
    return Recipient(PUBLIC.address, links={"announcement": str(UUID(int=number))})


def wording(short: str, **others: str) -> Content:
    """A wording with this short text."""
    return Content(1, "", {Part.SHORT: short, **{Part(name): text for name, text in others.items()}})


def item(channel: Twitter, content: Content, number: int) -> Item:
    """A rendered post of the announcement with this number."""
    return Item(Key(number, number, 1), channel.render(content, public(number)), public(number))


def past(one: Item, started_at: Any, known: frozenset[str] = frozenset()) -> PastAttempt:
    """The attempt as the ledger remembers it."""
    return PastAttempt(one.key, started_at, one.to.address, one.message.digest, known)
