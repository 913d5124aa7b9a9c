"""One topological sort: requirements first, names in alphabetical order where nothing else decides."""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from kameng.errors import Fault
from kameng.loader.discovery import Found


def in_order(found: Sequence[Found]) -> tuple[list[Found], list[Fault]]:
    """Sort modules so that each comes after those it requires; a cycle is a fault and leaves the order open."""
    by_name = {item.module.name: item for item in sorted(found, key=lambda item: item.module.name)}
    if len(by_name) < len(found):
        return list(found), []  # two of one name: told by the checks, and no order is right
    sorter = TopologicalSorter(
        {name: sorted(set(item.module.requires) & set(by_name)) for name, item in by_name.items()}
    )
    try:
        return [by_name[name] for name in sorter.static_order()], []
    except CycleError as error:
        ring: list[str] = error.args[1]
        fault = Fault(
            "cycle",
            ", ".join(sorted({by_name[name].package for name in ring})),
            f"These modules require each other in a circle: {' → '.join(reversed(ring))}.",
            "Let one of them take what it needs by an event or a contract of the lower one.",
        )
        return list(found), [fault]
