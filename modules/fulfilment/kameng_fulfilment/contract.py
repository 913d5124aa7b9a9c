"""What other packages may use of fulfilment: its facts, telling it of payments and deliveries, and how suppliers are written.
No tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from kameng.money import Money
from kameng_fulfilment.events import (
    LineCostChanged,
    OrderCancelled,
    OrderCompleted,
    OrderExpired,
    OrderHeld,
    OrderLineDelivered,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReleased,
    OrderWasClaimed,
    SoldLine,
)
from kameng_fulfilment.supplier_contract import (
    SUPPLIER_GROUP,
    Accepted,
    AskAnswer,
    CallbackRefused,
    CallNotSent,
    CallUnanswered,
    Delivered,
    HttpAnswer,
    NeverReceived,
    NotSent,
    OrderAnswer,
    Outcome,
    Rejected,
    Supplier,
    SupplierHttp,
    SupplierNews,
    SupplierProduct,
    SupplierProtocol,
    SupplierRequest,
    Unknown,
)

__all__ = [
    "SUPPLIER_GROUP",
    "Accepted",
    "AskAnswer",
    "CallNotSent",
    "CallUnanswered",
    "CallbackRefused",
    "Delivered",
    "Deliveries",
    "HttpAnswer",
    "LineCostChanged",
    "NeverReceived",
    "NotSent",
    "OrderAnswer",
    "OrderCancelled",
    "OrderCompleted",
    "OrderExpired",
    "OrderHeld",
    "OrderLineDelivered",
    "OrderPaid",
    "OrderPlaced",
    "OrderRefunded",
    "OrderReleased",
    "OrderWasClaimed",
    "Outcome",
    "PaymentOutcome",
    "PaymentTaken",
    "Payments",
    "Rejected",
    "SoldLine",
    "Supplier",
    "SupplierHttp",
    "SupplierNews",
    "SupplierProduct",
    "SupplierProtocol",
    "SupplierRequest",
    "Unknown",
]


class PaymentOutcome(StrEnum):
    """What became of money that came in for an order. Whatever it is, the money is the buyer's."""

    PAID = "PAID"
    """The order is paid; whatever was too much stays in the buyer's wallet."""
    PAID_LATE = "PAID_LATE"
    """The reservation had expired, and there was still enough stock: the order is paid."""
    UNDERPAID = "UNDERPAID"
    """The money is in the buyer's wallet; the order waits for the rest."""
    CREDITED = "CREDITED"
    """The money is in the buyer's wallet: the order was paid or called off before, or its stock is gone."""


class PaymentTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was taken in.

    Attributes:
        outcome: what became of it.
        transaction: the ledger transaction that put it into the buyer's wallet.
        fresh: whether that happened now; false where the same payment was told of before.
    """

    outcome: PaymentOutcome
    transaction: UUID
    fresh: bool


class Payments(Protocol):
    """Telling fulfilment of money from outside. Gateways call this once they know that they have it."""

    async def paid(
        self,
        order: UUID,
        amount: Money,
        source: str,
        reference: str,
        actor: str = "system",
        payer: UUID | None = None,
    ) -> PaymentTaken:
        """Take money in for an order and deliver it, in one transaction; the same payment again is harmless.

        Call it as the last thing in a transaction of your own, or outside of one.

        Args:
            order: its key.
            amount: what was paid, more than zero.
            source: who took it: a gateway and the account there, such as ``wechat:1900000109``.
            reference: what the payment is called there, unique for ever.
            actor: who says so: a principal's key, or ``system``.
            payer: whose wallet the money was for when its payment was begun; None: the order's buyer's.

        Raises:
            NotFound: there is no such order.
            InvalidInput: the amount, the source or the reference is unusable.
            Conflict: a payment of this source and reference was taken in for another order, or with another amount.
        """
        ...


class Deliveries(Protocol):
    """Telling fulfilment what became of lines that are delivered by people or suppliers.

    Each call locks the order, so it may come from several places at once; each joins the transaction around it, if there is
    one. No network call belongs into that transaction.
    """

    async def started(self, line: UUID, actor: str) -> None:
        """Somebody is at it. Nothing happens where it was started before.

        Raises:
            NotFound: there is no such line.
            WrongDeliveryState: nothing of the line is owed.
        """
        ...

    async def delivered(
        self, line: UUID, texts: Sequence[str], actor: str, quantity: int | None = None
    ) -> None:
        """Something of the line was delivered. While its order is held, the buyer does not see it yet.

        Args:
            line: its key.
            texts: codes and messages for the buyer, sealed at once; may be empty where the delivery happened elsewhere.
            actor: who delivered: a principal's key, or a supplier's name.
            quantity: how many pieces that was; None: all that were owed.

        Raises:
            NotFound: there is no such line.
            WrongDeliveryState: fewer are owed.
        """
        ...

    async def failed(self, line: UUID, reason: str, actor: str) -> None:
        """It cannot be delivered as it is: the shop's rule for failures decides, or a person.

        Raises:
            NotFound: there is no such line.
            WrongDeliveryState: nothing of the line is owed.
        """
        ...
