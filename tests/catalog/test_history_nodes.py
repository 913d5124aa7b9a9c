"""Entries of histories have ids, by which ``node(id:)`` finds them for whoever may read the catalogue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.ids import global_id, new_id

from .conftest import CLERK, Shop

LISTS = """
{ variants(first: 1) { nodes {
    stockMovements(first: 5) { nodes { id kind quantity } }
    priceHistory(first: 5) { nodes { id what new { amount } } }
} } }
"""
NODES = """
query($ids: [ID!]!) { nodes(ids: $ids) {
    ... on StockMovement { id kind quantity }
    ... on PriceChange { id what new { amount } }
} }
"""


async def ask(
    shop: Shop, source: str, variables: dict[str, Any] | None = None, principal: Principal = CLERK
) -> Any:
    context = Context(shop.kernel, principal=principal, schema="admin", locale="en")
    answer = await shop.kernel.graphql["admin"].execute(source, variables, context)
    assert answer.errors is None, answer.errors
    return answer.data


async def test_movements_and_price_changes_are_found_by_their_ids(shop: Shop) -> None:
    # Given a variant that was imported with a price and three cards
    await shop.stocked(cards=3, price="9.9")
    [variant] = (await ask(shop, LISTS))["variants"]["nodes"]
    entries = variant["stockMovements"]["nodes"] + variant["priceHistory"]["nodes"]
    assert [entry["quantity"] for entry in variant["stockMovements"]["nodes"]] == [3]
    assert {"amount": "9.90"} in [entry["new"] for entry in variant["priceHistory"]["nodes"]]
    # Then each is found by its id, and nothing by the id of another kind or of nobody
    ids = [entry["id"] for entry in entries]
    none = [global_id("StockMovement", new_id()), global_id("PriceChange", UUID(int=2**62))]
    assert (await ask(shop, NODES, {"ids": [*ids, *none]}))["nodes"] == [*entries, None, None]


@pytest.mark.parametrize("kind", [PrincipalKind.STAFF, PrincipalKind.MEMBER])
async def test_nobody_else_finds_them(shop: Shop, kind: PrincipalKind) -> None:
    await shop.stocked(cards=1)
    [variant] = (await ask(shop, LISTS))["variants"]["nodes"]
    ids = [variant["stockMovements"]["nodes"][0]["id"], variant["priceHistory"]["nodes"][0]["id"]]
    stranger = Principal(kind=kind, id=new_id())
    assert (await ask(shop, NODES, {"ids": ids}, stranger))["nodes"] == [None, None]
