"""Stripe: Checkout Sessions, payment intents, refunds, balance transactions and webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .serving import Answer, Notice, Refund, Request, Simulator, Trade, Twist

NUMBER = "kameng_number"
SEARCH = re.compile(r'metadata\["kameng_number"\]:"([^"]*)"')


class Stripe(Simulator):
    """An account in test mode."""

    name = "stripe"
    merchant = "acct_1Kameng0000000000"
    secret_key, webhook_secret = "sk_test_51KamengKamengKameng", "whsec_kameng0123456789abcdef"

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.policy |= {"refunds": "succeeded", "search_lags": False}
        self.known: dict[str, tuple[str, bytes]] = {}

    def account(self) -> dict[str, Any]:
        return {
            "merchant": self.merchant,
            "settings": {
                "secret_key": self.secret_key,
                "webhook_secret": self.webhook_secret,
                "live": False,
                "api_url": self.url,
            },
        }

    def handle(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.secret_key}":
            return error(401, "invalid_request_error", "api_key_invalid")
        if not request.headers.get("stripe-version"):
            return error(400, "invalid_request_error", "version")
        if request.method == "POST":
            key, fingerprint = (
                request.headers.get("idempotency-key", ""),
                request.path + request.body.decode(),
            )
            if not key:
                return error(400, "invalid_request_error", "idempotency_key_missing")
            if key in self.known:
                before, body = self.known[key]
                if before != fingerprint:
                    return error(400, "idempotency_error", "")
                return Answer(200, body)
            answer = self.post(request.path, request.form)
            if answer.status == 200:
                self.known[key] = (fingerprint, answer.body)
            return answer
        return self.get(request)

    def post(self, path: str, form: dict[str, str]) -> Answer:
        if path == "/v1/checkout/sessions":
            return self.start(form)
        if path.startswith("/v1/checkout/sessions/") and path.endswith("/expire"):
            trade = self.by_reference(path.split("/")[4])
            if trade is None:
                return error(404, "invalid_request_error", "resource_missing")
            if trade.state != "open":
                return error(400, "invalid_request_error", "session_not_open")
            trade.state = "closed"
            return ok(self.session(trade))
        if path == "/v1/refunds":
            return self.refund(form)
        return error(404, "invalid_request_error", "url_invalid")

    def get(self, request: Request) -> Answer:
        path, query = request.path, parse_qs(urlsplit(request.target).query)
        if path == "/v1/payment_intents/search":
            [number] = SEARCH.findall(query["query"][0])
            found = [
                self.intent(trade)
                for trade in self.trades.values()
                if trade.number == number and trade.more.get("intent") and not self.policy["search_lags"]
            ]
            return ok({"object": "search_result", "data": found, "has_more": False})
        if path.startswith("/v1/payment_intents/"):
            trade = next((t for t in self.trades.values() if t.transaction == path.rsplit("/", 1)[1]), None)
            return (
                ok(self.intent(trade)) if trade else error(404, "invalid_request_error", "resource_missing")
            )
        if path == "/v1/checkout/sessions":
            since = int(query["created[gte]"][0])
            known = [t for t in reversed(self.trades.values()) if t.created_at >= since]
            return self.page([self.session(trade) for trade in known], query)
        if path == "/v1/refunds":
            wanted = query["payment_intent"][0]
            refunds = [
                self.refunded(trade, refund)
                for trade in self.trades.values()
                for refund in trade.refunds.values()
                if trade.transaction == wanted
            ]
            return self.page(refunds, query)
        if path == "/v1/balance_transactions":
            begin, end = int(query["created[gte]"][0]), int(query["created[lt]"][0])
            return self.page([m for m in self.movements() if begin <= m["created"] < end], query)
        return error(404, "invalid_request_error", "url_invalid")

    def page(self, objects: list[dict[str, Any]], query: dict[str, list[str]]) -> Answer:
        limit, after = int(query.get("limit", ["10"])[0]), query.get("starting_after", [""])[0]
        if after:
            objects = objects[[each["id"] for each in objects].index(after) + 1 :]
        limit = min(limit, self.policy.get("page", 100))
        return ok({"object": "list", "data": objects[:limit], "has_more": len(objects) > limit})

    def by_reference(self, reference: str) -> Trade | None:
        return next((each for each in self.trades.values() if each.reference == reference), None)

    def start(self, form: dict[str, str]) -> Answer:
        number, ends = form["client_reference_id"], int(form["expires_at"])
        if not 1800 <= ends - time.time() <= 86400 + 60:
            return error(400, "invalid_request_error", "expires_at")
        if form.get(f"payment_intent_data[metadata][{NUMBER}]") != number or form["mode"] != "payment":
            return error(400, "invalid_request_error", "metadata")
        trade = Trade(
            number=number,
            amount=int(form["line_items[0][price_data][unit_amount]"]),
            currency=form["line_items[0][price_data][currency]"],
            subject=form["line_items[0][price_data][product_data][name]"],
            flow="checkout",
            reference=self.next_number("cs_test_"),
            expires_at=ends,
            notify_url=self.policy.get("notify_url", ""),  # set in the dashboard, not by calls
        )
        self.trades[number] = trade
        return ok(self.session(trade))

    def pay(self, trade: Trade, at: float | None = None) -> None:
        trade.transaction = trade.transaction or self.next_number("pi_")
        trade.more["intent"] = True
        super().pay(trade, at)

    def session(self, trade: Trade, twist: Twist | None = None) -> dict[str, Any]:
        twist = twist or Twist()
        paid = trade.state == "paid"
        return {
            "id": trade.reference,
            "object": "checkout.session",
            "amount_total": trade.amount if twist.amount is None else twist.amount,
            "client_reference_id": twist.number or trade.number,
            "created": int(trade.created_at),
            "currency": twist.currency or trade.currency,
            "expires_at": int(trade.expires_at),
            "livemode": False,
            "metadata": {NUMBER: twist.number or trade.number},
            "mode": "payment",
            "payment_intent": (twist.transaction or trade.transaction) if trade.transaction else None,
            "payment_status": twist.state or ("paid" if paid else "unpaid"),
            "status": "complete" if paid else "open" if trade.state == "open" else "expired",
            "url": f"https://checkout.stripe.com/c/pay/{trade.reference}" if trade.state == "open" else None,
        }

    def intent(self, trade: Trade, twist: Twist | None = None) -> dict[str, Any]:
        twist = twist or Twist()
        paid = trade.state == "paid"
        amount = trade.amount if twist.amount is None else twist.amount
        currency = twist.currency or trade.currency
        return {
            "id": twist.transaction or trade.transaction,
            "object": "payment_intent",
            "amount": amount,
            "amount_received": amount if paid else 0,
            "currency": currency,
            "metadata": {NUMBER: twist.number or trade.number},
            "status": twist.state or ("succeeded" if paid else "requires_payment_method"),
            "latest_charge": {
                "id": f"ch_{trade.transaction}",
                "object": "charge",
                "created": int(trade.paid_at),
                "balance_transaction": {
                    "fee": trade.fee,
                    "currency": trade.currency,
                    "net": trade.amount - trade.fee,
                },
            }
            if paid
            else None,
        }

    def refund(self, form: dict[str, str]) -> Answer:
        trade = next((t for t in self.trades.values() if t.transaction == form["payment_intent"]), None)
        if trade is None:
            return error(404, "invalid_request_error", "resource_missing")
        if self.policy.get("balance") == "empty":
            return error(400, "invalid_request_error", "balance_insufficient")
        made = self.add_refund(trade, form[f"metadata[{NUMBER}]"], int(form["amount"]))
        if made is None:
            return error(400, "invalid_request_error", "charge_already_refunded")
        return ok(self.refunded(trade, made))

    def refunded(self, trade: Trade, refund: Refund, twist: Twist | None = None) -> dict[str, Any]:
        twist = twist or Twist()
        states = {"accepted": "pending", "succeeded": "succeeded", "failed": "failed"}
        return {
            "id": f"re_{refund.reference}",
            "object": "refund",
            "amount": refund.amount if twist.amount is None else twist.amount,
            "created": int(refund.at),
            "currency": trade.currency,
            "metadata": {NUMBER: twist.number or refund.number},
            "payment_intent": trade.transaction,
            "status": twist.state or states[refund.state],
        }

    def movements(self) -> list[dict[str, Any]]:
        found = []
        for trade in self.trades.values():
            if trade.paid_at:
                source = {"id": f"ch_{trade.transaction}", "payment_intent": trade.transaction}
                source["metadata"] = {NUMBER: trade.number}
                found.append(self.movement("charge", trade.amount, trade.fee, trade.paid_at, source, trade))
            for refund in trade.refunds.values():
                if refund.state == "succeeded":
                    source = self.refunded(trade, refund)
                    found.append(self.movement("refund", -refund.amount, 0, refund.at, source, trade))
        return sorted(found, key=lambda each: -each["created"])

    def movement(
        self, kind: str, amount: int, fee: int, at: float, source: dict[str, Any], trade: Trade
    ) -> dict[str, Any]:
        return {
            "id": f"txn_{source['id']}",
            "object": "balance_transaction",
            "amount": amount,
            "available_on": int(at) + 7 * 86400,
            "created": int(at),
            "currency": trade.currency,
            "description": trade.subject,
            "fee": fee,
            "net": amount - fee,
            "source": source,
            "type": kind,
            "reporting_category": kind,
        }

    def notice(self, trade: Trade, refund: Refund | None, twist: Twist) -> Notice:
        values: dict[str, Any]
        if refund is not None:
            kind, values = "refund.updated", self.refunded(trade, refund, twist)
        elif (twist.event or "").startswith("payment_intent."):
            kind, values = twist.event or "", self.intent(trade, twist)
        else:
            ended = "completed" if trade.state == "paid" else "expired"
            kind, values = twist.event or f"checkout.session.{ended}", self.session(trade, twist)
        when = int(time.time() - twist.age)
        event = {
            "id": self.next_number("evt_"),
            "object": "event",
            "api_version": "2024-06-20",
            "created": when,
            "data": {"object": values},
            "livemode": twist.app == "live",
            "type": kind,
        }
        if twist.merchant:
            event["account"] = twist.merchant
        body = json.dumps(event, indent=2)
        secret = "whsec_somebody_else_0000" if twist.signature == "stranger" else self.webhook_secret
        mac = hmac.new(secret.encode(), f"{when}.{body}".encode(), hashlib.sha256).hexdigest()
        if twist.signature == "bad":
            mac = ("0" if mac[0] != "0" else "1") + mac[1:]
        headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={when},v1={mac},v0={'0' * 64}"}
        if twist.signature == "none":
            del headers["Stripe-Signature"]
        return Notice("POST", trade.notify_url or self.policy.get("notify_url", ""), headers, body)

    def refused(self) -> Answer:
        return error(429, "rate_limit_error", "rate_limit")

    def took(self, status: int, body: str) -> bool:
        return 200 <= status < 300


def ok(values: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(values).encode(), {"content-type": "application/json"})


def error(status: int, kind: str, code: str) -> Answer:
    said = {"type": kind, "message": "-"} | ({"code": code} if code else {})
    return Answer(status, json.dumps({"error": said}).encode(), {"content-type": "application/json"})
