"""The SQL of what gateways said of payments."""

from kameng.db import Statement

TAKEN = Statement(
    "settlement.taken_payment_transaction",
    """
    select id, payment, number, amount_minor, currency from settlement_payment_observation
    where account = $1 and transaction = $2 and taken
    """,
)

ADD_OBSERVATION = Statement(
    "settlement.add_payment_observation",
    """
    insert into settlement_payment_observation
        (id, account, payment, number, told_by, status, transaction, merchant, amount_minor, currency, fee_minor, digest,
         outcome, taken, posted, note, paid_at, at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, now())
    on conflict (account, number, digest, outcome) do nothing
    """,
)
