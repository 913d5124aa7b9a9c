"""Mail to guests: the link to an order, for whoever reads the address that it was ordered with."""

from __future__ import annotations

import re
from collections.abc import Callable

from kameng.db import counted_statements
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from kameng_fulfilment.numbers import new_number
from tests.engine.notify.conftest import MailServer, settings, start_mail

from . import lives
from .carts import Buyer
from .conftest import Shop
from .test_guests import place, read

__all__ = ["start_mail"]  # a fixture

SEND = (
    """mutation($input: SendOrderLinkInput!) { sendOrderLink(input: $input) { accepted errors { code } } }"""
)


async def test_a_lost_link_comes_by_mail_and_the_answer_tells_nothing(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    # Given a guest's paid order, of which he was told with a link
    mail = start_mail()
    shop = Shop(await make_kernel(notify=settings(mail), kameng={"public_url": "https://shop.example"}))
    variant = await shop.stock("CARD", "1", ["PLUM-4711"])
    order = (await place(Buyer(shop), "lin@example.com", (variant, 1)))["order"]["number"]
    key = await shop.kernel.db.fetchval("select id from fulfilment_order")
    await lives.pay(shop, key, 100)
    await drain(shop.kernel)
    [told] = mail.mails()
    assert f"https://shop.example/guest-orders/{order}/s" in told.get_content()
    # When somebody asks for links with a right pair and with wrong ones
    answers, ways = set(), set()
    for number, contact in (
        (order, "lin@example.com"),
        (order, "eve@example.com"),
        (new_number(), "lin@example.com"),
        ("nonsense", "nonsense"),
    ):
        with counted_statements() as counted:
            answer = await Buyer(shop).ask(SEND, {"input": {"number": number, "contact": contact}})
        answers.add(str(answer["sendOrderLink"]))
        ways.add(tuple(counted))
    # Then all are answered alike in the same way
    assert answers == {"{'accepted': True, 'errors': []}"}
    assert len(ways) == 1
    # And one mail goes to the order's own address, whose link shows what was delivered
    await drain(shop.kernel)
    [_, link] = mail.mails()
    assert (link["To"], link["Subject"]) == ("lin@example.com", f"Your order {order}")
    found = re.search(r"/guest-orders/(\w+)/(\S+)", link.get_content())
    assert found
    shown = await read(shop, found[1], found[2])
    assert shown.data["guestOrder"]["lines"][0]["cards"] == [{"secret": "PLUM-4711"}]
