"""An announcement is accepted only if it suits every gateway of its ways: it may go by any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from broker.announcement import Attachment, Content, Part
from broker.errors import InvalidAnnouncement, Problem
from broker.testing.provider import PretendChannel
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.two_gateways import FIRST, SECOND, TwoGateways, with_two

WORDS = {Part.SHORT: "The coach leaves at eight."}
LONG = {Part.SHORT: "The coach leaves at eight, from the gate."}
FILE = Attachment("0" * 64, "route.pdf", "application/pdf", b"%PDF-1.7")


class Brief(PretendChannel):
    """A gateway that takes shorter texts than others."""

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Thirty letters at most."""
        too_long = Problem("text_too_long", "short", "at most 30 characters by this gateway", "shorten it")
        return (too_long,) if len(content.short) > 30 else ()


def brief(world: World, two: TwoGateways, gateway: str) -> None:
    provider = two.texts if gateway == FIRST else two.others
    channel = two.opened[gateway] = Brief(two.traits("sms"), provider)
    channel.name = "sms"


def takes(two: TwoGateways, gateway: str, files: bool) -> None:
    channel: Any = two.through("texts", gateway)
    channel.traits = replace(two.traits("sms"), carries_files=files)


@pytest.mark.parametrize("gateway", [FIRST, SECOND])
def test_words_too_long_for_one_gateway_are_refused_whichever_it_is(world: World, gateway: str) -> None:
    brief(world, with_two(world), gateway)
    with pytest.raises(InvalidAnnouncement, match="by this gateway") as refused:
        world.announce(parts=LONG)
    problem = refused.value.problem
    assert (problem.code, problem.field, problem.hint) == ("text_too_long", "short", "shorten it")
    assert world.rows(t.announcement.select()) == []
    world.announce(parts=WORDS)
    assert len(world.rows(t.announcement.select())) == 1


@pytest.mark.parametrize("without", [FIRST, SECOND])
def test_a_file_is_refused_where_one_gateway_of_the_only_way_takes_none(world: World, without: str) -> None:
    two = with_two(world)
    two.kits["sms"].traits = replace(two.traits("sms"), carries_files=True)
    for gateway in (FIRST, SECOND):
        takes(two, gateway, gateway != without)
    with pytest.raises(InvalidAnnouncement, match="can carry a file"):
        world.announce(attachments=(FILE,))
    assert world.rows(t.announcement.select()) == []
    takes(two, without, True)
    world.announce(attachments=(FILE,))
