"""The rights of the role that serves the shop: it reads the journals and adds to them, nothing else."""

from kameng_settlement.tables import Account, Balance, ChargeRefund, LedgerTransaction, Posting, RefundTable

_APPEND_ONLY = (LedgerTransaction, Posting, RefundTable)


def grants(role: str) -> str:
    """The SQL that grants a role what the ledger needs and takes everything else; to be run by the tables'
    owner.

    Args:
        role: a plain role name, which the caller has checked.
    """
    lines = []
    for table in (Account, LedgerTransaction, Posting, Balance, ChargeRefund, RefundTable):
        name = table._meta.tablename
        kept = "select, insert" if table in _APPEND_ONLY else "select, insert, update, delete"
        lines += [f"revoke all on {name} from {role};", f"grant {kept} on {name} to {role};"]
    lines += [
        f"grant usage on sequence {table._meta.tablename}_id_seq to {role};" for table in (Posting, Balance)
    ]
    return "\n".join(lines)
