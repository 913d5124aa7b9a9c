"""What a request shows to say who asks: a bearer token, or the session cookie of its schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kameng.auth.cookies import SessionCookie
from kameng.errors import Unauthenticated

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,400}) *", re.IGNORECASE)  # RFC 6750 §2.1


@dataclass(frozen=True, slots=True)
class Credentials:
    """A request's credentials, unchecked.

    Attributes:
        bearer: the token of an ``Authorization`` header. It goes before a cookie, since only a program sets
            it.
        cookie: the token of the session cookie.
    """

    bearer: str | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)

    @property
    def cookie_used(self) -> bool:
        """Whether it is the cookie that counts, so that the request's origin must be checked."""
        return self.bearer is None and self.cookie is not None


def read_credentials(headers: Mapping[str, str], cookie: SessionCookie) -> Credentials:
    """The credentials in a request's headers.

    Args:
        headers: found by lower-case names.
        cookie: the cookie of the schema that is asked.

    Raises:
        Unauthenticated: there is an ``Authorization`` header that holds no bearer token.
    """
    authorization = headers.get("authorization")
    bearer = None
    if authorization is not None:
        match = _BEARER.fullmatch(authorization)
        if match is None:
            raise Unauthenticated(
                "The Authorization header holds no bearer token.",
                cure="Send `Authorization: Bearer TOKEN`, or leave the header out.",
            )
        bearer = match[1]
    return Credentials(bearer=bearer, cookie=cookie.read(headers.get("cookie")))
