"""The envelope of a mail: where a report about it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from broker.channel import Item, Key, Recipient
from channels.email import Email
from channels.email.settings import Settings
from config.signer import HmacSigner
from tests.channels.mail_support import HOUSE, account, parent, read, wording

TOKEN = HmacSigner(b"a secret of the tests").sign("attempt", "7")


def drafted(channel: Email, to: Recipient, *, automatic: bool = False):
    content = replace(wording(), automatic=automatic)
    return channel._gateway.compose(Item(Key(7, 7, 1, TOKEN), channel.render(content, to), to))


def test_each_attempt_has_a_return_path_of_its_own_and_the_mail_says_who_it_is_from() -> None:
    draft = drafted(account(return_path="bounces@school.example"), parent())
    assert draft.sender.startswith(b"bounces+7-")
    assert draft.sender.endswith(b"@school.example")
    assert HOUSE.sender in str(read(b"".join(draft.pieces))["From"])


def test_left_out_it_is_the_sender_s() -> None:
    assert drafted(account(), parent()).sender == HOUSE.sender.encode()


def test_what_the_house_says_by_itself_tells_machines_not_to_answer() -> None:
    channel = account()
    for automatic in (True, False, True):
        mail = read(b"".join(drafted(channel, parent(), automatic=automatic).pieces))
        assert mail["Auto-Submitted"] == ("auto-generated" if automatic else None)
        assert mail["X-Auto-Response-Suppress"]


@pytest.mark.parametrize("wrong", ["undelivered-mails@school.example", "b+x@school.example", "bounces"])
def test_a_mailbox_without_room_for_a_token_is_refused_at_the_start(wrong: str) -> None:
    told = {"host": "localhost", "sender": HOUSE.sender, "reply_to": HOUSE.reply_to, "return_path": wrong}
    with pytest.raises(ValidationError, match="return_path"):
        Settings.model_validate(told)
