"""Payments: our accounts with gateways, what is to be paid, each try to pay it, what gateways said, and what went back."""

from kameng.db import Index
from kameng_settlement.payments.tables import payments, refunds, transfers
from kameng_settlement.payments.tables.accounts import MerchantAccountTable
from kameng_settlement.payments.tables.payments import (
    PaymentAttemptTable,
    PaymentHistoryTable,
    PaymentObservationTable,
    PaymentTable,
)
from kameng_settlement.payments.tables.refunds import PaymentRefundTable
from kameng_settlement.payments.tables.transfers import TransferConfirmationTable, TransferProofTable

__all__ = [
    "INDEXES",
    "TABLES",
    "MerchantAccountTable",
    "PaymentAttemptTable",
    "PaymentHistoryTable",
    "PaymentObservationTable",
    "PaymentRefundTable",
    "PaymentTable",
    "TransferConfirmationTable",
    "TransferProofTable",
]

TABLES = [
    MerchantAccountTable,
    PaymentTable,
    PaymentAttemptTable,
    PaymentHistoryTable,
    PaymentObservationTable,
    PaymentRefundTable,
    TransferProofTable,
    TransferConfirmationTable,
]

INDEXES: tuple[Index, ...] = (*payments.INDEXES, *refunds.INDEXES, *transfers.INDEXES)
"""What Piccolo's columns cannot say."""
