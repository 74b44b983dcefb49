"""What tests of texts share: settings for the stand-in, and callbacks signed as Twilio signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from broker.testing.channel_bench import Callback
from channels.sms.settings import Settings
from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN

SERVICE = "MG" + "0" * 32


def settings(url: str | None, **changed: Any) -> Settings:
    """An account at the stand-in."""
    told = {
        "account_sid": ACCOUNT_SID,
        "auth_token": AUTH_TOKEN,
        "messaging_service_sid": SERVICE,
        "api_base_url": url,
    }
    return Settings(**{**told, **changed})


def sign(url: str, told: Mapping[str, str] | bytes, token: str = AUTH_TOKEN) -> Callback:
    """A callback under a good signature, made after Twilio's description and without its SDK."""
    body = told if isinstance(told, bytes) else urlencode(told).encode()
    fields = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    mac = hmac.new(token.encode(), signed.encode(errors="replace"), hashlib.sha1).digest()
    return Callback(url, body, {"X-Twilio-Signature": base64.b64encode(mac).decode()})
