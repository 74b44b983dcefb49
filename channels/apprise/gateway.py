"""Apprise, made to try once. It only translates; what its "no" comes to stands in `channels.apprise.codes`.

Known of Apprise 2.2: its timeout begins anew with every byte, it follows redirects, keeps files of its own, sleeps
between requests, its logs quote addresses with their secrets, and it loads what Python is about to drop. It connects by
itself, so that a host is judged before it does.
"""

from __future__ import annotations

import logging
import warnings
from datetime import timedelta
from threading import Thread, get_ident
from time import monotonic
from typing import Any

from broker.channel import Item, Receipt
from broker.errors import Problem, SetupError, Uncertain
from channels import reach
from channels.apprise import codes
from channels.apprise.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import apprise
    from apprise.common import PersistentStoreMode

    apprise.Apprise.instantiate("json://localhost")  # the first one loads all of its plug-ins

WEBHOOKS = frozenset({"webhook", "hook", "gov-hook"})  # as its plug-ins call what signs in nowhere
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
        self._timeout = timeout.total_seconds()
        self._reach = settings.reach(sandbox=sandbox)
        self.most = int(_room(account, settings, self._timeout).body_maxlen)

    def send(self, item: Item) -> Receipt:
        """Exactly one try. Apprise runs in a thread of its own, which is left behind when its time is over."""
        text = item.message.fields["text"]
        if self._settings.host:
            reach.judged(self._reach, self._settings.host, self._settings.port)
        said: list[bool] = []
        statuses: list[str] = []
        trying = Thread(target=self._try, args=(text, said, statuses), daemon=True)
        until = monotonic() + self._timeout
        trying.start()
        trying.join(until - monotonic())
        if trying.is_alive():
            raise Uncertain("the bridge had no answer in time", code="timeout")
        if said != [True]:
            raise codes.failure(statuses)
        return Receipt(item.message.digest[:LONGEST_NAME])

    def close(self) -> None:
        """There is nothing to let go of: it connects anew each time."""

    def _try(self, text: str, said: list[bool], statuses: list[str]) -> None:
        heard = _Heard(statuses)
        _log.addHandler(heard)
        try:
            room = _room("", self._settings, self._timeout)
            said.append(bool(room.notify(body=text, body_format=apprise.NotifyFormat.TEXT)))
        except Exception:  # noqa: BLE001 - whatever its plug-in breaks on is no yes
            said.append(False)
        finally:
            _log.removeHandler(heard)

    def __repr__(self) -> str:
        return "<Gateway to a room>"


class _Heard(logging.Handler):
    """Takes the statuses that Apprise logs in this thread, and nothing else of its words."""

    def __init__(self, statuses: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._thread = get_ident()
        self._statuses = statuses

    def emit(self, record: logging.LogRecord) -> None:
        """One line of its log."""
        if record.thread == self._thread:
            self._statuses += codes.STATUS.findall(record.getMessage())


def _room(account: str, settings: Settings, timeout: float) -> Any:
    """Apprise's plug-in for the address. Raises SetupError for what leads to nobody, to several or to a person."""
    asset = apprise.AppriseAsset(
        app_id="Carillon",
        async_mode=False,
        http_redirects=False,
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
    room.request_rate_per_sec = 0
    room.socket_connect_timeout = room.socket_read_timeout = timeout
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
