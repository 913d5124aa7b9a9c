"""What goes to a gateway and what comes back: accounts, requests and observations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from kameng.money import Money
from kameng_settlement.gateway_contract.states import BillKind, Flow, PaymentStatus, RefundStatus


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway can do.

    Attributes:
        flows: ways to pay, the preferred one first.
        refunds: whether money can be given back through it.
        partial_refunds: whether in parts, and several times.
        query: whether it can be asked what became of a payment. One that cannot is never believed about large amounts.
        close: whether a payment that was not paid can be made unpayable.
        bills: the bills that it hands out by itself.
        refund_days: how long after the payment a refund may be asked for; None: without limit.
        refund_query: whether it tells of each refund, so that one that it does not know of was never carried out and is sent
            again. Of one that cannot, a refund without an answer is settled by two persons.
    """

    flows: tuple[Flow, ...]
    refunds: bool = False
    partial_refunds: bool = False
    query: bool = False
    close: bool = False
    bills: frozenset[BillKind] = frozenset()
    refund_days: int | None = None
    refund_query: bool = True


class MerchantAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One of our accounts with a gateway, opened for a call.

    Attributes:
        key: its own key in our books; part of the address of its notifications.
        gateway: the gateway's name.
        merchant: what we are called there (``mchid``, ``seller_id``, ``pid``, ``acct_…``), never empty. Settlement
            compares it with what an `Observation` says.
        settings: an instance of the gateway's own `Gateway.settings`, secrets opened.
        notify_url: where the gateway may tell of payments and refunds of this account.
        timeout_seconds: how long one call may take as a whole.
    """

    key: UUID
    gateway: str
    merchant: str
    settings: Any
    notify_url: str
    timeout_seconds: float = 15.0

    def __repr__(self) -> str:
        # Tracebacks show values; what opens an account is shown to nobody.
        return f"MerchantAccount(key={self.key}, gateway={self.gateway!r}, merchant={self.merchant!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("key", self.key), ("gateway", self.gateway), ("merchant", self.merchant)]


class PaymentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid.

    Attributes:
        number: our name of this attempt at the gateway, unique for ever; 20 to 32 characters of ``0-9A-Z``. Repeating a
            request with the same number must never take money twice.
        amount: more than zero.
        subject: what the payer reads, without personal data; at most 120 characters.
        flow: the way to pay, one of the gateway's.
        method: what the payer chose inside the gateway, such as epay's ``alipay`` or WeChat's ``h5``; empty: the
            gateway's own choice.
        expires_at: until when it may be paid, UTC.
        return_url: where the browser comes back to. Coming back proves nothing.
        client_ip: the payer's address; empty where it is not known.
        payer_reference: who the payer is to the gateway, such as a WeChat ``openid``; empty where it is not known.
        locale: the payer's language, such as ``zh-CN``.
    """

    number: str
    amount: Money
    subject: str
    flow: Flow
    expires_at: datetime
    method: str = ""
    return_url: str = ""
    client_ip: str = ""
    payer_reference: str = ""
    locale: str = "zh-CN"


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that the gateway knows now and waits for.

    Attributes:
        flow: how the payer goes on.
        qr: the text of the QR code.
        redirect_url: the address that the browser goes to.
        form: fields that are posted to ``redirect_url`` instead of fetching it; empty: it is fetched.
        params: what the page hands to the app that it runs in; texts only, no secret of ours.
        gateway_reference: the gateway's own name of it, if it has one already.
        expires_at: until when it may be paid, if the gateway set another time than was asked for.
    """

    flow: Flow
    qr: str | None = None
    redirect_url: str | None = None
    form: Mapping[str, str] = {}
    params: Mapping[str, str] = {}
    gateway_reference: str | None = None
    expires_at: datetime | None = None


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway says of a payment, told by itself or asked for.

    Attributes:
        gateway: the gateway's name.
        merchant: whom the gateway says that the money went to. None only where the protocol never says; a protocol
            whose key several merchants share always says it.
        number: our number, as `PaymentRequest.number`.
        transaction: the gateway's own number of the payment, unique for the merchant and for ever. Needed when paid.
        status: the state there.
        amount: what was to be paid, as the gateway says; of a payment with vouchers the full amount, not what the payer's
            bank moved. None where it does not say; a paid one without an amount is refused.
        paid_at: when the money came, UTC; None where it does not say.
        fee: what the gateway keeps of it, if it says so.
        note: the gateway's own word for the state, for people.
        raw_digest: SHA-256 of the bytes that say so.
    """

    gateway: str
    merchant: str | None
    number: str
    status: PaymentStatus
    raw_digest: bytes
    transaction: str | None = None
    amount: Money | None = None
    paid_at: datetime | None = None
    fee: Money | None = None
    note: str = ""


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to go back to the payer.

    Attributes:
        number: our name of the refund, unique for ever; 20 to 32 characters of ``0-9A-Z``. It stays the same however
            often the refund is sent, so that the gateway does it once.
        payment_number: `PaymentRequest.number` of what was paid.
        transaction: the gateway's own number of the payment.
        amount: what goes back.
        paid: what was paid as a whole.
        reason: for the payer; at most 80 characters.
    """

    number: str
    payment_number: str
    transaction: str
    amount: Money
    paid: Money
    reason: str = ""


class RefundObservation(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway says of a refund.

    Attributes:
        gateway, merchant, note, raw_digest: see `Observation`.
        number: our number of the refund.
        payment_number: our number of the payment, if it says so.
        reference: the gateway's own number of the refund.
        status: the state there.
        amount: what goes back; None where it does not say.
        settled_at: when it did, UTC.
    """

    gateway: str
    merchant: str | None
    number: str
    status: RefundStatus
    raw_digest: bytes
    payment_number: str | None = None
    reference: str | None = None
    amount: Money | None = None
    settled_at: datetime | None = None
    note: str = ""
