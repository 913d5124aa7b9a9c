"""The gateways that installed packages bring. Each is loaded when an account names it, and not before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

import structlog

from kameng_settlement.gateway_contract import GATEWAY_GROUP, Gateway
from kameng_settlement.payments.errors import GatewayUnknown

log = structlog.get_logger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")


@cache
def installed_gateways() -> Mapping[str, EntryPoint]:
    """Where gateways are found, by name; none is loaded. Of two of one name the first in order of its package counts."""
    found: dict[str, EntryPoint] = {}
    points = entry_points(group=GATEWAY_GROUP)
    for point in sorted(points, key=lambda point: (point.name, point.value)):
        if not _NAME.fullmatch(point.name) or point.name in found:
            log.error("an entry point is no gateway, or the second of its name", entry_point=point.value)
            continue
        found[point.name] = point
    return MappingProxyType(found)


@lru_cache(maxsize=64)
def gateway(name: str) -> Gateway:
    """The gateway of a name.

    Raises:
        GatewayUnknown: no installed package brings it, or the one that does cannot be loaded.
    """
    point = installed_gateways().get(name)
    if point is None:
        raise GatewayUnknown(
            f"No installed package brings the gateway {name[:20]!r}.",
            cure=f"Install one, or choose of: {', '.join(installed_gateways()) or 'none'}.",
            path=("input", "gateway"),
        )
    try:
        loaded: Any = point.load()
    except Exception as error:  # whatever a broken package raises is that package's fault, and not the end
        log.error("a gateway cannot be loaded", entry_point=point.value, error=str(error))
        raise GatewayUnknown(
            f"The package that brings the gateway {name} cannot be loaded.",
            cure="Look into the log, and install it anew.",
            path=("input", "gateway"),
        ) from error
    found: Gateway = loaded() if isinstance(loaded, type) else loaded
    if found.name != name:
        log.error("an entry point is not named like its gateway", entry_point=point.value)
        raise GatewayUnknown(
            f"The package that brings the gateway {name} calls it otherwise.", path=("input", "gateway")
        )
    return found
