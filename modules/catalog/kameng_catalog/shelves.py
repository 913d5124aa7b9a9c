"""Where products stand, for reports."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson

from kameng.db import Statement
from kameng.kernel import Kernel
from kameng_catalog.shelves_contract import Shelf

_SHELVES = Statement(
    "catalog.shelves", "select id, category, titles from catalog_product where id = any($1::uuid[])"
)
_TITLES = Statement(
    "catalog.shelf_titles", "select id, titles from catalog_category where id = any($1::uuid[])"
)


class CatalogShelves:
    """`kameng_catalog.shelves_contract.Shelves`.

    Args:
        kernel: whose products.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db

    async def of(self, products: Sequence[UUID]) -> dict[UUID, Shelf]:
        """See the contract."""
        return {
            row["id"]: Shelf(product=row["id"], category=row["category"], titles=orjson.loads(row["titles"]))
            for row in await self._db.fetch(_SHELVES, list(products))
        }

    async def titles(self, categories: Sequence[UUID]) -> dict[UUID, dict[str, str]]:
        """See the contract."""
        return {
            row["id"]: orjson.loads(row["titles"]) for row in await self._db.fetch(_TITLES, list(categories))
        }
