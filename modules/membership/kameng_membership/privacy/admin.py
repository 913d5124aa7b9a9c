"""Requests to erase members' data in the admin schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.graphql import Connection, Context, Info, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id, key_of
from kameng_membership.admin_types import ManagedMember, managed_member_nodes
from kameng_membership.privacy.erasing import (
    ErasureDecided,
    MemberNotSettled,
    StoredErasure,
    erase_member,
    refuse_erasure,
    stored_erasure,
)
from kameng_membership.privacy.shop import ErasureRequest, ErasureState
from kameng_membership.privacy.statements import ERASURES_BY_ID

ERASE_MEMBERS = "membership.erase_members"
"""The permission to see requests to erase data, and to decide them."""

OLDEST = Keyset("erasure-requests-oldest", (("id", "uuid"),))


@strawberry.type(
    name="ErasureRequest", description="A member's request to erase what the shop keeps about him."
)
class ManagedErasureRequest(ErasureRequest):
    """A request as the staff sees it."""

    member_key: strawberry.Private[UUID]

    @strawberry.field(description="Whose it is; null without the permission to see members.")
    async def member(self, info: Info) -> ManagedMember | None:
        """The member."""
        return await info.context.loader(_MEMBERS, _member_loader).load(self.member_key)


_MEMBERS = object()


def _member_loader(context: Context) -> DataLoader[UUID, ManagedMember | None]:
    async def load(keys: list[UUID]) -> list[ManagedMember | None]:
        return await managed_member_nodes(context, keys)

    return DataLoader(load_fn=load)


@strawberry.type
class PrivacyAdminQuery:
    """Queries of the back office on members' rights over their data."""

    @strawberry.field(description="Requests to erase data, the oldest first. Needs membership.erase_members.")
    async def erasure_requests(
        self,
        info: Info,
        state: ErasureState = ErasureState.OPEN,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ManagedErasureRequest]:
        """A page of requests in one state."""
        info.context.require(ERASE_MEMBERS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(OLDEST, 2)
        rows = await info.context.db.fetch(
            f"select * from membership_erasure_request where state = $1 and {behind} {tail}",
            state.value,
            *cursor,
        )
        return page.connection(rows, OLDEST, lambda row: [row["id"]], _managed)


@payload(ErasureDecided, MemberNotSettled)
class EraseMemberPayload:
    """The request that was carried out, or why it was not."""

    erasure_request: ManagedErasureRequest | None = None


@strawberry.input(description="A request to refuse.")
class RefuseErasureInput:
    """A request to refuse."""

    request_id: strawberry.ID
    answer: str = strawberry.field(description="Why, for the member; 1 to 500 characters.")


@payload(ErasureDecided)
class RefuseErasurePayload:
    """The request that was refused, or why it was not."""

    erasure_request: ManagedErasureRequest | None = None


@strawberry.type
class PrivacyAdminMutation:
    """Mutations of the back office on members' rights over their data."""

    @mutation
    async def erase_member(self, info: Info, request_id: strawberry.ID) -> EraseMemberPayload:
        """Erase what a member asked to have erased, for good, and close the account. Needs membership.erase_members."""
        info.context.require(ERASE_MEMBERS)
        done = await erase_member(info.context, key_of("ErasureRequest", request_id))
        return EraseMemberPayload(erasure_request=_of(done))

    @mutation
    async def refuse_erasure(self, info: Info, input: RefuseErasureInput) -> RefuseErasurePayload:  # noqa: A002 - GraphQL's name
        """Refuse a request, and tell the member why. Needs membership.erase_members."""
        info.context.require(ERASE_MEMBERS)
        refused = await refuse_erasure(info.context, key_of("ErasureRequest", input.request_id), input.answer)
        return RefuseErasurePayload(erasure_request=_of(refused))


async def managed_erasure_nodes(context: Context, keys: Sequence[UUID]) -> list[ManagedErasureRequest | None]:
    """Requests for ``node(id:)`` in the back office."""
    if not context.principal.may(ERASE_MEMBERS):
        return [None] * len(keys)
    found = {row["id"]: _managed(row) for row in await context.db.fetch(ERASURES_BY_ID, list(keys))}
    return [found.get(key) for key in keys]


def _managed(row: Mapping[str, Any]) -> ManagedErasureRequest:
    return _of(stored_erasure(row))


def _of(stored: StoredErasure) -> ManagedErasureRequest:
    return ManagedErasureRequest(
        id=strawberry.ID(global_id("ErasureRequest", stored.id)),
        member_key=stored.member,
        state=ErasureState(stored.state),
        requested_at=stored.requested_at,
        decided_at=stored.decided_at,
        answer=stored.answer,
    )
