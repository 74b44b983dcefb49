"""Terms at a page: typed in, changed, taken out, and brought as a file whose difference is shown first."""

from __future__ import annotations

from broker.actor import Actor, ActorKind
from broker.ports.approvals import OperatorRole
from tests.support.diary import send, send_file
from tests.support.staff import name
from tests.support.watching import Watched

TERMS = "/watch/calendar/terms"
CSV = b"kind,name,begins,ends\nterm,Autumn,2026-09-02,2026-12-18\nhalf_term,,2026-10-26,2026-10-30\n"


def spans(watched: Watched) -> list[tuple[str, str, str, str]]:
    with watched.ledger.look() as tx:
        return [(s.kind.value, s.name, str(s.begins_on), str(s.ends_on)) for s in tx.calendars.spans()]


def test_a_term_is_added_changed_and_taken_out(watched: Watched) -> None:
    asked = {"kind": "term", "name": "Autumn", "begins": "2026-09-02", "ends": "2026-12-18"}
    assert send(watched, f"{TERMS}/add", page=TERMS, **asked).status_code == 303
    assert "Autumn" in watched.get(TERMS)
    twice = send(watched, f"{TERMS}/add", page=TERMS, **asked)
    assert "It stands there already" in twice.text
    was = "term|2026-09-02|2026-12-18|Autumn"
    changed = asked | {"ends": "2026-12-19", "name": "Autumn term", "was": was}
    assert send(watched, f"{TERMS}/change", page=TERMS, **changed).status_code == 303
    assert spans(watched) == [("term", "Autumn term", "2026-09-02", "2026-12-19")]
    gone = send(watched, f"{TERMS}/change", page=TERMS, **changed)
    assert gone.status_code == 422
    assert "somebody has changed it meanwhile" in gone.text.lower()
    was = "term|2026-09-02|2026-12-19|Autumn term"
    assert send(watched, f"{TERMS}/change", page=TERMS, was=was, do="take").status_code == 303
    assert spans(watched) == []


def test_what_is_wrong_with_a_term_is_told_and_stays(watched: Watched) -> None:
    asked = {"kind": "term", "name": "Autumn", "begins": "2026-12-18", "ends": "2026-09-02"}
    answer = send(watched, f"{TERMS}/add", page=TERMS, **asked)
    assert answer.status_code == 422
    assert "Autumn ends before it begins" in answer.text
    assert 'value="2026-12-18"' in answer.text
    asked["ends"] = "soon"
    assert "This is no day" in send(watched, f"{TERMS}/add", page=TERMS, **asked).text


def test_a_file_of_terms_shows_what_it_changes_before_it_is_taken(watched: Watched) -> None:
    asked = {"kind": "inset", "name": "Training", "begins": "2026-09-01"}
    assert send(watched, f"{TERMS}/add", page=TERMS, **asked).status_code == 303
    looked = send_file(watched, f"{TERMS}/bring", TERMS, "terms.csv", CSV)
    assert looked.status_code == 200, looked.text
    assert "No longer there" in looked.text
    assert "INSET day: Training" in looked.text
    assert len(spans(watched)) == 1
    carried = ["term|2026-09-02|2026-12-18|Autumn", "half_term|2026-10-26|2026-10-30|"]
    for each in carried:
        assert f'value="{each}"' in looked.text
    assert send(watched, f"{TERMS}/bring", page=TERMS, do="keep", span=carried).status_code == 303
    assert spans(watched) == [
        ("term", "Autumn", "2026-09-02", "2026-12-18"),
        ("half_term", "", "2026-10-26", "2026-10-30"),
    ]
    empty = send_file(watched, f"{TERMS}/bring", TERMS, "terms.csv", b"nonsense")
    assert empty.status_code == 422


def test_only_an_administrator_of_the_whole_school_changes_the_terms(watched: Watched) -> None:
    name(watched, "Mrs Head", OperatorRole.ADMIN)
    name(watched, "Mrs Bell", OperatorRole.AUTHOR)
    assert "Add it" not in watched.get(TERMS)
    refused = send(
        watched, f"{TERMS}/add", page="/watch/calendar/schedules/new", kind="term", begins="2026-09-02"
    )
    assert refused.status_code == 403
    watched.sign_in(actor=Actor(ActorKind.PERSON, "Mrs Head"))
    assert "Add it" in watched.get(TERMS)
