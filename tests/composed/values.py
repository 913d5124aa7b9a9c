"""Values from a shop's data for the arguments of generated documents, mixed with wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kameng.auth import Principal
from kameng.ids import global_id, new_id
from tests.composed.filling import OWNER, Filling

_WRONG = ("", "nothing", "UHJvZHVjdDoBiQAAAABwAIAAAAAAAAAB", global_id("Nothing", new_id()), "中文", "%")
_PAGES = {
    "first": st.sampled_from((1, 2, 3, 5, 1, 2, 3, 5, 1, 2, 3, 5, 20, None, None, None, 0, 101)),
    "last": st.sampled_from((*[None] * 10, 2, 3)),
}
_LISTS: dict[str, tuple[tuple[str, str], ...]] = {
    # the field, and a document that gives cursors of it
    "shop": (
        ("Query.products", "{ products(first: 40) { edges { cursor } } }"),
        ("Query.products", "{ products(first: 20, sort: NEWEST) { edges { cursor } } }"),
        ("Query.products", "{ products(first: 20, sort: POPULAR) { edges { cursor } } }"),
        ("Member.orders", "{ viewer { orders(first: 40) { edges { cursor } } } }"),
        ("Wallet.statement", "{ viewer { wallet { statement(first: 40) { edges { cursor } } } } }"),
    ),
    "admin": (
        ("Query.products", "{ products(first: 40) { edges { cursor } } }"),
        ("Query.variants", "{ variants(first: 40) { edges { cursor } } }"),
        ("Query.stockBatches", "{ stockBatches(first: 40) { edges { cursor } } }"),
        (
            "StockBatch.cards",
            "{ stockBatches(first: 3) { nodes { cards(first: 20) { edges { cursor } } } } }",
        ),
        ("Query.members", "{ members(first: 40) { edges { cursor } } }"),
        ("Query.staff", "{ staff(first: 40) { edges { cursor } } }"),
        ("Query.ledgerTransactions", "{ ledgerTransactions(first: 40) { edges { cursor } } }"),
        ("Query.orders", "{ orders(first: 40) { edges { cursor } } }"),
        (
            "Wallet.statement",
            "{ members(first: 3) { nodes { wallet { statement(first: 20) { edges { cursor } } } } } }",
        ),
        (
            "LedgerAccount.statement",
            "{ ledgerTransactions(first: 5) { nodes { postings { debit { statement { edges { cursor } } } } } } }",
        ),
    ),
}
_IDS = {
    "Product": "select id from catalog_product limit 30",
    "Variant": "select id from catalog_variant limit 30",
    "Category": "select id from catalog_category limit 30",
    "Order": "select id from fulfilment_order",
    "Member": "select id from membership_member",
    "StaffMember": "select id from membership_staff",
    "Role": "select id from membership_role",
    "StockBatch": "select id from catalog_stock_batch",
    "LedgerTransaction": "select id from settlement_ledger_transaction",
}


async def values_of(filling: Filling, schema: Literal["shop", "admin"]) -> dict[str, SearchStrategy[Any]]:
    """Strategies for arguments and input fields of a schema; see `kameng.testing.documents.documents`."""
    fetch = filling.kernel.db.fetch
    ids = {name: [global_id(name, row["id"]) for row in await fetch(sql)] for name, sql in _IDS.items()}
    every_id = [one for group in ids.values() for one in group[:10]]
    slugs = [row["slug"] for row in await fetch("select slug from catalog_product limit 40")]
    paths = [row["path"] for row in await fetch("select path from catalog_category")]
    skus = [row["sku"] for row in await fetch("select sku from catalog_variant limit 40")]
    numbers = [row["number"] for row in await fetch("select number from fulfilment_order")]
    known: dict[str, SearchStrategy[Any]] = {
        **_PAGES,
        "id": _mixed(every_id),
        "ids": _mixed(every_id),
        "slug": _mixed(slugs),
        "path": _mixed(paths),
        "category": _mixed(paths),
        "number": _mixed(numbers),
        "sku": _mixed(skus),
        "search": _mixed(["steam", "充值", "卡", "card", "example.com"]),
        "currency": st.sampled_from(("CNY", "CNY", "CNY", "USD", "XXX", "cny")),
        "amount": st.sampled_from(("1.00", "0.01", "10", "-1", "0.001", "1e3", "999999999999999")),
        "after": st.just(None),
        "before": st.just(None),
        "quantity": st.sampled_from((1, 1, 2, 3, 0, -1, 10_000)),
    }
    for kind, found in ids.items():
        known[f"{kind[0].lower()}{kind[1:]}Id"] = _mixed(found)
        known[kind[0].lower() + kind[1:]] = _mixed(found)
    known["staffId"] = _mixed(ids["StaffMember"])
    known["roleIds"] = _mixed(ids["Role"])
    known["transactionId"] = _mixed(ids["LedgerTransaction"])
    for kind in ("Product", "Variant", "Member", "StockBatch"):
        known[f"Query.{kind[0].lower()}{kind[1:]}.id"] = _mixed(ids[kind])
    for kind in ("Product", "Variant", "Category"):
        for name in ("Update", "Publish", "Archive"):
            known[f"{name}{kind}Input.id"] = _mixed(ids[kind])
    principal = OWNER if schema == "admin" else filling.buyer
    assert principal is not None
    for place, cursors in (await _cursors(filling, schema, principal)).items():
        known[f"{place}.after"] = known[f"{place}.before"] = _cursor(cursors)
    return known


async def _cursors(
    filling: Filling, schema: Literal["shop", "admin"], principal: Principal
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place, source in _LISTS[schema]:
        found.setdefault(place, []).extend(_all(await filling.ask(schema, source, None, principal), "cursor"))
    return found


def _all(value: Any, key: str) -> list[str]:
    """Every value of a key, however deep."""
    if isinstance(value, list):
        return [found for item in value for found in _all(item, key)]
    if isinstance(value, dict):
        return [
            found for name, item in value.items() for found in ([item] if name == key else _all(item, key))
        ]
    return []


def _mixed(right: Sequence[Any]) -> SearchStrategy[Any]:
    """Mostly right values."""
    assert right
    return st.sampled_from([*right, *_WRONG[: 1 + len(right) // 8]])


def _cursor(right: Sequence[str]) -> SearchStrategy[Any]:
    """Mostly none, now and then a right cursor or one of something else."""
    assert right
    return st.sampled_from([*[None] * (len(right) + 1), *right, "AAAA"])
