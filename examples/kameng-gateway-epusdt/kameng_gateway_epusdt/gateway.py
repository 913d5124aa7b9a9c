"""The gateway. It talks and nothing else: which account is taken, what is posted and what is tried again is settlement's."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from kameng_gateway_epusdt.signing import SHORTEST_TOKEN, amount_text, holds, read_fields, signature
from kameng_gateways.amounts import CNY, read_decimal
from kameng_gateways.calling import call, check_url
from kameng_settlement.gateway_contract import (
    BillKind,
    Capabilities,
    Flow,
    GatewayMisconfigured,
    GatewayRefused,
    GatewayTitle,
    GatewayUnanswered,
    GatewayUnsupported,
    MerchantAccount,
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

NAME = "epusdt"

STATES = {"1": PaymentStatus.PENDING, "2": PaymentStatus.PAID, "3": PaymentStatus.CLOSED}
"""All states of a payment. Any other is one that was not known when this was written: pending, never paid."""


class EpusdtSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of an account. The protocol has no merchants; call the account's merchant what you like.

    Attributes:
        url: where the server is, such as ``https://usdt.example.com``.
        token: ``api_auth_token`` of the server's configuration.
    """

    url: Annotated[str, msgspec.Meta(min_length=8, max_length=500)]
    token: str

    def __repr__(self) -> str:
        return f"EpusdtSettings(url={self.url!r})"


class EpusdtGateway:
    """`kameng_settlement.gateway_contract.Gateway` over epusdt.

    The server tells of payments and cannot be asked about them by our number, so settlement never believes it about large
    amounts.
    """

    name: str = NAME
    title: GatewayTitle = GatewayTitle(en="USDT", zh="USDT")
    settings: type[msgspec.Struct] = EpusdtSettings
    secrets: frozenset[str] = frozenset({"token"})
    capabilities: Capabilities = Capabilities(flows=(Flow.REDIRECT,))

    def check(self, account: MerchantAccount) -> None:
        """See the contract."""
        settings = _settings(account)
        if len(settings.token) < SHORTEST_TOKEN:
            raise GatewayMisconfigured(
                f"A token has {SHORTEST_TOKEN} characters at least.", cure="Set a longer api_auth_token."
            )
        check_url(settings.url)

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        """A page of the server's."""
        settings = _settings(account)
        if request.flow is not Flow.REDIRECT or request.amount.currency != CNY:
            raise GatewayRefused("This server takes amounts in CNY, on a page of its own.", reason="FLOW")
        fields = {
            "order_id": request.number,
            "amount": amount_text(request.amount),
            "notify_url": account.notify_url,
            "redirect_url": request.return_url,
        }
        fields = {key: text for key, text in fields.items() if text}
        content: dict[str, Any] = {**fields, "signature": signature(settings.token, fields)}
        content["amount"] = msgspec.Raw(fields["amount"].encode())  # a number, written as it was signed
        answer = await call(
            account,
            "POST",
            f"{settings.url.rstrip('/')}/api/v1/order/create-transaction",
            headers={"content-type": "application/json"},
            body=msgspec.json.encode(content),
        )
        try:
            said = msgspec.json.decode(answer.body, type=_Answer)
        except msgspec.DecodeError as error:
            raise GatewayUnanswered(f"The server's answer ({answer.status}) cannot be read.") from error
        if said.status_code != 200 or said.data is None:
            raise GatewayRefused(f"The server refused: {said.status_code}.", reason=str(said.status_code))
        if said.data.order_id != request.number:
            raise GatewayUnanswered("The server answered about another payment.")
        return Started(
            flow=Flow.REDIRECT, redirect_url=said.data.payment_url, gateway_reference=said.data.trade_id
        )

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Observation:
        """See the contract."""
        settings = _settings(account)
        if len(settings.token) < SHORTEST_TOKEN:
            raise NotificationRefused("SECRET", "The account has no usable token.")
        try:
            fields = read_fields(request.body)
        except ValueError as error:  # msgspec's own errors are such, too
            raise NotificationRefused("MALFORMED", "It is no object of texts and numbers.") from error
        if not holds(settings.token, fields):
            raise NotificationRefused("SIGNATURE", "The signature is wrong.")
        if not fields.get("order_id"):
            raise NotificationRefused("MALFORMED", "It names no payment.")
        state = fields.get("status", "")
        return Observation(
            gateway=NAME,
            merchant=None,  # the protocol has none
            number=fields["order_id"],
            transaction=fields.get("trade_id") or None,
            status=STATES.get(state, PaymentStatus.PENDING),
            amount=read_decimal(fields.get("amount")),
            note=state[:32],
            raw_digest=sha256(request.body).digest(),
        )

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        """The word ``ok``; anything else makes the server tell again, five times."""
        return NotificationAnswer(status=200 if accepted else 500, body=b"ok" if accepted else b"fail")

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        """See the contract."""
        raise GatewayUnsupported("The server is asked by its own number alone.")

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        """See the contract."""
        raise GatewayUnsupported("The server closes payments by itself.")

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract."""
        raise GatewayUnsupported("What came over a chain is sent back by hand.")

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract."""
        raise GatewayUnsupported("What came over a chain is sent back by hand.")

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        """See the contract."""
        raise GatewayUnsupported("The server hands out no bills.")


class _Data(msgspec.Struct, frozen=True):
    trade_id: str
    order_id: str
    payment_url: str


class _Answer(msgspec.Struct, frozen=True):
    status_code: int
    data: _Data | None = None


def _settings(account: MerchantAccount) -> EpusdtSettings:
    if not isinstance(account.settings, EpusdtSettings):
        raise GatewayMisconfigured("These settings are not epusdt's.", cure="Save the account again.")
    return account.settings
