"""Emails: one spelling each, and what a mail server or a header would trip over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.address import MAX_RAW, AddressKind, BadAddress, fold_email, mask, parse_email


def refusal(raw: str) -> str:
    with pytest.raises(BadAddress) as refused:
        parse_email(raw)
    problem = refused.value.problem
    assert problem.field == "email"
    assert problem.message
    assert problem.hint
    assert len(raw) < 6 or raw.strip() not in str(problem)
    return problem.code


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        ("ann.lee@example.org", "ann.lee@example.org"),
        ("Ann.Lee@EXAMPLE.org", "Ann.Lee@example.org"),
        (" ann@example.org\r\n", "ann@example.org"),
        ("\ufeffann@example.org\u200b", "ann@example.org"),
        ("\u00a0ann@example.org\u00a0", "ann@example.org"),
        ("ann+choir@mail.example.org", "ann+choir@mail.example.org"),
        ("o'neil@school.example", "o'neil@school.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_an_email_keeps_its_local_part_and_has_its_domain_in_lower_case_ascii(raw, parsed):
    assert parse_email(raw) == parsed


@pytest.mark.parametrize("domain", ["example.org", "example.com", "post.example.org", "school.example"])
def test_the_domains_kept_for_examples_pass_so_that_a_sample_school_behaves_like_a_real_one(domain):
    assert parse_email(f"ann@{domain}") == f"ann@{domain}"


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("two_in_cell", "a@example.org;b@example.org"),
        ("two_in_cell", "a@example.org, b@example.org"),
        ("two_in_cell", "a@example.org b@example.org"),
        ("two_in_cell", "a@example.org/b@example.org"),
        ("two_in_cell", "a@example.org\nb@example.org"),
        ("two_in_cell", "a@example.org\r\nBcc: b@example.org"),
        ("two_in_cell", "Ann <a@example.org>, Bob <b@example.org>"),
        ("line_break", "a@example.org\nhello"),
        ("line_break", "a@exam\r\nple.org"),
        ("line_break", "a\u2028@example.org"),
        ("line_break", "a\x85b@example.org"),
        ("control_character", "a\x00@example.org"),
        ("control_character", "a\x07@example.org"),
        ("control_character", "a\u200b@example.org"),
        ("control_character", "a@\u202eexample.org"),
        ("control_character", "a\ud800@example.org"),
        ("domain_literal", "a@[192.0.2.1]"),
        ("domain_literal", "a@[IPv6:::1]"),
        ("display_name", "Ann Lee <a@example.org>"),
        ("display_name", "<a@example.org>"),
        ("quoted", '"ann lee"@example.org'),
        ("quoted", '"a@b"@example.org'),
        ("not_ascii", "zoë@example.org"),
        ("too_long", "x" * 65 + "@example.org"),
        ("too_long", "a@" + ".".join(["y" * 60] * 4) + ".example.org"),
        ("too_long", "a@" + ".".join(["ü" * 30] * 5) + ".example.org"),
        ("too_long", "a@example.org" + " " * MAX_RAW),
        ("not_an_email", "ann"),
        ("not_an_email", "ann@"),
        ("not_an_email", "@post.example.org"),
        ("not_an_email", "a@b@example.org"),
        ("not_an_email", "a..b@example.org"),
        ("not_an_email", ".a@example.org"),
        ("not_an_email", "a b@example.org"),
        ("not_an_email", "a@example.org,"),
        ("not_an_email", "mailto:a@example.org"),
        ("not_an_email", "a@example"),
        ("not_an_email", "a@localhost"),
        ("not_an_email", "a@school.local"),
        ("not_an_email", "a@school.test"),
        ("not_an_email", "a@192.0.2.1"),
        ("empty", ""),
        ("empty", " \u00a0\ufeff"),
    ],
)
def test_what_is_not_one_email_is_refused_with_its_kind(code, raw):
    assert refusal(raw) == code


def test_two_emails_that_differ_by_case_fold_to_one():
    assert fold_email(parse_email("Ann.Lee@Example.org")) == fold_email(parse_email("ann.lee@example.ORG"))


def test_a_masked_email_shows_two_letters_and_the_last_label():
    assert mask(AddressKind.EMAIL, "ann.lee@dunmore.sch.uk") == "a•••@d•••.uk"


def test_a_short_local_part_is_masked_whole():
    assert mask(AddressKind.EMAIL, "al@example.org") == "•••@e•••.org"


anything = st.text(st.characters(), max_size=80) | st.from_regex(
    r"[a-zA-Z0-9.\"<>; ]{0,12}@[a-zA-Z0-9.\[\]-]{0,16}\s?", fullmatch=True
)


@given(anything)
def test_parsing_never_raises_anything_but_a_refusal(raw):
    try:
        parsed = parse_email(raw)
    except BadAddress:
        return
    assert parsed.isascii()
    assert parse_email(parsed) == parsed
    assert len(parsed) <= 254


@given(st.emails() | anything)
def test_masking_never_shows_the_local_part(raw):
    shown, _, _ = mask(AddressKind.EMAIL, raw).partition("@")
    local = raw.rpartition("@")[0]
    assert not local or local not in shown
