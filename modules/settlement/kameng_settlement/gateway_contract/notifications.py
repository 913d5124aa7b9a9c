"""What a gateway tells by itself: a request to the shop, and the answer that it wants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec

from kameng_settlement.gateway_contract.values import Observation, RefundObservation

Notification: TypeAlias = Observation | RefundObservation
"""What a gateway can tell by itself."""


class NotificationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as it came, before anybody believes it.

    Attributes:
        method: ``GET`` or ``POST``.
        headers: by lower-case name.
        query: the raw query string, without the question mark.
        body: the raw bytes.
        received_at: when it came, UTC; what the gateway says about time is measured against it.
    """

    method: str
    headers: Mapping[str, str]
    query: bytes
    body: bytes
    received_at: datetime


class NotificationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway wants to hear.

    Attributes:
        status: the HTTP status.
        body: the bytes.
        media_type: their type.
    """

    status: int
    body: bytes = b""
    media_type: str = "text/plain"
