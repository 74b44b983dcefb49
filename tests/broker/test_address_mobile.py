"""Mobile numbers: the many spellings of one, and everything that looks like one and is not."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.address import MAX_RAW, AddressKind, BadAddress, as_dialled, mask, parse_mobile

ONE = "+447911123456"


def refusal(raw: str, region: str = "GB") -> str:
    with pytest.raises(BadAddress) as refused:
        parse_mobile(raw, region)
    problem = refused.value.problem
    assert problem.field == "mobile"
    assert problem.message
    assert problem.hint
    digits = "".join(character for character in raw if character.isdigit())
    assert len(digits) < 4 or digits not in str(problem)
    return problem.code


@pytest.mark.parametrize(
    "raw",
    [
        "+447911123456",
        "+44 7911 123456",
        "+44 (0)7911 123456",
        "+44 (0) 7911 123456",
        "(+44) 7911 123456",
        "+44-7911-123-456",
        "+44.7911.123456",
        "++447911123456",
        "00447911123456",
        "0044 (0)7911 123456",
        "447911123456",
        "4407911123456",
        "07911123456",
        "07911 123456",
        "(07911) 123456",
        "07911-123-456",
        "07911‐123–456",
        "07911.123.456",
        "07911/123456",
        "7911123456",
        "7911123456.0",
        "'07911123456",
        "\u201907911123456",
        "  07911 123456\n",
        "07911\u00a0123\u202f456",
        "07911\u200b123456",
        "\u202d07911123456\u202c",
        "\u200e+447911123456\u200e",
        "\ufeff07911123456",
        "０７９１１１２３４５６",
        "＋４４７９１１１２３４５６",
        "٠٧٩١١١٢٣٤٥٦",
    ],
)
def test_every_spelling_of_one_number_becomes_one(raw):
    assert parse_mobile(raw, "GB") == ONE


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("landline", "020 7946 0123"),
        ("landline", "+44 20 7946 0123"),
        ("emergency", "999"),
        ("emergency", "112"),
        ("emergency", "911"),
        ("short_code", "60060"),
        ("short_code", "118118"),
        ("short_code", "101"),
        ("premium", "0909 879 0000"),
        ("premium", "0871 234 5678"),
        ("personal", "070 1112 3456"),
        ("satellite", "+8816 1234 5678"),
        ("satellite", "+870 773 111 632"),
        ("satellite", "+882 1312 3456"),
        ("pager", "07640 123456"),
        ("voip", "056 1234 5678"),
        ("not_a_mobile", "0345 123 4567"),
        ("not_a_mobile", "0800 123456"),
        ("fictional", "07700 900123"),
        ("fictional", "+447700900999"),
        ("not_in_use", "01999 999999"),
        ("extension", "07911 123456 x3"),
        ("extension", "07911123456 ext. 12"),
        ("extension", "07911123456#3"),
        ("extension", "+447911123456;ext=3"),
        ("extension", "020 7946 0123 extension 4"),
        ("two_in_cell", "07911123456/07911123457"),
        ("two_in_cell", "07911123456, 07911123457"),
        ("two_in_cell", "07911 123456 07911 123457"),
        ("two_in_cell", "07911 123456 or 07911 123457"),
        ("two_in_cell", "07911123456\n07911123457"),
        ("two_in_cell", "0791112345607911123457"),
        ("two_in_cell", "+447911123456+447911123457"),
        ("two_in_cell", "07911123456 (home 020 7946 0123)"),
        ("spreadsheet_damaged", "4.47E+11"),
        ("spreadsheet_damaged", "4.47911123456E+11"),
        ("spreadsheet_damaged", "4,47E+11"),
        ("spreadsheet_damaged", "7.91e9"),
        ("spreadsheet_damaged", "##########"),
        ("spreadsheet_damaged", "#N/A"),
        ("spreadsheet_damaged", "#REF!"),
        ("too_short", "07911 12345"),
        ("too_short", "07"),
        ("too_long", "07911 1234567"),
        ("too_long", "0447911123456"),
        ("too_long", "0" * (MAX_RAW + 1)),
        ("unknown_country", "+999 123456"),
        ("unknown_country", "+07911123456"),
        ("not_a_number", "07911 123456 (mum)"),
        ("not_a_number", "Mum 07911 123456"),
        ("not_a_number", "0791I 123456"),
        ("not_a_number", "0800 FLOWERS"),
        ("not_a_number", "none"),
        ("not_a_number", "-"),
        ("not_a_number", "07911\x00123456"),
        ("not_a_number", "07911\n123456"),
        ("not_a_number", "07911\ud800123456"),
        ("empty", ""),
        ("empty", " \u200b\u00a0"),
    ],
)
def test_what_is_not_one_mobile_is_refused_with_its_kind(code, raw):
    assert refusal(raw) == code


def test_the_region_reads_a_number_without_a_country_code():
    assert parse_mobile("085 123 4567", "IE") == "+353851234567"
    assert refusal("085 123 4567", "GB") == "too_short"


def test_a_number_from_abroad_keeps_its_country():
    assert parse_mobile("+353 85 123 4567", "GB") == "+353851234567"


def test_the_islands_that_share_the_country_code_are_mobiles_too():
    assert parse_mobile("07624 123456", "GB") == "+447624123456"  # Isle of Man
    assert parse_mobile("07797 712345", "GB") == "+447797712345"  # Jersey


def test_a_north_american_number_passes_because_it_does_not_tell_its_kind():
    assert parse_mobile("+1 603 777 8888", "GB") == "+16037778888"


def test_a_region_that_does_not_exist_is_a_refusal_and_no_crash():
    assert refusal("07911 123456", "ZZ") == "unknown_country"


anything = st.text(st.characters(), max_size=60) | st.text(
    alphabet="+0123456789 ()-./eE,;x#'\u00a0\u200b", max_size=40
)


@given(anything, st.sampled_from(["GB", "IE", "US", "PL", "ZZ", ""]))
def test_parsing_never_raises_anything_but_a_refusal(raw, region):
    try:
        parsed = parse_mobile(raw, region)
    except BadAddress:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(parsed, None))


@given(
    st.integers(min_value=7_400_000_000, max_value=7_999_999_999), st.sampled_from(["0", "+44", "0044", ""])
)
def test_parsing_a_second_time_changes_nothing(national, prefix):
    try:
        parsed = parse_mobile(f"{prefix}{national}", "GB")
    except BadAddress:
        return
    assert parse_mobile(parsed, "GB") == parsed
    assert parse_mobile(parsed, "US") == parsed


def test_a_masked_number_shows_its_country_and_three_digits():
    assert mask(AddressKind.MOBILE, ONE) == "+44 ••• ••• 456"


@given(anything)
def test_masking_never_shows_more_than_three_digits_in_a_row_of_the_number(raw):
    masked = mask(AddressKind.MOBILE, raw)
    digits = "".join(character for character in raw if character.isdigit())
    assert len(digits) < 6 or digits not in masked.replace(" ", "")
    assert sum(character.isdigit() for character in masked) <= 6


def test_a_number_is_written_as_somebody_at_the_school_dials_it():
    assert as_dialled("+447911123456", "GB") == "07911 123456"
    assert as_dialled("+353850123456", "GB") == "+353 85 012 3456"
