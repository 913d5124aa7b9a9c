"""Mail to guests: the link to an order, for whoever reads the address that it was ordered with."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kameng.auth import VISITOR
from kameng.db import counted_statements
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng.kernel import Kernel
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from kameng.vault.key_ring import Purpose
from kameng_fulfilment.numbers import new_number
from tests.engine.notify.conftest import MailServer, settings, start_mail

from . import lives
from .carts import Buyer
from .conftest import Shop
from .mails import markup, plain
from .test_guests import PLACE, place, read

__all__ = ["start_mail"]  # a fixture

LOOK_UP = """mutation($input: LookUpOrderInput!) { lookUpOrder(input: $input) { token } }"""
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
    assert f"https://shop.example/open-order#{order}.s" in plain(told)
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
    found = re.search(r"https://shop.example/open-order#(\w+)\.(\S+)", plain(link))
    assert found
    assert f"Secret: {found[2]}" in plain(link)
    shown = await read(shop, found[1], found[2])
    assert shown.data["guestOrder"]["lines"][0]["cards"] == [{"secret": "PLUM-4711"}]


class Links(HTMLParser):
    """Everything in a page that leads anywhere or loads something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what leads anywhere."""
        for name, value in attrs:
            if name in ("href", "src", "srcset", "background", "action", "poster", "data") or (
                name == "style" and "url(" in (value or "")
            ):
                self.found.append((tag, name, value or ""))


@pytest.mark.parametrize(
    ("locale", "subject", "word"),
    [("en", "Your order {} is complete", "Thank you"), ("zh-CN", "订单 {} 已完成", "感谢您的购买")],
)
async def test_a_guest_is_told_in_the_language_that_he_ordered_in_as_text_and_as_html(
    make_kernel: Kernels, start_mail: Callable[..., MailServer], locale: str, subject: str, word: str
) -> None:
    # Given a shop whose product has a number that HTML would read as something else
    mail = start_mail()
    shop = Shop(
        await make_kernel(
            notify=settings(mail),
            kameng={"public_url": "https://shop.example"},
            fulfilment={"mail_cards": True},
        )
    )
    variant = await shop.stock("CARD", "1", ["<img src=https://evil.example/x>&amp;"])
    # When a guest orders in his language, and pays
    context = Context(shop.kernel, principal=VISITOR, locale=locale)
    lines = [{"variantId": global_id("Variant", variant), "quantity": 1}]
    variables = {"input": {"contact": "lin@example.com", "lines": lines}, "key": str(new_id())}
    answer = await shop.kernel.graphql["shop"].execute(PLACE, variables, context)
    assert answer.errors is None
    assert answer.data is not None
    order, secret = (
        answer.data["placeGuestOrder"]["order"]["number"],
        answer.data["placeGuestOrder"]["secret"],
    )
    await lives.pay(shop, await shop.kernel.db.fetchval("select id from fulfilment_order"), 100)
    await drain(shop.kernel)
    # Then his mail has both forms in it
    [told] = mail.mails()
    assert (told["Subject"], told.get_content_type()) == (subject.format(order), "multipart/alternative")
    url = f"https://shop.example/open-order#{order}.{secret}"
    for part in (plain(told), markup(told)):
        assert word in part
        assert url in part
        assert secret in part
    # And the HTML takes nothing from anywhere, and no value for markup
    assert "<img src=https://evil.example/x>&amp;" in plain(told)
    assert "&lt;img src=https://evil.example/x&gt;&amp;amp;" in markup(told)
    assert Links(markup(told)).found == [("a", "href", url)]


def test_no_html_of_a_mail_takes_anything_from_elsewhere() -> None:
    import kameng_fulfilment

    folder = Path(kameng_fulfilment.__file__).parent / "notifications"
    texts = {path.stem for path in folder.glob("*.txt")}
    pages = {path.stem: Links(path.read_text("utf-8")).found for path in folder.glob("*.html")}
    assert pages.keys() == texts
    assert {tuple(found) for found in pages.values()} == {(("a", "href", "{{ url }}"),)}


async def test_links_outlive_the_keys_that_sign(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    # Given a guest's order, and the link to it that he got by mail
    mail = start_mail()
    shop = Shop(await make_kernel(notify=settings(mail), kameng={"public_url": "https://shop.example"}))
    variant = await shop.stock("CARD", "1", ["PLUM-4711", "PLUM-4712"])
    key = str(new_id())
    placed = await place(Buyer(shop), "lin@example.com", (variant, 1), key=key)
    number, secret = placed["order"]["number"], placed["secret"]
    passed = (await Buyer(shop).ask(LOOK_UP, {"input": {"number": number, "contact": "lin@example.com"}}))[
        "lookUpOrder"
    ]["token"]
    # When the signing key is replaced, and the old one kept for what it has signed
    rotate_signing(shop.kernel)
    # Then the link opens the order, and so does a pass that was given before
    assert (await read(shop, number, secret)).data["guestOrder"]["opened"] is True
    assert (await read(shop, number, passed)).data["guestOrder"]["opened"] is False
    # And the same link is mailed again, and the repeated request answered alike
    assert (await place(Buyer(shop), "lin@example.com", (variant, 1), key=key))["secret"] == secret
    await Buyer(shop).ask(SEND, {"input": {"number": number, "contact": "lin@example.com"}})
    await drain(shop.kernel)
    assert f"/open-order#{number}.{secret}" in plain(mail.mails()[-1])


async def test_a_secret_of_the_time_when_they_were_signed_still_opens_its_order(shop: Shop) -> None:
    from kameng_fulfilment.guests.secrets import _signed_secret, secret_mark, secrets_of

    # Given an order whose secret was made by the signing key, and is kept nowhere
    variant = await shop.stock("CARD", "1", ["a"])
    number = (await place(Buyer(shop), "lin@example.com", (variant, 1)))["order"]["number"]
    order = await shop.kernel.db.fetchval("select id from fulfilment_order")
    secret = _signed_secret(shop.kernel, order)
    await shop.kernel.db.execute(
        "update fulfilment_contact set sealed_secret = null, secret_mark = $1", secret_mark(number, secret)
    )
    # Then it opens the order, and can be told again until the key is replaced
    assert (await read(shop, number, secret)).data["guestOrder"]["opened"] is True
    assert await secrets_of(shop.kernel, [(order, number)]) == {order: secret}
    rotate_signing(shop.kernel)
    assert (await read(shop, number, secret)).data["guestOrder"]["opened"] is True
    assert await secrets_of(shop.kernel, [(order, number)]) == {}


def rotate_signing(kernel: Kernel) -> None:
    """Have a kernel sign with a new key from now on; those before it stay for what they have signed."""
    masters: Any = kernel.vault._masters
    masters._ring = masters.ring.with_new(Purpose.SIGNING)
