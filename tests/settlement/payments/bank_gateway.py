"""The gateway of the tests' bank: signed JSON over real HTTP."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import httpx
import msgspec

from kameng.money import Money
from kameng_settlement.gateway_contract import (
    BillKind,
    Capabilities,
    Flow,
    GatewayMisconfigured,
    GatewayNotReached,
    GatewayRefused,
    GatewayTitle,
    GatewayUnanswered,
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
    RefundStatus,
    Started,
)


class BankSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account with the bank."""

    url: str
    secret: str
    lax: bool = False


class BankGateway:
    """The bank's protocol."""

    name = "bank"
    title = GatewayTitle(en="The bank", zh="银行")
    settings = BankSettings
    secrets = frozenset({"secret"})
    capabilities = Capabilities(
        flows=(Flow.QR, Flow.REDIRECT), refunds=True, partial_refunds=True, query=True, close=True
    )

    def check(self, account: MerchantAccount) -> None:
        if not account.settings.secret and not account.settings.lax:
            raise GatewayMisconfigured("The secret is empty.")

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        await self._call(account, "/pay", {**_of(account, request.number), **_money(request.amount)})
        return Started(
            flow=request.flow, qr=f"bank://{request.number}", gateway_reference=f"G{request.number}"
        )

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        return self._observed(account, await self._call(account, "/query", _of(account, number)))

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        return self._observed(account, await self._call(account, "/close", _of(account, number)))

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        value = {**_of(account, request.number), "transaction": request.transaction, **_money(request.amount)}
        return self._refunded(account, await self._call(account, "/refund", value))

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        return self._refunded(
            account, await self._call(account, "/query_refund", _of(account, request.number))
        )

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Notification:
        if not account.settings.secret:
            raise NotificationRefused("SECRET", "The secret is empty.")
        stamp = request.headers.get("x-time", "")
        if not hmac.compare_digest(
            request.headers.get("x-signature", ""), sign(account.settings.secret, stamp, request.body)
        ):
            raise NotificationRefused("SIGNATURE", "The signature is wrong.")
        if abs(request.received_at.timestamp() - float(stamp)) > 300:
            raise NotificationRefused("STALE", "It is too old.")
        value = json.loads(request.body)
        return self._refunded(account, value) if value.get("refund") else self._observed(account, value)

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        return NotificationAnswer(status=200, body=b"ok" if accepted else b"fail")

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        return None

    async def _call(self, account: MerchantAccount, path: str, value: dict[str, Any]) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=60) as client:
                answer = await client.post(account.settings.url + path, json=value)
        except httpx.ConnectError as error:
            raise GatewayNotReached("There was no connection.") from error
        except httpx.HTTPError as error:
            raise GatewayUnanswered("There was no answer.") from error
        if answer.status_code == 409:
            raise GatewayRefused("It will not.", reason="NO")
        if answer.status_code != 200:
            raise GatewayUnanswered(f"It answered {answer.status_code}.")
        found: dict[str, Any] = answer.json()
        return found

    def _observed(self, account: MerchantAccount, value: dict[str, Any]) -> Observation:
        return Observation(
            gateway=value.get("gateway", self.name),
            merchant=value.get("merchant", account.merchant),
            number=value["number"],
            status=PaymentStatus(value["status"]),
            transaction=value.get("transaction"),
            amount=_amount(value),
            fee=Money(value["fee"], value["currency"]) if "fee" in value else None,
            raw_digest=sha256(json.dumps(value, sort_keys=True).encode()).digest(),
        )

    def _refunded(self, account: MerchantAccount, value: dict[str, Any]) -> RefundObservation:
        return RefundObservation(
            gateway=self.name,
            merchant=value.get("merchant", account.merchant),
            number=value["number"],
            status=RefundStatus(value["status"]),
            reference=value.get("reference"),
            amount=_amount(value),
            raw_digest=sha256(json.dumps(value, sort_keys=True).encode()).digest(),
        )


def sign(secret: str, stamp: str, body: bytes) -> str:
    """The bank's signature."""
    return hmac.new(secret.encode(), stamp.encode() + b"\n" + body, sha256).hexdigest()


def told(secret: str, value: dict[str, Any], at: float | None = None) -> NotificationRequest:
    """A notification as the bank sends it."""
    body = json.dumps(value).encode()
    now = datetime.now(UTC)
    stamp = str(now.timestamp() if at is None else at)
    headers = {"x-time": stamp, "x-signature": sign(secret, stamp, body)}
    return NotificationRequest(method="POST", headers=headers, query=b"", body=body, received_at=now)


def _of(account: MerchantAccount, number: str) -> dict[str, Any]:
    return {"merchant": account.merchant, "number": number}


def _money(amount: Money) -> dict[str, Any]:
    return {"amount": amount.minor, "currency": amount.currency}


def _amount(value: dict[str, Any]) -> Money | None:
    return Money(value["amount"], value["currency"]) if "amount" in value else None


gateway = BankGateway()
