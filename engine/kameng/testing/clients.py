"""Asking a kernel's schemas in a test, without HTTP between.

shop = Client(kernel, "shop", a_member())
data = await shop("{ viewer { displayName } }")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kameng.auth.principal import VISITOR, Principal, PrincipalKind
from kameng.graphql.context import Context
from kameng.ids import new_id

if TYPE_CHECKING:
    from kameng.graphql.execution import Answer
    from kameng.kernel import Kernel


def a_member() -> Principal:
    """A member whom no table knows: enough for modules that keep only members' keys."""
    return Principal(kind=PrincipalKind.MEMBER, id=new_id())


def a_clerk(*permissions: str) -> Principal:
    """Somebody of the staff with these permissions; ``*`` is all."""
    return Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset(permissions))


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who asks one of the schemas.

    Attributes:
        kernel: a running kernel.
        schema: ``shop`` or ``admin``.
        principal: who asks.
        locale: in which language.
    """

    kernel: Kernel
    schema: Literal["shop", "admin"]
    principal: Principal = VISITOR
    locale: str = "en"

    async def answer(
        self, source: str, variables: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> Answer:
        """The answer as it is, with its errors.

        Args:
            source: a document with one operation.
            variables: values by name.
            key: the idempotency key of a mutation.
        """
        context = Context(
            self.kernel,
            principal=self.principal,
            schema=self.schema,
            locale=self.locale,
            idempotency_key=key,
        )
        return await self.kernel.graphql[self.schema].execute(source, variables, context)

    async def __call__(
        self, source: str, variables: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> dict[str, Any]:
        """The data of an answer that has no errors.

        Raises:
            AssertionError: it has some.
        """
        answer = await self.answer(source, variables, key=key)
        if answer.errors or not isinstance(answer.data, dict):
            raise AssertionError(f"The {self.schema} schema answered with errors: {answer.errors}")
        return answer.data

    async def codes(self, source: str, variables: Mapping[str, Any] | None = None) -> list[str]:
        """The codes of an answer's errors, such as ``["UNAUTHENTICATED"]``; empty where there are none."""
        errors = (await self.answer(source, variables)).errors or []
        return [str((error.get("extensions") or {}).get("code", "")) for error in errors]
