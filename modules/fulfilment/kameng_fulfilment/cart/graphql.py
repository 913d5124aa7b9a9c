"""Carts in the shop schema."""

from __future__ import annotations

import strawberry

from kameng.auth import PrincipalKind
from kameng.errors import InvalidInput
from kameng.graphql import Context, Info, mutation, payload
from kameng.ids import key_of
from kameng_catalog.contract import FormAnswerWrong, NotForSale, WrongQuantity
from kameng_fulfilment.cart.asking import buyer_site, buyer_tier, cart_owner
from kameng_fulfilment.cart.changing import CartChange, CartChanges
from kameng_fulfilment.cart.owners import CartOwner, owner_from_now_on
from kameng_fulfilment.cart.refusals import CartFull
from kameng_fulfilment.cart.standing import StandingCart, standing_cart
from kameng_fulfilment.cart.statements import FORGET_LEFT_OUT, MEMBER_CART_SIZE, VISITOR_CART_SIZE
from kameng_fulfilment.cart.types import Cart
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.shop import AnswerInput, OrderLineInput, answers_of, line_request

LONGEST_KEY = 128
"""Characters of an idempotency key."""


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


@payload()
class DismissLeftOutPayload(_Changed):
    """The cart without the notes."""


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

    @mutation(idempotency="none")
    async def dismiss_left_out(self, info: Info) -> DismissLeftOutPayload:
        """Forget what did not come along when carts were put together: you have seen it."""
        member = info.context.principal.require_kind(PrincipalKind.MEMBER)
        await info.context.db.execute(FORGET_LEFT_OUT, member)
        return DismissLeftOutPayload(change=CartChange(owner=CartOwner(member=member), tier=""))


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
    return CartChange(owner=owner, tier=tier, currency=currency, site=buyer_site(context), key=key), token


async def _standing(context: Context, owner: CartOwner | None, currency: str) -> StandingCart:
    return await standing_cart(
        context.kernel, owner, await buyer_tier(context), currency, buyer_site(context)
    )
