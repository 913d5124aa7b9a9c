"""The SQL of what else fills a wallet: bonuses on top-ups, and gift cards."""

from kameng.db import Statement

FITTING_BONUSES = Statement(
    "settlement.fitting_top_up_bonuses",
    # The best first. A bonus counts that was offered when the payer made up his mind, even if his money came later.
    """
    select b.id, b.name, b.once_per_member,
           least(coalesce(b.most_minor, 9007199254740991),
                 b.fixed_minor + ($2::bigint::numeric * b.percent_ppm / 1000000)::bigint) as given_minor
    from settlement_top_up_bonus b
    where b.enabled and b.currency = $1 and b.from_minor <= $2 and b.starts_at <= $4
        and (b.ends_at is null or b.ends_at > $4)
        and b.fixed_minor + ($2::bigint::numeric * b.percent_ppm / 1000000)::bigint > 0
        and not (b.once_per_member and exists (
            select from settlement_top_up_grant g where g.rule = b.id and g.member = $3 and g.once
        ))
    order by given_minor desc, b.id
    limit 1
    """,
)

OFFERED_BONUSES = Statement(
    "settlement.offered_top_up_bonuses",
    # The same conditions, without an amount.
    """
    select b.name, b.from_minor, b.percent_ppm, b.fixed_minor, b.most_minor, b.once_per_member
    from settlement_top_up_bonus b
    where b.enabled and b.currency = $1 and b.starts_at <= now() and (b.ends_at is null or b.ends_at > now())
        and not (b.once_per_member and exists (
            select from settlement_top_up_grant g where g.rule = b.id and g.member = $2 and g.once
        ))
    order by b.from_minor, b.id
    limit 20
    """,
)

ADD_BONUS = Statement(
    "settlement.add_top_up_bonus",
    """
    insert into settlement_top_up_bonus
        (id, name, currency, from_minor, percent_ppm, fixed_minor, most_minor, once_per_member, enabled, starts_at, ends_at,
         created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, true, $9, $10, now())
    """,
)

SET_BONUS_ENABLED = Statement(
    "settlement.set_top_up_bonus_enabled",
    "update settlement_top_up_bonus set enabled = $2 where id = $1 returning id",
)

ADD_GRANT = Statement(
    "settlement.add_top_up_grant",
    """
    insert into settlement_top_up_grant (payment, rule, member, amount_minor, once, posted, at)
    values ($1, $2, $3, $4, $5, $6, now())
    """,
)

ADD_BATCH = Statement(
    "settlement.add_gift_card_batch",
    """
    insert into settlement_gift_card_batch
        (id, name, amount_minor, currency, cards, expires_at, data_key, created_by, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, now())
    """,
)

ADD_GIFT_CARDS = Statement(
    "settlement.add_gift_cards",
    """
    insert into settlement_gift_card (id, batch, mark, sealed, state)
    select id, $1, mark, sealed, 'ISSUED' from unnest($2::uuid[], $3::bytea[], $4::bytea[]) as c (id, mark, sealed)
    """,
)

LOCK_GIFT_CARD = Statement(
    "settlement.lock_gift_card",
    """
    select c.id, c.state, c.member, c.posted, b.amount_minor, b.currency, b.name, b.expires_at,
           b.expires_at <= now() as expired
    from settlement_gift_card c join settlement_gift_card_batch b on b.id = c.batch
    where c.mark = $1
    for no key update of c
    """,
)

REDEEM_GIFT_CARD = Statement(
    "settlement.redeem_gift_card",
    """
    update settlement_gift_card set state = 'REDEEMED', member = $2, posted = $3, ended_at = now()
    where id = $1 and state = 'ISSUED' returning id
    """,
)

VOID_GIFT_CARDS = Statement(
    "settlement.void_gift_cards",
    """
    update settlement_gift_card set state = 'VOID', ended_at = now()
    where batch = $1 and state = 'ISSUED' returning id
    """,
)

BATCHES = Statement(
    "settlement.gift_card_batches",
    """
    select b.*, (select count(*) from settlement_gift_card c where c.batch = b.id and c.state = 'REDEEMED') as redeemed,
           (select count(*) from settlement_gift_card c where c.batch = b.id and c.state = 'VOID') as void
    from settlement_gift_card_batch b where b.id = any($1::uuid[])
    """,
)

CARDS_OF_BATCH = Statement(
    "settlement.gift_cards_of_batch",
    """
    select c.id, c.sealed, c.state, b.data_key
    from settlement_gift_card c join settlement_gift_card_batch b on b.id = c.batch
    where c.batch = $1 order by c.id
    """,
)

BONUSES = Statement(
    "settlement.top_up_bonuses",
    "select * from settlement_top_up_bonus where id = any($1::uuid[])",
)
