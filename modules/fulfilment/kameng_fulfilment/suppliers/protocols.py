"""The protocols that suppliers speak, as installed packages bring them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

import structlog

from kameng_fulfilment.supplier_contract import SUPPLIER_GROUP, SupplierProtocol

log = structlog.get_logger(__name__)


@cache
def known_protocols() -> Mapping[str, SupplierProtocol]:
    """All protocols by name. A package that cannot be loaded is told in the log, and takes no other one with it."""
    found: dict[str, SupplierProtocol] = {}
    for point in sorted(entry_points(group=SUPPLIER_GROUP), key=lambda point: point.name):
        try:
            protocol: Any = point.load()
        except (
            Exception
        ) as error:  # whatever a broken package raises is that package's fault, and not the end
            log.error("a supplier's protocol cannot be loaded", entry_point=point.value, error=str(error))
            continue
        if not isinstance(protocol, SupplierProtocol) or protocol.name in found:
            log.error(
                "an entry point is no supplier's protocol, or the second of its name",
                entry_point=point.value,
            )
            continue
        found[protocol.name] = protocol
    return MappingProxyType(found)
