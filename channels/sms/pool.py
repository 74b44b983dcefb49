"""The pace of a pool: a provider allows each of its numbers so many texts a second, and chooses the number itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo

Numbers = Annotated[
    int | None, Field(ge=1, le=1_000, description="how many numbers the pool has; with `per_number`")
]
PerNumber = Annotated[
    float | None,
    Field(
        gt=0,
        le=1_000,
        validate_default=True,
        description="texts a second that the provider allows each number of the pool: the pace is `numbers` times this",
    ),
]


def checked(per_number: float | None, info: ValidationInfo, *, pool: bool) -> float | None:
    """The pace of each number, where it belongs. Raises ValueError where it says nothing, or not enough."""
    if "numbers" not in info.data:
        return per_number  # it is at fault itself
    if (info.data["numbers"] is None) != (per_number is None):
        raise ValueError("give both numbers and per_number, or neither")
    if per_number is not None and not pool:
        raise ValueError("numbers and per_number are of a pool of numbers, not of one sender")
    return per_number


def pace(numbers: int | None, per_number: float | None) -> float | None:
    """Texts a second of a whole pool, None where nothing is known of it."""
    return None if numbers is None or per_number is None else numbers * per_number
