"""What a member should know before he fills his wallet: the least, the most, and the bonuses that he would get."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import strawberry

from kameng import money
from kameng.graphql import Context, Money
from kameng_settlement.payments.loading_statements import OFFERED_BONUSES
from kameng_settlement.settings import SettlementSettings


@strawberry.type(description="Who tops up by so much now gets so much more; of several the best is given.")
class TopUpOffer:
    """A bonus that is offered."""

    name: str
    from_: Money = strawberry.field(name="from", description="The smallest top-up that it applies to.")
    percent: Decimal = strawberry.field(description="Of the top-up, such as 2.5; 0 where it is none.")
    fixed: Money = strawberry.field(description="On top of that; may be zero.")
    most: Money | None = strawberry.field(description="What it gives at most.")
    once: bool = strawberry.field(description="Whether you get it once; one that you had is not listed.")


@strawberry.type(description="What a top-up may be, and what comes with it.")
class TopUpTerms:
    """What a top-up may be."""

    least: Money
    most: Money
    offers: list[TopUpOffer] = strawberry.field(
        description="The bonuses of this moment, the smallest top-up first."
    )


async def terms_of(context: Context, member: UUID, currency: str) -> TopUpTerms:
    """What a top-up of a member may be now. One statement.

    Raises:
        InvalidInput: there is no such currency.
    """
    money.check_currency(currency)
    settings = context.kernel.settings.section("settlement", SettlementSettings)

    def amount(minor: int) -> Money:
        return Money.of(money.Money(minor, currency))

    return TopUpTerms(
        least=amount(settings.top_up_from_minor),
        most=amount(settings.top_up_to_minor),
        offers=[
            TopUpOffer(
                name=row["name"],
                from_=amount(row["from_minor"]),
                percent=Decimal(row["percent_ppm"]) / 10_000,
                fixed=amount(row["fixed_minor"]),
                most=None if row["most_minor"] is None else amount(row["most_minor"]),
                once=row["once_per_member"],
            )
            for row in await context.db.fetch(OFFERED_BONUSES, currency, member)
        ],
    )
