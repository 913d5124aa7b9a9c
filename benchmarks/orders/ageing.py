"""Shops with a past: a hot product that sold half a million pieces, and ten million orders in the tables.

The past is written by statements of its own, since ten million purchases take hours. What a purchase meets is the same: the
rows, their indexes, and the dead entries that sales left behind.
"""

from uuid import UUID

from benchmarks.figures import say
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng_catalog.contract import Pick, PickRequest, Sale, Stock

AT_ONCE = 1_000
"""Pieces that one transaction sells."""

CHUNK = 250_000
"""Past orders that one statement writes."""


async def sell(kernel: Kernel, variant: UUID, pieces: int) -> None:
    """Sell pieces of one variant as the order path does, without the orders around them."""
    stock = kernel.services.get(Stock)
    for _ in range(pieces // AT_ONCE):
        async with kernel.db.transaction():
            (pick,) = await stock.pick([PickRequest(variant=variant, quantity=AT_ONCE)])
            if not isinstance(pick, Pick):
                raise RuntimeError(f"the shop has too few cards to sell {pieces}")
            await stock.hand_over([Sale(pick=pick, line=new_id())])


PAST_ORDERS = """
with past as materialized (
    select past_number.n, uuidv7(i.back) as id, uuidv7(i.back) as line, uuidv7(i.back) as tx, now() + i.back as at, m.member, m.account,
        v.id as variant
    from generate_series($1::bigint, $2::bigint) as past_number (n)
    cross join lateral (select make_interval(secs => ($3 - past_number.n) * -3.0) as back) i
    join bench_member m on m.n = past_number.n % $4
    join bench_variant v on v.n = past_number.n % $5
), orders as (
    insert into fulfilment_order (id, number, member, idempotency_key, fingerprint, state, currency, total_minor, charge,
        created_at, paid_at, completed_at)
    select id, 'P' || lpad(n::text, 12, '0'), member, 'past-' || n, decode(lpad(to_hex(n), 64, '0'), 'hex'), 'COMPLETED', 'CNY',
        300, tx, at, at, at from past
), history as (
    insert into fulfilment_order_history (id, order_id, at, from_state, to_state, actor, note)
    select uuidv7(), id, at, 'PENDING_PAYMENT', 'COMPLETED', 'bench', '' from past
), lines as (
    insert into fulfilment_order_line (id, order_id, position, variant, product, sku, titles, quantity, unit_price, total_minor,
        delivery_state)
    select line, id, 0, variant, variant, 'BENCH', '{}', 1, 30000, 300, 'DELIVERED' from past
), transactions as (
    insert into settlement_ledger_transaction (id, key, fingerprint, kind, memo, effective_at, posted_at)
    select tx, 'order:' || id, decode(lpad(to_hex(n), 64, '0'), 'hex'), 'charge', '', at, at from past
), postings as (
    insert into settlement_posting (transaction, seq, debit_account, credit_account, amount, currency)
    select tx, 1, account, (select account from bench_member where n = -1), 300, 'CNY' from past
), cards as (
    insert into catalog_card (variant, batch, sealed, data_key, blind_index)
    select variant, $6, decode(repeat('00', 48), 'hex'), $7, decode('ff' || lpad(to_hex(n), 30, '0'), 'hex') from past
    returning id
), sold as (
    insert into catalog_sold_card (card, line, sold_at)
    select c.id, p.line, p.at
    from (select id, row_number() over () as place from cards) c
    join (select line, at, row_number() over () as place from past) p using (place)
)
insert into catalog_stock_movement (variant, kind, quantity, line, at)
select variant, 'sale', -1, line, at from past
"""


async def write_past(kernel: Kernel, orders: int, *, members: int, variants: int) -> None:
    """Write orders of the past, with all that such orders leave behind in the tables.

    Args:
        kernel: the shop's, seeded.
        orders: how many.
        members, variants: whose and of what; as seeded.
    """
    batch, key = await kernel.db.fetchval("select id from catalog_stock_batch limit 1"), new_id()
    for first in range(0, orders, CHUNK):
        last = min(first + CHUNK, orders) - 1
        await kernel.db.execute(PAST_ORDERS, first, last, orders, members, variants, batch, key)
        say(f"{last + 1:,} past orders")
    await kernel.db.execute("vacuum analyze")
