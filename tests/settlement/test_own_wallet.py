"""What a member sees of his wallet beside its lines: what was there after each, what a top-up brings, a copy of it all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from kameng.db import counted_statements
from kameng.ids import new_id
from kameng_settlement.payments.loading_statements import ADD_BONUS
from kameng_settlement.personal_data import PERSONAL_DATA

from .conftest import Ask, Books, buyer, order

STATEMENT = """
query ($first: Int, $after: String, $last: Int, $before: String) { viewer { wallet {
  statement(first: $first, after: $after, last: $last, before: $before) {
    nodes { amount { amount } balanceAfter { amount } } pageInfo { startCursor endCursor }
  }
} } }
"""
TERMS = """
{ viewer { topUpTerms { least { amount } most { amount }
  offers { name from { amount } percent fixed { amount } most { amount } once } } } }
"""


async def page(ask: Ask, member: UUID, **values: Any) -> tuple[list[tuple[str, str]], Any]:
    data = await ask("shop", STATEMENT, values, principal=buyer(member))
    found = data["viewer"]["wallet"]["statement"]
    rows = [(row["amount"]["amount"], row["balanceAfter"]["amount"]) for row in found["nodes"]]
    return rows, found["pageInfo"]


async def test_each_line_tells_what_was_there_after_it_on_whatever_page(books: Books, ask: Ask) -> None:
    # Given a wallet with five movements
    member = await books.member()
    await books.credit(member, 10_00)
    await books.charge(order(member, 2_50))
    await books.credit(member, 1_00)
    await books.charge(order(member, 3_25))
    await books.credit(member, 40_00)
    expected = [
        ("40.00", "45.25"),
        ("-3.25", "5.25"),
        ("1.00", "8.50"),
        ("-2.50", "7.50"),
        ("10.00", "10.00"),
    ]
    # When it is read at once, page by page and backwards, then the balances are the same
    with counted_statements() as statements:
        whole, _ = await page(ask, member)
    assert whole == expected
    assert sum("settlement.balance_after_line" in text for text in statements) == 1
    first, info = await page(ask, member, first=2)
    second, _ = await page(ask, member, first=2, after=info["endCursor"])
    assert first + second == expected[:4]
    oldest, info = await page(ask, member, last=2)
    before, _ = await page(ask, member, last=2, before=info["startCursor"])
    assert before + oldest == expected[1:]
    # and money that comes in meanwhile does not change what was there before
    await books.credit(member, 1)
    assert (await page(ask, member, first=6))[0][1:] == expected


async def test_a_member_knows_what_a_top_up_brings_before_he_pays(books: Books, ask: Ask) -> None:
    member, now = await books.member(), datetime.now(UTC)
    for name, currency, least, percent, fixed, most, once, starts, ends in (
        ("five percent", "CNY", 100_00, 50_000, 0, 30_00, False, now - timedelta(1), None),
        ("welcome", "CNY", 10_00, 0, 2_00, None, True, now - timedelta(1), now + timedelta(1)),
        ("to come", "CNY", 10_00, 0, 9_00, None, False, now + timedelta(1), None),
        ("over", "CNY", 10_00, 0, 9_00, None, False, now - timedelta(2), now - timedelta(1)),
        ("elsewhere", "USD", 10_00, 0, 9_00, None, False, now - timedelta(1), None),
    ):
        values = (new_id(), name, currency, least, percent, fixed, most, once, starts, ends)
        await books.kernel.db.execute(ADD_BONUS, *values)
    terms = (await ask("shop", TERMS, principal=buyer(member)))["viewer"]["topUpTerms"]
    assert (terms["least"], terms["most"]) == ({"amount": "1.00"}, {"amount": "50000.00"})
    assert [
        (o["name"], o["percent"], o["fixed"]["amount"], o["most"], o["once"]) for o in terms["offers"]
    ] == [
        ("welcome", "0", "2.00", None, True),
        ("five percent", "5", "0.00", {"amount": "30.00"}, False),
    ]


async def test_a_copy_of_a_members_data_holds_his_lines_and_money_holds_the_erasure_up(books: Books) -> None:
    member, other = await books.member(), await books.member()
    await books.credit(member, 10_00)
    await books.credit(other, 7_00)
    assert PERSONAL_DATA.unsettled is not None
    assert await PERSONAL_DATA.unsettled(books.kernel, member) == "The wallet holds 10.00 CNY."
    await books.charge(order(member, 10_00))
    rows = await PERSONAL_DATA.collect(books.kernel, member)
    assert [(row["kind"], row["amount"]) for row in rows] == [
        ("charge", "-10.00"),
        ("manual_credit", "10.00"),
    ]
    assert await PERSONAL_DATA.unsettled(books.kernel, member) is None
