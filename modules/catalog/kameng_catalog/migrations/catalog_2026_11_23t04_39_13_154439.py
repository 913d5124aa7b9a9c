from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Timestamptz
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check

from kameng.db import ENGINE

ID = "2026-11-23T04:39:13:154439"
VERSION = "1.38.0"
DESCRIPTION = "Files that nothing shows; the states of batches"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)

    manager.add_column(
        table_class_name="MediaFile",
        tablename="catalog_media_file",
        column_name="unused_since",
        db_column_name="unused_since",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.drop_constraint(
        table_class_name="StockBatch",
        tablename="catalog_stock_batch",
        constraint_name="catalog_stock_batch_state_known",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="StockBatch",
        tablename="catalog_stock_batch",
        constraint_name="catalog_stock_batch_states",
        constraint_class=Check,
        params={"condition": "state in ('arriving', 'sellable', 'quarantined', 'recalled')"},
        schema=None,
    )

    async def take_back() -> None:
        # The states of before know no batch that is still arriving.
        await ENGINE.run_ddl(
            "delete from catalog_card where batch in (select id from catalog_stock_batch where state = 'arriving')"
        )
        await ENGINE.run_ddl("delete from catalog_stock_batch where state = 'arriving'")

    manager.add_raw_backwards(take_back)
    return manager
