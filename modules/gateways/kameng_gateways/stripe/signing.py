"""The signature of Stripe's webhooks: HMAC-SHA-256 over time and raw body, several at once while a secret is rolled.

Stripe's own package checks the same. It is not used at run time: these few lines would cost every web process 24 MB, it takes
a time that lies in the future, and its calls would go past the guard of addresses. The tests compare both.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from typing import Final

from kameng_gateways.moments import is_stale, read_seconds
from kameng_gateways.stripe.settings import StripeSettings
from kameng_settlement.gateway_contract import NotificationRefused

SHORTEST_SECRET: Final = 16

_SIGNATURE = re.compile(r"[0-9a-f]{64}")


def verify(settings: StripeSettings, header: str, body: bytes, now: datetime) -> None:
    """Check that Stripe signed these very bytes within the last 300 seconds.

    Args:
        settings: of the account.
        header: ``Stripe-Signature``, such as ``t=1700000000,v1=…``; only ``v1`` counts, ``v0`` is for Stripe's own tests.
        body: as it came.
        now: what the signature's time is measured against, UTC.

    Raises:
        NotificationRefused: it did not.
    """
    secrets = [each for each in (settings.webhook_secret, settings.old_webhook_secret) if each]
    if not secrets or any(len(each) < SHORTEST_SECRET for each in secrets):
        raise NotificationRefused("SECRET", "The account has no usable webhook secret.")
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for key, value in pairs if key == "t"]
    signatures = [value for key, value in pairs if key == "v1" and _SIGNATURE.fullmatch(value)]
    if len(times) != 1 or not signatures:
        raise NotificationRefused("SIGNATURE", "It is not signed as webhooks are.")
    signed_at = read_seconds(times[0])
    if signed_at is None or is_stale(signed_at, now):
        raise NotificationRefused("STALE", "It was signed too long ago, or has no time.")
    signed = times[0].encode() + b"." + body
    wanted = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in wanted for other in signatures):
        raise NotificationRefused("SIGNATURE", "The signature is wrong.")
