"""Where gateways tell of payments and refunds.

The address names the account, and this account's own secret checks the raw bytes. What is true counts, and is answered,
after it is committed. What is large is asked back over our own connection before it counts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog
from litestar import Request, route
from litestar.response import Response
from prometheus_client import Counter

from kameng.errors import KamengError, RateLimited
from kameng.http.requests import read_headers
from kameng_settlement.gateway_contract import (
    Gateway,
    GatewayError,
    MerchantAccount,
    NotificationAnswer,
    NotificationRefused,
    NotificationRequest,
    Observation,
    PaymentStatus,
    RefundObservation,
)
from kameng_settlement.payments.accounts import StoredAccount, open_account, read_accounts
from kameng_settlement.payments.calling import call
from kameng_settlement.payments.evidence import keep_unconfirmed
from kameng_settlement.payments.observing import observe
from kameng_settlement.payments.outcomes import HARMLESS
from kameng_settlement.payments.refund_settling import settle_refund
from kameng_settlement.settings import SettlementSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LONGEST: Final = 64 * 1024
"""Bytes of a notification, and of its query string."""

NOTIFIED = Counter(
    "kameng_payment_notifications_total",
    "Notifications of gateways by account and what came of them.",
    ["account", "outcome"],
)

log = structlog.get_logger(__name__)

_NOT_HERE: Final = NotificationAnswer(status=404, body=b"not found")


async def take_notification(
    kernel: Kernel, gateway: str, key: UUID, request: NotificationRequest, address: str = ""
) -> NotificationAnswer:
    """Take a notification for an account; the answer. The same one again is harmless.

    The gateway hears that we have it only once it is committed, and nothing else happened than it said. In all other cases
    it tells again, which is harmless too.

    Raises:
        RateLimited: too many of this account.
    """
    account = (await read_accounts(kernel, [key])).get(key)
    if account is None or account.gateway != gateway:
        return _NOT_HERE
    await _count(kernel, account, address)
    try:
        found, opened = await open_account(kernel, account)
    except KamengError as error:
        log.error("an account with a gateway cannot be opened", account=account.source, error=str(error))
        return NotificationAnswer(status=503, body=b"try again")
    try:
        accepted = await _take(kernel, account, found, opened, request)
    except NotificationRefused as refused:
        NOTIFIED.labels(account.source, refused.reason).inc()
        log.warning("a notification was refused", account=account.source, reason=refused.reason)
        answer = found.notification_answer(accepted=False)
        # Some protocols say no with a status that says yes; a stranger is told by the status.
        return answer if answer.status >= 400 else NotificationAnswer(status=401, body=answer.body)
    NOTIFIED.labels(account.source, "accepted" if accepted else "unfit").inc()
    return found.notification_answer(accepted)


async def _take(
    kernel: Kernel,
    account: StoredAccount,
    found: Gateway,
    opened: MerchantAccount,
    request: NotificationRequest,
) -> bool:
    for name in found.secrets:
        if getattr(opened.settings, name, None) == "":
            raise NotificationRefused("SECRET", "The account's secret is empty, so nothing can be verified.")
    try:
        said = found.read_notification(opened, request)
    except NotificationRefused:
        raise
    except Exception as error:  # whatever a package stumbles over, it has verified nothing
        log.error("a notification could not be read", account=account.source, error=type(error).__name__)
        raise NotificationRefused("MALFORMED", "The notification could not be read.") from error
    if isinstance(said, RefundObservation):
        return await settle_refund(kernel, account, said)
    if said.status is PaymentStatus.PAID and _is_large(kernel, said):
        return await _asked_back(kernel, account, found, opened, said)
    return (await observe(kernel, account, said, told_by="notification")).outcome in HARMLESS


def _is_large(kernel: Kernel, said: Observation) -> bool:
    threshold = kernel.settings.section("settlement", SettlementSettings).query_above_minor
    return said.amount is not None and said.amount.minor >= threshold


async def _asked_back(
    kernel: Kernel, account: StoredAccount, found: Gateway, opened: MerchantAccount, said: Observation
) -> bool:
    """Ask the gateway about what it told, and let its answer count instead."""
    if not found.capabilities.query:
        await keep_unconfirmed(kernel, account, said)
        return False
    try:
        asked = await call(kernel, account, "query", found.query(opened, said.number))
    except GatewayError:
        return False  # it tells again, and it is asked by the schedule too
    if asked.status is not PaymentStatus.PAID or asked.number != said.number:
        await keep_unconfirmed(kernel, account, said)
        return False
    return (await observe(kernel, account, asked, told_by="query")).outcome in HARMLESS


async def _count(kernel: Kernel, account: StoredAccount, address: str) -> None:
    """Count a notification. One address that floods is stopped before it takes the gateway's own share."""
    settings = kernel.settings.section("settlement", SettlementSettings)
    limiter = kernel.auth.limiter
    if address:
        limit = settings.notifications_per_address
        await limiter.check("payment_notification", f"{account.id}:{address}", limit, closed=False)
    await limiter.check(
        "payment_notification_all", str(account.id), settings.notifications_per_account, closed=False
    )


@route(
    "/payments/notify/{gateway:str}/{account:uuid}",
    http_method=["GET", "POST"],
    include_in_schema=False,
    request_max_body_size=LONGEST,
)
async def payment_notification(
    request: Request[Any, Any, Any], gateway: str, account: UUID
) -> Response[bytes]:
    """A gateway's notification."""
    kernel: Kernel = request.app.state.kernel
    query: bytes = request.scope.get("query_string", b"")
    if len(query) > LONGEST:
        return Response(b"too long", status_code=414, media_type="text/plain")
    told = NotificationRequest(
        method=request.method,
        headers=read_headers(request.scope),
        query=query,
        body=await request.body(),
        received_at=datetime.now(UTC),
    )
    client = request.scope.get("client")
    try:
        answer = await take_notification(kernel, gateway, account, told, client[0] if client else "")
    except RateLimited as limited:
        return Response(
            b"too many",
            status_code=429,
            media_type="text/plain",
            headers={"retry-after": str(limited.retry_after)},
        )
    return Response(answer.body, status_code=answer.status, media_type=answer.media_type)
