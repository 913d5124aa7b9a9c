"""Making categories, and moving them with all that lies in them."""

from __future__ import annotations

import asyncio
from typing import Any

from .conftest import Shop
from .listing_model import assert_in_step
from .office import code, run

NAMED = [{"locale": "en", "text": "Named"}]


async def create(shop: Shop, slug: str, parent: str = "") -> Any:
    return await run(
        shop, "createCategory", "category { path title }", slug=slug, parent=parent, titles=NAMED
    )


async def move(shop: Shop, path: str, parent: str, **more: str) -> Any:
    fields = "category { path parent { path } children { path } }"
    return await run(shop, "moveCategory", fields, path=path, parent=parent, **more)


async def test_categories_are_made_below_others(shop: Shop) -> None:
    assert (await create(shop, "game"))["category"] == {"path": "game", "title": "Named"}
    assert (await create(shop, "pc", "game"))["category"]["path"] == "game/pc"
    assert code(await create(shop, "pc", "game")) == "CONFLICT"
    assert code(await create(shop, "pc", "nowhere")) == "NOT_FOUND"
    assert code(await create(shop, "PC")) == "INVALID_INPUT"
    for level in range(3):
        path = "/".join(["game/pc", *"abc"[:level]])
        assert (await create(shop, "abc"[level], path))["errors"] == []
    assert code(await create(shop, "d", "game/pc/a/b/c")) == "INVALID_INPUT"


async def test_a_category_moves_with_all_that_lies_in_it(shop: Shop) -> None:
    # Given products in two levels of a tree
    await shop.products(
        {"category": "game/pc"},
        {"sku": "B-1", "product": "beta", "category": "game/pc/steam", "category_zh": "", "category_en": ""},
        {"sku": "C-1", "product": "gamma", "category": "card", "category_zh": "", "category_en": ""},
    )
    # When the upper one moves below another root, under another name
    moved = await move(shop, "game/pc", "card", slug="computer")
    assert moved["category"] == {
        "path": "card/computer",
        "parent": {"path": "card"},
        "children": [{"path": "card/computer/steam"}],
    }

    # Then lists and searches find its products there, and not where they were
    async def slugs(category: str) -> list[str]:
        data = await shop.ask(
            "query ($c: String!) { products(category: $c, sort: NEWEST) { nodes { slug } } }", {"c": category}
        )
        return sorted(node["slug"] for node in data["products"]["nodes"])

    assert await slugs("card") == ["alpha", "beta", "gamma"]
    assert await slugs("card/computer/steam") == ["beta"]
    assert await slugs("game") == []
    await assert_in_step(shop.kernel.db)
    # and it becomes a root again
    assert (await move(shop, "card/computer", ""))["category"]["parent"] is None
    assert await slugs("computer") == ["alpha", "beta"]
    await assert_in_step(shop.kernel.db)


async def test_no_category_lies_in_itself(shop: Shop) -> None:
    for path in ("a", "a/b", "a/b/c", "d", "d/b"):
        parent, _, slug = path.rpartition("/")
        await create(shop, slug, parent)
    assert code(await move(shop, "a", "a")) == "INVALID_INPUT"
    assert code(await move(shop, "a", "a/b/c")) == "INVALID_INPUT"
    assert code(await move(shop, "a/b", "d")) == "CONFLICT"
    assert code(await move(shop, "a/x", "d")) == "NOT_FOUND"
    # Nor when two move at once, each into the other
    await asyncio.gather(move(shop, "a", "d"), move(shop, "d", "a"))
    rows = await shop.kernel.db.fetch("select path from catalog_category order by path")
    paths = [row["path"] for row in rows]
    assert paths in (
        ["a", "a/b", "a/b/c", "a/d", "a/d/b"],
        ["d", "d/a", "d/a/b", "d/a/b/c", "d/b"],
    )
