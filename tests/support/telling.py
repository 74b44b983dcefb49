"""A worker that tells programs elsewhere what became of deliveries, once: `python -m tests.support.telling URL`."""

from __future__ import annotations

import sys

from broker import webhooks
from broker.outward import is_here
from broker.ports import Ports
from broker.testing.hints import PretendHints
from config.calls import WebCalls
from config.signer import HmacSigner
from ledger.connect import open_ledger
from tests.support.broker_world import PretendChannels


def main() -> None:
    """Tell; whoever waits for the answer may be killed meanwhile."""
    signer = HmacSigner(b"a secret of the tests")
    ledger = open_ledger(sys.argv[1], signer)
    webhooks.tell_due(Ports(ledger, PretendHints(), signer, PretendChannels(), calls=WebCalls(is_here)))
    ledger.close()


if __name__ == "__main__":
    main()
