"""A flash sale of 1,000 pieces to 5,000 buyers who ask in the same second, beside buyers of other products."""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from uuid import UUID, uuid4

import msgspec

from benchmarks.figures import Figure, say
from benchmarks.orders.buying import DOCUMENT, Buyers
from benchmarks.orders.crowd import Crowd, Outcome
from kameng.ids import global_id, new_id
from kameng.kernel import Kernel
from kameng.settings import Settings

LEAD = 15.0
"""Seconds before the sale in which the crowd's connections are opened."""

OTHERS = 16
"""Connections that buy other products."""


@dataclass(frozen=True)
class Sale:
    """How large it is.

    Attributes:
        pieces: for sale, one for each buyer.
        buyers: who ask at its first moment.
        seconds: for which the buyers of other products are watched, before it and while it goes on.
    """

    pieces: int
    buyers: int
    seconds: float


async def measure_flash(
    settings: Settings, url: str, tokens: list[str], others: Buyers, variants: list[UUID], sale: Sale
) -> Figure:
    """The figure: what buyers of other products wait during the sale, beside what they wait before it.

    Args:
        settings, url: of the shop.
        tokens: sessions of the crowd.
        others: who buy other products meanwhile.
        variants: the first is sold in the sale.
        sale: how large it is.
    """
    hot, *rest = variants
    before = await others.buy(rest, sale.seconds, connections=OTHERS)
    opens = time.time() + LEAD
    await _plan(settings, hot, sale, opens)
    crowd = asyncio.create_task(_ask(url, tokens, hot, opens + 0.05))
    await asyncio.sleep(max(opens - time.time() - 0.5, 0))
    during = await others.buy(rest, sale.seconds, connections=OTHERS)
    outcome = await crowd
    sold, booked, cards = await _sold(settings, hot)
    answers = ", ".join(f"{count:,} {kind}" for kind, count in sorted(outcome.answers.items()))
    say(f"orders/flash: {answers}; {sold:,} sold")
    return Figure(
        name="orders/flash",
        ours=during.p50,
        reference=before.p50,
        reference_is="the same buyers of other products before the sale",
        unit="ms at the median",
        better="lower",
        notes=f"{sale.buyers:,} buyers of {sale.pieces:,} pieces: {answers}; sale's count {sold:,}, booked {booked:,}, cards "
        f"{cards:,}; answered after p50 {outcome.p50:.1f} s, p99 {outcome.p99:.1f} s, longest {outcome.longest:.1f} s; the others "
        f"bought {during.rate:.0f} a second beside {before.rate:.0f}, p99 {during.p99:.0f} ms beside {before.p99:.0f}",
    )


async def _plan(settings: Settings, variant: UUID, sale: Sale, opens: float) -> None:
    async with Kernel(settings) as kernel:
        kernel.db.use()
        await kernel.db.execute(
            """insert into fulfilment_flash_sale (id, variant, holds_from, opens_at, closes_at, quantity, per_buyer, sold,
                   created_by, created_at)
               values ($1, $2, now(), to_timestamp($3), to_timestamp($3 + 600), $4, 1, 0, 'bench', now())""",
            new_id(), variant, opens, sale.pieces,
        )  # fmt: skip


async def _ask(url: str, tokens: list[str], variant: UUID, at: float) -> Outcome:
    lines = [{"variantId": global_id("Variant", variant)}]
    bodies = [
        json.dumps({"query": DOCUMENT, "variables": {"input": {"lines": lines}, "key": uuid4().hex}})
        for _ in tokens
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.orders.crowd", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    output, _ = await process.communicate(msgspec.json.encode(Crowd(url, at, tokens, bodies)))
    return msgspec.json.decode(output, type=Outcome)


async def _sold(settings: Settings, variant: UUID) -> tuple[int, int, int]:
    """What the sale counts, what its purchases add up to, and the cards that went to them."""
    async with Kernel(settings) as kernel:
        kernel.db.use()
        row = await kernel.db.fetchrow(
            """select s.sold, sum(p.quantity)::int as booked, count(c.card)::int as cards
               from fulfilment_flash_sale s
               left join fulfilment_flash_purchase p on p.sale = s.id
               left join catalog_sold_card c on c.line = p.line
               where s.variant = $1 group by s.id""",
            variant,
        )
    return (row["sold"], row["booked"] or 0, row["cards"]) if row else (0, 0, 0)
