"""Paying from the payer's own wallet, by the same way as by any gateway. Nobody outside is asked.

The money leaves the wallet at once, to the account's clearing account, and comes back into it only in the transaction in which
whoever asked for the payment takes it in: it cannot be spent on anything else in between.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from kameng_settlement.gateway_contract import (
    BillKind,
    Capabilities,
    Flow,
    GatewayTitle,
    GatewayUnsupported,
    MerchantAccount,
    Notification,
    NotificationAnswer,
    NotificationRefused,
    NotificationRequest,
    Observation,
    PaymentRequest,
    PaymentStatus,
    RefundObservation,
    RefundRequest,
    Started,
)
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.observing import observe
from kameng_settlement.payments.posting import SET_ASIDE, take_out
from kameng_settlement.payments.records import StoredAttempt, StoredPayment
from kameng_settlement.payments.starting import attempt_by_number, begin

if TYPE_CHECKING:
    from datetime import date

    from kameng.kernel import Kernel

BALANCE: Final = "balance"
"""The gateway's name."""


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """There is nothing to set."""


class OwnGateway:
    """What the gateways that talk to nobody outside have in common: nothing of it can be asked."""

    settings: type[msgspec.Struct] = NoSettings
    secrets: frozenset[str] = frozenset()

    def check(self, account: MerchantAccount) -> None:
        """Any settings will do."""

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        """There is nobody to ask."""
        raise _unsupported()

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        """Nobody else knows of it, so there is nothing to close."""
        return None

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """Nothing goes back by it."""
        raise _unsupported()

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """There is nobody to ask."""
        raise _unsupported()

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Notification:
        """Nobody tells of it."""
        raise NotificationRefused("SECRET", "Nobody tells of payments of this gateway.")

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        """What a stranger hears."""
        return NotificationAnswer(status=200 if accepted else 404)

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        """There are no bills."""
        raise _unsupported()


class BalanceGateway(OwnGateway):
    """The payer's own wallet as a gateway."""

    name = BALANCE
    title = GatewayTitle(en="Balance", zh="余额支付")
    capabilities = Capabilities(flows=(Flow.BALANCE,))

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        """It is paid where it is started; see `pay_from_wallet`."""
        raise _unsupported()


gateway = BalanceGateway()


async def pay_from_wallet(kernel: Kernel, payment: StoredPayment, account: StoredAccount) -> StoredAttempt:
    """Pay from the payer's wallet, in one transaction. A payment that was paid meanwhile is not paid again.

    Raises:
        PaymentOver: it was paid, has expired or was closed.
        InsufficientFunds: the wallet holds less.
    """
    async with kernel.db.transaction():
        # The payment's lock is taken here; who comes second finds that it is over.
        attempt = await begin(kernel, payment, account, Flow.BALANCE, "")
        await take_out(
            kernel,
            account.source,
            payment.payer,
            payment.amount,
            f"set-aside:{attempt.number}",
            payment.memo,
            SET_ASIDE,
        )
        said = Observation(
            gateway=BALANCE,
            merchant=account.merchant,
            number=attempt.number,
            status=PaymentStatus.PAID,
            transaction=attempt.number,
            amount=payment.amount,
            raw_digest=sha256(attempt.number.encode()).digest(),
        )
        await observe(kernel, account, said, told_by="person", actor=f"{payment.payer_kind}:{payment.payer}")
    return await attempt_by_number(kernel, attempt.number)


def _unsupported() -> GatewayUnsupported:
    return GatewayUnsupported("This gateway has no such call.")
