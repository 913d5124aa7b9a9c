"""A small schema with the shapes that products have, for tests that name exact answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.directive import DirectiveLocation, DirectiveValue
from strawberry.permission import BasePermission


@strawberry.enum
class Kind(Enum):
    CARD = "card"
    TOP_UP = "top-up"


@strawberry.interface
class Node:
    id: strawberry.ID


class StaffOnly(BasePermission):
    message = "staff only"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        return info.context.staff


@strawberry.type
class Money:
    amount: Decimal
    currency: str


@strawberry.type
class Card(Node):
    name: str
    stock: int
    price: Money
    kind: Kind = Kind.CARD
    cost: int | None = strawberry.field(default=7, permission_classes=[StaffOnly])

    @strawberry.field
    async def supplier(self, info: strawberry.Info) -> Supplier:
        return await info.context.suppliers.load(self.id)

    @strawberry.field
    async def similar(self, info: strawberry.Info) -> list[Card]:
        return await info.context.similar.load(self.id)

    @strawberry.field
    def secret(self) -> str:
        raise PermissionError(f"card {self.id} keeps its secret")

    @strawberry.field
    async def late_secret(self) -> str:
        await asyncio.sleep(0)
        raise PermissionError(f"card {self.id} keeps its secret")

    @strawberry.field
    async def late_note(self) -> str | None:
        for _ in range(6):
            await asyncio.sleep(0)
        raise LookupError(f"card {self.id} has no note")


@strawberry.type
class TopUp(Node):
    name: str
    carrier: str | None = None


@strawberry.type
class Supplier:
    name: str

    @strawberry.field
    async def rating(self, info: strawberry.Info) -> int:
        return await info.context.ratings.load(self.name)


Item = Annotated[Card | TopUp, strawberry.union("Item")]


@strawberry.input
class Filter:
    kind: Kind | None = None
    at_most: int = 10
    words: list[str] = strawberry.field(default_factory=list)


def card(number: int) -> Card:
    price = Money(amount=Decimal(number), currency="CNY")
    return Card(id=strawberry.ID(str(number)), name=f"card {number}", stock=number, price=price)


@strawberry.type
class Query:
    @strawberry.field
    async def cards(self, first: int = 3) -> list[Card]:
        return [card(number) for number in range(1, first + 1)]

    @strawberry.field
    def items(self) -> list[Item]:
        return [card(1), TopUp(id=strawberry.ID("t"), name="100 yuan", carrier="China Mobile")]

    @strawberry.field
    def node(self, id_: Annotated[strawberry.ID, strawberry.argument(name="id")]) -> Node | None:
        return card(int(id_)) if id_.isdigit() else None

    @strawberry.field
    def search(
        self,
        wanted: Annotated[Filter | None, strawberry.argument(name="filter")] = None,
        text: str = "",
    ) -> str:
        return repr((wanted, text))

    @strawberry.field(permission_classes=[StaffOnly])
    def turnover(self) -> int | None:
        return 5

    @strawberry.field
    def place(self, info: strawberry.Info, n: int = 0) -> list[str]:
        return [
            ".".join(map(str, info.path.as_list())),
            info.field_name,
            f"list of {info.return_type.of_type.__name__}",
            repr(info.variable_values),
            repr([selection.name for selection in info.selected_fields]),
            str(info.operation.name and info.operation.name.value),
            info.schema.query.__name__,
        ]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def slow(self, info: strawberry.Info, name: str) -> str:
        info.context.log.append(f"{name} begins")
        for _ in range(3):
            await asyncio.sleep(0)
        info.context.log.append(f"{name} ends")
        return name

    @strawberry.mutation
    def quick(self, info: strawberry.Info, name: str) -> str:
        info.context.log.append(f"{name} at once")
        return name

    @strawberry.mutation
    async def refuse(self, info: strawberry.Info) -> str:
        info.context.log.append("refused")
        raise ValueError("refused")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def counted(self, info: strawberry.Info, to: int, fail_at: int = -1) -> AsyncIterator[Card]:
        try:
            for number in range(1, to + 1):
                if number == fail_at:
                    raise ConnectionError("the source broke")
                yield card(number)
        finally:
            info.context.log.append("closed")

    @strawberry.subscription
    async def refused(self) -> AsyncIterator[Card]:
        raise PermissionError("no subscription today")
        yield card(1)


@strawberry.directive(locations=[DirectiveLocation.FIELD])
def shout(value: DirectiveValue[Any]) -> Any:
    return value.upper()


@strawberry.directive(locations=[DirectiveLocation.FIELD])
def idempotent(value: DirectiveValue[Any], key: str) -> Any:
    return value


@dataclass
class Context:
    """What the resolvers above need, and what they wrote down."""

    staff: bool = False
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.suppliers: Any = DataLoader(self._load_suppliers)
        self.similar: Any = DataLoader(self._load_similar)
        self.ratings: Any = DataLoader(self._load_ratings)

    async def _load_suppliers(self, keys: list[str]) -> list[Supplier]:
        self.log.append(f"suppliers {','.join(keys)}")
        return [Supplier(name=f"supplier of {key}") for key in keys]

    async def _load_similar(self, keys: list[str]) -> list[list[Card]]:
        self.log.append(f"similar {','.join(keys)}")
        return [[card(int(key) * 10), card(int(key) * 10 + 1)] for key in keys]

    async def _load_ratings(self, keys: list[str]) -> list[int]:
        self.log.append(f"ratings {','.join(keys)}")
        return [len(key) for key in keys]


schema = strawberry.Schema(
    query=Query, mutation=Mutation, subscription=Subscription, directives=[shout, idempotent], types=[TopUp]
)
