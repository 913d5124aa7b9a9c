"""Transfers that payers make by themselves: what they have shown, and who has seen the money."""

from piccolo.columns import (
    UUID,
    BigInt,
    Bytea,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    SmallInt,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index, append_only
from kameng_settlement.payments.tables.payments import NEVER_CHANGED, PaymentAttemptTable


class TransferProofTable(Table, tablename="settlement_transfer_proof"):
    """A picture or document by which a payer shows a transfer; sealed."""

    id = UUID(primary_key=True, default=None)
    attempt = ForeignKey(
        PaymentAttemptTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    media_type = Varchar(length=40, null=False, default=None)
    size = Integer(null=False, default=None)
    digest = Bytea(null=False, default=None)
    sealed = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    at = Timestamptz(null=False, default=None)

    settlement_transfer_proof_once = Unique(["attempt", "digest"])


class TransferConfirmationTable(Table, tablename="settlement_transfer_confirmation"):
    """That somebody of the staff has seen a transfer's money; rows are added and never changed.

    ``about`` is what was transferred for: an attempt, or the subject of whoever asks for two persons. The table itself lets
    nobody confirm the same twice, and lets the second one say nothing else than the first.
    """

    id = UUID(primary_key=True, default=None)
    about = UUID(null=False, default=None)
    reference = Varchar(length=120, null=False, default=None)
    place = SmallInt(null=False, default=None, help_text="1: who saw it first; 2: the second.")
    person = UUID(null=False, default=None)
    amount_minor = BigInt(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    at = Timestamptz(null=False, default=None)

    settlement_transfer_confirmation_place = Unique(["about", "reference", "place"])
    settlement_transfer_confirmation_person = Unique(["about", "reference", "person"])
    settlement_transfer_confirmation_two = Check("place in (1, 2)")
    settlement_transfer_confirmation_some_money = Check("amount_minor > 0")


INDEXES: tuple[Index, ...] = (append_only("settlement_transfer_confirmation", NEVER_CHANGED),)
"""What Piccolo's columns cannot say."""
