"""Apprise, made to try once. It only translates; what its "no" comes to stands in `channels.apprise.codes`.

Known of Apprise 2.2: it keeps files of its own, sleeps between requests, its logs quote addresses with their secrets,
and it loads what Python is about to drop. What it asks for goes by `channels.apprise.line`.
"""

from __future__ import annotations

import logging
import warnings
from datetime import timedelta
from threading import Thread
from typing import Any

from broker.channel import Item, Receipt
from broker.errors import Problem, SetupError, Uncertain
from channels.apprise import codes
from channels.apprise.line import Line, take_over
from channels.apprise.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import apprise
    from apprise.common import PersistentStoreMode

    apprise.Apprise.instantiate("json://localhost")  # the first one loads all of its plug-ins

WEBHOOKS = frozenset({"webhook", "hook", "gov-hook"})  # as its plug-ins call what signs in nowhere
A_MOMENT = timedelta(seconds=1)  # beyond the time of the request itself
LONGEST_NAME = 32  # of a receipt: a notice has no name there, so it is that of its words

_log = logging.getLogger("apprise")
_log.setLevel(logging.WARNING)
_log.propagate = False
_log.addHandler(logging.NullHandler())
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


class Gateway:
    """One room."""

    def __init__(self, account: str, settings: Settings, timeout: timedelta, *, sandbox: bool) -> None:
        self._settings = settings
        self._timeout = timeout
        self._reach = settings.reach(sandbox=sandbox) if settings.host else None
        self.most = int(_room(account, settings).body_maxlen)

    def send(self, item: Item) -> Receipt:
        """Exactly one try. Apprise runs in a thread of its own, which is left behind when its time is over."""
        line = Line(self._settings.scheme, self._timeout, self._reach)
        said: list[bool] = []
        trying = Thread(target=self._try, args=(item.message.fields["text"], said, line), daemon=True)
        trying.start()
        trying.join((self._timeout + A_MOMENT).total_seconds())
        if trying.is_alive():
            raise Uncertain("the bridge had no answer in time", code="timeout")
        if line.failure is not None:
            raise line.failure
        if said != [True] or line.status is None:
            raise codes.failure(line.status)
        return Receipt(item.message.digest[:LONGEST_NAME])

    def close(self) -> None:
        """There is nothing to let go of: it connects anew each time."""

    def _try(self, text: str, said: list[bool], line: Line) -> None:
        try:
            with line.taken():
                room = _room("", self._settings)
                said.append(bool(room.notify(body=text, body_format=apprise.NotifyFormat.TEXT)))
        except Exception:  # noqa: BLE001 - whatever its plug-in breaks on is no yes
            said.append(False)

    def __repr__(self) -> str:
        return "<Gateway to a room>"


def _room(account: str, settings: Settings) -> Any:
    """Apprise's plug-in for the address. Raises SetupError for what leads to nobody, to several or to a person."""
    asset = apprise.AppriseAsset(
        app_id="Carillon",
        async_mode=False,
        storage_mode=PersistentStoreMode.MEMORY,
        secure_logging=True,
    )
    room = apprise.Apprise.instantiate(
        settings.address.get_secret_value(), asset=asset, suppress_exceptions=True
    )
    if room is None:
        hint = "see what an address of this service is made of: https://appriseit.com/services/"
        raise SetupError(Problem("bad_room", f"{account}.address", "Apprise cannot read this address", hint))
    if settings.host and _server(room) != (settings.host, settings.port):
        hint = "write it plainly, with one @ at most, and none where the service wants none"
        message = "whose server it leads to is not clear"
        raise SetupError(Problem("bad_room", f"{account}.address", message, hint))
    if getattr(room, "mode", "webhook") not in WEBHOOKS or len(room) != 1 or _personal(room):
        hint = "make a webhook for one room there, and give its address without a target, or with one room"
        raise SetupError(
            Problem("not_a_room", f"{account}.address", "it does not lead to one room alone", hint)
        )
    if not take_over(type(room)):
        hint = "install the version of Apprise that is in the lock file"
        raise SetupError(
            Problem(
                "unknown_apprise", f"{account}.address", "this Apprise asks in a way that is not known", hint
            )
        )
    room.request_rate_per_sec = 0
    return room


def _server(room: Any) -> tuple[str, int]:
    """Where it will connect to, as Apprise reads the address: what is judged must be what is asked."""
    if type(room).__name__ == "NotifyZulip":
        return f"{room.organization}.{room.hostname}".lower(), 443
    return str(room.host).strip("[]").lower(), room.port or (443 if room.secure else 80)


def _personal(room: Any) -> bool:
    """Whether somebody is a target: Slack's people begin with U and W, their conversations with D.

    A room by its number, as Rocket.Chat has them, may be a conversation of two.
    """
    if any(getattr(room, name, None) for name in ("users", "rooms", "_invalid_targets")):
        return True
    targets = [
        str(each) for name in ("channels", "targets") for each in getattr(room, name, None) or () if each
    ]
    slack = type(room).__name__ == "NotifySlack"
    return any("@" in each or (slack and each.lstrip("+")[:1] in "UWD") for each in targets)
