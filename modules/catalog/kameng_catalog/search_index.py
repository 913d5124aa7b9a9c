"""Keeping the search terms of products in step with what they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from kameng.db import Statement
from kameng_catalog.json_rows import json_rows
from kameng_catalog.searching import terms_of

if TYPE_CHECKING:
    from kameng.db import Database

_TEXTS = Statement(
    "catalog.search_texts",
    """
    select p.id, p.slug, p.titles, p.tags,
        coalesce(jsonb_agg(v.titles order by v.position, v.id) filter (where v.id is not null), '[]') as variants,
        coalesce(array_agg(v.sku order by v.position, v.id) filter (where v.id is not null), '{}') as skus
    from catalog_product p left join catalog_variant v on v.product = p.id
    where p.id = any($1::uuid[])
    group by p.id
    """,
)

_PUT_TERMS = Statement(
    "catalog.put_search_terms",
    """
    update catalog_product p set search_terms = r.terms
    from jsonb_to_recordset($1::jsonb) as r (id uuid, terms text[])
    where p.id = r.id and p.search_terms <> r.terms
    """,
)


async def refresh_search(db: Database, products: Sequence[UUID]) -> None:
    """Compute the search terms of products anew, in the transaction that changed them. Two statements."""
    rows = await db.fetch(_TEXTS, list(products))
    terms = [{"id": row["id"], "terms": terms_of(_texts(row))} for row in rows]
    await db.execute(_PUT_TERMS, json_rows(terms))


def _texts(row: Any) -> Iterator[str]:
    yield from orjson.loads(row["titles"]).values()
    yield row["slug"]
    yield from row["tags"]
    yield from row["skus"]
    for titles in orjson.loads(row["variants"]):
        yield from titles.values()
