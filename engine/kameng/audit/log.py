"""The audit log of one kernel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.audit import statements
from kameng.audit.chaining import chain_pending
from kameng.audit.details import JSON, details_json, storable
from kameng.audit.errors import AuditEntryError
from kameng.audit.listing import AuditPage, read_page
from kameng.audit.report import Anchor, Report
from kameng.audit.verification import verify
from kameng.ids import new_id

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel

LONGEST_NAME = 200
"""Characters that an action or a subject may have; an address or correlation id is cut there."""


class AuditLog:
    """Who did what, append-only and hash-chained.

        async with kernel.db.transaction():
            …
            await kernel.audit.record(
                "settlement.credit_wallet", principal=principal, subject=f"wallet:{wallet}",
                details={"amount": 5000}
            )

    An entry commits or falls with the work it tells of. It cannot be changed or taken back, so name people by
    their ids: what must be erasable does not belong here.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def record(
        self,
        action: str,
        *,
        principal: Principal,
        subject: str,
        details: Mapping[str, JSON] | None = None,
        correlation_id: str = "",
        address: str = "",
    ) -> UUID:
        """Write an entry, inside the transaction around it; returns its id.

        Args:
            action: ``module.what_was_done``, stable.
            principal: who did it.
            subject: what it was done to, such as ``order:0189…``; found again by the very same text.
            details: what else matters, as plain JSON; values of keys that name a secret are masked.
            correlation_id: ties together what one request caused.
            address: the network address that the request came from.

        Raises:
            SecretInEntryError: a value of the details is a `Secret`.
            AuditEntryError: the details are no JSON or too long, or action or subject is empty or too long.
        """
        for name, text in (("action", action), ("subject", subject)):
            if not 1 <= len(text) <= LONGEST_NAME:
                raise AuditEntryError(
                    f"The {name} of an audit entry has {len(text)} characters, not 1 to {LONGEST_NAME}.",
                    cure="Give it a short stable name, and put the rest into the details.",
                )
        entry = new_id()
        await self._kernel.db.execute(
            statements.RECORD,
            entry,
            storable(action),
            principal.kind.value,
            principal.id,
            storable(subject),
            details_json(details or {}),
            storable(address[:LONGEST_NAME]),
            storable(correlation_id[:LONGEST_NAME]),
        )
        return entry

    async def page(
        self,
        *,
        action: str | None = None,
        principal_id: UUID | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> AuditPage:
        """A page of entries, the newest first.

        Args:
            action, principal_id, subject: only entries with exactly this one.
            since, until: only entries from then on, and before then.
            after: the cursor that the page before gave as `next`.
            limit: how many at most, 1 to 200.

        Raises:
            InvalidInput: the cursor is none of ours, or the limit is out of range.
        """
        return await read_page(
            self._kernel.db,
            action=action,
            principal_id=principal_id,
            subject=subject,
            since=since,
            until=until,
            after=after,
            limit=limit,
        )

    async def chain(self) -> int:
        """Chain what waits for it; see `chain_pending`."""
        return await chain_pending(self._kernel)

    async def verify(self, anchor: Anchor | None = None) -> Report:
        """Prove that the log is as it was written; see `kameng.audit.verification.verify`."""
        return await verify(self._kernel, anchor)
