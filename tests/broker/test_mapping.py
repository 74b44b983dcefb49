"""A mapping: columns by header, by which of several, by position; made on a report and found again in the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import BadMapping
from broker.rosters.mapping import (
    FIELDS,
    NO_HEADERS,
    Column,
    Encoding,
    ReportMapping,
    Rows,
    fold_header,
    letter,
    make,
    places,
)

HEADERS = ["Adno", "Name", "Mobile", "Email", "Mobile", "", "Password"]
LEAST = {"id": "Adno", "name": "Name"}


def refused(wanted: dict[str, str], name: str = "sims", rows: Rows = Rows.PUPILS) -> tuple[str, str]:
    with pytest.raises(BadMapping) as found:
        make(name, HEADERS, wanted, rows=rows)
    assert found.value.problem.message
    assert found.value.problem.hint
    return found.value.problem.code, found.value.problem.field


def test_a_column_is_named_by_header_by_which_of_several_or_by_position():
    wanted = {**LEAST, "mobile": "mobile#2", "phone": "@C", "email": "@4", "guardian1.name": " NAME "}
    mapping = make("sims", HEADERS, wanted)
    assert places(mapping, HEADERS) == {
        "id": 0,
        "name": 1,
        "mobile": 4,
        "phone": 2,
        "email": 3,
        "guardian1.name": 1,
    }
    assert mapping.columns["mobile"].told == "Mobile (2 of 2)"
    assert mapping.columns["phone"].told == "column C (Mobile)"
    assert make("sims", HEADERS, {**LEAST, "form": "@F"}).columns["form"].told == "column F"


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        ({"name": "Name"}, "missing_field", "id"),
        ({"id": "Adno", "guardian1.mobile": "@C"}, "missing_field", "guardian1.name"),
        ({**LEAST, "nickname": "Name"}, "unknown_field", "nickname"),
        ({**LEAST, "guardian0.name": "Name"}, "unknown_field", "guardian0.name"),
        ({**LEAST, "guardian10.name": "Name"}, "unknown_field", "guardian10.name"),
        ({**LEAST, "mobile": "Mobile"}, "repeated_header", "mobile"),
        ({**LEAST, "mobile": "Mobile#3"}, "unknown_column", "mobile"),
        ({**LEAST, "mobile": "Mobil"}, "unknown_column", "mobile"),
        ({**LEAST, "mobile": "@H"}, "unknown_column", "mobile"),
        ({**LEAST, "mobile": "@0"}, "unknown_column", "mobile"),
        ({**LEAST, "mobile": ""}, "unknown_column", "mobile"),
        ({**LEAST, "given_name": "Name"}, "name_twice", "name"),
        ({**LEAST, "form": "Password"}, "password_column", "form"),
        ({**LEAST, "form": "@G"}, "password_column", "form"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_and_says_why(wanted, code, field):
    assert refused(wanted) == (code, field)


@pytest.mark.parametrize("name", ["", "SIMS", "a b", "-a", "a-", "x" * 64, "../etc", "é"])
def test_a_name_is_letters_digits_and_hyphens(name):
    assert refused(LEAST, name) == ("bad_name", "name")


def test_staff_have_no_guardians_and_must_have_names():
    assert refused({**LEAST, "guardian1.name": "Name"}, rows=Rows.STAFF)[0] == "unknown_field"
    assert refused({"id": "Adno"}, rows=Rows.STAFF) == ("missing_field", "name")


@pytest.mark.parametrize(
    "headers",
    [
        ["Adno", "Name", "Mobile", "Email", "Home", "", ""],  # one of two is gone
        ["Adno", "Name", "Mobile", "Mobile", "Mobile", "", ""],  # one of two has become three
        ["Adno", "Name", "Home", "Email", "Mobile", "Mobile", ""],  # what stood at C stands there no more
        ["Adno", "Name"],
        [],
    ],
)
def test_columns_that_have_moved_are_refused(headers):
    mapping = make("sims", HEADERS, {**LEAST, "mobile": "Mobile#2", "phone": "@C"})
    with pytest.raises(BadMapping) as found:
        places(mapping, headers)
    assert found.value.problem.code == "columns_moved"


def test_repeated_headers_must_stand_in_the_order_in_which_they_stood():
    headers = ["Id", "Name", "Mobile", "Email", "Name", "Mobile", "Email"]
    wanted = {
        "id": "Id",
        "guardian1.name": "Name#1",
        "guardian1.mobile": "Mobile#1",
        "guardian2.name": "Name#2",
    }
    mapping = make("sims", headers, wanted)
    assert places(mapping, ["New", *headers])["guardian2.name"] == 5
    with pytest.raises(BadMapping):
        places(mapping, ["Id", "Name", "Name", "Mobile", "Mobile", "Email", "Email"])


@given(st.integers(0, 20_000))
def test_a_columns_letter_is_found_again(at):
    mapping = make("x", [""] * at + ["Adno"], {"id": f"@{letter(at)}"}) if at < 700 else None
    assert mapping is None or mapping.columns["id"].at == at
    assert letter(at).isalpha()


def test_letters_are_those_of_a_spreadsheet():
    assert [letter(at) for at in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


columns = st.builds(
    Column, st.text(max_size=20), st.integers(0, 500), st.integers(1, 9), st.integers(1, 9), st.booleans()
)
kept = st.builds(
    ReportMapping,
    st.just("sims"),
    st.sampled_from(Rows),
    st.dictionaries(st.sampled_from(FIELDS), columns, max_size=5),
    st.integers(1, 30),
    st.sampled_from(Encoding),
)


@given(kept)
def test_a_mapping_comes_back_from_the_ledger_as_it_went(mapping):
    assert ReportMapping.of_json(mapping.as_json()) == mapping


@given(st.text(max_size=30))
def test_headers_are_compared_without_case_and_with_single_spaces(header):
    assert fold_header(f"  {header}\t ") == fold_header(header)


def test_without_headers_columns_are_named_by_their_place_and_counted():
    mapping = make("bare", [""] * 4, {"mobile": "@D", "name": "@B", "id": "@A"}, header_row=NO_HEADERS)
    assert list(mapping.columns) == ["id", "name", "mobile"], "told in one order, however it was typed"
    assert places(mapping, [""] * 4) == {"id": 0, "name": 1, "mobile": 3}
    assert ReportMapping.of_json(mapping.as_json()) == mapping
    with pytest.raises(BadMapping) as moved:
        places(mapping, [""] * 5)
    assert moved.value.problem.code == "columns_moved"
    with pytest.raises(BadMapping) as named:
        make("bare", [""] * 4, {"id": "Adno"}, header_row=NO_HEADERS)
    assert "@B" in named.value.problem.hint
