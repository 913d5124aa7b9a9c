"""What else fills a wallet: bonuses on top-ups, and gift cards."""

from piccolo.columns import (
    UUID,
    BigInt,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index
from kameng_settlement.payments.tables import PaymentTable
from kameng_settlement.tables import LedgerTransaction


class TopUpBonusTable(Table, tablename="settlement_top_up_bonus"):
    """A rule: who tops up by so much gets so much more, for a while."""

    id = UUID(primary_key=True, default=None)
    name = Text(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    from_minor = BigInt(null=False, default=None, help_text="The smallest top-up that it applies to.")
    percent_ppm = Integer(null=False, default=0, help_text="Millionths of the top-up.")
    fixed_minor = BigInt(null=False, default=0)
    most_minor = BigInt(null=True, default=None, help_text="What it gives at most.")
    once_per_member = Boolean(null=False, default=False)
    enabled = Boolean(null=False, default=True)
    starts_at = Timestamptz(null=False, default=None)
    ends_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)

    settlement_top_up_bonus_gives = Check(
        "percent_ppm between 0 and 1000000 and fixed_minor >= 0 and percent_ppm + fixed_minor > 0"
    )
    settlement_top_up_bonus_from = Check("from_minor > 0")
    settlement_top_up_bonus_most = Check("most_minor > 0")
    settlement_top_up_bonus_period = Check("ends_at > starts_at")


class TopUpGrantTable(Table, tablename="settlement_top_up_grant"):
    """A bonus that was given, in the transaction that took the top-up in."""

    payment = ForeignKey(
        PaymentTable,
        primary_key=True,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    rule = ForeignKey(
        TopUpBonusTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    member = UUID(null=False, default=None)
    amount_minor = BigInt(null=False, default=None)
    once = Boolean(null=False, default=None)
    posted = ForeignKey(
        LedgerTransaction,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    at = Timestamptz(null=False, default=None)

    settlement_top_up_grant_some_money = Check("amount_minor > 0")


class GiftCardBatchTable(Table, tablename="settlement_gift_card_batch"):
    """Gift cards that were made together."""

    id = UUID(primary_key=True, default=None)
    name = Text(null=False, default=None)
    amount_minor = BigInt(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    cards = Integer(null=False, default=None)
    expires_at = Timestamptz(null=True, default=None)
    data_key = UUID(null=False, default=None)
    created_by = Text(null=False, default=None)
    created_at = Timestamptz(null=False, default=None)

    settlement_gift_card_batch_some_money = Check("amount_minor > 0")
    settlement_gift_card_batch_counted = Check("cards between 1 and 10000")


class GiftCardTable(Table, tablename="settlement_gift_card"):
    """A gift card. Its code is sealed, and found by a blind index."""

    id = UUID(primary_key=True, default=None)
    batch = ForeignKey(
        GiftCardBatchTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    mark = Bytea(null=False, default=None, unique=True)
    sealed = Bytea(null=False, default=None)
    state = Varchar(length=8, null=False, default="ISSUED")
    member = UUID(null=True, default=None)
    posted = ForeignKey(
        LedgerTransaction,
        null=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    ended_at = Timestamptz(null=True, default=None)

    settlement_gift_card_state = Check("state in ('ISSUED', 'REDEEMED', 'VOID')")
    settlement_gift_card_redeemed = Check(
        "(state = 'REDEEMED') = (member is not null) and (state = 'REDEEMED') = (posted is not null)"
    )
    settlement_gift_card_batch_place = Unique(["batch", "id"])


TABLES = [TopUpBonusTable, TopUpGrantTable, GiftCardBatchTable, GiftCardTable]

INDEXES: tuple[Index, ...] = (
    Index(
        "settlement_top_up_grant_once",
        "create unique index settlement_top_up_grant_once on settlement_top_up_grant (rule, member) where once",
    ),
    Index(
        "settlement_top_up_grant_by_rule",
        "create index settlement_top_up_grant_by_rule on settlement_top_up_grant (rule, payment)",
    ),
)
"""What Piccolo's columns cannot say."""
