"""The page of settings, written from the models themselves: `python -m config.table` prints docs/settings.md.

With the name of a channel it prints the settings of that one, for its page in docs/channels.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from broker.capabilities import OffersGateways
from broker.channel import Kit
from config.accounts import Account, Block
from config.answering import InboxAt, MailboxAt
from config.faults import name_of
from config.reading import SECRETS_DIR
from config.registry import Registry
from config.settings import Settings
from config.sign_in import ProviderAt
from config.timetables import TimetableAt

HEAD = f"""# Settings

Written by `python -m config.table` from the models in `config/` and `channels/*/settings.py`; a test holds it current.

Settings are names in the environment. `.env` in the folder that Carillon starts in comes second; third the secrets
folder (`{SECRETS_DIR}`, else `/run/secrets`), where a file such as `carillon_secret_key` holds a value. Names may
be written in capitals or not. A deeper name can be given whole as JSON too:
`CARILLON_SCHOOL={{"name": "St Bride's", "slug": "st-brides"}}`. Every fault of a configuration is told at once, and
`carillon doctor` looks at what the settings point to.
"""

# Each member has a name of the school's choosing.
NAMED = {
    ("accounts",),
    ("mailboxes",),
    ("timetables",),
    ("answers", "inboxes"),
    ("sign_in", "providers"),
}

HIDDEN = {(Account, "own"), (Account, "ways")}  # made of the rest

MAILBOXES = """
## Mailboxes

What came back undelivered and what people answered by mail is read from these (docs/recipes/answers-and-bounces.md).
"""

TIMETABLES = """
## Timetable sources

Where changes of lessons come from, and how they are told (docs/recipes/timetable.md).
"""

PROVIDERS = """
## Providers to sign in by

OpenID Connect: Google Workspace, Microsoft Entra or another one (docs/sign-in.md).
"""

INBOXES = """
## Inboxes
"""

ACCOUNTS = """
## Accounts

Each configured way out has a name of your choosing (`NAME` here) and these settings, then those of its channel.
"""


CHANNELS = ("email", "rss", "sms", "twitter")  # every other one has its settings on a page of its own


def of_channel(name: str) -> str:
    """A channel's own settings as its page in docs/channels has them."""
    return _table(_rows(Registry().kit(name).settings, ("accounts", "name"))) + "\n"


def page(channels: Sequence[str] = CHANNELS) -> str:
    """docs/settings.md, whole."""
    parts = [HEAD, _table(_rows(Settings, ()))]
    parts += [MAILBOXES, _table(_rows(MailboxAt, ("mailboxes", "name")))]
    parts += [TIMETABLES, _table(_rows(TimetableAt, ("timetables", "name")))]
    parts += [PROVIDERS, _table(_rows(ProviderAt, ("sign_in", "providers", "name")))]
    parts += [INBOXES, _table(_rows(InboxAt, ("answers", "inboxes", "name")))]
    parts += [ACCOUNTS, _table(_rows(Account, ("accounts", "name")))]
    registry = Registry()
    for channel in channels:
        rows = _rows(registry.kit(channel).settings, ("accounts", "name"))
        parts += [f"\n### Of the channel `{channel}`\n", _table(rows)]
        parts += _gateways(registry.kit(channel))
    return "\n".join(parts) + "\n"


def _gateways(kit: Kit) -> Iterator[str]:
    """What the block of each further provider of a channel holds."""
    kinds = kit.gateways if isinstance(kit, OffersGateways) else {}
    for kind in list(kinds)[1:]:
        path = ("accounts", "name", kind)
        rows = chain(_rows(Block, path), _rows(kinds[kind], path))
        yield f"\n### Of the gateway `{kind}` of the channel `{kit.name}`\n"
        yield _table(rows)


def _rows(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _rows(inner, (*path, name))
        elif (*path, name) not in NAMED and (model, name) not in HIDDEN:
            yield f"`{name_of((*path, name))}`", _default(name, field), field.description or ""


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if name == "database_url":
        return "a file in the data folder"
    value: Any = field.default
    if value is None or value is PydanticUndefined or value in ("", {}, ()):
        return ""
    if isinstance(value, timedelta):
        value = f"{value.total_seconds():g}"
    if isinstance(value, dict):
        value = json.dumps(value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    lines = ["| setting | left out | what it is |", "|---|---|---|"]
    lines += [f"| {name} | {default} | {what} |" for name, default, what in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(of_channel(sys.argv[1]) if len(sys.argv) > 1 else page())
