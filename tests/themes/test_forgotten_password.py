"""A forgotten password, from the log-in page to the mailed link and back, without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from tests.engine.notify.conftest import MailServer, settings, start_mail
from tests.themes.conftest import ORIGIN, PASSWORD, Browser, Shop, text_of

__all__ = ["start_mail"]  # a fixture

NEW = "eight blue kettles at midnight"


async def test_a_member_sets_a_new_password_by_the_mailed_link(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    # given a shop that sends mail, and a member who has forgotten the password
    mail = start_mail()
    kernel = await make_kernel(kameng={"public_url": ORIGIN}, notify=settings(mail))
    browser = Browser(kernel, "zh-CN")
    shop = Shop(kernel, lambda locale="zh-CN": browser)
    await shop.member("lin@example.com", "zh-CN")
    await browser.send("/account", "log_out")
    # when she asks for a link from the log-in page
    assert 'href="/forgotten-password"' in (await browser.get("/login")).text
    sent = await browser.send("/forgotten-password", "request_password_reset", input__email="lin@example.com")
    assert (sent.status_code, sent.headers["location"]) == (303, "/login")
    assert "重置链接已发送" in text_of(await browser.get("/login"))
    await drain(kernel)
    # then it comes in her language, and leads to a page that sets the new one
    [read] = mail.mails()
    assert read["Subject"] == "重置密码"
    [link] = re.findall(rf"{ORIGIN}(/reset-password\?token=\S+)", read.get_content())
    weak = await browser.send(link, "reset_password", input__newPassword="password123")
    assert weak.status_code == 422 or "密码强度不足" in text_of(weak)
    done = await browser.send(link, "reset_password", input__newPassword=NEW)
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    # and only the new one holds
    for password, status in ((PASSWORD, 422), (NEW, 303)):
        answer = await browser.send(
            "/login", "log_in", input__email="lin@example.com", input__password=password
        )
        assert (answer.status_code == 303) is (status == 303), text_of(answer)
    # the link is used up
    again = await browser.send(link, "reset_password", input__newPassword=PASSWORD)
    assert "该链接已失效" in text_of(again)
    await browser.http.aclose()


async def test_a_shop_without_mail_says_so(shop: Shop) -> None:
    browser = shop.open("zh-CN")
    answer = await browser.send(
        "/forgotten-password", "request_password_reset", input__email="lin@example.com"
    )
    assert "本店暂未开通邮件服务" in text_of(answer)
