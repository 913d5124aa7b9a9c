"""Suppliers in the back office: accounts, offers, looking and deciding, each with its permission."""

from __future__ import annotations

import json

from kameng.ids import global_id
from kameng.testing.clients import Client, a_clerk
from kameng_fulfilment.suppliers.planning import plan_waiting
from tests.fulfilment import lives

from .conftest import Fake, Supplied
from .fake_supplier import SECRET

CREATE = """
mutation($input: SupplierAccountInput!) {
  createSupplierAccount(input: $input) {
    account { id name protocol state settings callbackUrl } errors { code path message }
  }
}
"""
OFFER = """
mutation($input: SupplierOfferInput!) {
  saveSupplierOffer(input: $input) {
    offer { id supplierSku cost { amount currency } account { name } variant { sku } } errors { code path }
  }
}
"""
TEST = "mutation($id: ID!) { testSupplierAccount(id: $id) { reached problem balances { amount currency } errors { code } } }"
PRODUCTS = """
mutation($id: ID!) { fetchSupplierProducts(id: $id) { products { sku cost { amount } stock } problem errors { code } } }
"""
ORDERS = """
query($filter: SupplierOrderFilter) {
  supplierOrders(filter: $filter, first: 10) {
    nodes { id state attention kept note charged { amount } expected { amount } account { name } order { number }
            exchanges { kind outcome actor } }
  }
}
"""


def owner(supplied: Supplied) -> Client:
    return Client(supplied.kernel, "admin", a_clerk("*"))


async def test_from_an_account_to_a_delivery(supplied: Supplied, fake: Fake) -> None:
    # Given an account that somebody makes, tests and looks into
    admin = owner(supplied)
    settings = json.dumps({"url": fake.url, "key": "us", "secret": SECRET})
    made = await admin(
        CREATE, {"input": {"name": "Ann's", "protocol": "kameng-docking", "settings": settings}}
    )
    connection = made["createSupplierAccount"]["account"]
    assert json.loads(connection["settings"]) == {"url": fake.url, "key": "us", "secret": "***"}
    assert (await admin(TEST, {"id": connection["id"]}))["testSupplierAccount"] == {
        "reached": True,
        "problem": "",
        "balances": [{"amount": "88.00", "currency": "CNY"}],
        "errors": [],
    }
    listed = await admin(
        "{ supplierAccounts(first: 5) { nodes { id name state } } supplierProtocols { name secrets } }"
    )
    assert listed["supplierAccounts"]["nodes"] == [
        {"id": connection["id"], "name": "Ann's", "state": "ENABLED"}
    ]
    assert {"name": "kameng-docking", "secrets": ["secret"]} in listed["supplierProtocols"]
    products = (await admin(PRODUCTS, {"id": connection["id"]}))["fetchSupplierProducts"]["products"]
    assert products == [
        {"sku": "ok-1", "cost": {"amount": "3.5000"}, "stock": 7},
        {"sku": "ok-2", "cost": None, "stock": None},
    ]
    # And an offer
    goods = await supplied.goods()
    wanted = {
        "variantId": global_id("Variant", goods),
        "accountId": connection["id"],
        "supplierSku": "ok-1",
        "cost": {"amount": "3.5", "currency": "CNY"},
    }
    offer = (await admin(OFFER, {"input": wanted}))["saveSupplierOffer"]["offer"]
    assert (offer["cost"]["amount"], offer["account"]["name"], offer["variant"]["sku"]) == (
        "3.5000",
        "Ann's",
        "GOODS",
    )
    # When something is bought
    order, _ = await supplied.order(goods)
    await supplied.work()
    # Then the list tells its story
    stored = await lives.stored(supplied, order)
    (node,) = (await admin(ORDERS, {"filter": {"orderNumber": stored.number}}))["supplierOrders"]["nodes"]
    assert (node["state"], node["attention"], node["charged"], node["order"]["number"]) == (
        "DELIVERED",
        None,
        {"amount": "3.50"},
        stored.number,
    )
    assert [(each["kind"], each["outcome"]) for each in node["exchanges"]] == [
        ("plan", "PREPARED"),
        ("send", "Delivered"),
    ]


async def test_what_cannot_be_saved_says_why(supplied: Supplied, fake: Fake) -> None:
    admin = owner(supplied)
    for values, code in (
        ({"name": "A", "protocol": "none"}, "SUPPLIER_SETTINGS_WRONG"),
        ({"name": "A", "protocol": "kameng-docking", "settings": "{}"}, "SUPPLIER_SETTINGS_WRONG"),
        ({"name": "A", "protocol": "kameng-docking", "settings": "[1"}, "SUPPLIER_SETTINGS_WRONG"),
    ):
        (error,) = (await admin(CREATE, {"input": values}))["createSupplierAccount"]["errors"]
        assert error["code"] == code
    key = await supplied.connect(fake, "Taken")
    settings = json.dumps({"url": fake.url, "key": "us", "secret": SECRET})
    again = {"name": "Taken", "protocol": "kameng-docking", "settings": settings}
    (error,) = (await admin(CREATE, {"input": again}))["createSupplierAccount"]["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["input", "name"])
    # A cost that is missing is not zero.
    goods = await supplied.goods()
    wanted = {
        "variantId": global_id("Variant", goods),
        "accountId": global_id("SupplierAccount", key),
        "supplierSku": "x",
        "cost": {"amount": "0", "currency": "CNY"},
    }
    (error,) = (await admin(OFFER, {"input": wanted}))["saveSupplierOffer"]["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "cost"])


async def test_a_dead_account_says_so(supplied: Supplied, fake: Fake) -> None:
    key = await supplied.connect(fake)
    fake.die()
    answer = (await owner(supplied)(TEST, {"id": global_id("SupplierAccount", key)}))["testSupplierAccount"]
    assert (answer["reached"], answer["problem"][:24]) == (False, "There was no connection ")


async def test_each_step_needs_its_permission(supplied: Supplied, fake: Fake) -> None:
    key = global_id("SupplierAccount", await supplied.connect(fake))
    reader = Client(supplied.kernel, "admin", a_clerk("fulfilment.read_suppliers"))
    answer = (await reader(ORDERS))["supplierOrders"]
    assert answer == {"nodes": []}
    assert (await reader(TEST, {"id": key}))["testSupplierAccount"]["errors"] == [{"code": "FORBIDDEN"}]
    reveal = "mutation($id: ID!) { revealKeptCodes(id: $id) { codes errors { code } } }"
    manager = Client(supplied.kernel, "admin", a_clerk("fulfilment.manage_suppliers"))
    some = global_id("SupplierOrder", await supplied.goods())
    assert (await manager(reveal, {"id": some}))["revealKeptCodes"]["errors"] == [{"code": "FORBIDDEN"}]
    refused = await manager.answer(ORDERS)
    assert refused.errors


async def test_giving_up_lets_the_next_supplier_have_a_try(supplied: Supplied, fake: Fake) -> None:
    # Given an order of which nobody knows what became of it
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "lazy-1", priority=1)
    await supplied.offer(goods, await supplied.connect(fake, "Bob's"), "ok-1", priority=2)
    order, _ = await supplied.order(goods)
    await plan_waiting(supplied.kernel)
    await supplied.kernel.db.execute(
        """update fulfilment_supplier_order set state = 'UNKNOWN', sent_at = now(), attention = 'UNKNOWN',
               next_at = now() + interval '1 hour'"""
    )
    admin = owner(supplied)
    (node,) = (await admin(ORDERS, {"filter": {"needsAttention": True}}))["supplierOrders"]["nodes"]
    assert (node["state"], node["attention"]) == ("UNKNOWN", "UNKNOWN")
    # When somebody asked on the phone and gives it up
    give_up = """
    mutation($id: ID!, $reason: String!) {
      giveUpSupplierOrder(id: $id, reason: $reason) { supplierOrder { state attention } errors { code } }
    }
    """
    empty = await admin(give_up, {"id": node["id"], "reason": " "})
    assert empty["giveUpSupplierOrder"]["errors"] == [{"code": "INVALID_INPUT"}]
    given = await admin(give_up, {"id": node["id"], "reason": "asked on the phone"})
    assert given["giveUpSupplierOrder"]["supplierOrder"] == {"state": "FAILED", "attention": None}
    again = await admin(give_up, {"id": node["id"], "reason": "asked on the phone"})
    assert again["giveUpSupplierOrder"]["errors"] == [{"code": "SUPPLIER_ORDER_SETTLED"}]
    # Then the next one delivers
    await supplied.work()
    assert (await lives.state(supplied, order), await supplied.states(order)) == (
        "COMPLETED",
        ["FAILED", "DELIVERED"],
    )
