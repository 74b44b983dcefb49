"""One receiver's settings: its address, what both sides sign with, and which machines of the school's own it may be."""

from __future__ import annotations

import base64
import binascii
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from broker.loopback import is_loopback
from channels.reach import OWN_NETWORK, OwnNetwork, Reach, host_fault

PREFIX = "whsec_"
LEAST, MOST = 24, 64  # bytes of a secret, as Standard Webhooks has them


def _address(value: str) -> str:
    parts = urlsplit(value)
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not value.isascii() or not value.isprintable() or " " in value or not host or "@" in parts.netloc:
        raise ValueError("write a whole address, such as https://signage.school.example/hooks/carillon")
    if parts.scheme not in {"https", "http"} or parts.fragment:
        raise ValueError("it begins with https://, and ends before any #")
    if fault := host_fault(host):
        raise ValueError(fault)
    return value


def _secret(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not value.get_secret_value().startswith(PREFIX) or not LEAST <= len(key) <= MOST:
        raise ValueError(
            f"it is {PREFIX} and {LEAST} to {MOST} bytes in base64; docs/channels/webhook.md makes one"
        )
    return value


Secret = Annotated[SecretStr, AfterValidator(_secret)]


class Settings(BaseModel):
    """An account for one receiver: a screen's server, a telephone system, a program of the school's."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    address: Annotated[str, AfterValidator(_address)] = Field(
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
    def _in_the_clear_at_home_alone(self) -> Settings:
        parts = urlsplit(self.address)
        host = parts.hostname or ""
        if parts.scheme == "http" and not self.own_network and not is_loopback(host):
            raise ValueError(
                "address: over http it may only be a machine of the school's: list it in own_network"
            )
        try:
            literal = ip_address(host)
        except ValueError:
            return self
        if not self.reach(sandbox=False).may(literal) and not is_loopback(host):
            raise ValueError("address: it is no machine out in the Internet: list it in own_network")
        return self

    def reach(self, *, sandbox: bool) -> Reach:
        """Where it may be found; in the clear nowhere but at home."""
        return Reach(tuple(self.own_network), out=self.address.startswith("https:"), here=sandbox)

    def keys(self) -> tuple[bytes, ...]:
        """What messages are signed with, the newest first."""
        secrets = [self.secret, *([self.old_secret] if self.old_secret else [])]
        return tuple(base64.b64decode(each.get_secret_value().removeprefix(PREFIX)) for each in secrets)
