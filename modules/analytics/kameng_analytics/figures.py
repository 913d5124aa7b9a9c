"""Figures of sales, as the admin schema tells them."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
import strawberry

from kameng import money
from kameng.graphql import Money
from kameng.graphql.exact import Long


@strawberry.type(description="What was sold.")
class SalesFigures:
    """What was sold."""

    orders: Long = strawberry.field(description="Orders completed.")
    units: Long = strawberry.field(description="Units sold.")
    turnover: Money = strawberry.field(description="What buyers paid.")
    cost: Money = strawberry.field(description="What the goods cost, as far as their cost is known.")
    margin: Money = strawberry.field(description="Turnover less cost.")

    @classmethod
    def of(cls, row: Mapping[str, int] | asyncpg.Record | None, currency: str) -> SalesFigures:
        """A row of a roll-up; None where nothing was sold."""
        turnover, cost = (row["turnover"], row["cost"]) if row else (0, 0)
        return cls(
            orders=Long(row["orders"] if row else 0),
            units=Long(row["units"] if row else 0),
            turnover=Money.of(money.Money(turnover, currency)),
            cost=Money.of(money.Money(cost, currency)),
            margin=Money.of(money.Money(turnover - cost, currency)),
        )
