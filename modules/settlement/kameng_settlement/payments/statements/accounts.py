"""The SQL of our accounts with gateways."""

from kameng.db import Statement

ACCOUNTS = Statement(
    "settlement.merchant_accounts",
    "select * from settlement_merchant_account where id = any($1::uuid[])",
)

LOCK_ACCOUNT = Statement(
    "settlement.lock_merchant_account",
    "select * from settlement_merchant_account where id = $1 for no key update",
)

ADD_ACCOUNT = Statement(
    "settlement.add_merchant_account",
    """
    insert into settlement_merchant_account
        (id, gateway, code, name, merchant, sealed_settings, data_key, currencies, sites, minimum_minor, maximum_minor,
         fee_ppm, fee_fixed_minor, priority, weight, timeout_seconds, enabled, failures, created_at, changed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9::text[], $10, $11, $12, $13, $14, $15, $16, false, 0, now(), now())
    """,
)

CHANGE_ACCOUNT = Statement(
    "settlement.change_merchant_account",
    """
    update settlement_merchant_account
    set gateway = $2, code = $3, name = $4, merchant = $5, sealed_settings = $6, data_key = $7, currencies = $8::text[],
        sites = $9::text[], minimum_minor = $10, maximum_minor = $11, fee_ppm = $12, fee_fixed_minor = $13, priority = $14,
        weight = $15, timeout_seconds = $16, changed_at = now()
    where id = $1
    """,
)

ENABLE_ACCOUNT = Statement(
    "settlement.enable_merchant_account",
    """
    update settlement_merchant_account
    set enabled = $2, changed_at = now(), failures = case when $2 then 0 else failures end,
        resting_until = case when $2 then null else resting_until end
    where id = $1 returning id
    """,
)

ACCOUNT_ANSWERED = Statement(
    "settlement.merchant_account_answered",
    """
    update settlement_merchant_account set failures = 0, resting_until = null
    where id = $1 and (failures > 0 or resting_until is not null)
    """,
)

ACCOUNT_FAILED = Statement(
    "settlement.merchant_account_failed",
    # After the third failure in a row it rests: 30 s, then twice as long each time, for an hour at most.
    """
    update settlement_merchant_account
    set failures = failures + 1,
        resting_until = case when failures + 1 < 3 then resting_until
            else now() + least(interval '1 hour', interval '30 seconds' * power(2, least(failures + 1 - 3, 7))) end
    where id = $1
    """,
)

ENABLED_ACCOUNTS = Statement(
    "settlement.enabled_merchant_accounts",
    "select * from settlement_merchant_account where enabled order by priority, id",
)
