"""The rules of accounts, over a table each: what is licensed, who else said it, whom it is for, how it is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.announcement import People, Purpose, Urgency
from broker.channel import Traits
from broker.policy import Allow, Hold, Refuse, Verdict
from broker.rules.book import rules_of
from broker.rules.case import AnnouncementCase
from broker.rules.licence import NOTHING, licensed
from broker.rules.social import listed, locked_is_said, not_for_the_young_alone, one_voice, same_words
from channels.twitter import TRAITS

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATER, BEFORE = NOW + timedelta(days=1), NOW - timedelta(seconds=1)
TEXTS = Traits(address_kind=None)
CASE = AnnouncementCase(
    now=NOW,
    rules=rules_of({}),
    zone="Europe/London",
    department="music",
    channel="twitter",
    account="x",
    purpose=Purpose.SERVICE,
    urgency=Urgency.ROUTINE,
    due_at=NOW,
    expires_at=NOW + timedelta(days=2),
    announcement=7,
    traits=TRAITS,
    licence_needed=True,
    licensed_until=LATER,
)


def told(verdict: Verdict) -> tuple[type[Verdict], str]:
    return type(verdict), verdict.code


@pytest.mark.parametrize(
    ("changed", "answer", "says"),
    [
        ({}, (Allow, ""), ""),
        ({"licence_needed": False, "licensed_until": None}, (Allow, ""), ""),
        ({"licensed_until": NOW}, (Hold, "unlicensed"), "lapsed"),
        ({"licensed_until": BEFORE}, (Hold, "unlicensed"), "lapsed"),
        ({"licensed_until": None, "unlicensed": "policy: none"}, (Hold, "unlicensed"), "policy: none"),
        ({"licensed_until": None, "urgency": Urgency.URGENT}, (Hold, "unlicensed"), "lapsed"),
        ({"licensed_until": None, "announcement": None}, (Refuse, "unlicensed"), "x has no licence"),
        ({"due_at": LATER}, (Allow, "licence_lapses_first"), "renew it"),
    ],
)
def test_an_account_speaks_only_while_its_licence_stands(
    changed: dict[str, Any], answer: tuple[type[Verdict], str], says: str
) -> None:
    verdict = licensed(replace(CASE, **changed))
    assert told(verdict) == answer
    assert says in verdict.why
    if isinstance(verdict, Hold):
        assert verdict.until > NOW


@pytest.mark.parametrize(
    ("lacking", "ways", "hint"),
    [
        (NOTHING, ("twitter",), "carillon licence start x, or choose another way"),
        ("policy: over", ("sms", "twitter"), "carillon licence show x, or leave it out"),
    ],
)
def test_whoever_asks_is_told_what_to_do(lacking: str, ways: tuple[str, ...], hint: str) -> None:
    asked = replace(CASE, announcement=None, licensed_until=None, unlicensed=lacking, ways=ways)
    verdict = licensed(asked)
    assert isinstance(verdict, Refuse)
    assert (verdict.hint, verdict.about) == (hint, "via")


def test_no_two_accounts_say_the_very_same() -> None:
    assert told(one_voice(CASE)) == (Allow, "")
    refused = one_voice(replace(CASE, same_text_on="sports"))
    assert told(refused) == (Refuse, "same_text")
    assert "sports" in refused.why


@pytest.mark.parametrize(
    ("people", "traits", "code"),
    [
        (People.GUARDIANS, TRAITS, ""),
        (People.STAFF, TRAITS, ""),
        (People.PUPILS, TRAITS, "age"),
        (People.BOTH, TRAITS, "age"),
        (People.PUPILS, TEXTS, ""),
    ],
)
def test_the_age_of_its_terms_is_said_where_pupils_are_told(
    people: People, traits: Traits, code: str
) -> None:
    verdict = not_for_the_young_alone(replace(CASE, people=people, traits=traits))
    assert told(verdict) == (Allow, code)
    assert not code or "13" in verdict.why


@pytest.mark.parametrize(
    ("posture", "code"), [(None, ""), ({"protected": "no"}, ""), ({"protected": "yes"}, "locked")]
)
def test_a_locked_account_is_said_to_feed_no_widget(posture: dict[str, str] | None, code: str) -> None:
    verdict = locked_is_said(replace(CASE, posture=posture))
    assert told(verdict) == (Allow, code)
    assert not code or "no widget" in verdict.why
    assert told(locked_is_said(replace(CASE, posture=posture, traits=TEXTS))) == (Allow, "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Rehearsal at 15:30.", "Rehearsal at 15:30.", True),
        ("Rehearsal at 15:30.", "REHEARSAL   at 15:30!", True),
        ("Rehearsal at 15:30.", "Rehearsal at 15.30", True),
        ("Ｒｅｈｅａｒｓａｌ", "rehearsal", True),
        ("Rehearsal at 15:30.", "Rehearsal at 16:30.", False),
        ("", "", False),
        ("!!!", "???", False),
    ],
)
def test_the_very_same_is_known_whatever_its_spaces_and_ends(one: str, other: str, same: bool) -> None:
    assert same_words(one, other) is same


@given(st.text(), st.text())
def test_saying_the_same_goes_both_ways(one: str, other: str) -> None:
    assert same_words(one, other) == same_words(other, one)


@pytest.mark.parametrize(
    ("author", "quotable", "may"),
    [
        ("BBCRadio3", ("bbcradio3",), True),
        ("bbcradio3", ("@BBCRadio3", "jack"), True),
        ("jack", (), False),
        ("jack", ("jack_",), False),
    ],
)
def test_only_listed_accounts_are_quoted(author: str, quotable: tuple[str, ...], may: bool) -> None:
    assert (listed(author, quotable) is None) is may
