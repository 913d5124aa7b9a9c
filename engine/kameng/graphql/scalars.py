"""Money in GraphQL, a decimal text and a currency, never a float; and the scalars of both schemas."""

from __future__ import annotations

from decimal import Decimal

import strawberry
from strawberry.types.scalar import ScalarDefinition

from kameng import money
from kameng.graphql.exact import EXACT
from kameng.graphql.uploads.file import UPLOAD, UploadedFile

SCALARS: dict[object, ScalarDefinition] = {**EXACT, UploadedFile: UPLOAD}
"""What stands for a Python type in the schemas, in place of Strawberry's own or beside it."""


@strawberry.type(description="An amount of one currency, exact to its minor unit.")
class Money:
    """An amount of one currency."""

    amount: Decimal = strawberry.field(
        description="In main units with the currency's decimals, such as 98.50; never a float."
    )
    currency: str = strawberry.field(description="ISO 4217, such as CNY.")

    @classmethod
    def of(cls, value: money.Money | money.UnitPrice) -> Money:
        """An amount or unit price as GraphQL shows it."""
        return cls(amount=value.amount, currency=value.currency)


@strawberry.input(description="An amount of one currency.")
class MoneyInput:
    """An amount of one currency, as a client gives it."""

    amount: Decimal = strawberry.field(description="In main units, such as 98.50.")
    currency: str = strawberry.field(description="ISO 4217, such as CNY.")

    def parsed(self) -> money.Money:
        """The amount as the trade uses it.

        Raises:
            InvalidInput: too many decimals, too large, or an unknown currency.
        """
        return money.Money.parse(self.amount, self.currency)
