"""Carts in the shop schema."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.auth import PrincipalKind
from kameng.errors import InvalidInput
from kameng.graphql import LOCALES, Context, Info, Money, foreign, mutation, payload
from kameng.graphql.node import load_nodes
from kameng.ids import global_id, key_of
from kameng_catalog.contract import FormAnswerWrong, NotForSale, WrongQuantity
from kameng_fulfilment.cart.asking import buyer_tier, cart_owner
from kameng_fulfilment.cart.changing import CartChange, CartChanges
from kameng_fulfilment.cart.owners import CartOwner, owner_from_now_on
from kameng_fulfilment.cart.refusals import CartFull
from kameng_fulfilment.cart.standing import CartNoteCode, StandingCart, StandingLine, standing_cart
from kameng_fulfilment.cart.statements import MEMBER_CART_SIZE, VISITOR_CART_SIZE
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.shop import AnswerInput, OrderLineInput, answers_of, line_request
from kameng_fulfilment.types import Answer

if TYPE_CHECKING:
    Variant = Any

LONGEST_KEY = 128
"""Characters of an idempotency key."""


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

    @classmethod
    def of(cls, cart: StandingCart) -> Cart:
        """A cart as GraphQL shows it."""
        return cls(
            quantity=sum(line.quantity for line in cart.lines),
            total=Money.of(cart.total),
            ready=cart.ready,
            lines=[CartLine.of(line) for line in cart.lines],
        )


@strawberry.input(description="Something to put into the cart.")
class AddToCartInput:
    """Something to put into the cart."""

    lines: list[OrderLineInput]
    currency: str = strawberry.field(default="CNY", description="The currency of the answer, ISO 4217.")


@strawberry.input(description="A change of a line of the cart.")
class ChangeCartLineInput:
    """A change of a line of the cart."""

    line_id: strawberry.ID
    quantity: int = strawberry.field(description="How many from now on; 0 takes the line out.")
    answers: list[AnswerInput] | None = strawberry.field(
        default=None, description="New answers; none keeps the old ones."
    )
    currency: str = "CNY"


@strawberry.input(description="A line to take out of the cart.")
class RemoveFromCartInput:
    """A line to take out of the cart."""

    line_id: strawberry.ID
    currency: str = "CNY"


@strawberry.type
class _Changed:
    """What the payloads have in common: the cart is read where somebody asks for it."""

    change: strawberry.Private[CartChange | None] = None

    @strawberry.field(description="The cart afterwards; null where it was not changed.")
    async def cart(self, info: Info) -> Cart | None:
        """The cart as it stands."""
        if self.change is None:
            return None
        return Cart.of(await _standing(info.context, self.change.owner, self.change.currency))


@payload(NotForSale, WrongQuantity, FormAnswerWrong, CartFull)
class AddToCartPayload(_Changed):
    """The cart afterwards, or why it was not changed."""

    visitor_token: str | None = strawberry.field(
        default=None,
        description="By what this visitor is known from now on, if he was not before: browsers get it as a cookie, others send "
        "it in the header Kameng-Visitor.",
    )


@payload(NotForSale, WrongQuantity, FormAnswerWrong)
class ChangeCartLinePayload(_Changed):
    """The cart afterwards, or why it was not changed."""


@payload()
class RemoveFromCartPayload(_Changed):
    """The cart afterwards."""


@payload()
class ClearCartPayload(_Changed):
    """The empty cart."""


_VARIANTS = object()


def _variant_loader(context: Context) -> DataLoader[UUID, Any]:
    nodes = context.kernel.schemas["shop"].nodes

    async def load(variants: list[UUID]) -> list[Any]:
        return await load_nodes(context, nodes, [global_id("Variant", key) for key in variants])

    return DataLoader(load_fn=load)


@strawberry.type
class CartQuery:
    """Queries of the shop."""

    @strawberry.field(
        description="Your cart, as it stands now: the member's on all of his devices, or this visitor's."
    )
    async def cart(self, info: Info, currency: str = "CNY") -> Cart:
        """The cart of whoever asks; empty where there is none. A visitor's cart joins his own after a log-in."""
        owner = await cart_owner(info.context)
        return Cart.of(await _standing(info.context, owner, currency))

    @strawberry.field(description="How many pieces are in your cart; cheaper than asking for the cart.")
    async def cart_quantity(self, info: Info) -> int:
        """Pieces in the cart of whoever asks."""
        if info.context.principal.kind not in (PrincipalKind.VISITOR, PrincipalKind.MEMBER):
            return 0
        owner = await cart_owner(info.context)
        if owner is None:
            return 0
        db = info.context.db
        found: int = await (
            db.fetchval(MEMBER_CART_SIZE, owner.member)
            if owner.member is not None
            else db.fetchval(VISITOR_CART_SIZE, owner.visitor)
        )
        return found


@strawberry.type
class CartMutation:
    """Mutations of the shop."""

    @mutation(idempotency="own")
    async def add_to_cart(self, info: Info, input: AddToCartInput) -> AddToCartPayload:  # noqa: A002 - GraphQL's name
        """Put something into your cart; what is there of it already grows. With an idempotency key it is done once."""
        context = info.context
        lines = [line_request(line) for line in input.lines]
        change, token = await _begin(context, input.currency)
        await context.service(CartChanges).add(change, lines)
        return AddToCartPayload(change=change, visitor_token=token)

    @mutation(idempotency="own")
    async def change_cart_line(self, info: Info, input: ChangeCartLineInput) -> ChangeCartLinePayload:  # noqa: A002 - GraphQL's name
        """Set how many of a line you want; 0 takes it out."""
        context = info.context
        line = key_of("CartLine", input.line_id)
        change, _ = await _begin(context, input.currency)
        changes = context.service(CartChanges)
        await changes.change(change, line, input.quantity, answers_of(input.answers))
        return ChangeCartLinePayload(change=change)

    @mutation(idempotency="own")
    async def remove_from_cart(self, info: Info, input: RemoveFromCartInput) -> RemoveFromCartPayload:  # noqa: A002 - GraphQL's name
        """Take a line out of your cart."""
        line = key_of("CartLine", input.line_id)
        change, _ = await _begin(info.context, input.currency)
        await info.context.service(CartChanges).remove(change, line)
        return RemoveFromCartPayload(change=change)

    @mutation(idempotency="own")
    async def clear_cart(self, info: Info) -> ClearCartPayload:
        """Take everything out of your cart."""
        change, _ = await _begin(info.context, "CNY")
        await info.context.service(CartChanges).clear(change)
        return ClearCartPayload(change=change)


async def _begin(context: Context, currency: str) -> tuple[CartChange, str | None]:
    key = context.idempotency_key
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidInput(f"An idempotency key has 1 to {LONGEST_KEY} characters.", cure="Send a UUID, say.")
    owner, token = await cart_owner(context), None
    if owner is None:
        if context.address:
            settings = context.kernel.settings.section("fulfilment", FulfilmentSettings)
            await context.kernel.auth.limiter.check("new_cart", context.address, settings.carts_per_address)
        owner = owner_from_now_on(context)
        token = context.visitor
    tier = await buyer_tier(context)
    return CartChange(owner=owner, tier=tier, currency=currency, key=key), token


async def _standing(context: Context, owner: CartOwner | None, currency: str) -> StandingCart:
    return await standing_cart(context.kernel, owner, await buyer_tier(context), currency)
