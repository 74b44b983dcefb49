"""Every rule that a school may set: its default, another value, its bounds and nonsense, a row each.

What each rule does with its values is tried beside its family (test_rules_of_*.py). A rule without a row here fails.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from broker.errors import RuleRefused
from broker.rules.book import RULES, rules_of
from broker.rules.parameters import Kind

# rule: its default as written; another value, as typed and as written; what is refused
TABLE: dict[str, tuple[str, tuple[str, str], tuple[str, ...]]] = {
    "licence.custodians": ("2", ("03", "3"), ("1", "0", "21", "-2", "two")),
    "licence.warn": ("30 d", ("720 h", "30 d"), ("0", "23 h", "181 d", "-1 d", "a month")),
    "social.same_text_for": ("30 d", ("0", "0 s"), ("366 d", "-1 d", "30")),
    "social.quotable": ("", ("jack,bbc", "jack, bbc"), ("jack,,bbc", "jack, Jack", "a\nb")),
    "social.read_every": ("5 min", ("60 s", "1 min"), ("59 s", "2 d", "often")),
    "social.look_every": ("30 min", ("1 h", "1 h"), ("4 min", "25 h", "")),
    "social.carry_found": ("no", ("yes", "yes"), ("Yes", "true", "")),
    "public.names": ("yes", ("no", "no"), ("maybe", "0")),
    "public.hosts": (
        "",
        ("school.example", "school.example"),
        ("https://school.example", "school", "a b.uk"),
    ),
    "public.numbers": ("", ("+44 20 7946 0000", "+44 20 7946 0000"), ("020 7946 0000", "+44", "office")),
    "public.emails": ("", ("office@school.example", "office@school.example"), ("office", "@x", "a b@c.uk")),
    "public.postcodes": ("", ("LS1 4AB", "LS1 4AB"), ("LS1", "the hall", "12345")),
    "adults.smallest": ("5", ("0", "0"), ("-1", "1001", "few")),
    "adults.notices": ("", ("office/Cover", "office/Cover"), ("Cover", "/Cover", "office/", "office")),
    "purpose.opt_out_words": (
        "STOP, opt out, opt-out, unsubscribe, no more of these",
        ("STOP", "STOP"),
        ("STOP, stop", "x" * 201),
    ),
    "purpose.sale_words": (RULES["purpose.sale_words"].default, ("cake", "cake"), (",", "cake,, tea")),
    "purpose.sale_waits": ("no", ("yes", "yes"), ("1", "when asked")),
    "approval.needed": (
        "public/any/any, any/guardians/promotional, any/over 500/any",
        ("sms/over 20/service", "sms/over 20/service"),
        (
            "public",
            "public/any",
            "public/teachers/any",
            "any/over many/any",
            "any/any/marketing",
            "a/any/any/any",
        ),
    ),
    "approval.drift_people": ("20", ("0", "0"), ("-1", "100001", "1.5")),
    "approval.drift_share": ("0.1", ("0.10", "0.1"), ("1.01", "-0.1", "10 %")),
    "blast.size": ("500", ("0", "0"), ("-1", "1000001", "all")),
    "blast.ratio": ("3", ("2.5", "2.5"), ("1001", "-3", "NaN")),
    "blast.floor": ("60", ("0", "0"), ("-60", "1000001", "")),
    "blast.drift": ("0.1", ("0", "0"), ("1.1", "-0.1", "Infinity")),
    "undo.window": ("60 s", ("120 s", "2 min"), ("-1 s", "61 min", "2 h", "1 minute", "60")),
    "windows.open": (
        RULES["windows.open"].default,
        ("sms mon-fri 08:00-12:00", "sms mon-fri 08:00-12:00"),
        ("sms", "sms mon-fri 8-12", "sms mon 08:00-10:00; sms mon 09:00-11:00", "sms mon 22:00-07:00"),
    ),
    "money.holds": ("yes", ("no", "no"), ("sometimes", "")),
    "money.urgent_beyond": ("yes", ("no", "no"), ("never", "2")),
    "money.warn_at": ("0.8", ("0.75", "0.75"), ("1.5", "80", "-1")),
    "record.mail_every": ("7 d", ("0", "0 s"), ("93 d", "-7 d", "weekly")),
    "calendar.bank_holidays": ("GB-ENG", ("GB-SCT", "GB-SCT"), ("Narnia", "GB-NARNIA")),
    "ladders.least": ("5 min", ("10 min", "10 min"), ("0", "8 d", "-1 min", "soon")),
    "ladders.look_ups_first": ("yes", ("no", "no"), ("later", "")),
    "ladders.all_guardians": ("no", ("yes", "yes"), ("both", "2")),
    "keeping.content": ("730 d", ("30 d", "30 d"), ("29 d", "3651 d", "for ever")),
    "keeping.messages": ("730 d", ("3650 d", "3650 d"), ("29 d", "3651 d", "0")),
    "keeping.receipts": ("30 d", ("1 d", "1 d"), ("23 h", "731 d", "-1 d")),
    "keeping.answers": ("365 d", ("30 d", "30 d"), ("29 d", "3651 d", "")),
    "keeping.addresses": ("90 d", ("7 d", "7 d"), ("6 d", "731 d", "x")),
    "keeping.people": ("400 d", ("30 d", "30 d"), ("29 d", "3651 d", "y")),
    "keeping.record": ("2557 d", ("365 d", "365 d"), ("364 d", "4001 d", "always")),
    "ages.channels": (
        "whatsapp 13 from 2024-04-11",
        ("whatsapp 16 from 2027-01-01", "whatsapp 16 from 2027-01-01"),
        ("whatsapp 13", "whatsapp from 2024-04-11", "whatsapp 13 from spring", "whatsapp -1 from 2024-04-11"),
    ),
    "sign_in.longest": ("12 h", ("600 min", "10 h"), ("0", "14 min", "13 h", "a day")),
    "sign_in.idle": ("2 h", ("0", "0 s"), ("13 h", "-1 h", "soon")),
    "sign_in.prove_at": ("200", ("0", "0"), ("-1", "1000001", "many")),
    "sign_in.proof": ("10 min", ("60 s", "1 min"), ("59 s", "13 h", "now")),
    "ages.consent": (
        "13 from 2018-05-25",
        ("16 from 2027-01-01", "16 from 2027-01-01"),
        ("13", "from 2018-05-25", "13 from 2018-02-30"),
    ),
}


def test_every_rule_has_its_row() -> None:
    assert TABLE.keys() == RULES.keys()


@pytest.mark.parametrize("key", sorted(TABLE))
def test_a_rule_has_its_default_another_value_and_refuses_nonsense_in_one_clear_line(key: str) -> None:
    default, (typed, written), nonsense = TABLE[key]
    rule = RULES[key]
    assert rule.written(rule.read(rule.default)) == rule.written(rule.read(default))
    assert rule.written(rule.read(typed)) == written
    kept = rules_of({key: typed}, 7)
    assert kept.values[key] == rule.read(typed)
    assert {each: value for each, value in kept.values.items() if each != key} == {
        each: value for each, value in rules_of({}).values.items() if each != key
    }
    for text in nonsense:
        with pytest.raises(RuleRefused) as refused:
            rule.read(text)
        problem = refused.value.problem
        assert (problem.code, problem.field) == ("bad_rule", key), text
        assert "\n" not in problem.message
        assert problem.hint
        with pytest.raises(RuleRefused):
            rules_of({key: text})


STEP = {Kind.COUNT: 1, Kind.DURATION: timedelta(seconds=1), Kind.RATIO: Decimal("0.000001")}


@pytest.mark.parametrize("key", sorted(key for key, rule in RULES.items() if rule.least or rule.most))
def test_a_bound_is_still_allowed_and_the_step_beyond_it_is_not(key: str) -> None:
    rule = RULES[key]
    for bound, sign in ((rule.least, -1), (rule.most, 1)):
        if bound is None:
            continue
        value = rule.read(bound)
        assert rule.written(value) == rule.written(rule.read(rule.written(value)))
        beyond = value + sign * STEP[rule.kind]  # type: ignore[operator]
        with pytest.raises(
            RuleRefused, match=f"at {'least' if sign < 0 else 'most'} {bound}|a shorter length"
        ):
            rule.read(rule.written(beyond))
