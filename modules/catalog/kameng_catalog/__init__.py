"""Kameng's catalogue: products, variants, prices, and the vault of card secrets."""

from typing import TYPE_CHECKING

from kameng.module import Handler, Module, Provide
from kameng.sites import LogoStore
from kameng_catalog.admin import ADMIN
from kameng_catalog.bulk.kinds import JOBS
from kameng_catalog.commands import EXPORT, IMPORT
from kameng_catalog.contract import Finding, Prices, Sites, Stock, Variants
from kameng_catalog.events import (
    BatchQuarantined,
    BatchReadmitted,
    BatchRecalled,
    CardsImported,
    ProductsImported,
    StockAdjusted,
    StockLow,
    StockRecovered,
)
from kameng_catalog.finding import CatalogFinding
from kameng_catalog.known_lists import KnownLists
from kameng_catalog.media.logos import CatalogLogos
from kameng_catalog.media.serving import serve_media
from kameng_catalog.media.stores import Media
from kameng_catalog.permissions import PERMISSIONS
from kameng_catalog.pricing import CatalogPrices
from kameng_catalog.seeding import seed
from kameng_catalog.settings import CatalogSettings, check_time_zone
from kameng_catalog.shelves import CatalogShelves
from kameng_catalog.shelves_contract import Shelves
from kameng_catalog.shop import SHOP
from kameng_catalog.sites import CatalogSites
from kameng_catalog.stock import CatalogStock
from kameng_catalog.tasks import TASKS
from kameng_catalog.telling import STOCK_LOW, tell_stock_low
from kameng_catalog.variants import CatalogVariants

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def start(kernel: "Kernel") -> None:
    """Check the settings, and tell whoever shows sites which ones they name."""
    await check_time_zone(kernel)
    kernel.services.get(Sites)


module = Module(
    name="catalog",
    version="0.1.0",
    settings=CatalogSettings,
    piccolo_app="kameng_catalog.piccolo_app",
    shop=SHOP,
    admin=ADMIN,
    provides=(
        Provide(Variants, CatalogVariants),
        Provide(Prices, CatalogPrices),
        Provide(Stock, CatalogStock),
        Provide(Sites, CatalogSites),
        Provide(Finding, CatalogFinding),
        Provide(Shelves, CatalogShelves),
        Provide(KnownLists, KnownLists),
        Provide(Media, Media),
        Provide(LogoStore, CatalogLogos),
    ),
    events=(
        ProductsImported,
        CardsImported,
        StockAdjusted,
        StockLow,
        StockRecovered,
        BatchQuarantined,
        BatchReadmitted,
        BatchRecalled,
    ),
    handlers=(Handler(name="tell_stock_low", event=StockLow, call=tell_stock_low),),
    tasks=TASKS,
    jobs=JOBS,
    routes=(serve_media,),
    permissions=PERMISSIONS,
    notifications=(STOCK_LOW,),
    commands=(IMPORT, EXPORT),
    seed=seed,
    on_start=start,
)

__all__ = ["module"]
