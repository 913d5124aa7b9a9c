"""The back office: who may do what, and that it is done and written down."""

from __future__ import annotations

from typing import Any

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.ids import global_id, new_id
from kameng.kernel import Kernel
from kameng_catalog.admin.types import masked

from .conftest import PLAIN, Shop, as_csv


def clerk(*permissions: str) -> Principal:
    """Somebody of the staff with these permissions of the catalogue."""
    return Principal(
        kind=PrincipalKind.STAFF,
        id=new_id(),
        permissions=frozenset(f"catalog.{permission}" for permission in permissions),
    )


READER = clerk("read_products")


async def change(shop: Shop, name: str, fields: str, values: dict[str, Any], who: Principal) -> Any:
    """Run a mutation; its payload."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {fields} errors {{ code path message }} }} }}"
    data = await shop.ask(document, {"input": values}, schema="admin", principal=who)
    assert isinstance(data, dict), data
    return data[name]


async def actions(kernel: Kernel) -> list[str]:
    """What the audit log tells of people, the newest first."""
    return [entry.action for entry in (await kernel.audit.page()).entries if "import" not in entry.action]


async def test_staff_sees_everything_about_a_product(shop: Shop) -> None:
    await shop.stocked(cards=2, status="draft")
    data = await shop.ask(
        """
        { product(slug: "alpha") {
            slug status title titles { locale text } descriptions { locale text } tags position popularity
            category { path }
            variants {
              sku status stockKind title titles { text } minQuantity maxQuantity available
              faceValue { amount currency } cost { amount currency }
              prices { tier fromQuantity unit { amount currency } } product { slug }
            }
        } }
        """,
        schema="admin",
        principal=READER,
    )
    assert data["product"] == {
        "slug": "alpha",
        "status": "DRAFT",
        "title": "Alpha",
        "titles": [{"locale": "en", "text": "Alpha"}, {"locale": "zh-CN", "text": "阿尔法"}],
        "descriptions": [{"locale": "en", "text": "How to"}, {"locale": "zh-CN", "text": "说明"}],
        "tags": ["hot"],
        "position": 0,
        "popularity": 0,
        "category": {"path": "game/pc"},
        "variants": [
            {
                "sku": "A-1",
                "status": "DRAFT",
                "stockKind": "CARD",
                "title": "A-1",
                "titles": [{"text": "A-1"}, {"text": "A-1"}],
                "minQuantity": 1,
                "maxQuantity": 100,
                "available": 2,
                "faceValue": {"amount": "10.00", "currency": "USD"},
                "cost": {"amount": "9.50", "currency": "CNY"},
                "prices": [
                    {"tier": "retail", "fromQuantity": 1, "unit": {"amount": "9.90", "currency": "CNY"}}
                ],
                "product": {"slug": "alpha"},
            }
        ],
    }


READS = (
    "products { nodes { slug } }",
    'product(slug: "alpha") { slug }',
    "variants { nodes { sku } }",
    'variant(sku: "A-1") { sku }',
    "categories { path }",
    "translationProgress { locale }",
    'untranslatedProducts(locale: "en") { nodes { slug } }',
    "stockBatches { nodes { id } }",
    'stockBatch(id: "x") { id }',
)


async def test_reading_needs_its_permission(shop: Shop) -> None:
    for who, code in (
        (Principal(), "UNAUTHENTICATED"),
        (Principal(kind=PrincipalKind.MEMBER, id=new_id()), "FORBIDDEN"),
        (clerk("manage_prices"), "FORBIDDEN"),
    ):
        for field in READS:
            answer = await shop.ask(f"{{ {field} }}", schema="admin", principal=who)
            assert [error["extensions"]["code"] for error in answer.errors] == [code], field


CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("updateProduct", {"id": "P"}, "manage_products"),
    ("publishProduct", {"id": "P"}, "manage_products"),
    ("archiveProduct", {"id": "P"}, "manage_products"),
    ("updateVariant", {"id": "V"}, "manage_products"),
    ("updateCategory", {"path": "game"}, "manage_products"),
    ("setVariantPrice", {"variant": "V", "unit": {"amount": "1", "currency": "CNY"}}, "manage_prices"),
    ("removeVariantPrice", {"variant": "V", "currency": "CNY"}, "manage_prices"),
    ("updateVariant", {"id": "V", "belowCost": True}, "manage_prices"),
    ("createProduct", {"slug": "x", "category": "game", "titles": []}, "manage_products"),
    ("createVariant", {"product": "P", "sku": "x", "titles": [], "stockKind": "CARD"}, "manage_products"),
    ("unarchiveProduct", {"id": "P"}, "manage_products"),
    ("createCategory", {"slug": "x", "titles": []}, "manage_products"),
    ("moveCategory", {"path": "game", "parent": ""}, "manage_products"),
    (
        "defineAttribute",
        {"category": "game", "code": "x", "kind": "TEXT", "titles": []},
        "manage_products",
    ),
    ("removeAttribute", {"category": "game", "code": "x"}, "manage_products"),
    ("setProductAttributes", {"id": "P", "attributes": []}, "manage_products"),
    ("updateProductMedia", {"id": "M"}, "manage_products"),
    ("removeProductMedia", {"id": "M"}, "manage_products"),
    ("updateProductMetadata", {"id": "P", "visibility": "PUBLIC"}, "manage_products"),
    ("setProductForm", {"id": "P", "fields": []}, "manage_products"),
    ("importProducts", {"content": "x"}, "manage_products"),
    ("importCards", {"content": "x"}, "import_stock"),
    ("revealCards", {"cards": ["C"], "reason": "x"}, "reveal_cards"),
]


async def test_changes_need_their_own_permission(shop: Shop) -> None:
    all_of_them = {"read_products", "manage_products", "manage_prices", "import_stock", "reveal_cards"}
    for name, values, permission in CHANGES:
        # Given somebody with all permissions but this one, and nobody
        for who, code in (
            (clerk(*all_of_them - {permission}), "FORBIDDEN"),
            (Principal(), "UNAUTHENTICATED"),
        ):
            payload = await change(shop, name, "", values, who)
            assert [error["code"] for error in payload["errors"]] == [code], name
    assert await actions(shop.kernel) == []


async def test_lists_are_pages(shop: Shop) -> None:
    await shop.products(
        *(
            {"sku": f"A-{n}", "product": f"alpha-{n}", "status": "draft" if n % 2 else "published"}
            for n in range(5)
        )
    )
    document = """
        query ($first: Int, $after: String, $status: Status, $search: String) {
          products(first: $first, after: $after, status: $status, search: $search) {
            nodes { slug } pageInfo { endCursor hasNextPage }
        } }
    """

    async def page(**variables: Any) -> Any:
        return (await shop.ask(document, variables, schema="admin", principal=READER))["products"]

    first = await page(first=3)
    assert [node["slug"] for node in first["nodes"]] == ["alpha-4", "alpha-3", "alpha-2"]
    rest = await page(first=3, after=first["pageInfo"]["endCursor"])
    assert [node["slug"] for node in rest["nodes"]] == ["alpha-1", "alpha-0"]
    assert rest["pageInfo"]["hasNextPage"] is False
    assert len((await page(status="DRAFT"))["nodes"]) == 2
    assert [node["slug"] for node in (await page(search="A-3"))["nodes"]] == ["alpha-3"]

    data = await shop.ask(
        '{ variants(sku: "A-", first: 2) { nodes { sku } } }', schema="admin", principal=READER
    )
    assert [node["sku"] for node in data["variants"]["nodes"]] == ["A-0", "A-1"]
    data = await shop.ask('{ variants(sku: "%") { nodes { sku } } }', schema="admin", principal=READER)
    assert data["variants"]["nodes"] == []


async def product_id(shop: Shop) -> str:
    return global_id("Product", await shop.kernel.db.fetchval("select id from catalog_product"))


async def test_a_product_is_changed_found_anew_and_written_down(shop: Shop) -> None:
    await shop.products({}, {"sku": "B-1", "product": "beta", "category": "card", "category_en": "Cards"})
    key = global_id(
        "Product", await shop.kernel.db.fetchval("select id from catalog_product where slug = 'alpha'")
    )
    payload = await change(
        shop,
        "updateProduct",
        "product { titles { locale text } descriptions { text } tags position category { path } }",
        {
            "id": key,
            "titles": [{"locale": "en", "text": " Omega "}],
            "descriptions": [{"locale": "en", "text": ""}],
            "tags": ["new", "hot", "new"],
            "position": -3,
            "category": "card",
        },
        clerk("manage_products"),
    )
    assert payload == {
        "errors": [],
        "product": {
            "titles": [{"locale": "en", "text": "Omega"}, {"locale": "zh-CN", "text": "阿尔法"}],
            "descriptions": [{"text": "说明"}],
            "tags": ["new", "hot"],
            "position": -3,
            "category": {"path": "card"},
        },
    }
    found = await shop.ask('{ products(search: "omega") { nodes { slug } } }')
    assert found["products"]["nodes"] == [{"slug": "alpha"}]
    assert await actions(shop.kernel) == ["catalog.product_updated"]


@pytest.mark.parametrize(
    ("values", "code", "path"),
    [
        ({"titles": [{"locale": "xx", "text": "?"}]}, "INVALID_INPUT", ["input", "titles"]),
        (
            {"titles": [{"locale": "en", "text": ""}, {"locale": "zh-CN", "text": ""}]},
            "INVALID_INPUT",
            ["input", "titles"],
        ),
        ({"titles": [{"locale": "en", "text": "x" * 201}]}, "INVALID_INPUT", ["input", "titles"]),
        ({"tags": ["x" * 41]}, "INVALID_INPUT", ["input", "tags"]),
        ({"category": "none"}, "NOT_FOUND", ["input", "category"]),
    ],
)
async def test_a_change_that_cannot_be_changes_nothing(
    shop: Shop, values: dict[str, Any], code: str, path: list[str]
) -> None:
    await shop.products()
    before = await shop.kernel.db.fetch("select * from catalog_product")
    payload = await change(
        shop,
        "updateProduct",
        "product { slug }",
        {"id": await product_id(shop), "position": 5, **values},
        clerk("manage_products"),
    )
    assert payload["product"] is None
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)]
    assert await shop.kernel.db.fetch("select * from catalog_product") == before
    assert await actions(shop.kernel) == []


async def test_products_go_on_and_off_sale(shop: Shop) -> None:
    await shop.products()
    who, key = clerk("manage_products"), await product_id(shop)
    payload = await change(shop, "archiveProduct", "product { status }", {"id": key}, who)
    assert payload == {"product": {"status": "ARCHIVED"}, "errors": []}
    assert (await shop.ask("{ products { nodes { slug } } }"))["products"]["nodes"] == []
    payload = await change(shop, "publishProduct", "product { status }", {"id": key}, who)
    assert payload == {"product": {"status": "PUBLISHED"}, "errors": []}
    # Publishing again changes nothing, and is not written down again
    await change(shop, "publishProduct", "product { status }", {"id": key}, who)
    assert await actions(shop.kernel) == ["catalog.product_updated", "catalog.product_updated"]
    unknown = global_id("Product", new_id())
    payload = await change(shop, "publishProduct", "product { status }", {"id": unknown}, who)
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]


async def test_a_variant_is_changed(shop: Shop) -> None:
    variant = global_id("Variant", await shop.stocked())
    who = clerk("manage_products")
    payload = await change(
        shop,
        "updateVariant",
        "variant { title minQuantity maxQuantity cost { amount } status }",
        {
            "id": variant,
            "titles": [{"locale": "en", "text": "Uno"}],
            "minQuantity": 2,
            "maxQuantity": 3,
            "cost": {"amount": "0.0301", "currency": "USD"},
            "status": "ARCHIVED",
        },
        who,
    )
    assert payload["variant"] == {
        "title": "Uno",
        "minQuantity": 2,
        "maxQuantity": 3,
        "cost": {"amount": "0.0301"},
        "status": "ARCHIVED",
    }
    payload = await change(shop, "updateVariant", "variant { sku }", {"id": variant, "minQuantity": 4}, who)
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [
        ("INVALID_INPUT", ["input", "maxQuantity"])
    ]


async def test_a_category_is_named(shop: Shop) -> None:
    await shop.products()
    payload = await change(
        shop,
        "updateCategory",
        "category { path title }",
        {"path": "game", "titles": [{"locale": "en", "text": "Games"}], "position": 2},
        clerk("manage_products"),
    )
    assert payload == {"category": {"path": "game", "title": "Games"}, "errors": []}


async def test_prices_are_set_and_taken_away(shop: Shop) -> None:
    variant = global_id("Variant", await shop.stocked())
    who, fields = clerk("manage_prices"), "variant { prices { tier fromQuantity unit { amount currency } } }"
    step = {"variant": variant, "tier": "gold", "fromQuantity": 10}

    payload = await change(
        shop, "setVariantPrice", fields, {**step, "unit": {"amount": "9.8125", "currency": "CNY"}}, who
    )
    assert payload["variant"]["prices"] == [
        {"tier": "retail", "fromQuantity": 1, "unit": {"amount": "9.90", "currency": "CNY"}},
        {"tier": "gold", "fromQuantity": 10, "unit": {"amount": "9.8125", "currency": "CNY"}},
    ]
    payload = await change(
        shop, "setVariantPrice", fields, {**step, "unit": {"amount": "9.8", "currency": "CNY"}}, who
    )
    assert payload["variant"]["prices"][1]["unit"]["amount"] == "9.80"
    payload = await change(shop, "removeVariantPrice", fields, {**step, "currency": "CNY"}, who)
    assert len(payload["variant"]["prices"]) == 1
    payload = await change(shop, "removeVariantPrice", fields, {**step, "currency": "CNY"}, who)
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]
    assert await actions(shop.kernel) == ["catalog.price_removed", "catalog.price_set", "catalog.price_set"]


@pytest.mark.parametrize(
    "values",
    [
        {"unit": {"amount": "-1", "currency": "CNY"}},
        {"unit": {"amount": "1.00001", "currency": "CNY"}},
        {"unit": {"amount": "1", "currency": "RMB"}},
        {"unit": {"amount": "1", "currency": "CNY"}, "tier": "No Tier"},
        {"unit": {"amount": "1", "currency": "CNY"}, "fromQuantity": 0},
    ],
)
async def test_prices_that_cannot_be(shop: Shop, values: dict[str, Any]) -> None:
    variant = global_id("Variant", await shop.stocked())
    payload = await change(
        shop, "setVariantPrice", "variant { sku }", {"variant": variant, **values}, clerk("manage_prices")
    )
    assert [error["code"] for error in payload["errors"]] == ["INVALID_INPUT"]
    assert await shop.kernel.db.fetchval("select count(*) from catalog_price") == 1


async def test_files_are_imported_as_text(shop: Shop) -> None:
    products = "applied created updated unchanged faultCount faults { line column reason }"
    content = as_csv([PLAIN, {**PLAIN, "sku": "A-2", "price": "x"}])
    payload = await change(shop, "importProducts", products, {"content": content}, clerk("manage_products"))
    assert payload == {
        "applied": False,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "faultCount": 1,
        "faults": [{"line": 3, "column": "price", "reason": "`x` is not a number"}],
        "errors": [],
    }
    payload = await change(
        shop, "importProducts", products, {"content": content, "keepGood": True}, clerk("manage_products")
    )
    assert (payload["applied"], payload["created"]) == (True, 1)

    payload = await change(
        shop,
        "importCards",
        "applied cards faultCount batch { source cardCount createdBy cards { nodes { number state } } }",
        {"content": "secret,number\nabc,123456789012\ndef,\n", "sku": "A-1", "source": "issuer"},
        who := clerk("import_stock"),
    )
    assert payload == {
        "applied": True,
        "cards": 2,
        "faultCount": 0,
        "batch": {
            "source": "issuer",
            "cardCount": 2,
            "createdBy": f"staff:{who.id}",
            "cards": {"nodes": [{"number": "1234…9012", "state": "FREE"}, {"number": None, "state": "FREE"}]},
        },
        "errors": [],
    }
    payload = await change(shop, "importCards", "applied", {"content": "nothing"}, who)
    assert [error["code"] for error in payload["errors"]] == ["INVALID_INPUT"]


CARDS = """
{ stockBatches { nodes { id fileName cards(first: 10) { nodes { id number state line soldAt variant { sku } } } } } }
"""


async def test_cards_are_listed_without_their_secrets_and_revealed_with_an_entry(shop: Shop) -> None:
    # Given two cards, one of them sold
    variant = await shop.stocked(cards=2)
    await shop.buy((variant, 1))
    data = await shop.ask(CARDS, schema="admin", principal=READER)
    [batch] = data["stockBatches"]["nodes"]
    sold, free = batch["cards"]["nodes"]
    assert (sold["state"], free["state"]) == ("SOLD", "FREE")
    assert sold["line"] is not None
    assert (free["line"], free["soldAt"], free["variant"]) == (None, None, {"sku": "A-1"})
    assert "A-1-00000" not in str(data)
    # When somebody who may looks at them
    who = clerk("reveal_cards")
    wanted = {"cards": [free["id"], sold["id"]], "reason": "the buyer says it does not work"}
    payload = await change(shop, "revealCards", "cards { secret card { state } }", wanted, who)
    # Then they are shown as asked for
    assert payload == {
        "errors": [],
        "cards": [
            {"secret": "A-1-000001", "card": {"state": "FREE"}},
            {"secret": "A-1-000000", "card": {"state": "SOLD"}},
        ],
    }
    # and the log tells who saw which, and why
    [entry] = (await shop.kernel.audit.page(action="catalog.cards_revealed")).entries
    assert entry.principal_id == who.id
    assert entry.details == {"cards": [free["id"], sold["id"]], "reason": "the buyer says it does not work"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"reason": " "}, "INVALID_INPUT"),
        ({"cards": []}, "INVALID_INPUT"),
        ({"cards": [global_id("Variant", new_id())]}, "INVALID_INPUT"),
        ({"cards": [global_id("Card", new_id())]}, "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_revealed(shop: Shop, values: dict[str, Any], code: str) -> None:
    await shop.stocked(cards=1)
    data = await shop.ask(CARDS, schema="admin", principal=READER)
    card = data["stockBatches"]["nodes"][0]["cards"]["nodes"][0]["id"]
    payload = await change(
        shop,
        "revealCards",
        "cards { secret }",
        {"cards": [card], "reason": "x", **values},
        clerk("reveal_cards"),
    )
    assert [error["code"] for error in payload["errors"]] == [code]
    assert payload["cards"] == []
    assert await actions(shop.kernel) == []


async def test_nodes_are_for_those_who_may_read(shop: Shop) -> None:
    await shop.stocked(cards=1)
    batches = await shop.ask(CARDS, schema="admin", principal=READER)
    batch = batches["stockBatches"]["nodes"][0]
    ids = [
        await product_id(shop),
        global_id("Variant", await shop.key("A-1")),
        batch["id"],
        batch["cards"]["nodes"][0]["id"],
    ]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }"
    seen = await shop.ask(document, {"ids": ids}, schema="admin", principal=READER)
    assert [node["__typename"] for node in seen["nodes"]] == ["Product", "Variant", "StockBatch", "Card"]
    seen = await shop.ask(document, {"ids": ids}, schema="admin", principal=clerk("manage_prices"))
    assert seen["nodes"] == [None] * 4


@pytest.mark.parametrize(
    ("number", "shown"),
    [(None, None), ("123456789012", "1234…9012"), ("12345678", "12…78"), ("123", "…"), ("", "…")],
)
def test_numbers_are_masked(number: str | None, shown: str | None) -> None:
    assert masked(number) == shown


async def test_a_repeated_key_imports_once_and_stores_no_secret(shop: Shop) -> None:
    await shop.products()
    document = """
        mutation ($input: ImportCardsInput!) {
          importCards(input: $input) @idempotent(key: "k-1") { applied cards batch { id } errors { code } }
        }
    """
    values = {"input": {"content": "secret\nCLEARLY-SECRET-1\nCLEARLY-SECRET-2\n", "sku": "A-1"}}
    who = clerk("import_stock", "reveal_cards", "read_products")
    first = await shop.ask(document, values, schema="admin", principal=who)
    again = await shop.ask(document, values, schema="admin", principal=who)
    assert first["importCards"]["applied"] is True
    assert again == first
    assert (await shop.sizes())["card"] == 2
    # and what was revealed with a key is not kept for its sake
    data = await shop.ask(CARDS, schema="admin", principal=who)
    card = data["stockBatches"]["nodes"][0]["cards"]["nodes"][0]["id"]
    reveal = """
        mutation ($input: RevealCardsInput!) {
          revealCards(input: $input) @idempotent(key: "k-2") { cards { secret } errors { code } }
        }
    """
    for _ in range(2):
        seen = await shop.ask(
            reveal, {"input": {"cards": [card], "reason": "x"}}, schema="admin", principal=who
        )
        assert seen["revealCards"] == {"cards": [{"secret": "CLEARLY-SECRET-1"}], "errors": []}
    assert len((await shop.kernel.audit.page(action="catalog.cards_revealed")).entries) == 2
    for row in await shop.kernel.db.fetch("select tablename from pg_tables where schemaname = 'public'"):
        found = await shop.kernel.db.fetchval(
            f"select count(*) from {row['tablename']} t where t::text like '%CLEARLY-SECRET%'"
        )
        assert found == 0, row["tablename"]
