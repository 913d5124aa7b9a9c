"""What a gateway can raise. It tells apart what decides whether something may be sent elsewhere or again."""

from __future__ import annotations

from typing import ClassVar

from kameng.errors import KamengError


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
