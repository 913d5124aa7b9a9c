"""What a document's fields of products and variants are read from: no column that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kameng_catalog.pricing import units_sql
from kameng_catalog.texts import text_sql


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whom prices and texts are for.

    Attributes:
        locale: the language of texts.
        currency, tier: of prices.
    """

    locale: str
    currency: str
    tier: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A select list whose parameters are the first of its statement.

    Attributes:
        sql: the list.
        viewer: what of the viewer its parameters ``$1``, ``$2`` … are.
    """

    sql: str
    viewer: tuple[str, ...]

    @property
    def free(self) -> int:
        """The number of the first parameter that is not one of these."""
        return len(self.viewer) + 1

    def values(self, viewer: Viewer) -> list[Any]:
        """The values of the parameters."""
        return [getattr(viewer, name) for name in self.viewer]


# Written with the viewer's attributes in braces, which become parameters.
_PRICE = units_sql(variant="v.id", currency="{currency}", tier="{tier}", quantity="v.min_quantity")
_LOWEST = f"select min({_PRICE}) from catalog_variant v where v.product = p.id and v.status = 'published'"

_PRODUCT = {
    "slug": "p.slug",
    "title": f"{text_sql('p.titles', '{locale}')} as title",
    "description": f"{text_sql('p.descriptions', '{locale}')} as description",
    "tags": "p.tags",
    "createdAt": "p.created_at",
    "category": "p.category",
    "priceFrom": f"({_LOWEST}) as lowest",
}

_VARIANT = {
    "sku": "v.sku",
    "title": f"{text_sql('v.titles', '{locale}')} as title",
    "minQuantity": "v.min_quantity",
    "maxQuantity": "v.max_quantity",
    "faceValue": "v.face_minor, v.face_currency",
    "price": f"{_PRICE} as units",
}

_BY_KEY = frozenset({"id", "__typename", "variants", "product", "stockState", "available", "quantityPrices"})
"""Fields that are found by the key alone."""


def product_columns(asked: Iterable[str]) -> Columns:
    """What to select of a product ``p`` for some of its fields, with its key and the sort values of lists."""
    return _product_columns(frozenset(asked))


def variant_columns(asked: Iterable[str]) -> Columns:
    """What to select of a variant ``v`` for some of its fields, with its key and its product's."""
    return _variant_columns(frozenset(asked))


@lru_cache(maxsize=256)
def _product_columns(asked: frozenset[str]) -> Columns:
    return _columns("p.id, p.position, p.popularity", _PRODUCT, asked)


@lru_cache(maxsize=256)
def _variant_columns(asked: frozenset[str]) -> Columns:
    return _columns("v.id, v.product", _VARIANT, asked)


def _columns(always: str, fields: dict[str, str], asked: frozenset[str]) -> Columns:
    names = asked - _BY_KEY
    if not names <= fields.keys():
        names = frozenset(fields)  # another module's field, which may look at anything of the object
    sql = ", ".join([always, *(fields[name] for name in sorted(names))])
    used = [name for name in ("locale", "currency", "tier") if f"{{{name}}}" in sql]
    for number, name in enumerate(used, start=1):
        sql = sql.replace(f"{{{name}}}", f"${number}::text")
    return Columns(sql, tuple(used))


EVERY_PRODUCT_FIELD = frozenset(_PRODUCT)
"""The fields of a product that columns stand behind."""

EVERY_VARIANT_FIELD = frozenset(_VARIANT)
"""The fields of a variant that columns stand behind."""
