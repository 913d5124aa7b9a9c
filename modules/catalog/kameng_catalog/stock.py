"""Stock on the order path: pick, hand over or reserve, read what was sold.

What is no cards, and cards that go in the order in which they expire, take a branch that an order for ordinary cards
does not enter: no statement more, and no more work for each order.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from kameng.errors import NotFound, Refusal, TransactionError
from kameng_catalog import piece_statements
from kameng_catalog import stock_statements as statements
from kameng_catalog.contract import (
    UNLIMITED,
    OutOfStock,
    Pick,
    PickRequest,
    RetireRequest,
    Sale,
    SoldCard,
    SoldCost,
    StockKind,
    WrongQuantity,
)
from kameng_catalog.low_water import LowWater
from kameng_catalog.sealing import sealed_for
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

EXPIRED_AT_ONCE = 10_000
"""Cards that one statement takes out of stock."""

_COUNTED = frozenset({"quota", "reusable"})
"""The kinds of stock whose counters a sale locks and lowers."""

_EXPIRING: Literal["soonest_expiring"] = "soonest_expiring"
"""What `PICK` calls the kind of variants whose cards go in the order in which they expire."""

_Kind = StockKind | Literal["soonest_expiring"]


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
        self._need_transaction()
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
        rare = {key: kind for key, kind in kinds.items() if kind not in ("card", "unlimited")}
        left = await self._pick_rare(rare, wanted, free) if rare else {}
        return [
            _serve(request, kinds.get(request.variant), free[request.variant], left) for request in requests
        ]

    async def _pick_rare(
        self,
        kinds: Mapping[UUID, _Kind],
        wanted: Mapping[UUID, int],
        free: defaultdict[UUID, deque[int]],
    ) -> dict[UUID, int]:
        """Lock what expires soonest into ``free``, and counters; answers how many pieces there are that are no cards."""
        left: dict[UUID, int] = {}
        expiring = sorted(key for key, kind in kinds.items() if kind == _EXPIRING)
        if expiring:
            await self._pick_by_expiry(expiring, wanted, free)
        counted = [key for key, kind in kinds.items() if kind in _COUNTED]
        if counted:
            left |= {row[0]: row[1] for row in await self._db.fetch(piece_statements.LOCK_COUNTERS, counted)}
        mirrored = [key for key, kind in kinds.items() if kind == "supplier"]
        if mirrored:
            left |= {row[0]: row[1] for row in await self._db.fetch(piece_statements.MIRRORED, mirrored)}
        return left

    async def _pick_by_expiry(
        self, variants: Sequence[UUID], wanted: Mapping[UUID, int], free: defaultdict[UUID, deque[int]]
    ) -> None:
        """Lock cards that expire, the soonest first, and where they do not suffice those that never do."""
        totals = [wanted[key] for key in variants]
        rows = await self._db.fetch(statements.PICK_EXPIRING, variants, totals, self._time_zone)
        for variant, card in rows:
            free[variant].append(card)
        short = [key for key in variants if len(free[key]) < wanted[key]]
        if short:
            missing = [wanted[key] - len(free[key]) for key in short]
            for variant, card in await self._db.fetch(statements.PICK_LASTING, short, missing):
                free[variant].append(card)

    async def _free(
        self, requests: Sequence[PickRequest], starts: Mapping[UUID, int]
    ) -> tuple[defaultdict[UUID, deque[int]], dict[UUID, _Kind]]:
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
        kinds: dict[UUID, _Kind] = {}
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
        pieces = [sale for sale in sales if sale.pick.kind != "card"]
        if cards:
            taken = await self._db.fetchval(
                statements.HAND_OVER, [card for card, _ in cards], [line for _, line in cards]
            )
            _held(len(cards), taken)
        if pieces:
            counted = await self._db.fetchval(
                piece_statements.HAND_OVER_PIECES,
                [sale.line for sale in pieces],
                [sale.pick.variant for sale in pieces],
                [sale.pick.kind for sale in pieces],
                [sale.pick.quantity for sale in pieces],
            )
            _held(len(_counters(pieces)), counted, "counters")

    async def reserve(self, sales: Sequence[Sale], until: datetime) -> None:
        """Keep picked stock for its lines without selling it.

        Raises:
            TransactionError: some of it is not held by this transaction; the transaction is lost.
        """
        self._need_transaction()
        cards = [(card, sale.line) for sale in sales for card in sale.pick.cards]
        taken = await self._db.fetchval(
            piece_statements.RESERVE,
            [card for card, _ in cards],
            [line for _, line in cards],
            [sale.line for sale in sales],
            [sale.pick.variant for sale in sales],
            [sale.pick.kind for sale in sales],
            [sale.pick.quantity for sale in sales],
            until,
        )
        _held(len(cards) + len(_counters(sales)), taken, "cards and counters")

    async def hand_over_reserved(self, lines: Sequence[UUID]) -> set[UUID]:
        """Sell to lines what is kept for them; answers those whose reservation was still whole."""
        self._need_transaction()
        rows = await self._db.fetch(piece_statements.HAND_OVER_RESERVED, list(lines), self._time_zone)
        return {row["line"] for row in rows}

    async def release(self, lines: Sequence[UUID]) -> None:
        """Give back what is kept for lines; nothing happens where nothing is."""
        self._need_transaction()
        await self._db.execute(piece_statements.RELEASE, list(lines))

    async def put_back(self, lines: Sequence[UUID], quantities: Sequence[int] | None = None) -> None:
        """Give back what lines bought of `quota`, `unlimited` and `supplier` and were not delivered."""
        self._need_transaction()
        pieces = [UNLIMITED] * len(lines) if quantities is None else list(quantities)
        await self._db.execute(piece_statements.PUT_BACK, list(lines), pieces)

    async def retire(self, cards: Sequence[RetireRequest]) -> None:
        """Mark cards that were handed over as bad; repeated calls are harmless.

        Raises:
            NotFound: one of them was not handed over to its line; the transaction is lost.
        """
        self._need_transaction()
        found = await self._db.fetchval(
            statements.RETIRE,
            [card.line for card in cards],
            [_named(card.key) for card in cards],
            [card.reason for card in cards],
            [card.by for card in cards],
        )
        if found != len(cards):
            raise NotFound(
                "One of these cards does not belong to its order line.", cure="Read the line's cards."
            )

    async def mirror(self, figures: Mapping[UUID, int]) -> None:
        """Write down what suppliers have of variants of the kind `supplier`; others are passed over."""
        await self._db.execute(
            piece_statements.MIRROR,
            list(figures),
            [max(0, min(figure, UNLIMITED)) for figure in figures.values()],
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
                key=row["blind_index"].hex(),
                retired=row["retired"],
            )
            for row, secret in zip(rows, secrets, strict=True)
        ]

    async def costs_of(self, lines: Sequence[UUID]) -> list[SoldCost]:
        """What the cards that lines got had cost by their batches."""
        rows = await self._db.fetch(statements.COSTS_OF, list(lines))
        return [
            SoldCost(line=row["line"], currency=row["currency"], units=row["units"], pieces=row["pieces"])
            for row in rows
        ]

    async def available(self, variants: Sequence[UUID], at_most: int | None = None) -> Mapping[UUID, int]:
        """How many of each variant can be sold now; 0 for one that does not exist."""
        limit = UNLIMITED if at_most is None else at_most
        rows = await self._db.fetch(statements.AVAILABLE, list(variants), limit, self._time_zone)
        return {**dict.fromkeys(variants, 0), **{row["variant"]: row["available"] for row in rows}}

    def _need_transaction(self) -> None:
        if self._db.scope is None:
            raise TransactionError(
                "Stock was moved outside a transaction.",
                cure="Pick and hand over inside one `async with kernel.db.transaction():`.",
            )


def _serve(
    request: PickRequest, kind: _Kind | None, free: deque[int], left: dict[UUID, int]
) -> Pick | Refusal:
    variant, quantity = request.variant, request.quantity
    if quantity <= 0:
        return WrongQuantity(f"{quantity} pieces cannot be bought.", cure="Order one or more.")
    if kind == "unlimited":
        return Pick(variant=variant, quantity=quantity, kind=kind)
    if kind == "quota" or kind == "reusable" or kind == "supplier":
        if left.get(variant, 0) < quantity:
            return _out_of_stock(quantity)
        left[variant] -= quantity
        return Pick(variant=variant, quantity=quantity, kind=kind)
    if len(free) < quantity:
        return _out_of_stock(quantity)
    return Pick(variant=variant, quantity=quantity, cards=tuple(free.popleft() for _ in range(quantity)))


def _out_of_stock(quantity: int) -> OutOfStock:
    return OutOfStock(f"There are not {quantity} pieces left.", cure="Order fewer, or come back later.")


def _counters(sales: Sequence[Sale]) -> set[UUID]:
    """The variants among these whose counters are lowered."""
    return {sale.pick.variant for sale in sales if sale.pick.kind in _COUNTED}


def _held(wanted: int, taken: int, what: str = "cards") -> None:
    if taken != wanted:
        raise TransactionError(
            f"Of {wanted} {what} to hand over only {taken} were free.",
            cure="Hand over in the transaction that picked them, once.",
        )


def _named(key: str) -> bytes:
    """The blind index in a card's key; one that no card has for what is no key."""
    try:
        return bytes.fromhex(key)
    except ValueError:
        return b""


async def expire_cards(kernel: Kernel) -> None:
    """Take cards out of stock that are past their last day. Run every hour by a worker.

    They were not sold before either: this only keeps picks from reading over them.
    """
    time_zone = kernel.settings.section("catalog", CatalogSettings).time_zone
    while await kernel.db.fetchval(statements.EXPIRE, time_zone, EXPIRED_AT_ONCE):
        pass
