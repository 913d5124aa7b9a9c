"""Opening a payment, once for each key; closing one that nobody waits for any more."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng_settlement.payments.desk import PaymentDraft
from kameng_settlement.payments.records import (
    OPEN_STATES,
    StoredPayment,
    new_number,
    note_history,
    payment_changed,
    payment_of,
)
from kameng_settlement.payments.statements import (
    ADD_PAYMENT,
    HURRY_ATTEMPTS,
    LOCK_PAYMENT,
    MOVE_PAYMENT,
    PAYMENT_BY_KEY,
    PAYMENT_BY_NUMBER,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LONGEST_KEY: Final = 200
LONGEST_MEMO: Final = 200

_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,39}")


async def open_payment(kernel: Kernel, draft: PaymentDraft) -> StoredPayment:
    """Open a payment, or find the one that was opened under its key. Joins the transaction around it.

    Raises:
        InvalidInput: a value is unusable.
        Conflict: the key was used for something else.
    """
    _check(draft)
    async with kernel.db.transaction():
        row = await kernel.db.fetchrow(
            ADD_PAYMENT,
            new_id(),
            new_number("P"),
            draft.key,
            draft.purpose,
            draft.subject,
            draft.payer,
            draft.payer_kind,
            draft.amount.minor,
            draft.amount.currency,
            draft.site,
            draft.memo,
            draft.expires_at,
        )
        if row is not None:
            opened = payment_of(row)
            await note_history(kernel, opened.id, None, "CREATED", draft.actor, "")
            return opened
    # Whoever lost the race for the key waited above until the winner's row was to be seen.
    known = await kernel.db.fetchrow(PAYMENT_BY_KEY, draft.key)
    if known is None:
        raise Conflict("This payment was opened and undone at the same moment.", cure="Try again.")
    opened = payment_of(known)
    if (opened.purpose, opened.subject, opened.payer, opened.amount, opened.site) != (
        draft.purpose,
        draft.subject,
        draft.payer,
        draft.amount,
        draft.site,
    ):
        raise Conflict(
            "This idempotency key was used for another payment.", cure="Take a fresh key for something new."
        )
    return opened


async def close_payment(kernel: Kernel, key: UUID, actor: str, note: str = "") -> bool:
    """Wait for a payment no more; its attempts are closed at their gateways soon. Whether it was open.

    Money that comes nevertheless is taken in all the same. Joins the transaction around it.

    Raises:
        NotFound: there is no such payment.
    """
    async with kernel.db.transaction():
        row = await kernel.db.fetchrow(LOCK_PAYMENT, key)
        if row is None:
            raise NotFound("There is no such payment.", cure="Check its number.")
        payment = payment_of(row)
        if payment.state not in OPEN_STATES:
            return False
        await kernel.db.execute(MOVE_PAYMENT, key, "CLOSED")
        await kernel.db.execute(HURRY_ATTEMPTS, key)
        await note_history(kernel, key, payment.state, "CLOSED", actor, note)
        await kernel.tasks.enqueue("settlement.poll_payments")
        payment_changed(kernel, payment)
    return True


async def payment_by_number(kernel: Kernel, number: str) -> StoredPayment | None:
    """The payment of a number."""
    row = await kernel.db.fetchrow(PAYMENT_BY_NUMBER, number[:64])
    return None if row is None else payment_of(row)


def _check(draft: PaymentDraft) -> None:
    if not 1 <= len(draft.key) <= LONGEST_KEY:
        raise InvalidInput(f"A payment's key has 1 to {LONGEST_KEY} characters.")
    if not _PURPOSE.fullmatch(draft.purpose):
        raise InvalidInput("A payment's purpose is a short word, such as `order`.")
    if draft.amount.minor <= 0:
        raise InvalidInput("A payment is more than zero.", path=("input", "amount"))
    if len(draft.memo) > LONGEST_MEMO:
        raise InvalidInput(f"A payment's memo has at most {LONGEST_MEMO} characters.")
    if draft.payer_kind not in ("member", "guest"):
        raise InvalidInput("A payer is a member or a guest.")
    if not datetime.now(UTC) < draft.expires_at <= datetime.now(UTC) + timedelta(days=90):
        raise InvalidInput("A payment expires within the next 90 days.")
