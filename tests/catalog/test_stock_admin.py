"""Stock in the back office: who may move it, what is shown of it, and that it is written down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from kameng.db import counted_statements
from kameng.ids import global_id, new_id
from kameng_catalog.alerts import check_moved_stock
from kameng_catalog.contract import RetireRequest

from .conftest import Shop
from .stocking import left, mirrored, quota, secrets, take
from .test_admin import actions, change, clerk

READER = clerk("read_products")
KEEPER = clerk("read_products", "manage_stock", "import_stock")

STOCK = """
    stock {
      delivery deliveryNotes { locale text } picking lowStock threshold counted hasSecret reserved
    }
"""


async def variant(shop: Shop, sku: str) -> str:
    """The global id of a variant."""
    return global_id("Variant", await shop.key(sku))


async def show(shop: Shop, document: str, **variables: Any) -> Any:
    """What a reader is shown."""
    return await shop.ask(document, variables, schema="admin", principal=READER)


async def test_how_a_variant_is_delivered_and_kept(shop: Shop) -> None:
    await quota(shop, 7)
    key = await variant(shop, "Q-1")
    fields = f"variant {{ {STOCK} }}"
    asked = {
        "variant": key,
        "delivery": "MANUAL",
        "deliveryNotes": [
            {"locale": "en", "text": "We call you."},
            {"locale": "zh-CN", "text": "客服联系您"},
        ],
        "picking": "SOONEST_EXPIRING",
        "lowStock": 8,
    }
    data = await change(shop, "updateVariantStock", fields, asked, KEEPER)
    shown = {
        "delivery": "MANUAL",
        "deliveryNotes": [
            {"locale": "en", "text": "We call you."},
            {"locale": "zh-CN", "text": "客服联系您"},
        ],
        "picking": "SOONEST_EXPIRING",
        "lowStock": 8,
        "threshold": 8,
        "counted": 7,
        "hasSecret": False,
        "reserved": 0,
    }
    data["variant"]["stock"]["deliveryNotes"].sort(key=lambda note: note["locale"])
    assert data == {"variant": {"stock": shown}, "errors": []}
    # What is left out stays; null is the figure of the settings, an empty text goes
    asked = {"variant": key, "lowStock": None, "deliveryNotes": [{"locale": "zh-CN", "text": ""}]}
    data = await change(shop, "updateVariantStock", fields, asked, KEEPER)
    shown |= {"lowStock": None, "threshold": 10, "deliveryNotes": [{"locale": "en", "text": "We call you."}]}
    assert data["variant"]["stock"] == shown
    # and orders are told
    [snapshot] = await shop.variants.snapshots([await shop.key("Q-1")])
    assert snapshot is not None
    assert (snapshot.stock_kind, snapshot.delivery) == ("quota", "manual")
    assert await shop.variants.delivery_notes([await shop.key("Q-1"), new_id()]) == {
        await shop.key("Q-1"): {"en": "We call you."}
    }


async def test_figures_are_set_with_a_reason(shop: Shop) -> None:
    await quota(shop, 7)
    await mirrored(shop, 7)
    reusable = await shop.stocked("R-1", kind="reusable")
    fields = "variant { stock { counted hasSecret } }"
    data = await change(
        shop,
        "adjustStock",
        fields,
        {"variant": await variant(shop, "Q-1"), "by": -3, "reason": "lost three"},
        KEEPER,
    )
    assert data == {"variant": {"stock": {"counted": 4, "hasSecret": False}}, "errors": []}
    data = await change(
        shop,
        "setMirroredStock",
        fields,
        {"variant": await variant(shop, "S-1"), "available": 2, "reason": "by phone"},
        KEEPER,
    )
    assert data["variant"]["stock"]["counted"] == 2
    key = await variant(shop, "R-1")
    data = await change(
        shop,
        "setReusableSecret",
        fields,
        {"variant": key, "secret": " the-one ", "reason": "licensed"},
        KEEPER,
    )
    assert data == {"variant": {"stock": {"counted": 0, "hasSecret": True}}, "errors": []}
    data = await change(shop, "adjustStock", fields, {"variant": key, "to": 5, "reason": "licensed"}, KEEPER)
    assert data["variant"]["stock"]["counted"] == 5
    line = await take(shop, reusable)
    assert not isinstance(line, str)
    assert await secrets(shop, line) == ["the-one"]
    assert (await actions(shop.kernel))[:3] == [
        "catalog.stock_adjusted",
        "catalog.reusable_replaced",
        "catalog.mirror_set",
    ]
    entries = (await shop.kernel.audit.page()).entries
    assert not any("the-one" in str(entry.details) for entry in entries)


async def test_what_moved_is_listed(shop: Shop) -> None:
    await quota(shop, 7)
    line = await take(shop, await shop.key("Q-1"), 2)
    document = """
        query ($after: String) { variant(sku: "Q-1") { stockMovements(first: 1, after: $after) {
          nodes { kind quantity line reason actor batchId } pageInfo { hasNextPage endCursor }
        } } }
    """
    first = (await show(shop, document))["variant"]["stockMovements"]
    assert first["nodes"] == [
        {"kind": "SALE", "quantity": -2, "line": str(line), "reason": None, "actor": None, "batchId": None}
    ]
    second = await show(shop, document, after=first["pageInfo"]["endCursor"])
    [node] = second["variant"]["stockMovements"]["nodes"]
    assert (node["kind"], node["quantity"], node["reason"]) == ("ADJUST", 7, "counted")
    assert node["actor"].startswith("staff:")
    assert second["variant"]["stockMovements"]["pageInfo"]["hasNextPage"] is False


BATCHES = """
    { stockBatches { nodes { id source state settled cost { amount currency }
      figures { free reserved quarantined sold gone }
      cards { nodes { number state } } soldCards { nodes { state line } } } } }
"""


async def test_batches_go_their_ways(shop: Shop) -> None:
    # Given five cards, of which one is sold and one is kept for an order
    key = await shop.stocked(cards=5)
    sold, kept = await take(shop, key), await take(shop, key, 1, "reserve")
    [batch] = (await show(shop, BATCHES))["stockBatches"]["nodes"]
    assert batch["figures"] == {"free": 3, "reserved": 1, "quarantined": 0, "sold": 1, "gone": 0}
    assert [card["state"] for card in batch["cards"]["nodes"]] == ["SOLD", "RESERVED", "FREE", "FREE", "FREE"]
    asked = {"batch": batch["id"], "reason": "complaints"}
    # When it is put into quarantine, readmitted, and recalled
    fields = "moved batch { state settled figures { free reserved quarantined sold gone } }"
    data = await change(shop, "quarantineStockBatch", fields, asked, KEEPER)
    assert data == {
        "moved": 4,
        "batch": {
            "state": "QUARANTINED",
            "settled": True,
            "figures": {"free": 0, "reserved": 0, "quarantined": 4, "sold": 1, "gone": 0},
        },
        "errors": [],
    }
    assert await left(shop, key) == 0
    data = await change(shop, "readmitStockBatch", fields, asked, KEEPER)
    assert (data["moved"], data["batch"]["state"]) == (4, "SELLABLE")
    data = await change(shop, "recallStockBatch", fields, asked, KEEPER)
    assert data["batch"]["figures"] == {"free": 0, "reserved": 0, "quarantined": 0, "sold": 1, "gone": 4}
    data = await change(shop, "readmitStockBatch", fields, asked, KEEPER)
    assert [error["code"] for error in data["errors"]] == ["CONFLICT"]
    # Then it tells who got a card of it
    [batch] = (await show(shop, BATCHES))["stockBatches"]["nodes"]
    assert batch["soldCards"]["nodes"] == [{"state": "SOLD", "line": str(sold)}]
    assert [card["state"] for card in batch["cards"]["nodes"]] == ["SOLD"] + ["RECALLED"] * 4
    # and which of them are bad
    assert isinstance(sold, UUID)
    [card] = await shop.stock.sold_cards([sold])
    async with shop.kernel.db.transaction():
        await shop.stock.retire([RetireRequest(line=sold, key=card.key, reason="used", by="staff:1")])
    document = "{ stockBatches { nodes { figures { bad } soldCards { nodes { badReason } } } } }"
    assert (await show(shop, document))["stockBatches"]["nodes"] == [
        {"figures": {"bad": 1}, "soldCards": {"nodes": [{"badReason": "used"}]}}
    ]
    assert isinstance(kept, type(sold))
    assert (await actions(shop.kernel))[:3] == [
        "catalog.batch_recalled",
        "catalog.batch_readmitted",
        "catalog.batch_quarantined",
    ]


async def test_a_batch_is_described(shop: Shop) -> None:
    await shop.stocked(cards=1)
    [batch] = (await show(shop, BATCHES))["stockBatches"]["nodes"]
    assert batch["cost"] is None
    data = await change(
        shop,
        "updateStockBatch",
        "batch { source cost { amount currency } }",
        {"batch": batch["id"], "source": "Wang", "cost": {"amount": "9.1234", "currency": "CNY"}},
        KEEPER,
    )
    assert data["batch"] == {"source": "Wang", "cost": {"amount": "9.1234", "currency": "CNY"}}


async def test_alerts_are_listed_and_acknowledged(shop: Shop) -> None:
    await shop.stocked(cards=2)
    await check_moved_stock(shop.kernel)
    document = """
        query ($ended: Boolean!) { stockAlerts(ended: $ended) {
          nodes { id threshold available acknowledgedBy endedAt variant { sku } }
        } }
    """
    [alert] = (await show(shop, document, ended=False))["stockAlerts"]["nodes"]
    key = alert.pop("id")
    assert alert == {
        "threshold": 10,
        "available": 2,
        "acknowledgedBy": None,
        "endedAt": None,
        "variant": {"sku": "A-1"},
    }
    data = await change(shop, "acknowledgeStockAlert", "alert { acknowledgedBy }", {"alert": key}, KEEPER)
    assert data == {"alert": {"acknowledgedBy": KEEPER.key}, "errors": []}
    # When the threshold is lowered, the alert ends at once
    await change(
        shop,
        "updateVariantStock",
        "variant { sku }",
        {"variant": await variant(shop, "A-1"), "lowStock": 2},
        KEEPER,
    )
    assert (await show(shop, document, ended=False))["stockAlerts"]["nodes"] == []
    [alert] = (await show(shop, document, ended=True))["stockAlerts"]["nodes"]
    assert alert["endedAt"] is not None
    node = "query ($id: ID!) { node(id: $id) { ... on StockAlert { available } } }"
    assert (await show(shop, node, id=key))["node"] == {"available": 2}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("updateVariantStock", {"variant": "VARIANT"}),
        ("adjustStock", {"variant": "VARIANT", "to": 1, "reason": "why"}),
        ("setReusableSecret", {"variant": "VARIANT", "secret": "x", "reason": "why"}),
        ("setMirroredStock", {"variant": "VARIANT", "available": 1, "reason": "why"}),
        ("updateStockBatch", {"batch": "BATCH"}),
        ("quarantineStockBatch", {"batch": "BATCH", "reason": "why"}),
        ("readmitStockBatch", {"batch": "BATCH", "reason": "why"}),
        ("recallStockBatch", {"batch": "BATCH", "reason": "why"}),
        ("acknowledgeStockAlert", {"alert": "ALERT"}),
    ],
)
async def test_moving_stock_needs_its_permission(shop: Shop, name: str, values: dict[str, Any]) -> None:
    keys = {kind.upper(): global_id(type_, new_id()) for kind, type_ in KINDS}
    values = {field: keys.get(value, value) for field, value in values.items()}
    for who in (READER, clerk("read_products", "manage_products", "manage_prices", "reveal_cards")):
        data = await change(shop, name, "__typename", values, who)
        assert [error["code"] for error in data["errors"]] == ["FORBIDDEN"]
    data = await change(shop, name, "__typename", values, KEEPER)
    assert [error["code"] for error in data["errors"]] == ["NOT_FOUND"]


KINDS = (("variant", "Variant"), ("batch", "StockBatch"), ("alert", "StockAlert"))


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
async def test_a_reason_is_needed(shop: Shop, reason: str) -> None:
    await quota(shop, 7)
    values = {"variant": await variant(shop, "Q-1"), "to": 1, "reason": reason}
    data = await change(shop, "adjustStock", "variant { sku }", values, KEEPER)
    assert [(error["code"], error["path"]) for error in data["errors"]] == [
        ("INVALID_INPUT", ["input", "reason"])
    ]
    assert await left(shop, await shop.key("Q-1")) == 7


async def test_figures_of_batches_are_exact_and_one_statement(shop: Shop) -> None:
    # Given three batches, of which two came at once, so that their cards are mixed
    key = await shop.stocked(cards=6)
    await shop.cards("A-1", 6)
    await shop.cards("A-1", 4)
    db = shop.kernel.db
    first, second, _ = [row["id"] for row in await db.fetch("select id from catalog_stock_batch order by id")]
    await db.execute("update catalog_card set batch = $1 where id % 2 = 0 and batch = $2", second, first)
    for how in ("buy", "buy", "buy", "reserve", "reserve"):
        await take(shop, key, 1, how)  # type: ignore[arg-type]  # one of the three
    batches = (await show(shop, "{ stockBatches { nodes { id } } }"))["stockBatches"]["nodes"]
    await change(shop, "quarantineStockBatch", "moved", {"batch": batches[1]["id"], "reason": "x"}, KEEPER)
    # When all are listed
    document = "{ stockBatches { nodes { cardCount figures { free reserved quarantined sold } } } }"
    with counted_statements() as statements:
        found = (await show(shop, document))["stockBatches"]["nodes"]
    # Then each card is counted for its own batch, in one statement for all of them
    assert [batch["figures"] for batch in found] == [
        {"free": 4, "reserved": 0, "quarantined": 0, "sold": 0},
        {"free": 0, "reserved": 0, "quarantined": 8, "sold": 1},
        {"free": 0, "reserved": 1, "quarantined": 0, "sold": 2},
    ]
    assert len([text for text in statements if "catalog_quarantined_card" in text]) == 1
