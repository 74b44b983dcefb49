"""The table of the dashboard's pages: whoever comes, and what each page answers them.

`RULES` is the table, made by hand, for every route of the application that a session opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from broker.ports import Stage
from broker.ports.approvals import OperatorRole
from tests.support.routes import Route
from web.watch.static import EDITION

ROLES = [*OperatorRole]
PLACES = (None, "music", "office")
NOWHERE = UUID(int=7)
# Whoever comes: nobody, three who have come half way, and each role of the school, of the department, of another.
HALF_WAY = {"waits for a code": Stage.SECOND, "has no telephone": Stage.ENROL, "is invited": Stage.PASSWORD}
STANDING = [(role, place) for role in ROLES for place in PLACES]
COMERS = ["nobody", *HALF_WAY, *(f"{role} of {place or 'the school'}" for role, place in STANDING)]


@dataclass(frozen=True)
class Rule:
    """What whoever comes is answered. `half`: whose next step it is; 303 leads everybody else to theirs."""

    yes: int = 200
    nobody: int = 401
    half: Mapping[str, int] = field(default_factory=dict)
    otherwise: int = 401  # half way, and another step is next
    roles: frozenset[OperatorRole] = frozenset(ROLES)
    of_an_announcement: bool = False
    whole: bool = False  # the whole school's: not for somebody of one department
    form: Mapping[str, str] = field(default_factory=dict)

    def cell(self, comer: str, department: str | None = "music") -> int:
        if comer == "nobody":
            return self.nobody
        if comer in HALF_WAY:
            return self.half.get(comer, self.otherwise)
        role, place = STANDING[COMERS.index(comer) - 1 - len(HALF_WAY)]
        if role not in self.roles or (self.whole and place is not None):
            return 403
        return 404 if self.of_an_announcement and place not in {None, department} else self.yes


def everybody(yes: int, **form: str) -> Rule:
    return Rule(yes, nobody=yes, otherwise=yes, form=form)


DECIDES = frozenset({OperatorRole.APPROVER})
AUTHORS = frozenset({OperatorRole.AUTHOR})
ADMINS = frozenset({OperatorRole.ADMIN})
WRITES = frozenset({OperatorRole.AUTHOR, OperatorRole.ADMIN})
STOPS = frozenset({*WRITES, OperatorRole.APPROVER})
RUNS = frozenset({OperatorRole.ADMIN, OperatorRole.AUDITOR})
READS = frozenset({OperatorRole.ADMIN, OperatorRole.AUDITOR, OperatorRole.APPROVER})
CODE, PICTURE, INVITED = HALF_WAY
RULES: dict[Route, Rule] = {
    ("GET", "/watch/static/{edition}/{name}"): everybody(200),
    ("GET", "/sign-in"): everybody(200),
    ("POST", "/sign-in"): everybody(403, name="{comer}", password="wrong wrong wrong"),
    ("GET", "/sign-in/with/{name}"): everybody(404),  # there is none
    ("GET", "/sign-in/back/{name}"): everybody(404),
    ("GET", "/watch/sign-in/{link}"): everybody(200),
    ("POST", "/watch/sign-in"): everybody(403, link="x" * 43),  # used already, or never made
    ("GET", "/sign-in/code"): Rule(303, half={CODE: 200}, otherwise=303),
    ("POST", "/sign-in/code"): Rule(303, half={CODE: 403}, otherwise=303, form={"code": "000000"}),
    ("GET", "/account/password"): Rule(half={INVITED: 200}, otherwise=303),
    ("POST", "/account/password"): Rule(422, half={INVITED: 422}, otherwise=303, form={"password": "short"}),
    ("GET", "/account/second"): Rule(half={PICTURE: 200}, otherwise=303),
    ("POST", "/account/second"): Rule(403, half={PICTURE: 403}, otherwise=303, form={"sealed": "rubbish"}),
    ("GET", "/account"): Rule(),
    ("POST", "/account/sessions"): Rule(303, form={"which": "others"}),
    ("POST", "/account/codes"): Rule(404),  # whoever has no second factor has no codes
    ("GET", "/account/prove"): Rule(half={PICTURE: 200}, otherwise=303),  # made an approver while signed in
    ("POST", "/account/prove"): Rule(
        403, half={PICTURE: 403}, otherwise=303, form={"password": "wrong wrong wrong"}
    ),
    ("POST", "/watch/sign-out"): Rule(),
    ("GET", "/watch"): Rule(),
    ("GET", "/watch/events"): Rule(503),  # the hub of this test is closed: a stream has no end
    ("GET", "/watch/answers"): Rule(),
    ("GET", "/watch/waiting"): Rule(),
    # An announcement is no answer; test_watch_answers has those.
    ("GET", "/watch/answers/{public_id}"): Rule(404),
    ("POST", "/watch/answers/{public_id}"): Rule(404),
    ("GET", "/watch/{public_id}"): Rule(of_an_announcement=True),
    ("GET", "/watch/{public_id}/people"): Rule(of_an_announcement=True),
    ("GET", "/watch/{public_id}/decide"): Rule(roles=DECIDES, of_an_announcement=True),
    ("POST", "/watch/{public_id}/decide"): Rule(
        422, roles=DECIDES, of_an_announcement=True, form={"do": "reject", "why": ""}
    ),
    ("GET", "/watch/waiting/{kind}/{which}"): Rule(404, roles=DECIDES),
    ("POST", "/watch/waiting/{kind}/{which}"): Rule(404, roles=DECIDES),
    ("GET", "/watch/{public_id}/review"): Rule(roles=DECIDES, of_an_announcement=True),
    ("POST", "/watch/{public_id}/review"): Rule(422, roles=DECIDES, of_an_announcement=True),
    ("GET", "/watch/{public_id}/reword"): Rule(roles=AUTHORS, of_an_announcement=True),
    ("POST", "/watch/{public_id}/reword"): Rule(422, roles=AUTHORS, of_an_announcement=True),
    ("GET", "/watch/{public_id}/without"): Rule(roles=AUTHORS, of_an_announcement=True),
    ("POST", "/watch/{public_id}/without"): Rule(422, roles=AUTHORS, of_an_announcement=True),
    ("GET", "/watch/rules"): Rule(),
    ("GET", "/watch/rules/{key}"): Rule(),
    ("POST", "/watch/rules/{key}"): Rule(roles=ADMINS, form={"value": "7", "unit": "min", "do": "look"}),
    ("GET", "/watch/rules/history"): Rule(),
    ("GET", "/watch/rules/history/{version}"): Rule(),
    ("POST", "/watch/rules/history/{version}"): Rule(422, roles=ADMINS),
    ("GET", "/watch/rules/holds"): Rule(roles=RUNS, whole=True),
    ("POST", "/watch/rules/holds"): Rule(422, roles=ADMINS, whole=True, form={"do": "hold"}),
    ("GET", "/watch/budgets"): Rule(),
    ("GET", "/watch/budgets/{department}"): Rule(404),  # there is no such department
    ("POST", "/watch/budgets/{department}"): Rule(404, roles=ADMINS),
    ("GET", "/watch/staff"): Rule(roles=RUNS),
    ("GET", "/watch/staff/new"): Rule(roles=ADMINS),
    ("POST", "/watch/staff/new"): Rule(422, roles=ADMINS),
    ("GET", "/watch/staff/{number}"): Rule(404, roles=RUNS),
    ("POST", "/watch/staff/{number}"): Rule(404, roles=ADMINS),
    ("POST", "/watch/staff/{number}/invite"): Rule(404, roles=ADMINS),
    ("POST", "/watch/staff/{number}/access"): Rule(404, roles=ADMINS),
    ("GET", "/watch/record"): Rule(roles=READS, whole=True),
    ("POST", "/watch/record/about"): Rule(422, roles=READS, whole=True),
    ("GET", "/watch/record/check"): Rule(roles=READS, whole=True),
    ("POST", "/watch/record/check"): Rule(422, roles=READS, whole=True, form={"heads": "no line"}),
    ("GET", "/watch/record/check/now"): Rule(roles=READS, whole=True),
    ("GET", "/watch/record/kept"): Rule(roles=READS, whole=True),
    ("POST", "/watch/record/kept"): Rule(422, roles=ADMINS, whole=True, form={"do": "add"}),
    ("POST", "/watch/record/file"): Rule(422, roles=READS, whole=True),  # nothing is sealed here
    # What is written, kept and changed; an id that is nowhere is a 404 for whoever may ask at all.
    ("GET", "/watch/accounts"): Rule(),
    ("GET", "/watch/accounts/{name}"): Rule(404),
    ("GET", "/watch/accounts/{name}/licence"): Rule(404),
    ("GET", "/watch/accounts/{name}/licence/print"): Rule(404),
    ("GET", "/watch/accounts/{name}/licence/{angle}"): Rule(404, roles=ADMINS),
    ("POST", "/watch/accounts/{name}/licence/{angle}"): Rule(404, roles=ADMINS),
    ("GET", "/watch/accounts/{name}/links"): Rule(404),
    ("POST", "/watch/accounts/{name}/links"): Rule(404, roles=AUTHORS),
    ("POST", "/watch/accounts/{name}/links/{link}/end"): Rule(404),
    ("POST", "/watch/accounts/{name}/look"): Rule(404, roles=ADMINS),
    ("POST", "/watch/accounts/{name}/pause"): Rule(404, roles=STOPS),
    ("POST", "/watch/accounts/{name}/providers"): Rule(404, roles=ADMINS),
    ("GET", "/watch/accounts/{name}/renew"): Rule(404, roles=ADMINS),
    ("POST", "/watch/accounts/{name}/renew"): Rule(404, roles=ADMINS),
    ("POST", "/watch/accounts/{name}/resume"): Rule(404, roles=ADMINS),
    ("POST", "/watch/accounts/{name}/seen"): Rule(404, roles=STOPS),
    ("GET", "/watch/announcements"): Rule(),
    ("GET", "/watch/calendar"): Rule(),
    ("GET", "/watch/calendar/day"): Rule(),
    ("GET", "/watch/calendar/events"): Rule(),
    ("GET", "/watch/calendar/events/bring"): Rule(roles=WRITES),
    ("POST", "/watch/calendar/events/bring"): Rule(422, roles=WRITES),
    ("GET", "/watch/calendar/events/new"): Rule(roles=WRITES),
    ("POST", "/watch/calendar/events/new"): Rule(422, roles=WRITES),
    ("GET", "/watch/calendar/events/{public_id}"): Rule(404),
    ("GET", "/watch/calendar/events/{public_id}/cancel"): Rule(404, roles=WRITES),
    ("POST", "/watch/calendar/events/{public_id}/cancel"): Rule(404, roles=WRITES),
    ("GET", "/watch/calendar/events/{public_id}/change"): Rule(404, roles=WRITES),
    ("POST", "/watch/calendar/events/{public_id}/change"): Rule(404, roles=WRITES),
    ("GET", "/watch/calendar/reminders"): Rule(),
    ("GET", "/watch/calendar/reminders/new"): Rule(roles=WRITES),
    ("POST", "/watch/calendar/reminders/new"): Rule(422, roles=WRITES),
    ("GET", "/watch/calendar/reminders/{which}/change"): Rule(404, roles=WRITES),
    ("POST", "/watch/calendar/reminders/{which}/change"): Rule(404, roles=WRITES),
    ("POST", "/watch/calendar/reminders/{which}/retire"): Rule(404),
    ("GET", "/watch/calendar/schedules"): Rule(),
    ("GET", "/watch/calendar/schedules/new"): Rule(roles=WRITES),
    ("POST", "/watch/calendar/schedules/new"): Rule(422, roles=WRITES),
    ("GET", "/watch/calendar/schedules/{public_id}"): Rule(404),
    ("GET", "/watch/calendar/schedules/{public_id}/change"): Rule(404, roles=WRITES),
    ("POST", "/watch/calendar/schedules/{public_id}/change"): Rule(404, roles=WRITES),
    ("POST", "/watch/calendar/schedules/{public_id}/{act}"): Rule(404),
    ("GET", "/watch/calendar/sources"): Rule(),
    ("GET", "/watch/calendar/sources/new"): Rule(roles=WRITES),
    ("POST", "/watch/calendar/sources/new"): Rule(422, roles=WRITES),
    ("POST", "/watch/calendar/sources/{which}/leave"): Rule(404, roles=WRITES),
    ("POST", "/watch/calendar/sources/{which}/read"): Rule(404, roles=WRITES),
    ("GET", "/watch/calendar/term"): Rule(),
    ("GET", "/watch/calendar/terms"): Rule(),
    ("POST", "/watch/calendar/terms/add"): Rule(422, roles=ADMINS, whole=True),
    ("POST", "/watch/calendar/terms/bring"): Rule(422, roles=ADMINS, whole=True),
    ("POST", "/watch/calendar/terms/change"): Rule(400, roles=ADMINS, whole=True),
    ("POST", "/watch/calendar/timetable/{name}/release"): Rule(404, roles=WRITES),
    ("GET", "/watch/calendar/week"): Rule(),
    ("GET", "/watch/consent"): Rule(whole=True),
    ("GET", "/watch/consent/import"): Rule(roles=AUTHORS, whole=True),
    ("POST", "/watch/consent/import"): Rule(422, roles=AUTHORS, whole=True),
    ("GET", "/watch/consent/sheet"): Rule(roles=WRITES, whole=True),
    ("POST", "/watch/consent/sheet"): Rule(422, roles=WRITES, whole=True),
    ("GET", "/watch/doctor"): Rule(roles=RUNS, whole=True),
    ("POST", "/watch/doctor"): Rule(303, roles=RUNS, whole=True),
    ("GET", "/watch/doubtful"): Rule(whole=True),
    ("GET", "/watch/doubtful/twice"): Rule(whole=True),
    ("GET", "/watch/doubtful/{number}"): Rule(404, whole=True),
    ("POST", "/watch/doubtful/{number}"): Rule(400, whole=True),
    ("GET", "/watch/families"): Rule(),
    ("GET", "/watch/figures"): Rule(),
    ("GET", "/watch/groups"): Rule(),
    ("GET", "/watch/groups/new"): Rule(roles=WRITES),
    ("POST", "/watch/groups/new"): Rule(422, roles=WRITES),
    ("GET", "/watch/groups/try"): Rule(),
    ("GET", "/watch/groups/{number}"): Rule(404),
    ("GET", "/watch/groups/{number}/change"): Rule(404),
    ("POST", "/watch/groups/{number}/change"): Rule(404),
    ("GET", "/watch/groups/{number}/list"): Rule(404, roles=WRITES),
    ("POST", "/watch/groups/{number}/list"): Rule(404, roles=WRITES),
    ("GET", "/watch/groups/{number}/members"): Rule(404),
    ("POST", "/watch/groups/{number}/members"): Rule(404, roles=WRITES),
    ("GET", "/watch/groups/{number}/readers"): Rule(404),
    ("POST", "/watch/groups/{number}/readers"): Rule(404),
    ("GET", "/watch/import"): Rule(roles=WRITES, whole=True),
    ("POST", "/watch/import"): Rule(422, roles=WRITES, whole=True),
    ("GET", "/watch/import/mappings"): Rule(roles=WRITES, whole=True),
    ("POST", "/watch/import/mappings"): Rule(422, roles=WRITES, whole=True),
    ("GET", "/watch/import/{public_id}"): Rule(404, roles=WRITES, whole=True),
    ("POST", "/watch/import/{public_id}"): Rule(404, roles=WRITES, whole=True),
    ("GET", "/watch/import/{public_id}/columns"): Rule(404, roles=WRITES, whole=True),
    ("POST", "/watch/import/{public_id}/columns"): Rule(404, roles=WRITES, whole=True),
    ("GET", "/watch/import/{public_id}/progress"): Rule(404, roles=WRITES, whole=True),
    ("GET", "/watch/import/{public_id}/{which}"): Rule(404, roles=WRITES, whole=True),
    ("GET", "/watch/letter"): Rule(),
    ("GET", "/watch/letter/print"): Rule(),
    ("GET", "/watch/letter/text"): Rule(),
    ("GET", "/watch/optouts"): Rule(whole=True),
    ("GET", "/watch/optouts/new"): Rule(roles=STOPS, whole=True),
    ("POST", "/watch/optouts/new"): Rule(422, roles=STOPS, whole=True),
    ("GET", "/watch/optouts/{channel}/{keyed}"): Rule(404, roles=AUTHORS, whole=True),
    ("POST", "/watch/optouts/{channel}/{keyed}"): Rule(404, roles=AUTHORS, whole=True),
    ("GET", "/watch/people"): Rule(),
    ("GET", "/watch/people/found"): Rule(303),
    ("POST", "/watch/people/found"): Rule(),
    ("GET", "/watch/people/{public_id}"): Rule(404),
    ("GET", "/watch/people/{public_id}/block"): Rule(404, roles=STOPS),
    ("POST", "/watch/people/{public_id}/block"): Rule(404, roles=STOPS),
    ("GET", "/watch/people/{public_id}/block/{guardian}"): Rule(404, roles=STOPS),
    ("GET", "/watch/people/{public_id}/consent"): Rule(404, whole=True),
    ("GET", "/watch/people/{public_id}/consent/new"): Rule(404, roles=STOPS, whole=True),
    ("POST", "/watch/people/{public_id}/consent/new"): Rule(404, roles=STOPS, whole=True),
    ("GET", "/watch/people/{public_id}/data"): Rule(404, whole=True),
    ("POST", "/watch/people/{public_id}/data"): Rule(400, whole=True),
    ("GET", "/watch/people/{public_id}/erase"): Rule(404, roles=ADMINS, whole=True),
    ("POST", "/watch/people/{public_id}/erase"): Rule(404, roles=ADMINS, whole=True),
    ("GET", "/watch/people/{public_id}/messages"): Rule(404),
    ("GET", "/watch/school"): Rule(roles=RUNS),
    ("GET", "/watch/school/keeping"): Rule(roles=RUNS, whole=True),
    ("GET", "/watch/school/settings"): Rule(roles=RUNS, whole=True),
    ("GET", "/watch/school/tokens"): Rule(roles=RUNS),
    ("POST", "/watch/school/tokens"): Rule(422, roles=ADMINS),
    ("POST", "/watch/school/tokens/revoke"): Rule(404, roles=ADMINS),
    ("GET", "/watch/school/webhooks"): Rule(roles=RUNS),
    ("POST", "/watch/school/webhooks"): Rule(422, roles=ADMINS),
    ("POST", "/watch/school/webhooks/{public_id}/{do}"): Rule(404, roles=ADMINS),
    ("GET", "/watch/search"): Rule(),
    ("POST", "/watch/search"): Rule(),
    ("GET", "/watch/switches"): Rule(),
    ("GET", "/watch/switches/{kind}/{subject}"): Rule(404),
    ("POST", "/watch/switches/{kind}/{subject}"): Rule(404),
    ("GET", "/watch/templates"): Rule(),
    ("GET", "/watch/templates/change"): Rule(404, roles=WRITES),
    ("POST", "/watch/templates/change"): Rule(422, roles=WRITES),
    ("GET", "/watch/templates/new"): Rule(roles=WRITES),
    ("POST", "/watch/templates/new"): Rule(422, roles=WRITES),
    ("GET", "/watch/templates/one"): Rule(404),
    ("POST", "/watch/templates/read"): Rule(roles=WRITES),
    ("POST", "/watch/templates/retire"): Rule(404, roles=WRITES),
    ("GET", "/watch/write"): Rule(roles=AUTHORS),
    ("POST", "/watch/write"): Rule(roles=AUTHORS),
    ("POST", "/watch/write/reach"): Rule(roles=AUTHORS),
    ("POST", "/watch/write/read"): Rule(roles=AUTHORS),
    ("GET", "/watch/{public_id}/again"): Rule(roles=WRITES, of_an_announcement=True),
    ("POST", "/watch/{public_id}/again"): Rule(422, roles=WRITES, of_an_announcement=True),
    ("GET", "/watch/{public_id}/correct"): Rule(roles=WRITES, of_an_announcement=True),
    ("POST", "/watch/{public_id}/correct"): Rule(422, roles=WRITES, of_an_announcement=True),
    ("GET", "/watch/{public_id}/deliveries/{delivery}"): Rule(404),
    ("POST", "/watch/{public_id}/deliveries/{delivery}/requeue"): Rule(404, roles=WRITES),
    ("POST", "/watch/{public_id}/deliveries/{delivery}/reveal"): Rule(404, roles=WRITES),
    ("POST", "/watch/{public_id}/deliveries/{delivery}/settle"): Rule(404, roles=WRITES),
    ("GET", "/watch/{public_id}/expect"): Rule(roles=WRITES, of_an_announcement=True),
    ("POST", "/watch/{public_id}/expect"): Rule(422, roles=WRITES, of_an_announcement=True),
    ("GET", "/watch/{public_id}/failed/{channel}"): Rule(404, roles=WRITES),
    ("POST", "/watch/{public_id}/failed/{channel}"): Rule(400, roles=WRITES),
    ("GET", "/watch/{public_id}/history"): Rule(of_an_announcement=True),
    ("POST", "/watch/{public_id}/holds"): Rule(422, roles=ADMINS, of_an_announcement=True),
    ("POST", "/watch/{public_id}/holds/{number}/lift"): Rule(404, roles=ADMINS),
    ("GET", "/watch/{public_id}/ladder"): Rule(404),
    ("GET", "/watch/{public_id}/papers"): Rule(roles=WRITES, of_an_announcement=True),
    ("POST", "/watch/{public_id}/papers/{what}"): Rule(roles=WRITES, of_an_announcement=True),
    ("GET", "/watch/{public_id}/people/{duty}"): Rule(404),
    ("POST", "/watch/{public_id}/people/{duty}/knows"): Rule(404, roles=WRITES),
    ("GET", "/watch/{public_id}/undo"): Rule(roles=STOPS, of_an_announcement=True),
    ("POST", "/watch/{public_id}/undo"): Rule(
        400, roles=STOPS, of_an_announcement=True
    ),  # it is asked for by name
    ("GET", "/watch/{public_id}/withdraw"): Rule(roles=STOPS, of_an_announcement=True),
    ("POST", "/watch/{public_id}/withdraw"): Rule(
        roles=STOPS, of_an_announcement=True, form={"do": "change"}
    ),
    ("GET", "/watch/{rest}"): Rule(404),  # whatever no other takes
}
# What the other parts of an address are, in these tests.
FILLED = {
    "edition": EDITION,
    "name": "watch.css",
    "link": "x" * 43,
    "kind": "schedule",
    "which": str(NOWHERE),
    "key": "undo.window",
    "version": "1",
    "department": "astronomy",
    "number": "4711",
    "channel": "sms",
    "act": "pause",
    "keyed": "1",
    "do": "remove",
    "duty": "1",
    "what": "slips",
    "guardian": str(NOWHERE),
    "subject": "all",
    "angle": "policy",
    "delivery": "1",
    "rest": "nonsense/further",
}
