"""One account's settings for Microsoft Teams: the workflows that post its cards."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from broker.loopback import is_loopback
from channels.classes import MOST, Classes

# Where Power Automate listens, its clouds for governments among them.
HOSTS = (".logic.azure.com", ".api.powerplatform.com", ".logic.azure.us", ".api.powerplatform.us")
_RETIRED = (".webhook.office.com", "outlook.office.com")


def _workflow(value: SecretStr) -> SecretStr:
    address = value.get_secret_value()
    parts = urlsplit(address)
    try:
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host = ""
    if host.endswith(_RETIRED):
        raise ValueError(
            "connectors are retired: make a workflow, “Post to a channel when a webhook request is received”"
        )
    stand_in = is_loopback(host) and parts.scheme == "http"
    if len(address) > 1_000 or not address.isascii() or not address.isprintable() or "@" in parts.netloc:
        raise ValueError("copy the workflow's address as Teams shows it")
    if not stand_in and not (parts.scheme == "https" and host.endswith(HOSTS)):
        raise ValueError(
            "copy the workflow's address as Teams shows it: https://….logic.azure.com/… or ….api.powerplatform.com/…"
        )
    if not parse_qs(parts.query).get("sig"):
        raise ValueError(
            "it has no sig in it: let “anyone” trigger the workflow, save it, and copy its address again"
        )
    return value


Workflow = Annotated[SecretStr, AfterValidator(_workflow)]


class Settings(BaseModel):
    """An account at Teams. Whoever knows a workflow's address can post by it: it is a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    workflow: Workflow | None = Field(
        default=None, description="address of the workflow that posts to the channel that everybody reads"
    )
    classes: dict[str, Workflow] = Field(
        default={}, max_length=MOST, description='addresses by group, as JSON: {"7B": "https://…"}'
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Settings:
        if self.workflow is None and not self.classes:
            raise ValueError("workflow: name a workflow, or classes with one each")
        return self

    def places(self) -> Classes[SecretStr]:
        """The workflows by class."""
        return Classes.of(self.workflow, self.classes)
