"""Refunds whose end people say, in the back office."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.auth import PrincipalKind
from kameng.graphql import Connection, Context, Info, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng_settlement.payments.errors import RefundNotOpen, SamePerson
from kameng_settlement.payments.graphql.admin_types import PaymentRefund, load_account
from kameng_settlement.payments.graphql.types import Payment
from kameng_settlement.payments.permissions import READ_PAYMENTS, SETTLE_REFUNDS
from kameng_settlement.payments.records import payment_of, refund_of
from kameng_settlement.payments.refund_verdicts import claim_of, people_may_settle, settle_by_people
from kameng_settlement.payments.statements import PAYMENTS_BY_ID, REFUND_BY_NUMBER, VERDICTS_OF

OLDEST = Keyset("open-refunds-oldest", (("id", "uuid"),))
"""Refunds whose end is not known, the oldest first."""


@strawberry.enum(description="What a person says became of a refund.")
class RefundVerdict(Enum):
    """What a person says became of a refund."""

    SUCCEEDED = strawberry.enum_value("SUCCEEDED", description="The payer has his money.")
    FAILED = strawberry.enum_value("FAILED", description="He has not; it goes into his wallet again.")


@strawberry.input(description="What became of a refund, and how that is known.")
class SettleRefundInput:
    """What became of a refund."""

    number: str = strawberry.field(description="The refund's number.")
    verdict: RefundVerdict
    evidence: str = strawberry.field(description="How it is known, such as the line of a statement.")
    reference: str = strawberry.field(default="", description="What the gateway calls the refund.")


@payload(RefundNotOpen, SamePerson)
class SettleRefundPayload:
    """The refund, or why nothing was noted."""

    refund: PaymentRefund | None = None
    payment: Payment | None = None
    settled: bool = strawberry.field(default=False, description="False: it waits for a second person.")


class RefundForPeople:
    """What the back office sees of a refund whose end people say."""

    @strawberry.field(description="Whether its end is for two persons to say; see settleRefund.")
    async def settleable(self, info: Info) -> bool:
        """Whether people may settle it."""
        stored = cast("PaymentRefund", self).stored
        account = await load_account(info.context, stored.account)
        return people_may_settle(stored, account.gateway)

    @strawberry.field(
        description="What first persons have said became of it; a second one has to say the same."
    )
    async def verdicts(self, info: Info) -> list[RefundVerdict]:
        """What was said of it."""
        rows = await info.context.loader(_VERDICTS, _loader).load(cast("PaymentRefund", self).stored.id)
        said = {row["reference"] for row in rows}
        return [verdict for verdict in RefundVerdict if claim_of(verdict is RefundVerdict.SUCCEEDED) in said]


@strawberry.type
class RefundVerdictQuery:
    """Queries of refunds whose end is not known."""

    @strawberry.field(
        description="Refunds that were sent and whose end is not known, the oldest first. Needs settlement.read_payments."
    )
    async def open_refunds(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[PaymentRefund]:
        """A page of refunds; those that are on their way in order are few at any time."""
        info.context.require(READ_PAYMENTS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(OLDEST, 1)
        rows = await info.context.db.fetch(
            f"""select * from settlement_payment_refund
                where state in ('REQUESTED', 'ACCEPTED') and sends > 0 and {behind} {tail}""",
            *cursor,
        )
        return page.connection(
            rows, OLDEST, lambda row: [row["id"]], lambda row: PaymentRefund.of(refund_of(row))
        )


@strawberry.type
class RefundVerdictMutation:
    """Mutations on refunds whose end is not known."""

    @mutation
    async def settle_refund(self, info: Info, input: SettleRefundInput) -> SettleRefundPayload:  # noqa: A002 - GraphQL's name
        """Say what became of a refund that its gateway does not tell of. Once two persons have said the same, it counts."""
        context = info.context
        context.require(SETTLE_REFUNDS)
        person = context.principal.require_kind(PrincipalKind.STAFF)
        settled = await settle_by_people(
            context,
            input.number.strip(),
            succeeded=input.verdict is RefundVerdict.SUCCEEDED,
            evidence=input.evidence,
            reference=input.reference,
            person=person,
        )
        row = await context.db.fetchrow(REFUND_BY_NUMBER, input.number.strip())
        assert row is not None  # noqa: S101 - it was there just now
        refund = refund_of(row)
        (paid,) = await context.db.fetch(PAYMENTS_BY_ID, [refund.payment])
        return SettleRefundPayload(
            refund=PaymentRefund.of(refund), payment=Payment.of(payment_of(paid)), settled=settled
        )


_VERDICTS = object()


def _loader(context: Context) -> DataLoader[UUID, list[Mapping[str, Any]]]:
    async def load(refunds: list[UUID]) -> list[list[Mapping[str, Any]]]:
        found: dict[UUID, list[Mapping[str, Any]]] = {key: [] for key in refunds}
        for row in await context.db.fetch(VERDICTS_OF, refunds):
            found[row["about"]].append(row)
        return [found[key] for key in refunds]

    return DataLoader(load)
