"""Hold a server on a leash: it ends, and its folder goes, when whoever started it ends, however that happens.

Run as a process of its own, it starts the server, says the server's pid on stdout, and waits for its stdin to
end. The kernel closes that pipe even when pytest is killed outright, which no atexit or fixture survives. A
parent-death signal alone will not do: it is bound to the starting *thread*, and Linux alone has it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 10


def die_with_the_leash() -> None:
    """Ask Linux to kill the server should the leash itself be killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Start argv[1] (JSON: command, user, log, folder), say its pid, and end it when stdin ends."""
    order = json.loads(sys.argv[1])
    with open(order["log"], "ab") as log:
        child = subprocess.Popen(
            order["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=order["folder"],
            user=order["user"],
            group=order["group"],
            extra_groups=None if order["user"] is None else [],
            start_new_session=True,
            preexec_fn=die_with_the_leash,  # noqa: PLW1509  one thread only, so far
        )
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    ending = threading.Event()

    def end_with_the_server() -> None:
        code = child.wait()
        if not ending.is_set():
            os._exit(code & 0xFF)

    threading.Thread(target=end_with_the_server, daemon=True).start()
    word = sys.stdin.readline()
    ending.set()
    child.send_signal(signal.SIGCONT)
    child.send_signal(signal.SIGQUIT if order["quit"] else signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(STOP_SECONDS)
    child.kill()
    if word != "keep\n":
        shutil.rmtree(order["folder"], ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
