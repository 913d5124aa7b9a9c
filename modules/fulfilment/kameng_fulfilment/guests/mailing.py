"""The link to a guest's order by mail: to whoever reads the mail of the address that it was ordered with."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng.audit import JSON
from kameng.graphql import Context
from kameng.module import NotificationKind
from kameng.notify import Addressee, Notice, Notifications
from kameng_fulfilment.guests.lookup import contact_of, count_tries
from kameng_fulfilment.guests.secrets import lookup_mark, secrets_of
from kameng_fulfilment.guests.statements import ORDER_BY_LOOKUP
from kameng_fulfilment.orders import orders_by_id

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LINK = NotificationKind(
    name="order_link",
    title_en="Link to my order",
    title_zh="订单链接",
    templates="kameng_fulfilment:notifications",
    optional=False,
)


async def ask_for_link(context: Context, number: str, contact: str) -> None:
    """Have the link to an order mailed, if there is one of this number and contact.

    Whether there is, a worker finds out: the request takes the same way and the same answer in any case.

    Raises:
        RateLimited: too many look-ups from this network address, of this number, or of this contact.
        UnavailableError: look-ups cannot be counted at the moment, so none is allowed.
    """
    read, whom = await count_tries(context, number, contact)
    mark = lookup_mark(context.kernel, read, whom)
    await context.kernel.tasks.enqueue("fulfilment.mail_order_link", mark=mark.hex(), locale=context.locale)


async def mail_order_link(kernel: Kernel, mark: str, locale: str) -> None:
    """Mail the link to the order that a look-up means, if there is one, it was ordered with an e-mail address, and it is in
    no account since.

    One mail a minute at most, since a task may run twice and a guest may be impatient.
    """
    notifications = kernel.services.find(Notifications)
    order: UUID | None = await kernel.db.fetchval(ORDER_BY_LOOKUP, bytes.fromhex(mark))
    if notifications is None or order is None:
        return
    contact = await contact_of(kernel, order)
    if contact is None or contact.kind != "email":
        return
    stored = (await orders_by_id(kernel.db, [order]))[order]
    if stored.buyer_kind != "guest":
        return
    secret = (await secrets_of(kernel, [(order, stored.number)])).get(order)
    minute: int = await kernel.db.fetchval("select (extract(epoch from now()) / 60)::bigint")
    async with kernel.db.transaction():
        await notifications.tell(
            [
                Notice(
                    kind="fulfilment.order_link",
                    key=f"{order}:{minute}",
                    to=Addressee(addresses={"email": contact.value}, locale=locale),
                    values=guest_values(kernel, stored.number, secret),
                )
            ]
        )


def guest_values(kernel: Kernel, number: str, secret: str | None) -> dict[str, JSON]:
    """What templates of mail to guests know of an order: its number, its secret, and the address that opens it.

    The secret stands in the address's fragment, which browsers keep to themselves: no server and no log ever sees it. The
    page reads it and sends it on in a form; where scripts do not run, number and secret are typed in there.
    """
    shop = kernel.settings.public_url
    url = f"{shop}/open-order#{number}.{secret}" if secret else f"{shop}/look-up"
    return {"number": number, "secret": secret or "", "url": url}
