"""Orders on their way through a batch: what was asked for, checked, priced, picked and paid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from kameng.db import as_json
from kameng.errors import Refusal
from kameng.ids import new_id
from kameng.money import Money, UnitPrice
from kameng_catalog.contract import (
    FormAnswerWrong,
    NotForSale,
    Pick,
    Quote,
    VariantSnapshot,
    WrongQuantity,
    checked_answers,
)
from kameng_fulfilment.events import OrderCompleted, SoldLine
from kameng_fulfilment.requests import LineRequest, OrderRequest


class DraftLine(msgspec.Struct):
    """A line on its way; `pick` comes when stock was found for it."""

    id: UUID
    variant: VariantSnapshot
    quantity: int
    quote: Quote
    answers: dict[str, str]
    pick: Pick | None = None

    @property
    def remembered_answers(self) -> list[dict[str, Any]]:
        """The answers as the order remembers them, with what their fields were called."""
        return [
            {"name": field.name, "labels": field.labels, "value": self.answers[field.name]}
            | ({"private": True} if field.private else {})
            for field in self.variant.form
            if field.name in self.answers
        ]


class DraftOrder(msgspec.Struct):
    """An order on its way; `place` is its request's position in the batch, `charge` comes when it was paid.

    ``outside`` tells that it waits for a payment from outside, ``deferred`` that it is not done once it is placed.
    """

    place: int
    request: OrderRequest
    id: UUID
    number: str
    lines: list[DraftLine]
    total: Money
    charge: UUID | None = None
    outside: bool = False
    deferred: bool = False


def checked_line(
    index: int, asked: LineRequest, variant: VariantSnapshot | None, quote: Quote | Refusal
) -> DraftLine | Refusal:
    """A line of a request that can be picked, or why not."""
    quantity = asked.quantity
    where = ("input", "lines", str(index))
    if variant is None or not variant.published:
        return NotForSale("This is not for sale.", cure="Choose something else.", path=(*where, "variantId"))
    if not variant.min_quantity <= quantity <= variant.max_quantity:
        return WrongQuantity(
            f"{variant.sku} is sold in quantities of {variant.min_quantity} to {variant.max_quantity}; "
            f"{quantity} were asked for.",
            cure="Change the quantity, or place several orders.",
            path=(*where, "quantity"),
        )
    if isinstance(quote, Refusal):
        return at_line(quote, index)
    try:
        answers = checked_answers(variant.form, dict(asked.answers)) if variant.form or asked.answers else {}
    except FormAnswerWrong as wrong:
        return FormAnswerWrong(
            wrong.message, cure=wrong.cure, path=(*where, *answer_at(asked.answers, wrong.path[0]))
        )
    return DraftLine(id=new_id(), variant=variant, quantity=quantity, quote=quote, answers=answers)


def answer_at(answers: Sequence[tuple[str, str]], name: str) -> tuple[str, ...]:
    """Where the answer to a field stands in the request; the field's name where it is missing."""
    for place, (given, _) in enumerate(answers):
        if given == name:
            return "answers", str(place), "value"
    return "answers", name


def at_line(refusal: Refusal, index: int) -> Refusal:
    """The same refusal, told of a line of the request."""
    return type(refusal)(refusal.message, cure=refusal.cure, path=("input", "lines", str(index)))


def cost_of(unit: UnitPrice | None, quantity: int) -> int:
    """What units cost the operator, in minor units; 0 where that is not known."""
    return unit.times(quantity).minor if unit else 0


def completed_event(order: DraftOrder, at: str) -> OrderCompleted:
    """The fact that an order was paid and delivered whole."""
    return OrderCompleted(
        order=str(order.id),
        number=order.number,
        member=str(order.request.member),
        total_minor=order.total.minor,
        currency=order.total.currency,
        completed_at=at,
        lines=tuple(
            SoldLine(
                line=str(line.id),
                variant=str(line.variant.id),
                product=str(line.variant.product),
                sku=line.variant.sku,
                quantity=line.quantity,
                total_minor=line.quote.total.minor,
                cost_minor=cost_of(line.quote.cost, line.quantity),
            )
            for line in order.lines
        ),
    )


def order_columns(orders: Sequence[DraftOrder]) -> list[list[Any]]:
    """What every order is written with, a list for each column, in the order in which ``WRITE_ORDERS`` and its like take them."""
    return [
        [order.id for order in orders],
        [order.number for order in orders],
        [order.request.member for order in orders],
        [order.request.key for order in orders],
        [order.request.fingerprint for order in orders],
        [order.total.currency for order in orders],
        [order.total.minor for order in orders],
        [order.charge for order in orders],
    ]


def line_columns(orders: Sequence[DraftOrder]) -> list[list[Any]]:
    """The same of their lines."""
    lines = [(order, index, line) for order in orders for index, line in enumerate(order.lines)]
    return [
        [line.id for _, _, line in lines],
        [order.id for order, _, _ in lines],
        [index for _, index, _ in lines],
        [line.variant.id for _, _, line in lines],
        [line.variant.product for _, _, line in lines],
        [line.variant.sku for _, _, line in lines],
        [as_json(line.variant.titles) for _, _, line in lines],
        [line.quantity for _, _, line in lines],
        [line.quote.unit.units for _, _, line in lines],
        [line.quote.cost.units if line.quote.cost else None for _, _, line in lines],
        [line.quote.total.minor for _, _, line in lines],
        [as_json(line.remembered_answers) if line.answers else None for _, _, line in lines],
    ]
