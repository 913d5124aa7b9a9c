"""Lists within lists: the same page of many owners, in one statement however many owners there are.

A resolver of a list that hangs on an object asks a loader that all objects of the request share:

    loader = pages_of(info.context, "catalog.cards", page, BY_NUMBER, partial(_cards, info.context, page))
    return await loader.load(self.key)

and what it loads with joins a page to each key:

    sql = for_each(f"select c.* from catalog_card c where c.batch = owner.key and {behind} {tail}")
    rows = by_owner(await context.db.fetch(sql, keys, *cursor), keys)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from kameng.graphql.context import Context
from kameng.graphql.pages import Connection, Keyset, PageRequest

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


def pages_of(
    context: Context,
    name: str,
    page: PageRequest,
    keyset: Keyset,
    load: Callable[[list[K]], Awaitable[Sequence[Connection[T]]]],
) -> DataLoader[K, Connection[T]]:
    """The request's loader of one page of a list, by the owner's key.

    Args:
        context: the request.
        name: the list's, unique among all modules, such as ``catalog.cards``.
        page: which page of each owner's list.
        keyset: the order of the list.
        load: loads the pages of several owners, in their order.

    Raises:
        InvalidInput: the page's cursor is none of this list.
    """
    page.clauses(keyset, 1)  # told to each owner by itself, not to all of them through the loader
    return context.loader((pages_of, name, page), lambda _context: DataLoader(load))


def for_each(query: str) -> str:
    """A statement that runs a query for each of the keys in ``$1``, a list of UUIDs.

    Args:
        query: a select that calls the key ``owner.key``; its order is kept. Its own parameters begin with ``$2``.
    """
    return f"""
        select owner.place, page.*
        from unnest($1::uuid[]) with ordinality as owner(key, place)
        cross join lateral (select row_number() over () as number_in_page, found.* from ({query}) as found) as page
        order by owner.place, page.number_in_page
    """


def by_owner(rows: Sequence[Mapping[str, Any]], owners: Sequence[object]) -> list[list[Mapping[str, Any]]]:
    """The rows of a statement of `for_each`, for each key in its place."""
    found: list[list[Mapping[str, Any]]] = [[] for _ in owners]
    for row in rows:
        found[row["place"] - 1].append(row)
    return found
