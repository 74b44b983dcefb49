"""One receiver's settings: its address, what both sides sign with, and which machines of the school's own it may be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from broker.outward import Reach
from broker.standard_webhooks import key_of
from channels.reach import OWN_NETWORK, OwnNetwork, must_be_reachable, reach_of, web_address


def _secret(value: SecretStr) -> SecretStr:
    try:
        key_of(value.get_secret_value())
    except ValueError as wrong:
        raise ValueError(f"{wrong}; docs/channels/webhook.md makes one") from None
    return value


Secret = Annotated[SecretStr, AfterValidator(_secret)]


class Settings(BaseModel):
    """An account for one receiver: a screen's server, a telephone system, a program of the school's."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: Annotated[str, AfterValidator(web_address)] = Field(
        max_length=500, description="where announcements are posted to; https, save within `own_network`"
    )
    secret: Secret = Field(description="what both sides sign with: whsec_ and base64")
    old_secret: Secret | None = Field(
        default=None, description="the one before, while the receiver learns the new one: signed with both"
    )
    own_network: OwnNetwork = Field(default=(), max_length=20, description=OWN_NETWORK)
    ca_file: Path | None = Field(
        default=None, description="certificates to trust instead of the usual ones (PEM)"
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> Settings:
        must_be_reachable("address", self.address, self.own_network)
        return self

    def reach(self, *, sandbox: bool) -> Reach:
        """Where it may be found; in the clear nowhere but at home."""
        return reach_of(self.address, self.own_network, sandbox=sandbox)

    def keys(self) -> tuple[bytes, ...]:
        """What messages are signed with, the newest first."""
        secrets = [self.secret, *([self.old_secret] if self.old_secret else [])]
        return tuple(key_of(each.get_secret_value()) for each in secrets)
