"""One account's settings for Moodle: the site, a token of its web service, the forums that announcements stand in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from broker.outward import Reach
from channels.classes import MOST, Classes
from channels.reach import OWN_NETWORK, OwnNetwork, must_be_reachable, reach_of, web_address
from channels.seconds import Seconds

_PAGES = ("/webservice/", "/login/", "/mod/", "/course/", "/my/", "/index.php")


def _site(value: str) -> str:
    value = web_address(value).rstrip("/")
    if "?" in value or any(page in f"{value}/" for page in _PAGES):
        raise ValueError(
            "write the site's own address, as https://moodle.school.example, without a page of it"
        )
    return value


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (16 <= len(text) <= 128 and text.isascii() and text.isalnum()):
        raise ValueError(
            "a token is 32 letters and digits: Site administration, Server, Web services, Manage tokens"
        )
    return value


Forum = Annotated[int, Field(ge=1, le=2**53)]


class Settings(BaseModel):
    """An account at a Moodle. `forum` and `classes` name forums by their instance numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    site: Annotated[str, AfterValidator(_site)] = Field(
        max_length=300, description="address of the Moodle; https, save within `own_network`"
    )
    token: Annotated[SecretStr, AfterValidator(_token)] = Field(
        description="of a web service with four functions, for a user of its own"
    )
    forum: Forum | None = Field(
        default=None, description="number of the announcements forum that everybody reads"
    )
    classes: dict[str, Forum] = Field(
        default={}, max_length=MOST, description='numbers of forums by group, as JSON: {"7B": 41}'
    )
    own_network: OwnNetwork = Field(default=(), max_length=20, description=OWN_NETWORK)
    ca_file: Path | None = Field(
        default=None, description="certificates to trust instead of the usual ones (PEM)"
    )
    grace: Seconds = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until Moodle is asked; longer than its slowest page",
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Settings:
        must_be_reachable("site", self.site, self.own_network)
        if self.forum is None and not self.classes:
            raise ValueError("forum: name a forum, or classes with one each")
        return self

    def places(self) -> Classes[int]:
        """The forums by class."""
        return Classes.of(self.forum, self.classes)

    def reach(self, *, sandbox: bool) -> Reach:
        """Where it may be found."""
        return reach_of(self.site, self.own_network, sandbox=sandbox)
