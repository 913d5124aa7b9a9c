"""What a resolver knows of its request, and what it may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from strawberry.types import Info as StrawberryInfo

from kameng.auth.principal import VISITOR, Principal

if TYPE_CHECKING:
    from collections.abc import Callable

    from kameng.db import Database
    from kameng.errors import Refusal
    from kameng.kernel import Kernel
    from kameng.module import Permission

T = TypeVar("T")

LOCALES = ("zh-CN", "en")
"""The languages of the product; the first is the default."""


class Context:
    """One request.

    Attributes:
        kernel: the kernel that serves it.
        principal: who asks.
        locale: the language of texts in the answer, one of `LOCALES`.
        schema: ``shop`` or ``admin``.
        idempotency_key: the key of the mutation that runs, if the client gave one.
        address: the client's network address; empty where there is none, as in a task.
        cookies: values of ``Set-Cookie`` headers to send with the answer.
        user_agent: how the client calls itself.
        correlation_id: names this request in the log and in masked errors.
        refusal: with what the next mutation is to be refused, instead of being carried out.
        refused: whether a mutation of this request was refused; it changed nothing then.
        visitor: the token by which a visitor is known again, see `kameng.auth.visitors`; empty where there is none.
        host: the ``Host`` that the client asked, which it may choose freely; empty where there is none.
    """

    __slots__ = (
        "_loaders",
        "address",
        "cookies",
        "correlation_id",
        "host",
        "idempotency_key",
        "kernel",
        "locale",
        "principal",
        "refusal",
        "refused",
        "schema",
        "user_agent",
        "visitor",
    )

    def __init__(
        self,
        kernel: Kernel,
        *,
        principal: Principal = VISITOR,
        locale: str = LOCALES[0],
        schema: str = "shop",
        idempotency_key: str | None = None,
        address: str = "",
        correlation_id: str = "",
        user_agent: str = "",
        visitor: str = "",
        host: str = "",
    ) -> None:
        self.kernel = kernel
        self.principal = principal
        self.locale = locale
        self.schema = schema
        self.idempotency_key = idempotency_key
        self.address = address
        self.correlation_id = correlation_id
        self.cookies: list[str] = []
        self.user_agent = user_agent
        self.visitor = visitor
        self.host = host
        self.refusal: Refusal | None = None
        self.refused = False
        self._loaders: dict[object, Any] = {}

    @property
    def db(self) -> Database:
        """The kernel's database."""
        return self.kernel.db

    def service(self, contract: type[T]) -> T:
        """The service behind a contract."""
        return self.kernel.services.get(contract)

    def require(self, permission: Permission | str) -> None:
        """Insist that the principal holds a permission; raises `Unauthenticated` or `Forbidden`."""
        self.principal.require(permission if isinstance(permission, str) else permission.name)

    def loader(self, key: object, make: Callable[[Context], T]) -> T:
        """A thing kept for this request, such as a DataLoader, made on first use."""
        if key not in self._loaders:
            self._loaders[key] = make(self)
        return cast("T", self._loaders[key])

    def forget(self) -> None:
        """Drop what `loader` keeps: a subscription's next event reads anew."""
        self._loaders.clear()


Info = StrawberryInfo[Context, None]
"""What resolvers take: ``info.context`` is the request's `Context`."""
