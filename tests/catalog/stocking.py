"""Short words for tests of stock: the staff's request, moving pieces, and what must always be true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from kameng.errors import Refusal
from kameng.graphql import Context
from kameng.ids import new_id
from kameng_catalog.contract import Pick, PickRequest, Sale
from kameng_catalog.counting import adjust_stock, set_mirrored, set_reusable_secret

from .conftest import CLERK, Shop

SOON = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(minutes=15)
"""Until when tests reserve."""


def desk(shop: Shop) -> Context:
    """A request of somebody of the staff who may do everything."""
    return Context(shop.kernel, principal=CLERK, locale="en", schema="admin")


async def quota(shop: Shop, pieces: int, sku: str = "Q-1") -> UUID:
    """A variant of which there are so many."""
    variant = await shop.stocked(sku, kind="quota")
    await adjust_stock(desk(shop), variant, "counted", to=pieces)
    return variant


async def reusable(shop: Shop, uses: int, sku: str = "R-1", secret: str = "the-one") -> UUID:
    """A variant that sells one secret so many times."""
    variant = await shop.stocked(sku, kind="reusable")
    await set_reusable_secret(desk(shop), variant, secret, "", "first")
    await adjust_stock(desk(shop), variant, "licensed", to=uses)
    return variant


async def mirrored(shop: Shop, pieces: int, sku: str = "S-1") -> UUID:
    """A variant of which a supplier has so many."""
    variant = await shop.stocked(sku, kind="supplier")
    await set_mirrored(desk(shop), variant, pieces, "told by phone")
    return variant


async def cards(shop: Shop, pieces: int) -> UUID:
    """A variant with so many cards, first in, first out."""
    return await shop.stocked(cards=pieces)


async def expiring(shop: Shop, pieces: int) -> UUID:
    """A variant with so many cards, of which the soonest expiring goes first; every third never does."""
    variant = await shop.stocked("E-1")
    rows = [f"e-{n},{f'20{40 - n % 5}-01-01' if n % 3 else ''}" for n in range(pieces)]
    await shop.card_text("secret,expires_on\n" + "".join(f"{row}\n" for row in rows), "E-1")
    await shop.kernel.db.execute(
        "update catalog_variant set picking = 'soonest_expiring' where id = $1", variant
    )
    return variant


Outcome = UUID | str
"""The line that got something, or the code of the refusal."""


async def take(
    shop: Shop, variant: UUID, pieces: int = 1, how: Literal["buy", "reserve", "look"] = "buy"
) -> Outcome:
    """Pick in a transaction of its own, then sell, reserve or give up."""
    async with shop.kernel.db.transaction():
        [pick] = await shop.stock.pick([PickRequest(variant=variant, quantity=pieces)])
        if isinstance(pick, Refusal):
            return pick.code
        line = new_id()
        await settle(shop, pick, line, how)
        return line


async def settle(shop: Shop, pick: Pick, line: UUID, how: Literal["buy", "reserve", "look"]) -> None:
    """Sell or reserve what was picked in this transaction, or leave it."""
    if how == "buy":
        await shop.stock.hand_over([Sale(pick=pick, line=line)])
    elif how == "reserve":
        await shop.stock.reserve([Sale(pick=pick, line=line)], SOON)


async def pay(shop: Shop, *lines: UUID) -> set[UUID]:
    """Hand over what is reserved for lines."""
    async with shop.kernel.db.transaction():
        return await shop.stock.hand_over_reserved(lines)


async def release(shop: Shop, *lines: UUID) -> None:
    """Give back what is reserved for lines."""
    async with shop.kernel.db.transaction():
        await shop.stock.release(lines)


async def put_back(shop: Shop, *lines: UUID) -> None:
    """Give back what lines bought."""
    async with shop.kernel.db.transaction():
        await shop.stock.put_back(lines)


async def secrets(shop: Shop, *lines: UUID) -> list[str]:
    """The secrets of lines."""
    return [card.secret for card in await shop.stock.sold_cards(lines)]


async def left(shop: Shop, variant: UUID) -> int:
    """How many can be sold."""
    return (await shop.stock.available([variant]))[variant]


async def movements(shop: Shop, variant: UUID) -> list[tuple[str, int]]:
    """What moved, in order."""
    rows = await shop.kernel.db.fetch(
        "select kind, quantity from catalog_stock_movement where variant = $1 order by id", variant
    )
    return [(row["kind"], row["quantity"]) for row in rows]


PLACES = """
    select c.id, c.batch, b.state,
        (f.card is not null)::int + (r.card is not null)::int + (q.card is not null)::int + (s.card is not null)::int
            as places,
        f.card is not null as free, r.card is not null as reserved, q.card is not null as quarantined
    from catalog_card c join catalog_stock_batch b on b.id = c.batch
    left join catalog_free_card f on f.card = c.id left join catalog_reserved_card r on r.card = c.id
    left join catalog_quarantined_card q on q.card = c.id left join catalog_sold_card s on s.card = c.id
"""

SUMS = """
    select v.id, v.sku, v.stock_kind, coalesce(sum(m.quantity), 0) as moved,
        (select count(*) from catalog_free_card f where f.variant = v.id) as free,
        coalesce((select on_hand from catalog_stock_counter c where c.variant = v.id), 0) as on_hand
    from catalog_variant v left join catalog_stock_movement m on m.variant = v.id
    where v.stock_kind in ('card', 'quota', 'reusable')
    group by v.id
"""

RESERVED = """
    select r.line, r.quantity, count(c.card) as cards from catalog_reservation r
    left join catalog_reserved_card c on c.line = r.line
    where r.kind = 'card' group by r.line
"""


async def check_stock(shop: Shop, gone: int = 0, settled: bool = True) -> None:
    """What must be true whenever nobody is at work.

    Each card lies in one place, but for those that are gone (expired or recalled); a card of a batch in quarantine or of
    a recalled one is not for sale; the movements of a variant add up to what can be sold of it; no card is kept for
    nobody, and no line has more of them than it should.

    Args:
        shop: whose stock.
        gone: how many cards should lie nowhere.
        settled: whether all batches have come to rest.
    """
    db = shop.kernel.db
    rows = await db.fetch(PLACES)
    assert [row["id"] for row in rows if row["places"] > 1] == []
    assert sum(row["places"] == 0 for row in rows) == gone
    if settled:
        for row in rows:
            assert not (row["free"] and row["state"] != "sellable"), row["id"]
            assert not (row["reserved"] and row["state"] != "sellable"), row["id"]
            assert not (row["quarantined"] and row["state"] != "quarantined"), row["id"]
    for row in await db.fetch(SUMS):
        assert row["moved"] == (row["free"] if row["stock_kind"] == "card" else row["on_hand"]), dict(row)
    for row in await db.fetch(RESERVED):
        assert row["cards"] <= row["quantity"]
    assert (
        await db.fetchval(
            "select count(*) from catalog_reserved_card where line not in (select line from catalog_reservation)"
        )
        == 0
    )
