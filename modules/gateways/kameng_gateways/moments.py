"""Times as gateways write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))
"""The zone in which gateways of China write times and cut days; it has no summer time."""

TOLERANCE: Final = timedelta(seconds=300)
"""How far the time of something that was signed may lie from ours."""

_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_SECONDS = re.compile(r"[0-9]{9,11}")


def china_text(moment: datetime) -> str:
    """A time in China, such as ``2026-11-23 11:00:00``."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def read_china(text: object) -> datetime | None:
    """A time that is written so, in UTC; None where it is none."""
    if not isinstance(text, str) or not _PLAIN.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA).astimezone(UTC)
    except ValueError:
        return None


def read_rfc3339(text: object) -> datetime | None:
    """A time with its zone, such as ``2026-11-23T11:00:00+08:00``, in UTC; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def read_seconds(value: object) -> datetime | None:
    """A time in seconds of Unix, as an integer or its text, in UTC; None where it is none."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not _SECONDS.fullmatch(value):
        return None
    return datetime.fromtimestamp(int(value), UTC)


def is_stale(signed_at: datetime, received_at: datetime) -> bool:
    """Whether what was signed then is too old, or too far ahead, to be taken now."""
    return abs(received_at - signed_at) > TOLERANCE
