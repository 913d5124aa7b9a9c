"""What a package that takes money in is made of: the protocol of a gateway, and the values that go to and fro.

A gateway is an object to which an entry point of the group ``kameng.gateways`` leads, named like the gateway. It does
nothing but talk: it turns a request into the gateway's own words and the gateway's words into an `Observation`. When to
call, which account to take, whether what was observed fits the payment, what is posted and what is tried again is
settlement's business, and the same for all gateways.

Three rules hold for every gateway:

- Nothing that it says moves money by itself. It reports what the gateway said and under which names, and settlement
  compares all of it with the payment. A value that the gateway did not say is None, never a guess.
- A notification is verified over the raw bytes, and refused where the secret or key to verify it with is empty.
- A call that may have arrived is `GatewayUnanswered`, never a failure. It is asked about and never sent anew under
  another number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar, Final, Protocol, TypeAlias
from uuid import UUID

import msgspec

from kameng.errors import KamengError
from kameng.money import Money

__all__ = [
    "GATEWAY_GROUP",
    "BillKind",
    "BillNotReady",
    "Capabilities",
    "Flow",
    "Gateway",
    "GatewayError",
    "GatewayMisconfigured",
    "GatewayNotReached",
    "GatewayRefused",
    "GatewayTitle",
    "GatewayUnanswered",
    "GatewayUnsupported",
    "MerchantAccount",
    "Notification",
    "NotificationAnswer",
    "NotificationRefused",
    "NotificationRequest",
    "Observation",
    "PaymentRequest",
    "PaymentStatus",
    "RefundObservation",
    "RefundRequest",
    "RefundStatus",
    "Started",
]

GATEWAY_GROUP: Final = "kameng.gateways"
"""The entry-point group in which gateways are found."""


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


Notification: TypeAlias = Observation | RefundObservation
"""What a gateway can tell by itself."""


class NotificationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as it came, before anybody believes it.

    Attributes:
        method: ``GET`` or ``POST``.
        headers: by lower-case name.
        query: the raw query string, without the question mark.
        body: the raw bytes.
        received_at: when it came, UTC; what the gateway says about time is measured against it.
    """

    method: str
    headers: Mapping[str, str]
    query: bytes
    body: bytes
    received_at: datetime


class NotificationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway wants to hear.

    Attributes:
        status: the HTTP status.
        body: the bytes.
        media_type: their type.
    """

    status: int
    body: bytes = b""
    media_type: str = "text/plain"


class GatewayError(KamengError):
    """Base of what a gateway can raise. Its message is kept and shown to staff, so it holds no secret."""

    code: ClassVar[str] = "GATEWAY_ERROR"


class GatewayNotReached(GatewayError):
    """Nothing of the request left, or the gateway said "not now" before it looked: the next account may be tried."""

    code = "GATEWAY_NOT_REACHED"


class GatewayUnanswered(GatewayError):
    """The request was sent, or part of it, and no whole answer came: nobody knows what became of it."""

    code = "GATEWAY_UNANSWERED"


class GatewayRefused(GatewayError):
    """The gateway understood and will not do it, for certain; nothing came of it.

    Attributes:
        reason: the gateway's own code, such as ``FREQUENCY_LIMITED``.
    """

    code = "GATEWAY_REFUSED"

    def __init__(self, message: str, *, cure: str = "", reason: str = "") -> None:
        super().__init__(message, cure=cure)
        self.reason = reason


class GatewayMisconfigured(GatewayError):
    """The account's settings cannot work, such as a key that is none, or an empty secret."""

    code = "GATEWAY_MISCONFIGURED"


class GatewayUnsupported(GatewayError):
    """The gateway's protocol has no such call; `Capabilities` says so beforehand."""

    code = "GATEWAY_UNSUPPORTED"


class BillNotReady(GatewayError):
    """The bill of that day is not made yet; ask again later."""

    code = "GATEWAY_BILL_NOT_READY"


class NotificationRefused(GatewayError):
    """What claims to come from the gateway does not, or says nothing that can be used.

    Args:
        reason: which check failed: ``SIGNATURE``, ``STALE`` (its time is not within what the protocol allows), ``SECRET``
            (ours is empty, so nothing can be verified), ``SERIAL`` (signed with a key that we do not know),
            ``MERCHANT`` or ``APP`` (meant for somebody else), ``MALFORMED``, ``UNSUPPORTED`` (a kind of event that is not about
            a payment or refund).
        message: what happened, without any value of the notification.
    """

    code = "NOTIFICATION_REFUSED"

    REASONS: ClassVar[frozenset[str]] = frozenset(
        {"SIGNATURE", "STALE", "SECRET", "SERIAL", "MERCHANT", "APP", "MALFORMED", "UNSUPPORTED"}
    )

    def __init__(self, reason: str, message: str) -> None:
        if reason not in self.REASONS:
            raise ValueError(f"{reason!r} is no reason to refuse a notification")
        super().__init__(message)
        self.reason = reason


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
