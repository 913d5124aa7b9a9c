"""Finding a payment at Stripe by our number, which Stripe has no index for but one that lags.

The search over metadata is up to a minute behind; the list of sessions is exact. So who is not found by the search is looked
for among the sessions of the last hours, and sessions are never made to live longer than that.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from kameng_gateways.reading import text
from kameng_gateways.stripe.calling import ask
from kameng_gateways.stripe.observing import NUMBER
from kameng_settlement.gateway_contract import GatewayUnanswered, MerchantAccount

LOOK_BACK: Final = timedelta(hours=3)
"""How far back sessions are looked for. Longer than any of ours lives, by more than the search can lag."""

MOST_PAGES: Final = 50
"""Pages of a hundred sessions that are read."""

WITH_FEE: Final = "latest_charge.balance_transaction"


async def find_intent(account: MerchantAccount, number: str) -> Mapping[str, Any] | None:
    """The payment intent of a number, with its charge and fee; None where the search finds none yet."""
    query: dict[str, str | int] = {
        "query": f'metadata["{NUMBER}"]:"{number}"',
        "limit": 10,
        "expand[]": f"data.{WITH_FEE}",
    }
    answer = await ask(account, "/v1/payment_intents/search", query)
    found = _objects(answer.values)
    # Of several, the paid one counts.
    return next((each for each in found if text(each, "status") == "succeeded"), found[0] if found else None)


async def find_session(account: MerchantAccount, number: str) -> Mapping[str, Any] | None:
    """The session of a number, among those of the last hours; None: there is none.

    Raises:
        GatewayUnanswered: there are more sessions than are read.
    """
    query: dict[str, str | int] = {
        "limit": 100,
        "created[gte]": int(time.time() - LOOK_BACK.total_seconds()),
    }
    for _ in range(MOST_PAGES):
        answer = await ask(account, "/v1/checkout/sessions", query)
        page = _objects(answer.values)
        for each in page:
            if text(each, "client_reference_id") == number:
                return each
        if answer.values.get("has_more") is not True or not page:
            return None
        query["starting_after"] = text(page[-1], "id")
    raise GatewayUnanswered("Stripe has more sessions than could be read.", cure="Ask again later.")


def _objects(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = values.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
