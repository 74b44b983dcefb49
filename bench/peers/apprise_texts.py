"""Apprise over texts: its own Twilio plug-in, to the stand-in's address, in the two ways its manual shows."""

from __future__ import annotations

import time
from typing import Any

import apprise
from apprise.plugins.twilio import NotifyTwilio

from bench.words import SENDER, TEXT, mobile


class Peer:
    """Of the plug-in only the address is changed and, unless asked otherwise, its throttle of five a second removed."""

    def __init__(self, *, url: str, account_sid: str, auth_token: str) -> None:
        self._sid, self._token = account_sid, auth_token

        class Here(NotifyTwilio):  # type: ignore[no-untyped-call] # half typed
            notify_sms_url = url + "/2010-04-01/Accounts/{sid}/Messages.json"
            secure_protocol = "bench-twilio"

        class Unthrottled(Here):  # type: ignore[no-untyped-call]
            request_rate_per_sec = 0

        self._plugins = {True: Here, False: Unthrottled}

    def play(self, *, size: int, way: str, throttled: bool = False) -> dict[str, Any]:
        """One round: `way` is one address list ("together") or a service for each number ("apart")."""
        plugin: Any = self._plugins[throttled]
        numbers = [mobile(n) for n in range(size)]
        apobj = apprise.Apprise()
        for targets in [numbers] if way == "together" else [[one] for one in numbers]:
            apobj.add(plugin(account_sid=self._sid, auth_token=self._token, source=SENDER, targets=targets))
        cpu, began = time.process_time(), time.monotonic()
        well = apobj.notify(body=TEXT)
        spent = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
        return {"sent": size if well else 0, **spent}
