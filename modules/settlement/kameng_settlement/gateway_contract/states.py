"""What gateways say of payments and refunds, how payers get to pay, and which bills there are."""

from __future__ import annotations

from enum import Enum


class Flow(Enum):
    """How a payer gets to pay."""

    QR = "qr"
    """A text that is shown as a QR code and scanned with the gateway's app."""
    REDIRECT = "redirect"
    """An address that the browser goes to."""
    IN_APP = "in_app"
    """Parameters that the page hands to the app it runs in, such as a mini-program or an official account."""
    BALANCE = "balance"
    """The payer's own wallet; nobody outside is asked."""
    MANUAL = "manual"
    """A transfer that the payer makes by himself and that people confirm."""


class PaymentStatus(Enum):
    """What the gateway says of a payment."""

    PAID = "paid"
    """The money is there."""
    PENDING = "pending"
    """The gateway knows it, and it is not paid yet."""
    CLOSED = "closed"
    """It cannot be paid any more. A payment that was refunded later is still `PAID`."""
    FAILED = "failed"
    """The gateway tried and will not try again."""
    UNKNOWN = "unknown"
    """The gateway itself says that it has no payment of this number."""


class RefundStatus(Enum):
    """What the gateway says of a refund."""

    ACCEPTED = "accepted"
    """It is at it."""
    SUCCEEDED = "succeeded"
    """The money has gone back."""
    FAILED = "failed"
    """It has not gone back and will not, for certain."""
    UNKNOWN = "unknown"
    """The gateway itself says that it has no refund of this number. Only then is the same number sent again."""


class BillKind(Enum):
    """Which bill of a day."""

    TRADE = "trade"
    """Payments and refunds, one by one."""
    FUNDS = "funds"
    """Movements of the merchant's balance at the gateway."""
