"""Calling a gateway: never inside a transaction, bounded in time, and with one of four ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

import structlog
from prometheus_client import Counter

from kameng.errors import TransactionError
from kameng_settlement.gateway_contract import (
    GatewayError,
    GatewayMisconfigured,
    GatewayNotReached,
    GatewayRefused,
    GatewayUnanswered,
    GatewayUnsupported,
)
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.statements import ACCOUNT_ANSWERED, ACCOUNT_FAILED

if TYPE_CHECKING:
    from kameng.kernel import Kernel

T = TypeVar("T")

CALLS = Counter(
    "kameng_gateway_calls_total",
    "Calls to gateways by account, kind and what came of them.",
    ["account", "kind", "outcome"],
)

_KNOWN = (GatewayNotReached, GatewayUnanswered, GatewayRefused, GatewayMisconfigured, GatewayUnsupported)

log = structlog.get_logger(__name__)


async def call(kernel: Kernel, account: StoredAccount, kind: str, answer: Awaitable[T]) -> T:
    """Wait for a gateway's answer, and keep count of the account's health.

    Args:
        kernel: whose account.
        account: which.
        kind: what is asked: ``start``, ``query``, ``close``, ``refund``, ``query_refund``, ``bill``.
        answer: the gateway's method, called.

    Raises:
        GatewayError: one of those that the contract names. Whatever else goes wrong is `GatewayUnanswered`: nobody knows.
        TransactionError: inside a transaction nobody is called.
    """
    if kernel.db.scope is not None:
        if asyncio.iscoroutine(answer):
            answer.close()
        raise TransactionError(
            "A gateway is not called inside a transaction.", cure="Call it before, or after its commit."
        )
    try:
        async with asyncio.timeout(account.timeout_seconds):
            found = await answer
    except _KNOWN as error:
        CALLS.labels(account.source, kind, error.code).inc()
        # A gateway that refuses has answered; one that cannot be used for whatever reason is left alone for a while.
        refused = isinstance(error, GatewayRefused | GatewayUnsupported)
        await kernel.db.execute(ACCOUNT_ANSWERED if refused else ACCOUNT_FAILED, account.id)
        log.warning("a gateway's call failed", account=account.source, kind=kind, code=error.code)
        raise
    except Exception as error:
        CALLS.labels(account.source, kind, GatewayUnanswered.code).inc()
        await kernel.db.execute(ACCOUNT_FAILED, account.id)
        log.warning("a gateway's call failed", account=account.source, kind=kind, error=type(error).__name__)
        raise GatewayUnanswered(f"The gateway gave no whole answer ({type(error).__name__}).") from error
    CALLS.labels(account.source, kind, "ok").inc()
    if account.failures or account.resting_until is not None:
        await kernel.db.execute(ACCOUNT_ANSWERED, account.id)
    return found


__all__ = ["CALLS", "GatewayError", "call"]
