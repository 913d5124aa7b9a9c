"""What the staff does with orders. Each of it needs a permission and leaves an entry in the audit log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Context, Info, Money, mutation
from kameng.ids import key_of
from kameng.money import Money as Amount
from kameng_fulfilment import holding, permissions, tickets
from kameng_fulfilment.acting import find_line, find_order, line_at, order_now, plain_text, record
from kameng_fulfilment.admin_inputs import (
    AddOrderNoteInput,
    AddOrderNotePayload,
    CancelOrderPayload,
    ConfirmPaymentInput,
    ConfirmPaymentPayload,
    DeliverLineInput,
    DeliverLinePayload,
    FailLineInput,
    FailLinePayload,
    HoldOrderPayload,
    OrderReasonInput,
    RefundLineInput,
    RefundOrderInput,
    RefundOrderPayload,
    RefundTicketCardPayload,
    RejectTicketPayload,
    ReleaseOrderPayload,
    ReplaceTicketCardPayload,
    TicketAnswerInput,
)
from kameng_fulfilment.confirming import confirm_payment
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.life_types import Ticket
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders
from kameng_fulfilment.refund_parts import RefundedLine
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.requests import IdempotencyKeyMissing
from kameng_fulfilment.states import WrongOrderState, lock_orders, note_history
from kameng_fulfilment.ticket_reading import StoredTicket
from kameng_fulfilment.unpaid import cancel_unpaid

LONGEST_NOTE = 2_000
"""Characters of a note."""


@strawberry.type
class FulfilmentAdminMutation:
    """Mutations of the staff about orders."""

    @mutation
    async def confirm_payment(self, info: Info, input: ConfirmPaymentInput) -> ConfirmPaymentPayload:  # noqa: A002 - GraphQL's name
        """Say that money came in from outside. Once two different persons have said the same, the order is delivered, or
        the money is in the buyer's wallet."""
        context = info.context
        context.require(permissions.CONFIRM_PAYMENTS)
        order = await find_order(context, input.number)
        taken = await confirm_payment(
            context, order, input.amount.parsed(), input.reference.strip(), plain_text(input.reason)
        )
        return ConfirmPaymentPayload(
            order=await order_now(context, order), outcome=None if taken is None else taken.outcome
        )

    @mutation
    async def cancel_order(self, info: Info, input: OrderReasonInput) -> CancelOrderPayload:  # noqa: A002 - GraphQL's name
        """Call an order off that is not paid yet."""
        context = info.context
        context.require(permissions.MANAGE_ORDERS)
        order, reason = await find_order(context, input.number), plain_text(input.reason)
        async with context.db.transaction():
            await cancel_unpaid(context.kernel, order.id, context.principal.key, reason)
            await record(context, "cancel_order", order, reason=reason)
        return CancelOrderPayload(order=await order_now(context, order))

    @mutation
    async def hold_order(self, info: Info, input: OrderReasonInput) -> HoldOrderPayload:  # noqa: A002 - GraphQL's name
        """Hold the delivery of an order, not its payment, until somebody releases it."""
        context = info.context
        context.require(permissions.HOLD_ORDERS)
        order, reason = await find_order(context, input.number), plain_text(input.reason)
        async with context.db.transaction():
            await holding.hold(context.kernel, order.id, context.principal.key, reason)
            await record(context, "hold_order", order, reason=reason)
        return HoldOrderPayload(order=await order_now(context, order))

    @mutation
    async def release_order(self, info: Info, input: OrderReasonInput) -> ReleaseOrderPayload:  # noqa: A002 - GraphQL's name
        """Let a held order go on; what it is owed from stock is delivered at once."""
        context = info.context
        context.require(permissions.HOLD_ORDERS)
        order, reason = await find_order(context, input.number), plain_text(input.reason)
        async with context.db.transaction():
            await holding.release(context.kernel, order.id, context.principal.key, reason)
            await record(context, "release_order", order, reason=reason)
        return ReleaseOrderPayload(order=await order_now(context, order))

    @mutation
    async def refund_order(self, info: Info, input: RefundOrderInput) -> RefundOrderPayload:  # noqa: A002 - GraphQL's name
        """Pay an order back into its buyer's wallet, whole or in part. Needs an idempotency key."""
        context = info.context
        context.require(permissions.REFUND_ORDERS)
        if not context.idempotency_key:
            raise IdempotencyKeyMissing(
                "A refund needs an idempotency key.",
                cure='Mark the field with @idempotent(key: "…") or send the header Idempotency-Key.',
            )
        order, reason = await find_order(context, input.number), plain_text(input.reason)
        lines = (await lines_of_orders(context.db, [order.id]))[order.id]
        wanted = [refunded_line(line, lines, order) for line in input.lines or ()]
        async with context.db.transaction():
            made = await refund_order(
                context.kernel,
                order.id,
                wanted,
                key=context.idempotency_key,
                actor=context.principal.key,
                reason=reason,
            )
            if made.fresh:
                told = {"reason": reason, "amount_minor": made.amount_minor, "refund": str(made.id)}
                await record(context, "refund_order", order, **told)
        return RefundOrderPayload(
            order=await order_now(context, order),
            refunded=Money.of(Amount(made.amount_minor, order.currency)),
        )

    @mutation
    async def deliver_line(self, info: Info, input: DeliverLineInput) -> DeliverLinePayload:  # noqa: A002 - GraphQL's name
        """Deliver a line by hand. An order that is held must be released first."""
        context = info.context
        context.require(permissions.DELIVER_ORDERS)
        order = await find_order(context, input.number)
        line = await find_line(context, order, input.position)
        async with context.db.transaction():
            await context.service(Deliveries).delivered(
                line.id, input.texts, context.principal.key, input.quantity
            )
            # By now it is locked: nobody holds it in between.
            if (await lock_orders(context.kernel, [order.id]))[order.id].held:
                raise WrongOrderState(f"Order {order.number} is held.", cure="Release it first.")
            told = {"line": str(line.id), "texts": len(input.texts), "quantity": input.quantity}
            await record(context, "deliver_line", order, **told)
        return DeliverLinePayload(order=await order_now(context, order))

    @mutation
    async def fail_line(self, info: Info, input: FailLineInput) -> FailLinePayload:  # noqa: A002 - GraphQL's name
        """Note that a line cannot be delivered as it is."""
        context = info.context
        context.require(permissions.DELIVER_ORDERS)
        order, reason = await find_order(context, input.number), plain_text(input.reason)
        line = await find_line(context, order, input.position)
        async with context.db.transaction():
            await context.service(Deliveries).failed(line.id, reason, context.principal.key)
            await record(context, "fail_line", order, line=str(line.id), reason=reason)
        return FailLinePayload(order=await order_now(context, order))

    @mutation
    async def add_order_note(self, info: Info, input: AddOrderNoteInput) -> AddOrderNotePayload:  # noqa: A002 - GraphQL's name
        """Write a note to an order, for the staff."""
        context = info.context
        context.require(permissions.MANAGE_ORDERS)
        order, note = await find_order(context, input.number), plain_text(input.note, LONGEST_NOTE, "note")
        async with context.db.transaction():
            locked = (await lock_orders(context.kernel, [order.id]))[order.id]
            noted = [(order.id, context.principal.key, note)]
            await note_history(context.kernel, noted, locked.state, kind="note")
            orders_changed(context.kernel, [(order.member, order.id)])
        return AddOrderNotePayload(order=await order_now(context, order))

    @mutation
    async def replace_ticket_card(self, info: Info, input: TicketAnswerInput) -> ReplaceTicketCardPayload:  # noqa: A002 - GraphQL's name
        """Close a ticket by handing over another card."""
        return ReplaceTicketCardPayload(ticket=await _settle(info.context, input, tickets.replace_card))

    @mutation
    async def refund_ticket_card(self, info: Info, input: TicketAnswerInput) -> RefundTicketCardPayload:  # noqa: A002 - GraphQL's name
        """Close a ticket by paying the card back into the buyer's wallet."""
        return RefundTicketCardPayload(ticket=await _settle(info.context, input, tickets.refund_card))

    @mutation
    async def reject_ticket(self, info: Info, input: TicketAnswerInput) -> RejectTicketPayload:  # noqa: A002 - GraphQL's name
        """Close a ticket by turning it down."""
        return RejectTicketPayload(ticket=await _settle(info.context, input, tickets.reject_ticket))


async def _settle(
    context: Context, asked: TicketAnswerInput, end: Callable[..., Awaitable[StoredTicket]]
) -> Ticket:
    context.require(permissions.SETTLE_TICKETS)
    key, answer = key_of("Ticket", asked.ticket_id), plain_text(asked.answer, name="answer")
    async with context.db.transaction():
        ticket = await end(context.kernel, key, context.principal.key, answer)
        await context.kernel.audit.record(
            "fulfilment.settle_ticket",
            principal=context.principal,
            subject=f"ticket:{key}",
            details={"order": str(ticket.order_id), "state": ticket.state, "answer": answer},
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return Ticket.of(ticket)


def refunded_line(asked: RefundLineInput, lines: list[StoredLine], order: StoredOrder) -> RefundedLine:
    """What is to be refunded of a line, as it was asked for.

    Raises:
        InvalidInput: there is no such line, or the amount is of another currency.
    """
    amount = asked.amount.parsed() if asked.amount else None
    if amount is not None and amount.currency != order.currency:
        raise InvalidInput(
            f"The order was paid in {order.currency}.",
            cure="Refund it in the currency that it was paid in.",
            path=("input", "lines"),
        )
    return RefundedLine(
        line=line_at(lines, asked.position).id,
        quantity=asked.quantity,
        amount_minor=amount.minor if amount else None,
    )
