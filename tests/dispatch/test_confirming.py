"""Callbacks in the inbox: a handful of statements for all of them, and one that cannot be read keeps none waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for

from sqlalchemy import event, select

from broker.channel import Key, Receipt
from broker.delivery import Evidence
from broker.testing.provider import pretend_news
from ledger import tables as t
from tests.support.broker_world import World

MOST_STATEMENTS = 25  # one by one, thirty callbacks cost some three hundred


def told(world: World, *evidence: Evidence) -> None:
    """The provider calls back about every attempt, once for each of these."""
    attempts = world.rows(
        select(t.attempt.c.id, t.attempt.c.provider_id, t.attempt.c.delivery_id, t.attempt.c.fence)
    )
    with world.ledger.begin() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        for each in evidence:
            for row in attempts:
                token = world.ports.signer.sign("attempt", str(row.id))
                key = Key(row.delivery_id, row.id, row.fence, token)
                news = pretend_news(key, Receipt(row.provider_id), each)
                tx.receipts.append(account.id, news.url, news.headers, news.body)


def test_callbacks_are_confirmed_together(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    told(thirty, Evidence.ACCEPTED, Evidence.DELIVERED)
    statements: list[str] = []
    event.listen(thirty.ledger.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    assert thirty.confirm() == 60
    assert thirty.states(said) == {"delivered": 30}
    assert len(statements) <= MOST_STATEMENTS


def test_one_that_cannot_be_read_is_put_aside_with_its_fault(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    with thirty.ledger.begin() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        tx.receipts.append(account.id, "https://school.example/callbacks/texts/x", {}, b"nonsense")
    told(thirty, Evidence.DELIVERED)
    assert thirty.confirm() == 31
    assert thirty.states(said) == {"delivered": 30}
    faults = [row.fault for row in thirty.rows(select(t.receipt.c.fault).order_by(t.receipt.c.id))]
    assert faults == ["SignatureInvalid", *[""] * 30]


def test_a_second_process_waits_for_the_chunk_before_and_goes_on_behind_it(world: World) -> None:
    with world.ledger.begin() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        for body in (b"first", b"second"):
            tx.receipts.append(account.id, "https://school.example/callbacks/texts/x", {}, body)

    def behind() -> list[bytes]:
        with world.ledger.begin() as tx:
            return [item.body for item in tx.receipts.pending(limit=1)]

    with ThreadPoolExecutor(1) as other:
        with world.ledger.begin() as tx:
            [first] = tx.receipts.pending(limit=1)
            second = other.submit(behind)
            assert not wait_for([second], timeout=0.5).done
            tx.receipts.done([first.id])
        assert (first.body, second.result(timeout=20)) == (b"first", [b"second"])
