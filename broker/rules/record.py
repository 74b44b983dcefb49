"""The record: how often its head is mailed to those who keep it outside the school."""

from __future__ import annotations

from broker.rules.case import Family
from broker.rules.parameters import Kind, Parameter

MAIL_EVERY = "record.mail_every"

PARAMETERS = (
    Parameter(
        MAIL_EVERY,
        Kind.DURATION,
        "7 d",
        "How often the head of the record is mailed to the governors who keep it (`carillon audit governors`); 0 for"
        " never."
        " What was changed before a head was mailed, and after it, can be told apart only by it.",
        "R13: open to scrutiny; an end cut off, or a record made anew, shows by a head that somebody else holds",
        most="92 d",
    ),
)

FAMILY = Family("record", PARAMETERS)
