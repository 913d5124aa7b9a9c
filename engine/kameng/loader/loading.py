"""The loader as the kernel uses it."""

from collections.abc import Iterable

from kameng.errors import FaultsFound
from kameng.loader.checking import check_modules
from kameng.loader.discovery import Found, discover
from kameng.loader.ordering import in_order
from kameng.module import Module
from kameng.settings import Settings


def load_modules(settings: Settings, modules: Iterable[Module] | None = None) -> tuple[Module, ...]:
    """The deployment's modules, checked and in order.

    Args:
        settings: says which modules are enabled.
        modules: take these instead of the installed ones; a test or an embedding application composes its own.

    Raises:
        FaultsFound: with all faults together, if there is any.
    """
    if modules is None:
        found, faults, switched_off = discover(settings.modules)
    else:
        found, faults, switched_off = (
            [Found(item, f"{item.name} {item.version}") for item in modules],
            [],
            frozenset(),
        )
    ordered, cycles = in_order(found)
    faults += cycles
    faults += check_modules(ordered if not cycles else found, settings, switched_off)
    if faults:
        raise FaultsFound(faults)
    return tuple(item.module for item in ordered)
