"""An account speaks only while its four angles hold: at intake, in the claim, just before the call."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from broker import audience as audiences
from broker import intake
from broker.actor import SYSTEM
from broker.announcement import People, Step
from broker.authority import rule_changes
from broker.errors import InvalidAnnouncement, InvalidLicence, NotFound
from broker.licences import lapsing, licensing
from broker.licences.licence import Angle
from broker.licences.licence_form import as_form
from broker.office import reach
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.licences import LONG_AGO, SOON, TODAY, YESTERDAY, form
from tests.support.school import SmallSchool

# Nothing of it is the database's.
ON_SQLITE = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
A_MOMENT = timedelta(milliseconds=300)  # from asking the brake to the provider's own look at its clock
LAPSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "policy",
        {"policy": {"review": YESTERDAY}},
        "policy: the policy “Texts to families” was to be looked at",
    ),
    ("liability", {"liability": {"review": YESTERDAY}}, "liability: the risk assessment was to be looked at"),
    ("safe_use", {"safe_use": {"owners": form()["safe_use"]["owners"][1:]}}, "safe use: one person"),
    ("technology", {"technology": {"review": YESTERDAY}}, "technology: how it is set up was to be looked at"),
]


def unlicensed(world: World, account: str = "texts") -> None:
    """Nobody ever settled anything about it."""
    number = world.rows(select(t.account.c.id).where(t.account.c.name == account))[0].id
    world.sql(f"DELETE FROM licence WHERE account_id = {number}")
    world.sql(f"DELETE FROM licence_version WHERE account_id = {number}")


def settle(world: World, account: str = "texts", **changed: dict[str, Any] | None) -> licensing.Shown:
    return licensing.save(world.ports, account, form(**changed), actor=SYSTEM)


def stands_for(world: World, seconds: float) -> None:
    """The licence in force lapses in so long."""
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.licence).values(stands_until=tx.now + timedelta(seconds=seconds)))


def waiting(world: World) -> set[str]:
    return {row.code for row in world.rows(select(t.delivery.c.code).where(t.delivery.c.state == "queued"))}


def alarms(world: World) -> dict[str, str]:
    query = select(t.alarm.c.kind, t.alarm.c.message).where(t.alarm.c.cleared_at.is_(None))
    return {row.kind: row.message for row in world.rows(query)}


@pytest.fixture
def said(thirty: World) -> Any:
    """Thirty texts planned, none of them sent."""
    announcement = thirty.announce()
    thirty.plan(announcement)
    return announcement


@pytest.mark.parametrize(("angle", "changed", "says"), LAPSED, ids=[each[0] for each in LAPSED])
@ON_SQLITE
def test_an_angle_that_lapsed_lets_nothing_leave_and_says_which(
    thirty: World, said: Any, angle: str, changed: dict[str, Any], says: str
) -> None:
    shown = settle(thirty, **changed)
    assert [each.value for each, one in shown.standings.items() if not one.holds] == [angle]
    assert thirty.send() == 0
    assert thirty.states(said) == {"queued": 30}
    assert waiting(thirty) == {"unlicensed"}
    (why,) = {row.why for row in thirty.rows(select(t.delivery.c.why))}
    assert says in why
    with pytest.raises(InvalidAnnouncement) as caught:
        thirty.announce()
    assert (caught.value.problem.code, caught.value.problem.field) == ("unlicensed", "via")
    assert says in caught.value.problem.message


@ON_SQLITE
def test_an_account_about_which_nobody_settled_anything_says_nothing_and_how_to_begin(thirty: World) -> None:
    unlicensed(thirty)
    with pytest.raises(InvalidAnnouncement) as caught:
        thirty.announce(ways=(Step(("sms", "email")),))
    problem = caught.value.problem
    assert problem.code == "unlicensed"
    assert "nobody has settled anything" in problem.message
    assert "carillon licence start texts" in problem.hint
    assert thirty.rows(select(t.announcement)) == []
    thirty.announce(ways=(Step(("email",)),))


def test_what_waited_for_a_licence_goes_as_soon_as_it_is_renewed(thirty: World, said: Any) -> None:
    settle(thirty, liability={"review": YESTERDAY})
    thirty.send()
    licensing.renew(thirty.ports, "texts", {"liability.review": SOON}, actor=SYSTEM)
    assert thirty.send() == 30
    assert thirty.states(said) == {"sent": 30}
    assert len(thirty.channels.texts.truth) == 30


@ON_SQLITE
def test_an_urgent_announcement_needs_a_licence_too(thirty: World) -> None:
    from broker.announcement import Urgency

    settle(thirty, policy={"review": YESTERDAY})
    with pytest.raises(InvalidAnnouncement):
        thirty.announce(urgency=Urgency.URGENT)


def test_a_licence_that_lapses_in_mid_send_stops_the_rest_and_loses_nothing(thirty: World, said: Any) -> None:
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(per_second=10.0))  # three seconds for all of them
    begun: list[bool] = []

    def over() -> bool:
        if not begun:
            begun.append(True)
            stands_for(thirty, 1.5)
        return False

    thirty.send(stopping=over)
    told = thirty.states(said)
    assert told.get("sent", 0) < 30
    assert told.get("sent", 0) + told["queued"] == 30
    with thirty.ledger.look() as tx:
        until = tx.licences.of(tx.accounts.named("texts").id).stands_until  # type: ignore[union-attr]
    assert until is not None
    late = [text for text in thirty.channels.texts.truth if text.at and text.at > until + A_MOMENT]
    assert late == []
    settle(thirty)
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(per_second=None))
    thirty.pass_time(timedelta(minutes=6))
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert len(thirty.channels.texts.truth) == 30


@ON_SQLITE
def test_a_licence_taken_back_in_mid_send_stops_the_rest_within_a_second(thirty: World, said: Any) -> None:
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(per_second=10.0))
    stopped: list[float] = []

    def over() -> bool:
        if not stopped and thirty.channels.texts.truth:
            stopped.append(time.monotonic())
            settle(thirty, liability={"review": YESTERDAY})
        return False

    thirty.send(stopping=over)
    told = thirty.states(said)
    assert told["sent"] <= 12  # ten a second, for a second, and what was before it
    assert told["sent"] + told["queued"] == 30
    assert thirty.rows(select(t.stop).where(t.stop.c.kind == "account"))


def test_a_licence_is_warned_of_once_a_step_and_its_lapse_is_told(thirty: World) -> None:
    settle(thirty)
    assert lapsing.look_after(thirty.ports) == 0
    stands = (TODAY + timedelta(days=20)).isoformat()
    settle(thirty, policy={"review": stands})
    assert lapsing.look_after(thirty.ports) == 1
    assert lapsing.look_after(thirty.ports) == 0
    assert "policy" in alarms(thirty)["licence_lapsing"]
    assert thirty.record().count("licence.warned") == 1
    licensing.renew(
        thirty.ports, "texts", {"policy.review": (TODAY + timedelta(days=6)).isoformat()}, actor=SYSTEM
    )
    assert lapsing.look_after(thirty.ports) == 1
    assert thirty.record().count("licence.warned") == 2
    licensing.renew(thirty.ports, "texts", {"policy.review": SOON}, actor=SYSTEM)
    assert alarms(thirty) == {}


def test_of_two_who_renew_at_once_the_second_is_told_and_the_first_is_kept(thirty: World) -> None:
    settle(thirty)
    theirs = (TODAY + timedelta(days=200)).isoformat()

    class Interrupted(dict[str, Any]):
        """Changes by somebody who has read the licence when a colleague saves it."""

        def items(self) -> Any:
            licensing.renew(thirty.ports, "texts", {"policy.review": theirs}, actor=SYSTEM)
            return super().items()

    with pytest.raises(InvalidLicence) as refused:
        licensing.renew(thirty.ports, "texts", Interrupted({"policy.version": "9"}), actor=SYSTEM)
    assert refused.value.problem.code == "changed_since"
    with thirty.ledger.look() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        row = tx.licences.of(account.id)
    assert row is not None
    kept = as_form(row.licence)["policy"]
    assert (str(kept["review"]), kept["version"]) == (theirs, form()["policy"]["version"])
    licensing.renew(thirty.ports, "texts", {"policy.version": "9"}, actor=SYSTEM)


@ON_SQLITE
def test_a_lapse_by_the_clock_is_told_in_the_record_and_as_an_alarm_until_it_is_renewed(
    thirty: World,
) -> None:
    settle(thirty)
    with thirty.ledger.begin() as tx:  # as if it had been filled in that long ago
        body = '{"policy": {"title": "Old", "version": "1", "adopted": "2024-01-01", "review": "2025-01-01"}}'
        account = tx.accounts.named("texts")
        assert account is not None
        tx.hand.connection.execute(
            update(t.licence_version).where(t.licence_version.c.account_id == account.id).values(body=body)
        )
    stands_for(thirty, -1)
    assert lapsing.look_after(thirty.ports) == 1
    assert lapsing.look_after(thirty.ports) == 0
    assert (
        "policy: the policy “Old” was to be looked at again by 1 January 2025"
        in alarms(thirty)["licence_lapsed"]
    )
    assert thirty.record().count("licence.lapsed") == 1
    settle(thirty, policy={"version": "4"})
    assert alarms(thirty) == {}


@ON_SQLITE
def test_a_licence_that_begins_later_stands_from_that_day_on(thirty: World, said: Any) -> None:
    later = (TODAY + timedelta(days=2)).isoformat()  # also for a run that began yesterday
    settle(thirty, policy={"adopted": later})
    thirty.send()
    assert waiting(thirty) == {"unlicensed"}
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(
            text("UPDATE licence_version SET body = replace(body, :then, :now)"),
            {"then": later, "now": LONG_AGO},
        )
    assert lapsing.look_after(thirty.ports) == 0
    assert thirty.send() == 30


def test_a_rule_that_wants_more_custodians_counts_at_once_and_back_again(thirty: World, said: Any) -> None:
    settle(thirty)
    rule_changes.change(thirty.ports, "licence.custodians", "5", "after an incident", actor=SYSTEM)
    thirty.send()
    assert thirty.states(said) == {"queued": 30}
    assert waiting(thirty) == {"unlicensed"}
    lapsing.look_after(thirty.ports)
    assert "5 must" in alarms(thirty)["licence_lapsed"]
    rule_changes.reset(thirty.ports, "licence.custodians", "over", actor=SYSTEM)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_a_form_settles_angle_after_angle_and_keeps_every_version(thirty: World) -> None:
    unlicensed(thirty)
    settled = [
        licensing.save(thirty.ports, "texts", {angle.value: form()[angle.value]}, actor=SYSTEM)
        for angle in Angle
    ]
    assert [one.row.version for one in settled if one.row] == [1, 2, 3, 4]
    shown = settled[-1]
    assert shown.until is not None
    again = licensing.save(thirty.ports, "texts", as_form(shown.licence), actor=SYSTEM)
    assert again.row is not None
    assert again.row.version == 4
    assert thirty.record().count("licence.set") == 4 + 2  # and the two of the sandbox


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"policy.review": "2099-01-01"}, "too_far"),
        ({"policy.colour": "blue"}, "unknown_line"),
        ({"safe_use.owners.Nobody.valid_until": SOON}, "no_such_owner"),
        ({"weather": "fine"}, "not_settled"),
    ],
)
@ON_SQLITE
def test_a_renewal_that_cannot_be_meant_changes_nothing(
    thirty: World, changes: dict[str, Any], code: str
) -> None:
    before = settle(thirty)
    with pytest.raises(InvalidLicence) as caught:
        licensing.renew(thirty.ports, "texts", changes, actor=SYSTEM)
    assert caught.value.problem.code == code
    assert settle(thirty).row == before.row


@ON_SQLITE
def test_an_account_that_there_is_not_has_no_licence_to_set(thirty: World) -> None:
    for verb in (licensing.save, licensing.renew):
        with pytest.raises(NotFound):
            verb(thirty.ports, "pigeons\x00", {}, actor=SYSTEM)


@ON_SQLITE
def test_what_the_sandbox_made_up_never_comes_to_count_by_whichever_form(thirty: World) -> None:
    with thirty.ledger.look() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        made_up = as_form(licensing.specimen(account, thirty.ports.channels.traits(account.channel), TODAY))
    thirty.ports.ledger.transact(lambda tx: tx.licences.drop_specimens())
    licensing.give_specimens(thirty.ports)
    with pytest.raises(InvalidLicence) as renewed:
        licensing.renew(thirty.ports, "texts", {"policy.review": SOON, "policy.version": "2"}, actor=SYSTEM)
    assert renewed.value.problem.code == "specimen"
    settle(thirty)
    for angle in Angle:  # one alone, and with other days: it is known all the same
        with pytest.raises(InvalidLicence) as kept:
            licensing.save(thirty.ports, "texts", {angle.value: made_up[angle.value]}, actor=SYSTEM)
        assert (kept.value.problem.code, kept.value.problem.field) == ("specimen", angle.value)


@ON_SQLITE
def test_a_form_is_looked_over_before_it_is_kept_and_nothing_is_kept_by_looking(thirty: World) -> None:
    before = settle(thirty)
    changed = {"policy": {**form()["policy"], "review": YESTERDAY}}
    seen = licensing.consider(thirty.ports, "texts", changed, actor=SYSTEM)
    assert seen.until is None
    assert "looked at again" in seen.lacking
    with thirty.ledger.look() as tx:
        assert licensing.show(thirty.ports, tx, before.account).row == before.row
    assert before.row is not None
    with pytest.raises(InvalidLicence):
        licensing.consider(
            thirty.ports, "texts", changed, actor=SYSTEM, changes_version=before.row.version - 1
        )


def test_what_the_sandbox_gave_is_taken_away_outside_it(thirty: World, said: Any) -> None:
    settle(thirty, "mails")
    assert licensing.take_specimens(thirty.ports) == ["texts"]
    assert licensing.take_specimens(thirty.ports) == ()
    thirty.send()
    assert waiting(thirty) == {"unlicensed"}
    assert licensing.give_specimens(thirty.ports) == 1
    assert licensing.give_specimens(thirty.ports) == 0


@ON_SQLITE
def test_an_announcement_for_after_the_lapse_is_accepted_with_a_word_of_it(thirty: World) -> None:
    settle(thirty, policy={"review": (TODAY + timedelta(days=5)).isoformat()})
    due = datetime.now(UTC) + timedelta(days=10)
    announced = intake.accept(thirty.ports, thirty.draft(send_at=due), actor=SYSTEM).announcement
    told = thirty.rows(select(t.verdict).where(t.verdict.c.announcement_id == announced.id))
    assert "licence_lapses_first" in told[0].code


def owned_by(world: World, *emails: str) -> None:
    owners = [
        {**owner, "email": email} for owner, email in zip(form()["safe_use"]["owners"], emails, strict=False)
    ]
    settle(world, safe_use={"owners": owners}, policy={"review": (TODAY + timedelta(days=20)).isoformat()})


def test_its_owners_are_mailed_once_a_step_by_the_ordinary_way(world: World) -> None:
    school = SmallSchool()
    for name in ("Anna", "Ken", "Tom"):
        school.staff(name, "Choir", emails=(f"{name}@school.example.org",))
    world.bring(school)
    owned_by(world, "Anna@school.example.org", "ken@School.example.org")
    for _ in range(2):
        lapsing.look_after(world.ports)
    (announcement,) = world.rows(select(t.announcement))
    (how,) = world.rows(select(t.licence_warning.c.mailed))
    assert how.mailed == str(announcement.public_id)
    with world.ledger.look() as tx:
        said = tx.announcements.by_id(announcement.id)
    world.plan(said)
    world.send("mails")
    assert world.states(said) == {"sent": 2}
    words = {row.part: row.text for row in world.rows(select(t.content))}
    assert "policy is to be looked at again" in words["short"]
    assert "carillon licence renew texts" in words["short"]


@pytest.mark.parametrize(
    ("emails", "why"),
    [
        ((), "no owner has an email"),
        (("nobody@school.example.org", "none@school.example.org"), "on the staff"),
    ],
)
@ON_SQLITE
def test_where_its_owners_cannot_be_mailed_the_alarm_says_why(
    thirty: World, emails: tuple[str, ...], why: str
) -> None:
    owned_by(thirty, *emails) if emails else settle(
        thirty, policy={"review": (TODAY + timedelta(days=20)).isoformat()}
    )
    lapsing.look_after(thirty.ports)
    assert "nobody was mailed" in alarms(thirty)["licence_lapsing"]
    assert why in alarms(thirty)["licence_lapsing"]
    assert thirty.rows(select(t.announcement)) == []


@ON_SQLITE
def test_the_reach_statement_says_that_a_way_waits_for_its_licence(thirty: World) -> None:
    settle(thirty, liability={"review": YESTERDAY})
    with thirty.ledger.look() as tx:
        question = reach.Question(audiences.parse("Choir"), People.GUARDIANS, ("sms", "email"), "office")
        ways = reach.before(thirty.ports, tx, question).ways
    assert "no licence in force: liability" in ways["sms"].waits
    assert ways["email"].waits == ""
