"""Forms that only our own pages can send.

A random cookie stays in the browser; each form carries a fresh token made from it and from the session, so a token is worth
nothing in another browser or after a log-in, and a compressed page gives nothing away about it, since no two are alike. A
page of another site can neither read the cookie nor make the token. Beside it stands the check of ``Origin`` and
``Sec-Fetch-Site`` (`kameng.auth.cross_site`). Processes need to share no secret for this.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

FIELD = "_csrf"
"""The hidden field that carries the token."""

_SALT_BYTES = 16
_SEED = re.compile(r"[A-Za-z0-9_-]{43}")
_PURPOSE = b"kameng form "


def new_seed() -> str:
    """A value for the cookie: 256 random bits."""
    return secrets.token_urlsafe(32)


def is_seed(text: str | None) -> bool:
    """Whether a cookie's value has the form of a seed."""
    return text is not None and _SEED.fullmatch(text) is not None


def make_token(seed: str, session: str) -> str:
    """A fresh token.

    Args:
        seed: the cookie's value.
        session: names the session; empty where nobody is logged in.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    return urlsafe_b64encode(salt + _sign(seed, session, salt)).rstrip(b"=").decode()


def holds(token: str | None, seed: str | None, session: str) -> bool:
    """Whether a token was made from this cookie for this session."""
    if not token or seed is None or not is_seed(seed) or len(token) > 100:
        return False
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return False
    return hmac.compare_digest(raw[_SALT_BYTES:], _sign(seed, session, raw[:_SALT_BYTES]))


def _sign(seed: str, session: str, salt: bytes) -> bytes:
    return hmac.new(seed.encode(), _PURPOSE + salt + session.encode(), sha256).digest()
