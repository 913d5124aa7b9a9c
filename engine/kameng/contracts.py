"""The registry of services: what one module offers to others, typed by protocol.

A contract is a `typing.Protocol` in the ``contract`` module of the package that owns the idea. Who needs it asks the kernel
for it by the protocol; who fulfils it is the deployment's choice.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar, cast

from kameng.errors import BootError

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.module import Module

T = TypeVar("T")


def contract_name(contract: type) -> str:
    """A contract's full name, for messages."""
    return f"{contract.__module__}.{contract.__qualname__}"


def unmet_members(contract: type, service: object) -> list[str]:
    """What a service lacks of its contract: missing members, and plain functions where a coroutine is due."""
    lacking = []
    for name, promised in vars(contract).items():
        if name.startswith("_") or not (callable(promised) or isinstance(promised, property)):
            continue
        given = getattr(service, name, None)
        if given is None:
            lacking.append(name)
        elif inspect.iscoroutinefunction(promised) and not inspect.iscoroutinefunction(given):
            lacking.append(f"{name} (must be async)")
    return lacking


class Services:
    """The services of one kernel, made on first use, once each."""

    def __init__(self, kernel: Kernel, modules: Iterable[Module]) -> None:
        self._kernel = kernel
        self._provided = {
            item.contract: (module, item.factory) for module in modules for item in module.provides
        }
        self._made: dict[type, object] = {}

    def get(self, contract: type[T]) -> T:
        """The service behind a contract.

        Raises:
            BootError: nobody provides it, or the provider's service does not fulfil it.
        """
        made = self._made.get(contract)
        if made is None:
            made = self._made[contract] = self._make(contract)
        return cast("T", made)

    def find(self, contract: type[T]) -> T | None:
        """The service behind a contract that a deployment may do without; None where nobody provides it."""
        return self.get(contract) if contract in self._provided else None

    def _make(self, contract: type) -> object:
        if contract not in self._provided:
            raise BootError(
                f"No enabled module provides {contract_name(contract)}.",
                cure="Enable a module that provides it, and name it in `needs` so that this is found at start.",
            )
        module, factory = self._provided[contract]
        service = factory(self._kernel)
        if lacking := unmet_members(contract, service):
            raise BootError(
                f"Module {module.name} provides {contract_name(contract)} without {', '.join(lacking)}.",
                cure=f"Complete {type(service).__qualname__}, or install a version of {module.name} that fits.",
            )
        return service
