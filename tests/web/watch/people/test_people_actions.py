"""What can be done about people from their pages: by the verbs that the command calls, and with a way back."""

from __future__ import annotations

import re

from sqlalchemy import func, select

from broker.actor import SYSTEM, Actor
from broker.office import groups
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.forms import press
from tests.support.staff import name
from tests.support.watching import Watched
from tests.web.watch.people.conftest import address_of, group_of, id_of, recorded, said

NUMBER, SHARED = "+447911100001", "+447911100009"


def followed(here: Watched, answer: object) -> str:
    """The page that a form led to, as its words."""
    assert answer.status_code == 303, said(answer.text)  # type: ignore[attr-defined]
    return said(here.client.get(str(answer.url.join(answer.headers["location"]))).text)  # type: ignore[attr-defined]


def as_(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Actor:
    """Somebody named, signed in instead; an admin is there too, or everybody would be one."""
    name(here, "Mr Head", OperatorRole.ADMIN)
    actor = name(here, who, *roles, department=department)
    here.client.cookies.clear()
    here.sign_in(actor=actor)
    return actor


# --- a block ----------------------------------------------------------------------------------------------------------


def test_a_guardian_is_blocked_from_a_child_and_an_admin_lifts_it(here):
    path = f"/watch/people/{id_of(here, 'gwen')}/block/{id_of(here, 'hugo')}"
    nothing = press(here, path, "Block them", why="")
    assert nothing.status_code == 422
    assert "Say why" in said(nothing.text)
    words = followed(here, press(here, path, "Block them", why="order of 3 March"))
    assert "Nothing about this child goes to them" in words
    assert "blocked: hears nothing about this child" in words
    assert "guardianship.blocked" in recorded(here)
    assert "The block is lifted" in followed(here, press(here, path, "Lift the block", why="order is over"))
    assert "guardianship.unblocked" in recorded(here)


def test_whoever_is_blocked_may_be_named_by_a_whole_name(here):
    path = f"/watch/people/{id_of(here, 'gwen')}/block"
    nobody = press(here, path, "Block them", who="Nobody Bell", why="order")
    assert nobody.status_code == 422
    assert 'value="Nobody Bell"' in nobody.text  # what was typed is kept
    assert "Nobody at the school is called this" in said(nobody.text)
    followed(here, press(here, path, "Block them", who="Hugo Bell", why="order"))
    with here.ledger.reading() as hand:
        blocked = select(func.count()).where(t.guardianship.c.blocked, t.guardianship.c.by_hand)
        assert hand.connection.execute(blocked).scalar_one() == 1


def test_an_author_blocks_and_does_not_lift(here):
    as_(here, "Mrs Ward", OperatorRole.AUTHOR)
    path = f"/watch/people/{id_of(here, 'gwen')}/block/{id_of(here, 'hugo')}"
    followed(here, press(here, path, "Block them", why="order"))
    assert "Only an administrator" in said(here.get(path))
    token = {"token": re.search(r'name="token" value="([^"]+)"', here.get(path))[1]}  # type: ignore[index]
    fields = {**token, "do": "lift", "guardian": str(id_of(here, "hugo")), "why": "x"}
    sent = here.client.post(path.rsplit("/", 1)[0], data=fields, headers={"Origin": here.url})
    assert sent.status_code == 403


# --- consent and opt-outs ---------------------------------------------------------------------------------------------


def test_a_yes_and_a_no_are_kept_with_how_they_came(here):
    path = f"/watch/people/{id_of(here, 'mum')}/consent/new"
    empty = press(here, path, "Keep it", given="yes", channel="bell", source="")
    assert empty.status_code == 422
    words = followed(
        here,
        press(here, path, "Keep it", given="yes", channel="bell", purpose="promotional", source="paper form"),
    )
    assert "paper form" in words
    words = followed(
        here,
        press(
            here, path, "Keep it", given="no", channel="bell", purpose="promotional", source="telephone call"
        ),
    )
    assert "said otherwise since" in words
    assert recorded(here).count("consent.kept") == 2
    assert "0 say yes, 1 says no" in said(here.get("/watch/consent"))


def test_a_filled_in_sheet_is_looked_at_before_it_is_kept(here):
    sheet = "person,channel,given,source\nmum,bell,yes,form\ndad,bell,no,form\nfay,bell,,form\n"
    path = "/watch/consent/import"
    token = re.search(r'name="token" value="([^"]+)"', here.get(path))[1]  # type: ignore[index]
    files, headers = {"file": ("forms.csv", sheet, "text/csv")}, {"Origin": here.url}
    looked = here.client.post(path, data={"token": token}, files=files, headers=headers)
    assert looked.status_code == 200
    assert "1 yes and 1 no" in said(looked.text)
    assert "consent.kept" not in recorded(here)
    form = {"token": token, "do": "keep", "sheet": sheet}
    assert "The sheet is kept" in followed(here, here.client.post(path, data=form, headers=headers))
    wrong = {"file": ("forms.csv", "person,channel,given,source\nnobody,bell,yes,form\n", "text/csv")}
    refused = here.client.post(path, data={"token": token}, files=wrong, headers=headers)
    assert refused.status_code == 422
    assert "Nothing was kept" in said(refused.text)
    assert "Row 2, person" in said(refused.text)


def test_a_sheet_has_a_line_for_everybody_and_the_record_keeps_who_made_it(here):
    page = press(here, "/watch/consent/sheet", "Sheet to print", **{"in": "7B", "who": "guardian"})
    assert page.status_code == 200
    assert "Hugo Bell" in page.text
    assert "reach.listed" in recorded(here)
    table = press(here, "/watch/consent/sheet", "Table to fill in (CSV)", **{"in": "7B", "who": "guardian"})
    assert table.headers["content-disposition"] == 'attachment; filename="consent.csv"'
    assert "hugo,bell,promotional,,,paper form,Hugo Bell," in table.text
    nobody = press(here, "/watch/consent/sheet", "Sheet to print", **{"in": "9Z", "who": "guardian"})
    assert nobody.status_code == 422
    assert "There is no group called" in said(nobody.text)


def test_an_opt_out_is_kept_by_the_office_and_lifted_only_when_whoever_holds_it_asked(here):
    words = followed(
        here,
        press(here, "/watch/optouts/new", "Keep it", address="07911 100001", channel="bell", why="asked"),
    )
    assert "Nothing more goes there by this way" in words
    assert "the office: asked" in words
    assert NUMBER not in words
    path = "/watch/" + re.search(r"watch/(optouts/bell/[0-9a-f]{64})", here.get("/watch/optouts"))[1]  # type: ignore[index]
    assert press(here, path, "Send there again", how="desk", why="wants concerts").status_code == 422
    assert press(here, path, "Send there again", asked="yes", why="wants concerts").status_code == 422
    assert press(here, path, "Send there again", asked="yes", how="desk", why="").status_code == 422
    words = followed(
        here, press(here, path, "Send there again", asked="yes", how="desk", why="wants concerts")
    )
    assert "Messages go there by this way again" in words
    assert recorded(here)[-1] == "optout.lifted"
    assert here.client.get(path).status_code == 404


def test_what_is_no_number_is_said_beside_its_field_and_kept(here):
    wrong = press(here, "/watch/optouts/new", "Keep it", address="12", channel="bell", why="asked")
    assert wrong.status_code == 422
    assert 'id="wrong-address"' in wrong.text
    assert 'value="12"' in wrong.text


# --- doubtful addresses -----------------------------------------------------------------------------------------------


def test_a_shared_number_is_listed_with_who_holds_it_and_stopped_and_heard_again(here):
    listed = said(here.get("/watch/doubtful"))
    assert "Hugo Bell, Ines Bell" in listed
    path = f"/watch/doubtful/{address_of(here, SHARED)}"
    assert "shared: gets no names" in said(here.get(path))
    assert press(here, path, "Send nothing more there", why="").status_code == 422
    words = followed(here, press(here, path, "Send nothing more there", why="the refuge has moved"))
    assert "Nothing more goes there" in words
    assert "the office: the refuge has moved" in words
    with here.ledger.reading() as hand:
        # Every way that goes to a number, also one that the school begins to use later.
        assert set(hand.connection.execute(select(t.suppression.c.channel)).scalars()) == {"bell", "sms"}
    back = "/watch/" + re.search(r"watch/(optouts/bell/[0-9a-f]{64})", here.get(path))[1]  # type: ignore[index]
    followed(here, press(here, back, "Send there again", asked="yes", how="telephone", why="it is theirs"))
    with here.ledger.reading() as hand:
        assert list(hand.connection.execute(select(t.suppression.c.channel)).scalars()) == ["sms"]


def test_an_address_is_confirmed(here):
    path = f"/watch/doubtful/{address_of(here, NUMBER)}"
    assert "It is confirmed" in followed(here, press(here, path, "Confirm it"))
    assert recorded(here)[-1] == "address.confirmed"


# --- somebody's data --------------------------------------------------------------------------------------------------


def test_numbers_are_shown_in_full_for_a_reason_alone(here):
    path = f"/watch/people/{id_of(here, 'mum')}/data"
    assert press(here, path, "Show them", why_reveal="").status_code == 422
    shown = press(here, path, "Show them", why_reveal="rang from another number")
    assert NUMBER in shown.text
    assert recorded(here)[-1] == "addresses.revealed"
    assert NUMBER not in here.get(path)


def test_a_copy_is_a_file_to_keep_and_not_a_page_of_ours(here):
    path = f"/watch/people/{id_of(here, 'mum')}/data"
    page = press(here, path, "A page to read", why_copy="her letter")
    assert page.headers["content-disposition"] == 'attachment; filename="copy-mum.html"'
    assert NUMBER in page.text
    told = press(here, path, "A file for programs", why_copy="her letter").json()
    assert told["person"] == "Mum Bell"
    assert recorded(here)[-1] == "person.copied"


def test_an_erasure_says_first_what_goes_and_wants_the_id_typed(here):
    path = f"/watch/people/{id_of(here, 'fay')}/erase"
    assert "Type the school" not in said(here.get(path))
    looked = press(here, path, "Show what would go")
    assert "Mobile numbers and emails 1" in said(looked.text)
    wrong = press(here, path, "Erase them for good", looked.text, ground="request", confirm="yes")
    assert wrong.status_code == 422
    assert 'id="wrong-confirm"' in wrong.text
    words = followed(
        here, press(here, path, "Erase them for good", looked.text, ground="request", confirm="fay")
    )
    assert "They are erased" in words
    assert here.client.get(path).status_code == 404
    assert "person.erased" in recorded(here)


def test_what_stands_in_the_way_of_an_erasure_is_said(here):
    path = f"/watch/people/{id_of(here, 'rick')}/erase"  # kept from a child by a court order
    looked = said(press(here, path, "Show what would go").text)
    assert "It cannot be done now" in looked
    assert "Erase them for good" not in looked


def test_only_an_admin_copies_and_erases(here):
    as_(here, "Mrs Ward", OperatorRole.AUTHOR)
    home = f"/watch/people/{id_of(here, 'fay')}"
    assert "Erase them" not in said(here.get(f"{home}/data"))
    here.get(f"{home}/erase", 403)


# --- who may see what -------------------------------------------------------------------------------------------------


def test_what_only_an_author_may_is_not_offered_to_somebody_who_writes_nothing(here):
    as_(here, "Mrs Key", OperatorRole.ADMIN)
    home = f"/watch/people/{id_of(here, 'fay')}"
    assert "Show them" not in said(here.get(f"{home}/data"))
    words = said(here.get(f"{home}/consent/new"))
    assert "Yes, they may be written to" not in words
    assert "A yes is kept by somebody who writes announcements" in words
    said_no = {"given": "no", "channel": "bell", "source": "a call"}
    assert "It is kept" in followed(here, press(here, f"{home}/consent/new", "Keep it", **said_no))
    here.get("/watch/consent/import", 403)
    assert "Take in a filled-in sheet" not in said(here.get("/watch/consent"))


def test_somebody_of_a_department_sees_its_groups_and_the_schools_and_no_consent(here):
    ports = here.tower.house.ports
    ours = groups.keep(ports, "Ours", department="music", actor=SYSTEM)
    theirs = groups.keep(ports, "Theirs", department="office", actor=SYSTEM)
    groups.add_members(ports, "Theirs", ["ann"], actor=SYSTEM)
    as_(here, "Mr Horn", OperatorRole.AUTHOR, department="music")
    listed = said(here.get("/watch/groups"))
    assert "Ours" in listed
    assert "Choir" in listed
    assert "Theirs" not in listed
    here.get(f"/watch/groups/{ours.id}/members")
    here.get(f"/watch/groups/{theirs.id}", 404)
    here.get(f"/watch/groups/{theirs.id}/members", 404)
    here.get("/watch/people?in=Theirs", 422)
    here.get("/watch/groups/try?expression=Theirs", 422)
    assert "Theirs" not in said(here.get(f"/watch/people/{id_of(here, 'ann')}"))
    here.get(f"/watch/groups/{group_of(here, 'Choir')}/change", 403)
    for place in ("consent", "optouts", "doubtful", f"people/{id_of(here, 'ann')}/data"):
        here.get(f"/watch/{place}", 403)


def test_who_only_looks_changes_nothing(here):
    as_(here, "A Governor", OperatorRole.AUDITOR)
    gwen = id_of(here, "gwen")
    here.get(f"/watch/people/{gwen}")
    for place in (
        f"people/{gwen}/block",
        f"people/{gwen}/consent/new",
        "optouts/new",
        "groups/new",
        "consent/import",
    ):
        here.get(f"/watch/{place}", 403)
    assert "New group" not in said(here.get("/watch/groups"))


def test_another_sites_form_does_nothing(here):
    path = f"/watch/people/{id_of(here, 'fay')}/erase"
    fields = {"do": "erase", "ground": "request", "confirm": "fay"}
    assert here.client.post(path, data=fields, headers={"Origin": "https://else.example"}).status_code == 403
    assert (
        here.client.post(path, data=fields, headers={"Origin": here.url}).status_code == 403
    )  # without its token
    assert "person.erased" not in recorded(here)
