"""What somebody sees first: what needs them, what goes out, how each way stands; and no word of a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from sqlalchemy import event, insert, update

from broker import accounts
from broker.actor import SYSTEM
from broker.delivery import State
from ledger import tables as t
from ledger.reads.health import Alarm
from ledger.reads.now import COUNTED, Chosen, House, WayOut
from tests.support.watching import Watched
from web.watch import words
from web.watch.counts import AT_ONCE, Counts
from web.watch.now.concerns import ALARMS, GROUPS, Seen, concerns, plain
from web.watch.now.topic import Overview

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Text(HTMLParser):
    """What a page says, without what only its elements say."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data


def text_of(html: str) -> str:
    return " ".join(Text(html).text.split())


def first_of(watched: Watched) -> str:
    """What needs action first."""
    return watched.get().split('id="going"')[0].split('id="concerns"')[1]


def test_a_quiet_house_says_that_all_is_well_and_what_to_do_next(watched: Watched) -> None:
    text = text_of(watched.get())
    assert "Nothing: all is well." in text
    assert "Nothing is going out just now." in text
    assert "Nothing was announced yet.Write the first one" in text


def test_what_goes_out_stands_with_its_bars_and_people_before_the_newest(watched: Watched) -> None:
    watched.announce("Older")
    newer = watched.plan(watched.announce("Newer"))
    watched.move(newer, State.SENT, 4)
    watched.move(newer, State.REJECTED, 1, "21211", "the number is not in use")
    html = watched.get()
    assert html.index(f'id="l-{newer.public_id}"') < html.index('id="newest"') < html.index(">Older</a>")
    card = html.split(f'id="l-{newer.public_id}"')[1].split("</article>")[0]
    assert 'class="bar"' in card
    assert "4 sent 1 rejected by the provider 1 waiting" in text_of(card)
    assert "told 4" in text_of(card)
    assert "Nothing has left yet." in text_of(html)


def test_what_is_finished_goes_out_no_more_and_stays_among_the_newest(watched: Watched) -> None:
    done = watched.plan(watched.announce("Done"))
    watched.move(done, State.SENT, 6)
    html = watched.get()
    assert f'id="l-{done.public_id}"' not in html
    assert f'id="a-{done.public_id}"' in html
    assert "finished" in html


def test_what_needs_action_stands_first_each_with_the_page_where_it_is_dealt_with(watched: Watched) -> None:
    announcement = watched.plan(watched.announce("Concert"))
    watched.move(announcement, State.UNCERTAIN, 2)
    watched.move(announcement, State.REJECTED, 1, "21211", "the number is not in use")
    ports = watched.tower.house.ports
    accounts.pause(ports, "tower", "the key is wrong", actor=SYSTEM, alarm="account_rejected")
    html = first_of(watched)
    assert "<b>tower</b>: A provider refuses an account: the key is wrong." in html
    assert 'href="watch/accounts/tower"' in html
    assert "nobody knows of 2 messages whether they left or not" in html
    assert f'href="watch/{announcement.public_id}?show=uncertain"' in html
    assert "1 rejected by the provider" in html
    assert f'href="watch/{announcement.public_id}?show=failed"' in html
    titles = re.findall(r"</svg> ([^<]+) <span", html)
    assert titles == sorted(titles, key=[title for title, _, _ in GROUPS.values()].index)
    assert len(titles) == 4


def test_people_whom_nothing_reached_are_counted_and_led_to_by_name(watched: Watched) -> None:
    announcement = watched.plan(watched.announce("Concert"))
    watched.move(announcement, State.SENT, 4)
    watched.move(announcement, State.REJECTED, 2)
    html = first_of(watched)
    assert "<b>Concert</b>: 2 people could not be told." in html
    assert f'href="watch/{announcement.public_id}/people"' in html


def test_what_is_withdrawn_needs_nobody(watched: Watched) -> None:
    announcement = watched.plan(watched.announce("Concert"))
    watched.move(announcement, State.REJECTED, 6)
    with watched.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.announcement).values(withdrawn_at=tx.now))
    assert "all is well" in first_of(watched)


def test_messages_that_nobody_sends_are_told_with_the_way_they_go_by(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    late(watched, announcement.id)
    html = first_of(watched)
    assert "<b>tower</b>: 6 messages should have gone by now, and nothing is sending them." in html
    assert 'href="watch/doctor"' in html
    assert "Nothing is sending" in watched.get().split('id="ways"')[1]


def test_a_paused_account_says_why_and_leads_to_its_page(watched: Watched) -> None:
    accounts.pause(watched.tower.house.ports, "tower", "the bill is too high", actor=SYSTEM)
    html = first_of(watched)
    assert "<b>tower</b>: It is paused, and what goes by it waits: the bill is too high." in html
    assert 'href="watch/accounts/tower"' in html
    assert "Paused" in watched.get().split('id="ways"')[1]


def test_answers_that_wait_are_counted_without_their_words(watched: Watched) -> None:
    with watched.ledger.begin() as tx:
        for n in range(3):
            tx.hand.connection.execute(insert(t.answer).values(**an_answer(n), received_at=tx.now))
        tx.hand.connection.execute(
            insert(t.answer).values(**an_answer(9), received_at=tx.now, automatic=True)
        )
    html = first_of(watched)
    assert "3 answers nobody has dealt with yet" in html
    assert 'href="watch/answers"' in html
    assert "Words of a parent" not in html


def test_how_much_of_its_pace_an_account_uses_is_told(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    with watched.ledger.begin() as tx:
        run = tx.hand.connection.execute
        run(update(t.account).values(per_second=2.0))
        row = run(t.delivery.select().where(t.delivery.c.announcement_id == announcement.id)).first()
        assert row is not None
        tries = {"delivery_id": row.id, "account_id": row.account_id, "gateway": "", "digest": "d"}
        for fence in range(10):
            run(insert(t.attempt).values(**tries, fence=fence, started_at=tx.now - timedelta(seconds=2)))
    text = text_of(watched.get().split('id="ways"')[1])
    assert "50% of its pace used: 1 a second of 2 a second" in text


def test_a_page_takes_no_more_than_a_dozen_statements_even_the_first_time(watched: Watched) -> None:
    for n in range(12):
        announcement = watched.plan(watched.announce(f"Title {n}"))
        watched.move(announcement, State.REJECTED, 2)
        watched.move(announcement, State.UNCERTAIN, 1)
        late(watched, announcement.id)
    asked: list[str] = []
    event.listen(watched.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for path in ("/watch", "/watch", "/watch/announcements?far=wrong", "/watch/figures"):
        asked.clear()
        watched.get(path)
        reads = [one for one in asked if one.startswith(("SELECT", "WITH"))]
        assert len(reads) <= 12, (path, len(reads))


def test_people_of_a_very_large_announcement_are_counted_while_nobody_waits(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.watch.counts.AT_ONCE", 5)
    announcement = watched.plan(watched.announce("Large"))
    card, counts = f"l-{announcement.public_id}", Counts()
    with watched.ledger.reading() as hand:
        at_once = Overview().paint(hand, counts, exact=True)
        later = Overview().paint(hand, counts)
        known = Overview().paint(hand, counts, exact=True)
    assert at_once.behind
    assert "They are being counted." in at_once.parts[card]
    assert not later.behind
    assert "They are being counted." not in later.parts[card] + known.parts[card]
    assert AT_ONCE > 5


def test_no_sentence_tells_a_command() -> None:
    for message, said in [
        ("105.00 of 100.00 are spent: see carillon budget show", "105.00 of 100.00 are spent"),
        (
            "an answer needs the safeguarding lead: carillon answers show 7",
            "an answer needs the safeguarding lead",
        ),
        (
            "nobody has answered for more than 24 hours in the inbox office; see: carillon answers list",
            "nobody has answered for more than 24 hours in the inbox office",
        ),
        (
            "the schedule Choir waits for a second person; for all its dates: carillon schedule approve 'Choir'",
            "the schedule Choir waits for a second person",
        ),
        (
            "the known terms end soon, and schedules wait for the next: carillon terms import FILE",
            "the known terms end soon, and schedules wait for the next",
        ),
        ("the bill is too high, see the office", "the bill is too high, see the office"),
    ]:
        assert plain(message) == said


def test_every_alarm_has_words_of_its_own_and_a_page(watched: Watched) -> None:
    for kind, (group, link) in ALARMS.items():
        assert kind in words.ALARMS, kind
        assert group in GROUPS
        assert link.startswith("watch/")
    told = concerns(
        seen([Alarm(kind, "one two", "it is so", NOW) for kind in [*words.ALARMS, "never_heard_of"]])
    )
    assert sum(len(group.concerns) for group in told) == len(words.ALARMS) + 1
    assert all("{" not in concern.link for group in told for concern in group.concerns)
    graves = [group.grave for group in told]
    assert graves == sorted(graves, reverse=True)


def test_a_department_is_told_of_what_it_goes_by_and_of_nothing_else() -> None:
    alarms = [
        Alarm("posture", "music-x", "it is locked", NOW),
        Alarm("posture", "office-x", "it is locked", NOW),
        Alarm("gateway", "texts twilio", "it is passed over", NOW),
        Alarm("budget_used_up", "office 2026-11", "105 of 100", NOW),
        Alarm("heads_not_mailed", "record", "nobody holds one", NOW),
    ]
    ways = [
        way("music-x", "music"),
        way("office-x", "office", paused="the bill"),
        way("texts", None, paused="broken"),
    ]
    told = concerns(seen(alarms, ways, department="music"))
    assert [concern.name for group in told for concern in group.concerns] == [
        "music-x",
        "texts twilio",
        "texts",
    ]


def test_a_record_that_nobody_seals_is_told_to_those_of_the_whole_school() -> None:
    (group,) = concerns(seen([], unsealed=NOW - timedelta(minutes=1)))
    assert group.concerns[0].says == "The newest 3 entries are not protected against changes yet"
    assert concerns(seen([], unsealed=NOW - timedelta(seconds=5))) == []
    assert concerns(seen([], unsealed=NOW - timedelta(minutes=1), department="music")) == []


def test_more_than_can_be_counted_is_called_more() -> None:
    way_out = way("texts", None, due=COUNTED + 1, oldest=NOW - timedelta(minutes=9))
    (group,) = concerns(seen([], [way_out]))
    assert group.concerns[0].says.startswith("more than 10,000 messages")


def way(
    name: str,
    department: str | None,
    *,
    paused: str | None = None,
    due: int = 0,
    oldest: datetime | None = None,
) -> WayOut:
    return WayOut(name, "sms", department, None, paused, due, oldest, 0, 0.0)


def seen(
    alarms: list[Alarm],
    ways: list[WayOut] | None = None,
    department: str | None = None,
    unsealed: datetime | None = None,
) -> Seen:
    stands = House(NOW, "Europe/London", ways or [], [], alarms, None, 3, unsealed, {})
    return Seen(stands, Chosen([], [], {}, [], [], 0), {}, {}, department, None)


def late(watched: Watched, announcement: int) -> None:
    with watched.ledger.begin() as tx:
        which = update(t.delivery).where(t.delivery.c.announcement_id == announcement)
        tx.hand.connection.execute(which.values(due_at=tx.now - timedelta(minutes=5)))


def an_answer(n: int) -> dict[str, object]:
    return {
        "public_id": uuid4(), "channel": "sms", "key": str(n), "inbox": "office", "sender": "+447911100001",
        "sender_hash": b"h", "text": "Words of a parent",
    }  # fmt: skip
