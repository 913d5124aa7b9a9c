from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import UUID, BigInt, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check
from piccolo.table import Table


class RegisteredMaster(Table, tablename="kernel_master_key", schema=None):
    version = Integer(
        default=None,
        null=False,
        primary_key=True,
        unique=False,
        index=False,
        index_method=IndexMethod.btree,
        choices=None,
        db_column_name=None,
        secret=False,
    )


ID = "2026-11-22T18:32:07:641176"
VERSION = "1.38.0"
DESCRIPTION = "Master keys and data keys"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="kernel_vault", description=DESCRIPTION)

    manager.add_table(
        class_name="WrappedKey",
        tablename="kernel_data_key",
        schema=None,
        columns=None,
    )

    manager.add_table(
        class_name="RegisteredMaster",
        tablename="kernel_master_key",
        schema=None,
        columns=None,
    )

    manager.add_column(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        column_name="id",
        db_column_name="id",
        column_class_name="UUID",
        column_class=UUID,
        params={
            "default": None,
            "null": False,
            "primary_key": True,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        column_name="scope",
        db_column_name="scope",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": None,
            "null": False,
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

    manager.add_column(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        column_name="wrapped",
        db_column_name="wrapped",
        column_class_name="Bytea",
        column_class=Bytea,
        params={
            "default": None,
            "null": False,
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

    manager.add_column(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        column_name="master_version",
        db_column_name="master_version",
        column_class_name="ForeignKey",
        column_class=ForeignKey,
        params={
            "references": RegisteredMaster,
            "on_delete": OnDelete.restrict,
            "on_update": OnUpdate.restrict,
            "target_column": None,
            "null": False,
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

    manager.add_column(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        column_name="allowed",
        db_column_name="allowed",
        column_class_name="BigInt",
        column_class=BigInt,
        params={
            "default": None,
            "null": False,
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

    manager.add_column(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        column_name="created_at",
        db_column_name="created_at",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={
            "default": TimestamptzNow(),
            "null": False,
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

    manager.add_column(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        column_name="retired_at",
        db_column_name="retired_at",
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

    manager.add_column(
        table_class_name="RegisteredMaster",
        tablename="kernel_master_key",
        column_name="version",
        db_column_name="version",
        column_class_name="Integer",
        column_class=Integer,
        params={
            "default": None,
            "null": False,
            "primary_key": True,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="RegisteredMaster",
        tablename="kernel_master_key",
        column_name="purpose",
        db_column_name="purpose",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": None,
            "null": False,
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

    manager.add_column(
        table_class_name="RegisteredMaster",
        tablename="kernel_master_key",
        column_name="fingerprint",
        db_column_name="fingerprint",
        column_class_name="Bytea",
        column_class=Bytea,
        params={
            "default": None,
            "null": False,
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

    manager.add_column(
        table_class_name="RegisteredMaster",
        tablename="kernel_master_key",
        column_name="created_at",
        db_column_name="created_at",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={
            "default": TimestamptzNow(),
            "null": False,
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

    manager.add_constraint(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        constraint_name="kernel_data_key_wrapped",
        constraint_class=Check,
        params={"condition": "octet_length(wrapped) = 61"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="WrappedKey",
        tablename="kernel_data_key",
        constraint_name="kernel_data_key_limited",
        constraint_class=Check,
        params={"condition": "allowed between 0 and 1048576"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="RegisteredMaster",
        tablename="kernel_master_key",
        constraint_name="kernel_master_key_purpose_known",
        constraint_class=Check,
        params={"condition": "purpose in ('wrapping', 'blind-index', 'signing')"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="RegisteredMaster",
        tablename="kernel_master_key",
        constraint_name="kernel_master_key_fingerprinted",
        constraint_class=Check,
        params={"condition": "octet_length(fingerprint) = 16"},
        schema=None,
    )

    return manager
