"""Where suppliers tell of their orders.

The address names the account, the account's own secret checks the signature, and the order is looked for among those of this
account alone: another supplier's word about it is worth nothing, however well it is signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog
from litestar import Request, post
from litestar.response import Response

from kameng.errors import KamengError
from kameng.http.requests import read_headers
from kameng_fulfilment.supplier_contract import CallbackRefused, Unknown
from kameng_fulfilment.suppliers.connections import hidden_values, open_connection, read_connections
from kameng_fulfilment.suppliers.settling import settle
from kameng_fulfilment.suppliers.statements import ASK_NOW, FIND_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kameng.kernel import Kernel

LONGEST: Final = 1024 * 1024
"""Bytes of a callback."""

log = structlog.get_logger(__name__)


async def take_callback(kernel: Kernel, key: UUID, headers: Mapping[str, str], body: bytes) -> int:
    """Take a callback for an account; the HTTP status of the answer. The same one again is harmless.

    200 says that it was written down, 401 that it is not the supplier's, 404 that there is no such account, or no such
    order of it.
    """
    connection = (await read_connections(kernel, [key])).get(key)
    if connection is None:
        return 404
    try:
        supplier = await open_connection(kernel, connection)
        news = await supplier.read_news(headers, body)
    except CallbackRefused as refused:
        log.warning("a supplier's callback was refused", supplier=connection.name, reason=refused.message)
        return 401
    except KamengError as error:
        log.error("an account with a supplier cannot be opened", supplier=connection.name, error=str(error))
        return 503
    order = await kernel.db.fetchval(FIND_REFERENCE, news.reference[:40], key)
    if order is None:
        log.warning("a supplier tells of an order that is not its own", supplier=connection.name)
        return 404
    hidden = await hidden_values(kernel, connection)
    await settle(kernel, order, news.outcome, kind="callback", actor=connection.actor, hidden=hidden)
    if isinstance(news.outcome, Unknown):
        async with kernel.db.transaction():
            await kernel.db.execute(ASK_NOW, order)
            await kernel.tasks.enqueue("fulfilment.supply")
    return 200


@post("/callbacks/suppliers/{connection:uuid}", include_in_schema=False, request_max_body_size=LONGEST)
async def supplier_callback(request: Request[Any, Any, Any], connection: UUID) -> Response[str]:
    """A supplier's callback."""
    kernel: Kernel = request.app.state.kernel
    status = await take_callback(kernel, connection, read_headers(request.scope), await request.body())
    return Response("ok" if status == 200 else "refused", status_code=status, media_type="text/plain")
