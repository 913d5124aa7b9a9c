"""The catalogue's part of the shop's schema."""

from types import MappingProxyType

from kameng.module import SchemaPart
from kameng_catalog.shop.query import CatalogShopQuery, category_nodes, product_nodes, variant_nodes

SHOP = SchemaPart(
    query=CatalogShopQuery,
    nodes=MappingProxyType({"Product": product_nodes, "Variant": variant_nodes, "Category": category_nodes}),
)

__all__ = ["SHOP"]
