"""A member's rights over his data in the shop schema."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind
from kameng.graphql import Context, Info, Node, mutation, payload
from kameng.ids import global_id
from kameng_membership.privacy.erasing import (
    StoredErasure,
    latest_erasure,
    request_erasure,
    withdraw_erasure,
)
from kameng_membership.privacy.exporting import StoredExport, exports_of, request_export
from kameng_membership.privacy.routes import PATH
from kameng_membership.refusals import WrongCredentials


@strawberry.enum(description="Where a copy of your data stands.")
class DataExportState(Enum):
    """Where a copy stands."""

    WAITING = "WAITING"
    READY = "READY"
    FAILED = "FAILED"
    OVER = "OVER"


@strawberry.type(description="A copy of what the shop keeps about you: a ZIP file of JSON files.")
class DataExport(Node):
    """A copy of a member's data."""

    key: strawberry.Private[UUID]
    state: DataExportState
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None = strawberry.field(description="Until when it can be fetched.")
    size: int = strawberry.field(description="Bytes.")

    @strawberry.field(description="Where to fetch it with your session; null unless it is ready.")
    def path(self) -> str | None:
        """Where it is fetched."""
        return f"{PATH}/{self.key}" if self.state is DataExportState.READY else None

    @classmethod
    def of(cls, stored: StoredExport) -> DataExport:
        """A copy as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("DataExport", stored.id)),
            key=stored.id,
            state=DataExportState(stored.state),
            requested_at=stored.requested_at,
            ready_at=stored.ready_at,
            expires_at=stored.expires_at,
            size=stored.size,
        )


@strawberry.enum(description="Where a request to erase your data stands.")
class ErasureState(Enum):
    """Where a request stands."""

    OPEN = "OPEN"
    WITHDRAWN = "WITHDRAWN"
    REFUSED = "REFUSED"
    DONE = "DONE"


@strawberry.type(description="A request to erase what the shop keeps about you.")
class ErasureRequest(Node):
    """A request to erase."""

    state: ErasureState
    requested_at: datetime
    decided_at: datetime | None
    answer: str = strawberry.field(description="Why it was refused; else empty.")

    @classmethod
    def of(cls, stored: StoredErasure) -> ErasureRequest:
        """A request as its member sees it."""
        return cls(
            id=strawberry.ID(global_id("ErasureRequest", stored.id)),
            state=ErasureState(stored.state),
            requested_at=stored.requested_at,
            decided_at=stored.decided_at,
            answer=stored.answer,
        )


@strawberry.type
class PrivacyQuery:
    """Queries on one's own data."""

    @strawberry.field(description="Copies of your data, the newest first, 10 at most; none for visitors.")
    async def data_exports(self, info: Info) -> list[DataExport]:
        """The viewer's copies."""
        member = _member(info.context)
        if member is None:
            return []
        return [DataExport.of(stored) for stored in await exports_of(info.context.kernel, member)]

    @strawberry.field(description="Your latest request to erase your data; null if there is none.")
    async def erasure_request(self, info: Info) -> ErasureRequest | None:
        """The viewer's latest request."""
        member = _member(info.context)
        found = None if member is None else await latest_erasure(info.context.kernel, member)
        return None if found is None else ErasureRequest.of(found)


@payload()
class RequestDataExportPayload:
    """The copy that is being made, or why none is."""

    data_export: DataExport | None = None


@payload(WrongCredentials)
class RequestErasurePayload:
    """The request, or why there is none."""

    erasure_request: ErasureRequest | None = None


@payload()
class WithdrawErasurePayload:
    """The request that was taken back, or why it was not."""

    erasure_request: ErasureRequest | None = None


@strawberry.type
class PrivacyMutation:
    """Mutations on one's own data."""

    @mutation(idempotency="none")
    async def request_data_export(self, info: Info) -> RequestDataExportPayload:
        """Have a copy of what the shop keeps about you made. It is ready after a while, and kept for 7 days."""
        member = info.context.principal.require_kind(PrincipalKind.MEMBER)
        return RequestDataExportPayload(data_export=DataExport.of(await request_export(info.context, member)))

    @mutation(idempotency="none")
    async def request_erasure(self, info: Info, password: str) -> RequestErasurePayload:
        """Ask for the erasure of what the shop keeps about you. The staff does it once nothing is owed; your account closes."""
        member = info.context.principal.require_kind(PrincipalKind.MEMBER)
        found = await request_erasure(info.context, member, password)
        return RequestErasurePayload(erasure_request=ErasureRequest.of(found))

    @mutation(idempotency="none")
    async def withdraw_erasure(self, info: Info) -> WithdrawErasurePayload:
        """Take your open request to erase your data back."""
        member = info.context.principal.require_kind(PrincipalKind.MEMBER)
        return WithdrawErasurePayload(
            erasure_request=ErasureRequest.of(await withdraw_erasure(info.context, member))
        )


async def export_nodes(context: Context, keys: Sequence[UUID]) -> list[DataExport | None]:
    """Copies for ``node(id:)``: everybody sees only his own."""
    member = _member(context)
    own = {} if member is None else {item.id: item for item in await exports_of(context.kernel, member)}
    return [DataExport.of(own[key]) if key in own else None for key in keys]


async def erasure_nodes(context: Context, keys: Sequence[UUID]) -> list[ErasureRequest | None]:
    """Requests for ``node(id:)``: one's own latest alone."""
    member = _member(context)
    own = None if member is None else await latest_erasure(context.kernel, member)
    return [ErasureRequest.of(own) if own is not None and own.id == key else None for key in keys]


def _member(context: Context) -> UUID | None:
    principal = context.principal
    return principal.id if principal.kind is PrincipalKind.MEMBER and principal.scopes is None else None
