"""A payment from outside that people have seen: the one door by which the staff tells of money."""

from __future__ import annotations

from kameng.auth import PrincipalKind
from kameng.graphql import Context
from kameng.money import Money
from kameng_fulfilment.acting import record
from kameng_fulfilment.contract import Payments, PaymentTaken
from kameng_fulfilment.orders import StoredOrder
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_settlement.contract import TwoPersons

MANUAL = "manual"
"""The source of payments that people confirm."""


async def confirm_payment(
    context: Context, order: StoredOrder, amount: Money, reference: str, reason: str
) -> PaymentTaken | None:
    """Say that one has seen a payment; once two different persons of the staff have, it is taken in. Both stand in the audit log.

    Args:
        context: the request of the staff member, whose permission was checked.
        order: what was paid.
        amount: what came in; both persons have to say the same.
        reference: what the payment is called where it came in; counts once.
        reason: how it is known.

    Returns:
        what became of the payment; None: it waits for a second person.

    Raises:
        SamePerson: the first person cannot be the second.
        ConfirmationDiffers: the first one saw another amount.
        Conflict: the reference was used for another order or amount.
        InvalidInput: the reference or the amount is unusable.
    """
    person = context.principal.require_kind(PrincipalKind.STAFF)
    alone = (
        amount.minor
        < context.kernel.settings.section("fulfilment", FulfilmentSettings).two_persons_from_minor
    )
    async with context.db.transaction():
        if not alone and not await context.service(TwoPersons).confirm(order.id, reference, amount, person):
            await _record(context, order, amount, reference, reason, outcome="WAITS")
            return None
        taken = await context.service(Payments).paid(
            order.id, amount, MANUAL, reference, context.principal.key
        )
        if taken.fresh:
            await _record(
                context,
                order,
                amount,
                reference,
                reason,
                outcome=taken.outcome.value,
                transaction=str(taken.transaction),
            )
    return taken


async def _record(
    context: Context, order: StoredOrder, amount: Money, reference: str, reason: str, **more: str
) -> None:
    await record(
        context,
        "confirm_payment",
        order,
        amount_minor=amount.minor,
        currency=amount.currency,
        reference=reference,
        reason=reason,
        **more,
    )
