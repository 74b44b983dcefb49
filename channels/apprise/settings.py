"""One account's settings for the bridge: the address, in Apprise's words, of one room that several people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from broker.outward import Reach
from channels.reach import OWN_NETWORK, OwnNetwork, must_be_reachable, reach_of

# Apprise's word for each, and whether the school runs it: then its host is in the address. All of them post by one
# request to one room; what signs in first, or posts to people, is none of these. Zulip's organisation may be a host.
ROOMS: Mapping[str, bool] = {
    "discord": False,
    "gchat": False,
    "mmost": True,
    "mmosts": True,
    "rocket": True,
    "rockets": True,
    "slack": False,
    "webex": False,
    "wxteams": False,
    "zulip": True,
}
_IN_THE_CLEAR = frozenset({"mmost", "rocket"})


def _room(value: SecretStr) -> SecretStr:
    address = value.get_secret_value()
    parts = urlsplit(address)
    if len(address) > 1_000 or not address.isascii() or not address.isprintable():
        raise ValueError("write an address as Apprise has them, such as mmosts://chat.school.example/token")
    if parts.scheme not in ROOMS:
        raise ValueError(f"the bridge posts to rooms alone: {', '.join(sorted(ROOMS))}")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("its port is none: a number up to 65535, or left out") from None
    if parts.query or parts.fragment:
        raise ValueError("write it without ? and what follows: Carillon sets the rest")
    if "@" in unquote(parts.path):
        raise ValueError("it leads to a person, and nobody is messaged: name a room, or leave the target out")
    return value


class Settings(BaseModel):
    """An account of the bridge: staff notices to one room."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: Annotated[SecretStr, AfterValidator(_room)] = Field(
        description="of one room, as Apprise has it: mmosts://chat.school.example/token; it holds a secret"
    )
    own_network: OwnNetwork = Field(default=(), max_length=20, description=OWN_NETWORK)

    @model_validator(mode="after")
    def _can_be_reached(self) -> Settings:
        if self.host:
            must_be_reachable("address", self._url, self.own_network)
        return self

    @property
    def host(self) -> str:
        """Whose server it is, "" for a service that has one of its own."""
        parts = urlsplit(self.address.get_secret_value())
        host = parts.hostname or "?"
        if parts.scheme == "zulip" and "." not in host:
            return f"{host}.zulipchat.com"
        return host if ROOMS[parts.scheme] else ""

    @property
    def port(self) -> int:
        """Where that server listens."""
        return urlsplit(self._url).port or (443 if self._url.startswith("https:") else 80)

    @property
    def scheme(self) -> str:
        """How that server is spoken to."""
        return urlsplit(self._url).scheme

    def reach(self, *, sandbox: bool) -> Reach:
        """Where that server may be found."""
        return reach_of(self._url, self.own_network, sandbox=sandbox)

    @property
    def _url(self) -> str:
        parts = urlsplit(self.address.get_secret_value())
        if parts.scheme == "zulip":  # a port in it is not heeded
            return f"https://{self.host}"
        return f"{'http' if parts.scheme in _IN_THE_CLEAR else 'https'}://{parts.netloc.rpartition('@')[2]}"
