"""The Piccolo app of the ledger."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng_settlement.days.tables import LedgerCheckTable, LedgerDay
from kameng_settlement.holds.tables import HoldTable
from kameng_settlement.payments.loading_tables import TABLES as LOADING
from kameng_settlement.payments.tables import TABLES as PAYMENTS
from kameng_settlement.reconciliation.tables import TABLES as RECONCILIATION
from kameng_settlement.tables import Account, Balance, ChargeRefund, LedgerTransaction, Posting, RefundTable

APP_CONFIG = AppConfig(
    app_name="settlement",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[
        Account,
        LedgerTransaction,
        Posting,
        Balance,
        ChargeRefund,
        RefundTable,
        HoldTable,
        LedgerDay,
        LedgerCheckTable,
        *PAYMENTS,
        *LOADING,
        *RECONCILIATION,
    ],
    migration_dependencies=[],
)
