"""Whom an expression means: parsed, or refused with one clear error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.audience import (
    DEEPEST,
    LONGEST,
    Audience,
    Combined,
    Everyone,
    Group,
    fold,
    names,
    operands,
    parse,
)
from broker.errors import InvalidAnnouncement

YEAR, CHOIR, BAND = Group("Year 7"), Group("Choir"), Group("Band")


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("Choir", CHOIR),
        ("Year 7", YEAR),
        ("  Year   7\u00a0", YEAR),
        ('"Year 7"', YEAR),
        ("everyone", Everyone()),
        ("EVERYONE", Everyone()),
        ("Choir + Band", Combined("+", CHOIR, BAND)),
        ("Year 7 & Choir", Combined("&", YEAR, CHOIR)),
        ("Year 7 - Choir", Combined("-", YEAR, CHOIR)),
        ("everyone - Year 7", Combined("-", Everyone(), YEAR)),
        ("(Choir)", CHOIR),
        ("((Choir)) + (Band)", Combined("+", CHOIR, BAND)),
        # From the left, all signs alike; brackets say otherwise.
        ("Choir + Band - Year 7", Combined("-", Combined("+", CHOIR, BAND), YEAR)),
        ("Choir - Band + Year 7", Combined("+", Combined("-", CHOIR, BAND), YEAR)),
        ("Choir + (Band - Year 7)", Combined("+", CHOIR, Combined("-", BAND, YEAR))),
        ("(Choir+ Band)", Group("Choir+ Band")),
    ],
)
def test_an_expression_is_read_as_people_mean_it(expression: str, tree: Audience) -> None:
    assert parse(expression) == tree


@pytest.mark.parametrize(
    "name",
    [
        "T-Band",
        "R&B",
        "C++",
        "7B-7C",
        "Kew-Foxton",
        "Côr Cymraeg",
        "Klasa 5ą",
        "جوقة",
        "4'33\"".replace('"', "″"),
    ],
)
def test_a_sign_without_spaces_round_it_belongs_to_the_name(name: str) -> None:
    assert parse(name) == Group(name)


@pytest.mark.parametrize("name", ["Drama - juniors", "Bells + Whistles", "(old) choir", "&", "everyone else"])
def test_quotes_keep_a_name_together(name: str) -> None:
    assert parse(f'"{name}"') == Group(name)
    assert parse(f'Choir + "{name}"') == Combined("+", CHOIR, Group(name))


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "names nobody"),
        (" \u2003 ", "names nobody"),
        ("+", "name is missing"),
        ("Choir +", "missing after the last sign"),
        ("+ Choir", "name is missing"),
        ("Choir + + Band", "name is missing"),
        ("Choir & - Band", "name is missing"),
        ('""', "name is missing"),
        ('"Choir', "quote is not closed"),
        ('Choir"', "quote is not closed"),
        ('"Choir" Band', "two names without a sign"),
        ("Choir (Band)", "two names without a sign"),
        ("(Choir) (Band)", "two names without a sign"),
        ("(Choir", "bracket is not closed"),
        ("Choir)", "bracket too many"),
        ("()", "name is missing"),
        ("(Choir + Band))", "bracket too many"),
        ("(" * 30 + "Choir" + ")" * 30, "nested too deeply"),
        ("Choir\n+ Band", "cannot be in a group's name"),
        ("Choir\x00", "cannot be in a group's name"),
        ("Choir\ud800", "cannot be in a group's name"),
        ("x" * (LONGEST + 1), "too long"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(expression: str, says: str) -> None:
    with pytest.raises(InvalidAnnouncement, match=says) as caught:
        parse(expression)
    problem = caught.value.problem
    assert (problem.code, problem.field) == ("bad_audience", "audience")
    assert problem.hint


def test_brackets_may_nest_as_deep_as_anybody_needs() -> None:
    assert parse("(" * DEEPEST + "Choir" + ")" * DEEPEST) == CHOIR


def test_as_many_names_as_fit_may_stand_in_a_row() -> None:
    row = parse(" + ".join(["Choir"] * 62))
    assert isinstance(row, Combined)
    assert operands(row) == [CHOIR] * 62


@pytest.mark.parametrize(
    ("levels", "holds"), [(DEEPEST, True), (DEEPEST + 1, False)], ids=["as deep as may be", "one deeper"]
)
def test_signs_that_change_nest_like_brackets(levels: int, holds: bool) -> None:
    expression = "X" + "".join(f" {'+-'[n % 2]} X" for n in range(levels))
    if holds:
        assert isinstance(parse(expression), Combined)
        return
    with pytest.raises(InvalidAnnouncement, match="nested too deeply"):
        parse(expression)


def test_one_sign_joins_all_its_operands_from_the_left() -> None:
    tree = parse("Choir - Band - Year 7 + everyone")
    assert isinstance(tree, Combined)
    assert operands(tree) == [parse("Choir - Band - Year 7"), Everyone()]
    assert operands(tree.left) == [CHOIR, BAND, YEAR]  # type: ignore[arg-type]


def test_the_names_of_a_tree_are_told_from_left_to_right() -> None:
    assert list(names(parse("Choir + (Band - everyone) & Year 7"))) == ["Choir", "Band", "Year 7"]


@pytest.mark.parametrize(("one", "same"), [("Year 7", "year  7"), ("ÉCOLE", "école"), (" Choir ", "CHOIR")])
def test_names_are_compared_without_case_or_spare_blanks(one: str, same: str) -> None:
    assert fold(one) == fold(same)


pieces = st.lists(
    st.sampled_from(
        ["Choir", "Year 7", "everyone", " ", "+", "&", "-", "(", ")", '"', " + ", " - ", "\u2003"]
    ),
    max_size=20,
).map("".join)


@given(st.text(max_size=60) | pieces)
def test_any_text_is_a_tree_or_an_invalid_announcement(expression: str) -> None:
    try:
        tree = parse(expression)
    except InvalidAnnouncement:
        return
    assert all(name == name.strip() and name for name in names(tree))


def trees(deeper: st.SearchStrategy[Audience]) -> st.SearchStrategy[Audience]:
    return st.builds(Combined, st.sampled_from("+&-"), deeper, deeper)


@given(st.recursive(st.sampled_from([CHOIR, YEAR, BAND, Everyone()]), trees, max_leaves=8))
def test_a_tree_written_down_is_read_again_as_the_same_tree(tree: Audience) -> None:
    assert parse(written(tree)) == tree


def written(tree: Audience) -> str:
    if isinstance(tree, Combined):
        return f"({written(tree.left)}) {tree.operator} ({written(tree.right)})"
    return f'"{tree.name}"' if isinstance(tree, Group) else "everyone"
