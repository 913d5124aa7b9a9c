"""The rights of the role that serves the shop: it reads the journals and adds to them, nothing else."""

from kameng_settlement.days.tables import LedgerCheckTable, LedgerDay
from kameng_settlement.holds.tables import HoldTable
from kameng_settlement.payments.tables import (
    PaymentHistoryTable,
    PaymentObservationTable,
    TransferConfirmationTable,
)
from kameng_settlement.reconciliation.tables import APPEND_ONLY as RECONCILED
from kameng_settlement.reconciliation.tables import BillRowTable, CaseNoteTable
from kameng_settlement.tables import Account, Balance, ChargeRefund, LedgerTransaction, Posting, RefundTable

_APPEND_ONLY = (
    LedgerTransaction,
    Posting,
    RefundTable,
    LedgerDay,
    LedgerCheckTable,
    PaymentHistoryTable,
    PaymentObservationTable,
    TransferConfirmationTable,
    *RECONCILED,
)
_NEVER_DELETED = (Account, ChargeRefund, HoldTable)


def grants(role: str) -> str:
    """The SQL that grants a role what the ledger needs and takes everything else; to be run by the tables'
    owner.

    Args:
        role: a plain role name, which the caller has checked.
    """
    lines = []
    for table in (*_APPEND_ONLY, *_NEVER_DELETED, Balance):
        name = table._meta.tablename
        kept = "select, insert"
        if table not in _APPEND_ONLY:
            kept += ", update"
        if table is Balance:  # folding takes rows away
            kept += ", delete"
        lines += [f"revoke all on {name} from {role};", f"grant {kept} on {name} to {role};"]
    lines += [
        f"grant usage on sequence {table._meta.tablename}_id_seq to {role};"
        for table in (Posting, Balance, BillRowTable, CaseNoteTable)
    ]
    return "\n".join(lines)
