from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import UUID, Array, Text, Varchar
from piccolo.columns.defaults.uuid import UUID4
from piccolo.columns.indexes import IndexMethod

from kameng.db import ENGINE

ID = "2026-11-23T07:04:51:557414"
VERSION = "1.38.0"
DESCRIPTION = "Sites by their codes"


async def no_nulls():
    # The empty code stands where no site was known.
    await ENGINE.run_ddl(
        "alter table settlement_payment alter column site type text using coalesce(site::text, '')"
    )


async def no_codes():
    # Codes are no keys.
    await ENGINE.run_ddl("alter table settlement_merchant_account alter column sites drop default")
    await ENGINE.run_ddl(
        "alter table settlement_merchant_account alter column sites type text[] using '{}'::text[]"
    )
    await ENGINE.run_ddl(
        "alter table settlement_payment alter column site drop default, alter column site drop not null,"
        " alter column site type text using null"
    )


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="settlement", description=DESCRIPTION)

    manager.alter_column(
        table_class_name="MerchantAccountTable",
        tablename="settlement_merchant_account",
        column_name="sites",
        db_column_name="sites",
        params={
            "base_column": Text(
                default="",
                null=False,
                primary_key=False,
                unique=False,
                index=False,
                index_method=IndexMethod.btree,
                choices=None,
                db_column_name=None,
                secret=False,
            )
        },
        old_params={
            "base_column": UUID(
                default=UUID4(),
                null=False,
                primary_key=False,
                unique=False,
                index=False,
                index_method=IndexMethod.btree,
                choices=None,
                db_column_name=None,
                secret=False,
            )
        },
        column_class=Array,
        old_column_class=Array,
        schema=None,
    )

    manager.alter_column(
        table_class_name="PaymentTable",
        tablename="settlement_payment",
        column_name="site",
        db_column_name="site",
        params={"length": 64, "default": "", "null": False},
        old_params={"length": None, "default": None, "null": True},
        column_class=Varchar,
        old_column_class=UUID,
        schema=None,
    )
    manager.add_raw(no_nulls)
    manager.add_raw_backwards(no_codes)

    return manager
