"""The catalogue's Piccolo app."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng_catalog.attributes.tables import Attribute
from kameng_catalog.listing_tables import Listing
from kameng_catalog.media.tables import MediaFile, ProductMedia
from kameng_catalog.piece_tables import (
    BadCard,
    Reservation,
    ReusableSecret,
    SoldPiece,
    StockAlert,
    StockCounter,
)
from kameng_catalog.price_tables import PriceChange, SpecialPrice
from kameng_catalog.stock_tables import (
    Card,
    FreeCard,
    QuarantinedCard,
    ReservedCard,
    SoldCard,
    StockBatch,
    StockMovement,
)
from kameng_catalog.tables import Category, Price, Product, Variant

APP_CONFIG = AppConfig(
    app_name="catalog",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[
        Category,
        Product,
        Variant,
        Price,
        SpecialPrice,
        PriceChange,
        Attribute,
        MediaFile,
        ProductMedia,
        Listing,
        StockBatch,
        Card,
        FreeCard,
        ReservedCard,
        QuarantinedCard,
        SoldCard,
        StockMovement,
        ReusableSecret,
        StockCounter,
        SoldPiece,
        Reservation,
        BadCard,
        StockAlert,
    ],
    migration_dependencies=[],
)
