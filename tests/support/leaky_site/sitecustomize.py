"""Put first on PYTHONPATH by the canary's own test: a gateway that logs whom it writes to, as debugging might."""

from __future__ import annotations

import logging
from typing import Any


def _leak() -> None:
    from channels.sms.gateway_twilio import TwilioGateway

    create = TwilioGateway._create

    async def leaking(self: TwilioGateway, line: Any, item: Any) -> Any:
        logging.getLogger("carillon").warning("sending to %s", item.to.address)
        return await create(self, line, item)

    TwilioGateway._create = leaking  # type: ignore[method-assign]


_leak()
