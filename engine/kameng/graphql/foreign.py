"""A type of another module, named without importing it.

A module may return an object of another module's GraphQL type, whose class it must not import. It names the type; the
composition, which knows all modules of this deployment, finds it.

    product: Annotated["Product", foreign("catalog")]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ForwardRef

from strawberry.types.lazy_type import LazyType, StrawberryLazyReference

from kameng.errors import BootError

_known: ContextVar[Mapping[str, type]] = ContextVar("kameng_known_types")


@dataclass(frozen=True)
class ForeignType(LazyType[Any, Any]):
    """The promise of a type; resolved while a schema is composed."""

    def resolve_type(self) -> type[Any]:
        """The class that the composition knows under this name.

        Raises:
            BootError: no enabled module brings such a type.
        """
        try:
            return _known.get()[self.type_name]
        except (LookupError, KeyError) as error:
            raise BootError(
                f"No enabled module brings the GraphQL type {self.type_name}, expected from {self.module}.",
                cure=f"Enable the module {self.module}, and name it in `requires`.",
            ) from error


class _ForeignReference(StrawberryLazyReference):
    def resolve_forward_ref(self, forward_ref: ForwardRef) -> LazyType[Any, Any]:
        return ForeignType(forward_ref.__forward_arg__, self.module, None)


def foreign(module: str) -> StrawberryLazyReference:
    """Mark an annotation as the GraphQL type of another module.

    Args:
        module: the name of the module that brings it.
    """
    return _ForeignReference(module)


@contextmanager
def known_types(types: Mapping[str, type]) -> Iterator[None]:
    """Resolve foreign types by these, for as long as the block lasts."""
    token = _known.set(types)
    try:
        yield
    finally:
        _known.reset(token)
