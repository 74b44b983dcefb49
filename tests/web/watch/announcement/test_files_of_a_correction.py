"""A correction's files: those that went along are listed and can be taken out, others chosen; none is lost."""

from __future__ import annotations

import re

import pytest

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Attachment, Draft, Part, People, Step
from tests.support.forms import press, press_with
from tests.support.watching import Serve, Watched
from tests.support.writing import writing_school
from tests.web.watch.announcement.test_announcement_actions import led_to
from tests.web.watch.announcement.test_announcement_pages import text_of

LETTER = Attachment.of("letter.pdf", b"%PDF the wrong letter")
SHOW, SEND = "Show what it would do", "Send the correction"
RIGHT = {"file1": ("right.pdf", b"%PDF the right letter")}


@pytest.fixture
def here(serve: Serve) -> Watched:
    return writing_school(serve)


@pytest.fixture
def said(here: Watched) -> Announcement:
    """A mail with a letter; the feed has it as well."""
    draft = Draft(
        department="office",
        audience="Year 7",
        people=People.GUARDIANS,
        ways=(Step(("email", "rss")),),
        parts={Part.SHORT: "The coach leaves at eight."},
        attachments=(LETTER,),
    )
    return intake.accept(here.tower.house.ports, draft, actor=SYSTEM).announcement


def files_of(here: Watched, said: Announcement) -> list[tuple[str, bytes]]:
    with here.ledger.look() as tx:
        (content,) = tx.announcements.content(said.id, 1)
    return [(file.name, file.data) for file in content.attachments]


def test_the_files_that_went_along_go_with_what_is_right_unless_somebody_takes_them_out(
    here: Watched, said: Announcement
) -> None:
    assert "With letter.pdf." in here.get(f"/watch/{said.public_id}")
    page = f"/watch/{said.public_id}/correct"
    html = here.get(page)
    assert re.search(r'name="kept" value="letter\.pdf:sha256:[0-9a-f]{64}" checked', html)
    shown = press(here, page, SHOW, html, short="The coach leaves at nine.")
    assert "Files letter.pdf" not in text_of(shown.text)
    told = led_to(here, press(here, page, SEND, shown.text))
    assert files_of(here, told) == [("letter.pdf", LETTER.data)]


def test_another_file_goes_in_its_place_and_travels_from_page_to_page(
    here: Watched, said: Announcement
) -> None:
    page = f"/watch/{said.public_id}/correct"
    shown = press_with(here, page, SHOW, RIGHT, kept=None)  # the same words, with the right letter
    assert shown.status_code == 200, text_of(shown.text)
    assert "Files taken out: letter.pdf new: right.pdf" in text_of(shown.text)
    back = press(here, page, "Change the words", shown.text)
    assert "right.pdf" in back.text
    shown = press(here, page, SHOW, back.text, lead="x" * 90)
    assert 'id="wrong-lead"' in shown.text
    assert "right.pdf" in shown.text
    shown = press(here, page, SHOW, shown.text, lead="Correction:", short="The coach leaves at nine.")
    told = led_to(here, press(here, page, SEND, shown.text))
    assert files_of(here, told) == [("right.pdf", b"%PDF the right letter")]


def test_what_was_seen_is_what_is_sent_files_too(here: Watched, said: Announcement) -> None:
    page = f"/watch/{said.public_id}/correct"
    shown = press(here, page, SHOW, short="The coach leaves at nine.")
    other = press_with(here, page, SEND, RIGHT, shown.text)
    assert other.status_code == 422
    assert "It is not what you looked at" in text_of(other.text)


def test_a_file_that_is_not_its_own_is_nobodys_to_send(here: Watched, said: Announcement) -> None:
    page = f"/watch/{said.public_id}/correct"
    odd = press(here, page, SHOW, short="At nine.", kept=f"other.pdf:sha256:{'0' * 64}")
    assert odd.status_code == 422
    assert 'id="wrong-file1"' in odd.text
    assert "At nine." in odd.text


def test_the_same_words_without_another_file_are_no_correction(here: Watched, said: Announcement) -> None:
    page = f"/watch/{said.public_id}/correct"
    same = press(here, page, SHOW, kept=None)
    assert same.status_code == 422
    assert "This is what was said before" in text_of(same.text)


def test_a_slip_of_the_pen_changes_words_and_no_file(here: Watched, said: Announcement) -> None:
    page = f"/watch/{said.public_id}/correct"
    odd = press_with(here, page, SHOW, RIGHT, short="The coach leaves at eight!", typo="yes")
    assert odd.status_code == 422
    assert 'id="wrong-file1"' in odd.text
    shown = press(here, page, SHOW, short="The coach leaves at eight!", typo="yes")
    assert shown.status_code == 200, text_of(shown.text)
    mended = led_to(here, press(here, page, "Put it right, and tell nobody", shown.text))
    assert files_of(here, mended) == []
