"""Parameters of the rules: what somebody types becomes a value, and nonsense is refused with one clear problem."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import RuleRefused
from broker.rules.book import FAMILIES, RULES, SANDBOX, parameter_named, rules_of
from broker.rules.parameters import Kind, Parameter


def parameter(kind: Kind, default: str = "", **more: Any) -> Parameter:
    return Parameter("tests.one", kind, default, "What it does.", "R1", **more)


@pytest.mark.parametrize(
    ("kind", "typed", "value", "written"),
    [
        (Kind.DURATION, "90 s", timedelta(seconds=90), "90 s"),
        (Kind.DURATION, "120s", timedelta(minutes=2), "2 min"),
        (Kind.DURATION, "0", timedelta(0), "0 s"),
        (Kind.DURATION, "48 h", timedelta(days=2), "2 d"),
        (Kind.COUNT, "0500", 500, "500"),
        (Kind.RATIO, "0.10", Decimal("0.1"), "0.1"),
        (Kind.RATIO, "300", Decimal(300), "300"),
        (Kind.MONEY, "12.50", Decimal("12.5"), "12.5"),
        (
            Kind.AMOUNTS,
            "music=50 , office = 200.5",
            {"music": 50, "office": Decimal("200.5")},
            "music=50, office=200.5",
        ),
        (Kind.WORDS, " a ,b b", ("a", "b b"), "a, b b"),
        (Kind.WORDS, "", (), ""),
        (Kind.YES_NO, "yes", True, "yes"),
        (Kind.WINDOWS, "", (), ""),
    ],
)
def test_what_is_typed_is_read_and_written_in_one_way(
    kind: Kind, typed: str, value: object, written: str
) -> None:
    one = parameter(kind)
    assert one.read(typed) == value
    assert one.written(one.read(typed)) == written
    assert one.read(written) == value


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (Kind.DURATION, "-5 s"),
        (Kind.DURATION, "5"),
        (Kind.DURATION, "soon"),
        (Kind.DURATION, "5 weeks"),
        (Kind.DURATION, "999999999 d"),
        (Kind.DURATION, "٥ s"),
        (Kind.COUNT, "-1"),
        (Kind.COUNT, "1.5"),
        (Kind.COUNT, "9" * 13),
        (Kind.COUNT, ""),
        (Kind.RATIO, "-0.1"),
        (Kind.RATIO, "NaN"),
        (Kind.RATIO, "Infinity"),
        (Kind.RATIO, "1e99"),
        (Kind.RATIO, "0.0000001"),
        (Kind.MONEY, "£5"),
        (Kind.AMOUNTS, "music"),
        (Kind.AMOUNTS, "music=5, music=6"),
        (Kind.AMOUNTS, "=5"),
        (Kind.WORDS, "a,,b"),
        (Kind.WORDS, "a, A"),
        (Kind.WORDS, "x" * 201),
        (Kind.WORDS, "a\nb"),
        (Kind.WORDS, ", ".join(str(n) for n in range(1001))),
        (Kind.YES_NO, "maybe"),
        (Kind.WINDOWS, "sms"),
        (Kind.WINDOWS, "sms mon-fri 8-18"),
        (Kind.WINDOWS, "sms mon-fri 08:00-07:00"),
        (Kind.WINDOWS, "sms mon-fri 22:00-25:00"),
        (Kind.WINDOWS, "sms mon-fri 08:70-09:00"),
        (Kind.WINDOWS, "sms fri-mon 08:00-09:00"),
        (Kind.WINDOWS, "sms someday 08:00-09:00"),
        (Kind.WINDOWS, "sms/private mon 08:00-09:00"),
        (Kind.WINDOWS, "sms/service/cats mon 08:00-09:00"),
        (Kind.WINDOWS, "sms/service/pupils/more mon 08:00-09:00"),
        (Kind.WINDOWS, "sms mon-fri 08:00-18:00; sms fri 17:59-19:00"),
        (Kind.WINDOWS, "sms mon 08:00-18:00; sms mon 08:00-18:00"),
        (Kind.WINDOWS, "sms mon 08:00-09:00" * 600),
    ],
)
def test_nonsense_is_refused_with_one_clear_problem(kind: Kind, typed: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        parameter(kind).read(typed)
    problem = refused.value.problem
    assert (problem.code, problem.field) == ("bad_rule", "tests.one")
    assert problem.message.startswith("this rule ")
    assert problem.hint


@pytest.mark.parametrize("typed", ["4 s", "2 min"])
def test_what_is_out_of_bounds_is_refused(typed: str) -> None:
    with pytest.raises(RuleRefused, match=r"at (least 5 s|most 1 min)"):
        parameter(Kind.DURATION, "5 s", least="5 s", most="1 min").read(typed)


def test_a_closed_list_knows_its_words() -> None:
    with pytest.raises(RuleRefused, match="does not know fax"):
        parameter(Kind.WORDS, among=("sms", "email")).read("sms, fax")


def test_windows_beside_each_other_and_for_other_things_do_not_overlap() -> None:
    typed = "sms mon-fri 08:00-12:00; sms mon-fri 12:00-18:00; sms/promotional mon-fri 09:00-17:00; sms sat 08:00-24:00"
    assert parameter(Kind.WINDOWS).written(parameter(Kind.WINDOWS).read(typed)) == typed


@given(st.sampled_from(list(Kind)), st.text(max_size=60))
def test_whatever_is_typed_it_is_read_or_refused(kind: Kind, typed: str) -> None:
    one = parameter(kind)
    try:
        value = one.read(typed)
    except RuleRefused:
        return
    assert one.read(one.written(value)) == value


@pytest.mark.parametrize("key", sorted(RULES))
def test_every_rule_has_a_default_that_stands_words_and_a_source(key: str) -> None:
    rule = RULES[key]
    assert rule.read(rule.default) == rules_of({}).values[key]
    assert rule.words.endswith(".") or rule.words[-1].islower() or rule.words
    assert rule.source
    assert "." in key
    assert key == key.lower()


def test_no_rule_is_declared_twice_and_each_belongs_to_its_family() -> None:
    declared = [parameter.key for family in FAMILIES for parameter in family.parameters]
    assert len(declared) == len(set(declared))
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_what_a_sandbox_school_begins_with_can_be_read() -> None:
    assert rules_of(SANDBOX).duration("undo.window") == timedelta(0)


def test_a_key_that_there_is_not_is_refused() -> None:
    with pytest.raises(RuleRefused) as refused:
        parameter_named("undo.windwo")
    assert refused.value.problem.code == "unknown_rule"


def test_rules_keep_only_what_was_changed_as_it_is_written() -> None:
    rules = rules_of({"undo.window": "120s"}, 7)
    assert rules.version == 7
    assert rules.changed == {"undo.window": "2 min"}
    assert rules.duration("undo.window") == timedelta(minutes=2)
    assert rules.count("blast.size") == 500
