"""What leaves for a spreadsheet is text there, whatever somebody once typed into a form."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.office.sheets import as_csv, neutral
from broker.rosters.roster import as_listed
from tests.support.payloads import CELLS, HOSTILE, MARKUP

FORMULAS = ["=1+1", "+44 7911", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "=HYPERLINK(…)", "＝1"]
OBEYED = "=+-@＝＋－＠\t\r\n"


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_would_obey_becomes_text(cell):
    assert neutral(cell) == f"'{cell}"


@pytest.mark.security
@pytest.mark.parametrize("cell", [*CELLS, *MARKUP, *HOSTILE])
def test_no_payload_begins_a_formula_in_a_table_that_leaves(cell):
    (read,) = csv.reader(io.StringIO(as_csv((cell,), []).removeprefix("\ufeff"), newline=""))
    assert not read[0].lstrip().startswith(tuple(OBEYED))
    assert read[0] in {cell, f"'{cell}"}


def test_everything_else_is_left_alone():
    assert [neutral(cell) for cell in ("Zoë", "7B", 12, None, "", "a=b")] == [
        "Zoë",
        "7B",
        "12",
        "",
        "",
        "a=b",
    ]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=2, max_size=2)))
def test_a_table_comes_back_cell_by_cell_and_no_cell_begins_a_formula(rows):
    told = as_csv(("who", "=what"), rows)
    read = list(csv.reader(io.StringIO(told.removeprefix("\ufeff"), newline="")))
    assert read == [["who", "'=what"], *([neutral(cell) for cell in row] for row in rows)]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in read for cell in row)


def test_forms_are_sorted_as_a_school_lists_them():
    forms = ["10C", "", "7B", "Year 10", "Reception", "9A", "Year 7", "7a"]
    assert sorted(forms, key=as_listed) == ["7a", "7B", "9A", "10C", "Reception", "Year 7", "Year 10", ""]
