"""What a document's fields of products and variants are read from: no column that nobody asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kameng.graphql import Selection
from kameng_catalog.pricing import units_sql
from kameng_catalog.texts import text_sql


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whom prices and texts are for.

    Attributes:
        locale: the language of texts.
        currency, tier, site: of prices.
    """

    locale: str
    currency: str
    tier: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """A select list whose parameters are the first of its statement.

    Attributes:
        sql: the list.
        viewer: what of the viewer its parameters ``$1``, ``$2`` … are.
        offered: the attributes in each record of the column ``offered``, a product's variants.
    """

    sql: str
    viewer: tuple[str, ...]
    offered: tuple[str, ...] = ()

    @property
    def free(self) -> int:
        """The number of the first parameter that is not one of these."""
        return len(self.viewer) + 1

    def values(self, viewer: Viewer) -> list[Any]:
        """The values of the parameters."""
        return [getattr(viewer, name) for name in self.viewer]


# Written with the viewer's attributes in braces, which become parameters. Each column is named as the attribute of the
# object that it becomes.
_PRICE = units_sql(
    variant="v", currency="{currency}", tier="{tier}", quantity="v.min_quantity", site="{site}"
)

_PRODUCT = {
    "slug": {"slug": "p.slug"},
    "title": {"title": text_sql("p.titles", "{locale}")},
    "description": {"description": text_sql("p.descriptions", "{locale}")},
    "tags": {"tags": "p.tags"},
    "createdAt": {"created_at": "p.created_at"},
    "category": {"category_key": "p.category"},
    "form": {"stored_form": "p.form"},
    "attributes": {"stored_attributes": "p.attributes", "category_key": "p.category"},
    "metadata": {"stored_metadata": "p.public_metadata"},
    "seo": {
        "stored_seo": "p.seo",
        "title": text_sql("p.titles", "{locale}"),
        "description": text_sql("p.descriptions", "{locale}"),
    },
    # The lowest retail price is kept in the product's row, see `listings`, until a period begins or ends; whoever has a tier
    # or a site of his own is counted for.
    "priceFrom": {
        "lowest": "case when {tier} = 'retail' and {site} = ''"
        " and (p.lowest_until is null or p.lowest_until > now()) then p.lowest_units else "
        f"(select min({_PRICE}) from catalog_variant v where v.product = p.id and v.status = 'published') end"
    },
}

_VARIANT = {
    "sku": {"sku": "v.sku"},
    "title": {"title": text_sql("v.titles", "{locale}")},
    "minQuantity": {"min_quantity": "v.min_quantity"},
    "maxQuantity": {"max_quantity": "v.max_quantity"},
    "faceValue": {"face_minor": "v.face_minor", "face_currency": "v.face_currency"},
    "price": {"unit": _PRICE},
    "priceSteps": {"min_quantity": "v.min_quantity"},
    "delivery": {"delivery_kind": "v.delivery"},
}

_BY_KEY = frozenset(
    {"id", "__typename", "variants", "product", "stockState", "available", "quantityPrices", "media"}
)
"""Fields that are found by the key alone."""


def product_columns(asked: Selection, *also: str) -> Columns:
    """What to select of a product ``p`` for some of its fields: those, its key, and its variants if they are asked for.

    Args:
        asked: the fields.
        also: further columns, such as the sort value of a list.
    """
    offers = frozenset(asked.below("variants")) if "variants" in asked else None
    return _product_columns(frozenset(asked), offers, also)


def variant_columns(asked: Selection) -> Columns:
    """What to select of a variant ``v`` for some of its fields: those, its key and its product's."""
    return _variant_columns(frozenset(asked))


@lru_cache(maxsize=256)
def _product_columns(asked: frozenset[str], offers: frozenset[str] | None, also: tuple[str, ...]) -> Columns:
    columns = {"key": "p.id", **{name: f"p.{name}" for name in also}, **_asked_of(_PRODUCT, asked)}
    if offers is None:
        return _numbered(columns)
    offered = {"key": "v.id", "product_key": "v.product", **_asked_of(_VARIANT, offers)}
    columns["offered"] = f"""array(
        select row({", ".join(offered.values())}) from catalog_variant v
        where v.product = p.id and v.status = 'published' order by v.position, v.id
    )"""
    return _numbered(columns, tuple(offered))


@lru_cache(maxsize=256)
def _variant_columns(asked: frozenset[str]) -> Columns:
    return _numbered({"key": "v.id", "product_key": "v.product", **_asked_of(_VARIANT, asked)})


def _asked_of(fields: dict[str, dict[str, str]], asked: frozenset[str]) -> dict[str, str]:
    names = asked - _BY_KEY
    if not names <= fields.keys():
        names = frozenset(fields)  # another module's field, which may look at anything of the object
    return {name: sql for field in sorted(names) for name, sql in fields[field].items()}


def _numbered(columns: dict[str, str], offered: tuple[str, ...] = ()) -> Columns:
    sql = ", ".join(f"{column} as {name}" for name, column in columns.items())
    used = [name for name in ("locale", "currency", "tier", "site") if f"{{{name}}}" in sql]
    for number, name in enumerate(used, start=1):
        sql = sql.replace(f"{{{name}}}", f"${number}::text")
    return Columns(sql, tuple(used), offered)


EVERY_PRODUCT_FIELD = frozenset(_PRODUCT)
"""The fields of a product that columns stand behind."""

EVERY_VARIANT_FIELD = frozenset(_VARIANT)
"""The fields of a variant that columns stand behind."""
