"""Public text, adults and children, purpose, approval: a table for each rule, over plain facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Attachment, Content, Part, People, Purpose, Urgency
from broker.disclosure.names import NameIndex, RosterName
from broker.errors import RuleRefused
from broker.policy import Allow, Hold, Refuse, Verdict
from broker.rules.adults import not_alone_with_a_child, sender_is_the_schools
from broker.rules.approval import not_approved, second_person_agreed
from broker.rules.book import parameter_named, rules_of
from broker.rules.case import AnnouncementCase
from broker.rules.public_text import fit_for_the_public
from broker.rules.purpose import opt_out_said, sells_nothing

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BELL = Actor(ActorKind.PERSON, "Mrs Bell")
TIMETABLE = Actor(ActorKind.TOKEN, "timetable")
LOOKED_AT = "0123456789abcdef"  # the digest of what the school approved
NAMES = NameIndex([RosterName("Ann", "Kowalski", form="7B")])
PLAIN = AnnouncementCase(
    now=NOON,
    rules=rules_of({}),
    zone="Europe/London",
    department="music",
    channel="sms",
    account="texts",
    purpose=Purpose.SERVICE,
    urgency=Urgency.ROUTINE,
    due_at=NOON,
    expires_at=NOON + timedelta(days=1),
    author=BELL,
    counted=30,
)
PUBLIC = replace(PLAIN, channel="rss", account="feed", broadcast=True, names=NAMES)


def case(base: AnnouncementCase, text: str = "", **changes: Any) -> AnnouncementCase:
    changes = {key: rules_of(value) if key == "rules" else value for key, value in changes.items()}
    contents = (Content(1, "", {Part.SHORT: text}),)
    return replace(base, contents=contents, **changes)


def answered(verdict: Verdict) -> tuple[str, str]:
    kinds = {Allow: "allow", Hold: "hold", Refuse: "refuse"}
    return kinds[type(verdict)], verdict.code


# --- public text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "changes", "answer"),
    [
        ("Ann Kowalski won", {}, ("refuse", "full_name")),
        ("Ann Kowalski won", {"rules": {"public.names": "no"}, "names": None}, ("allow", "")),
        ("Ann Kowalski won", {"broadcast": False}, ("allow", "")),
        ("Ann Kowalski won", {"urgency": Urgency.URGENT}, ("refuse", "full_name")),  # design §9: always
        ("Ann Kowalski won", {"second_person": True}, ("refuse", "full_name")),
        ("ring 07911 123456", {}, ("refuse", "phone_number")),
        ("ring 020 7946 0000", {"rules": {"public.numbers": "+442079460000"}}, ("allow", "")),
        ("ann@home.example", {}, ("refuse", "email_address")),
        ("ann@home.example", {"rules": {"public.emails": "ann@home.example"}}, ("allow", "")),
        ("12 Acacia Avenue, LS2 9JT", {}, ("refuse", "home_address")),
        ("12 Acacia Avenue, LS2 9JT", {"rules": {"public.postcodes": "LS2 9JT"}}, ("allow", "")),
        ("see example.org", {}, ("allow", "")),
        ("see example.org", {"rules": {"public.hosts": "school.example"}}, ("refuse", "link_not_listed")),
        ("see www.school.example", {"rules": {"public.hosts": "school.example"}}, ("allow", "")),
        ("p\u0430ypal", {}, ("refuse", "look_alike")),
        ("The choir sang.", {}, ("allow", "")),
    ],
)
def test_a_public_text_gives_nobody_away(text: str, changes: dict[str, Any], answer: tuple[str, str]) -> None:
    assert answered(fit_for_the_public(case(PUBLIC, text, **changes))) == answer


@pytest.mark.parametrize(
    ("text", "changes", "answer"),
    [
        ("Ann (7B) won", {}, ("hold", "first_name")),
        ("Ann K. won", {}, ("hold", "first_name")),
        ("Ann (7B) won", {"second_person": True}, ("allow", "")),
        ("Ann (7B) won", {"urgency": Urgency.URGENT}, ("hold", "first_name")),
        ("Ann (7B) won", {"broadcast": False}, ("allow", "")),
        ("Ann won", {}, ("allow", "")),
        ("at 12 Acacia Avenue", {}, ("hold", "street_address")),
    ],
)
def test_what_may_point_to_one_pupil_waits_for_a_second_person(
    text: str, changes: dict[str, Any], answer: tuple[str, str]
) -> None:
    verdict = fit_for_the_public(case(PUBLIC, text, **changes))
    assert answered(verdict) == answer
    assert not isinstance(verdict, Hold) or (verdict.whole and verdict.until == PUBLIC.expires_at)


def test_a_verdict_says_where_and_never_what() -> None:
    told = replace(PUBLIC, contents=(Content(1, "", {Part.TITLE: "News", Part.LONG: "Bravo Ann Kowalski!"}),))
    verdict = fit_for_the_public(told)
    assert verdict.evidence == {"part": "long", "at": 7, "length": 12, "found": 1}
    assert "character 7" in verdict.why
    assert "Kowalski" not in f"{verdict} {told!r}"


def test_the_name_of_a_file_is_read_too() -> None:
    file = Attachment("0" * 64, "Ann Kowalski.pdf", "application/pdf", b"")
    assert answered(fit_for_the_public(replace(PUBLIC, attachments=(file,)))) == ("refuse", "full_name")


# --- adults and children --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"people": People.PUPILS, "counted": 4}, ("refuse", "alone_with_a_child")),
        ({"people": People.PUPILS, "counted": 5}, ("allow", "")),
        (
            {"people": People.PUPILS, "counted": 1, "urgency": Urgency.URGENT},
            ("refuse", "alone_with_a_child"),
        ),
        ({"people": People.PUPILS, "counted": 1, "second_person": True}, ("refuse", "alone_with_a_child")),
        ({"people": People.PUPILS, "counted": 1, "accompanied": True}, ("allow", "")),
        ({"people": People.BOTH, "counted": 1}, ("refuse", "alone_with_a_child")),  # no guardian is reached
        ({"people": People.BOTH, "counted": 1, "accompanied": True}, ("allow", "")),
        ({"people": People.GUARDIANS, "counted": 1}, ("allow", "")),
        ({"people": People.STAFF, "counted": 1}, ("allow", "")),
        ({"people": People.PUPILS, "counted": 1, "rules": {"adults.smallest": "0"}}, ("allow", "")),
        (
            {"people": People.PUPILS, "counted": 9, "rules": {"adults.smallest": "10"}},
            ("refuse", "alone_with_a_child"),
        ),
        ({"people": People.PUPILS, "counted": 1, "author": SYSTEM}, ("allow", "system_notice")),
        (
            {"people": People.PUPILS, "counted": 1, "author": replace(SYSTEM, on_behalf_of="Mrs Bell")},
            ("refuse", "alone_with_a_child"),
        ),
        ({"people": People.PUPILS, "counted": 1, "author": TIMETABLE}, ("refuse", "alone_with_a_child")),
        (
            {
                "people": People.PUPILS,
                "counted": 1,
                "author": TIMETABLE,
                "template": "Cover",
                "worded_as": ("9" * 64, LOOKED_AT + "0" * 48),
                "rules": {"adults.notices": f"music/cover@{LOOKED_AT}"},
            },
            ("allow", "system_notice"),
        ),
        *(
            (
                {
                    "people": People.PUPILS,
                    "counted": 1,
                    "author": TIMETABLE,
                    "template": template,
                    "worded_as": worded_as,
                    "rules": {"adults.notices": words},
                },
                ("refuse", "alone_with_a_child"),
            )
            for template, worded_as, words in [
                ("Cover", (LOOKED_AT + "0" * 48,), "music/cover"),  # a name alone approves nothing
                ("Cover", ("9" * 64,), f"music/cover@{LOOKED_AT}"),  # other words
                ("Cover", (), f"music/cover@{LOOKED_AT}"),
                ("Other", (LOOKED_AT + "0" * 48,), f"music/cover@{LOOKED_AT}"),
                ("Cover", (LOOKED_AT + "0" * 48,), f"office/cover@{LOOKED_AT}"),
            ]
        ),
        (
            {  # a person fills the gaps of a template with words of their own
                "people": People.PUPILS,
                "counted": 1,
                "template": "Cover",
                "worded_as": (LOOKED_AT + "0" * 48,),
                "rules": {"adults.notices": f"music/cover@{LOOKED_AT}"},
            },
            ("refuse", "alone_with_a_child"),
        ),
        (
            {
                "people": People.PUPILS,
                "counted": 1,
                "author": TIMETABLE,
                "rules": {"adults.notices": "music/none"},
            },
            ("refuse", "alone_with_a_child"),
        ),
    ],
)
def test_nobody_writes_to_a_child_alone(changes: dict[str, Any], answer: tuple[str, str]) -> None:
    assert answered(not_alone_with_a_child(case(PLAIN, **changes))) == answer


def test_no_account_speaks_by_somebodys_own_number() -> None:
    assert answered(sender_is_the_schools(PLAIN)) == ("allow", "")
    owned = replace(PLAIN, sender_of="member of staff")
    assert answered(sender_is_the_schools(owned)) == ("refuse", "private_sender")


# --- purpose --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "changes", "answer"),
    [
        ("Tickets for the gala", {"purpose": Purpose.PROMOTIONAL}, ("refuse", "no_opt_out")),
        ("Tickets. Reply STOP.", {"purpose": Purpose.PROMOTIONAL}, ("allow", "")),
        ("Tickets. To opt  out, tell us.", {"purpose": Purpose.PROMOTIONAL}, ("allow", "")),
        ("Nonstop music", {"purpose": Purpose.PROMOTIONAL}, ("refuse", "no_opt_out")),
        ("Tickets", {"purpose": Purpose.PROMOTIONAL, "adds_opt_out": True}, ("allow", "")),
        ("Tickets", {"purpose": Purpose.PROMOTIONAL, "broadcast": True}, ("allow", "")),
        ("Tickets", {"purpose": Purpose.PROMOTIONAL, "rules": {"purpose.opt_out_words": ""}}, ("allow", "")),
        ("The coach leaves at eight", {}, ("allow", "")),
    ],
)
def test_promotion_says_how_to_have_no_more_of_it(
    text: str, changes: dict[str, Any], answer: tuple[str, str]
) -> None:
    assert answered(opt_out_said(case(PLAIN, text, **changes))) == answer


@pytest.mark.parametrize(
    ("parts", "silent"),
    [
        ({Part.TITLE: "Unsubscribe", Part.SHORT: "Tickets", Part.LONG: "Tickets. Reply STOP."}, Part.SHORT),
        ({Part.SHORT: "Tickets. Reply STOP.", Part.LONG: "Tickets"}, Part.LONG),
        ({Part.TITLE: "Reply STOP", Part.LONG: "Tickets"}, Part.LONG),
        ({Part.TITLE: "Gala", Part.SHORT: "Tickets. Reply STOP."}, None),
        ({Part.SHORT: "Tickets. Reply STOP.", Part.LONG: "Tickets, tickets. Opt out: reply STOP."}, None),
    ],
)
def test_each_part_that_may_leave_alone_says_how_to_have_no_more_of_it(
    parts: dict[Part, str], silent: Part | None
) -> None:
    told = replace(PLAIN, purpose=Purpose.PROMOTIONAL, contents=(Content(1, "", parts),))
    verdict = opt_out_said(told)
    assert answered(verdict) == (("allow", "") if silent is None else ("refuse", "no_opt_out"))
    assert silent is None or (isinstance(verdict, Refuse) and verdict.about is silent)


WAITS = {"rules": {"purpose.sale_waits": "yes"}}


@pytest.mark.parametrize(
    ("text", "changes", "answer"),
    [
        ("Please DONATE to the new piano", {}, ("allow", "sale_words")),
        ("Please donate", WAITS, ("hold", "sale_words")),
        ("Please donate", {**WAITS, "second_person": True}, ("allow", "sale_words")),
        ("A special  offer", {}, ("allow", "sale_words")),
        ("Special needs: the wholesaler's van", {}, ("allow", "")),
        ("Please donate", {"purpose": Purpose.PROMOTIONAL}, ("allow", "")),
        ("Please donate", {"rules": {"purpose.sale_words": "cake"}}, ("allow", "")),
        ("Cake at four", {"rules": {"purpose.sale_words": "cake"}}, ("allow", "sale_words")),
    ],
)
def test_words_of_sale_in_a_service_message_are_pointed_at(
    text: str, changes: dict[str, Any], answer: tuple[str, str]
) -> None:
    assert answered(sells_nothing(case(PLAIN, text, **changes))) == answer


# --- approval -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "changes", "answer"),
    [
        (PUBLIC, {}, ("hold", "needs_approval")),
        (PUBLIC, {"second_person": True}, ("allow", "")),
        (PUBLIC, {"overridden": True, "urgency": Urgency.URGENT}, ("allow", "approval_skipped")),
        (PUBLIC, {"urgency": Urgency.URGENT}, ("hold", "needs_approval")),
        (PUBLIC, {"author": SYSTEM}, ("allow", "")),
        (PUBLIC, {"author": replace(SYSTEM, on_behalf_of="Mrs Bell")}, ("hold", "needs_approval")),
        (PUBLIC, {"author": TIMETABLE}, ("hold", "needs_approval")),
        (PUBLIC, {"author": TIMETABLE, "template": "Cover"}, ("hold", "needs_approval")),
        (
            PUBLIC,
            {
                "author": TIMETABLE,
                "template": "Cover",
                "worded_as": (LOOKED_AT + "0" * 48,),
                "rules": {"adults.notices": f"music/cover@{LOOKED_AT}"},
            },
            ("allow", "system_notice"),
        ),
        (PUBLIC, {"rules": {"approval.needed": ""}}, ("allow", "")),
        (PLAIN, {}, ("allow", "")),
        (PLAIN, {"counted": 500}, ("allow", "")),
        (PLAIN, {"counted": 501}, ("hold", "needs_approval")),
        (PLAIN, {"purpose": Purpose.PROMOTIONAL}, ("hold", "needs_approval")),
        (PLAIN, {"purpose": Purpose.PROMOTIONAL, "people": People.FIRST}, ("hold", "needs_approval")),
        (PLAIN, {"purpose": Purpose.PROMOTIONAL, "people": People.BOTH}, ("hold", "needs_approval")),
        (PLAIN, {"purpose": Purpose.PROMOTIONAL, "people": People.PUPILS}, ("allow", "")),
        (PLAIN, {"purpose": Purpose.PROMOTIONAL, "people": People.STAFF}, ("allow", "")),
        (PLAIN, {"rules": {"approval.needed": "sms/over 20/service"}}, ("hold", "needs_approval")),
        (PLAIN, {"rules": {"approval.needed": "email/any/any"}}, ("allow", "")),
        (PLAIN, {"rules": {"approval.needed": "any/staff/any"}}, ("allow", "")),
        (PLAIN, {"rules": {"approval.needed": "any/any/any"}}, ("hold", "needs_approval")),
    ],
)
def test_which_announcements_want_two_people(
    base: AnnouncementCase, changes: dict[str, Any], answer: tuple[str, str]
) -> None:
    assert answered(second_person_agreed(case(base, **changes))) == answer


def test_what_nobody_approved_in_time_is_refused_as_such() -> None:
    assert not_approved(PLAIN).why == "it was not approved in time"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("approval.needed", "public"),
        ("approval.needed", "public/any"),
        ("approval.needed", "public/teachers/any"),
        ("approval.needed", "public/any/marketing"),
        ("approval.needed", "any/over many/any"),
        ("approval.needed", "any/any/any, any/any/any"),
        ("approval.drift_people", "-1"),
        ("approval.drift_share", "1.5"),
        ("adults.smallest", "-3"),
        ("adults.smallest", "two"),
        ("adults.notices", "Cover"),
        ("public.hosts", "not a host"),
        ("public.hosts", "https://school.example/"),
        ("public.numbers", "020 7946 0000"),
        ("public.emails", "office"),
        ("public.postcodes", "the hall"),
        ("public.names", "maybe"),
        ("purpose.sale_waits", "1"),
    ],
)
def test_nonsense_is_no_rule(key: str, value: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        parameter_named(key).read(value)
    assert refused.value.problem.field == key
