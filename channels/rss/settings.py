"""The settings of one rss account: how long its feeds are, which hub tells readers, where files are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from broker.loopback import is_loopback

ITEMS = 100
MOST_ITEMS = 1_000
_ADDRESS = re.compile(r"https?://[!#-;=?-~]+")  # nothing that could end a header's <>


def _hub(value: str) -> str:
    parts = urlsplit(value)
    if not _ADDRESS.fullmatch(value) or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("it is an address like https://pubsubhubbub.appspot.com/")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("it begins with https://, save for a hub on this machine")
    return value


def _absolute(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("write the whole path, from / on: workers may start anywhere")
    return value


class Settings(BaseModel):
    """One account: the whole school's, or a department's own, which then rules that department's feed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    items: int = Field(
        ITEMS, ge=1, le=MOST_ITEMS, description="the newest so many announcements stand in a feed"
    )
    hub: Annotated[str, AfterValidator(_hub)] | None = Field(
        None, max_length=500, description="a WebSub hub that watches the feeds and tells readers at once"
    )
    folder: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        None,
        description="an existing folder in which a worker keeps the feeds as files, for a web server to give out",
    )
