"""Mutations of the back office, as tests run them."""

from __future__ import annotations

from typing import Any

from kameng.ids import global_id

from .conftest import CLERK, Shop


async def run(shop: Shop, name: str, fields: str, **values: Any) -> Any:
    """Run a mutation as somebody who may do all; its payload."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {fields} errors {{ code path message }} }} }}"
    data = await shop.ask(document, {"input": values}, schema="admin", principal=CLERK)
    return data[name]


async def product_id(shop: Shop, slug: str = "alpha") -> str:
    """The id of a product."""
    key = await shop.kernel.db.fetchval("select id from catalog_product where slug = $1", slug)
    return global_id("Product", key)


def code(payload: Any) -> str:
    """The code of a payload's only error."""
    (error,) = payload["errors"]
    found: str = error["code"]
    return found
