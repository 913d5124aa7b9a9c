"""A gateway: an object that talks, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

import msgspec

from kameng_settlement.gateway_contract.notifications import (
    Notification,
    NotificationAnswer,
    NotificationRequest,
)
from kameng_settlement.gateway_contract.states import BillKind
from kameng_settlement.gateway_contract.values import (
    Capabilities,
    MerchantAccount,
    Observation,
    PaymentRequest,
    RefundObservation,
    RefundRequest,
    Started,
)

GATEWAY_GROUP: Final = "kameng.gateways"
"""The entry-point group in which gateways are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayTitle:
    """What people read.

    Attributes:
        en, zh: the gateway's name in each language.
    """

    en: str
    zh: str


class Gateway(Protocol):
    """A gateway. It holds no state that matters: all that a call needs comes with it, and accounts of many merchants share it.

    No method is ever called inside a database transaction. Methods that call the gateway may raise `GatewayNotReached`,
    `GatewayUnanswered`, `GatewayRefused` and `GatewayMisconfigured`; whatever else they raise, a time-out included, counts
    as `GatewayUnanswered`. `read_notification` and `notification_answer` call nobody.
    """

    @property
    def name(self) -> str:
        """Stable, such as ``wechat``: lower-case letters, digits and underscores, beginning with a letter."""
        ...

    @property
    def title(self) -> GatewayTitle:
        """What people read."""
        ...

    @property
    def settings(self) -> type[msgspec.Struct]:
        """The shape of an account's settings: a frozen msgspec struct that forbids unknown fields."""
        ...

    @property
    def secrets(self) -> frozenset[str]:
        """Fields of it that are never shown again."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def check(self, account: MerchantAccount) -> None:
        """Look at an account's settings when somebody saves them; calls nobody.

        Raises:
            GatewayMisconfigured: they cannot work, such as an empty secret or a key that cannot be read.
        """
        ...

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        """Make the payment known to the gateway. Repeated with the same number it gives the same payment."""
        ...

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        """What became of a payment. `PaymentStatus.UNKNOWN` where the gateway says that it has none of that number."""
        ...

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        """Make an unpaid payment unpayable. Returns what it is now if the gateway says so, such as that it was paid meanwhile;
        None: it is closed, or the gateway never had it."""
        ...

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """Give money back. Repeated with the same number it gives the same refund.

        Raises:
            GatewayRefused: it will not go back, for certain.
        """
        ...

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """What became of a refund. `RefundStatus.UNKNOWN` where the gateway says that it has none of that number."""
        ...

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Notification:
        """Verify and read a notification. It knows this account's secrets and no other.

        Raises:
            NotificationRefused: it is not from the gateway, not for this account, too old, or no notification of a payment
                or refund.
        """
        ...

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        """What the gateway wants to hear: that we have it for good, or that it should tell again."""
        ...

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        """The gateway's bill of a day, as it hands it out; None: there was nothing on that day.

        Args:
            account: whose.
            day: in the gateway's own time zone.
            kind: which bill, one of `Capabilities.bills`.

        Raises:
            BillNotReady: it is not made yet.
            GatewayUnsupported: there are no such bills.
        """
        ...
