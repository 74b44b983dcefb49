"""A scheduler in a process of its own: `python -m tests.schedules.scheduler URL`; it ends when it is killed."""

from __future__ import annotations

import sys

from broker.actor import SYSTEM
from broker.diary import scheduler
from broker.ports import Ports
from broker.testing.hints import PretendHints
from config.signer import HmacSigner
from ledger.connect import open_ledger
from tests.support.broker_world import PretendChannels


def main(url: str) -> None:
    """Look again and again."""
    signer = HmacSigner(b"a secret of the tests")
    ports = Ports(open_ledger(url, signer), PretendHints(), signer, PretendChannels())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        scheduler.make_due(ports, actor=SYSTEM)


if __name__ == "__main__":
    main(sys.argv[1])
