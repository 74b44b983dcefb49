"""What intake refuses before it has even looked into the ledger, and when something would go out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.actor import SYSTEM
from broker.announcement import Attachment, Draft, Part, People, Purpose, Step, Urgency
from broker.channel import Traits
from broker.drafts import FURTHEST, LIFETIME, MOST_BYTES, TOLERANCE, times
from broker.errors import InvalidAnnouncement, Problem, RuleBroken, UnknownChannel
from broker.intake import accept, digest_of
from broker.ports import Channels, Ledger, Ports, Signer
from tests.support.pretend_ports import NoHints, TraitsOnly

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class ReachedTheLedger(Exception):
    """The draft held as far as anybody can tell without a ledger."""


class ShutLedger:
    """Nobody gets in: whatever is refused is refused before anything can be written."""

    def transact(self, work: object, *, ahead: bool = False) -> NoReturn:
        raise ReachedTheLedger

    begin = begin_import = transact


class Known(TraitsOnly):
    """Texts, mails and a feed, and a plain no to anything else."""

    def traits(self, channel: str) -> Traits:
        if channel not in self.KNOWN:
            raise UnknownChannel(Problem("unknown_channel", "channel", "there is no such channel"))
        return super().traits(channel)


PORTS = Ports(cast(Ledger, ShutLedger()), NoHints(), cast(Signer, None), cast(Channels, Known()))
PLAIN = Draft(
    department="office",
    audience="Year 7",
    people=People.GUARDIANS,
    ways=(Step(("sms",)),),
    parts={Part.SHORT: "The coach leaves at eight."},
)


def draft(**changes: Any) -> Draft:
    return replace(PLAIN, **changes)


# --- times ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("send_at", "expires_at", "due", "over"),
    [
        (None, None, NOW, NOW + LIFETIME),
        (None, NOW + HOUR, NOW, NOW + HOUR),
        (NOW + HOUR, None, NOW + HOUR, NOW + HOUR + LIFETIME),
        (NOW + HOUR, NOW + 2 * HOUR, NOW + HOUR, NOW + 2 * HOUR),
        (NOW, None, NOW, NOW + LIFETIME),
        (NOW - TOLERANCE, None, NOW, NOW + LIFETIME),  # forms take a while to fill in
        (NOW + FURTHEST, NOW + 2 * FURTHEST, NOW + FURTHEST, NOW + 2 * FURTHEST),
    ],
)
def test_it_is_due_now_or_later_and_expires_after_that(
    send_at: datetime | None, expires_at: datetime | None, due: datetime, over: datetime
) -> None:
    assert times(draft(send_at=send_at, expires_at=expires_at), NOW) == (due, over)


@pytest.mark.parametrize(
    ("send_at", "expires_at", "code", "field"),
    [
        (NOW - TOLERANCE - SECOND, None, "past", "at"),
        (NOW - timedelta(days=365), None, "past", "at"),
        (NOW + FURTHEST + SECOND, None, "too_far", "at"),
        (None, NOW, "expires_first", "expires"),
        (None, NOW - HOUR, "expires_first", "expires"),
        (NOW + HOUR, NOW + HOUR, "expires_first", "expires"),
        (NOW + 2 * HOUR, NOW + HOUR, "expires_first", "expires"),
        (NOW - TOLERANCE, NOW - SECOND, "expires_first", "expires"),
        (None, NOW + FURTHEST + SECOND, "too_far", "expires"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused_by_its_field(
    send_at: datetime | None, expires_at: datetime | None, code: str, field: str
) -> None:
    with pytest.raises(InvalidAnnouncement) as caught:
        times(draft(send_at=send_at, expires_at=expires_at), NOW)
    assert (caught.value.problem.code, caught.value.problem.field) == (code, field)


moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, moments)
def test_whatever_is_accepted_is_due_before_it_expires_and_not_before_now(
    send_at: datetime | None, expires_at: datetime | None
) -> None:
    try:
        due, over = times(draft(send_at=send_at, expires_at=expires_at), NOW)
    except InvalidAnnouncement:
        return
    assert NOW <= due < over <= due + FURTHEST


# --- shape ------------------------------------------------------------------------------------------------------

BOTH = (Step(("sms", "email")),)
TWICE = Attachment("0" * 64, "letter.pdf", "application/pdf", b"a")
HEAVY = Attachment("1" * 64, "film.mp4", "video/mp4", b"x" * (MOST_BYTES + 1))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"parts": {}}, "empty_text", "short"),
        ({"parts": {Part.SHORT: "\u202eno"}}, "bidi_override", "short"),
        ({"key": ""}, "bad_key", "key"),
        ({"key": "k" * 201}, "bad_key", "key"),
        ({"key": "line\nbreak"}, "bad_key", "key"),
        ({"key": "half \ud83d"}, "bad_key", "key"),
        ({"department": "music\x00", "key": "k"}, "unknown_department", "department"),
        ({"department": "\udcff", "key": "k"}, "unknown_department", "department"),
        ({"language": "English, please"}, "bad_language", "language"),
        ({"language": "e"}, "bad_language", "language"),
        ({"language": "x" * 36}, "bad_language", "language"),
        ({"urgency": Urgency.URGENT, "purpose": Purpose.PROMOTIONAL}, "urgent_promotion", "urgency"),
        ({"ways": ()}, "no_way", "via"),
        ({"ways": (Step(()),)}, "no_way", "via"),
        ({"ways": (Step(("sms", "sms")),)}, "way_twice", "via"),
        ({"ways": (Step(("pigeon",)),)}, "unknown_channel", "via"),
        ({"audience": ""}, "bad_audience", "audience"),
        ({"audience": "Choir +"}, "bad_audience", "audience"),
        ({"attachments": (TWICE,)}, "no_way_for_files", "attachments"),
        ({"attachments": (TWICE, TWICE), "ways": BOTH}, "same_name", "attachments"),
        ({"attachments": (HEAVY,), "ways": BOTH}, "too_large", "attachments"),
    ],
)
def test_a_draft_of_the_wrong_shape_never_reaches_the_ledger(
    changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(RuleBroken) as caught:
        accept(PORTS, draft(**changes), actor=SYSTEM)
    problem = caught.value.problem
    assert (problem.code, problem.field) == (code, field)
    assert problem.message


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"key": "timetable-2026-11-30/7B"},
        {"language": "cy"},
        {"language": "pt-BR"},
        {"urgency": Urgency.URGENT},
        {"purpose": Purpose.PROMOTIONAL},
        {"ways": (Step(("sms", "email")),)},
        {"audience": "(Year 7 + Choir) - 7B"},
        {"attachments": (TWICE,), "ways": BOTH},
    ],
)
def test_a_draft_of_the_right_shape_comes_before_the_ledger(changes: dict[str, Any]) -> None:
    with pytest.raises(ReachedTheLedger):
        accept(PORTS, draft(**changes), actor=SYSTEM)


# --- the digest -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"department": "music"},
        {"audience": "Year 8"},
        {"people": People.PUPILS},
        {"ways": (Step(("email",)),)},
        {"ways": (Step(("sms",)), Step(("email",)))},
        {"parts": {Part.SHORT: "The coach leaves at nine."}},
        {"parts": {Part.LONG: "The coach leaves at eight."}},
        {"purpose": Purpose.PROMOTIONAL},
        {"urgency": Urgency.URGENT},
        {"language": "en"},
        {"send_at": NOW},
        {"expires_at": NOW},
        {"attachments": (TWICE,)},
    ],
)
def test_whatever_is_said_otherwise_makes_another_announcement(changes: dict[str, Any]) -> None:
    assert digest_of(draft(**changes)) != digest_of(PLAIN)


def test_the_key_is_no_part_of_what_is_said() -> None:
    assert digest_of(draft(key="k")) == digest_of(PLAIN)
