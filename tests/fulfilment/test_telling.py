"""Mail to buyers: what they get told of their orders, and what not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kameng.ids import new_id
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from kameng_fulfilment.telling import Bought, addressees_of
from tests.engine.notify.conftest import MailServer, settings, start_mail

from .conftest import Shop
from .mails import markup, plain

__all__ = ["start_mail"]  # a fixture


async def test_a_buyer_is_told_that_the_order_is_complete(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    # given a shop that sends mail, and a member
    mail = start_mail()
    shop = Shop(await make_kernel(notify=settings(mail), kameng={"public_url": "https://shop.example"}))
    variant = await shop.stock("MAIL", "3.00", ["secret-one", "secret-two"])
    ann = await shop.member("10")
    # when she buys
    order = (await shop.buy(ann, (variant, 2)))["order"]
    await drain(shop.kernel)
    # then she has a mail in her language, with number and link, without the cards
    [read] = mail.mails()
    assert read["To"] == f"{ann.id}@example.com"
    assert read["Subject"] == f"订单 {order['number']} 已完成"
    text = plain(read)
    assert f"https://shop.example/orders/{order['number']}" in text
    assert "MAIL × 2" in text
    assert "6.00 CNY" in text
    assert "secret" not in text
    # and once, however often the event is handled
    await shop.kernel.db.execute(
        "insert into kernel_delivery (event_id, handler, next_at)"
        " select id, 'fulfilment.tell_completed', now() - interval '1 second' from kernel_outbox"
        " where topic = 'fulfilment.order_completed'"
    )
    await drain(shop.kernel)
    assert len(mail.took()) == 1


async def test_a_shop_may_put_the_cards_into_the_mail(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    mail = start_mail()
    shop = Shop(await make_kernel(notify=settings(mail), fulfilment={"mail_cards": True}))
    variant = await shop.stock("MAIL", "3.00", ["secret-one"])
    ann = await shop.member("10")
    await shop.kernel.db.execute("update membership_member set locale = 'en'")
    await shop.buy(ann, (variant, 1))
    await drain(shop.kernel)
    [read] = mail.mails()
    assert "Code: secret-one" in plain(read)
    assert "secret-one" in markup(read)
    # nothing of it stays behind
    assert await shop.kernel.db.fetchval("select count(*) from notify_message where sealed is not null") == 0


async def test_without_a_mail_server_nothing_is_kept(shop: Shop) -> None:
    variant = await shop.stock("MAIL", "3.00", ["secret-one"])
    await shop.buy(await shop.member("10"), (variant, 1))
    await drain(shop.kernel)
    assert await shop.kernel.db.fetchval("select count(*) from notify_message") == 0
    assert await shop.kernel.events.list_dead() == []


async def test_who_is_unknown_is_told_nothing(shop: Shop) -> None:
    nobody = Bought(order=new_id(), number="X", buyer=new_id(), guest=False)
    guest = Bought(order=new_id(), number="Y", buyer=new_id(), guest=True)
    assert await addressees_of(shop.kernel, [nobody, guest]) == {}


async def test_staff_with_the_permission_is_told_of_low_stock(
    make_kernel: Kernels, start_mail: Callable[..., MailServer], tmp_path: Path
) -> None:
    from kameng_catalog.events import StockLow

    # given two of the staff, of whom one looks after the stock
    mail = start_mail()
    kernel = await make_kernel(notify=settings(mail, staff=["ops@shop.example"]))
    await kernel.db.execute(
        """
        with people as (
            insert into membership_staff (id, email, password_hash, name, state)
            values (gen_random_uuid(), 'stock@shop.example', 'x', 'S', 'active'),
                   (gen_random_uuid(), 'other@shop.example', 'x', 'O', 'active'),
                   (gen_random_uuid(), 'gone@shop.example', 'x', 'G', 'disabled') returning id, email
        ), roles as (
            insert into membership_role (id, name, title_zh, title_en, permissions)
            values (gen_random_uuid(), 'stock', '库存', 'Stock', '["catalog.manage_stock"]'),
                   (gen_random_uuid(), 'other', '其他', 'Other', '["catalog.manage_prices"]') returning id, name
        )
        insert into membership_staff_role (id, staff, role)
        select gen_random_uuid(), people.id, roles.id from people join roles
        on (roles.name = 'other') = (people.email like 'other%')
        """
    )
    # when stock runs low
    async with kernel.db.transaction():
        await kernel.events.emit(StockLow(variant=str(new_id()), sku="QQ-100", available=2, threshold=5))
    await drain(kernel)
    # then she is told, and the address of the settings
    assert sorted(read["To"] for read in mail.mails()) == ["ops@shop.example", "stock@shop.example"]
    assert {read["Subject"] for read in mail.mails()} == {"QQ-100 库存不足"}


async def test_a_guest_is_reached_by_the_address_of_the_order(shop: Shop) -> None:
    from kameng_fulfilment.guests.contacts import read_contact
    from kameng_fulfilment.particulars import seal_guest

    # given orders of guests, one with an e-mail address and one with a phone number
    variant = await shop.stock("MAIL", "3.00", ["a", "b"])
    bought = []
    for contact in ("Lin@Example.com", "13800138000"):
        number = (await shop.buy(await shop.member("10"), (variant, 1)))["order"]["number"]
        order = await shop.kernel.db.fetchval("select id from fulfilment_order where number = $1", number)
        async with shop.kernel.db.transaction():
            sealed = await seal_guest(shop.kernel, read_contact(contact), "192.0.2.1")
        await shop.kernel.db.execute(
            "insert into fulfilment_contact (id, order_id, kind, sealed, data_key, contact_mark, lookup_mark,"
            " secret_mark, open_until) values ($1, $2, $3, $4, $5, $6, $7, $8, now())",
            sealed.id,
            order,
            sealed.contact.kind,
            sealed.sealed,
            sealed.data_key,
            sealed.contact_mark,
            order.bytes,
            order.bytes,
        )
        bought.append(Bought(order=order, number=number, buyer=new_id(), guest=True))
    # then the one with an address is reached by it
    found = await addressees_of(shop.kernel, bought)
    assert {order: to.addresses for order, to in found.items()} == {
        bought[0].order: {"email": "lin@example.com"}
    }
