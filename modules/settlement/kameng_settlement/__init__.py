"""Settlement: a double-entry ledger, wallets and charges."""

from datetime import timedelta

from kameng.module import Module, Permission, Provide, SchemaPart, Task
from kameng_membership.contract import Members, PersonalData
from kameng_settlement import bookkeeping
from kameng_settlement.admin import (
    CREDIT_WALLET,
    REVERSE_TRANSACTION,
    MemberMoney,
)
from kameng_settlement.admin_types import READ_LEDGER, all_entries, line_nodes, transaction_nodes
from kameng_settlement.charging import LedgerCharging
from kameng_settlement.commands import ledger
from kameng_settlement.contract import Charging, Receipts, WalletMoves, Wallets
from kameng_settlement.events import TransactionReversed, WalletCredited
from kameng_settlement.folding import fold_balances
from kameng_settlement.ledger import Ledger
from kameng_settlement.moving import LedgerMoves
from kameng_settlement.payments import brings as payments
from kameng_settlement.personal_data import PERSONAL_DATA
from kameng_settlement.receiving import LedgerReceipts
from kameng_settlement.reconciliation import brings as reconciliation
from kameng_settlement.roots import AdminMutation, AdminQuery, ShopMutation, ShopQuery, ShopSubscription
from kameng_settlement.settings import SettlementSettings
from kameng_settlement.shop import MemberWallet
from kameng_settlement.types import own_entries
from kameng_settlement.wallets import LedgerWallets

module = Module(
    name="settlement",
    version="0.1.0",
    requires={"membership": ">=0.1,<0.2"},
    settings=SettlementSettings,
    piccolo_app="kameng_settlement.piccolo_app",
    shop=SchemaPart(
        query=ShopQuery,
        mutation=ShopMutation,
        subscription=ShopSubscription,
        extend={"Member": MemberWallet, **bookkeeping.SHOP_EXTEND},
        nodes={"WalletEntry": own_entries, **payments.SHOP_NODES},
    ),
    admin=SchemaPart(
        query=AdminQuery,
        mutation=AdminMutation,
        extend={"Member": MemberMoney, **bookkeeping.ADMIN_EXTEND, **payments.ADMIN_EXTEND},
        nodes={
            "LedgerTransaction": transaction_nodes,
            "LedgerLine": line_nodes,
            "WalletEntry": all_entries,
            **bookkeeping.ADMIN_NODES,
            **payments.ADMIN_NODES,
            **reconciliation.ADMIN_NODES,
        },
    ),
    provides=(
        Provide(Ledger, lambda kernel: Ledger(kernel.db)),
        *bookkeeping.PROVIDES,
        Provide(Charging, lambda kernel: LedgerCharging(kernel.db, kernel.services.get(Ledger))),
        Provide(Receipts, lambda kernel: LedgerReceipts(kernel.db, kernel.services.get(Ledger))),
        Provide(WalletMoves, lambda kernel: LedgerMoves(kernel.db, kernel.services.get(Ledger))),
        Provide(Wallets, lambda kernel: LedgerWallets(kernel.db)),
        *payments.PROVIDES,
    ),
    needs=(Members,),
    events=(
        WalletCredited,
        TransactionReversed,
        *bookkeeping.EVENTS,
        *payments.EVENTS,
        *reconciliation.EVENTS,
    ),
    tasks=(
        Task(name="fold_balances", call=fold_balances, every=timedelta(minutes=1)),
        *bookkeeping.TASKS,
        *payments.TASKS,
        *reconciliation.TASKS,
    ),
    contributes={PersonalData: (PERSONAL_DATA,)},
    handlers=(*bookkeeping.HANDLERS, *payments.HANDLERS, *reconciliation.HANDLERS),
    notifications=(*bookkeeping.NOTIFICATIONS, *payments.NOTIFICATIONS, *reconciliation.NOTIFICATIONS),
    jobs=(*bookkeeping.JOBS, *reconciliation.JOBS),
    permissions=(
        Permission(READ_LEDGER, "Read the ledger and everybody's wallet", "查看账本和所有会员的钱包"),
        Permission(CREDIT_WALLET, "Credit wallets by hand", "手工给会员钱包入账"),
        Permission(REVERSE_TRANSACTION, "Reverse ledger transactions", "冲正账本交易"),
        *bookkeeping.PERMISSIONS,
        *payments.PERMISSIONS,
        *reconciliation.PERMISSIONS,
    ),
    routes=payments.ROUTES,
    commands=(ledger, *reconciliation.COMMANDS),
)
