"""What a mail carries, a text links to: behind a random word, for some weeks, and until it is taken back."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Attachment, Draft, Part, People, Step
from ledger import tables as t
from tests.support.tower import Tower

PLAN = b"%PDF-1.4 where to stand"


@pytest.fixture
def said(tower: Tower) -> Announcement:
    """An announcement with a file whose name is nobody's friend."""
    tower.bring(2)
    file = Attachment(hashlib.sha256(PLAN).hexdigest(), 'Plän "A"\r\nX: y.pdf', "application/pdf", PLAN)
    draft = Draft(
        "office",
        "Choir",
        People.GUARDIANS,
        (Step(("bell",)),),
        {Part.SHORT: "See the plan."},
        attachments=(file,),
    )
    with tower.house.ledger.begin() as tx:
        now = tx.now
        return tx.announcements.add(
            draft, digest="d", actor=SYSTEM, due_at=now, expires_at=now + timedelta(days=1)
        )


def token_of(tower: Tower, said: Announcement) -> str:
    with tower.house.ledger.begin() as tx:
        [content] = tx.announcements.content(said.id, 1)
        return content.attachments[0].token


async def test_a_link_gives_the_file_to_keep_and_lets_no_browser_run_it(tower, said, client):
    token = token_of(tower, said)
    assert len(token) == 22
    answer = await client.get(f"/f/{token}")
    assert (answer.status_code, answer.content) == (200, PLAN)
    assert answer.headers["content-type"] == "application/pdf"
    kept = answer.headers["content-disposition"]
    assert kept.startswith('attachment; filename="Pl_n _A___X_ y.pdf"')
    assert "\n" not in kept
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_what_was_never_given_is_not_there(tower, said, client):
    for token in ("x" * 22, "x", "x" * 5_000, "../../etc/passwd", "%00", "a" * 21 + "é"):
        answer = await client.get(f"/f/{token}")
        assert answer.status_code == 404, token


async def test_a_link_is_over_when_its_time_is(tower, said, client):
    token = token_of(tower, said)
    with tower.house.ledger.begin() as tx:
        run = tx.hand.connection.execute
        until = run(select(t.content_attachment.c.token_expires_at)).scalar_one()
        assert timedelta(days=59) < until - tx.now < timedelta(days=61)
        run(update(t.content_attachment).values(token_expires_at=tx.now - timedelta(seconds=1)))
    answer = await client.get(f"/f/{token}")
    assert (answer.status_code, answer.json()["code"]) == (410, "link_over")


async def test_a_link_is_over_when_the_announcement_is_taken_back(tower, said, client):
    token = token_of(tower, said)
    intake.withdraw(tower.house.ports, said.public_id, actor=SYSTEM)
    assert (await client.get(f"/f/{token}")).status_code == 410


def test_the_same_file_sent_twice_is_kept_once_and_has_two_words(tower, said):
    with tower.house.ledger.begin() as tx:
        [content] = tx.announcements.content(said.id, 1)
        draft = Draft(
            "office", "Choir", People.GUARDIANS, (Step(("bell",)),), {Part.SHORT: "Again."},
            attachments=content.attachments,
        )  # fmt: skip
        again = tx.announcements.add(
            draft, digest="e", actor=SYSTEM, due_at=tx.now, expires_at=tx.now + timedelta(days=1)
        )
        run = tx.hand.connection.execute
        assert len(run(select(t.attachment.c.sha256)).all()) == 1
        assert len(set(run(select(t.content_attachment.c.token)).scalars())) == 2
    assert token_of(tower, said) != token_of(tower, again)
