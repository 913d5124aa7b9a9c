"""What becomes of the requests of a batch of orders."""

from __future__ import annotations

from uuid import UUID

import msgspec

from kameng.errors import Conflict, Refusal

Outcome = UUID | Refusal
"""The key of the order that a request led to, or why it led to none."""


class BatchResult(msgspec.Struct, frozen=True):
    """What became of a batch.

    Attributes:
        outcomes: for each request, in order.
        contested: positions that were refused for want of stock while others hold some that they have not paid; they are
            worth another try.
    """

    outcomes: list[Outcome]
    contested: list[int]


def key_conflict() -> Conflict:
    """The refusal of a key that was used for something else."""
    return Conflict(
        "This idempotency key was used for another order.",
        cure="Take a fresh key for a new order; repeat the same input to get the first order again.",
    )
