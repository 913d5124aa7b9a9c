"""Orders: whole GraphQL purchases over HTTP, beside pgbench running one order a transaction in the same database.

``orders/hot``: all buy one product; ``orders/spread``: they buy 200 products. ``orders/hot-late``: one product again, of which
half a million were sold before, beside the spread. ``orders/grown``: the spread in a shop with ten million past orders and as
many sold cards, beside a new shop. ``orders/flash``: what buyers of other products notice of a flash sale. 64 buyers with a
session each; durable commits.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from benchmarks.figures import Figure, median, say
from benchmarks.load import Load
from benchmarks.orders.ageing import sell, write_past
from benchmarks.orders.buying import Buyers
from benchmarks.orders.crowd import many_files
from benchmarks.orders.flash import Sale, measure_flash
from benchmarks.orders.pgbench import one_by_one
from benchmarks.orders.shop import BUYERS, VARIANTS, seed
from benchmarks.running import services, web
from kameng.embedded import Running
from kameng.kernel import Kernel
from kameng.settings import Settings

CLIENTS = (16, 64)
"""Of the reference; the ratio is to the first."""


@dataclass(frozen=True)
class Size:
    """How much a run measures.

    Attributes:
        cards: to begin with, half of them of the hot product.
        rounds, seconds: of each figure.
        sold: pieces of the hot product that are sold before it is measured again.
        past: orders of the grown shop.
        flash: the flash sale.
    """

    cards: int
    rounds: int
    seconds: float
    sold: int
    past: int
    flash: Sale


SIZES = {
    "small": Size(
        cards=250_000, rounds=3, seconds=5, sold=50_000, past=250_000, flash=Sale(1_000, 5_000, 20)
    ),
    "full": Size(
        cards=1_600_000, rounds=5, seconds=12, sold=500_000, past=10_000_000, flash=Sale(1_000, 5_000, 30)
    ),
}


@dataclass(frozen=True)
class Shop:
    """A running shop.

    Attributes:
        running, settings: its services.
        variants: what it sells, the hot one first.
        buyers: who buys.
        crowd: sessions of those who wait for a flash sale.
    """

    running: Running
    settings: Settings
    variants: list[UUID]
    buyers: Buyers
    crowd: list[str]


async def measure(size: str) -> list[Figure]:
    """All figures; the new shop goes on to be the reference of the grown one."""
    wanted = SIZES[size]
    many_files()
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(_shop(wanted))
        figures = [
            await _beside_pgbench("orders/hot", shop, shop.variants[:1], wanted),
            await _beside_pgbench("orders/spread", shop, shop.variants, wanted),
            await _late(shop, wanted),
            await measure_flash(
                shop.settings, shop.buyers.url, shop.crowd, shop.buyers, shop.variants, wanted.flash
            ),
        ]
        grown = await stack.enter_async_context(_shop(wanted, past=wanted.past))
        figures.append(await _grown(shop, grown, wanted))
        for each in (shop, grown):
            await _check(each)
        return figures


@asynccontextmanager
async def _shop(wanted: Size, past: int = 0) -> AsyncIterator[Shop]:
    async with services() as (running, settings):
        say(f"seeding {wanted.cards:,} cards, {BUYERS} buyers …")
        async with Kernel(settings) as kernel:
            kernel.db.use()
            crowd = 0 if past else wanted.flash.buyers
            variants, tokens = await seed(kernel, wanted.cards, BUYERS + crowd)
            if past:
                await write_past(kernel, past, members=BUYERS, variants=VARIANTS)
        async with web(settings) as url:
            buyers = Buyers(url, tokens[:BUYERS])
            await buyers.buy(variants, 2)  # warm: connections, plans, compiled documents
            yield Shop(running, settings, variants, buyers, tokens[BUYERS:])


async def _beside_pgbench(name: str, shop: Shop, variants: list[UUID], wanted: Size) -> Figure:
    ours: list[Load] = []
    theirs: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
    for number in range(wanted.rounds):
        ours.append(await shop.buyers.buy(variants, wanted.seconds))
        for clients in CLIENTS:
            theirs[clients].append(
                await one_by_one(
                    shop.running, variants=len(variants), clients=clients, seconds=wanted.seconds
                )
            )
        others = ", ".join(f"{rates[-1]:.0f}/s with {clients}" for clients, rates in theirs.items())
        say(f"{name} round {number + 1}: ours {ours[-1].rate:.0f}/s, pgbench {others} clients")
    return _figure(
        name,
        ours,
        median(theirs[CLIENTS[0]]),
        f"pgbench, the same statements, one order a transaction, {CLIENTS[0]} clients",
        f"; pgbench with {CLIENTS[1]} clients {median(theirs[CLIENTS[1]]):.1f}/s",
    )


async def _late(shop: Shop, wanted: Size) -> Figure:
    say(f"selling {wanted.sold:,} pieces of the hot product …")
    async with Kernel(shop.settings) as kernel:
        kernel.db.use()
        await sell(kernel, shop.variants[0], wanted.sold)
    late: list[Load] = []
    spread: list[Load] = []
    for number in range(wanted.rounds):
        late.append(await shop.buyers.buy(shop.variants[:1], wanted.seconds))
        spread.append(await shop.buyers.buy(shop.variants, wanted.seconds))
        say(f"orders/hot-late round {number + 1}: hot {late[-1].rate:.0f}/s, spread {spread[-1].rate:.0f}/s")
    return _figure(
        "orders/hot-late",
        late,
        median([load.rate for load in spread]),
        f"the same over {VARIANTS} products; {wanted.sold:,} pieces of the hot one were sold before",
    )


async def _grown(new: Shop, grown: Shop, wanted: Size) -> Figure:
    rates: dict[str, list[Load]] = {"grown": [], "new": []}
    for number in range(wanted.rounds):
        rates["grown"].append(await grown.buyers.buy(grown.variants, wanted.seconds))
        rates["new"].append(await new.buyers.buy(new.variants, wanted.seconds))
        say(
            f"orders/grown round {number + 1}: "
            + ", ".join(f"{who} {loads[-1].rate:.0f}/s" for who, loads in rates.items())
        )
    return _figure(
        "orders/grown",
        rates["grown"],
        median([load.rate for load in rates["new"]]),
        f"the same in a shop without {wanted.past:,} past orders and sold cards",
    )


def _figure(name: str, ours: list[Load], reference: float, what: str, more: str = "") -> Figure:
    p50, p99 = median([load.p50 for load in ours]), median([load.p99 for load in ours])
    failed = sum(load.failed for load in ours)
    return Figure(
        name=name,
        ours=median([load.rate for load in ours]),
        reference=reference,
        reference_is=what,
        unit="orders/s",
        better="higher",
        notes=f"{BUYERS} buyers: p50 {p50:.1f} ms, p99 {p99:.1f} ms (ratio {p99 / p50:.1f}), failed {failed}{more}",
    )


async def _check(shop: Shop) -> None:
    """Say whether orders, charges and sold cards agree."""
    async with Kernel(shop.settings) as kernel:
        kernel.db.use()
        row = await kernel.db.fetchrow(
            """select (select count(*) from fulfilment_order),
                      (select count(*) from fulfilment_order_line l where not exists (
                          select from catalog_sold_card s where s.line = l.id)),
                      (select count(*) from settlement_ledger_transaction where kind = 'charge')"""
        )
    if row:
        say(f"afterwards: {row[0]:,} orders, {row[1]:,} of their lines without a card, {row[2]:,} charges")
