"""The cookie that carries a session's token: one for the shop, another for the back office.

Both are named ``__Host-…`` (RFC 6265bis §4.1.3.2), so that a browser takes them only with ``Secure``, for
``/`` and for this host alone, and no neighbouring subdomain can plant one; no script can read them.

On a developer's machine there is no TLS. What browsers do with such a cookie on plain http:

- Chromium 156 keeps and returns both on ``http://localhost``, ``http://127.0.0.1`` and ``http://*.localhost``
  (a test tries it): it counts loopback hosts as trustworthy. Older versions did so for ``Secure`` (since 89), but
  took the prefix over TLS only;
- Firefox counts loopback hosts as trustworthy too, by its documentation;
- Safari takes no ``Secure`` cookie without TLS, and on the address of another machine no browser does.

``[auth] insecure_cookies = true`` is for these last ones: plain names, no ``Secure``. It is refused in
production.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

SchemaName = Literal["shop", "admin"]

_NAMES: dict[SchemaName, str] = {"shop": "kameng", "admin": "kameng-admin"}
_SAME_SITE: dict[SchemaName, str] = {"shop": "Lax", "admin": "Strict"}
_VALUE = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The session cookie of one schema.

    Attributes:
        schema: ``shop`` (``SameSite=Lax``: a link from a search engine arrives logged in) or ``admin``
            (``SameSite=Strict``: nothing from another site arrives logged in).
        secure: whether it bears ``Secure`` and the prefix ``__Host-``.
    """

    schema: SchemaName
    secure: bool = True

    @property
    def name(self) -> str:
        """The cookie's name, such as ``__Host-kameng``."""
        return ("__Host-" if self.secure else "") + _NAMES[self.schema]

    def header(self, token: str | None, *, max_age: int | None = None) -> str:
        """The value of a ``Set-Cookie`` header.

        Args:
            token: the session's token; None makes the browser forget the cookie.
            max_age: seconds that the browser keeps it; None: until it is closed.

        >>> SessionCookie("shop").header("kms_abc", max_age=60)
        '__Host-kameng=kms_abc; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax'
        """
        if token is None:
            token, max_age = "", 0
        elif not _VALUE.fullmatch(token):
            raise ValueError("A session's token consists of letters, digits, '-' and '_'.")
        age = "" if max_age is None else f"Max-Age={max_age}; "
        secure = "Secure; " if self.secure else ""
        return f"{self.name}={token}; {age}Path=/; {secure}HttpOnly; SameSite={_SAME_SITE[self.schema]}"

    def read(self, header: str | None) -> str | None:
        """The token in a request's ``Cookie`` header; None where there is none, or two that differ.

        A browser holds one ``__Host-`` cookie of a name. Two are a sign of somebody in between who planted
        one.
        """
        values = set()
        for pair in (header or "").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.name:
                values.add(value.strip('"'))
        return values.pop() or None if len(values) == 1 else None
