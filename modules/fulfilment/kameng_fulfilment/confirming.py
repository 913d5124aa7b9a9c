"""A payment from outside that a person has seen: the one door by which the staff tells of money."""

from __future__ import annotations

from kameng.graphql import Context
from kameng.money import Money
from kameng_fulfilment.acting import record
from kameng_fulfilment.contract import Payments, PaymentTaken
from kameng_fulfilment.orders import StoredOrder

MANUAL = "manual"
"""The source of payments that people confirm."""


async def confirm_payment(
    context: Context, order: StoredOrder, amount: Money, reference: str, reason: str
) -> PaymentTaken:
    """Take in a payment that somebody of the staff has seen, with an entry in the audit log.

    Whatever has to be asked before money counts that nobody but a person has seen, such as a second person, is asked
    here: nothing else calls `Payments.paid` for the staff.

    Args:
        context: the request of the staff member, whose permission was checked.
        order: what was paid.
        amount: what came in.
        reference: what the payment is called where it came in; counts once.
        reason: how it is known.

    Raises:
        Conflict: the reference was used for another order or amount.
        InvalidInput: the reference or the amount is unusable.
    """
    async with context.db.transaction():
        taken = await context.service(Payments).paid(
            order.id, amount, MANUAL, reference, context.principal.key
        )
        if taken.fresh:
            await record(
                context,
                "confirm_payment",
                order,
                amount_minor=amount.minor,
                currency=amount.currency,
                reference=reference,
                outcome=taken.outcome.value,
                transaction=str(taken.transaction),
                reason=reason,
            )
    return taken
