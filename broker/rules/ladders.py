"""Ways in order: what a school may set about how long a way is given, and whose "I have seen this" it wants.

When each way opens is said with each announcement; docs/decisions/0036-ladders.md tells how a duty climbs.
"""

from __future__ import annotations

from broker.rules.case import Family
from broker.rules.parameters import Kind, Parameter

LEAST, LOOK_UPS_FIRST, ALL_GUARDIANS = "ladders.least", "ladders.look_ups_first", "ladders.all_guardians"

PARAMETERS = (
    Parameter(
        LEAST,
        Kind.DURATION,
        "5 min",
        "How long each way is given at the least before the next one opens by its time, counted from when the rules let"
        " the first begin. What says less is refused.",
        "design: a deadline before the first way could finish would tell everybody twice",
        least="1 s",
        most="7 d",
    ),
    Parameter(
        LOOK_UPS_FIRST,
        Kind.YES_NO,
        "yes",
        "A message of which nobody knows whether it arrived is looked up at its provider before the next way opens,"
        " unless that one's time comes sooner; no: the next way opens at once.",
        "design: nobody told twice without need, nobody told too late",
    ),
    Parameter(
        ALL_GUARDIANS,
        Kind.YES_NO,
        "no",
        "Where somebody is asked to say that it was seen, each guardian whom a way reaches has to; no: one is enough.",
        "KCSIE: a school has to know that those with parental responsibility were informed",
    ),
)

FAMILY = Family("ladders", PARAMETERS)
