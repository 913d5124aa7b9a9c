"""Stripe's webhooks: signed by the endpoint's secret, and bound to the mode and the account."""

from __future__ import annotations

from typing import Final

from kameng_gateways.reading import Unreadable, part, read_object, text
from kameng_gateways.stripe import observing
from kameng_gateways.stripe.settings import settings_of
from kameng_gateways.stripe.signing import verify
from kameng_settlement.gateway_contract import (
    MerchantAccount,
    Notification,
    NotificationAnswer,
    NotificationRefused,
    NotificationRequest,
)

SESSIONS: Final = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
INTENTS: Final = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.canceled",
    }
)
REFUNDS: Final = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})


def read_notification(account: MerchantAccount, request: NotificationRequest) -> Notification:
    """See `kameng_settlement.gateway_contract.Gateway`. What is told is the state at the time of the event, not a difference;
    events come in any order."""
    settings = settings_of(account)
    if not account.merchant:
        raise NotificationRefused("SECRET", "The account does not say who we are.")
    verify(settings, request.headers.get("stripe-signature", ""), request.body, request.received_at)
    try:
        event = read_object(request.body)
    except Unreadable as error:
        raise NotificationRefused("MALFORMED", "It is no JSON object.") from error
    if event.get("livemode") is not settings.live:
        raise NotificationRefused("MERCHANT", "It is of the other mode, test or live.")
    if event.get("account", account.merchant) != account.merchant:
        raise NotificationRefused("MERCHANT", "It is for another account.")
    kind, values = text(event, "type"), part(part(event, "data"), "object")
    told: Notification
    if kind in SESSIONS and text(values, "object") == "checkout.session":
        told = observing.session(values, request.body)
    elif kind in INTENTS and text(values, "object") == "payment_intent":
        told = observing.intent(values, request.body)
    elif kind in REFUNDS and text(values, "object") == "refund":
        told = observing.refund(values, request.body)
    else:
        raise NotificationRefused("UNSUPPORTED", "It is not about a payment or a refund.")
    if not told.number:
        # Whoever takes money by hand in Stripe's dashboard makes such events too.
        raise NotificationRefused("UNSUPPORTED", "It is about nothing that was started here.")
    return told


def notification_answer(accepted: bool) -> NotificationAnswer:
    """Stripe looks at the status alone, and tells again for three days."""
    return NotificationAnswer(status=200 if accepted else 500)
