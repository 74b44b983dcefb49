"""A real RabbitMQ: the system's rabbitmq-server, or, as root on Debian, the one apt brings."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from config.queue import answers
from tests.support import apt
from tests.support.redis import services_stay_off
from tests.support.servers import CannotBeHadError, Server, free_port

PLACES = ("usr/lib/rabbitmq/lib/*/sbin", "usr/local/sbin", "opt/homebrew/sbin", "usr/sbin")
LOOPBACK = "127.0.0.1"


def _found() -> Path | None:
    """The server's own script; Debian's in /usr/sbin is a wrapper that changes the user and the folder."""
    for place in PLACES:
        for script in sorted(Path("/").glob(f"{place}/rabbitmq-server"), reverse=True):
            return script
    return None


@cache
def find_script() -> Path:
    """The rabbitmq-server to run; raises CannotBeHadError where there is none."""
    if _found() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with services_stay_off():
            apt.install("rabbitmq-server", why="a test wants a real RabbitMQ and this machine has none")
    found = _found()
    if found is None:
        raise CannotBeHadError(
            "RabbitMQ cannot be had: install rabbitmq-server (as root, apt-get brings it)."
        )
    return found


class RabbitServer(Server):
    """One RabbitMQ, alone on loopback, with a port mapper of its own."""

    name = "rabbitmq"

    def __init__(self) -> None:
        super().__init__()
        self._between_nodes, self._mapper = free_port(), free_port()
        # Its node has a fixed port, so nobody looks it up; its script starts a port mapper all the same.
        erlang = f"-start_epmd false -erl_epmd_port {self._between_nodes}"
        self._environ = {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"carillon-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._between_nodes),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_LOGS": "-",
            "RUNNING_UNDER_SYSTEMD": "true",  # then its script becomes the server, which signals reach
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{erlang} -kernel inet_dist_use_interface {{127,0,0,1}}",
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self._mapper),
        }

    @property
    def url(self) -> str:
        """As the guest it lets in from this machine."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}//"

    def command(self) -> list[str]:
        """Its script, which becomes the server."""
        told = [f"{name}={value}" for name, value in self._environ.items()]
        return ["/usr/bin/env", *told, str(find_script())]

    def answers(self) -> bool:
        """Whether it lets us in."""
        return answers(self.url) is not None

    def stop(self) -> None:
        """End it, and its port mapper."""
        super().stop()
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                ["epmd", "-port", str(self._mapper), "-kill"],
                env=os.environ | self._environ,
                capture_output=True,
                timeout=10,
                check=False,
            )
