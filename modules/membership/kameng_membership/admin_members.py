"""The admin schema's part on members: finding them, their levels, blocking."""

from __future__ import annotations

from uuid import UUID

import strawberry

from kameng.errors import NotFound
from kameng.graphql import Connection, Context, Info, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import key_of
from kameng_membership.admin_types import (
    MANAGE_MEMBERS,
    READ_MEMBERS,
    ManagedMember,
    managed_member,
    managed_member_nodes,
)
from kameng_membership.levels import read_levels
from kameng_membership.managing import block, set_level, unblock
from kameng_membership.types import Level, member_rows

NEWEST = Keyset("members-newest", (("m.id", "uuid"),), descending=True)
BY_EMAIL = Keyset("members-by-email", (("m.email", "text"),))

_LONGEST_SEARCH = 254


@strawberry.type
class MembersQuery:
    """Queries on members."""

    @strawberry.field(
        description="Members, the newest first; with `search`, those whose address begins so, by address."
    )
    async def members(
        self,
        info: Info,
        search: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ManagedMember]:
        """A page of members."""
        info.context.require(READ_MEMBERS)
        page, prefix = PageRequest.of(first, after, last, before), (search or "").strip().lower()
        keyset = BY_EMAIL if prefix else NEWEST
        behind, tail, cursor = page.clauses(keyset, 2)
        rows = await info.context.db.fetch(
            f"select m.* from membership_member m where m.email like $1 and {behind} {tail}",
            _like(prefix),
            *cursor,
        )
        column = "email" if prefix else "id"
        return page.connection(rows, keyset, lambda row: [row[column]], managed_member)

    @strawberry.field(description="A member by id; null if there is none.")
    async def member(self, info: Info, id: strawberry.ID) -> ManagedMember | None:  # noqa: A002 - GraphQL's name
        """One member."""
        info.context.require(READ_MEMBERS)
        return (await managed_member_nodes(info.context, [key_of("Member", id)]))[0]

    @strawberry.field(description="All levels of members, in their order.")
    async def levels(self, info: Info) -> list[Level]:
        """All levels."""
        info.context.require(READ_MEMBERS)
        return [Level.of(level) for level in await read_levels(info.context.db)]


@strawberry.input(description="A member's new level.")
class SetMemberLevelInput:
    """A member's new level."""

    member_id: strawberry.ID
    level: str = strawberry.field(description="The level's code.")


@payload()
class SetMemberLevelPayload:
    """The member on its new level, or why it is not."""

    member: ManagedMember | None = None


@strawberry.input(description="A member to shut out.")
class BlockMemberInput:
    """A member to shut out."""

    member_id: strawberry.ID
    reason: str = strawberry.field(description="Why; it stays in the audit log, so it names no person.")


@payload()
class BlockMemberPayload:
    """The blocked member, or why it is not."""

    member: ManagedMember | None = None


@strawberry.input(description="A member to let in again.")
class UnblockMemberInput:
    """A member to let in again."""

    member_id: strawberry.ID


@payload()
class UnblockMemberPayload:
    """The member that may come in again, or why it may not."""

    member: ManagedMember | None = None


@strawberry.type
class MembersMutation:
    """Mutations on members."""

    @mutation
    async def set_member_level(
        self,
        info: Info,
        input: SetMemberLevelInput,  # noqa: A002 - GraphQL's name
    ) -> SetMemberLevelPayload:
        """Put a member on a level, and so on its prices."""
        info.context.require(MANAGE_MEMBERS)
        key = key_of("Member", input.member_id)
        await set_level(info.context, key, input.level)
        return SetMemberLevelPayload(member=await _member(info.context, key))

    @mutation
    async def block_member(
        self,
        info: Info,
        input: BlockMemberInput,  # noqa: A002 - GraphQL's name
    ) -> BlockMemberPayload:
        """Shut a member out; all of its sessions end at once."""
        info.context.require(MANAGE_MEMBERS)
        key = key_of("Member", input.member_id)
        await block(info.context, key, input.reason)
        return BlockMemberPayload(member=await _member(info.context, key))

    @mutation
    async def unblock_member(
        self,
        info: Info,
        input: UnblockMemberInput,  # noqa: A002 - GraphQL's name
    ) -> UnblockMemberPayload:
        """Let a blocked member in again."""
        info.context.require(MANAGE_MEMBERS)
        key = key_of("Member", input.member_id)
        await unblock(info.context, key)
        return UnblockMemberPayload(member=await _member(info.context, key))


def _like(prefix: str) -> str:
    escaped = prefix[:_LONGEST_SEARCH].replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return escaped.replace("\0", "") + "%"


async def _member(context: Context, key: UUID) -> ManagedMember:
    found = (await member_rows(context, [key]))[0]
    if found is None:
        raise NotFound("There is no such member.", cure="`members` lists them.")
    return managed_member(found)
