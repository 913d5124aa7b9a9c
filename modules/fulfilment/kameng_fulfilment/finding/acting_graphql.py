"""What the staff does to several orders at once, in the admin schema."""

from __future__ import annotations

from enum import Enum
from typing import cast

import strawberry

from kameng.graphql import Info, mutation, payload
from kameng_fulfilment.acting import plain_text
from kameng_fulfilment.finding.acting import Action, act_on_orders
from kameng_fulfilment.types import Order


@strawberry.enum(description="What is done to each of several orders.")
class OrderAction(Enum):
    """What is done to each order."""

    HOLD = strawberry.enum_value("hold", description="Hold its delivery. Needs fulfilment.hold_orders.")
    RELEASE = strawberry.enum_value("release", description="Let it go on. Needs fulfilment.hold_orders.")
    REDELIVER = strawberry.enum_value(
        "redeliver",
        description="Try anew what it is owed, from stock and at suppliers. Needs fulfilment.deliver_orders.",
    )


@strawberry.type(description="What became of one of several orders.")
class OrderActionOutcome:
    """What became of one order."""

    number: str
    done: bool
    order: Order | None = strawberry.field(description="As it stands now.")
    code: str | None = strawberry.field(description="Why nothing was done, as errors have it.")
    message: str
    cure: str


@strawberry.input(description="Orders, what is done to each, and why.")
class ActOnOrdersInput:
    """Orders, and what is done to each."""

    numbers: list[str] = strawberry.field(description="At most 100.")
    action: OrderAction
    reason: str = strawberry.field(description="Why; it stays in the orders' history.")


@payload()
class ActOnOrdersPayload:
    """What became of each order, or why none was touched."""

    outcomes: list[OrderActionOutcome] = strawberry.field(default_factory=list)


@strawberry.type
class SeveralOrdersMutation:
    """Mutations of several orders."""

    # Each order is a transaction of its own, and repeating it changes nothing that was done.
    @mutation(idempotency="none")
    async def act_on_orders(
        self,
        info: Info,
        input: ActOnOrdersInput,  # noqa: A002 - GraphQL's name
    ) -> ActOnOrdersPayload:
        """Do the same to several orders, each by itself; the answer tells what became of each."""
        action = cast("Action", input.action.value)
        made = await act_on_orders(info.context, input.numbers, action, plain_text(input.reason))
        return ActOnOrdersPayload(
            outcomes=[
                OrderActionOutcome(
                    number=item.order.number if item.order else item.number,
                    done=item.refusal is None,
                    order=Order.of(item.order) if item.order else None,
                    code=item.refusal.code if item.refusal else None,
                    message=item.refusal.message if item.refusal else "",
                    cure=item.refusal.cure if item.refusal else "",
                )
                for item in made
            ]
        )
