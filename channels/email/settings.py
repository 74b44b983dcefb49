"""The settings of one mail account: the server that takes the school's mail, and in whose name it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from broker.address import BadAddress, parse_email
from broker.incoming.return_path import LONGEST_MAILBOX
from broker.loopback import is_loopback
from channels.seconds import Seconds


def _one_email(value: str) -> str:
    try:
        return parse_email(value)
    except BadAddress as bad:
        raise ValueError(f"{bad.problem.message} {bad.problem.hint}") from None


Email = Annotated[str, AfterValidator(_one_email)]


class Settings(BaseModel):
    """One account at a mail server. There is no way to send in the clear, save to this very machine."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field(
        min_length=1, max_length=253, description="the mail server that takes the school's mail"
    )
    port: int = Field(587, ge=1, le=65535, description="587 with starttls, 465 with tls")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="none is for this machine alone"
    )
    username: SecretStr | None = Field(None, description="left out when the server knows us by our address")
    password: SecretStr | None = Field(None, validate_default=True, description="belongs to the username")
    sender: Email = Field(description="the email it comes from")
    sender_name: str = Field("", max_length=120, description="the name beside it; left out, the school's")
    reply_to: Email = Field(description="a mailbox that somebody reads: where answers go")
    return_path: Email | None = Field(
        None,
        description="the mailbox that undelivered mails come back to, under signed +addresses; left out, sender",
    )
    connections: int = Field(
        8, ge=1, le=64, description="connections kept open, each sending one mail at a time"
    )
    mails_per_connection: int = Field(
        500, ge=1, le=100_000, description="mails before a connection is made anew"
    )
    ca_file: FilePath | None = Field(None, description="certificates to trust instead of the system's (PEM)")
    timeout: Seconds | None = Field(
        None,
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
        description="how long a connection may take, or a mail, or the answer to it; left out, the house's rule",
    )

    @field_validator("sender_name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("a name is one line of plain characters")
        return value.strip()

    @field_validator("return_path")
    @classmethod
    def _room_for_a_token(cls, value: str | None) -> str | None:
        local = (value or "").partition("@")[0]
        if len(local) > LONGEST_MAILBOX or "+" in local:
            raise ValueError(
                f"before the @ at most {LONGEST_MAILBOX} characters and no +, such as bounces@example.org"
            )
        return value

    @field_validator("host")
    @classmethod
    def _a_host(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable() or " " in value or "/" in value:
            raise ValueError("must be a host name or an address, such as smtp.example.org")
        return value

    # Field by field, for a validator of the whole would be silent while any field is at fault.
    @field_validator("security")
    @classmethod
    def _clear_here_alone(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and "host" in info.data and not is_loopback(info.data["host"]):
            raise ValueError("security none is for a mail server on this machine; take starttls or tls")
        return value

    @field_validator("password")
    @classmethod
    def _together(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "username" in info.data and (info.data["username"] is None) != (value is None):
            raise ValueError("a username and a password belong together")
        return value
