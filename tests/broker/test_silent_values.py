"""What a value shows of itself lands in logs and tracebacks: never a number, an address, a name or a wording."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from broker.address import AddressKind, BadAddress, parse_email, parse_mobile
from broker.announcement import Attachment, Content, Draft, Part, People, Purpose, Step, Urgency
from broker.capabilities import PastAttempt
from broker.channel import Item, Key, Message, Recipient
from broker.duty import DutyState
from broker.office.reach import Untold
from broker.policy import Case, Cover
from broker.rosters.roster import Role, RosterPerson
from broker.values import InboxItem, Picked
from ledger.reads.left import Left
from ledger.reads.reached import Told

NUMBER, EMAIL, NAME, WORDS, TOKEN = "+447911123456", "bell@example.org", "Amaryllis", "the trip", "t0ken"
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
PARTS = {Part.SHORT: WORDS}
FILE = Attachment("0" * 64, f"{NAME}.pdf", "application/pdf", WORDS.encode())
COVER = Cover(1, 2, NAME, commitment_key=TOKEN.encode())
CASE = Case(NOW, "sms", "texts", Purpose.SERVICE, Urgency.ROUTINE, NOW, NOW, covers=(COVER,))
TO = Recipient(NUMBER, (NAME,), "", {"unsubscribe": f"https://school.example/{TOKEN}"})
KEY = Key(1, 2, 3, TOKEN)

VALUES: tuple[Any, ...] = (
    FILE,
    Content(1, "", PARTS, (FILE,)),
    Draft("office", "Choir", People.GUARDIANS, (Step(("sms",)),), PARTS, attachments=(FILE,)),
    TO,
    KEY,
    Item(KEY, Message({"body": WORDS}, "0" * 64), TO),
    PastAttempt(KEY, NOW, NUMBER, "0" * 64, frozenset()),
    CASE,
    Picked(1, 2, 0, 3, UUID(int=0), 1, "", 4, NUMBER, False, TOKEN.encode(), CASE),
    InboxItem(1, 2, f"https://school.example/callbacks/texts/{TOKEN}", {"a": TOKEN}, NUMBER.encode()),
    RosterPerson(
        "4711", frozenset({Role.PUPIL}), NAME, NAME, NAME, (NUMBER,), (EMAIL,), "7", "7B", date(2014, 2, 3)
    ),
    Told(1, UUID(int=0), NAME, DutyState.MET, (), ""),
    Untold(UUID(int=0), NAME, "7B", "no number on file"),
    Left(1, "sms", NUMBER, ()),
)


@pytest.mark.parametrize("value", VALUES, ids=[type(value).__name__ for value in VALUES])
def test_a_value_shows_nothing_of_a_person(value: Any) -> None:
    shown = repr(value)
    secrets = (NUMBER, EMAIL, NAME, WORDS, TOKEN, "2014")
    assert [secret for secret in secrets if secret in shown] == []


@pytest.mark.parametrize("typed", ["020 7946 0123", "+44 7911 123456 / 0", "bell@@example.org", "4.47E+11"])
def test_a_refused_address_is_not_repeated(typed: str) -> None:
    with pytest.raises(BadAddress) as refused:
        parse_email(typed) if "@" in typed else parse_mobile(typed, "GB")
    assert typed not in f"{refused.value!r} {refused.value} {refused.value.problem}"
    assert AddressKind(refused.value.problem.field)
