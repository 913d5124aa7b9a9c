"""How a cart is shown: its lines as they stand, and what was left out of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.graphql import LOCALES, Context, Info, Money, foreign
from kameng.graphql.node import load_nodes
from kameng.ids import global_id
from kameng_fulfilment.cart.left_out import LeftOut, LeftOutReason
from kameng_fulfilment.cart.standing import CartNoteCode, StandingCart, StandingLine
from kameng_fulfilment.types import Answer

if TYPE_CHECKING:
    Variant = Any


@strawberry.type(description="What a buyer should know of a line of his cart.")
class CartNote:
    """What a buyer should know of a line."""

    code: CartNoteCode
    was: Money | None = strawberry.field(
        default=None, description="What one cost when the line was last changed."
    )
    available: int | None = strawberry.field(
        default=None, description="How many there are, counted no further than the line's quantity."
    )


@strawberry.type(description="A step to a price.")
class CartPriceStep:
    """A step to a price."""

    code: str = strawberry.field(description="Such as LIST or QUANTITY; new ones may come.")
    text: str = strawberry.field(description="In words, in the language of the request.")


@strawberry.type(description="A variant in a cart. Its price and its stock are those of this moment.")
class CartLine:
    """A variant in a cart."""

    standing: strawberry.Private[StandingLine]
    id: strawberry.ID
    quantity: int
    added_at: datetime
    unit_price: Money | None = strawberry.field(
        description="What one costs now, with four decimals; null if not sold."
    )
    total: Money | None = strawberry.field(description="What the line costs now; null if it is not sold.")

    @strawberry.field(description="The product's and the variant's title, in the language of the request.")
    def title(self, info: Info) -> str | None:
        """The title; null where the variant is gone."""
        snapshot = self.standing.snapshot
        if snapshot is None:
            return None
        return snapshot.titles.get(info.context.locale) or snapshot.titles.get(LOCALES[0]) or snapshot.sku

    @strawberry.field(description="The variant as it is now, if it is still for sale.")
    async def variant(self, info: Info) -> Annotated[Variant, foreign("catalog")] | None:
        """The variant as it is now."""
        return await info.context.loader(_VARIANTS, _variant_loader).load(self.standing.variant)

    @strawberry.field(description="How many one order may hold at least.")
    def min_quantity(self) -> int:
        """How many at least."""
        return self.standing.snapshot.min_quantity if self.standing.snapshot else 1

    @strawberry.field(description="How many one order may hold at most.")
    def max_quantity(self) -> int:
        """How many at most."""
        return self.standing.snapshot.max_quantity if self.standing.snapshot else self.quantity

    @strawberry.field(description="What was filled into the product's form.")
    def answers(self, info: Info) -> list[Answer]:
        """The answers, as far as the form still asks for them."""
        form = self.standing.snapshot.form if self.standing.snapshot else ()
        return [
            Answer(
                name=field.name,
                label=field.labels.get(info.context.locale) or next(iter(field.labels.values())),
                value=self.standing.answers[field.name],
            )
            for field in form
            if field.name in self.standing.answers
        ]

    @strawberry.field(
        description="What to know before ordering: what has changed, and what stands in the way."
    )
    def notes(self) -> list[CartNote]:
        """The notes, those that stand in the way first."""
        line = self.standing
        seen = Money.of(line.seen) if line.seen else None
        return [
            CartNote(
                code=code,
                was=seen if code in (CartNoteCode.PRICE_UP, CartNoteCode.PRICE_DOWN) else None,
                available=line.available if code is CartNoteCode.OUT_OF_STOCK else None,
            )
            for code in line.notes
        ]

    @strawberry.field(description="How the price comes to be.")
    def price_steps(self, info: Info) -> list[CartPriceStep]:
        """The steps to the price, in order."""
        steps = self.standing.quote.trace if self.standing.quote else ()
        return [CartPriceStep(code=step.code, text=step.texts[info.context.locale]) for step in steps]

    @classmethod
    def of(cls, line: StandingLine) -> CartLine:
        """A line as GraphQL shows it."""
        return cls(
            standing=line,
            id=strawberry.ID(global_id("CartLine", line.id)),
            quantity=line.quantity,
            added_at=line.added_at,
            unit_price=Money.of(line.quote.unit) if line.quote else None,
            total=Money.of(line.quote.total) if line.quote else None,
        )


@strawberry.type(description="Something that did not come along when a visitor's cart joined a member's.")
class CartLeftOut:
    """Something that did not come along."""

    left: strawberry.Private[LeftOut]
    quantity: int = strawberry.field(description="How many pieces of it.")
    reason: LeftOutReason

    @strawberry.field(
        description="What it was called then, in the language of the request; null if it was gone."
    )
    def title(self, info: Info) -> str | None:
        """The title as it was."""
        titles = self.left.titles
        return titles.get(info.context.locale) or titles.get(LOCALES[0])

    @strawberry.field(description="The variant as it is now, if it is still for sale.")
    async def variant(self, info: Info) -> Annotated[Variant, foreign("catalog")] | None:
        """The variant as it is now."""
        return await info.context.loader(_VARIANTS, _variant_loader).load(self.left.variant)

    @classmethod
    def of(cls, left: LeftOut) -> CartLeftOut:
        """A note as GraphQL shows it."""
        return cls(left=left, quantity=left.quantity, reason=LeftOutReason(left.reason))


@strawberry.type(description="What somebody means to buy, priced at this moment. Nothing of it is reserved.")
class Cart:
    """A cart as it stands."""

    quantity: int = strawberry.field(description="Pieces in all.")
    total: Money = strawberry.field(
        description="What the lines that are sold cost now; send it as `expectedTotal`."
    )
    ready: bool = strawberry.field(
        description="Whether it can be ordered as it is: it is not empty, and nothing is in the way."
    )
    lines: list[CartLine]
    left_out: list[CartLeftOut] = strawberry.field(
        description="What did not come along when a visitor's cart joined this one after a log-in, the oldest first. It is "
        "told for a day, or until `dismissLeftOut`."
    )

    @classmethod
    def of(cls, cart: StandingCart) -> Cart:
        """A cart as GraphQL shows it."""
        return cls(
            quantity=sum(line.quantity for line in cart.lines),
            total=Money.of(cart.total),
            ready=cart.ready,
            lines=[CartLine.of(line) for line in cart.lines],
            left_out=[CartLeftOut.of(left) for left in cart.left_out],
        )


_VARIANTS = object()


def _variant_loader(context: Context) -> DataLoader[UUID, Any]:
    nodes = context.kernel.schemas["shop"].nodes

    async def load(variants: list[UUID]) -> list[Any]:
        return await load_nodes(context, nodes, [global_id("Variant", key) for key in variants])

    return DataLoader(load_fn=load)
