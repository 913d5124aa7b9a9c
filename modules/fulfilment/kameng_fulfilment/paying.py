"""Money from outside: taken in, and with it the order that it was paid for, on time, late or too late."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from kameng.errors import Conflict, Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_catalog.contract import Pick, PickRequest, Sale, Stock
from kameng_fulfilment.contract import PaymentOutcome, PaymentTaken
from kameng_fulfilment.delivering import Delivered, deliver_from_stock, note_delivered
from kameng_fulfilment.guests.claiming import money_follows
from kameng_fulfilment.life_statements import (
    ADD_PAYMENT,
    COUNT_RECEIVED,
    FIND_PAYMENT,
    MARK_CHARGED,
    MARK_DUE,
)
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders
from kameng_fulfilment.states import lock_orders, move, note_history, settle_down
from kameng_settlement.contract import (
    Booking,
    Books,
    Charge,
    Charged,
    Charging,
    Holder,
    InsufficientFunds,
    Move,
    Receipt,
    Receipts,
    Received,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class OrderPayments:
    """`kameng_fulfilment.contract.Payments`.

    The order is locked first; then stock where the payment is late; then the buyer's wallet.

    Args:
        kernel: whose orders.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._db = kernel.db
        self._stock = kernel.services.get(Stock)
        self._charging = kernel.services.get(Charging)
        self._receipts = kernel.services.get(Receipts)

    async def paid(
        self,
        order: UUID,
        amount: Money,
        source: str,
        reference: str,
        actor: str = "system",
        payer: UUID | None = None,
    ) -> PaymentTaken:
        """See the contract."""
        try:
            async with self._db.transaction():
                return await self._paid(order, amount, source, reference, actor, payer)
        except asyncpg.UniqueViolationError as error:
            # The same payment for another order at the same moment; that one went first.
            raise _used() from error

    async def _paid(
        self, key: UUID, amount: Money, source: str, reference: str, actor: str, payer: UUID | None
    ) -> PaymentTaken:
        order = (await lock_orders(self._kernel, [key]))[key]
        known = await self._db.fetchrow(FIND_PAYMENT, source, reference)
        if known is not None:
            if (known["order_id"], known["amount_minor"], known["currency"]) != (
                key,
                amount.minor,
                amount.currency,
            ):
                raise _used()
            return PaymentTaken(
                outcome=PaymentOutcome(known["outcome"]), transaction=known["transaction"], fresh=False
            )
        received = order.received_minor + (amount.minor if amount.currency == order.currency else 0)
        payable = order.payment == "OUTSIDE" and received >= order.total_minor
        late = order.state == "EXPIRED"
        lines = (await lines_of_orders(self._db, [key]))[key]
        picks = await self._picked(lines) if payable and late else None
        answer = await self._take_in(order, amount, source, reference, payer or order.member)
        outcome = PaymentOutcome.CREDITED
        if order.state == "PENDING_PAYMENT" or picks is not None:
            outcome = await self._charge(order, late) if payable else PaymentOutcome.UNDERPAID
        await self._db.execute(COUNT_RECEIVED, key, received)
        await self._db.execute(
            ADD_PAYMENT,
            new_id(),
            key,
            source,
            reference,
            amount.minor,
            amount.currency,
            outcome.value,
            answer.transaction,
            actor,
        )
        await note_history(
            self._kernel,
            [(key, actor, _NOTES[outcome])],
            order.state,
            kind="payment",
            amount_minor=amount.minor,
        )
        if outcome in (PaymentOutcome.PAID, PaymentOutcome.PAID_LATE):
            await self._deliver(order, lines, picks, actor)
        else:
            orders_changed(self._kernel, [(order.member, order.id)])
        return PaymentTaken(outcome=outcome, transaction=answer.transaction, fresh=True)

    async def _take_in(
        self, order: StoredOrder, amount: Money, source: str, reference: str, payer: UUID
    ) -> Received:
        """The money into the buyer's wallet. What settlement took in itself, for a payment that it was asked for, is there
        already, and is not taken in twice."""
        receipt = Receipt(source=source, reference=reference, member=payer, amount=amount, memo=order.number)
        (answer,) = await self._receipts.receive([receipt])
        if isinstance(answer, Refusal):
            raise answer
        if payer != order.member:
            # The order has become somebody else's since its payment was begun, and the money goes with it. Where there is
            # nothing left, it went when the order did.
            move = Move(Holder("wallet", payer), Holder("wallet", order.member), amount)
            booking = Booking(
                key=f"follows:{source}:{reference}", kind="payment_follows", moves=(move,), memo=order.number
            )
            (moved,) = await self._kernel.services.get(Books).book([booking])
            if isinstance(moved, Refusal) and not isinstance(moved, InsufficientFunds):
                raise moved
        return answer

    async def _picked(self, lines: list[StoredLine]) -> list[Pick] | None:
        """Stock for all lines of an order that had expired; None where something is gone."""
        picks = await self._stock.pick(
            [PickRequest(variant=line.variant, quantity=line.quantity) for line in lines]
        )
        found = [pick for pick in picks if not isinstance(pick, Refusal)]
        return found if len(found) == len(lines) else None

    async def _charge(self, order: StoredOrder, late: bool) -> PaymentOutcome:
        # A payment that a guest began may have come into his wallet after somebody claimed his order.
        await money_follows(self._kernel, order.id)
        (answer,) = await self._charging.charge(
            [
                Charge(
                    key=f"order:{order.id}",
                    member=order.member,
                    amount=Money(order.total_minor, order.currency),
                    memo=order.number,
                )
            ]
        )
        if isinstance(answer, InsufficientFunds):
            # What came in before was spent on something else meanwhile.
            return PaymentOutcome.CREDITED if late else PaymentOutcome.UNDERPAID
        if not isinstance(answer, Charged):
            raise answer
        await self._db.execute(MARK_CHARGED, order.id, answer.transaction)
        return PaymentOutcome.PAID_LATE if late else PaymentOutcome.PAID

    async def _deliver(
        self, order: StoredOrder, lines: list[StoredLine], picks: list[Pick] | None, actor: str
    ) -> None:
        paid = (await move(self._kernel, [order.id], "PAID", actor))[order.id]
        await self._db.execute(MARK_DUE, order.id)
        if picks is not None:
            sales = [Sale(pick=pick, line=line.id) for line, pick in zip(lines, picks, strict=True)]
            if paid.held:
                assert paid.reserved_until is not None  # noqa: S101 - it had waited for its payment
                await self._stock.reserve(sales, paid.reserved_until)
            else:
                await self._stock.hand_over(sales)
                instant = [
                    Delivered(paid, line, line.quantity) for line in lines if line.delivery == "instant"
                ]
                if instant:
                    await note_delivered(self._kernel, instant, actor)
        if paid.held or picks is not None:
            await settle_down(self._kernel, paid, actor)
        else:
            await deliver_from_stock(self._kernel, [paid], actor)


_NOTES = {
    PaymentOutcome.PAID: "paid from outside",
    PaymentOutcome.PAID_LATE: "paid late; there was still enough stock",
    PaymentOutcome.UNDERPAID: "paid in part; the money is in the wallet until the rest comes",
    PaymentOutcome.CREDITED: "the payment was put into the wallet",
}
"""What the buyer reads in the order's history."""


def _used() -> Conflict:
    return Conflict(
        "This payment was taken in for another order, or with another amount.",
        cure="Check the reference: each payment counts once, for the order that it was made for.",
        path=("input", "reference"),
    )
