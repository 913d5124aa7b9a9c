"""Stock on the order path: pick, hand over, read what was sold."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import Refusal, TransactionError
from kameng_catalog import stock_statements as statements
from kameng_catalog.contract import UNLIMITED, OutOfStock, Pick, PickRequest, Sale, SoldCard, WrongQuantity
from kameng_catalog.low_water import LowWater
from kameng_catalog.sealing import sealed_for
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

EXPIRED_AT_ONCE = 10_000
"""Cards that one statement takes out of stock."""


class CatalogStock:
    """`Stock` of the contract."""

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db
        self._vault = kernel.vault
        self._low_water = LowWater()
        self._time_zone = kernel.settings.section("catalog", CatalogSettings).time_zone

    async def pick(self, requests: Sequence[PickRequest]) -> list[Pick | Refusal]:
        """Lock stock for each request, in order, or answer `OutOfStock`.

        Raises:
            TransactionError: there is no transaction, so nothing could stay locked.
        """
        if self._db.scope is None:
            raise TransactionError(
                "Stock was picked outside a transaction.",
                cure="Pick and hand over inside one `async with kernel.db.transaction():`.",
            )
        sound = [request for request in requests if request.quantity > 0]
        starts = {request.variant: self._low_water.of(request.variant) for request in sound}
        free, kinds = await self._free(sound, starts)
        wanted: Counter[UUID] = Counter()
        for request in sound:
            wanted[request.variant] += request.quantity
        short = {key for key, quantity in wanted.items() if starts[key] and len(free[key]) < quantity}
        if short:
            # Below the mark may lie what somebody gave back.
            again, _ = await self._free([request for request in sound if request.variant in short], {})
            free |= again
        self._low_water.note({key: cards[0] for key, cards in free.items() if cards}, starts)
        return [_serve(request, kinds.get(request.variant), free[request.variant]) for request in requests]

    async def _free(
        self, requests: Sequence[PickRequest], starts: Mapping[UUID, int]
    ) -> tuple[defaultdict[UUID, deque[int]], dict[UUID, str]]:
        """The cards that were locked for these requests by variant, and the kinds of the variants that
        exist.
        """
        rows = await self._db.fetch(
            statements.PICK,
            [request.variant for request in requests],
            [min(request.quantity, UNLIMITED) for request in requests],
            self._time_zone,
            [starts.get(request.variant, 0) for request in requests],
        )
        free: defaultdict[UUID, deque[int]] = defaultdict(deque)
        kinds: dict[UUID, str] = {}
        for variant, kind, card in rows:
            kinds[variant] = kind
            if card is not None:
                free[variant].append(card)
        return free, kinds

    async def hand_over(self, sales: Sequence[Sale]) -> None:
        """Mark picked stock as sold to its lines and write its movements.

        Raises:
            TransactionError: some of it is not held by this transaction; the transaction is lost.
        """
        cards = [(card, sale.line) for sale in sales for card in sale.pick.cards]
        pieces = [sale for sale in sales if not sale.pick.cards]
        taken = await self._db.fetchval(
            statements.HAND_OVER,
            [card for card, _ in cards],
            [line for _, line in cards],
            [sale.pick.variant for sale in pieces],
            [sale.pick.quantity for sale in pieces],
            [sale.line for sale in pieces],
        )
        if taken != len(cards):
            raise TransactionError(
                f"Of {len(cards)} cards to hand over only {taken} were free.",
                cure="Hand over in the transaction that picked them, once.",
            )

    async def sold_cards(self, lines: Sequence[UUID]) -> list[SoldCard]:
        """The cards of order lines, decrypted, in the order they were sold: all of them, or an error."""
        rows = await self._db.fetch(statements.SOLD_CARDS, list(lines))
        secrets = await self._vault.open_many(
            [(row["data_key"], row["sealed"], sealed_for(row["variant"], row["blind_index"])) for row in rows]
        )
        return [
            SoldCard(
                line=row["line"],
                number=row["number"],
                secret=secret.decode(),
                expires_on=row["expires_on"].isoformat() if row["expires_on"] else None,
                sold_at=row["sold_at"],
            )
            for row, secret in zip(rows, secrets, strict=True)
        ]

    async def available(self, variants: Sequence[UUID], at_most: int | None = None) -> Mapping[UUID, int]:
        """How many of each variant can be sold now; 0 for one that does not exist."""
        limit = UNLIMITED if at_most is None else at_most
        rows = await self._db.fetch(statements.AVAILABLE, list(variants), limit, self._time_zone)
        return {**dict.fromkeys(variants, 0), **{row["variant"]: row["available"] for row in rows}}


def _serve(request: PickRequest, kind: str | None, free: deque[int]) -> Pick | Refusal:
    if request.quantity <= 0:
        return WrongQuantity(f"{request.quantity} pieces cannot be bought.", cure="Order one or more.")
    if kind == "unlimited":
        return Pick(variant=request.variant, quantity=request.quantity)
    if len(free) < request.quantity:
        return OutOfStock(
            f"There are not {request.quantity} pieces left.", cure="Order fewer, or come back later."
        )
    cards = tuple(free.popleft() for _ in range(request.quantity))
    return Pick(variant=request.variant, quantity=request.quantity, cards=cards)


async def expire_cards(kernel: Kernel) -> None:
    """Take cards out of stock that are past their last day. Run every hour by a worker.

    They were not sold before either: this only keeps picks from reading over them.
    """
    time_zone = kernel.settings.section("catalog", CatalogSettings).time_zone
    while await kernel.db.fetchval(statements.EXPIRE, time_zone, EXPIRED_AT_ONCE):
        pass
