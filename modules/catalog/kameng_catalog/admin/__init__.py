"""The catalogue's part of the back office's schema."""

from types import MappingProxyType

import strawberry

from kameng.module import SchemaPart
from kameng_catalog.admin.batches import BatchesMutation
from kameng_catalog.admin.cards import CardsMutation
from kameng_catalog.admin.categories import CategoriesMutation
from kameng_catalog.admin.creating import CreatingMutation
from kameng_catalog.admin.extras import ExtrasMutation
from kameng_catalog.admin.forms import FormsMutation
from kameng_catalog.admin.history_nodes import change_nodes, movement_nodes
from kameng_catalog.admin.imports import ImportsMutation
from kameng_catalog.admin.jobs import JobsMutation
from kameng_catalog.admin.media import MediaMutation
from kameng_catalog.admin.prices import PricesMutation
from kameng_catalog.admin.products import ProductsMutation
from kameng_catalog.admin.queries import (
    CatalogAdminQuery,
    batch_nodes,
    card_nodes,
    product_nodes,
    variant_nodes,
)
from kameng_catalog.admin.stock_alerts import AlertsMutation, AlertsQuery, alert_nodes
from kameng_catalog.admin.stock_figures import StockFiguresMutation
from kameng_catalog.admin.translations import TranslationsQuery
from kameng_catalog.shop.query import category_nodes


@strawberry.type
class CatalogAdminQueries(CatalogAdminQuery, AlertsQuery, TranslationsQuery):
    """What the staff reads of the catalogue."""


@strawberry.type
class CatalogAdminMutation(
    ProductsMutation,
    CreatingMutation,
    CategoriesMutation,
    ExtrasMutation,
    MediaMutation,
    FormsMutation,
    PricesMutation,
    ImportsMutation,
    JobsMutation,
    CardsMutation,
    StockFiguresMutation,
    BatchesMutation,
    AlertsMutation,
):
    """What the staff changes in the catalogue."""


ADMIN = SchemaPart(
    query=CatalogAdminQueries,
    mutation=CatalogAdminMutation,
    nodes=MappingProxyType(
        {
            "Product": product_nodes,
            "Variant": variant_nodes,
            "Category": category_nodes,
            "StockBatch": batch_nodes,
            "Card": card_nodes,
            "StockAlert": alert_nodes,
            "StockMovement": movement_nodes,
            "PriceChange": change_nodes,
        }
    ),
)

__all__ = ["ADMIN"]
