"""What a text says, and what is done to it to keep it short."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import pytest

from broker.announcement import Attachment, Content, Part
from broker.channel import Recipient
from broker.testing.channel_bench import plain
from channels.sms.render import Style, check, render
from channels.sms.transliterate import transliterate

STYLE = Style()


def body(text: str, *names: str, style: Style = STYLE) -> str:
    return str(render(plain(text), Recipient("+447911123456", names), style).fields["body"])


def test_a_family_of_four_is_named_once_in_one_text():
    said = body("School is closed on Friday.", "Amy", "Ben", "Cal", "Dee")
    assert said == "For Amy, Ben, Cal and Dee: School is closed on Friday."


def test_one_pupil_is_named_only_where_the_writer_asked_for_it():
    assert body("School is closed.", "Amy") == "School is closed."
    assert body("Please collect {pupil} at 15:00.", "Amy") == "Please collect Amy at 15:00."


def test_a_doubtful_address_gets_no_names():
    assert body("Please collect {pupil} at 15:00.") == "Please collect your child at 15:00."


def test_curly_quotes_dashes_and_ellipses_are_written_plainly():
    assert body("“It’s on” – at 6 pm…") == '"It\'s on" - at 6 pm...'


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("don’t", "don't"),
        ("6\u00a0pm", "6 pm"),
        ("a\tb", "a b"),
        ("so\u200bft\u00ad", "soft"),
        ("• milk", "- milk"),
        ("back`tick", "back'tick"),
    ],
)
def test_each_needless_character_has_a_plain_form(typed, sent):
    assert transliterate(typed) == sent


def test_what_would_change_its_meaning_is_left_alone():
    assert transliterate("1½ hours") == "1½ hours"


def test_a_name_keeps_its_letters_and_the_text_its_typography_when_it_is_long_anyway():
    assert body("It’s {pupil}’s turn…", "Zoë") == "It’s Zoë’s turn…"
    assert body("It’s {pupil}’s turn…", "Chloé") == "It's Chloé's turn..."


def test_a_school_may_keep_its_typography_at_its_price():
    kept = render(plain("It’s on"), Recipient(""), Style(transliterate=False))
    assert kept.fields["body"] == "It’s on"
    assert any("70 characters" in note for note in kept.notes)


def test_what_was_changed_is_noted():
    message = render(plain("It’s on – tonight"), Recipient(""), STYLE)
    assert len(message.notes) == 1
    assert "’ –" in message.notes[0]
    assert render(plain("It is on"), Recipient(""), STYLE).notes == ()


def test_the_digest_is_of_the_text_as_it_leaves():
    message = render(plain("  It’s on \n"), Recipient(""), STYLE)
    assert message.digest == hashlib.sha256(b"It's on").hexdigest()


def test_a_text_that_is_too_long_is_told_in_texts_with_a_way_out():
    (problem,) = check(plain("a" * 1_000), STYLE)
    assert (problem.code, problem.field) == ("text_too_long", "short")
    assert "7 texts" in problem.message
    (dear,) = check(plain("ë" * 500), STYLE)
    assert "ë" in dear.hint


def test_an_empty_text_is_refused():
    (problem,) = check(Content(1, "", {Part.TITLE: "Only a title"}), STYLE)
    assert problem.code == "empty_text"


def test_the_longest_wording_still_leaves_room_for_a_familys_names():
    style = Style(max_segments=9)
    longest = plain("a" * 9 * 153)
    assert not check(longest, style)
    family = Recipient("", ("Bartholomew", "Maximiliana", "Christopher", "Alexandrina"))
    assert len(str(render(longest, family, style).fields["body"])) <= 1_600


def test_rendering_costs_microseconds():
    content = plain("The winter concert begins at 18:30 in the hall. " * 3)
    people = [Recipient("+447911123456", ("Amy", f"Ben{n}")) for n in range(2_000)]
    begun = time.thread_time()
    for to in people:
        render(content, to, STYLE)
    assert (time.thread_time() - begun) / len(people) < 200e-6  # measured: 9 µs


def test_a_text_links_to_each_file_and_counts_the_links():
    file = Attachment("0" * 64, "plan.pdf", "application/pdf", b"x", "t" * 22)
    content = Content(1, "", {Part.SHORT: "See the plan."}, (file,))
    linked = render(content, Recipient("+447911123456"), Style(public_url="https://school.example"))
    assert linked.fields["body"] == f"See the plan.\nplan.pdf https://school.example/f/{'t' * 22}"
    # Without a public address there is nowhere for it to lead: the file goes with the mail alone.
    alone = render(content, Recipient("+447911123456"), Style())
    assert alone.fields["body"] == "See the plan."
    # What is checked before there is a token is as long as what will leave.
    draft = replace(content, attachments=(replace(file, token=""),))
    before = render(draft, Recipient("+447911123456"), Style(public_url="https://school.example"))
    assert len(before.fields["body"]) == len(linked.fields["body"])


def test_the_characters_that_make_a_text_dearer_are_named_each_once():
    said = render(plain("Ŵyn and ŵŵ: 🎺 at 3"), Recipient("+447911123456"), STYLE)
    assert said.costly == ("Ŵ", "ŵ", "🎺")
    assert render(plain("“Plain” – in the end…"), Recipient("+447911123456"), STYLE).costly == ()
