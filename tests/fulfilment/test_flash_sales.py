"""Flash sales: exactly so many pieces, so many for each buyer, from a second on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from kameng.auth import VISITOR, Principal
from kameng.ids import global_id, new_id
from kameng_fulfilment.flash.known import OLDEST_SECONDS, KnownSales
from kameng_fulfilment.requests import LineRequest, order_request
from kameng_fulfilment.services import Orders
from kameng_fulfilment.unpaid import expire_unpaid
from tests.fulfilment.conftest import OWNER, PLACE, Shop

PLAN = """
mutation($input: PlanFlashSaleInput!, $key: String!) {
  planFlashSale(input: $input) @idempotent(key: $key) {
    flashSale { id state quantity perBuyer sold holdsFrom }
    errors { code path }
  }
}
"""
NEXT_HOUR = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


async def plan(shop: Shop, variant: UUID, **values: Any) -> Any:
    given = {
        "variantId": global_id("Variant", variant),
        "opensAt": NEXT_HOUR.isoformat(),
        "closesAt": (NEXT_HOUR + timedelta(hours=1)).isoformat(),
        "quantity": 3,
        "perBuyer": 1,
    }
    answer = await shop.ask("admin", PLAN, {"input": given | values, "key": str(new_id())}, OWNER)
    assert answer.errors is None, answer.errors
    return answer.data["planFlashSale"]


async def open_sale(shop: Shop, variant: UUID, quantity: int, per_buyer: int = 1) -> UUID:
    """A sale that has opened: planned as ever, and then its times moved to now."""
    planned = await plan(shop, variant, quantity=quantity, perBuyer=per_buyer)
    assert planned["errors"] == []
    row = await shop.kernel.db.fetchval(
        """update fulfilment_flash_sale set holds_from = now() - interval '2 minutes', opens_at = now() - interval '1 minute'
           where variant = $1 and ended_at is null returning id""",
        variant,
    )
    await known_again(shop)
    return row


async def known_again(shop: Shop) -> None:
    await shop.kernel.services.get(KnownSales)._read()


async def buy(
    shop: Shop, variant: UUID, buyer: Principal, quantity: int = 1, key: str = "", **values: Any
) -> Any:
    given = {"lines": [{"variantId": global_id("Variant", variant), "quantity": quantity}], **values}
    answer = await shop.ask("shop", PLACE, {"input": given, "key": key or str(new_id())}, buyer)
    assert answer.errors is None, answer.errors
    return answer.data["placeOrder"]


def code(placed: Any) -> str:
    """Why nothing was bought, or COMPLETED and the like."""
    return placed["errors"][0]["code"] if placed["errors"] else placed["order"]["state"]


async def sold(shop: Shop, sale: UUID) -> tuple[int, int]:
    """What the sale counts, and what its purchases add up to."""
    row = await shop.kernel.db.fetchrow(
        """select sold, (select coalesce(sum(quantity), 0)::int from fulfilment_flash_purchase where sale = $1) as booked
           from fulfilment_flash_sale where id = $1""",
        sale,
    )
    return row["sold"], row["booked"]


async def test_a_planned_sale_closes_its_variant_until_it_opens(shop: Shop) -> None:
    # Given a sale in an hour, which holds its variant from now on
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(5)])
    other = await shop.stock("B-1", "3", ["B1"])
    planned = await plan(shop, variant)
    assert planned["flashSale"]["state"] == "UPCOMING"
    await known_again(shop)
    # Then nobody gets a piece, with the hour named, and other products are sold as ever
    buyer = await shop.member("100")
    refused = await buy(shop, variant, buyer)
    assert code(refused) == "FLASH_SALE_NOT_OPEN"
    assert refused["errors"][0]["path"] == ["input", "lines", "0"]
    assert NEXT_HOUR.isoformat() in refused["errors"][0]["message"]
    assert code(await buy(shop, other, buyer)) == "COMPLETED"


async def test_who_comes_after_a_pause_knows_of_sales_that_were_planned_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process remembers is never so old that a sale could open without its knowing."""
    # Given a process that heard of no sale, and nobody who asked it for a while
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(5)])
    buyer = await shop.member("100")
    assert code(await buy(shop, variant, buyer)) == "COMPLETED"
    await plan(shop, variant)
    monkeypatch.setattr("kameng_fulfilment.flash.known.time", Later(OLDEST_SECONDS))
    # Then the first who asks is told of it
    assert code(await buy(shop, variant, buyer)) == "FLASH_SALE_NOT_OPEN"


class Later:
    """A clock that is ahead."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def monotonic(self) -> float:
        """Seconds, from now on."""
        return time.monotonic() + self.seconds


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"closesAt": NEXT_HOUR.isoformat()}, ["input", "closesAt"]),
        ({"quantity": 0}, ["input", "quantity"]),
        ({"perBuyer": 4}, ["input", "perBuyer"]),
        ({"perBuyer": 0}, ["input", "perBuyer"]),
        ({"variantId": global_id("Variant", new_id())}, ["input", "variantId"]),
        ({"opensAt": datetime.now(UTC).isoformat()}, ["input", "opensAt"]),
    ],
)
async def test_what_makes_no_sale_is_refused(shop: Shop, values: dict[str, Any], path: list[str]) -> None:
    variant = await shop.stock("A-1", "3", ["A1"])
    planned = await plan(shop, variant, **values)
    assert planned["flashSale"] is None
    assert planned["errors"][0]["path"] == path
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_flash_sale") == 0


async def test_of_two_who_plan_the_same_hour_one_does(shop: Shop) -> None:
    variant = await shop.stock("A-1", "3", ["A1"])
    planned = await asyncio.gather(*(plan(shop, variant) for _ in range(5)))
    codes = Counter(each["errors"][0]["code"] if each["errors"] else "planned" for each in planned)
    assert codes == {"planned": 1, "FLASH_SALE_OVERLAPS": 4}


async def test_forty_buyers_of_seven_pieces(shop: Shop) -> None:
    # Given more stock than pieces, and buyers who come at once, each twice
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(30)])
    sale = await open_sale(shop, variant, 7)
    buyers = [await shop.member("100") for _ in range(40)]
    placed = await asyncio.gather(*(buy(shop, variant, buyer) for buyer in buyers * 2))
    # Then exactly seven get one, each of them once
    codes = Counter(code(each) for each in placed)
    assert codes["COMPLETED"] == 7
    assert set(codes) <= {"COMPLETED", "FLASH_SALE_SOLD_OUT", "FLASH_SALE_LIMIT"}
    assert await sold(shop, sale) == (7, 7)
    per_buyer = await shop.kernel.db.fetch("select count(*) as n from fulfilment_order group by member")
    assert [row["n"] for row in per_buyer] == [1] * 7
    assert await shop.kernel.db.fetchval("select count(*) from catalog_sold_card") == 7


async def test_one_buyer_gets_no_more_than_his_share(shop: Shop) -> None:
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(9)])
    sale = await open_sale(shop, variant, 9, per_buyer=3)
    buyer = await shop.member("100")
    assert code(await buy(shop, variant, buyer, 4)) == "FLASH_SALE_LIMIT"
    assert code(await buy(shop, variant, buyer, 2)) == "COMPLETED"
    # When he asks for one more in many requests at once
    codes = Counter(
        code(each) for each in await asyncio.gather(*(buy(shop, variant, buyer) for _ in range(8)))
    )
    # Then one of them has it
    assert codes == {"COMPLETED": 1, "FLASH_SALE_LIMIT": 7}
    assert await sold(shop, sale) == (3, 3)


async def test_what_a_poor_buyer_asked_for_goes_to_the_next(shop: Shop) -> None:
    """Who comes after him in the same batch is not told that all is sold."""
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(5)])
    sale = await open_sale(shop, variant, 1)
    poor = [await shop.member("1") for _ in range(6)]
    rich = await shop.member("100")
    placed = await asyncio.gather(*(buy(shop, variant, buyer) for buyer in [*poor, rich]))
    assert [code(each) for each in placed] == ["INSUFFICIENT_FUNDS"] * 6 + ["COMPLETED"]
    assert await sold(shop, sale) == (1, 1)


async def test_a_repeated_request_is_answered_the_same_after_all_is_sold(shop: Shop) -> None:
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(5)])
    await open_sale(shop, variant, 1)
    buyer, late = await shop.member("100"), await shop.member("100")
    first = await buy(shop, variant, buyer, key="once")
    assert code(first) == "COMPLETED"
    # When others were told that nothing is left
    assert code(await buy(shop, variant, late)) == "FLASH_SALE_SOLD_OUT"
    assert code(await buy(shop, variant, late)) == "FLASH_SALE_SOLD_OUT"
    # Then whoever lost his answer gets it again
    assert await buy(shop, variant, buyer, key="once") == first


async def test_a_reservation_that_expires_gives_its_piece_back(shop: Shop) -> None:
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(5)])
    sale = await open_sale(shop, variant, 1)
    buyer, next_one = await shop.member("100"), await shop.member("100")
    request = order_request(buyer.id, "later", [LineRequest(variant, 1)], "CNY", outside=True)
    await shop.kernel.services.get(Orders).place(request)
    assert await sold(shop, sale) == (1, 1)
    assert code(await buy(shop, variant, next_one)) == "FLASH_SALE_SOLD_OUT"
    # When nobody paid in time
    await shop.kernel.db.execute("update fulfilment_order set reserved_until = now() - interval '1 second'")
    await expire_unpaid(shop.kernel)
    assert await sold(shop, sale) == (0, 0)
    # Then the next one gets it, once the moment is over in which all was gone
    shop.kernel.services.get(KnownSales)._gone.clear()
    assert code(await buy(shop, variant, next_one)) == "COMPLETED"
    assert await sold(shop, sale) == (1, 1)


async def test_a_guest_gets_nothing_since_nobody_knows_what_he_had(shop: Shop) -> None:
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(5)])
    sale = await open_sale(shop, variant, 5)
    source = """mutation($input: PlaceGuestOrderInput!, $key: String!) {
        placeGuestOrder(input: $input) @idempotent(key: $key) { order { state } errors { code cure } } }"""
    lines = [{"variantId": global_id("Variant", variant), "quantity": 1}]
    value = {"contact": "guest@example.com", "lines": lines}
    answer = await shop.ask(
        "shop", source, {"input": value, "key": str(new_id())}, VISITOR, address="192.0.2.1"
    )
    assert answer.errors is None, answer.errors
    assert answer.data["placeGuestOrder"] == {
        "order": None,
        "errors": [{"code": "FLASH_SALE_LIMIT", "cure": "Register or log in, and order then."}],
    }
    assert await sold(shop, sale) == (0, 0)


async def test_a_sale_that_was_ended_leaves_the_variant_as_ever(shop: Shop) -> None:
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(5)])
    sale = await open_sale(shop, variant, 1)
    buyer = await shop.member("100")
    end = """mutation($id: ID!, $key: String!) { endFlashSale(input: {id: $id}) @idempotent(key: $key) {
        flashSale { state } errors { code } } }"""
    for expected in (
        {"flashSale": {"state": "OVER"}, "errors": []},
        {"flashSale": None, "errors": [{"code": "NOT_FOUND"}]},
    ):
        answer = await shop.ask(
            "admin", end, {"id": global_id("FlashSale", sale), "key": str(new_id())}, OWNER
        )
        assert answer.errors is None, answer.errors
        assert answer.data["endFlashSale"] == expected
    await known_again(shop)
    for _ in range(3):
        assert code(await buy(shop, variant, buyer)) == "COMPLETED"


async def test_a_buyer_sees_the_sale_at_its_variant(shop: Shop) -> None:
    variant = await shop.stock("A-1", "3", [f"A{n}" for n in range(5)])
    document = """query($id: ID!) { node(id: $id) { ... on Variant {
        flashSale { quantity perBuyer remaining state opensAt } } } }"""
    buyer = await shop.member("100")

    async def shown() -> Any:
        answer = await shop.ask("shop", document, {"id": global_id("Variant", variant)}, buyer)
        assert answer.errors is None, answer.errors
        return answer.data["node"]["flashSale"]

    assert await shown() is None
    await plan(shop, variant)
    await known_again(shop)
    assert await shown() == {
        "quantity": 3,
        "perBuyer": 1,
        "remaining": 3,
        "state": "UPCOMING",
        "opensAt": NEXT_HOUR.isoformat(),
    }


async def test_nobody_plans_without_the_permission(shop: Shop) -> None:
    variant = await shop.stock("A-1", "3", ["A1"])
    given = {
        "variantId": global_id("Variant", variant), "opensAt": NEXT_HOUR.isoformat(),
        "closesAt": (NEXT_HOUR + timedelta(hours=1)).isoformat(), "quantity": 1,
    }  # fmt: skip
    answer = await shop.ask("admin", PLAN, {"input": given, "key": "k"}, await shop.member("1"))
    assert answer.data["planFlashSale"]["flashSale"] is None
    assert [error["code"] for error in answer.data["planFlashSale"]["errors"]] == ["FORBIDDEN"]
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_flash_sale") == 0


@pytest.mark.parametrize("sql", ["sold = quantity + 1", "sold = -1", "per_buyer = 0", "closes_at = opens_at"])
async def test_the_database_refuses_what_must_not_be(shop: Shop, sql: str) -> None:
    variant = await shop.stock("A-1", "3", ["A1"])
    await open_sale(shop, variant, 2)
    with pytest.raises(asyncpg.CheckViolationError):
        await shop.kernel.db.execute(f"update fulfilment_flash_sale set {sql}")
