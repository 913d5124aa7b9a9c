"""Notifications of Alipay: forms, signed, and bound to the application and the seller."""

from __future__ import annotations

from hashlib import sha256

from kameng_gateways.alipay import observing
from kameng_gateways.alipay.settings import settings_of
from kameng_gateways.alipay.signing import form_holds
from kameng_gateways.reading import Unreadable, read_form
from kameng_settlement.gateway_contract import (
    GatewayMisconfigured,
    MerchantAccount,
    Notification,
    NotificationAnswer,
    NotificationRefused,
    NotificationRequest,
    RefundObservation,
    RefundStatus,
)


def read_notification(account: MerchantAccount, request: NotificationRequest) -> Notification:
    """See `kameng_settlement.gateway_contract.Gateway`.

    Alipay tells of a refund with the whole trade once more and the sum of all its refunds, from which the one refund's amount
    cannot be read; it is reported as accepted, to be asked about.
    """
    settings = settings_of(account)
    if (
        not settings.alipay_public_key
        or not settings.private_key
        or not settings.app_id
        or not account.merchant
    ):
        raise NotificationRefused("SECRET", "The account lacks a key, its application or its seller.")
    if request.method != "POST":
        raise NotificationRefused("MALFORMED", "Alipay posts its notifications.")
    try:
        form = read_form(request.body)
    except Unreadable as error:
        raise NotificationRefused("MALFORMED", "It is no form in UTF-8.") from error
    if form.get("charset", "utf-8").lower() != "utf-8":
        raise NotificationRefused("MALFORMED", "It is not in UTF-8, which was asked for.")
    try:
        signed = form_holds(settings, form)
    except GatewayMisconfigured as error:
        raise NotificationRefused("SECRET", "A key of the account cannot be used.") from error
    if not signed:
        raise NotificationRefused("SIGNATURE", "The signature is wrong.")
    if form.get("app_id") != settings.app_id:
        raise NotificationRefused("APP", "It is for another application.")
    if form.get("seller_id") != account.merchant:
        raise NotificationRefused("MERCHANT", "It is for another seller.")
    if not form.get("out_trade_no"):
        raise NotificationRefused("MALFORMED", "It names no payment.")
    if form.get("trade_status") is None:
        raise NotificationRefused("UNSUPPORTED", "It is not about a payment or a refund.")
    if form.get("out_biz_no") and form.get("refund_fee"):
        return RefundObservation(
            gateway=observing.NAME,
            merchant=form["seller_id"],
            number=form["out_biz_no"],
            payment_number=form["out_trade_no"],
            status=RefundStatus.ACCEPTED,
            note="refunded",
            raw_digest=sha256(request.body).digest(),
        )
    return observing.payment(form, request.body, form["seller_id"], "gmt_payment")


def notification_answer(accepted: bool) -> NotificationAnswer:
    """The word ``success`` and nothing else; anything else makes Alipay tell again."""
    return NotificationAnswer(status=200 if accepted else 500, body=b"success" if accepted else b"fail")
