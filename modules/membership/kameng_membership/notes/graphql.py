"""Notes about members in the admin schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind
from kameng.db import Statement
from kameng.errors import InvalidInput, NotFound
from kameng.graphql import Connection, Context, Info, Node, mutation, payload
from kameng.graphql.nested import by_owner, for_each, pages_of
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id, key_of, new_id
from kameng_membership.admin_types import MANAGE_MEMBERS, READ_MEMBERS, ManagedMember
from kameng_membership.statements import LOCK_MEMBER

NEWEST = Keyset("member-notes-newest", (("n.id", "uuid"),), descending=True)

LONGEST = 2000
"""Characters of a note."""

_SHOWN = "select n.*, s.name as author_name from membership_note n join membership_staff s on s.id = n.author"

_ADD = Statement(
    "membership.add_note",
    "insert into membership_note (id, member, author, text, created_at) values ($1, $2, $3, $4, now())",
)
_BY_ID = Statement("membership.notes_by_id", f"{_SHOWN} where n.id = any($1::uuid[])")


@strawberry.type(description="Something that one of the staff wrote down about a member, for colleagues.")
class MemberNote(Node):
    """A note."""

    text: str
    author: str = strawberry.field(description="The name of who wrote it.")
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> MemberNote:
        """A row of `_SHOWN`."""
        return cls(
            id=strawberry.ID(global_id("MemberNote", row["id"])),
            text=row["text"],
            author=row["author_name"],
            created_at=row["created_at"],
        )


@strawberry.type
class NotedMember:
    """What notes add to a member in the back office."""

    @strawberry.field(description="What the staff wrote down, the newest first.")
    async def notes(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[MemberNote]:
        """A page of notes."""
        info.context.require(READ_MEMBERS)
        page = PageRequest.of(first, after, last, before)
        load = partial(_pages, info.context, page)
        member = key_of("Member", cast("ManagedMember", self).id)
        return await pages_of(info.context, "membership.notes", page, NEWEST, load).load(member)


@strawberry.input(description="Something to write down about a member.")
class AddMemberNoteInput:
    """Something to write down."""

    member_id: strawberry.ID
    text: str = strawberry.field(description=f"1 to {LONGEST} characters; the member never sees it.")


@payload()
class AddMemberNotePayload:
    """The note, or why it was not kept."""

    note: MemberNote | None = None


@strawberry.type
class NotesMutation:
    """Mutations of notes."""

    @mutation
    async def add_member_note(self, info: Info, input: AddMemberNoteInput) -> AddMemberNotePayload:  # noqa: A002 - GraphQL's name
        """Write something down about a member. Needs membership.manage_members."""
        context = info.context
        context.require(MANAGE_MEMBERS)
        author = context.principal.require_kind(PrincipalKind.STAFF, scope=MANAGE_MEMBERS)
        text, key = input.text.strip(), new_id()
        if not 1 <= len(text) <= LONGEST or "\0" in text:
            raise InvalidInput(
                "A note is needed." if not text else "The note cannot be kept as it is.",
                cure=f"Write 1 to {LONGEST} characters.",
                path=("input", "text"),
            )
        async with context.db.transaction():
            member = key_of("Member", input.member_id)
            if await context.db.fetchrow(LOCK_MEMBER, member) is None:
                raise NotFound("There is no such member.", cure="`members` lists them.")
            await context.db.execute(_ADD, key, member, author, text)
        return AddMemberNotePayload(note=(await note_nodes(context, [key]))[0])


async def note_nodes(context: Context, keys: Sequence[UUID]) -> list[MemberNote | None]:
    """Notes for ``node(id:)``; None for all without the permission to see members."""
    if not context.principal.may(READ_MEMBERS):
        return [None] * len(keys)
    found = {row["id"]: MemberNote.of(row) for row in await context.db.fetch(_BY_ID, list(keys))}
    return [found.get(key) for key in keys]


async def _pages(context: Context, page: PageRequest, members: list[UUID]) -> list[Connection[MemberNote]]:
    behind, tail, cursor = page.clauses(NEWEST, 2)
    sql = for_each(f"{_SHOWN} where n.member = owner.key and {behind} {tail}")
    found = by_owner(await context.db.fetch(sql, members, *cursor), members)
    return [page.connection(rows, NEWEST, lambda row: [row["id"]], MemberNote.of) for rows in found]
