"""Saved views in the admin schema. Each person has a few, and sees none of others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind
from kameng.db import Statement
from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.graphql import Context, Info, Node, mutation, payload
from kameng.ids import global_id, key_of, new_id

MOST_VIEWS = 50
"""Views that one person keeps of one list."""

_LIST = re.compile(r"[a-z][a-z_]{0,39}")
_NOT_KEPT = {"after", "before", "first", "last", "lang"}

VIEWS_OF = Statement(
    "fulfilment.views_of",
    # Served by the unique constraint fulfilment_saved_view_once.
    f"select * from fulfilment_saved_view where staff = $1 and list = $2 order by name limit {MOST_VIEWS}",
)

SAVE_VIEW = Statement(
    "fulfilment.save_view",
    f"""
    insert into fulfilment_saved_view (id, staff, list, name, query, created_at)
    select $1::uuid, $2::uuid, $3::text, $4::text, $5::text, now()
    where (select count(*) from fulfilment_saved_view where staff = $2 and list = $3 and name <> $4) < {MOST_VIEWS}
    on conflict (staff, list, name) do update set query = excluded.query
    returning *
    """,
)

DELETE_VIEW = Statement(
    "fulfilment.delete_view", "delete from fulfilment_saved_view where id = $1 and staff = $2 returning *"
)


class TooManyViews(Refusal):
    """Somebody has as many saved views of a list as there may be."""

    code = "TOO_MANY_VIEWS"


@strawberry.type(description="A list of the back office as you saved it.")
class SavedView(Node):
    """A saved view."""

    list: str = strawberry.field(description="Which list, such as orders.")
    name: str
    query: str = strawberry.field(description="What follows the question mark of the list's address.")
    created_at: datetime

    @classmethod
    def of(cls, row: Any) -> SavedView:
        """A row as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("SavedView", row["id"])),
            list=row["list"],
            name=row["name"],
            query=row["query"],
            created_at=row["created_at"],
        )


@strawberry.input(description="A view to keep; one of the same name is replaced.")
class SaveViewInput:
    """A view to keep."""

    list: str = strawberry.field(description="Which list, such as orders.")
    name: str = strawberry.field(description="1 to 60 characters.")
    query: str = strawberry.field(
        description="What follows the question mark of the list's address; where a page begins is left out."
    )


@payload(TooManyViews)
class SaveViewPayload:
    """The view, or why it is not kept."""

    view: SavedView | None = None


@payload()
class DeleteViewPayload:
    """The view that is gone, or why it is not."""

    view: SavedView | None = None


@strawberry.type
class ViewsQuery:
    """Queries on saved views."""

    @strawberry.field(description="Your saved views of a list, by name; at most 50.")
    async def saved_views(self, info: Info, list: str) -> list[SavedView]:  # noqa: A002 - GraphQL's name
        """One's own views."""
        person = info.context.principal.require_kind(PrincipalKind.STAFF)
        return [SavedView.of(row) for row in await info.context.db.fetch(VIEWS_OF, person, list[:40])]


@strawberry.type
class ViewsMutation:
    """Mutations on saved views."""

    @mutation
    async def save_view(self, info: Info, input: SaveViewInput) -> SaveViewPayload:  # noqa: A002 - GraphQL's name
        """Keep a list as it is narrowed down, under a name."""
        person = info.context.principal.require_kind(PrincipalKind.STAFF)
        name = " ".join(input.name.split())
        if not 1 <= len(name) <= 60 or not name.isprintable():
            raise InvalidInput(
                "This is no name of a view.", cure="Write 1 to 60 plain characters.", path=("input", "name")
            )
        if not _LIST.fullmatch(input.list):
            raise InvalidInput("There is no such list.", path=("input", "list"))
        row = await info.context.db.fetchrow(
            SAVE_VIEW, new_id(), person, input.list, name, _plain_query(input.query)
        )
        if row is None:
            raise TooManyViews(
                f"You have {MOST_VIEWS} views of this list.", cure="Delete one that you need no more."
            )
        return SaveViewPayload(view=SavedView.of(row))

    @mutation
    async def delete_view(self, info: Info, id: strawberry.ID) -> DeleteViewPayload:  # noqa: A002 - GraphQL's name
        """Keep one of your views no more."""
        person = info.context.principal.require_kind(PrincipalKind.STAFF)
        row = await info.context.db.fetchrow(DELETE_VIEW, key_of("SavedView", id), person)
        if row is None:
            raise NotFound("There is no such view of yours.", cure="Load the list again.")
        return DeleteViewPayload(view=SavedView.of(row))


def _plain_query(text: str) -> str:
    """A query as it is kept: pairs of name and value, without where a page begins."""
    pairs = [
        (name, value)
        for name, value in parse_qsl(text.lstrip("?")[:2_000])
        if name not in _NOT_KEPT and not name.startswith("_")
    ]
    query = urlencode(pairs)
    if len(query) > 1_000:
        raise InvalidInput(
            "This is too much for a view.", cure="Narrow the list down by less.", path=("input", "query")
        )
    return query


async def view_nodes(context: Context, keys: Sequence[UUID]) -> list[SavedView | None]:
    """Views by key; None for those of others."""
    rows = await context.db.fetch(
        "select * from fulfilment_saved_view where id = any($1::uuid[]) and staff = $2",
        list(keys),
        context.principal.id,
    )
    found = {row["id"]: SavedView.of(row) for row in rows}
    return [found.get(key) for key in keys]
