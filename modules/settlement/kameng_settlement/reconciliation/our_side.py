"""Our side of a reconciliation: the one statement that yields what we recorded with an account, in the normal form.

A payment of ours is an observation that took effect, under the number of its attempt, which is the one that the gateway
knows; attempts that never took effect stand there as not done, so that a bill that says otherwise is a difference of
status. A refund is one that was asked of the gateway. The fee of ours is the one that was posted with the payment.
"""

from __future__ import annotations

from kameng.db import Statement

OUR_SIDE = Statement(
    "settlement.reconciled_our_side",
    # $1 source, $2 from, $3 to (exclusive), $4 further rows by their ids; what was matched before is left out.
    """
    with account as (
        select id from settlement_merchant_account where gateway || ':' || code = $1::text
    ), side as (
        select o.id, 'payment' as kind, o.number, coalesce(o.transaction, '') as reference, '' as parent,
               'done' as status, o.currency, o.amount_minor as amount,
               coalesce(f.amount, 0) as fee, coalesce(o.paid_at, o.at) as at, o.posted
        from account a join settlement_payment_observation o on o.account = a.id and o.taken
        left join settlement_ledger_transaction t on t.key = 'gateway-fee:' || $1::text || ':' || o.transaction
        left join settlement_posting f on f.transaction = t.id and f.seq = 1
        union all
        select t.id, 'payment', t.number, coalesce(t.gateway_reference, ''), '',
               case when t.state in ('CLOSED', 'FAILED') then 'failed' else 'pending' end,
               p.currency, p.amount_minor, null, t.started_at, null
        from account a join settlement_payment_attempt t on t.account = a.id
        join settlement_payment p on p.id = t.payment
        where not exists (
            select from settlement_payment_observation o where o.account = a.id and o.number = t.number and o.taken
        )
        union all
        select r.id, 'refund', r.number, coalesce(r.gateway_reference, ''), p.number,
               case r.state when 'SUCCEEDED' then 'done' when 'FAILED' then 'failed' else 'pending' end,
               r.currency, r.amount_minor, null, coalesce(r.settled_at, r.created_at), r.posted
        from account a join settlement_payment_refund r on r.account = a.id
        join settlement_payment p on p.id = r.payment
    )
    select id as ours, 0 as line, kind, number, reference, parent, status, currency, amount, fee, at, posted
    from side
    where ((at >= $2::timestamptz and at < $3::timestamptz) or id = any($4::uuid[]))
        and not exists (select from settlement_bill_match m where m.ours = side.id)
    """,
)
