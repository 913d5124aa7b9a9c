"""What a buyer asks for, checked before anything is locked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput, Refusal
from kameng.money import Money
from kameng_fulfilment.particulars import Particulars

MAX_LINES = 50
"""Lines of one order."""

MAX_KEY = 128
"""Characters of an idempotency key."""


class IdempotencyKeyMissing(InvalidInput):
    """The request has no idempotency key, without which a repeated request would buy twice."""

    code = "IDEMPOTENCY_KEY_MISSING"


class PriceChanged(Refusal):
    """The total is not the one that the buyer expected."""

    code = "PRICE_CHANGED"


class LineRequest(msgspec.Struct, frozen=True):
    """One line that is asked for.

    Attributes:
        variant: its key.
        quantity: how many.
        answers: what the buyer filled into the product's form: names and answers.
    """

    variant: UUID
    quantity: int
    answers: tuple[tuple[str, str], ...] = ()


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is asked for.

    Attributes:
        member: who buys.
        key: the buyer's idempotency key.
        lines: what is bought; a variant stands in one line only.
        currency: what it is paid in.
        expected: the total that the buyer saw, if it insists on it.
        outside: whether it is paid from outside, and its stock kept until then, rather than from the wallet at once.
        particulars: what it brings along beside its lines, which few orders do.
        site: the shop that the buyer is in, see `kameng_catalog.contract.Sites`.
    """

    member: UUID
    key: str
    lines: tuple[LineRequest, ...]
    currency: str
    expected: Money | None = None
    outside: bool = False
    particulars: Particulars | None = None
    site: str = ""

    @property
    def fingerprint(self) -> bytes:
        """Equal for requests that ask for the same."""
        lines = sorted(
            (line.variant.hex, line.quantity, *([sorted(line.answers)] if line.answers else []))
            for line in self.lines
        )
        asked: tuple[object, ...] = (
            (self.currency, lines, "OUTSIDE") if self.outside else (self.currency, lines)
        )
        if self.particulars is not None and self.particulars.asked_for:
            # A cart is empty once it was ordered, so a repeated request cannot name its lines.
            asked = ("CART", *asked[::2]) if self.particulars.cart else asked
            asked = (*asked, self.particulars.mark)
        return hashlib.sha256(msgspec.msgpack.encode(asked)).digest()


def order_request(
    member: UUID,
    key: str | None,
    lines: Sequence[LineRequest],
    currency: str,
    expected: Money | None = None,
    *,
    outside: bool = False,
    particulars: Particulars | None = None,
    site: str = "",
) -> OrderRequest:
    """Check a request's shape.

    Raises:
        IdempotencyKeyMissing: there is no key.
        InvalidInput: the key is too long, or there are no lines, too many, or a variant twice.
    """
    if not key:
        raise IdempotencyKeyMissing(
            "An order needs an idempotency key.",
            cure='Mark the field with @idempotent(key: "…") or send the header Idempotency-Key; '
            "take a fresh UUID for each order.",
        )
    if len(key) > MAX_KEY:
        raise InvalidInput(
            f"The idempotency key is longer than {MAX_KEY} characters.", cure="A UUID is enough."
        )
    check_lines(lines)
    return OrderRequest(
        member=member,
        key=key,
        lines=tuple(lines),
        currency=currency,
        expected=expected,
        outside=outside,
        particulars=particulars,
        site=site,
    )


def check_lines(lines: Sequence[LineRequest]) -> None:
    """Check the shape of what is asked for.

    Raises:
        InvalidInput: there are no lines, too many, or a variant twice.
    """
    if not 1 <= len(lines) <= MAX_LINES:
        raise InvalidInput(
            f"An order has 1 to {MAX_LINES} lines; this has {len(lines)}.",
            cure="Split it.",
            path=("input", "lines"),
        )
    seen: set[UUID] = set()
    for position, line in enumerate(lines):
        if line.variant in seen:
            raise InvalidInput(
                "The same variant stands in two lines.",
                cure="Put it into one line with the quantity of both.",
                path=("input", "lines", str(position), "variantId"),
            )
        seen.add(line.variant)
