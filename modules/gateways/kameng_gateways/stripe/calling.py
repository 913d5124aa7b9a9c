"""Calls to Stripe: forms with a key, repeatable by an idempotency key, and what an error means for the money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from kameng_gateways.calling import call
from kameng_gateways.reading import Unreadable, part, read_object, text
from kameng_gateways.stripe.settings import settings_of
from kameng_settlement.gateway_contract import (
    GatewayMisconfigured,
    GatewayNotReached,
    GatewayRefused,
    GatewayUnanswered,
    MerchantAccount,
)

VERSION: Final = "2024-06-20"
"""The version of the interface that is spoken, whatever the account's own is."""


class StripeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer.

    Attributes:
        values: the object.
        raw: its bytes.
    """

    values: Mapping[str, Any]
    raw: bytes


async def ask(
    account: MerchantAccount, path: str, query: Mapping[str, str | int] | None = None
) -> StripeAnswer:
    """A ``GET``; see `send`."""
    return await _call(account, "GET", path + (f"?{urlencode(query)}" if query else ""), b"", "")


async def send(account: MerchantAccount, path: str, form: Mapping[str, str | int], key: str) -> StripeAnswer:
    """A ``POST`` of a form.

    Args:
        account: whose call it is.
        path: below the interface's address.
        form: nested names written with brackets.
        key: the idempotency key; Stripe answers the same request with the same key with what it answered before.

    Raises:
        GatewayNotReached: nothing was sent, or we call too often.
        GatewayUnanswered: no answer came, or one that says nothing certain.
        GatewayRefused: Stripe refused; the reason is its ``code`` or ``type``.
        GatewayMisconfigured: Stripe does not know the key.
    """
    return await _call(account, "POST", path, urlencode(form).encode(), key)


async def _call(account: MerchantAccount, method: str, path: str, body: bytes, key: str) -> StripeAnswer:
    settings = settings_of(account)
    if not settings.secret_key:
        raise GatewayMisconfigured("The account has no secret key.", cure="Save it again.")
    headers = {"authorization": f"Bearer {settings.secret_key}", "stripe-version": VERSION}
    if method == "POST":
        headers["content-type"] = "application/x-www-form-urlencoded"
        headers["idempotency-key"] = key
    answer = await call(account, method, settings.api_url.rstrip("/") + path, headers=headers, body=body)
    try:
        values = read_object(answer.body)
    except Unreadable as error:
        raise GatewayUnanswered(f"Stripe's answer ({answer.status}) cannot be read.") from error
    if answer.status == 200:
        return StripeAnswer(values=values, raw=answer.body)
    said = part(values, "error")
    reason = (text(said, "code") or text(said, "type"))[:64]
    if not reason:  # a page of a proxy between says nothing about the payment
        raise GatewayUnanswered(f"Stripe answered {answer.status} without a reason.")
    if answer.status == 401:
        raise GatewayMisconfigured(
            "Stripe does not know the secret key.", cure="Save the account with the current one."
        )
    if answer.status == 429:
        raise GatewayNotReached("Stripe says that we call too often.", cure="Wait a little.")
    if answer.status == 409 or answer.status >= 500:
        # 409: the same request is under way at this moment, so something may well come of it.
        raise GatewayUnanswered(f"Stripe answered {answer.status} {reason}.")
    raise GatewayRefused(f"Stripe refused: {reason}.", reason=reason)
