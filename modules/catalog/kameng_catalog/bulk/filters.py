"""Which products a bulk job is about."""

from __future__ import annotations

from typing import Any

import msgspec

from kameng_catalog.searching import asked_terms


class BulkFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What products and variants have in common; empty fields ask for nothing.

    Attributes:
        category: the path of a category; those below it count.
        tag: a tag of the product.
        search: words that find the product, as in the list of products.
        product_status, status: of the product, and of the variant.
        kind: the variant's kind of stock.
        sku_prefix: how its number begins.
        skus: numbers, of which it has one.
    """

    category: str = ""
    tag: str = ""
    search: str = ""
    product_status: str = ""
    status: str = ""
    kind: str = ""
    sku_prefix: str = ""
    skus: tuple[str, ...] = ()

    @property
    def of_variants(self) -> bool:
        """Whether it asks for something of the variant."""
        return bool(self.status or self.kind or self.sku_prefix or self.skus)

    def product_conditions(self, first: int) -> tuple[list[str], list[Any]]:
        """Conditions on products ``p`` and categories ``c``, and their parameters.

        Args:
            first: the number of the first parameter.
        """
        wanted: list[tuple[str, Any]] = []
        if self.category:
            wanted.append(("(c.path = {0}::text or starts_with(c.path, {0}::text || '/'))", self.category))
        if self.tag:
            wanted.append(("{0}::text = any(p.tags)", self.tag))
        if self.search:
            wanted.append(("p.search_terms @> {0}::text[]", asked_terms(self.search)))
        if self.product_status:
            wanted.append(("p.status = {0}::text", self.product_status))
        return _numbered(wanted, first)

    def variant_conditions(self, first: int) -> tuple[list[str], list[Any]]:
        """The same for variants ``v``."""
        wanted: list[tuple[str, Any]] = []
        if self.status:
            wanted.append(("v.status = {0}::text", self.status))
        if self.kind:
            wanted.append(("v.stock_kind = {0}::text", self.kind))
        if self.sku_prefix:
            wanted.append(("starts_with(v.sku, {0}::text)", self.sku_prefix))
        if self.skus:
            wanted.append(("v.sku = any({0}::text[])", list(self.skus)))
        return _numbered(wanted, first)

    def conditions(self, first: int) -> tuple[str, list[Any]]:
        """Both together as one condition, ``true`` where nothing is asked."""
        ours, values = self.product_conditions(first)
        theirs, more = self.variant_conditions(first + len(values))
        return " and ".join([*ours, *theirs]) or "true", [*values, *more]


def _numbered(wanted: list[tuple[str, Any]], first: int) -> tuple[list[str], list[Any]]:
    conditions = [text.format(f"${first + place}") for place, (text, _) in enumerate(wanted)]
    return conditions, [value for _, value in wanted]


def read_filter(value: Any) -> BulkFilter:
    """A filter from a job's input."""
    return msgspec.convert(value or {}, BulkFilter)
