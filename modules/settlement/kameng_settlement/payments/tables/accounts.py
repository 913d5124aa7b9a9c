"""Our accounts with gateways."""

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table


class MerchantAccountTable(Table, tablename="settlement_merchant_account"):
    """One of our accounts with a gateway. Its settings, secrets among them, are sealed.

    ``code`` stands in the ledger's names, so it never changes: the account's money is at ``clearing:<gateway>:<code>``.
    ``failures`` counts calls without an answer since the last one with one; until ``resting_until`` it is asked last.
    """

    id = UUID(primary_key=True, default=None)
    gateway = Varchar(length=20, null=False, default=None)
    code = Varchar(length=40, null=False, default=None)
    name = Text(null=False, default=None)
    merchant = Varchar(length=64, null=False, default=None, help_text="What we are called at the gateway.")
    sealed_settings = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    currencies = Array(base_column=Text(), null=False, default=list)
    sites = Array(base_column=Text(), null=False, default=list, help_text="Codes; none: all sites.")
    minimum_minor = BigInt(null=False, default=1)
    maximum_minor = BigInt(null=True, default=None)
    fee_ppm = Integer(null=False, default=0, help_text="Millionths of the amount that the gateway keeps.")
    fee_fixed_minor = BigInt(null=False, default=0)
    priority = SmallInt(null=False, default=100, help_text="Those with a smaller number are asked first.")
    weight = SmallInt(null=False, default=1, help_text="The share of payments among equals.")
    timeout_seconds = SmallInt(null=False, default=15)
    enabled = Boolean(null=False, default=False)
    failures = Integer(null=False, default=0)
    resting_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    changed_at = Timestamptz(null=False, default=None)

    settlement_merchant_account_code = Unique(["gateway", "code"])
    settlement_merchant_account_gateway_named = Check("gateway ~ '^[a-z][a-z0-9_]*$'")
    settlement_merchant_account_code_plain = Check("code ~ '^[A-Za-z0-9_.-]+$'")
    settlement_merchant_account_merchant_known = Check("merchant <> ''")
    settlement_merchant_account_currencies = Check("cardinality(currencies) > 0")
    settlement_merchant_account_amounts = Check("minimum_minor > 0 and maximum_minor >= minimum_minor")
    settlement_merchant_account_fee = Check("fee_ppm between 0 and 500000 and fee_fixed_minor >= 0")
    settlement_merchant_account_weight = Check("weight between 1 and 1000")
    settlement_merchant_account_timeout = Check("timeout_seconds between 1 and 60")
