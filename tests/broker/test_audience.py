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
    OfRole,
    all_of,
    expand,
    fold,
    names,
    operands,
    parse,
    renamed,
)
from broker.errors import InvalidAnnouncement
from broker.rosters.roster import Role

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
        # As it is pasted from a page: real minus signs, and the signs of sets.
        ("Choir + Band − Year 7", Combined("-", Combined("+", CHOIR, BAND), YEAR)),
        ("Choir ∪ Band – Year 7", Combined("-", Combined("+", CHOIR, BAND), YEAR)),
        ("Choir ∩ Band", Combined("&", CHOIR, BAND)),
        # A role, and in quotes a group that is called like one.
        ("Choir & Staff", Combined("&", CHOIR, OfRole(Role.STAFF))),
        ("pupils - Choir", Combined("-", OfRole(Role.PUPIL), CHOIR)),
        ("guardians", OfRole(Role.GUARDIAN)),
        ('"Staff"', Group("Staff")),
        ('"everyone"', Group("everyone")),
        ("staff choir", Group("staff choir")),
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


@pytest.mark.parametrize(
    ("expression", "where"),
    [
        ("Choir + + Band", "at character 9, “+ Band”"),
        ("  Choir +", "at character 10, its end"),
        ("Choir & (Band - 7B", "at character 9, “(Band - 7B”"),
        ("Choir) + Band", "at character 6, “) + Band”"),
        ('Choir "Kew - Foxton', "at character 7, “"),
        ('Choir + "Kew" Foxton', "at character 15, “Foxton”"),
    ],
)
def test_an_error_says_where(expression: str, where: str) -> None:
    with pytest.raises(InvalidAnnouncement) as caught:
        parse(expression)
    assert where in caught.value.problem.message


MADE_OF = {
    "strings": "Violins + Cellos",
    "orchestra": "Strings + Brass - 7B",
    "tour": "Orchestra & (Year 9 + Strings)",
}


def test_a_group_made_of_others_is_taken_apart_wherever_it_stands() -> None:
    assert expand(parse("Year 9 - orchestra"), MADE_OF) == parse("Year 9 - (Violins + Cellos + Brass - 7B)")
    assert set(names(expand(parse("Tour"), MADE_OF))) == {"Violins", "Cellos", "Brass", "7B", "Year 9"}
    assert expand(parse("Year 9 + staff"), MADE_OF) == parse("Year 9 + staff")


def test_a_group_made_of_itself_is_one_clear_error_that_names_the_way_round() -> None:
    made_of = {"a": "Choir + B", "b": "(C - Band)", "c": "A & Year 7"}
    with pytest.raises(InvalidAnnouncement) as caught:
        expand(parse("Band + b"), made_of)
    problem = caught.value.problem
    assert problem.code == "audience_loop"
    assert "“b” → “C” → “A” → “B”" in problem.message


def test_groups_that_double_each_other_end_in_an_error_and_not_in_an_hour() -> None:
    made_of = {f"g{n}": f"g{n + 1} + g{n + 1}" for n in range(40)}
    with pytest.raises(InvalidAnnouncement, match="too many"):
        expand(parse("g0"), made_of)


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


@pytest.mark.parametrize(
    ("expression", "after"),
    [
        ("friends of  ANN", "Friends of 12"),
        ('(Choir+ & "Friends of Ann") - staff', '(Choir+ & "Friends of 12") - staff'),
        ("Choir", "Choir"),
    ],
)
def test_a_group_is_renamed_where_an_expression_names_it(expression: str, after: str) -> None:
    new = {"friends of ann": "Friends of 12"}
    assert renamed(expression, lambda name: new.get(fold(name), name)) == after


@pytest.mark.parametrize(("one", "same"), [("Year 7", "year  7"), ("ÉCOLE", "école"), (" Choir ", "CHOIR")])
def test_names_are_compared_without_case_or_spare_blanks(one: str, same: str) -> None:
    assert fold(one) == fold(same)


pieces = st.lists(
    st.sampled_from(
        [
            "Choir",
            "Year 7",
            "everyone",
            "staff",
            " ",
            "+",
            "&",
            "-",
            "−",
            "(",
            ")",
            '"',
            " + ",
            " - ",
            "\u2003",
        ]
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
    assert parse(renamed(written(tree), lambda name: name)) == tree


def written(tree: Audience) -> str:
    if isinstance(tree, Combined):
        return f"({written(tree.left)}) {tree.operator} ({written(tree.right)})"
    return f'"{tree.name}"' if isinstance(tree, Group) else "everyone"


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (["Year 7"], "Year 7"),
        (["Year 7", "Choir"], "Year 7 + Choir"),
        (["Kew - Foxton", "Staff", "everyone"], '"Kew - Foxton" + "Staff" + "everyone"'),
        (["7B (maths)"], '"7B (maths)"'),
        (['The "A" team', "Choir"], "Choir"),
        ([], ""),
    ],
)
def test_groups_that_were_ticked_are_said_as_somebody_would_type_them(listed: list[str], said: str) -> None:
    assert all_of(listed) == said


@given(st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1), max_size=4))
def test_what_was_ticked_is_what_is_read(listed: list[str]) -> None:
    meant = [name for name in listed if '"' not in name and name.strip()]
    said = all_of(meant)
    if said and len(said) <= LONGEST:
        assert list(map(fold, names(parse(said)))) == list(map(fold, meant))
