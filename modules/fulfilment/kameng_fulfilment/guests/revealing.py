"""What a buyer wrote and how a guest is reached, for staff who may see it; each look is an entry in the audit log."""

from __future__ import annotations

import msgspec
import strawberry

from kameng.db import Statement
from kameng.graphql import Context, Info, mutation, payload
from kameng_fulfilment.acting import find_order, plain_text, record
from kameng_fulfilment.orders import StoredOrder
from kameng_fulfilment.particulars import Written
from kameng_fulfilment.permissions import REVEAL_PARTICULARS

PARTICULARS_OF = Statement(
    "fulfilment.particulars_of_order",
    # Served by the unique constraints on order_id.
    """
    select 'written' as kind, id, sealed, data_key from fulfilment_particulars where order_id = $1::uuid
    union all
    select kind, id, sealed, data_key from fulfilment_contact where order_id = $1::uuid
    """,
)


@strawberry.type(description="What a buyer wants on his invoice.")
class RevealedInvoice:
    """What a buyer wants on his invoice."""

    title: str = strawberry.field(description="A person's or a company's name.")
    tax_number: str | None = strawberry.field(description="The company's; null for a person.")
    email: str = strawberry.field(description="Where it is sent to.")


@strawberry.type(description="What a buyer wrote to an order, and how a guest is reached.")
class OrderParticulars:
    """What a buyer wrote to an order, and how a guest is reached."""

    note: str = strawberry.field(default="", description="What he wrote for the shop; may be empty.")
    invoice: RevealedInvoice | None = None
    contact: str | None = strawberry.field(
        default=None, description="A guest's e-mail address or phone number; null for members."
    )


@strawberry.input(description="An order whose particulars are to be seen.")
class RevealOrderParticularsInput:
    """An order whose particulars are to be seen."""

    number: str = strawberry.field(description="The order's number.")
    reason: str = strawberry.field(description="Why; it stays in the audit log.")


@payload()
class RevealOrderParticularsPayload:
    """The particulars, or why they are not shown."""

    particulars: OrderParticulars | None = None


@strawberry.type
class ParticularsMutation:
    """Mutations of the staff about what is known of buyers."""

    # A stored answer would be somebody's data in the clear. Each look is an entry of its own anyway.
    @mutation(idempotency="none")
    async def reveal_order_particulars(
        self,
        info: Info,
        input: RevealOrderParticularsInput,  # noqa: A002 - GraphQL's name
    ) -> RevealOrderParticularsPayload:
        """Show a buyer's note, his invoice data and a guest's contact; who saw them, and why, goes into the audit log."""
        context = info.context
        context.require(REVEAL_PARTICULARS)
        order, reason = await find_order(context, input.number), plain_text(input.reason)
        # The entry is there before anybody sees anything, whatever happens to the answer.
        async with context.db.transaction():
            await record(context, "reveal_order_particulars", order, reason=reason)
        return RevealOrderParticularsPayload(particulars=await _opened(context, order))


async def _opened(context: Context, order: StoredOrder) -> OrderParticulars:
    rows = await context.db.fetch(PARTICULARS_OF, order.id)
    opened = await context.kernel.vault.open_many(
        [(row["data_key"], row["sealed"], row["id"].bytes) for row in rows]
    )
    found = OrderParticulars()
    for row, text in zip(rows, opened, strict=True):
        if row["kind"] != "written":
            found.contact = text.decode()
            continue
        written = msgspec.json.decode(text, type=Written)
        found.note = written.note
        if invoice := written.invoice:
            found.invoice = RevealedInvoice(
                title=invoice.title, tax_number=invoice.tax_number or None, email=invoice.email
            )
    return found
