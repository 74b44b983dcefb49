"""One sandbox process: its listeners, its truth log, its orderly end."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from sandbox import control, http, smtp, stand_ins, twilio, x_api, x_faults
from sandbox.callbacks import Callbacks
from sandbox.faults import FaultBook
from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN, BadSandbox, Endpoint, SandboxSettings
from sandbox.truth import TruthLog
from sandbox.web_api import WebApi

Say = Callable[[str], None]
SWEEP_S = 1.0
CATALOGUE = {"twilio": twilio.KINDS, "smtp": smtp.KINDS, "x": x_faults.KINDS} | {
    name: module.KINDS for name, module in stand_ins.found().items()
}


class Sandbox:
    """The stand-ins of one process, put together."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._faults = FaultBook(CATALOGUE)
        self._faults.order(settings.faults)
        self._truth = TruthLog(settings.truth)
        self._callbacks = Callbacks(settings)
        self._twilio = twilio.TwilioStandIn(settings, self._truth, self._faults, self._callbacks)
        self._smtp = smtp.SmtpStandIn(settings, self._truth, self._faults)
        self._x = x_api.XStandIn(settings, self._truth, self._faults)
        self._others: dict[str, WebApi] = {
            name: module.open(self._truth, self._faults) for name, module in stand_ins.found().items()
        }
        orders = {"x": self._x.order} | {name: each.order for name, each in self._others.items()}
        self._control = control.Control(
            settings, self._truth, self._faults, self.counts, orders, self._twilio.hear
        )
        self._http_gate = http.Gate(settings.max_connections)
        self._servers: list[asyncio.Server] = []

    async def start(self) -> dict[str, Any]:
        """Listen; what to say when ready, with the real ports."""
        loop, settings = asyncio.get_running_loop(), self._settings
        ready: dict[str, Any] = {"ready": True, "pid": os.getpid(), "truth": str(settings.truth)}
        if settings.twilio is not None:
            server = await _listen(settings.twilio, lambda: http.Exchange(self._route, self._http_gate))
            self._servers.append(server)
            ready["twilio"] = ready["x"] = f"http://{_address(settings.twilio, server)}"
        if settings.smtp is not None:
            context = self._smtp.tls if settings.smtp_tls == "implicit" else None
            server = await _listen(settings.smtp, self._smtp.session, context)
            self._servers.append(server)
            ready["smtp"] = _address(settings.smtp, server)
        self._callbacks.start()
        self._sweeping = loop.create_task(self._sweep())
        return ready

    async def stop(self) -> None:
        """Close the doors, then the truth log."""
        for server in self._servers:
            server.close()
        self._sweeping.cancel()
        await self._callbacks.stop()
        self._truth.close()

    def counts(self) -> dict[str, Any]:
        """What happened since the start, as JSON."""
        return {
            "accepted": len(self._truth),
            "twilio": dict(self._twilio.counts),
            "smtp": dict(self._smtp.counts),
            "x": dict(self._x.counts),
            **{name: dict(each.counts) for name, each in self._others.items()},
            "callbacks": dict(self._callbacks.counts),
            "faults": self._faults.describe(),
            "struck": dict(self._faults.struck),
        }

    def _route(self, request: http.Request, exchange: http.Exchange) -> None:
        if request.path.startswith(control.PREFIX):
            self._control.handle(request, exchange)
        elif request.path.startswith(x_api.PREFIX):
            self._x.handle(request, exchange)
        elif (other := self._others.get(request.path.split("/", 2)[1])) is not None:
            other.handle(request, exchange)
        else:
            self._twilio.handle(request, exchange)

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_S)
            self._http_gate.sweep(loop.time(), self._settings.idle)
            self._smtp.gate.sweep(loop.time(), self._settings.idle)


def serve(settings: SandboxSettings, *, say: Say | None = None, until_stdin_closes: bool = False) -> None:
    """Run a sandbox until SIGTERM or SIGINT; `say` is given the ready line, one JSON object (else: stdout).

    With `until_stdin_closes` it also ends when whoever holds its standard input has gone, however abruptly.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(settings, say or _say, until_stdin_closes))


async def _serve(settings: SandboxSettings, say: Say, until_stdin_closes: bool) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    sandbox = Sandbox(settings)
    ready = await sandbox.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if until_stdin_closes:
        loop.add_reader(0, lambda: None if os.read(0, 1024) else over.set())
    # The index lives as long as the process: nothing in it is ever garbage.
    gc.freeze()
    say(json.dumps(ready))
    await over.wait()
    await sandbox.stop()


async def _listen(
    endpoint: Endpoint, protocol: Callable[[], asyncio.Protocol], tls: Any = None
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    host = "127.0.0.1" if endpoint.host == "localhost" else endpoint.host
    try:
        return await loop.create_server(protocol, host, endpoint.port, ssl=tls, backlog=512)
    except OSError as fault:
        why = os.strerror(fault.errno or 0)
        raise BadSandbox("endpoint", f"cannot listen on {endpoint}: {why}") from fault


def _address(endpoint: Endpoint, server: asyncio.Server) -> str:
    return str(Endpoint(endpoint.host, server.sockets[0].getsockname()[1]))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Uvloop's where it is installed: it takes half the CPU."""
    try:
        return cast(Callable[[], asyncio.AbstractEventLoop], import_module("uvloop").new_event_loop)
    except ImportError:
        return asyncio.new_event_loop


def parser() -> argparse.ArgumentParser:
    """The flags of `python -m sandbox`."""
    flags = argparse.ArgumentParser("sandbox", description="Stand-ins for Twilio, a mail server, and others.")
    flags.add_argument(
        "--twilio", default="127.0.0.1:0", metavar="HOST:PORT", help="all other HTTP too; or off"
    )
    flags.add_argument("--smtp", default="127.0.0.1:0", metavar="HOST:PORT", help="or off")
    flags.add_argument("--truth", required=True, type=Path, help="what was truly accepted")
    flags.add_argument("--fault", action="append", default=[], metavar="SERVICE:KIND:OPTIONS")
    flags.add_argument("--account-sid", default=ACCOUNT_SID)
    flags.add_argument("--auth-token", default=AUTH_TOKEN)
    flags.add_argument("--callbacks", choices=("off", "final", "all"), default="off")
    flags.add_argument("--step-ms", type=int, default=50, help="queued to sent, sent to delivered")
    flags.add_argument("--smtp-user")
    flags.add_argument("--smtp-password")
    flags.add_argument("--smtp-tls", choices=("off", "starttls", "implicit"), default="off")
    flags.add_argument("--certificate", type=Path)
    flags.add_argument("--certificate-key", type=Path)
    flags.add_argument("--keep-content", action="store_true", help="keep whole mails in the truth log")
    flags.add_argument("--idle-s", type=int, default=300, help="when a silent connection is closed")
    flags.add_argument("--max-connections", type=int, default=1024)
    flags.add_argument("--until-stdin-closes", action="store_true")
    return flags


def settings_from(flags: argparse.Namespace) -> SandboxSettings:
    """The settings that the flags ask for; raises BadSandbox."""
    return SandboxSettings(
        truth=flags.truth,
        twilio=None if flags.twilio == "off" else Endpoint.parse(flags.twilio),
        smtp=None if flags.smtp == "off" else Endpoint.parse(flags.smtp),
        faults=tuple(flags.fault),
        account_sid=flags.account_sid,
        auth_token=flags.auth_token,
        callbacks=flags.callbacks,
        step=timedelta(milliseconds=flags.step_ms),
        smtp_user=flags.smtp_user,
        smtp_password=flags.smtp_password,
        smtp_tls=flags.smtp_tls,
        certificate=flags.certificate,
        certificate_key=flags.certificate_key,
        keep_content=flags.keep_content,
        idle=timedelta(seconds=flags.idle_s),
        max_connections=flags.max_connections,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a sandbox as the command line asks; 0 after an orderly end, 2 when it will not do that."""
    flags = parser().parse_args(argv)
    try:
        serve(settings_from(flags), say=_say, until_stdin_closes=flags.until_stdin_closes)
    except BadSandbox as fault:
        print(f"sandbox: {fault}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
