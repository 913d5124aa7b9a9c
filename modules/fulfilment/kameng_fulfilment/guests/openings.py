"""Orders that somebody has opened: who has shown a secret, or number and contact, need not show it again for half an hour.

So neither has to stand in the address of a page, where logs and histories keep it. It is remembered in Valkey for the
visitor's token, of which the digest is its key, or for the member; whoever comes without either shows the secret each time.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast
from uuid import UUID

import msgspec
import structlog
from redis.exceptions import RedisError

from kameng.auth import PrincipalKind, greet_visitor, known_visitor
from kameng.errors import UnavailableError
from kameng.graphql import Context

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from kameng.kernel import Kernel

OPENED_SECONDS = 1800
"""So long an opened order stays open."""

MOST_OPENED = 50
"""Orders that are remembered for one visitor or member; further ones are opened each time."""

_PATIENCE = 3.0  # seconds after which Valkey counts as away

log = structlog.get_logger(__name__)


class Opening(msgspec.Struct, frozen=True):
    """An order that was opened.

    Attributes:
        order: its key.
        opened: whether its secret was shown, and with it what was delivered.
        until: when this ends, in seconds since 1970.
    """

    order: UUID
    opened: bool
    until: int


_read = msgspec.json.Decoder(Opening)


async def remember(context: Context, number: str, order: UUID, opened: bool) -> bool:
    """Remember that an order was opened; whether that could be done. A visitor gets a token, unless he bears one.

    The staff and integrations have nothing remembered. An order that is open already stays as open as it is.
    """
    holder = _holder(context)
    if holder is None and context.principal.kind is PrincipalKind.VISITOR:
        holder = _of_visitor(greet_visitor(context))
    if holder is None:
        return False
    try:
        async with asyncio.timeout(_PATIENCE):
            known = await _all(context.kernel, holder)
            before = known.get(number)
            if before is None and len(known) >= MOST_OPENED:
                return False
            opening = Opening(order, opened or bool(before and before.opened), _now() + OPENED_SECONDS)
            await _write(context.kernel, holder, {number: opening})
    except (RedisError, OSError) as error:
        log.warning("opened order not remembered", reason=type(error).__name__)
        return False
    return True


async def remembered(context: Context, number: str) -> Opening | None:
    """What whoever asks has opened of this number.

    Raises:
        UnavailableError: Valkey does not answer.
    """
    holder, visitor = _holder(context), known_visitor(context)
    if holder is None:
        return None
    # What he opened before he logged in may be on its way to the member at this moment: it is written there before it is gone
    # here, so it is looked for in this order.
    holders = [_of_visitor(visitor), holder] if visitor and holder != _of_visitor(visitor) else [holder]
    found: bytes | None = None
    try:
        async with asyncio.timeout(_PATIENCE):
            for each in holders:
                found = found or await cast(
                    "Awaitable[bytes | None]", context.kernel.valkey.hget(_key(each), number)
                )
    except (RedisError, OSError) as error:
        raise UnavailableError(
            "What you have opened cannot be looked up at the moment: Redis or Valkey does not answer.",
            cure="Try again in a moment, or show the order's secret.",
        ) from error
    opening = _read.decode(found) if found else None
    return opening if opening and opening.until >= _now() else None


async def follow_log_in(kernel: Kernel, visitor: bytes, member: UUID) -> None:
    """Have what a visitor has opened stay open for the member who he turns out to be. Without effect while Valkey is away."""
    try:
        async with asyncio.timeout(_PATIENCE):
            found = await _all(kernel, _of_visitor(visitor))
            if found:
                await _write(kernel, _of_member(member), found)
                await kernel.valkey.delete(_key(_of_visitor(visitor)))
    except (RedisError, OSError) as error:
        log.warning("opened orders not carried over", reason=type(error).__name__)


def _holder(context: Context) -> str | None:
    principal = context.principal
    if principal.kind is PrincipalKind.MEMBER and principal.id is not None and principal.scopes is None:
        return _of_member(principal.id)
    if principal.kind is PrincipalKind.VISITOR and (visitor := known_visitor(context)):
        return _of_visitor(visitor)
    return None


def _of_visitor(digest: bytes) -> str:
    return f"visitor:{digest.hex()}"


def _of_member(member: UUID) -> str:
    return f"member:{member}"


def _key(holder: str) -> str:
    return f"kameng:opened_orders:{holder}"


def _now() -> int:
    return int(time.time())


async def _all(kernel: Kernel, holder: str) -> dict[str, Opening]:
    found = await cast("Awaitable[Mapping[bytes, bytes]]", kernel.valkey.hgetall(_key(holder)))
    openings = {name.decode(): _read.decode(text) for name, text in found.items()}
    return {number: opening for number, opening in openings.items() if opening.until >= _now()}


async def _write(kernel: Kernel, holder: str, openings: Mapping[str, Opening]) -> None:
    async with kernel.valkey.pipeline(transaction=True) as asked:
        asked.hset(
            _key(holder),
            mapping={number: msgspec.json.encode(opening) for number, opening in openings.items()},
        )
        asked.expire(_key(holder), OPENED_SECONDS)
        await asked.execute()
