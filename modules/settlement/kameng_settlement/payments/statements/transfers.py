"""The SQL of transfers that people confirm: what payers have shown, and who has seen the money."""

from kameng.db import Statement

ADD_CONFIRMATION = Statement(
    "settlement.add_transfer_confirmation",
    """
    insert into settlement_transfer_confirmation
        (id, about, reference, place, person, amount_minor, currency, at)
    values ($1, $2, $3, $4, $5, $6, $7, now())
    on conflict (about, reference, place) do nothing
    returning id
    """,
)

CONFIRMATIONS = Statement(
    "settlement.transfer_confirmations",
    """
    select person, amount_minor, currency, place from settlement_transfer_confirmation
    where about = $1 and reference = $2 order by place
    """,
)

ADD_PROOF = Statement(
    "settlement.add_transfer_proof",
    """
    insert into settlement_transfer_proof (id, attempt, media_type, size, digest, sealed, data_key, at)
    values ($1, $2, $3, $4, $5, $6, $7, now())
    on conflict (attempt, digest) do nothing
    """,
)

COUNT_PROOFS = Statement(
    "settlement.count_transfer_proofs",
    "select count(*) from settlement_transfer_proof where attempt = $1",
)

PROOFS_OF = Statement(
    "settlement.transfer_proofs",
    "select * from settlement_transfer_proof where attempt = any($1::uuid[]) order by id",
)

PROOF = Statement(
    "settlement.transfer_proof",
    "select * from settlement_transfer_proof where id = $1",
)
