"""The ledger's own promises: keys, reversals, immutability, currencies, floors."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import asyncpg
import pytest

from kameng.errors import Conflict, NotFound
from kameng.ids import new_id
from kameng_settlement.chart import OPERATOR_FUNDS, SALES, house, wallet_of
from kameng_settlement.contract import Charged, InsufficientFunds
from kameng_settlement.folding import fold_balances
from kameng_settlement.ledger import AlreadyReversed, Entry, Posted, Transfer
from kameng_settlement.rights import grants

from .conftest import CNY, Books, order

JOURNALS = ("settlement_ledger_transaction", "settlement_posting")


async def test_the_same_key_and_input_is_posted_once_and_answers_the_same(books: Books) -> None:
    member = new_id()
    first = await books.credit(member, 500, key="credit:1")
    again = await books.credit(member, 500, key="credit:1")
    assert (first.fresh, again) == (True, Posted(first.transaction, fresh=False))
    assert await books.balances([member]) == [500]


async def test_the_same_key_and_another_input_is_a_conflict_that_changes_nothing(books: Books) -> None:
    member = new_id()
    await books.credit(member, 500, key="credit:1")
    before = await books.size()
    with pytest.raises(Conflict) as refused:
        await books.credit(member, 501, key="credit:1")
    assert refused.value.code == "CONFLICT"
    assert await books.balances([member]) == [500]
    assert await books.size() == before


async def test_one_of_many_posts_with_the_same_key_writes_and_all_answer_the_same(books: Books) -> None:
    member = new_id()
    answers = await asyncio.gather(*(books.credit(member, 500, key="credit:1") for _ in range(16)))
    assert len({answer.transaction for answer in answers}) == 1
    assert Counter(answer.fresh for answer in answers) == {True: 1, False: 15}
    assert await books.balances([member]) == [500]


async def _reverse(books: Books, transaction: UUID, key: str | None = None) -> Posted:
    async with books.kernel.db.transaction():
        return await books.ledger.reverse(transaction, key=key or f"reversal:{new_id()}")


async def test_a_reversal_restores_every_balance(books: Books) -> None:
    # Given a sale
    member = await books.rich(1000)
    before = (await books.balances([member]), await books.sales())
    [sale] = await books.charge(order(member, 300))
    assert isinstance(sale, Charged)
    # When it is taken back
    reversal = await _reverse(books, sale.transaction)
    # Then everything is as before, and both stand in the journal
    assert (await books.balances([member]), await books.sales()) == before
    assert (
        await books.kernel.db.fetchval(
            "select reverses from settlement_ledger_transaction where id = $1", reversal.transaction
        )
        == sale.transaction
    )
    assert (await books.verified()).ok


async def test_a_transaction_is_reversed_once_however_many_try(books: Books) -> None:
    member = await books.rich(1000)
    [sale] = await books.charge(order(member, 300))
    assert isinstance(sale, Charged)
    tries = (_reverse(books, sale.transaction) for _ in range(12))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert Counter(type(answer) for answer in answers) == {Posted: 1, AlreadyReversed: 11}
    assert await books.balances([member]) == [1000]


async def test_a_repeated_reversal_answers_the_same(books: Books) -> None:
    member = await books.rich(1000)
    [sale] = await books.charge(order(member, 300))
    assert isinstance(sale, Charged)
    first = await _reverse(books, sale.transaction, "reversal:1")
    assert await _reverse(books, sale.transaction, "reversal:1") == Posted(first.transaction, fresh=False)


async def test_a_reversal_is_final(books: Books) -> None:
    credit = await books.credit(new_id(), 100)
    reversal = await _reverse(books, credit.transaction)
    with pytest.raises(AlreadyReversed):
        await _reverse(books, reversal.transaction)


async def test_a_credit_that_was_spent_cannot_be_taken_back(books: Books) -> None:
    member = new_id()
    credit = await books.credit(member, 100)
    await books.charge(order(member, 60))
    before = await books.size()
    with pytest.raises(InsufficientFunds):
        await _reverse(books, credit.transaction)
    assert await books.balances([member]) == [40]
    assert await books.size() == before


async def test_there_is_nothing_to_reverse_where_nothing_was_posted(books: Books) -> None:
    with pytest.raises(NotFound):
        await _reverse(books, new_id())


@pytest.mark.parametrize("table", JOURNALS)
@pytest.mark.parametrize(
    "change",
    [
        "update {table} set {column} = {column}",
        "delete from {table}",
        "truncate {table} cascade",
        "delete from {table} where false",
    ],
)
async def test_a_journal_is_never_changed_not_even_by_its_owner(
    books: Books, table: str, change: str
) -> None:
    # Given an entry, and a session as the role that owns the table
    await books.credit(new_id(), 100)
    column = {"settlement_ledger_transaction": "memo", "settlement_posting": "amount"}[table]
    before = await books.size()
    # When it tries, then the database refuses
    with pytest.raises(asyncpg.RestrictViolationError, match="never changed"):
        await books.kernel.db.execute(change.format(table=table, column=column))
    assert await books.size() == before


async def test_a_role_that_only_serves_has_no_right_to_change_a_journal(books: Books) -> None:
    # Given a role of the server to whom the tables' owner grants what `kameng ledger rights` prints
    role, rights = "pg_monitor", ("select", "insert", "update", "delete", "truncate")
    for line in grants(role).splitlines():
        await books.kernel.db.execute(line)
    # Then it may read and add everywhere, and change only balances and accounts
    held = {
        table: {
            right
            for right in rights
            if await books.kernel.db.fetchval("select has_table_privilege($1, $2, $3)", role, table, right)
        }
        for table in (*JOURNALS, "settlement_balance")
    }
    assert held == {
        "settlement_ledger_transaction": {"select", "insert"},
        "settlement_posting": {"select", "insert"},
        "settlement_balance": {"select", "insert", "update", "delete"},
    }


async def test_money_of_two_currencies_cannot_meet(books: Books) -> None:
    # Given a wallet in yuan and funds in dollars
    wallet, funds = wallet_of(new_id(), "CNY"), house(OPERATOR_FUNDS, "USD")
    accounts = await books.ledger.accounts.open((wallet, funds))
    # When a posting would join them, in either currency, then the database refuses
    for currency in ("CNY", "USD"):
        transfer = Transfer(accounts[funds], accounts[wallet], 100, currency)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with books.kernel.db.transaction():
                await books.ledger.post(Entry(key=f"mixed:{currency}", kind="test", transfers=(transfer,)))
    assert await books.size() == (0, 0)


@pytest.mark.parametrize("minor", [0, -1])
async def test_a_posting_moves_more_than_nothing(books: Books, minor: int) -> None:
    funds, sales = house(OPERATOR_FUNDS, CNY), house(SALES, CNY)
    accounts = await books.ledger.accounts.open((funds, sales))
    transfer = Transfer(accounts[funds], accounts[sales], minor, CNY)
    with pytest.raises(asyncpg.CheckViolationError, match=r"some_money|counted_up"):
        async with books.kernel.db.transaction():
            await books.ledger.post(Entry(key="nothing", kind="test", transfers=(transfer,)))
    assert await books.size() == (0, 0)


async def test_a_posting_needs_two_accounts(books: Books) -> None:
    funds = house(OPERATOR_FUNDS, CNY)
    account = (await books.ledger.accounts.open([funds]))[funds]
    with pytest.raises(asyncpg.CheckViolationError, match="settlement_posting_two_accounts"):
        async with books.kernel.db.transaction():
            await books.ledger.post(
                Entry(key="loop", kind="test", transfers=(Transfer(account, account, 1, CNY),))
            )


async def test_the_floor_is_kept_by_the_database_itself(books: Books) -> None:
    # Given a wallet with 1.00, and code that forgets to look
    wallet, sales = wallet_of(await books.rich(100), CNY), house(SALES, CNY)
    accounts = await books.ledger.accounts.open((wallet, sales))
    transfer = Transfer(accounts[wallet], accounts[sales], 101, CNY)
    # When it writes 1.01 out of it, then a constraint refuses
    with pytest.raises(asyncpg.CheckViolationError, match="settlement_balance_floor_kept"):
        async with books.kernel.db.transaction():
            await books.ledger.write([Entry(key="careless", kind="test", transfers=(transfer,))])
    assert await books.balances([wallet.owner]) == [100]


async def test_a_wallet_has_one_balance_row_and_cannot_be_posted_to_without(books: Books) -> None:
    wallet = wallet_of(await books.rich(100), CNY)
    account = (await books.ledger.accounts.open([wallet]))[wallet]
    for bounded, floor in ((True, 0), (False, None)):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await books.kernel.db.execute(
                "insert into settlement_balance (account, bounded, floor) values ($1, $2, $3)",
                account,
                bounded,
                floor,
            )


async def test_accounts_opened_by_many_at_once_are_opened_once(books: Books) -> None:
    wallet, funds = wallet_of(new_id(), CNY), house(OPERATOR_FUNDS, CNY)
    answers = await asyncio.gather(*(books.ledger.accounts.open((wallet, funds)) for _ in range(16)))
    assert all(answer == answers[0] for answer in answers)
    assert await books.kernel.db.fetchval("select count(*) from settlement_account") == 2
    assert await books.kernel.db.fetchval("select count(*) from settlement_balance") == 1


async def test_an_account_that_was_opened_in_vain_is_not_remembered(books: Books) -> None:
    # Given the shop's first sale, which fails
    member, funds = new_id(), house(OPERATOR_FUNDS, CNY)
    with pytest.raises(RuntimeError):
        async with books.kernel.db.transaction():
            await books.ledger.accounts.open([funds])
            raise RuntimeError
    # When the next one comes, then the account is opened anew
    assert (await books.credit(member, 100)).fresh
    assert await books.balances([member]) == [100]


async def test_folding_leaves_one_row_of_a_busy_account_and_every_balance_as_it_was(books: Books) -> None:
    # Given sales in fifty batches
    member = await books.rich(10_000)
    for _ in range(50):
        await books.charge(order(member, 10))
    rows = "select count(*) from settlement_balance where not bounded"
    assert await books.kernel.db.fetchval(rows) == 51
    # When several processes fold while others sell
    await asyncio.gather(
        *(fold_balances(books.kernel) for _ in range(4)), *(books.charge(order(member, 1)) for _ in range(20))
    )
    await fold_balances(books.kernel)
    # Then nothing was lost or counted twice
    assert await books.kernel.db.fetchval(rows) == 2
    assert await books.sales() == 520
    assert (await books.verified()).ok
