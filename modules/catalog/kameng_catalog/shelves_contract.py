"""What reports may read of products: which category they are in, and what both are called. No tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """Where a product stands.

    Attributes:
        product, category: keys.
        titles: the product's, by locale.
    """

    product: UUID
    category: UUID
    titles: dict[str, str]


class Shelves(Protocol):
    """Looking up where products stand. Each call is one statement."""

    async def of(self, products: Sequence[UUID]) -> dict[UUID, Shelf]:
        """The shelves of those products that exist, as they are now."""
        ...

    async def titles(self, categories: Sequence[UUID]) -> dict[UUID, dict[str, str]]:
        """What those categories that exist are called, by locale."""
        ...
