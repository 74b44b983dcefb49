"""An account for mails at GOV.UK Notify."""

from __future__ import annotations

from pydantic import Field

from channels.email.settings import Email
from channels.notify_settings import NotifySettings, UuidText


class Settings(NotifySettings):
    """What a service of GOV.UK Notify needs for mails.

    Its template has `((subject))` as its subject and `((body))` as its message, and nothing else. They come from the
    service's own address at notifications.service.gov.uk; answers go to `reply_to`.
    """

    reply_to: Email = Field(description="where answers go: what the service has as its reply-to address")
    reply_to_id: UuidText | None = Field(
        default=None, description="the id of that address at Notify; left out, the service's default"
    )
