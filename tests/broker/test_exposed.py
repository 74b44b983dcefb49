"""What a text gives away: numbers, emails, homes, links; and what the school has allowed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.disclosure.exposed import Allowed, exposed

ALLOWED = Allowed(
    numbers={"+442079460000"},
    emails={"office@school.example"},
    postcodes={"LS14AB"},
    hosts={"school.example", "bbc.co.uk"},
)


def found(text: str, allowed: Allowed = ALLOWED) -> list[tuple[str, str]]:
    return [(each.code, text[each.at : each.at + each.length]) for each in exposed(text, allowed, "GB")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("call 07911 123456", "phone_number"),
        ("07911-123-456", "phone_number"),
        ("+44 7911 123456", "phone_number"),
        ("(07911) 123456", "phone_number"),
        ("\uff10\uff17\uff19\uff11\uff11 123456", "phone_number"),
        ("0 7 9 1 1 1 2 3 4 5 6", "phone_number"),
        ("079\u200b11 123456", "phone_number"),
        ("ring 07700 900123", "phone_number"),
        ("amy@home.example", "email_address"),
        ("amy\uff20home.example", "email_address"),
        ("amy (at) home (dot) org", "email_address"),
        ("amy [at] home.org", "email_address"),
        ("amy at home dot org", "email_address"),
        ("She lives at 12 Acacia Avenue, Leeds LS2 9JT.", "home_address"),
        ("flat 3, 12 acacia avenue, ls2 9jt", "home_address"),
        ("at 10 Church Lane", "street_address"),
        ("https://tinyurl.com/abc", "link_not_listed"),
        ("tinyurl.com/abc", "link_not_listed"),
        ("see www.example.org", "link_not_listed"),
        ("https://sch00l.example", "look_alike"),
        ("https://school.example@evil.org/", "look_alike"),
        ("https://xn--80ak6aa92e.com/", "look_alike"),
        ("http://p\u0430ypal.com", "look_alike"),
        ("[bbc.co.uk](https://evil.org)", "look_alike"),
        ("P\u0430ypal wants your card", "look_alike"),
    ],
)
def test_what_the_public_should_not_get_is_found(text: str, code: str) -> None:
    assert code in [each for each, _ in found(text)]


@pytest.mark.parametrize(
    "text",
    [
        "The office: 020 7946 0000 or office@school.example",
        "Concert at 1 Hall Street, LS1 4AB",  # a place that the school listed
        "The hall, High Street, LS2 9JT",  # a venue has no number
        "https://www.school.example/concerts and bbc.co.uk/weather",
        "[our page](https://school.example/a).",
        "Rehearsal at 3.30 in Room 12. Bring £5.00 by 12/11/2026, 08:15 to 10:15.",
        "Year 7 Park Lane trip, 30 November 2026",
        "e.g. this. And so on.",
        "Rooms 101, 102 and 103; 2026 2027",
        "\u041f\u0440\u0438\u0432\u0435\u0442, 5 \u00b5m",
    ],
)
def test_what_is_the_schools_own_or_nothing_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_without_a_list_any_honest_host_may_be_linked_to() -> None:
    assert found("https://tinyurl.com/abc", Allowed()) == []
    assert found("http://p\u0430ypal.com", Allowed())[0][0] == "look_alike"


@given(st.text(max_size=400))
def test_no_text_breaks_the_search(text: str) -> None:
    for each in exposed(text, ALLOWED, "GB"):
        assert 0 <= each.at < each.at + each.length <= len(text)


@pytest.mark.parametrize(
    "unit", ["a", "a.", "@a", "07911 123456 ", "1 A ", "www.", "a at b ", "https://a.b/", "\u0430a"]
)
def test_no_text_however_odd_is_looked_at_for_long(unit: str) -> None:
    text = (unit * 5_000)[:5_000]
    began = time.process_time()
    exposed(text, ALLOWED, "GB")
    assert time.process_time() - began < 2  # quadratic would be minutes
