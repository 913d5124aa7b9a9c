"""One request for a page, as far as a theme is concerned."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kameng.auth.principal import Principal, PrincipalKind
from kameng.graphql.context import Context
from kameng.themes.csrf import is_seed, make_token, new_seed
from kameng.themes.routes import with_query

OWN_PARAMETER = "_form"
"""The query parameter that names the form a request sends."""


@dataclass(slots=True)
class PostedForm:
    """A form that was sent and must be shown again, or whose page is shown with its answer.

    Attributes:
        name: the form's.
        instance: tells several forms of a name on one page apart.
        values: texts by field name in its usual form; none of a private field.
        errors: messages by field name, already in the visitor's language; those of no field under ``""``.
        key: its idempotency key, where the next try must use the same; None: a fresh one.
        codes: of the payload's errors.
        answer: what the mutation answered, where it went through; None where it was refused.
    """

    name: str
    instance: str
    values: Mapping[str, Sequence[str]]
    errors: Mapping[str, Sequence[str]]
    key: str | None = None
    codes: Sequence[str] = ()
    answer: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Visit:
    """One request.

    Attributes:
        path: as the browser sees it, with the theme's prefix.
        query: its pairs, in order, without the engine's own.
        context: what resolvers know of it.
        nonce: of the answer's Content Security Policy.
        block: the one block of the page that is asked for; empty: all of it.
        page: the page's name; empty on an error page.
        parameters: of its path.
        seed: the CSRF cookie's value; None where the browser has none.
        posted: a form to show again.
        flash: the form whose success is to be told.
        seed_is_new: whether the cookie must be set.
        unique: whether the page holds what no other may hold, such as a token or an idempotency key.
        scheme: ``light`` or ``dark`` if somebody chose; else empty.
    """

    path: str
    query: Sequence[tuple[str, str]]
    context: Context
    nonce: str
    block: str = ""
    page: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    seed: str | None = None
    posted: PostedForm | None = None
    flash: str | None = None
    seed_is_new: bool = False
    unique: bool = False
    scheme: str = ""

    @property
    def locale(self) -> str:
        """The language of the answer."""
        return self.context.locale

    @property
    def origin(self) -> str:
        """Where the shop is to be found from outside, such as ``https://shop.example``."""
        return self.context.kernel.settings.public_url.rstrip("/")

    @property
    def session(self) -> str:
        """Names the session in CSRF tokens; empty where nobody is logged in."""
        return str(self.context.principal.session or "")

    @property
    def address(self) -> str:
        """Path and query."""
        return with_query(self.path, self.query)

    def address_with(self, **changes: Any) -> str:
        """The same address with some query parameters changed, or with None taken out."""
        kept = [(name, value) for name, value in self.query if name not in changes]
        return with_query(self.path, [*kept, *changes.items()])

    def fresh_key(self) -> str:
        """A fresh idempotency key."""
        self.unique = True
        return secrets.token_urlsafe(16)

    def csrf_token(self) -> str:
        """A fresh token; the browser gets the cookie to it, if it has none yet."""
        self.unique = True
        if self.seed is None or not is_seed(self.seed):
            self.seed, self.seed_is_new = new_seed(), True
        return make_token(self.seed, self.session)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page, as its template may know it.

    Attributes:
        kind: visitor, member, staff or integration.
        logged_in, member, staff: the questions that templates ask.
    """

    kind: str
    logged_in: bool
    member: bool
    staff: bool
    _principal: Principal

    @classmethod
    def of(cls, principal: Principal) -> Viewer:
        """The viewer of a request."""
        return cls(
            principal.kind.value,
            principal.kind is not PrincipalKind.VISITOR,
            principal.kind is PrincipalKind.MEMBER,
            principal.kind is PrincipalKind.STAFF,
            principal,
        )

    def may(self, permission: str | None) -> bool:
        """Whether the viewer holds a permission; None: whether nothing needs to be held, which is so."""
        return permission is None or self._principal.may(permission)


@dataclass(frozen=True, slots=True)
class PageView:
    """The page, as its template may know it.

    Attributes:
        name, path, title: of the page; the title is translated and filled.
        params: of its path.
        query: the last value of each query parameter.
        address: path and query.
        problems: messages by name, for query parameters that could not be read.
    """

    name: str
    path: str
    title: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    address: str
    problems: Mapping[str, Sequence[str]]
    _visit: Visit

    def address_with(self, **changes: Any) -> str:
        """This page's address with some query parameters changed, or with None taken out."""
        return self._visit.address_with(**changes)
