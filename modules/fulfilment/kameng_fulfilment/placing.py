"""Placing a batch of orders: one short transaction, in the order pick → charge → write, or nothing of it.

Everything that decides is read inside the transaction. Who drops out (no stock, no money, a changed price) leaves no trace but
a typed refusal; what was picked for him is free again at the end. The number of statements does not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_catalog.contract import (
    RETAIL,
    NotForSale,
    PickRequest,
    Prices,
    QuoteRequest,
    Sale,
    Stock,
    Variants,
)
from kameng_fulfilment.deferring import Deferring
from kameng_fulfilment.drafts import (
    DraftLine,
    DraftOrder,
    at_line,
    checked_line,
    completed_event,
    line_columns,
    order_columns,
)
from kameng_fulfilment.guests.placing import changed_carts, claimed_before, guest_of, write_particulars
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.numbers import new_number
from kameng_fulfilment.requests import OrderRequest, PriceChanged
from kameng_fulfilment.statements import FIND_REPEATED, WRITE_ORDERS
from kameng_membership.contract import Members
from kameng_settlement.contract import Charge, Charged, Charging

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_fulfilment.flash.admitting import FlashAdmitting
from kameng_fulfilment.outcomes import BatchResult, Outcome, key_conflict


class Placing:
    """Places batches of orders with the services of a kernel.

    Args:
        kernel: whose orders.
        flash: takes buyers to flash sales; None where nobody asks for one.
    """

    def __init__(self, kernel: Kernel, flash: FlashAdmitting | None = None) -> None:
        self._kernel = kernel
        self._flash = flash
        self._db = kernel.db
        services = kernel.services
        self._members = services.get(Members)
        self._variants = services.get(Variants)
        self._prices = services.get(Prices)
        self._stock = services.get(Stock)
        self._charging = services.get(Charging)
        self._deferring = Deferring(kernel)

    async def place(self, requests: Sequence[OrderRequest]) -> BatchResult:
        """Place a batch in one transaction.

        Args:
            requests: no two with the same member and key.

        Raises:
            asyncpg.UniqueViolationError: somebody else placed one of them at the same moment; try them one by one.
        """
        outcomes: list[Outcome | None] = [None] * len(requests)
        async with self._db.transaction():
            await self._repeated(requests, outcomes)
            if self._flash:
                self._too_late(self._flash, requests, outcomes)
            await self._brought(requests, outcomes)
            orders = await self._priced(requests, outcomes)
            if outside := [order for order in orders if order.outside]:
                for place, refusal in (await self._deferring.too_many(outside)).items():
                    outcomes[place] = refusal
                orders = [order for order in orders if outcomes[order.place] is None]
            admission = await self._flash.admit(orders) if self._flash else None
            if admission:
                for place, reason in admission.refused.items():
                    outcomes[place] = reason
                orders = [order for order in orders if outcomes[order.place] is None]
            short = await self._pick(orders, outcomes)
            await self._charge(orders, outcomes)
            paid = [order for order in orders if outcomes[order.place] is None]
            contested = await self._contested(short, paid)
            if self._flash and admission:
                contested += await self._flash.book(admission, paid)
            if paid:
                await self._write(paid, outcomes)
                if bringing := [order for order in paid if order.request.particulars]:
                    await write_particulars(self._kernel, bringing)
        assert None not in outcomes  # noqa: S101 - every request has its outcome by now
        return BatchResult(outcomes, contested)  # type: ignore[arg-type]  # checked just above

    async def _repeated(self, requests: Sequence[OrderRequest], outcomes: list[Outcome | None]) -> None:
        rows = await self._db.fetch(FIND_REPEATED, [r.member for r in requests], [r.key for r in requests])
        known = {(row["member"], row["idempotency_key"]): row for row in rows}
        for place, request in enumerate(requests):
            row = known.get((request.member, request.key))
            if row is not None:
                same = row["fingerprint"] == request.fingerprint
                outcomes[place] = row["id"] if same else key_conflict()

    @staticmethod
    def _too_late(
        flash: FlashAdmitting, requests: Sequence[OrderRequest], outcomes: list[Outcome | None]
    ) -> None:
        for place, request in enumerate(requests):
            if outcomes[place] is None:
                outcomes[place] = flash.late([line.variant for line in request.lines])

    async def _brought(self, requests: Sequence[OrderRequest], outcomes: list[Outcome | None]) -> None:
        bringing = {
            place: request
            for place, request in enumerate(requests)
            if request.particulars and outcomes[place] is None
        }
        if not bringing:
            return
        for place, order in (await claimed_before(self._kernel, bringing)).items():
            outcomes[place] = order or key_conflict()
        carts = {
            place: request
            for place, request in bringing.items()
            if request.particulars and request.particulars.cart and outcomes[place] is None
        }
        if carts:
            for place, refusal in (await changed_carts(self._kernel, carts)).items():
                outcomes[place] = refusal

    async def _priced(
        self, requests: Sequence[OrderRequest], outcomes: list[Outcome | None]
    ) -> list[DraftOrder]:
        open_places = [place for place in range(len(requests)) if outcomes[place] is None]
        if not open_places:
            return []
        wanted = [
            (place, index, line) for place in open_places for index, line in enumerate(requests[place].lines)
        ]
        members = await self._members.snapshots([requests[place].member for place in open_places])
        tiers: dict[int, str] = {}
        for place, member in zip(open_places, members, strict=True):
            if guest_of(requests[place]):
                tiers[place] = RETAIL
            elif member is None or not member.active:
                outcomes[place] = NotForSale("This account cannot buy.", cure="Ask the shop's support.")
            else:
                tiers[place] = member.tier
        variants = await self._variants.snapshots([line.variant for _, _, line in wanted])
        quotes = await self._prices.quote(
            [
                QuoteRequest(
                    variant=line.variant,
                    quantity=max(line.quantity, 1),
                    tier=tiers.get(place, ""),
                    currency=requests[place].currency,
                    site=requests[place].site,
                )
                for place, _, line in wanted
            ]
        )
        lines: dict[int, list[DraftLine]] = {place: [] for place in open_places}
        for (place, index, line), variant, quote in zip(wanted, variants, quotes, strict=True):
            if outcomes[place] is None:
                checked = checked_line(index, line, variant, quote)
                if isinstance(checked, Refusal):
                    outcomes[place] = checked
                else:
                    lines[place].append(checked)
        return [
            order
            for place in open_places
            if outcomes[place] is None
            and (order := self._order(place, requests[place], lines[place], outcomes))
        ]

    def _order(
        self, place: int, request: OrderRequest, lines: list[DraftLine], outcomes: list[Outcome | None]
    ) -> DraftOrder | None:
        total = Money(sum(line.quote.total.minor for line in lines), request.currency)
        if request.expected is not None and request.expected != total:
            outcomes[place] = PriceChanged(
                f"The total is {total.amount} {total.currency} now, not {request.expected.amount}.",
                cure="Show the buyer the new total and order again with a new key.",
                path=("input", "expectedTotal"),
            )
            return None
        if not total.minor and guest_of(request):
            outcomes[place] = NotForSale(
                "What costs nothing is for members.", cure="Log in, or become a member."
            )
            return None
        # What costs nothing waits for no payment.
        outside = request.outside and total.minor > 0
        return DraftOrder(
            place=place,
            request=request,
            id=new_id(),
            number=new_number(),
            lines=lines,
            total=total,
            outside=outside,
            deferred=outside or any(line.variant.delivery != "instant" for line in lines),
        )

    async def _pick(self, orders: list[DraftOrder], outcomes: list[Outcome | None]) -> dict[int, PickRequest]:
        lines = [(order, index, line) for order in orders for index, line in enumerate(order.lines)]
        if not lines:
            return {}
        picks = await self._stock.pick(
            [PickRequest(variant=line.variant.id, quantity=line.quantity) for _, _, line in lines]
        )
        short: dict[int, PickRequest] = {}
        for (order, index, line), pick in zip(lines, picks, strict=True):
            if isinstance(pick, Refusal):
                if outcomes[order.place] is None:
                    outcomes[order.place] = at_line(pick, index)
                    short[order.place] = PickRequest(variant=line.variant.id, quantity=line.quantity)
            else:
                line.pick = pick
        return short

    async def _contested(self, short: dict[int, PickRequest], paid: Sequence[DraftOrder]) -> list[int]:
        """Of those who found too little: for whom enough may be there once others have given back what they hold."""
        if not short:
            return []
        held: dict[UUID, int] = {}
        for order in paid:
            for line in order.lines:
                held[line.variant.id] = held.get(line.variant.id, 0) + line.quantity
        enough = max(held.get(asked.variant, 0) + asked.quantity for asked in short.values())
        # Counts what nobody has bought yet, whoever has locked it at this moment.
        free = await self._stock.available([asked.variant for asked in short.values()], enough)
        return [
            place
            for place, asked in short.items()
            if free[asked.variant] - held.get(asked.variant, 0) >= asked.quantity
        ]

    async def _charge(self, orders: list[DraftOrder], outcomes: list[Outcome | None]) -> None:
        owing = [
            order
            for order in orders
            if outcomes[order.place] is None and order.total.minor > 0 and not order.outside
        ]
        if not owing:
            return
        answers = await self._charging.charge(
            [
                Charge(
                    key=f"order:{order.id}",
                    member=order.request.member,
                    amount=order.total,
                    memo=order.number,
                )
                for order in owing
            ]
        )
        for order, answer in zip(owing, answers, strict=True):
            if isinstance(answer, Charged):
                order.charge = answer.transaction
            else:
                outcomes[order.place] = answer

    async def _write(self, paid: list[DraftOrder], outcomes: list[Outcome | None]) -> None:
        for order in paid:
            outcomes[order.place] = order.id
        if deferred := [order for order in paid if order.deferred]:
            await self._deferring.write(deferred)
            paid = [order for order in paid if not order.deferred]
            if not paid:
                return
        await self._db.execute(
            WRITE_ORDERS, *order_columns(paid), [new_id() for _ in paid], *line_columns(paid)
        )
        await self._stock.hand_over(
            [Sale(pick=line.pick, line=line.id) for order in paid for line in order.lines if line.pick]
        )
        now = datetime.now(UTC).isoformat()
        await self._kernel.events.emit(*(completed_event(order, now) for order in paid))
        orders_changed(self._kernel, [(order.request.member, order.id) for order in paid])
