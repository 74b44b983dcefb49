"""A way that wants an account elsewhere is never the only way (R16)."""

from __future__ import annotations

from itertools import permutations

import pytest

from broker.address import AddressKind
from broker.audience import parse
from broker.channel import Traits
from broker.licences.company import alone

TRAITS = {
    "twitter": Traits(None, never_alone=True),
    "another": Traits(None, never_alone=True),
    "rss": Traits(None),
    "sms": Traits(AddressKind.MOBILE),
    "email": Traits(AddressKind.EMAIL),
}


@pytest.mark.parametrize(
    ("audience", "ways", "allowed"),
    [
        ("Choir", ["twitter"], False),
        ("Choir", ["twitter", "another"], False),
        ("Choir", ["twitter", "rss"], False),
        ("Choir", ["twitter", "sms"], True),
        ("Choir", ["twitter", "email", "rss"], True),
        ("Choir", ["sms"], True),
        ("Choir", ["rss"], True),
        ("everyone", ["twitter"], False),
        ("everyone", ["twitter", "another"], False),
        ("everyone", ["twitter", "rss"], True),
        ("everyone", ["twitter", "sms"], True),
        ("everyone - Staff", ["twitter", "rss"], False),
        ("Everyone", ["twitter", "rss"], True),
    ],
)
def test_x_goes_only_in_company(audience: str, ways: list[str], allowed: bool) -> None:
    for order in permutations(ways):
        problems = alone(parse(audience), {name: TRAITS[name] for name in order})
        assert (len(problems) == 0) is allowed
        assert all((p.code, p.field) == ("never_alone", "via") and p.hint for p in problems)
