"""Whatever changes a product, a variant or a price: prices, terms and lists are in step when it is committed."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Any

import pytest

from kameng.ids import global_id
from kameng.testing.kernels import Kernels
from kameng_catalog import list_choice
from kameng_catalog import module as catalog
from kameng_catalog.known_lists import KnownLists
from kameng_catalog.list_choice import Sample, choose, choose_lists
from kameng_catalog.listing_check import check_listings
from kameng_catalog.popularity import count_popularity

from .conftest import CLERK, Shop
from .listing_model import assert_in_step


async def change(shop: Shop, name: str, **values: Any) -> None:
    """Run a mutation of the back office that succeeds, and see that everything is in step."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ errors {{ code path message }} }} }}"
    data = await shop.ask(document, {"input": values}, schema="admin", principal=CLERK)
    assert data == {name: {"errors": []}}
    await assert_in_step(shop.kernel.db)


async def lowest(shop: Shop, slug: str = "alpha") -> int | None:
    units: int | None = await shop.kernel.db.fetchval(
        "select lowest_units from catalog_product where slug = $1", slug
    )
    return units


async def in_lists(shop: Shop, slug: str = "alpha") -> list[str]:
    rows = await shop.kernel.db.fetch(
        """
        select l.term from catalog_listed d join catalog_listing l on l.id = d.listing
        join catalog_product p on p.id = d.product where p.slug = $1 and not starts_with(l.term, '$') order by l.term
        """,
        slug,
    )
    return [row["term"] for row in rows]


async def test_imports_keep_step(shop: Shop) -> None:
    # Given a product of two variants
    await shop.products({}, {"sku": "A-2", "price": "19.9"})
    await assert_in_step(shop.kernel.db)
    assert (await lowest(shop), await in_lists(shop)) == (99_000, ["/", "/game", "/game/pc"])
    # When a file changes a price, then the lowest follows
    await shop.products({"price": "29.9"}, {"sku": "A-2", "price": "19.9"})
    assert await lowest(shop) == 199_000
    await shop.products({"price": "29.9"}, {"sku": "A-2", "price": "39.9"})
    assert await lowest(shop) == 299_000
    # and when the cheaper variant goes off sale
    await shop.products({"price": "29.9", "status": "archived"}, {"sku": "A-2", "price": "39.9"})
    assert await lowest(shop) == 399_000
    # When it moves to a category that is new
    moved = {"category": "card/gift", "category_zh": "", "category_en": ""}
    await shop.products({**moved, "price": "29.9"}, {**moved, "sku": "A-2", "price": "39.9"})
    assert await in_lists(shop) == ["/", "/card", "/card/gift"]
    # and when all of it is archived
    await shop.products({**moved, "status": "archived"}, {**moved, "sku": "A-2", "status": "archived"})
    await shop.kernel.db.execute("update catalog_product set status = 'archived'")
    assert (await lowest(shop), await in_lists(shop)) == (None, [])
    await assert_in_step(shop.kernel.db)


async def test_mutations_keep_step(shop: Shop) -> None:
    sold = {"max_quantity": "9", "cost": ""}
    await shop.products(sold, {**sold, "sku": "A-2", "price": "19.9"})
    one, two = [global_id("Variant", await shop.key(sku)) for sku in ("A-1", "A-2")]
    product = global_id("Product", await shop.kernel.db.fetchval("select id from catalog_product"))
    price = {"variant": one, "tier": "retail"}
    await change(shop, "setVariantPrice", **price, unit={"amount": "25", "currency": "CNY"})
    assert await lowest(shop) == 199_000
    # prices of other tiers, currencies and larger quantities are not what lists go by
    await change(shop, "setVariantPrice", variant=one, tier="gold", unit={"amount": "1", "currency": "CNY"})
    await change(shop, "setVariantPrice", **price, unit={"amount": "2", "currency": "USD"})
    await change(shop, "setVariantPrice", **price, fromQuantity=3, unit={"amount": "3", "currency": "CNY"})
    assert await lowest(shop) == 199_000
    # unless no less than that quantity can be bought
    await change(shop, "updateVariant", id=one, minQuantity=3)
    assert await lowest(shop) == 30_000
    await change(shop, "removeVariantPrice", **price, fromQuantity=3, currency="CNY")
    assert await lowest(shop) == 199_000
    await change(shop, "updateVariant", id=two, status="ARCHIVED")
    assert await lowest(shop) == 250_000
    await change(shop, "removeVariantPrice", **price, fromQuantity=1, currency="CNY")
    assert await lowest(shop) is None
    await change(
        shop, "updateVariant", id=two, status="PUBLISHED", titles=[{"locale": "zh-CN", "text": "新名"}]
    )
    await change(shop, "updateProduct", id=product, position=-5, tags=["新品"], category="game")
    assert await in_lists(shop) == ["/", "/game"]
    await change(shop, "archiveProduct", id=product)
    assert await in_lists(shop) == []
    await change(shop, "publishProduct", id=product)
    assert await in_lists(shop) == ["/", "/game"]


async def test_sales_keep_step(shop: Shop) -> None:
    key = await shop.stocked(cards=3)
    await shop.buy((key, 2))
    await count_popularity(shop.kernel)
    assert await shop.kernel.db.fetchval("select max(popularity) from catalog_listed") == 2
    await assert_in_step(shop.kernel.db)


async def test_changes_at_once_keep_step(shop: Shop) -> None:
    """Each change of a variant's price looks at all variants of its product."""
    skus = [f"A-{number}" for number in range(1, 7)]
    await shop.products(*({"sku": sku, "price": "50"} for sku in skus))
    keys = {sku: global_id("Variant", await shop.key(sku)) for sku in skus}
    document = (
        "mutation ($input: SetVariantPriceInput!) { setVariantPrice(input: $input) { errors { code } } }"
    )

    async def put(sku: str, amount: int) -> Any:
        values = {"variant": keys[sku], "unit": {"amount": str(amount), "currency": "CNY"}}
        return await shop.ask(document, {"input": values}, schema="admin", principal=CLERK)

    for turn in range(6):
        # When all prices rise but one, all at once, while a file is imported and sales are counted
        wanted = {sku: 60 + turn * 10 + number for number, sku in enumerate(skus)}
        answers = await asyncio.gather(
            *(put(sku, amount) for sku, amount in wanted.items()),
            shop.products({"sku": "A-1", "price": str(wanted["A-1"]), "title_en": f"Alpha {turn}"}),
            count_popularity(shop.kernel),
        )
        assert all(answer == {"setVariantPrice": {"errors": []}} for answer in answers[:6])
        # Then the lowest is the lowest
        assert await lowest(shop) == (60 + turn * 10) * 10_000
    await assert_in_step(shop.kernel.db)


async def test_the_check_puts_right_what_no_change_touched(
    make_kernel: Kernels, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given prices in two currencies, and lists of another shop's making
    shop = Shop(await make_kernel([catalog], catalog={"currency": "USD"}))
    await shop.products({"price": "9.9", "currency": "CNY"})
    assert await lowest(shop) is None
    await shop.kernel.db.execute(
        """
        insert into catalog_price (id, variant, tier, min_quantity, currency, units)
        select gen_random_uuid(), id, 'retail', 1, 'USD', 15000 from catalog_variant
        """
    )
    await shop.kernel.db.execute("update catalog_product set search_terms = '{}'")
    await shop.kernel.db.execute("delete from catalog_listed")
    # When it is checked
    await check_listings(shop.kernel)
    # Then all is right, and the list was counted
    await assert_in_step(shop.kernel.db, "USD")
    assert await lowest(shop) == 15_000
    rows = await shop.kernel.db.fetch(
        "select term, products from catalog_listing where products > 0 order by term"
    )
    assert [tuple(row) for row in rows] == [("$96", 1), ("/", 1), ("/game", 1), ("/game/pc", 1)]
    assert "lists_were_wrong" in caplog.text + capsys.readouterr().out
    # and a second check finds nothing
    caplog.clear()
    await check_listings(shop.kernel)
    assert "lists_were_wrong" not in caplog.text + capsys.readouterr().out


# -- which lists are kept -------------------------------------------------------------------------------------------


def sample(*terms: str, each: int = 1, popularity: list[int] | None = None) -> Sample:
    """Products with these terms, parted by spaces; each stands for so many."""
    looked = Sample(of=len(terms) * each, words={term for text in terms for term in text.split()})
    looked.terms = [frozenset(text.split()) for text in terms]
    looked.popularity = popularity or [0] * len(terms)
    looked.units = [None if "free" in text else 1 for text in terms]
    return looked


def test_lists_are_kept_of_words_that_are_neither_rare_nor_everywhere() -> None:
    # Given words of 2,000, 5,000 and 100,000 products, and one that is common but missing among the last
    texts = [
        "everywhere" + " some" * (n % 20 == 0) + " few" * (n % 50 == 0) + " early" * (n < 60)
        for n in range(100)
    ]
    wanted, common = choose(sample(*texts, each=1_000))
    assert wanted == {"few": 2_000, "some": 5_000, "early": 60_000}
    assert common == {"everywhere": 100_000}


def test_a_word_keeps_its_list_until_it_is_rarer_than_half() -> None:
    texts = ["all" + " few" * (n == 0) for n in range(100)]
    assert choose(sample(*texts, each=800))[0] == {}
    assert choose(sample(*texts, each=800), kept=["few"])[0] == {"few": 800}
    assert choose(sample(*texts, each=400), kept=["few"])[0] == {}


def test_lists_have_only_so_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_choice, "ROWS_PER_PRODUCT", 0.03)
    texts = [
        "all" + " one" * (n == 0) + " two" * (n in (1, 2)) + " three" * (n in (3, 4, 5)) for n in range(100)
    ]
    wanted, common = choose(sample(*texts, each=1_000))
    assert wanted == {"one": 1_000, "two": 2_000}
    assert common == {"all": 100_000, "three": 3_000}


async def kept(shop: Shop) -> set[str]:
    rows = await shop.kernel.db.fetch("select term from catalog_listing where listed and term !~ '^[/$]'")
    return {row["term"] for row in rows}


async def test_a_words_list_comes_and_goes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_choice, "RARE", 3)
    lines = [
        {"sku": f"A-{n}", "product": f"p-{n}", "title_en": "Steam" if n % 20 == 0 else "Other"}
        for n in range(60)
    ]
    await shop.products(*lines)
    # When lists are chosen, then "steam" has one, and its beginnings have none
    await choose_lists(shop.kernel)
    assert "steam" in await kept(shop)
    assert not {"s", "ste", "stea", "other"} & await kept(shop)
    await assert_in_step(shop.kernel.db)
    # and changes after that find their way into it
    await shop.products(
        {"sku": "A-61", "product": "p-61", "title_en": "Steam"}, {**lines[0], "title_en": "Gone"}
    )
    await assert_in_step(shop.kernel.db)
    known = shop.kernel.services.get(KnownLists)
    known.forget()
    assert "steam" in (await known.read()).kept
    # When it is not worth it any more, then nobody begins to read it, and it is still written
    monkeypatch.setattr(list_choice, "RARE", 1_000)
    await choose_lists(shop.kernel)
    known.forget()
    assert "steam" not in (await known.read()).kept
    assert "steam" in await kept(shop)
    await shop.products({**lines[20], "title_en": "Gone too"})
    await assert_in_step(shop.kernel.db)
    # until nobody can be reading it still
    await shop.kernel.db.execute(
        "update catalog_listing set retired_at = now() - interval '2 hours' where retired_at is not null"
    )
    await choose_lists(shop.kernel)
    assert await kept(shop) == set()
    await assert_in_step(shop.kernel.db)


async def test_no_list_begins_while_a_product_changes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_choice, "RARE", 3)
    lines = [
        {"sku": f"A-{n}", "product": f"p-{n}", "title_en": "Steam" if n % 20 == 0 else "Other"}
        for n in range(60)
    ]
    await shop.products(*lines)
    db = shop.kernel.db

    async def choose_alone() -> None:
        with db.in_use():
            await choose_lists(shop.kernel)

    # Given a change that is not committed
    async with db.transaction():
        await db.execute("update catalog_product set position = 9 where slug = 'p-0'")
        # When lists are chosen by somebody else, then they are left for later
        await asyncio.create_task(choose_alone(), context=Context())
    assert await kept(shop) == set()
    await assert_in_step(db)
    # and the next time there they are
    await choose_lists(shop.kernel)
    assert "steam" in await kept(shop)
    await assert_in_step(db)
