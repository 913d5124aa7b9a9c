"""The same page of many owners' lists comes in one statement, each with its own rows in their order."""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import UUID

import pytest

from kameng.db import counted_statements
from kameng.errors import InvalidInput
from kameng.graphql import Context
from kameng.graphql.nested import by_owner, for_each, pages_of
from kameng.graphql.pages import Connection, Keyset, PageRequest
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels

BY_NUMBER = Keyset("things", (("t.number", "bigint"),))


@pytest.fixture
async def kernel(make_kernel: Kernels) -> Kernel:
    kernel = await make_kernel([], migrated=False)
    await kernel.db.execute("create table thing (number bigint, owner uuid)")
    return kernel


async def fill(kernel: Kernel, *sizes: int) -> list[UUID]:
    """Owners of so many things each; numbers grow from owner to owner."""
    owners = [new_id() for _ in sizes]
    rows = [owner for owner, size in zip(owners, sizes, strict=True) for _ in range(size)]
    await kernel.db.executemany("insert into thing values ($1, $2)", enumerate(rows, start=1))
    return owners


async def numbers(context: Context, page: PageRequest, owners: list[UUID]) -> list[Connection[int]]:
    behind, tail, cursor = page.clauses(BY_NUMBER, 2)
    query = f"select t.number from thing t where t.owner = owner.key and {behind} {tail}"
    rows = await context.db.fetch(for_each(query), owners, *cursor)
    return [
        page.connection(group, BY_NUMBER, lambda row: [row["number"]], lambda row: row["number"])
        for group in by_owner(rows, owners)
    ]


async def things(context: Context, owner: UUID, **arguments: int | str) -> Connection[int]:
    """A resolver of a nested list."""
    page = PageRequest.of(**arguments)  # type: ignore[arg-type]  # sizes are numbers, cursors texts
    loader = pages_of(context, "things", page, BY_NUMBER, partial(numbers, context, page))
    return await loader.load(owner)


async def test_pages_of_many_owners_come_in_one_statement(kernel: Kernel) -> None:
    # given owners of three things, of none and of one
    owners = await fill(kernel, 3, 0, 1)
    context = Context(kernel)

    # when a page of each is asked for
    with counted_statements() as statements:
        pages = await asyncio.gather(*(things(context, owner, first=2) for owner in owners))

    # then each has its own rows, and knows whether there are more
    assert [page.items for page in pages] == [[1, 2], [], [4]]
    assert [page.has_next for page in pages] == [True, False, False]
    assert len(statements) == 1


async def test_pages_go_backwards_and_on_from_a_cursor(kernel: Kernel) -> None:
    owners = await fill(kernel, 4, 4)
    context = Context(kernel)
    last = await asyncio.gather(*(things(context, owner, last=2) for owner in owners))
    assert [page.items for page in last] == [[3, 4], [7, 8]]

    cursor = last[1].cursor_of(0)
    before = await asyncio.gather(*(things(context, owner, last=2, before=cursor) for owner in owners))
    assert [page.items for page in before] == [[3, 4], [5, 6]]
    assert [page.has_previous for page in before] == [True, False]


async def test_different_pages_of_one_list_do_not_mix(kernel: Kernel) -> None:
    (owner,) = await fill(kernel, 3)
    context = Context(kernel)
    one, two = await asyncio.gather(things(context, owner, first=1), things(context, owner, first=2))
    assert (one.items, two.items) == ([1], [1, 2])


async def test_a_wrong_cursor_is_refused(kernel: Kernel) -> None:
    (owner,) = await fill(kernel, 1)
    with pytest.raises(InvalidInput, match="no cursor of this list"):
        await things(Context(kernel), owner, first=1, after="AAAA")
