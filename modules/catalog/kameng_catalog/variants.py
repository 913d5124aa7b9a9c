"""Looking variants up: what an order remembers of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from kameng.db import Statement
from kameng_catalog.contract import VariantSnapshot
from kameng_catalog.for_sale import for_sale_sql
from kameng_catalog.forms import read_form

if TYPE_CHECKING:
    from kameng.kernel import Kernel

SNAPSHOTS = Statement(
    "catalog.variant_snapshots",
    f"""
    select v.id, v.product, v.sku, p.titles as product_titles, v.titles, v.min_quantity, v.max_quantity, p.form,
        v.stock_kind, v.delivery, v.status = 'published' and {for_sale_sql("p")} as published
    from catalog_variant v join catalog_product p on p.id = v.product
    where v.id = any($1::uuid[])
    """,
)

DELIVERY_NOTES = Statement(
    "catalog.delivery_notes",
    "select id, delivery_notes from catalog_variant where id = any($1::uuid[]) and delivery_notes <> '{}'",
)


class CatalogVariants:
    """`Variants` of the contract."""

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db

    async def snapshots(self, ids: Sequence[UUID]) -> list[VariantSnapshot | None]:
        """The variants as they are now, in order; None where there is none."""
        found = {
            row["id"]: VariantSnapshot(
                id=row["id"],
                product=row["product"],
                sku=row["sku"],
                titles=joined_titles(orjson.loads(row["product_titles"]), orjson.loads(row["titles"])),
                min_quantity=row["min_quantity"],
                max_quantity=row["max_quantity"],
                published=row["published"],
                form=read_form(row["form"]),
                stock_kind=row["stock_kind"],
                delivery=row["delivery"],
            )
            for row in await self._db.fetch(SNAPSHOTS, list(ids))
        }
        return [found.get(key) for key in ids]

    async def delivery_notes(self, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, str]]:
        """What buyers of these variants read once they have paid, by locale, of those that have it."""
        rows = await self._db.fetch(DELIVERY_NOTES, list(ids))
        return {row["id"]: orjson.loads(row["delivery_notes"]) for row in rows}


def joined_titles(product: Mapping[str, str], variant: Mapping[str, str]) -> dict[str, str]:
    """The product's and the variant's title in each locale that either has; a gap takes the other's first."""
    fallback = next(iter(variant.values()))
    return {
        locale: f"{product.get(locale, next(iter(product.values())))} {variant.get(locale, fallback)}"
        for locale in {**product, **variant}
    }
