"""Templates at a page: listed, written, used, changed, given up; another department's are not there."""

from __future__ import annotations

import pytest

from broker.announcement import Part
from broker.office import templates
from broker.ports.approvals import OperatorRole
from tests.support.watching import BELL, Serve, Watched
from tests.support.writing import Writer, count, named, writing_school

WORDS = {Part.SHORT: "{pupil}: rehearsal at {time} in {place}."}
ONE = "/watch/templates/one?department=office&name=Rehearsal&language="
CHANGE = "/watch/templates/change"


def keep(here: Watched, name: str = "Rehearsal", department: str = "office", language: str = "") -> None:
    templates.save(here.tower.house.ports, department, name, WORDS, language=language, actor=BELL)


def test_without_any_the_page_says_what_to_do(here: Watched) -> None:
    html = here.get("/watch/templates")
    assert "There are no templates yet" in html
    assert "watch/templates/new" in html


def test_one_is_written_and_listed_with_what_is_to_be_filled_in(here: Watched) -> None:
    form = Writer(here).open("/watch/templates/new", form="template")
    form.press("", where="/watch/templates/new", name="Early closing", short="We close at {time}.")
    assert form.sent
    assert form.location.endswith("done=template_saved")
    assert "time" in here.get("/watch/templates")


def test_what_is_wrong_with_one_stands_beside_its_field(here: Watched) -> None:
    form = Writer(here).open("/watch/templates/new", form="template")
    form.press("", where="/watch/templates/new", name="Early\x07closing", short="We close at {time}.")
    assert form.status == 422
    assert 'id="wrong-name"' in form.html
    form.form = "template"
    assert form.fields["short"] == ["We close at {time}."]
    form.press("", where="/watch/templates/new", name="Early closing", short=" ")
    assert 'id="wrong-short"' in form.html


def test_its_words_are_changed_as_a_new_version_and_the_file_stays(here: Watched) -> None:
    form = Writer(here).open("/watch/templates/new", form="template").attach("slip.pdf", b"%PDF")
    form.press("", where="/watch/templates/new", name="Rehearsal", short="At {time}.")
    form.open(f"{CHANGE}?department=office&name=Rehearsal&language=", form="template")
    assert "slip.pdf" in form.html
    form.press("", where=CHANGE, short="At {time} today.")
    assert form.sent
    html = here.get(ONE)
    assert "At {time} today." in html
    assert "Its versions" in html
    assert "slip.pdf" in html
    assert "At {time}." in here.get(f"{ONE}&version=1")


def test_one_is_used_with_its_gaps_as_fields(here: Watched) -> None:
    keep(here)
    writer = Writer(here).open("/watch/write?template=Rehearsal")
    assert "Stands where the template says {time}" in writer.text
    writer.press("look", groups=["Choir"], fill_time="15:30")
    assert writer.status == 422
    assert 'id="wrong-fill_place"' in writer.html
    assert writer.fields["fill_time"] == ["15:30"]
    writer.press("look", fill_place="the hall")
    assert "Amy: rehearsal at 15:30 in the hall." in writer.text
    assert writer.press("send").sent


def test_other_words_this_once_stand_in_its_place(here: Watched) -> None:
    keep(here)
    writer = Writer(here).open("/watch/write?template=Rehearsal")
    filled = {"fill_time": "15:30", "fill_place": "the hall"}
    writer.press("look", groups=["Choir"], short="No rehearsal today.", **filled)
    assert "No rehearsal today." in writer.text


def test_choosing_one_keeps_what_was_filled_in(here: Watched) -> None:
    keep(here)
    keep(here, language="cy")
    writer = Writer(here).open().press("template::Rehearsal", groups=["Year 7"], people="both")
    assert writer.fields["template"] == ["Rehearsal"]
    assert writer.fields["groups"] == ["Year 7"]
    assert writer.fields["people"] == ["both"]
    writer.press("template:cy:Rehearsal")
    assert writer.fields["template_language"] == ["cy"]
    assert "template" not in writer.press("template:").fields


def test_one_is_given_up_and_can_be_written_again(here: Watched) -> None:
    keep(here)
    token = Writer(here).open().fields["token"][0]
    sent = here.client.post(
        "/watch/templates/retire",
        data={"token": token, "department": "office", "name": "Rehearsal"},
        headers={"Origin": here.url},
    )
    assert sent.status_code == 303
    assert "Rehearsal" not in here.get("/watch/templates")
    assert "no such page" in here.get(ONE, 404).lower() or here.client.get(ONE).status_code == 404
    keep(here)
    assert "Rehearsal" in here.get("/watch/templates")


@pytest.mark.parametrize(
    "path",
    [
        ONE,
        f"{CHANGE}?department=office&name=Rehearsal&language=",
        "/watch/write?department=office&template=Rehearsal",
        "/watch/templates/one?department=music&name=Rehearsal",
        "/watch/templates/one?department=music&name=%00&language=%00",
        "/watch/templates/one?department=music&name=Music&version=9999999999999999999",
    ],
)
def test_another_departments_is_not_there(serve: Serve, path: str) -> None:
    here = writing_school(serve)
    keep(here)
    keep(here, "Music", "music")
    here.sign_in(actor=named(here, "Mr Reed", OperatorRole.AUTHOR, department="music"))
    assert here.client.get(path).status_code == 404
    html = here.get("/watch/templates")
    assert "Music" in html
    assert "Rehearsal" not in html


def test_who_only_looks_writes_none(serve: Serve) -> None:
    here = writing_school(serve)
    keep(here)
    named(here, "The Head", OperatorRole.ADMIN)
    here.sign_in(actor=named(here, "Mr Look", OperatorRole.AUDITOR))
    html = here.get("/watch/templates")
    assert "Rehearsal" in html
    assert "templates/new" not in html
    assert here.client.get("/watch/templates/new").status_code == 403
    assert count(here) == 0
