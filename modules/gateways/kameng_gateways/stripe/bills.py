"""The movements of Stripe's balance on a day, as a CSV file with the columns of Stripe's itemised report of balance changes.

Stripe makes that report on demand and takes its time; the movements themselves are there at once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from kameng_gateways.amounts import decimal_text
from kameng_gateways.reading import part, text
from kameng_gateways.stripe.amounts import read_units
from kameng_gateways.stripe.calling import ask
from kameng_gateways.stripe.observing import NUMBER
from kameng_settlement.gateway_contract import BillNotReady, GatewayUnanswered, MerchantAccount

COLUMNS: Final = (
    "balance_transaction_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "payment_intent_id",
    "description",
    f"payment_metadata[{NUMBER}]",
    f"refund_metadata[{NUMBER}]",
)

REFUNDS: Final = frozenset({"refund", "payment_refund"})
"""Types of movements whose source is a refund."""

MOST_PAGES: Final = 20_000
"""Pages of a hundred movements that are read."""


async def bill(account: MerchantAccount, day: date) -> bytes | None:
    """The movements of a day in UTC; None: there were none.

    Raises:
        BillNotReady: the day is not over.
    """
    begin = datetime.combine(day, time.min, UTC)
    end = begin + timedelta(days=1)
    if end > datetime.now(UTC):
        raise BillNotReady("The day is not over yet, in UTC.", cure="Ask again tomorrow.")
    query: dict[str, str | int] = {
        "limit": 100,
        "created[gte]": int(begin.timestamp()),
        "created[lt]": int(end.timestamp()),
        "expand[]": "data.source",
    }
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    empty = True
    for _ in range(MOST_PAGES):
        answer = await ask(account, "/v1/balance_transactions", query)
        data = answer.values.get("data")
        page = [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
        for each in page:
            writer.writerow(_row(each))
            empty = False
        if answer.values.get("has_more") is not True or not page:
            return None if empty else lines.getvalue().encode()
        query["starting_after"] = text(page[-1], "id")
    raise GatewayUnanswered("Stripe has more movements than could be read.")


def _row(values: Mapping[str, Any]) -> list[str]:
    source, currency = part(values, "source"), values.get("currency")
    number, refunded = text(part(source, "metadata"), NUMBER), text(values, "type") in REFUNDS
    return [
        text(values, "id"),
        _moment(values.get("created")),
        _moment(values.get("available_on")),
        str(currency),
        *(_amount(values.get(key), currency) for key in ("amount", "fee", "net")),
        text(values, "reporting_category") or text(values, "type"),
        text(source, "id"),
        text(source, "payment_intent"),
        text(values, "description"),
        "" if refunded else number,
        number if refunded else "",
    ]


def _amount(value: object, currency: object) -> str:
    found = read_units(value, currency)
    if found is None:
        raise GatewayUnanswered("Stripe's movements hold an amount that cannot be read.")
    return decimal_text(found)


def _moment(value: object) -> str:
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S}" if type(value) is int else ""
