"""Who may do what to an announcement from its pages: as the verbs have it, which refuse everybody else."""

from __future__ import annotations

from broker.authority import operators
from ledger.reads.watch import Shown
from web.watch.announcement.offers import Offers, offers
from web.watch.desk import At, Form

ACTS, STOPS = operators.ACTS, operators.STOPS


def offered(at: At, row: Shown) -> Offers:
    """What is offered to whoever looks."""
    return offers(row, at.session.now, acts=at.may(*ACTS), stops=at.may(*STOPS))


def is_name(text: str) -> bool:
    """Whether this may be a channel's name."""
    return 0 < len(text) <= 63 and text.isascii() and text.replace("_", "").replace("-", "").isalnum()


def text_of(form: Form, name: str) -> str:
    """What somebody wrote over several lines, which a browser ends in its own way."""
    return form[name].replace("\r\n", "\n").replace("\r", "\n")
