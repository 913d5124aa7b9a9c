"""A running kernel with members and staff, and short words for what tests do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest_asyncio

from kameng.auth import VISITOR, Principal, PrincipalKind
from kameng.auth.first_administrator import FirstAdministrator
from kameng.graphql import Context
from kameng.ids import key_of, new_id
from kameng.kernel import Kernel
from kameng.module import Module, Permission
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership

CATALOG = Module(
    name="catalog", version="0.1.0", permissions=(Permission("catalog.edit", "Edit products", "编辑商品"),)
)
"""All that membership needs of the catalogue at run time is that it is there."""

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "staple of another kind"

REGISTER = """
mutation Register($input: RegisterInput!) {
  register(input: $input) { member { id email displayName level { code title } } token errors { code path } }
}
"""
LOG_IN = "mutation LogIn($input: LogInInput!) { logIn(input: $input) { token errors { code message } } }"
FOUND = """
mutation Found($input: CreateFirstAdministratorInput!) {
  createFirstAdministrator(input: $input) {
    staffMember { id email state roles { name title } permissions } token errors { code }
  }
}
"""


@dataclass
class Answered:
    """What came of a request.

    Attributes:
        data: the answer's data.
        errors: the answer's errors, if any.
        cookies: ``Set-Cookie`` headers.
        principal: as whom the request ended.
    """

    data: Any
    errors: Any
    cookies: list[str]
    principal: Principal


@dataclass(frozen=True)
class Club:
    """The members and the staff of a running kernel, as tests use them."""

    kernel: Kernel

    async def ask(
        self,
        schema: str,
        document: str,
        variables: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        principal: Principal = VISITOR,
        address: str = "",
        locale: str = "en",
    ) -> Answered:
        """Ask a schema, as the holder of a session's token or as a principal."""
        if token is not None:
            principal = await self.kernel.auth.sessions.find(token) or VISITOR
        context = Context(
            self.kernel, principal=principal, locale=locale, schema=schema, address=address, user_agent="test"
        )
        answer = await self.kernel.graphql[schema].execute(document, variables, context)  # type: ignore[index]  # shop or admin
        return Answered(answer.data, answer.errors, context.cookies, context.principal)

    async def register(self, email: str, password: str = PASSWORD, **more: Any) -> Answered:
        """Somebody registers as a program does."""
        values = {"email": email, "password": password, "transport": "TOKEN", **more}
        return await self.ask("shop", REGISTER, {"input": values})

    async def log_in(self, email: str, password: str = PASSWORD, schema: str = "shop", **more: Any) -> Any:
        """Somebody logs in as a program does; answers the payload."""
        values = {"email": email, "password": password, "transport": "TOKEN"}
        return (await self.ask(schema, LOG_IN, {"input": values}, **more)).data["logIn"]

    async def member(self, email: str | None = None, password_hash: str = "none") -> UUID:
        """A member that exists, without the cost of a password."""
        key = new_id()
        await self.kernel.db.execute(
            """
            insert into membership_member (id, email, password_hash, level)
            select $1, $2, $3, id from membership_level where code = 'retail'
            """,
            key,
            email or f"{key}@example.com",
            password_hash,
        )
        return key

    async def session(self, kind: PrincipalKind, key: UUID) -> str:
        """The token of a fresh session."""
        return (await self.kernel.auth.sessions.open(kind, key)).token

    async def viewer(self, token: str | None, schema: str = "shop") -> Any:
        """Who the schema thinks holds a token: an e-mail address or None."""
        viewer = (await self.ask(schema, "{ viewer { email } }", token=token)).data["viewer"]
        return viewer and viewer["email"]

    async def founded(self) -> Principal:
        """The first administrator, without the cost of a password."""
        key = new_id()
        await self.kernel.db.execute(
            """
            with founder as (
                insert into membership_staff (id, email, password_hash, name, state, founder)
                values ($1, 'founder@example.com', 'none', 'Founder', 'active', true) returning id
            )
            insert into membership_staff_role (id, staff, role)
            select $2, founder.id, r.id from founder, membership_role r where r.name = 'owner'
            """,
            key,
            new_id(),
        )
        return Principal(kind=PrincipalKind.STAFF, id=key, permissions=frozenset({"*"}))

    async def first_link(self) -> str | None:
        """The token in a fresh link for the first administrator."""
        link = await self.kernel.services.get(FirstAdministrator).link()
        return link and token_in(link)

    async def audited(self) -> list[str]:
        """The actions in the audit log, the oldest first."""
        return [entry.action for entry in reversed((await self.kernel.audit.page()).entries)]


def token_in(link: str) -> str:
    """The token of a one-time link."""
    return parse_qs(urlsplit(link).query)["token"][0]


def clerk(*permissions: str) -> Principal:
    """Somebody of the staff with these permissions, of whom there is no row."""
    return Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset(permissions))


def staff_key(node: Any) -> UUID:
    """The key in a staff member's id."""
    return key_of("StaffMember", node["id"])


def codes(payload: Any) -> list[str]:
    """The codes of a payload's errors."""
    return [error["code"] for error in payload["errors"]]


MakeClub = Callable[..., Awaitable[Club]]


@pytest_asyncio.fixture(loop_scope="session")
async def make_club(make_kernel: Kernels) -> MakeClub:
    """Makes shops with nobody in them, with settings by section."""

    async def make(**sections: dict[str, Any]) -> Club:
        # Sessions are looked up anew each time, so that tests see what the database says.
        return Club(await make_kernel([CATALOG, membership], auth={"session_cache_seconds": 0}, **sections))

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def club(make_club: MakeClub) -> Club:
    """A shop with nobody in it."""
    return await make_club()
