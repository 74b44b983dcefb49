"""A plug-in channel whose provider is a file: what a process of its own accepted can be read when it is dead."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from broker.address import AddressKind
from broker.announcement import Attachment, Content
from broker.capabilities import Confirmation, SignatureInvalid
from broker.channel import Item, Key, MayStart, Message, Outcome, Receipt, Recipient, Surroundings, Traits
from broker.delivery import Evidence
from broker.errors import Problem, SetupError
from broker.hands import work_through
from broker.policy import Policy
from broker.retry import RetryPolicy

SECRET = "bell-secret"
CRACK = b"crack"
PLUGIN = {"bell": "tests.support.bell:kit"}


class BellSettings(BaseModel):
    """Where the truth is kept, and how long each accept takes."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    truth: Path
    token: SecretStr = SecretStr("none")
    seconds: float = 0.002
    muffled: bool = False

    @field_validator("token")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 4:
            raise ValueError("a token is longer")
        return value


class Bell:
    """Appends one line a message, in one write, so that lines of several processes never mix."""

    name = "bell"
    policies: Sequence[Policy] = ()
    retry = RetryPolicy()

    def __init__(self, settings: BellSettings, traits: Traits) -> None:
        self.traits = traits
        self._seconds = settings.seconds
        self._file = os.open(settings.truth, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        return ()

    def render(self, content: Content, to: Recipient) -> Message:
        return Message({"body": content.short}, hashlib.sha256(content.short.encode()).hexdigest())

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        os.write(self._file, f"{to.address}\n".encode())
        return Receipt(f"{os.getpid()}-{key.attempt}")

    def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        return work_through(items, self._send_one, hands=8, may_start=may_start)

    async def _send_one(self, item: Item) -> Receipt:
        await asyncio.sleep(self._seconds)
        return self.send(item.message, item.to, key=item.key)

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        given = headers.get("x-bell-signature", "")
        if not hmac.compare_digest(given.encode(), signature(url, body).encode()):
            raise SignatureInvalid
        if body == CRACK:
            raise RuntimeError("the bell is cracked")
        try:
            told = json.loads(body)
            return [Confirmation(Evidence(told["evidence"]), token=str(told["token"]))]
        except (ValueError, KeyError, TypeError, RecursionError):
            return []

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class BellKit:
    name = "bell"
    traits = Traits(AddressKind.MOBILE, confirms_delivery=True, grace=timedelta(seconds=5))
    settings: type[Any] = BellSettings

    def open(self, account: str, settings: Any, around: Surroundings) -> Bell:
        if settings.muffled:
            raise SetupError(
                Problem("muffled", f"CARILLON_ACCOUNTS__{account.upper()}", "the bell is muffled")
            )
        return Bell(settings, self.traits)


kit = BellKit()


def signature(url: str, body: bytes) -> str:
    """What the bell's provider signs a callback with."""
    return hmac.new(SECRET.encode(), url.encode() + body, hashlib.sha256).hexdigest()


def install_plugin(folder: Path, points: Mapping[str, str], *, package: str = "carillon-bell") -> Path:
    """Make `folder` hold an installed package with these entry points; put it on the path to have it."""
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {target}" for name, target in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[carillon.channels]", *lines, ""]))
    return folder
