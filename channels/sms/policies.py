"""The channel's own rules. None beyond the house's: length is judged at intake, opt-out and consent everywhere.

That every text can be stopped is no rule but how an account is opened: see `channels.sms.SmsKit.open`.
"""

from __future__ import annotations

from broker.policy import Policy

POLICIES: tuple[Policy, ...] = ()
