"""Epay's list of orders, read backwards to a day, as one JSON list: the nearest to a bill that version 1 has.

It has no totals and no fees, and tells of a refund by the state of its order alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from kameng_gateways.epay.wire import as_text
from kameng_gateways.moments import CHINA, read_china
from kameng_settlement.gateway_contract import BillNotReady, GatewayUnanswered

PAGE: Final = 50
"""Orders that servers hand out at once."""

MOST_PAGES: Final = 4_000
"""Pages that are read."""

LONGEST_PAYMENT: Final = timedelta(days=2)
"""How long before its payment an order may have been made: the list goes by when it was made, a bill by when it was paid."""


async def list_of_day(read_page: Callable[[int], Awaitable[Mapping[str, Any]]], day: date) -> bytes | None:
    """The orders that were paid on a day; None: there are none.

    Args:
        read_page: reads a page of the newest orders, from 1.
        day: in China.

    Raises:
        BillNotReady: the day is not over.
        GatewayUnanswered: the list is none, or too long.
    """
    if day >= datetime.now(CHINA).date():
        raise BillNotReady("The day is not over yet.", cure="Ask again tomorrow.")
    found: dict[str, Mapping[str, Any]] = {}
    for page in range(1, MOST_PAGES + 1):
        answer = await read_page(page)
        orders = answer.get("data")
        if as_text(answer, "code") != "1" or not isinstance(orders, list):
            raise GatewayUnanswered(f"Epay's answer is no list: {as_text(answer, 'msg')[:200]}.")
        made: datetime | None = None
        for order in orders:
            if not isinstance(order, dict):
                raise GatewayUnanswered("Epay's list holds what is no order.")
            made = read_china(order.get("addtime"))
            paid = read_china(order.get("endtime"))
            if paid is not None and paid.astimezone(CHINA).date() == day:
                # Orders that come in between two pages shift the list; the same order may then stand on both.
                found[as_text(order, "trade_no")] = order
        if len(orders) < PAGE or (made is not None and made.astimezone(CHINA).date() < day - LONGEST_PAYMENT):
            return msgspec.json.encode({"code": 1, "data": list(found.values())}) if found else None
    raise GatewayUnanswered(
        "Epay's list is longer than is read.", cure="Export it in the epay's back office."
    )
