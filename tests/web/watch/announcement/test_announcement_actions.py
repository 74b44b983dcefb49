"""What can be done from an announcement's pages: by the verbs that every door calls, bound to what somebody saw."""

from __future__ import annotations

import re
from uuid import UUID

import httpx2
from sqlalchemy import select

from broker import fanout
from broker.actor import SYSTEM
from broker.announcement import Announcement, FollowUp
from broker.authority import rule_changes
from broker.delivery import State
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.forms import press
from tests.support.staff import name
from tests.support.watching import Watched
from tests.web.watch.announcement.test_announcement_pages import text_of


def at(said: Announcement) -> str:
    return f"/watch/{said.public_id}"


def states(here: Watched, said: Announcement) -> dict[str, int]:
    return here.tower.states(said)


def fresh(here: Watched, public_id: UUID) -> Announcement:
    with here.ledger.look() as tx:
        found = tx.announcements.by_public_id(public_id)
    assert found is not None
    return found


def led_to(here: Watched, answer: httpx2.Response) -> Announcement:
    """The announcement whose page a form led to."""
    assert answer.status_code == 303, text_of(answer.text)
    found = re.search(r"watch/([0-9a-f-]{36})", answer.headers["location"])
    assert found
    return fresh(here, UUID(found[1]))


def one_of(here: Watched, said: Announcement, state: State) -> int:
    with here.ledger.reading() as hand:
        query = select(t.delivery.c.id).where(
            t.delivery.c.announcement_id == said.id, t.delivery.c.state == state.value
        )
        return int(hand.connection.execute(query.limit(1)).scalar_one())


def kinds(here: Watched) -> list[str]:
    with here.ledger.reading() as hand:
        return list(hand.connection.execute(select(t.record_entry.c.kind)).scalars())


def failing(here: Watched) -> Announcement:
    said = here.plan(here.announce("Coach"))
    here.move(said, State.SENT, 2)
    here.move(said, State.REJECTED, 2, "21211", "the number is not in use")
    here.move(said, State.UNCERTAIN, 2, "timeout", "the answer did not come")
    return said


def test_one_that_failed_is_tried_again_and_the_reason_is_kept(watched: Watched) -> None:
    said = failing(watched)
    page = f"{at(said)}/deliveries/{one_of(watched, said, State.REJECTED)}"
    answer = press(watched, page, "Try it again", why="the number is right again")
    assert answer.status_code == 303
    html = watched.get(f"/{answer.headers['location'].lstrip('./')}")
    assert "Our rules look at it anew" in html
    assert "The number is right again." in text_of(html)
    assert states(watched, said) == {"sent": 2, "rejected": 1, "uncertain": 2, "queued": 1}
    assert "delivery.requeued" in kinds(watched)


def test_what_cannot_be_tried_again_says_why_beside_its_form(watched: Watched) -> None:
    said = failing(watched)
    number = one_of(watched, said, State.REJECTED)
    html = watched.get(f"{at(said)}/deliveries/{number}")
    assert press(watched, f"{at(said)}/deliveries/{number}", "Try it again").status_code == 303
    again = press(watched, f"{at(said)}/deliveries/{number}", "Try it again", html)
    assert again.status_code == 422
    assert "cannot be tried again" in text_of(again.text)


def test_an_uncertain_one_is_left_as_it_is(watched: Watched) -> None:
    said = failing(watched)
    number = one_of(watched, said, State.UNCERTAIN)
    page = f"{at(said)}/deliveries/{number}"
    assert press(watched, page, "Leave it as it is", why="their mother says that it came").status_code == 303
    html = watched.get(page)
    assert "Mrs Bell" in html
    assert "Leave it as it is" not in html


def test_a_whole_number_is_shown_once_for_a_reason_that_the_record_keeps(watched: Watched) -> None:
    said = failing(watched)
    page = f"{at(said)}/deliveries/{one_of(watched, said, State.REJECTED)}"
    assert "+4479" not in watched.get(page)
    refused = press(watched, page, "Show it")
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert "+4479" not in refused.text
    assert "addresses.revealed" not in kinds(watched)
    shown = press(watched, page, "Show it", why="to ring the form tutor")
    assert "+4479" in shown.text
    assert "addresses.revealed" in kinds(watched)
    assert "+4479" not in watched.get(page)


def test_all_that_failed_by_one_way_is_tried_again_and_what_may_have_arrived_is_not(watched: Watched) -> None:
    said = failing(watched)
    answer = press(watched, f"{at(said)}/failed/bell", "Try all 2 again", why="the provider is back")
    assert answer.status_code == 303
    assert states(watched, said) == {"sent": 2, "queued": 2, "uncertain": 2}


def test_as_many_are_tried_again_as_somebody_saw_or_none(watched: Watched) -> None:
    said = failing(watched)
    seen = watched.get(f"{at(said)}/failed/bell")
    press(watched, f"{at(said)}/deliveries/{one_of(watched, said, State.REJECTED)}", "Try it again")
    answer = press(watched, f"{at(said)}/failed/bell", "Try all 2 again", seen)
    assert answer.status_code == 422
    assert "There are 1 of them now, not 2" in text_of(answer.text)
    assert states(watched, said)["rejected"] == 1


def test_what_has_not_left_is_taken_back(watched: Watched) -> None:
    said = watched.announce("Coach")
    assert "Take it back" in watched.get(at(said))
    assert press(watched, f"{at(said)}/undo", "Take it back").status_code == 303
    assert fresh(watched, said.public_id).withdrawn_at is not None
    html = watched.get(f"{at(said)}?done=undone")
    assert "nobody will ever hear of it" in html
    assert "Take it back" not in html


def test_what_has_begun_to_leave_cannot_be_undone_and_the_page_says_what_can(watched: Watched) -> None:
    said = watched.announce("Coach")
    open_page = watched.get(f"{at(said)}/undo")
    fanout.plan(watched.tower.house.ports, said.public_id, actor=SYSTEM)
    answer = press(watched, f"{at(said)}/undo", "Take it back", open_page)
    assert answer.status_code == 422
    text = text_of(answer.text)
    assert "It has begun to go out, so it cannot be undone any more" in text
    assert "carillon" not in text.replace("Carillon", "")
    assert f'href="../../watch/{said.public_id}/withdraw"' in answer.text


def test_it_is_withdrawn_and_nobody_is_told(watched: Watched) -> None:
    said = watched.plan(watched.announce("Coach"))
    watched.move(said, State.SENT, 2)
    text = text_of(watched.get(f"{at(said)}/withdraw"))
    assert "4 messages that wait now will never leave" in text
    assert "2 messages have left already" in text
    assert press(watched, f"{at(said)}/withdraw", "Withdraw it, and tell nobody").status_code == 303
    assert states(watched, said) == {"sent": 2, "withdrawn": 4}
    assert "Withdrawn, by Mrs Bell" in text_of(watched.get(f"{at(said)}/history"))


def test_those_whom_it_reached_are_told_and_whom_is_shown_first(watched: Watched) -> None:
    said = watched.plan(watched.announce("Coach"))
    watched.move(said, State.SENT, 2)
    page = f"{at(said)}/withdraw"
    shown = press(watched, page, "Show whom that tells", tell="There is no coach today.")
    assert shown.status_code == 200
    assert "There is no coach today." in shown.text
    assert fresh(watched, said.public_id).withdrawn_at is None
    told = led_to(watched, press(watched, page, "Withdraw it, and tell them", shown.text))
    assert told.follow_up is FollowUp.WITHDRAWAL
    assert fresh(watched, said.public_id).withdrawn_at is not None
    twice = led_to(watched, press(watched, page, "Withdraw it, and tell them", shown.text))
    assert twice.public_id == told.public_id


def test_nothing_is_told_that_was_not_looked_at(watched: Watched) -> None:
    said = watched.plan(watched.announce("Coach"))
    watched.move(said, State.SENT, 2)
    page = f"{at(said)}/withdraw"
    shown = press(watched, page, "Show whom that tells", tell="There is no coach today.")
    other = press(watched, page, "Withdraw it, and tell them", shown.text, tell="Something else.")
    assert other.status_code == 422
    assert "It is not what you looked at" in text_of(other.text)
    assert "Something else." in other.text
    assert fresh(watched, said.public_id).withdrawn_at is None
    bare = press(watched, page, "Show whom that tells", tell="")
    assert bare.status_code == 422
    assert 'aria-invalid="true"' in bare.text


def test_a_correction_shows_what_changes_and_who_reads_what_and_then_goes(watched: Watched) -> None:
    said = watched.plan(watched.announce("Coach"))
    watched.move(said, State.SENT, 2)
    page = f"{at(said)}/correct"
    shown = press(watched, page, "Show what it would do", short="The coach leaves at nine.")
    assert shown.status_code == 200, text_of(shown.text)
    assert re.search(r"<del>.*?eight\.</del>", shown.text)
    assert re.search(r"<ins>.*?nine\.</ins>", shown.text)
    assert "Bell : 2 with the correction, 4 with the right text alone" in text_of(shown.text)
    assert fresh(watched, said.public_id).corrected_by is None
    told = led_to(watched, press(watched, page, "Send the correction", shown.text))
    assert told.follow_up is FollowUp.CORRECTION
    assert fresh(watched, said.public_id).corrected_by == told.id
    assert "A correction of another one" in watched.get(f"{at(said)}/history")
    # It cannot be corrected twice; and what failed of it cannot be tried again.
    assert "It cannot be corrected" in watched.get(page)


def test_the_words_are_kept_where_they_are_refused_or_changed_once_more(watched: Watched) -> None:
    said = watched.plan(watched.announce("Coach"))
    page = f"{at(said)}/correct"
    same = press(watched, page, "Show what it would do")
    assert same.status_code == 422
    assert "This is what was said before" in text_of(same.text)
    assert "The coach leaves at eight." in same.text
    bad = press(watched, page, "Show what it would do", short="At nine.", lead="x" * 90)
    assert bad.status_code == 422
    assert 'id="wrong-lead"' in bad.text
    assert "At nine." in bad.text
    shown = press(watched, page, "Show what it would do", short="At nine.", urgent="yes")
    back = press(watched, page, "Change the words", shown.text)
    assert "At nine." in back.text
    assert re.search(r'name="urgent" value="yes" checked', back.text)


def test_far_more_people_than_usual_want_their_number_typed(watched: Watched) -> None:
    rules = watched.tower.house.ports
    said = watched.plan(watched.announce("Coach"))
    watched.move(said, State.SENT, 6)
    for key, value in (("blast.size", "3"), ("blast.floor", "0")):
        rule_changes.change(rules, key, value, "a test", actor=SYSTEM)
    page = f"{at(said)}/correct"
    shown = press(watched, page, "Show what it would do", short="The coach leaves at nine.")
    assert "Type how many people it tells" in shown.text
    refused = press(watched, page, "Send the correction", shown.text, count="5")
    assert refused.status_code == 422
    assert "It would tell 6 people, not 5" in text_of(refused.text)
    led_to(watched, press(watched, page, "Send the correction", shown.text, count="6"))


def test_what_waits_for_its_number_goes_on_once_it_is_typed(watched: Watched) -> None:
    for key, value in (("blast.size", "3"), ("blast.floor", "0")):
        rule_changes.change(watched.tower.house.ports, key, value, "a test", actor=SYSTEM)
    said = watched.announce("Coach")
    assert "Say how many people it is for" in watched.get(at(said))
    page = f"{at(said)}/expect"
    for typed, wrong in (("many", "This is not a number"), ("7", "It would tell 6 people, not 7")):
        answer = press(watched, page, "That many are meant", count=typed)
        assert answer.status_code == 422
        assert wrong in text_of(answer.text)
        assert f'value="{typed}"' in answer.text
    assert press(watched, page, "That many are meant", count="6").status_code == 303
    assert fresh(watched, said.public_id).hold_code == ""


def test_it_is_said_again_to_those_not_told_by_name_and_way(watched: Watched) -> None:
    said = failing(watched)
    page = f"{at(said)}/again"
    shown = press(watched, page, "Show who gets it")
    text = text_of(shown.text)
    assert len(re.findall(r"Pupil\d", shown.text)) == 4
    assert "It is about 4 people" in text
    told = led_to(watched, press(watched, page, "Say it again", shown.text))
    assert told.follow_up is FollowUp.RESEND
    # Somebody was told since: it is not what was seen.
    shown = press(watched, page, "Show who gets it")
    watched.move(said, State.SENT, 0)
    press(watched, f"{at(said)}/deliveries/{one_of(watched, said, State.REJECTED)}", "Try it again")
    watched.move(said, State.SENT, 1)
    changed = press(watched, page, "Say it again", shown.text)
    assert changed.status_code == 422
    assert "It is not what you looked at" in text_of(changed.text)


def test_it_is_said_again_to_people_who_are_named(watched: Watched) -> None:
    said = failing(watched)
    page = f"{at(said)}/again"
    for typed, wrong in (
        ("", "Nobody is named yet"),
        ("Nobody Known", "Nobody at the school is called this"),
    ):
        answer = press(watched, page, "Show who gets it", who="named", people=typed)
        assert answer.status_code == 422
        assert wrong in text_of(answer.text)
    named = re.search(r"Pupil\d \w+", text_of(watched.get(f"{at(said)}/people")))
    assert named
    shown = press(watched, page, "Show who gets it", who="named", people=f"{named[0]}\n")
    assert named[0] in shown.text
    led_to(watched, press(watched, page, "Say it again", shown.text))
    nobody = press(watched, page, "Show who gets it", who="joined")
    assert nobody.status_code == 422
    assert "Nobody joined since" in text_of(nobody.text)


def test_the_office_notes_that_somebody_knows(watched: Watched) -> None:
    said = failing(watched)
    duty = re.search(r"/people/(\d+)", watched.get(f"{at(said)}/people"))
    assert duty
    page = f"{at(said)}/people/{duty[1]}"
    assert press(watched, page, "They know", why="their father rang").status_code == 303
    assert "told" in text_of(watched.get(page))
    assert "said that they have seen it" in watched.get(at(said))
    assert "duties.acknowledged" in kinds(watched)


def test_papers_hold_whom_nothing_reached_and_a_list_to_ring_is_in_the_record(watched: Watched) -> None:
    said = failing(watched)
    assert "Pupil" not in watched.get(f"{at(said)}/papers")
    for button in ("Slips to cut apart", "A letter for each"):
        paper = press(watched, f"{at(said)}/papers", button)
        assert len(set(re.findall(r"Pupil\d", paper.text))) == 4
        assert "The coach leaves at eight." in paper.text
        assert "style-src 'sha256-" in paper.headers["content-security-policy"]
        assert "script" not in paper.text
    listed = [kind for kind in kinds(watched) if "list" in kind]
    phones = press(watched, f"{at(said)}/papers", "Whom to ring")
    assert "Parent" in phones.text
    assert [kind for kind in kinds(watched) if "list" in kind] != listed


def test_it_is_kept_for_the_law_and_let_go(watched: Watched) -> None:
    said = watched.announce("Coach")
    page = f"{at(said)}/history"
    assert press(watched, page, "Keep it").status_code == 422
    assert press(watched, page, "Keep it", why="a complaint to the governors").status_code == 303
    assert "a complaint to the governors" in watched.get(page)
    assert press(watched, page, "Let it go").status_code == 303
    assert "Nothing holds it" in watched.get(page)


def test_whoever_only_looks_is_offered_nothing_and_can_do_nothing(watched: Watched) -> None:
    said = failing(watched)
    number = one_of(watched, said, State.REJECTED)
    owner_page = watched.get(f"{at(said)}/deliveries/{number}")
    name(watched, "Mrs Head", OperatorRole.ADMIN)
    auditor = name(watched, "Mr Look", OperatorRole.AUDITOR)
    watched.sign_in(actor=auditor)
    html = watched.get(at(said))
    assert "Correct it" not in html
    assert "Withdraw it" not in html
    assert "Try the" not in html
    for path in ("/correct", "/again", "/withdraw", "/undo", "/failed/bell", "/expect", "/papers"):
        assert watched.client.get(f"{at(said)}{path}").status_code == 403, path
    mine = re.search(r'name="token" value="([0-9a-f]+)"', watched.get(f"{at(said)}/deliveries/{number}"))
    assert mine
    theirs = owner_page.replace(owner_page.split('name="token" value="')[1][:64], mine[1])
    before = states(watched, said)
    for button in ("Try it again", "Show it"):
        answer = press(watched, f"{at(said)}/deliveries/{number}", button, theirs, why="because")
        assert answer.status_code == 403
    assert states(watched, said) == before
