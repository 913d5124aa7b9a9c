"""Reading what products are found by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from kameng.db import Statement
from kameng_catalog.attributes.values import attribute_terms
from kameng_catalog.searching import product_terms

if TYPE_CHECKING:
    from kameng.db import Database

_TEXTS = Statement(
    "catalog.search_texts",
    """
    select p.id, p.slug, p.titles, p.tags, p.attributes, c.path,
        coalesce(jsonb_agg(v.titles order by v.position, v.id) filter (where v.id is not null), '[]') as variants,
        coalesce(array_agg(v.sku order by v.position, v.id) filter (where v.id is not null), '{}') as skus
    from catalog_product p join catalog_category c on c.id = p.category
    left join catalog_variant v on v.product = p.id
    where p.id = any($1::uuid[])
    group by p.id, c.path
    """,
)


async def read_terms(db: Database, products: Sequence[UUID]) -> list[dict[str, Any]]:
    """The search terms of products, computed from what they are made of now: rows with ``id`` and ``terms``."""
    return [
        {
            "id": row["id"],
            "terms": product_terms(
                row["path"], row["tags"], texts_of(row), attribute_terms(orjson.loads(row["attributes"]))
            ),
        }
        for row in await read_texts(db, products)
    ]


async def read_texts(db: Database, products: Sequence[UUID]) -> list[Any]:
    """Rows with the texts of products, for `texts_of`."""
    return await db.fetch(_TEXTS, list(products))


def texts_of(row: Any) -> Iterator[str]:
    """All texts that a product is found by."""
    yield from orjson.loads(row["titles"]).values()
    yield row["slug"]
    yield from row["tags"]
    yield from row["skus"]
    for titles in orjson.loads(row["variants"]):
        yield from titles.values()
