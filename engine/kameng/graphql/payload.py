"""Mutations whose refusals are data: a payload with the entity, or with typed errors.

A module declares a payload by the refusals it may hold and marks the resolver; the rest follows from that:

    @payload(OutOfStock, InsufficientFunds)
    class PlaceOrderPayload:
        order: Order | None = None

    @mutation
    async def place_order(self, info: Info, input: PlaceOrderInput) -> PlaceOrderPayload: ...

In the schema the payload gets ``errors: [PlaceOrderError!]!`` with ``code: PlaceOrderErrorCode!``, an enum of exactly the codes
that this mutation can answer. A resolver raises the refusal; whatever is no refusal of the payload is a fault and stays one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import field
from enum import Enum
from typing import Any, Literal, TypeVar, dataclass_transform, get_type_hints, overload

import strawberry

from kameng.errors import (
    BootError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    Refusal,
    Unauthenticated,
)
from kameng.graphql.idempotency import take_key

C = TypeVar("C", bound=type)

COMMON = (Conflict, Forbidden, InvalidInput, NotFound, RateLimited, Unauthenticated)
"""Refusals that every mutation may answer."""

_SUFFIX = "Payload"


@dataclass_transform(kw_only_default=True)
def payload(*refusals: type[Refusal]) -> Callable[[C], C]:
    """Declare a mutation's payload: a class named ``…Payload`` whose fields all have defaults.

    Args:
        refusals: what it may answer beside the `COMMON` ones.
    """

    def declare(cls: C) -> C:
        if not cls.__name__.endswith(_SUFFIX):
            raise BootError(f"{cls.__qualname__} is a payload and must be named …Payload.", cure="Rename it.")
        mutation_name = cls.__name__.removesuffix(_SUFFIX)
        known: set[type[Refusal]] = {*refusals, *COMMON}
        expected = tuple(sorted(known, key=lambda refusal: refusal.code))
        error = _error_type(mutation_name, cls.__module__, expected)
        cls.__annotations__["errors"] = list[error]  # type: ignore[valid-type]  # made for this payload
        for name, value in (
            ("errors", field(default_factory=list)),
            ("__refusals__", expected),
            ("__error__", error),
        ):
            setattr(cls, name, value)
        return strawberry.type(cls, description=cls.__doc__)

    return declare


def _error_type(name: str, module: str, refusals: tuple[type[Refusal], ...]) -> type:
    described = {refusal.code: (refusal.__doc__ or "").strip().split("\n")[0] for refusal in refusals}
    codes: Any = Enum(f"{name}ErrorCode", {code: code for code in described}, module=module)  # type: ignore[misc]  # dynamic
    enum = strawberry.enum(codes, description=f"Why {name} was refused.")
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]  # set by Strawberry
        value.description = described[value.name]
    error = type(
        f"{name}Error",
        (),
        {
            "__annotations__": {"code": enum, "path": list[str], "message": str, "cure": str},
            "__module__": module,
            "__doc__": f"Why {name} was refused.",
        },
    )
    return strawberry.type(error, description=f"A reason why {name} was refused; nothing was changed.")


def refused(kind: type, refusal: Refusal) -> Any:
    """The payload that tells a refusal.

    Args:
        kind: a class made by `payload`.
        refusal: one of those that it declares.
    """
    error: Any = kind.__error__  # type: ignore[attr-defined]  # set by payload()
    codes = error.__annotations__["code"]
    return kind(
        errors=[
            error(
                code=codes[refusal.code], path=list(refusal.path), message=refusal.message, cure=refusal.cure
            )
        ]
    )


def answers(kind: type, refusal: Refusal) -> bool:
    """Whether a payload declares this refusal."""
    return isinstance(refusal, kind.__refusals__) and any(  # type: ignore[attr-defined]  # set by payload()
        refusal.code == declared.code
        for declared in kind.__refusals__  # type: ignore[attr-defined]  # set by payload()
    )


Policy = Literal["stored", "own", "none"]
"""What becomes of an idempotency key.

``stored``: the mutation runs in one transaction with the row that keeps its result, and is answered from there when it comes
again. ``own``: the mutation has a unique key of its own and reads ``context.idempotency_key``; it may open transactions, or
work in other tasks. ``none``: the key is of no use, since repeating changes nothing, or the answer holds a secret that must not
be kept; the resolver has to be safe to repeat.
"""

POLICY = "kameng.idempotency"
"""The key of the policy in the metadata of a mutation field."""


@overload
def mutation(resolver: Callable[..., Awaitable[Any]], /) -> Any: ...


@overload
def mutation(*, idempotency: Policy = "stored") -> Callable[[Callable[..., Awaitable[Any]]], Any]: ...


def mutation(
    resolver: Callable[..., Awaitable[Any]] | None = None, /, *, idempotency: Policy = "stored"
) -> Any:
    """A mutation field: its docstring describes it, and refusals of its payload become data.

    Args:
        resolver: an async resolver, where the decorator is used bare.
        idempotency: what becomes of an idempotency key.
    """
    if resolver is None:
        return functools.partial(_mutation, idempotency=idempotency)
    return _mutation(resolver, idempotency=idempotency)


def _mutation(resolver: Callable[..., Awaitable[Any]], *, idempotency: Policy) -> Any:
    if not inspect.iscoroutinefunction(resolver):
        raise BootError(f"The mutation {resolver.__qualname__} is not async.", cure="Write `async def`.")
    kind: type | None = None

    @functools.wraps(resolver)
    async def answer(*args: Any, **kwargs: Any) -> Any:
        nonlocal kind
        info = kwargs.get("info")
        context = None if info is None else info.context
        if context is not None:
            take_key(info._raw_info, context)  # type: ignore[union-attr]  # there is an info
        try:
            if context is not None and context.refusal is not None:
                raise context.refusal
            return await resolver(*args, **kwargs)
        except Refusal as refusal:
            if context is not None:
                context.refused = True
            if kind is None:
                kind = get_type_hints(resolver)["return"]
            if not answers(kind, refusal):
                raise
            return refused(kind, refusal)

    description = inspect.cleandoc(resolver.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    return strawberry.mutation(answer, description=description or None, metadata={POLICY: idempotency})
