"""Stripe as a gateway."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from kameng_gateways.reading import part, text
from kameng_gateways.stripe import observing
from kameng_gateways.stripe.amounts import units
from kameng_gateways.stripe.bills import bill
from kameng_gateways.stripe.calling import ask, send
from kameng_gateways.stripe.finding import WITH_FEE, find_intent, find_session
from kameng_gateways.stripe.notifications import notification_answer, read_notification
from kameng_gateways.stripe.observing import NUMBER
from kameng_gateways.stripe.settings import StripeSettings, check_settings
from kameng_settlement.gateway_contract import (
    BillKind,
    Capabilities,
    Flow,
    GatewayRefused,
    GatewayTitle,
    GatewayUnanswered,
    GatewayUnsupported,
    MerchantAccount,
    Notification,
    NotificationAnswer,
    NotificationRequest,
    Observation,
    PaymentRequest,
    PaymentStatus,
    RefundObservation,
    RefundRequest,
    RefundStatus,
    Started,
)

SHORTEST_LIFE: Final = timedelta(minutes=31)
"""Stripe's sessions live half an hour at least; a minute more for clocks that differ."""

LONGEST_LIFE: Final = timedelta(hours=2)
"""Ours live no longer, so that they can be found: see `kameng_gateways.stripe.finding`."""


class StripeGateway:
    """`kameng_settlement.gateway_contract.Gateway` over Stripe's Checkout."""

    name: str = observing.NAME
    title: GatewayTitle = GatewayTitle(en="Cards (Stripe)", zh="银行卡（Stripe）")
    settings: type[msgspec.Struct] = StripeSettings
    secrets: frozenset[str] = frozenset({"secret_key", "webhook_secret", "old_webhook_secret"})
    capabilities: Capabilities = Capabilities(
        flows=(Flow.REDIRECT,),
        refunds=True,
        partial_refunds=True,
        query=True,
        close=True,
        bills=frozenset({BillKind.TRADE}),
    )

    def check(self, account: MerchantAccount) -> None:
        """See the contract."""
        check_settings(account)

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        """A page of Stripe's own, which no card number leaves."""
        if request.flow is not Flow.REDIRECT:
            raise GatewayRefused("Stripe has no such way to pay.", reason="FLOW")
        if not request.return_url:
            raise GatewayRefused("Stripe wants an address to come back to.", reason="RETURN_URL")
        ends = _life(request.expires_at)
        form: dict[str, str | int] = {
            "mode": "payment",
            "payment_method_types[0]": "card",
            "client_reference_id": request.number,
            f"metadata[{NUMBER}]": request.number,
            f"payment_intent_data[metadata][{NUMBER}]": request.number,
            "line_items[0][quantity]": 1,
            "line_items[0][price_data][currency]": request.amount.currency.lower(),
            "line_items[0][price_data][unit_amount]": units(request.amount),
            "line_items[0][price_data][product_data][name]": request.subject,
            "success_url": request.return_url,
            "cancel_url": request.return_url,
            "locale": "zh" if request.locale.startswith("zh") else "auto",
            "expires_at": int(ends.timestamp()),
        }
        try:
            answer = await send(account, "/v1/checkout/sessions", form, f"pay-{request.number}")
        except GatewayRefused as error:
            if error.reason != "idempotency_error":
                raise
            # The number was sent before, with another end: the session that it made is the one to go on with.
            known = await find_session(account, request.number)
            if known is None:
                raise
            return _started(text(known, "url"), text(known, "id"), known.get("expires_at"))
        return _started(
            text(answer.values, "url"), text(answer.values, "id"), answer.values.get("expires_at")
        )

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        """See the contract."""
        intent = await find_intent(account, number)
        if intent is not None:
            return observing.intent(intent, msgspec.json.encode(intent))
        session = await find_session(account, number)
        if session is None:
            return Observation(
                gateway=self.name,
                merchant=None,
                number=number,
                status=PaymentStatus.UNKNOWN,
                raw_digest=sha256(b"none").digest(),
            )
        known = text(session, "payment_intent")
        if text(session, "payment_status") == "paid" and known:
            # The search lags behind; the intent itself says when it was paid, and what of it is Stripe's.
            answer = await ask(account, f"/v1/payment_intents/{known}", {"expand[]": WITH_FEE})
            return observing.intent(answer.values, answer.raw)
        return observing.session(session, msgspec.json.encode(session))

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        """See the contract."""
        session = await find_session(account, number)
        if session is None:
            found = await self.query(account, number)
            return found if found.status is PaymentStatus.PAID else None
        if text(session, "status") == "open":
            path = f"/v1/checkout/sessions/{text(session, 'id')}/expire"
            try:
                await send(account, path, {}, f"close-{number}")
            except GatewayRefused:
                found = await self.query(account, number)  # completed meanwhile
                if found.status is PaymentStatus.PENDING:
                    raise
                return found if found.status is PaymentStatus.PAID else None
            return None
        found = await self.query(account, number)
        return None if found.status is PaymentStatus.CLOSED else found

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract."""
        form: dict[str, str | int] = {
            "payment_intent": request.transaction,
            "amount": units(request.amount),
            f"metadata[{NUMBER}]": request.number,
        }
        known = await self.query_refund(account, request)
        if known.status is not RefundStatus.UNKNOWN:
            return known  # Stripe forgets idempotency keys after a day
        answer = await send(account, "/v1/refunds", form, f"refund-{request.number}")
        found = observing.refund(answer.values, answer.raw)
        if found.number != request.number:
            raise GatewayUnanswered("Stripe answered about another refund.")
        return found

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract."""
        query: dict[str, str | int] = {"payment_intent": request.transaction, "limit": 100}
        while True:
            answer = await ask(account, "/v1/refunds", query)
            data = answer.values.get("data")
            page = [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
            for each in page:
                if text(part(each, "metadata"), NUMBER) == request.number:
                    return observing.refund(each, msgspec.json.encode(each))
            if answer.values.get("has_more") is not True or not page:
                return RefundObservation(
                    gateway=self.name,
                    merchant=None,
                    number=request.number,
                    status=RefundStatus.UNKNOWN,
                    raw_digest=sha256(answer.raw).digest(),
                )
            query["starting_after"] = text(page[-1], "id")

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Notification:
        """See the contract."""
        return read_notification(account, request)

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        """See the contract."""
        return notification_answer(accepted)

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        """The movements of the balance, as CSV; days are those of UTC."""
        if kind is not BillKind.TRADE:
            raise GatewayUnsupported("Stripe has one bill: its trades are the movements of its balance.")
        return await bill(account, day)


def _life(wanted: datetime) -> datetime:
    now = datetime.now(UTC)
    return min(max(wanted, now + SHORTEST_LIFE), now + LONGEST_LIFE).replace(microsecond=0)


def _started(url: str, reference: str, ends: object) -> Started:
    if not url or not reference:
        raise GatewayUnanswered("Stripe's answer lacks the session's address.")
    return Started(
        flow=Flow.REDIRECT,
        redirect_url=url,
        gateway_reference=reference,
        expires_at=datetime.fromtimestamp(ends, UTC) if type(ends) is int else None,
    )
