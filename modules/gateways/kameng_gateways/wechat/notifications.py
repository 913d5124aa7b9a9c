"""Notifications of WeChat Pay: signed, enclosed, and bound to the merchant and the app."""

from __future__ import annotations

from kameng_gateways.reading import Unreadable, part, read_object, text
from kameng_gateways.wechat import observing
from kameng_gateways.wechat.settings import API_KEY_BYTES, settings_of
from kameng_gateways.wechat.signing import open_resource, verify
from kameng_settlement.gateway_contract import (
    MerchantAccount,
    Notification,
    NotificationAnswer,
    NotificationRefused,
    NotificationRequest,
)


def read_notification(account: MerchantAccount, request: NotificationRequest) -> Notification:
    """See `kameng_settlement.gateway_contract.Gateway`."""
    settings = settings_of(account)
    if len(settings.api_v3_key.encode()) != API_KEY_BYTES or not account.merchant or not settings.app_id:
        raise NotificationRefused("SECRET", "The account has no usable APIv3 key, merchant number or app.")
    if request.method != "POST" or len(request.headers.get("wechatpay-signature-type", "")) == 0:
        raise NotificationRefused("SIGNATURE", "It does not say how it is signed.")
    verify(settings, request.headers, request.body, request.received_at)
    try:
        envelope = read_object(request.body)
    except Unreadable as error:
        raise NotificationRefused("MALFORMED", "It is no JSON object.") from error
    resource, kind = part(envelope, "resource"), text(envelope, "event_type").partition(".")[0]
    if kind not in ("TRANSACTION", "REFUND"):
        raise NotificationRefused("UNSUPPORTED", "It is not about a payment or a refund.")
    if (
        text(envelope, "resource_type") != "encrypt-resource"
        or text(resource, "algorithm") != "AEAD_AES_256_GCM"
    ):
        raise NotificationRefused("MALFORMED", "It is enclosed in a way that is not known.")
    opened = open_resource(
        settings, text(resource, "nonce"), text(resource, "associated_data"), text(resource, "ciphertext")
    )
    if opened is None:
        raise NotificationRefused("SIGNATURE", "The account's APIv3 key does not open it.")
    try:
        values = read_object(opened)
    except Unreadable as error:
        raise NotificationRefused("MALFORMED", "What it encloses is no JSON object.") from error
    if text(values, "mchid") != account.merchant:
        raise NotificationRefused("MERCHANT", "It is for another merchant.")
    if kind == "REFUND":
        told = observing.refund(values, account.merchant, request.body)
        if not told.number:
            raise NotificationRefused("MALFORMED", "It names no refund.")
        return told
    if text(values, "appid") != settings.app_id:
        raise NotificationRefused("APP", "It is for another app.")
    paid = observing.payment(values, request.body)
    if not paid.number:
        raise NotificationRefused("MALFORMED", "It names no payment.")
    return paid


def notification_answer(accepted: bool) -> NotificationAnswer:
    """Nothing but a status where all is well; otherwise WeChat Pay tells again."""
    if accepted:
        return NotificationAnswer(status=204, media_type="application/json")
    return NotificationAnswer(
        status=500, body=b'{"code":"FAIL","message":"not accepted"}', media_type="application/json"
    )
