"""The Piccolo app of fulfilment."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng_fulfilment.after_tables import TABLES as AFTER
from kameng_fulfilment.cart.tables import TABLES as CARTS
from kameng_fulfilment.costs.tables import TABLES as COSTS
from kameng_fulfilment.flash.tables import TABLES as FLASH_SALES
from kameng_fulfilment.guests.tables import TABLES as GUESTS
from kameng_fulfilment.service_desk.tables import TABLES as SERVICE_DESK
from kameng_fulfilment.suppliers.tables import TABLES as SUPPLIERS
from kameng_fulfilment.tables import TABLES
from kameng_fulfilment.views.tables import TABLES as VIEWS

APP_CONFIG = AppConfig(
    app_name="fulfilment",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[*TABLES, *AFTER, *SERVICE_DESK, *SUPPLIERS, *FLASH_SALES, *CARTS, *GUESTS, *COSTS, *VIEWS],
    migration_dependencies=[],
)
