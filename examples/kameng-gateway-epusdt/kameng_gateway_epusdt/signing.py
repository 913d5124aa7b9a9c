"""The signature of epusdt: MD5 over the sorted fields and the server's token.

Amounts are JSON numbers, and their text is part of what is signed. So a number is never read as one: it is kept as the text
that stands there, and written as the shortest text that means it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import md5
from typing import Any

import msgspec

from kameng.money import Money

SHORTEST_TOKEN = 16
"""Characters of a token; with an empty one anybody could sign."""

_OBJECTS = msgspec.json.Decoder(dict[str, Any], float_hook=str)


def signature(token: str, fields: Mapping[str, str]) -> str:
    """The signature of fields in lower-case hex; empty fields and the signature itself are left out."""
    signed = "&".join(f"{key}={text}" for key, text in sorted(fields.items()) if text and key != "signature")
    return md5((signed + token).encode(), usedforsecurity=False).hexdigest()


def holds(token: str, fields: Mapping[str, str]) -> bool:
    """Whether fields bear their signature; never with a token that is too short."""
    if len(token) < SHORTEST_TOKEN:
        return False
    return hmac.compare_digest(signature(token, fields).encode(), fields.get("signature", "").encode())


def read_fields(body: bytes) -> dict[str, str]:
    """The fields of a JSON object as texts, numbers as they are written.

    Raises:
        ValueError: it is no object of texts and numbers, or a text holds what separates fields.
    """
    fields: dict[str, str] = {}
    for key, value in _OBJECTS.decode(body).items():
        if type(value) not in (str, int):
            raise ValueError("a field is neither text nor number")
        fields[key] = str(value)
        if "&" in key or "=" in key or "&" in fields[key]:
            raise ValueError("a field holds what separates fields")
    return fields


def amount_text(amount: Money) -> str:
    """An amount as the server writes it: ``98.5``, not ``98.50``."""
    return f"{amount.amount:f}".rstrip("0").rstrip(".")
